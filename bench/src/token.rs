//! What a signed request for a token costs the server, as a multiple of the signature in it.

use std::time::Instant;

use crate::requests::{Developer, Request, send_all};
use crate::server::Server;
use crate::signature::Yardstick;
use crate::statistics::Sample;
use crate::{Outcome, Size, cpu, crowd};

const TARGET: f64 = 1.25;
/// How much more a token may cost among [`MANY_USERS`] identities than among [`USERS`].
const GROWTH_TARGET: f64 = 1.1;
/// What a token that is signed with ES256 may cost of one that is signed with RS512.
const ES256_TARGET: f64 = 0.3;
/// A quiet server and a busy one: what the store writes costs less the more requests share a commit.
const CONNECTIONS: [usize; 2] = [4, 32];
/// Known users, so that the store answers from more than one row.
const USERS: usize = 1_000;
const MANY_USERS: usize = 1_000_000;

/// A server, and people that it knows.
struct Town {
    server: Server,
    developer: Developer,
    users: Vec<String>,
    /// Kept as long as the server.
    _directory: tempfile::TempDir,
}

impl Town {
    fn of(people: usize) -> Outcome<Self> {
        Self::with(people, "")
    }

    /// One whose server has more configuration than `up` makes for itself.
    fn with(people: usize, configuration: &str) -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let (home, file) = (directory.path().join("home"), directory.path().join("bench.toml"));
        std::fs::write(&file, configuration)?;
        let server = Server::start_with(&home, Some(&file))?;
        let developer = Developer::of(&server)?;
        let database = home.join("daypass.db");
        let people = crowd::add(&database, &developer.pool_id, people)?;
        let users = people.into_iter().map(|person| person.user).collect();
        Ok(Self { server, developer, users, _directory: directory })
    }

    /// Asks for tokens of users drawn evenly from all of them.
    fn requests(&self, count: u32) -> Outcome<Vec<Request>> {
        // A stride without a common factor visits everybody, in an order that no page of an index has.
        let numbers = (0..count as usize).map(|number| number * 7919 % self.users.len());
        numbers.map(|number| self.developer.token_request(&self.users[number])).collect()
    }
}

/// What some requests took.
struct Load {
    cpu_seconds_each: f64,
    per_second: f64,
}

impl Load {
    fn measure(town: &Town, count: u32, connections: usize) -> Outcome<Self> {
        let requests = town.requests(count)?;
        let (before, started) = (cpu::seconds_of(town.server.process_id())?, Instant::now());
        send_all(&town.developer.url, &requests, connections)?;
        let took = started.elapsed().as_secs_f64();
        let used = cpu::seconds_of(town.server.process_id())? - before;
        Ok(Self { cpu_seconds_each: used / f64::from(count), per_second: f64::from(count) / took })
    }
}

/// One round: the yardstick, and right after it the server.
struct Round {
    signature_seconds: f64,
    load: Load,
}

pub(crate) fn row(size: &Size) -> Outcome<()> {
    let town = Town::of(USERS)?;
    let yardstick = Yardstick::new()?;
    // Whatever is done once, such as planning statements, is done before.
    Load::measure(&town, size.requests_per_round / 4, CONNECTIONS[0])?;
    for connections in CONNECTIONS {
        let rounds = (0..size.rounds)
            .map(|_| {
                let signature_seconds = yardstick.measure(size.signatures_per_round)?;
                let load = Load::measure(&town, size.requests_per_round, connections)?;
                Ok(Round { signature_seconds, load })
            })
            .collect::<Outcome<Vec<_>>>()?;
        print(&rounds, connections);
    }
    let connections = CONNECTIONS[1];
    let faster = Town::with(USERS, "[tokens]\nalgorithm = \"ES256\"\n")?;
    Load::measure(&faster, size.requests_per_round / 4, connections)?;
    let ratio = ratio_of(&faster, &town, size, connections)?;
    println!("\nthe same with ES256 ÷ with RS512, {connections} connections");
    println!(
        "  ratio                  {ratio:.2}   target ≤ {ES256_TARGET}: {}",
        verdict(ratio.median() <= ES256_TARGET)
    );
    faster.server.stop()?;
    town.server.stop()
}

/// What the server of one town spends on a token, as a multiple of what that of the other does: by turns.
fn ratio_of(one: &Town, other: &Town, size: &Size, connections: usize) -> Outcome<Sample> {
    let ratios = (0..size.rounds).map(|_| {
        let other = Load::measure(other, size.requests_per_round, connections)?;
        let one = Load::measure(one, size.requests_per_round, connections)?;
        Ok(one.cpu_seconds_each / other.cpu_seconds_each)
    });
    Ok(Sample::of(ratios.collect::<Outcome<Vec<_>>>()?))
}

/// The same among a thousand and among a million, by turns.
pub(crate) fn growth_row(size: &Size) -> Outcome<()> {
    let few = Town::of(USERS)?;
    let started = Instant::now();
    let many = Town::of(if size.large { MANY_USERS } else { 20 * USERS })?;
    let made_in = started.elapsed().as_secs_f64();
    let connections = CONNECTIONS[1];
    let ratio = ratio_of(&many, &few, size, connections)?;
    println!("\nthe same at {} identities ÷ at {USERS}, {connections} connections", many.users.len());
    println!(
        "  ratio                  {ratio:.2}   target ≤ {GROWTH_TARGET}: {}",
        verdict(ratio.median() <= GROWTH_TARGET)
    );
    println!("  they were made in      {made_in:.0} s");
    few.server.stop()?;
    many.server.stop()
}

fn print(rounds: &[Round], connections: usize) {
    let sample = |figure: fn(&Round) -> f64| Sample::of(rounds.iter().map(figure));
    let signature = sample(|round| round.signature_seconds * 1e6);
    let ratio = sample(|round| round.load.cpu_seconds_each / round.signature_seconds);
    println!(
        "\nbare RSA-2048 signature, aws-lc-rs: {signature:.1} µs of CPU; the machine's noise is {:.0} %",
        signature.spread()
    );
    println!(
        "\nsigned GetOpenIdTokenForDeveloperIdentity (known identity, SQLite, RS512), {connections} connections"
    );
    println!("  CPU of the server      {:.1} µs", sample(|round| round.load.cpu_seconds_each * 1e6));
    println!("  answers a second       {:.0}", sample(|round| round.load.per_second));
    println!(
        "  ÷ one bare signature   {ratio:.2}   target ≤ {TARGET}: {}",
        verdict(ratio.median() <= TARGET)
    );
}

/// How a figure stands to its target.
pub(crate) fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "MISSED" }
}
