//! What a signed request for a token costs the server, as a multiple of the signature in it.

use std::thread;
use std::time::Instant;

use crate::requests::Developer;
use crate::server::Server;
use crate::signature::Yardstick;
use crate::statistics::Sample;
use crate::{Outcome, Size, cpu};

const TARGET: f64 = 1.25;
/// A quiet server and a busy one: what the store writes costs less the more requests share a commit.
const CONNECTIONS: [u32; 2] = [4, 32];
/// Known users, so that the store answers from more than one row.
const USERS: u32 = 1_000;

/// One round: the yardstick, and right after it the server.
struct Round {
    signature_seconds: f64,
    request_seconds: f64,
    requests_per_second: f64,
}

pub(crate) fn row(size: &Size) -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    let server = Server::start(directory.path())?;
    let developer = Developer::of(&server)?;
    let yardstick = Yardstick::new()?;
    load(&developer, USERS, CONNECTIONS[0])?;
    for connections in CONNECTIONS {
        let rounds = (0..size.rounds)
            .map(|_| measure(size, &server, &developer, &yardstick, connections))
            .collect::<Outcome<Vec<_>>>()?;
        print(&rounds, connections);
    }
    println!("\nthe same with ES256 ÷ with RS512: not built yet, the server signs with RS512 only");
    server.stop()
}

fn measure(
    size: &Size,
    server: &Server,
    developer: &Developer,
    yardstick: &Yardstick,
    connections: u32,
) -> Outcome<Round> {
    let signature_seconds = yardstick.measure(size.signatures_per_round)?;
    let (cpu_before, started) = (cpu::seconds_of(server.process_id())?, Instant::now());
    load(developer, size.requests_per_round, connections)?;
    let took = started.elapsed().as_secs_f64();
    let used = cpu::seconds_of(server.process_id())? - cpu_before;
    let requests = f64::from(size.requests_per_round);
    Ok(Round { signature_seconds, request_seconds: used / requests, requests_per_second: requests / took })
}

/// Sends `count` requests over connections that stay open, each for the next of the users. The first [`USERS`]
/// requests of the run make the identities, which warms the server up as well.
fn load(developer: &Developer, count: u32, connections: u32) -> Outcome<()> {
    let client = |first: u32| -> Outcome<()> {
        let mut connection = developer.connect()?;
        for number in (first..count).step_by(connections as usize) {
            developer.token_for(&mut connection, &format!("user-{}", number % USERS))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..connections).map(|first| scope.spawn(move || client(first))).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| "a client panicked")?)
    })
}

fn print(rounds: &[Round], connections: u32) {
    let sample = |figure: fn(&Round) -> f64| Sample::of(rounds.iter().map(figure));
    let signature = sample(|round| round.signature_seconds * 1e6);
    let ratio = sample(|round| round.request_seconds / round.signature_seconds);
    println!(
        "\nbare RSA-2048 signature, aws-lc-rs: {signature:.1} µs of CPU; the machine's noise is {:.0} %",
        signature.spread()
    );
    println!(
        "\nsigned GetOpenIdTokenForDeveloperIdentity (known identity, SQLite, RS512), {connections} connections"
    );
    println!("  CPU of the server      {:.1} µs", sample(|round| round.request_seconds * 1e6));
    println!("  answers a second       {:.0}", sample(|round| round.requests_per_second));
    println!(
        "  ÷ one bare signature   {ratio:.2}   target ≤ {TARGET}: {}",
        verdict(ratio.median() <= TARGET)
    );
}

/// How a figure stands to its target.
pub(crate) fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "MISSED" }
}
