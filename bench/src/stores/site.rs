//! An installation on a store, whatever store that is: `daypass serve` with the same configuration, and people that it knows.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Outcome;
use crate::http::Connection;
use crate::issuer::Issuer;
use crate::requests::{Developer, Request, credentials_in, send_all};
use crate::scene::{Bearer, CONNECTIONS, exchange, members};
use crate::server::{Server, program};

/// So many times as many newcomers as are asked for are let in at once.
const TIMES: usize = 4;
/// Of each kind.
const PEOPLE: usize = 256;
const COGNITO: &str = "cognito-identity";
pub(super) const PROVIDER: &str = "login.example.com";
const A_DAY: u32 = 86_400;
const METRICS_TOKEN: &str = "the token of the bench's metrics";
const GATHERING_AGE: &str = "audit_gathering_age_seconds";
/// For so long a server with a shared store pauses between two looks at events that have no place in the trail yet.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Only a hang meets it.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Site {
    pub(super) server: Server,
    pub(super) developer: Developer,
    /// Developer users who have been there.
    pub(super) users: Vec<String>,
    /// Their identities, each with a token of ours.
    pub(super) bearers: Vec<Bearer>,
    /// ID tokens of people who have been there.
    pub(super) id_tokens: Vec<String>,
    /// How many names were drawn.
    names: Cell<usize>,
    newcomers: RefCell<Vec<Newcomer>>,
    directory: TempDir,
}

/// Somebody who came for the first time.
pub(super) struct Newcomer {
    pub(super) user: String,
    pub(super) identity_id: String,
}

impl Site {
    /// On a store that may be there already, with all that another one of this run has left.
    pub(super) fn open(store: &str) -> Outcome<Self> {
        let (directory, issuer) = (tempfile::tempdir()?, Issuer::start()?);
        configure(&directory, store, &issuer)?;
        let run = |arguments: &[&str]| run(&directory, arguments);
        if store.starts_with("dynamodb:") {
            run(&["store", "create"])?;
        }
        let server = serve(&directory)?;
        let url = url_of(&server)?;
        let id_tokens = (0..PEOPLE).map(|number| issuer.token(&format!("known-{number}")));
        let id_tokens = id_tokens.collect::<Outcome<Vec<_>>>()?;
        let exchanges: Vec<Request> =
            id_tokens.iter().map(|token| Request::exchange(&exchange(token))).collect();
        let answers = send_all(&url, &exchanges, CONNECTIONS)?;
        let pool_id = members(&answers, "identity_pool_id")?.swap_remove(0);
        // A store knows each name once.
        let name = format!("bench-{}", server.process_id());
        let credentials = credentials_in(&run(&["key", "create", &name, "--preset", "admin"])?)?;
        let developer =
            Developer { url, pool_id, provider: PROVIDER.into(), region: "eu-west-1".into(), credentials };
        let users = (0..PEOPLE).map(|number| format!("known-{number}")).collect();
        let mut site = Self {
            server,
            developer,
            users,
            bearers: Vec::new(),
            id_tokens,
            names: Cell::new(0),
            newcomers: RefCell::default(),
            directory,
        };
        site.let_people_in()?;
        Ok(site)
    }

    /// Another server of the same installation.
    pub(super) fn another_server(&self) -> Outcome<Server> {
        serve(&self.directory)
    }

    /// Guests are off unless somebody turns them on.
    fn let_people_in(&mut self) -> Outcome<()> {
        let open = json!({
            "IdentityPoolId": self.developer.pool_id, "IdentityPoolName": "bench",
            "AllowUnauthenticatedIdentities": true, "DeveloperProviderName": PROVIDER,
        });
        self.ask(&[self.signed("UpdateIdentityPool", &open)?])?;
        let a_day = |user: &String| {
            let mut input = self.login(user);
            input["TokenDuration"] = A_DAY.into();
            self.signed("GetOpenIdTokenForDeveloperIdentity", &input)
        };
        let answers = self.ask(&self.users.iter().map(a_day).collect::<Outcome<Vec<_>>>()?)?;
        let pairs = members(&answers, "IdentityId")?.into_iter().zip(members(&answers, "Token")?);
        self.bearers = pairs.map(|(identity_id, token)| Bearer { identity_id, token }).collect();
        Ok(())
    }

    pub(super) fn login(&self, user: &str) -> Value {
        json!({"IdentityPoolId": self.developer.pool_id, "Logins": {PROVIDER: user}})
    }

    pub(super) fn signed(&self, operation: &str, input: &Value) -> Outcome<Request> {
        self.developer.signed(COGNITO, Request::json(operation, input))
    }

    pub(super) fn ask(&self, requests: &[Request]) -> Outcome<Vec<Vec<u8>>> {
        send_all(&self.developer.url, requests, CONNECTIONS)
    }

    /// The name of somebody who has not been here.
    pub(super) fn draw_name(&self) -> String {
        let number = self.names.replace(self.names.get() + 1);
        format!("new-{}-{number}", self.server.process_id())
    }

    /// People whom nobody needs afterwards, let in before with others for the next times: the trail has been waited for.
    pub(super) fn newcomers(&self, count: usize) -> Outcome<Vec<Newcomer>> {
        let mut newcomers = self.newcomers.borrow_mut();
        if newcomers.len() < count {
            newcomers.extend(self.let_in(TIMES * count)?);
            settle(&self.server)?;
        }
        let rest = newcomers.len() - count;
        Ok(newcomers.split_off(rest))
    }

    fn let_in(&self, count: usize) -> Outcome<impl Iterator<Item = Newcomer>> {
        let users: Vec<String> = (0..count).map(|_| self.draw_name()).collect();
        let input = |user: &String| self.signed("GetOpenIdTokenForDeveloperIdentity", &self.login(user));
        let answers = self.ask(&users.iter().map(input).collect::<Outcome<Vec<_>>>()?)?;
        let ids = members(&answers, "IdentityId")?;
        Ok(users.into_iter().zip(ids).map(|(user, identity_id)| Newcomer { user, identity_id }))
    }
}

/// Waits until the trail has everything that servers of a store have kept so far: what one does for that is done for those who
/// asked. The first look that ends may have begun before; the next one sees all.
pub(super) fn settle(server: &Server) -> Outcome<()> {
    let mut connection = Connection::open(&url_of(server)?)?;
    wait_for_a_look(&mut connection)?;
    wait_for_a_look(&mut connection)
}

/// Until a look has ended that did not before.
fn wait_for_a_look(connection: &mut Connection) -> Outcome<()> {
    let since = Instant::now();
    // It tells whole seconds: less than one is since then.
    pause(BETWEEN_LOOKS);
    while gathering_age(connection)? > 0 {
        if since.elapsed() > PATIENCE {
            return Err("the trail is not put in order".into());
        }
        pause(Duration::from_millis(50));
    }
    Ok(())
}

fn gathering_age(connection: &mut Connection) -> Outcome<u64> {
    let bearer = format!("Bearer {METRICS_TOKEN}");
    let metrics = connection.request("GET", "/metrics", &[("authorization", &bearer)], &[])?.success()?;
    let metrics = String::from_utf8_lossy(&metrics);
    Ok(gauge(&metrics, GATHERING_AGE)
        .ok_or_else(|| format!("there is no metric {GATHERING_AGE}"))?
        .parse()?)
}

/// The value of a metric without labels, whatever stands before its name.
fn gauge<'a>(metrics: &'a str, name: &str) -> Option<&'a str> {
    let mut values = metrics.lines().filter_map(|line| line.split_once(' '));
    values.find(|(found, _)| found.ends_with(name)).map(|(_, value)| value)
}

#[expect(clippy::disallowed_methods, reason = "a server that runs looks by the clock on the wall")]
fn pause(duration: Duration) {
    thread::sleep(duration);
}

pub(super) fn url_of(server: &Server) -> Outcome<String> {
    Ok(format!("http://{}/", server.says("listen")?))
}

fn configuration_in(directory: &TempDir) -> PathBuf {
    directory.path().join("daypass.toml")
}

fn configure(directory: &TempDir, store: &str, issuer: &Issuer) -> Outcome<()> {
    let path = |name: &str| directory.path().join(name);
    let nothing =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
    std::fs::write(path("master-key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")?;
    std::fs::write(path("metrics-token"), METRICS_TOKEN)?;
    std::fs::write(path("secret"), "the secret of the bench's client")?;
    std::fs::write(path("policy.json"), nothing.to_string())?;
    let configuration = format!(
        "public_url = \"https://login.example.com\"\nmaster_key = {{ file = \"master-key\" }}\n\
         [store]\nurl = {store:?}\n[metrics]\ntoken = {{ file = \"metrics-token\" }}\n\
         [pool]\nname = \"bench\"\ndeveloper_provider = {PROVIDER:?}\nregion = \"eu-west-1\"\n\
         account_id = \"123456789012\"\nmax_token_duration = \"24h\"\n\
         [network]\nallow_private = [\"127.0.0.1\"]\n\
         [[role]]\nname = \"authenticated\"\npolicy = \"policy.json\"\n{}",
        issuer.provider(&path("secret"))
    );
    Ok(std::fs::write(configuration_in(directory), configuration)?)
}

fn serve(directory: &TempDir) -> Outcome<Server> {
    let mut command = daypass()?;
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(configuration_in(directory));
    Server::run(command)
}

/// What a command says that does what it is told.
fn run(directory: &TempDir, arguments: &[&str]) -> Outcome<String> {
    let answered = daypass()?.args(arguments).arg("--config").arg(configuration_in(directory)).output()?;
    if !answered.status.success() {
        let why = String::from_utf8_lossy(&answered.stderr);
        return Err(format!("`daypass {}`: {why}", arguments.join(" ")).into());
    }
    Ok(String::from_utf8(answered.stdout)?)
}

/// Nobody has to be let in by an emulator, and the SDK has to have somebody's credentials.
pub(super) fn daypass() -> Outcome<Command> {
    let mut command = Command::new(program()?);
    command.env("AWS_ACCESS_KEY_ID", "emulated").env("AWS_SECRET_ACCESS_KEY", "emulated");
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::{GATHERING_AGE, gauge};

    #[test]
    fn a_gauge_is_found_among_what_is_told_of_it() {
        let metrics = format!(
            "# HELP daypass_{GATHERING_AGE} How long\n# TYPE daypass_{GATHERING_AGE} gauge\ndaypass_{GATHERING_AGE} 7\n"
        );
        assert_eq!(gauge(&metrics, GATHERING_AGE), Some("7"));
        assert_eq!(gauge(&metrics, "requests"), None);
    }
}
