//! Many people at once sign in through a provider that takes its time: what they wait for is the provider, not
//! each other.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::Outcome;
use crate::far_end::{self, Asked};
use crate::http::Connection;
use crate::server::Server;
use crate::size::Size;
use crate::table::{Cell, Column, Table};

const TARGET_SECONDS: f64 = 1.0;
/// What the provider takes to answer each of a login's two calls.
const THINKING: Duration = Duration::from_millis(200);
const REDIRECT_URI: &str = "https://app.example.com/signed-in";
/// A client's thread holds little.
const STACK: usize = 128 * 1024;

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    allow_sockets()?;
    let directory = tempfile::tempdir()?;
    let configuration = directory.path().join("bench.toml");
    let provider = format!("http://{}", far_end::start(|asked| answer(&asked))?);
    std::fs::write(&configuration, configuration_of(&provider, directory.path())?)?;
    let server = Server::start_with(&directory.path().join("home"), Some(&configuration))?;
    let rounds = (0..size.rounds).map(|round| sign_in(&server, round, size.people_at_once));
    let seconds = Cell::of(rounds.collect::<Outcome<Vec<_>>>()?).at_most(TARGET_SECONDS);
    server.stop()?;
    let title = format!(
        "Logins by code at the same moment, the provider answering each of two calls in {} ms",
        THINKING.as_millis()
    );
    let mut table = Table::new("logins", &title, [Column::less("until the last has a token", "s", 2)]);
    table.row(format!("{} people", size.people_at_once), [Some(seconds)]);
    Ok(vec![table])
}

/// Everybody connects, and then everybody sends a code. Answers the seconds until the last one has a token.
fn sign_in(server: &Server, round: u32, people: usize) -> Outcome<f64> {
    let (url, start) = (server.says("server_url")?, Barrier::new(people + 1));
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for person in 0..people {
            let start = &start;
            let client = move || -> Outcome<()> {
                let connection = Connection::open(url);
                start.wait();
                exchange(&mut connection?, &format!("code-{round}-{person}"))
            };
            clients.push(thread::Builder::new().stack_size(STACK).spawn_scoped(scope, client)?);
        }
        start.wait();
        let started = Instant::now();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| "a client panicked")?)?;
        Ok(started.elapsed().as_secs_f64())
    })
}

fn exchange(connection: &mut Connection, code: &str) -> Outcome<()> {
    let body = format!(
        r#"{{"provider":"slow","code":"{code}","code_verifier":"a-verifier-as-long-as-the-standard-wants-it-to-be","redirect_uri":"{REDIRECT_URI}"}}"#
    );
    connection.post("/v1/exchange", &[("content-type", "application/json")], body.as_bytes())?.success()?;
    Ok(())
}

/// Snapchat's block, led to the provider of the bench.
fn configuration_of(provider: &str, directory: &std::path::Path) -> Outcome<String> {
    let secret = directory.join("secret");
    std::fs::write(&secret, "the secret of the bench's client")?;
    Ok(format!(
        "[[app]]\nid = \"bench\"\norigins = [\"https://app.example.com\"]\nredirect_uris = [{REDIRECT_URI:?}]\n\
         [[provider]]\nid = \"slow\"\ncatalogue = \"snapchat\"\nclient_id = \"bench\"\n\
         client_secret = {{ file = \"{secret}\" }}\nauthorize.url = \"{provider}/auth\"\n\
         exchange.url = \"{provider}/token\"\nprofile.url = \"{provider}/me\"\n",
        secret = secret.display()
    ))
}

/// What the provider answers, after a while: a token that tells who brought the code, and whose a token is.
fn answer(asked: &Asked) -> far_end::Answer {
    think();
    let form = String::from_utf8_lossy(&asked.body);
    let code = form.split('&').find_map(|field| field.strip_prefix("code=")).unwrap_or_default();
    let body = asked.token.as_ref().map_or_else(
        || json!({"access_token": format!("token-of-{code}"), "token_type": "Bearer"}),
        |person| json!({"data": {"me": {"externalId": person, "displayName": "Ada"}}}),
    );
    ("content-type: application/json\r\n".into(), body.to_string().into_bytes())
}

#[expect(clippy::disallowed_methods, reason = "how slow the provider is, is the point")]
fn think() {
    thread::sleep(THINKING);
}

/// Each login has a connection at both of its ends in this process, more than a shell usually allows.
pub(crate) fn allow_sockets() -> Outcome<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?)
}
