//! The contract, and what an engine promises, on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

mod any;
mod aws;
mod cluster;
mod copy;
mod dsql;
mod elsewhere;
mod engine;
mod iam;
mod meanwhile;
mod pooler;
mod proxy;
#[expect(dead_code, reason = "tests of several servers stop and start it, too")]
mod server;
mod trouble;
mod upgrade;

use cluster::Schema;
use daypass_core::store::SharedStore;
use daypass_store::{Open, StoreUrl, open};

/// From the lowest on, as they are written in a URL. A space within an option has a backslash before it.
const LEVELS: [&str; 3] = ["read%5C%20committed", "repeatable%5C%20read", "serializable"];

async fn store(level: &str) -> SharedStore {
    let url = Schema::new().await.url(&format!("-cdefault_transaction_isolation%3D{level}"), "connections=8");
    open(&StoreUrl::Postgres(Box::new(url)), Open::OrMake, &mut |_, _| {}).await.unwrap()
}

daypass_core::contract_tests!(read_committed, (store(LEVELS[0]).await, ()));
daypass_core::contract_tests!(repeatable_read, (store(LEVELS[1]).await, ()));
daypass_core::contract_tests!(serializable, (store(LEVELS[2]).await, ()));
