//! The S3 of `up` beside moto's and SeaweedFS, all running, asked by turns by one client: objects in and out, pages of
//! a long list, and the memory that each takes for it. After that, by itself, an object that is larger than a memory.

mod client;
mod huge;
mod listing;
mod objects;
mod stores;
mod stuff;

use std::sync::atomic::Ordering;

use self::stuff::Stuff;
use crate::Outcome;
use crate::size::Size;
use crate::table::{Cell, Column, Table};

/// How many clients ask at the same time.
const CONNECTIONS: usize = 4;
/// How many MiB Daypass may hold beyond what it holds when it is idle.
const TARGET_MIB: f64 = 30.0;

/// How much is asked for.
struct Amounts {
    /// The first of which only warms up.
    rounds: usize,
    /// Of each size, in each round.
    objects: [u64; 3],
    pages: u64,
    /// Among how many objects Daypass lists.
    many: u64,
    /// Among how many the others do, who take long to be given more.
    fewer: u64,
    /// Bytes of the largest object.
    huge: u64,
}

const FULL: Amounts = Amounts {
    rounds: 6,
    objects: [2_000, 64, 4],
    pages: 60,
    many: 1_000_000,
    fewer: 10_000,
    huge: 5_000_000_000,
};
const QUICK: Amounts =
    Amounts { rounds: 3, objects: [200, 16, 4], pages: 8, many: 100_000, fewer: 10_000, huge: 300_000_000 };

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let amounts = if size.quick { &QUICK } else { &FULL };
    let stuff = Stuff::new()?;
    let stores = stores::start_all(&stuff)?;
    let mut tables = objects::tables(&stores, &stuff, amounts)?;
    tables.push(listing::table(&stores, &stuff, amounts)?);
    tables.insert(0, of_stores(&stores));
    drop(stores);
    tables.push(huge::table(&stuff, amounts)?);
    Ok(tables)
}

fn of_stores(stores: &[stores::Store]) -> Table {
    let columns =
        [Column::less("memory when idle", "MiB", 0), Column::less("said to do too much", "times", 0)];
    let title = format!("S3: the stores, {CONNECTIONS} connections");
    let mut table = Table::new("s3", &title, columns)
        .note("The client has the same cores as the store that it asks. Payloads are unsigned, bytes at random and compared.")
        .note("A store that says that it has too much to do is asked again. moto closes its connection after each answer.");
    for store in stores {
        let times = f64::from(store.endpoint.sent_away.load(Ordering::Relaxed));
        table.row(store.name, [store.idle, times].map(|figure| Some(Cell::of([figure]))));
    }
    table
}

/// What Daypass holds beyond what it holds when it is idle.
fn memory(mebibytes: f64) -> Cell {
    Cell::of([mebibytes]).at_most(TARGET_MIB)
}

fn memory_column() -> Column {
    Column::less("memory beyond idle", "MiB", 1)
}
