//! How much room identities take in PostgreSQL, and how soon one is found among many, beside SQLite.

use std::path::Path;
use std::time::Instant;

use super::cluster::Cluster;
use super::operations::look_up;
use super::site::{Site, daypass};
use crate::http::Connection;
use crate::requests::Request;
use crate::size::Size;
use crate::statistics::{Sample, as_float};
use crate::table::{Cell, Column, Table};
use crate::{Outcome, crowd, progress};

/// Of tables and indexes. An identity takes three rows, which misses it.
const BYTES_EACH: f64 = 380.0;
const LOOK_UPS: usize = 2_000;

pub(super) fn empty() -> Table {
    let columns = [
        Column::less("each", "bytes", 0),
        Column::less("to have them there", "s", 1),
        Column::less("look-up p50", "ms", 2),
        Column::less("p99", "ms", 2),
    ];
    Table::new("stores-identities", "Identities with one login each, and a look-up among them", columns)
        .note(
            "The seconds are of two different things: writing past the server into a file, and a copy that reads all of them, writes them, and compares them \
             afterwards. Bytes are those of tables and indexes.",
        )
        .note("A look-up is a LookupDeveloperIdentity by one client, from its sending to its answer, of people drawn evenly from all of them.")
}

pub(super) fn fill(table: &mut Table, cluster: &Cluster, size: &Size) -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("daypass.db");
    let sqlite = format!("sqlite:{}", file.display());
    let site = Site::open(&sqlite)?;
    let pool_id = site.developer.pool_id.clone();
    site.server.stop()?;
    progress::say(&format!("stores, {} identities in SQLite", size.identities));
    let (before, started) = (bytes_of(&file)?, Instant::now());
    let users: Vec<String> =
        crowd::add(&file, &pool_id, size.identities)?.into_iter().map(|person| person.user).collect();
    let written = Brought { bytes: bytes_of(&file)? - before, seconds: started.elapsed().as_secs_f64() };
    let waits = look_ups(&sqlite, &users)?;
    table.row(
        format!("SQLite, {} identities, written into its file", size.identities),
        written.cells(size, &waits, None),
    );
    progress::say("stores, the same in PostgreSQL");
    let (before, started) = (cluster.bytes()?, Instant::now());
    copy(&sqlite, &cluster.url())?;
    let brought = Brought {
        bytes: usize::try_from(cluster.bytes()? - before)?,
        seconds: started.elapsed().as_secs_f64(),
    };
    let waits = look_ups(&cluster.url(), &users)?;
    table.row(
        "PostgreSQL, the same, by `daypass store copy` from there",
        brought.cells(size, &waits, Some(BYTES_EACH)),
    );
    Ok(())
}

/// What it took to have them all in a store.
struct Brought {
    bytes: usize,
    seconds: f64,
}

impl Brought {
    fn cells(&self, size: &Size, waits: &Sample, limit: Option<f64>) -> [Option<Cell>; 4] {
        let each = Cell::of([as_float(self.bytes) / as_float(size.identities)]);
        [
            Some(limit.into_iter().fold(each, Cell::at_most)),
            Some(Cell::of([self.seconds])),
            waits.permille(500).map(|wait| Cell::of([wait])),
            waits.permille(990).map(|wait| Cell::of([wait])),
        ]
    }
}

fn bytes_of(file: &Path) -> Outcome<usize> {
    Ok(usize::try_from(std::fs::metadata(file)?.len())?)
}

fn copy(from: &str, to: &str) -> Outcome<()> {
    let copied = daypass()?.args(["store", "copy", "--from", from, "--to", to]).output()?;
    if copied.status.success() {
        return Ok(());
    }
    Err(format!("`daypass store copy`: {}", String::from_utf8_lossy(&copied.stderr)).into())
}

/// Milliseconds of each look-up.
fn look_ups(store: &str, users: &[String]) -> Outcome<Sample> {
    let site = Site::open(store)?;
    let mut connection = Connection::open(&site.developer.url)?;
    // A stride without a common factor visits everybody, in an order that no page of an index has.
    let users = (0..LOOK_UPS).map(|number| &users[number * 7919 % users.len()]);
    let requests = users.map(|user| look_up(&site, user)).collect::<Outcome<Vec<_>>>()?;
    let wait = |request: &Request| {
        let sent = Instant::now();
        request.send(&mut connection)?;
        Ok(sent.elapsed().as_secs_f64() * 1e3)
    };
    let waits = requests.iter().map(wait).collect::<Outcome<Vec<f64>>>()?;
    site.server.stop()?;
    Ok(Sample::of(waits))
}
