//! The contract, and what an engine promises, on a real PostgreSQL.

#[path = "postgres/cluster.rs"]
mod cluster;

use cluster::Schema;
use daypass_core::store::SharedStore;
use daypass_store::{Open, StoreUrl, open};

async fn store(isolation: &str) -> SharedStore {
    let url = Schema::new().await.url(&format!("-cdefault_transaction_isolation%3D{isolation}"), "");
    open(&StoreUrl::Postgres(Box::new(url)), Open::OrMake, &mut |_, _| {}).await.unwrap()
}

// A space within an option is written with a backslash.
daypass_core::contract_tests!(read_committed, (store("read%5C%20committed").await, ()));
daypass_core::contract_tests!(repeatable_read, (store("repeatable%5C%20read").await, ()));
daypass_core::contract_tests!(serializable, (store("serializable").await, ()));
