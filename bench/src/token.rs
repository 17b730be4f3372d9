//! What a signed request for a token costs the server, as a multiple of the signature in it.

use std::time::Instant;

use crate::requests::send_all;
use crate::signature::Yardstick;
use crate::size::Size;
use crate::table::{Cell, Column, Table};
use crate::town::{Town, USERS};
use crate::{Outcome, cpu, progress};

/// A quiet server and a busy one, and what a token may cost there: what the store writes costs less the more requests share a
/// commit.
const TARGETS: [(usize, f64); 2] = [(4, 1.4), (BUSY, 1.25)];
pub(crate) const BUSY: usize = 32;
/// What a token that is signed with ES256 may cost of one that is signed with RS512.
const ES256_TARGET: f64 = 0.3;

/// What some requests took.
pub(crate) struct Load {
    pub(crate) cpu_seconds_each: f64,
    per_second: f64,
}

impl Load {
    pub(crate) fn measure(town: &Town, count: u32, connections: usize) -> Outcome<Self> {
        let requests = town.requests(count as usize)?;
        let (before, started) = (cpu::seconds_of(town.server.process_id())?, Instant::now());
        send_all(&town.developer.url, &requests, connections)?;
        let took = started.elapsed().as_secs_f64();
        let used = cpu::seconds_since(town.server.process_id(), before)?;
        Ok(Self { cpu_seconds_each: used / f64::from(count), per_second: f64::from(count) / took })
    }
}

/// One round: the yardstick, and right after it the server.
struct Round {
    signature_seconds: f64,
    load: Load,
}

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let town = Town::of(USERS)?;
    let yardstick = Yardstick::new()?;
    // Whatever is done once, such as planning statements, is done before.
    Load::measure(&town, size.requests_per_round / 4, BUSY)?;
    let mut signature = Table::new("signature", "The yardstick", [Column::less("CPU", "µs", 1)])
        .note("All cores sign at the same time, as they do when the server is measured.");
    let mut token = Table::new(
        "token",
        "A signed GetOpenIdTokenForDeveloperIdentity (known identity, SQLite, RS512)",
        [Column::less("CPU", "µs", 1), Column::more("answers", "/s", 0), Column::less("÷ signature", "", 2)],
    );
    let mut signatures = Vec::new();
    for (connections, target) in TARGETS {
        progress::say(&format!("token, {connections} connections"));
        let rounds = (0..size.rounds).map(|_| Round::measure(&town, &yardstick, size, connections));
        let rounds = rounds.collect::<Outcome<Vec<_>>>()?;
        signatures.extend(rounds.iter().map(|round| round.signature_seconds * 1e6));
        token.row(format!("{connections} connections"), cells(&rounds, target).map(Some));
    }
    signature.row("bare RSA-2048 signature, aws-lc-rs", [Some(Cell::of(signatures))]);
    let es256 = es256(&town, size)?;
    town.server.stop()?;
    Ok(vec![signature, token, es256])
}

impl Round {
    fn measure(town: &Town, yardstick: &Yardstick, size: &Size, connections: usize) -> Outcome<Self> {
        let signature_seconds = yardstick.measure(size.signatures_per_round)?;
        let load = Load::measure(town, size.requests_per_round, connections)?;
        Ok(Self { signature_seconds, load })
    }
}

fn cells(rounds: &[Round], target: f64) -> [Cell; 3] {
    let cell = |figure: fn(&Round) -> f64| Cell::of(rounds.iter().map(figure));
    [
        cell(|round| round.load.cpu_seconds_each * 1e6),
        cell(|round| round.load.per_second),
        cell(|round| round.load.cpu_seconds_each / round.signature_seconds).at_most(target),
    ]
}

/// A server whose tokens are signed with another algorithm, by turns with the first.
fn es256(town: &Town, size: &Size) -> Outcome<Table> {
    progress::say("token, ES256");
    let faster = Town::with(USERS, "[tokens]\nalgorithm = \"ES256\"\n")?;
    Load::measure(&faster, size.requests_per_round / 4, BUSY)?;
    let pairs = by_turns(&faster, town, size.rounds, size.requests_per_round)?;
    faster.server.stop()?;
    let columns = [Column::less("CPU", "µs", 1), Column::less("÷ with RS512", "", 2)];
    let mut table = Table::new("es256", "The same with ES256", columns);
    let cpu = Cell::of(pairs.iter().map(|(es256, _)| es256 * 1e6));
    let ratio = Cell::of(pairs.iter().map(|(es256, rs512)| es256 / rs512)).at_most(ES256_TARGET);
    table.row(format!("{BUSY} connections"), [Some(cpu), Some(ratio)]);
    Ok(table)
}

/// What the servers of two towns spend on a token, in seconds of CPU: in each round the second first.
pub(crate) fn by_turns(one: &Town, other: &Town, rounds: u32, requests: u32) -> Outcome<Vec<(f64, f64)>> {
    let round = |_| {
        let other = Load::measure(other, requests, BUSY)?.cpu_seconds_each;
        Ok((Load::measure(one, requests, BUSY)?.cpu_seconds_each, other))
    };
    (0..rounds).map(round).collect()
}
