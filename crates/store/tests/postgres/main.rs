//! The contract, and what an engine promises, on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

mod cluster;
mod engine;
mod meanwhile;
mod proxy;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cluster::Schema;
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::random::SystemRandom;
use daypass_core::store::SharedStore;
use daypass_core::store::items::{ItemStore, Pace};
use daypass_core::store::memory::MemoryStore;
use daypass_store::{Open, PostgresEngine};

/// From the lowest on, as they are written in a URL. A space within an option has a backslash before it.
const LEVELS: [&str; 3] = ["read%5C%20committed", "repeatable%5C%20read", "serializable"];

struct Waiting;

#[async_trait]
impl Pace for Waiting {
    #[expect(clippy::disallowed_methods, reason = "the other end is a process with a time of its own")]
    async fn pause(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}

async fn store(level: &str) -> SharedStore {
    let url = Schema::new().await.url(&format!("-cdefault_transaction_isolation%3D{level}"), "connections=8");
    let engine = PostgresEngine::open(&url, Open::OrMake).await.unwrap();
    let (clock, random, pace) = (Arc::new(SystemClock), Arc::new(SystemRandom), Arc::new(Waiting));
    let trail = Box::new(MemoryStore::new());
    Arc::new(ItemStore::new(Arc::new(engine), clock, random, pace, trail))
}

daypass_core::contract_tests!(read_committed, (store(LEVELS[0]).await, ()));
daypass_core::contract_tests!(repeatable_read, (store(LEVELS[1]).await, ()));
daypass_core::contract_tests!(serializable, (store(LEVELS[2]).await, ()));
