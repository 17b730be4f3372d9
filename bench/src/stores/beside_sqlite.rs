//! The same operations by a server on PostgreSQL and by one on SQLite, by turns.

use super::cluster::Cluster;
use super::meter::{Counted, Meter};
use super::operations::{OPERATIONS, Operation};
use super::site::{Site, settle};
use super::wire;
use crate::scene::CONNECTIONS;
use crate::size::Size;
use crate::statistics::as_float;
use crate::table::{Cell, Column, Table};
use crate::{Outcome, cpu, progress};

/// How many times as much of the server's CPU a request may take on PostgreSQL.
const TARGET: f64 = 1.5;
/// Where nothing is to be done, a wait takes a few of the hundredths of a second that the kernel counts.
const IDLE_WAITS: u8 = 5;
pub(super) const ON_SQLITE: &str = "server on SQLite";
pub(super) const ON_POSTGRESQL: &str = "server on PostgreSQL";
pub(super) const DATABASE: &str = "database";

/// Seconds of CPU, of a request if nothing else is said.
#[derive(Clone, Copy)]
pub(super) struct Spent {
    pub(super) servers: f64,
    pub(super) database: f64,
}

/// An operation's, of one round.
struct Round {
    sqlite: f64,
    postgresql: Spent,
}

pub(super) fn empty() -> Table {
    let columns = [
        Column::less(ON_SQLITE, "µs", 0),
        Column::less(ON_POSTGRESQL, "µs", 0),
        Column::less("÷ SQLite", "", 2),
        Column::less(DATABASE, "µs", 0),
        Column::less("round trips", "", 0),
        Column::less("on the wire", "bytes", 0),
    ];
    Table::new("stores-postgresql", "PostgreSQL beside SQLite, CPU of a request", columns)
        .note(format!(
            "`serve` with one configuration, {CONNECTIONS} connections, in each round first on SQLite. The database is on the same machine, \
             configured as Debian does it, and reached by a socket; its CPU is that of all its processes."
        ))
        .note("On PostgreSQL the audit trail is put in order behind the answers. It is waited for after requests that leave an event, and counted with them, of \
             the server and of the database; what that waiting takes of both where nothing is to be done was measured before, and is taken off. Into \
             SQLite nothing is written behind the answers, and nothing is waited for.")
        .note(
            "Round trips (messages `Sync`) and bytes, both ways, are those until the answer: the least of requests that come alone. Others have more, \
             where a look at the trail falls between, or what is known for two seconds is read again.",
        )
}

pub(super) fn fill(table: &mut Table, cluster: &Cluster, size: &Size) -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    let sqlite = Site::open(&format!("sqlite:{}", directory.path().join("daypass.db").display()))?;
    let postgresql = Site::open(&cluster.url())?;
    // Whatever is done once is done before: plans are made, connections opened.
    for operation in &OPERATIONS {
        sqlite.ask(&operation.requests(&sqlite, size.requests_per_store)?)?;
        postgresql.ask(&operation.requests(&postgresql, size.requests_per_store)?)?;
    }
    settle(&postgresql.server)?;
    let idle = idle(&postgresql, cluster)?;
    let mut measured: Vec<Vec<Round>> = OPERATIONS.iter().map(|_| Vec::new()).collect();
    for round in 0..size.store_rounds {
        progress::say(&format!("stores, round {} of {}", round + 1, size.store_rounds));
        for (operation, rounds) in OPERATIONS.iter().zip(&mut measured) {
            rounds.push(Round::measure(operation, &sqlite, (&postgresql, cluster, idle), size)?);
        }
    }
    sqlite.server.stop()?;
    postgresql.server.stop()?;
    let counted = count(cluster, size)?;
    for ((operation, rounds), counted) in OPERATIONS.iter().zip(&measured).zip(counted) {
        table.row(operation.title, cells(rounds, counted));
    }
    Ok(())
}

fn cells(rounds: &[Round], counted: Counted) -> [Option<Cell>; 6] {
    let cell = |figure: fn(&Round) -> f64| Cell::of(rounds.iter().map(figure));
    let [round_trips, bytes] = counted.map(|counted| Cell::of([counted]));
    [
        cell(|round| round.sqlite * 1e6),
        cell(|round| round.postgresql.servers * 1e6),
        cell(|round| round.postgresql.servers / round.sqlite).at_most(TARGET),
        cell(|round| round.postgresql.database * 1e6),
        round_trips,
        bytes,
    ]
    .map(Some)
}

/// Of each operation, by a server on the same database that gets there another way.
fn count(cluster: &Cluster, size: &Size) -> Outcome<Vec<Counted>> {
    progress::say("stores, round trips");
    let meter = Meter::default();
    let address = wire::open(cluster.socket(), &meter)?;
    // Each connection prepares statements for itself: with one, only the first requests do.
    let site = Site::open(&format!("postgres://postgres@{address}/postgres?sslmode=disable&connections=1"))?;
    settle(&site.server)?;
    let counted = OPERATIONS.iter().map(|operation| operation.count_one(&site, &meter, size)).collect();
    site.server.stop()?;
    counted
}

impl Round {
    fn measure(
        operation: &Operation,
        sqlite: &Site,
        (postgresql, cluster, idle): (&Site, &Cluster, Spent),
        size: &Size,
    ) -> Outcome<Self> {
        Ok(Self {
            sqlite: on_sqlite(operation, sqlite, size)?,
            postgresql: on_postgresql(operation, (postgresql, cluster, idle), size)?,
        })
    }
}

/// Seconds of the server for a request. Its trail is files, which are written before the answer.
fn on_sqlite(operation: &Operation, site: &Site, size: &Size) -> Outcome<f64> {
    let requests = operation.requests(site, size.requests_per_store)?;
    let before = cpu::seconds_of(site.server.process_id())?;
    site.ask(&requests)?;
    Ok(cpu::seconds_since(site.server.process_id(), before)? / as_float(requests.len()))
}

/// What it takes to wait for the trail where it has everything: looks, and questions whether one has ended.
fn idle(site: &Site, cluster: &Cluster) -> Outcome<Spent> {
    let before = (cpu::seconds_of(site.server.process_id())?, cluster.cpu_seconds()?);
    for _ in 0..IDLE_WAITS {
        settle(&site.server)?;
    }
    let waits = f64::from(IDLE_WAITS);
    let servers = (cpu::seconds_of(site.server.process_id())? - before.0) / waits;
    Ok(Spent { servers, database: (cluster.cpu_seconds()? - before.1) / waits })
}

fn on_postgresql(
    operation: &Operation,
    (site, cluster, idle): (&Site, &Cluster, Spent),
    size: &Size,
) -> Outcome<Spent> {
    let requests = operation.requests(site, size.requests_per_store)?;
    let before = (cpu::seconds_of(site.server.process_id())?, cluster.cpu_seconds()?);
    site.ask(&requests)?;
    operation.settle(&site.server)?;
    let spent = Spent {
        servers: cpu::seconds_since(site.server.process_id(), before.0)?,
        database: cluster.cpu_seconds()? - before.1,
    };
    let waited = if operation.leaves_event { idle } else { Spent { servers: 0.0, database: 0.0 } };
    let of_each = |spent: f64, waited: f64| (spent - waited).max(0.0) / as_float(requests.len());
    Ok(Spent {
        servers: of_each(spent.servers, waited.servers),
        database: of_each(spent.database, waited.database),
    })
}
