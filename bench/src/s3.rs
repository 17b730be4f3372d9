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
use crate::token::verdict;
use crate::{Outcome, Size};

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

pub(crate) fn table(size: &Size) -> Outcome<()> {
    let amounts = if size.large { &FULL } else { &QUICK };
    let stuff = Stuff::new()?;
    println!("\nS3: {CONNECTIONS} connections; the client has the same cores as the store that it asks");
    println!(
        "  payloads unsigned, bytes at random and compared; moto closes its connection after each answer"
    );
    let stores = stores::start_all(&stuff)?;
    for store in &stores {
        println!("  {:<9} holds {:.0} MiB when it is idle", store.name, store.idle);
    }
    objects::tables(&stores, &stuff, amounts)?;
    listing::table(&stores, &stuff, amounts)?;
    for store in &stores {
        let times = store.endpoint.sent_away.load(Ordering::Relaxed);
        println!("  {:<9} said {times} times that it had too much to do, and was asked again", store.name);
    }
    drop(stores);
    huge::table(&stuff, amounts)
}

/// What Daypass holds beyond what it holds when it is idle, and how that stands to the target.
fn memory(mebibytes: f64) -> String {
    format!("{mebibytes:+.1} MiB   target ≤ {TARGET_MIB} MiB: {}", verdict(mebibytes <= TARGET_MIB))
}
