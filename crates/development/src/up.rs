//! Everything for development in one process: the server, S3 and the sandbox identity provider, on three
//! ports beside each other, with their state in one directory. `daypass up` and `daypass tour` start it.

mod ports;
mod profile;

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use anyhow::Context;
use axum::{Router, middleware};
use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::ids::{IdentityPoolId, UserName};
use daypass_core::ground::random::{Random, SystemRandom};
use daypass_core::token::openid_token::{AUTHENTICATED, UNAUTHENTICATED};
use daypass_store::Open;
use serde::Serialize;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;

use self::ports::{Bound, Ports};
use self::profile::Profile;
use crate::iam::{self, Book, Iam, TakeUp};
use crate::playground::Playground;
use crate::s3::Objects;
use crate::sandbox::{self, Client, SandboxConfig};
use daypass_server::cli::reread::reread;
pub use daypass_server::config::development::BUCKET;
use daypass_server::config::development::{ACCOUNT_ID, DEVELOPER_PROVIDER, PROFILE, REGION};
use daypass_server::config::{Config, ConfigFile, Instances};
use daypass_server::export::Running as Exports;
use daypass_server::installation::home::Home;
use daypass_server::installation::{App, Embedded, Installation};
use daypass_server::key_turns::have_keys_take_turns;
use daypass_server::listen::{Answering, Stop, listen_within};
use daypass_server::upkeep::keep_purging;
use daypass_server::{routes, secrets, telemetry};

/// The developer whose access key is behind the profile.
const ACCESS_KEY_NAME: &str = "up";

/// Where to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything is kept.
    pub dir: PathBuf,
    /// The server's port; S3 and the sandbox take the next two. 0 takes three that are free.
    pub port: u16,
    /// More providers, apps and roles than development needs by itself.
    pub config: Option<PathBuf>,
}

/// What is running, as the line of JSON says it.
#[derive(Debug, Clone, Serialize)]
pub struct Ready {
    /// The server.
    pub server_url: String,
    /// S3.
    pub s3_url: String,
    /// The sandbox identity provider.
    pub sandbox_url: String,
    /// The `iss` of tokens.
    pub issuer: String,
    /// The Region that IDs and ARNs carry.
    pub region: String,
    /// The account that ARNs carry.
    pub account_id: String,
    /// The pool that logins lead to.
    pub identity_pool_id: IdentityPoolId,
    /// The key in `Logins` of the pool's own developer provider.
    pub developer_provider: String,
    /// The role of everybody who logged in.
    pub role_arn: String,
    /// The role made for guests, who are off until the developer turns them on and gives the pool this role.
    pub guest_role_arn: String,
    /// The bucket with everybody's folder.
    pub bucket: String,
    /// Where everything is kept.
    pub dir: PathBuf,
    /// For `AWS_CONFIG_FILE`.
    pub aws_config_file: PathBuf,
    /// For `AWS_SHARED_CREDENTIALS_FILE`.
    pub aws_shared_credentials_file: PathBuf,
    /// For `AWS_PROFILE`.
    pub aws_profile: String,
}

/// A running `up`.
pub struct Running {
    /// What is running where.
    pub ready: Ready,
    /// What the developer has to hear of.
    pub warnings: Vec<String>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    exports: Exports,
    current: Arc<Current>,
}

/// What answers, and what it takes to have something else answer.
struct Current {
    app: Mutex<Arc<App>>,
    /// Keeps the directory locked.
    installation: Installation,
    doors: Doors,
    answer_by: [watch::Sender<Router>; 2],
}

/// What answers requests of an installation on its two ports, as far as no configuration says it.
struct Doors {
    objects: Objects,
    roles: Arc<Book>,
    s3_url: String,
    sandbox_url: String,
}

impl Doors {
    /// The server with its playground, and S3.
    fn routers(&self, app: &Arc<App>) -> Option<[Router; 2]> {
        let embedded = app.embedded.clone()?;
        let s3 = self.objects.router(&embedded, &app.origins);
        let iam = Arc::new(Iam { embedded: embedded.clone(), book: self.roles.clone() });
        let playground = Playground {
            embedded,
            server_url: app.login_flow.public_url.clone(),
            s3_url: self.s3_url.clone(),
            bucket: BUCKET.into(),
            sandbox_url: self.sandbox_url.clone(),
        };
        let server = routes::router_with(app.clone(), playground.pages());
        Some([server.layer(middleware::from_fn_with_state(iam, iam::divert)), s3])
    }
}

impl Current {
    /// See [`Running::reread`].
    async fn reread(&self) -> Result<(), String> {
        let take_up = |app: Arc<App>| {
            for (answer_by, router) in
                self.answer_by.iter().zip(self.doors.routers(&app).into_iter().flatten())
            {
                // Without a listener there is nobody to answer.
                let _ = answer_by.send(router);
            }
        };
        // One after the other: each goes on from what the one before made.
        let mut app = self.app.lock().await;
        *app = reread(&self.installation, &app, take_up).await?;
        Ok(())
    }
}

/// Takes up what changed whenever a request wants that, until everything ends.
async fn take_up_when_asked(current: Weak<Current>, mut wishes: mpsc::Receiver<TakeUp>) {
    while let Some(tell) = wishes.recv().await {
        let Some(current) = current.upgrade() else { return };
        // Whoever asked may be gone.
        let _ = tell.send(current.reread().await);
    }
}

impl Running {
    /// Takes up a file that changed, as `serve` does, or leaves everything as it was.
    ///
    /// # Errors
    /// Why, for the developer.
    pub async fn reread(&self) -> Result<(), String> {
        self.current.reread().await
    }

    /// Answers what is under way, and ends.
    pub async fn stop(self) {
        // Without a receiver every listener has ended already.
        let _ = self.stop.send(true);
        for listener in self.listeners {
            let _ = listener.await;
        }
        self.exports.end().await;
    }
}

/// Starts everything.
///
/// # Errors
/// In words for the person at the terminal, with the cure.
pub async fn start(options: &Options) -> anyhow::Result<Running> {
    let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let ports = Ports::bind(options.port).await?;
    // A file with mistakes leaves no directory behind.
    let file = options.config.as_deref().map(ConfigFile::read).transpose()?;
    Config::of_development(ports.addresses(), &options.dir, file.as_ref())?;
    let home = Home::open(&options.dir, &*random)?;
    telemetry::log_to(home.log()?);
    let (server_url, s3_url, sandbox_url) = (ports.server.url(), ports.s3.url(), ports.sandbox.url());
    let installation = Installation::up(home, ports.addresses(), file.as_ref())?;
    let warnings = warnings(&installation);
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let app = installation.app(Instances::One, Open::OrMake).await?;
    app.take_duties(installation.config()).await?;
    let home = installation.home().context("development has its directory")?;
    let embedded = app.embedded.clone().context("development runs on the embedded pool")?;
    let (aws_config_file, aws_shared_credentials_file) =
        write_profile(home, &embedded, &server_url, &s3_url).await?;
    let ready = Ready {
        issuer: embedded.sts.tokens.issuer().to_owned(),
        region: REGION.into(),
        account_id: ACCOUNT_ID.into(),
        identity_pool_id: embedded.pool_id.clone(),
        developer_provider: DEVELOPER_PROVIDER.into(),
        role_arn: role_arn(AUTHENTICATED),
        guest_role_arn: role_arn(UNAUTHENTICATED),
        bucket: BUCKET.into(),
        dir: home.dir().to_owned(),
        aws_profile: PROFILE.into(),
        server_url,
        s3_url,
        aws_config_file,
        aws_shared_credentials_file,
        sandbox_url: sandbox_url.clone(),
    };
    let (roles, wishes) = Book::new(home);
    let objects = Objects::in_folder(&home.buckets()?, clock.clone(), random.clone())?;
    objects.ensure(BUCKET)?;
    let doors = Doors {
        roles: Arc::new(roles),
        objects,
        s3_url: ready.s3_url.clone(),
        sandbox_url: sandbox_url.clone(),
    };
    let routers = doors.routers(&app).context("development runs on the embedded pool")?;
    let sandbox = SandboxConfig {
        our_client: Client::daypass_demo(
            home.sandbox_client_secret()?,
            ports.addresses().sandbox_redirect_uris(),
        ),
        public_url: sandbox_url,
    };

    tokio::spawn(keep_purging(Arc::downgrade(&app.store)));
    have_keys_take_turns(&app);
    let exports = app.start_exports().await;
    app.start_traces();
    let (stop, stopped) = Stop::channel();
    let listen = |port: Bound, answering| {
        tokio::spawn(listen_within(port.listener, answering, stopped.clone(), app.terms()))
    };
    let [(server_by, server), (s3_by, s3)] = routers.map(Answering::by);
    let (_, sandbox) = Answering::by(sandbox::router(sandbox, clock, random));
    let listeners = vec![listen(ports.server, server), listen(ports.s3, s3), listen(ports.sandbox, sandbox)];
    let answer_by = [server_by, s3_by];
    let current = Arc::new(Current { app: Mutex::new(app), installation, doors, answer_by });
    tokio::spawn(take_up_when_asked(Arc::downgrade(&current), wishes));
    Ok(Running { ready, warnings, stop, listeners, exports, current })
}

/// What the developer has to hear of.
fn warnings(installation: &Installation) -> Vec<String> {
    let of_home = installation.home().into_iter().flat_map(|home| home.warnings.clone());
    of_home.chain(secrets::exposures(installation.config().secret_references())).collect()
}

fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT_ID}:role/{name}")
}

async fn write_profile(
    home: &Home,
    embedded: &Embedded,
    server_url: &str,
    s3_url: &str,
) -> anyhow::Result<(PathBuf, PathBuf)> {
    let name = UserName::parse(ACCESS_KEY_NAME).expect("it matches the pattern");
    let key = embedded.access_keys.find_or_create(&name).await?;
    let (key, secret) = key.context(
        "the developer access key was sealed under another master key: bring that one back, or move the directory away to \
         begin anew",
    )?;
    Profile { server_url, s3_url, key: &key.id, secret: &secret }.write(home)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use daypass_server::config::development::Addresses;

    #[tokio::test]
    async fn a_master_key_that_everybody_can_read_is_told_of() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("state");
        let told = || {
            let home = Home::open(&dir, &SystemRandom).unwrap();
            warnings(&Installation::up(home, Addresses::default(), None).unwrap())
        };
        assert_eq!(told(), [""; 0]);
        fs::set_permissions(dir.join("master-key"), Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(&told()[..], [one] if one.contains("chmod 600")), "{:?}", told());
    }

    #[tokio::test]
    async fn a_file_with_mistakes_leaves_no_directory_behind() {
        let parent = tempfile::tempdir().unwrap();
        let (dir, file) = (parent.path().join("state"), parent.path().join("more.toml"));
        fs::write(&file, "colour = 1").unwrap();
        let refused = start(&Options { dir: dir.clone(), port: 0, config: Some(file) }).await;
        assert!(refused.err().unwrap().to_string().contains("line 1: colour: unknown key"));
        assert!(!dir.exists());
    }
}
