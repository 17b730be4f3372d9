//! The stores that an installation under test can keep its memory in.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::random::SystemRandom;
use daypass_core::store::SharedStore;
use daypass_core::store::items::engine::Engine;
use daypass_core::store::items::memory::MemoryEngine;
use daypass_core::store::items::{ItemStore, Pace};
use daypass_core::store::memory::MemoryStore;
use daypass_store::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;

/// A new store of each kind.
pub const BACKENDS: [fn() -> Backend; 3] = [Backend::memory, Backend::sqlite, Backend::items];

/// Others get on meanwhile.
struct Yielding;

#[async_trait]
impl Pace for Yielding {
    async fn pause(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

/// A store over some engine.
pub fn items_over(engine: Arc<dyn Engine>) -> ItemStore {
    ItemStore::new(engine, Arc::new(SystemClock), Arc::new(SystemRandom), Arc::new(Yielding))
}

/// A store, and whatever must outlive it.
pub struct Backend {
    store: SharedStore,
    directory: Option<TempDir>,
}

impl Backend {
    pub fn memory() -> Self {
        Self { store: Arc::new(MemoryStore::new()), directory: None }
    }

    /// As each instance of a function has one.
    #[allow(dead_code, reason = "only the tests of the hosted login are about it")]
    pub fn unshared() -> Self {
        Self { store: Arc::new(MemoryStore::unshared()), directory: None }
    }

    pub fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let store = SqliteStore::open(&directory.path().join("daypass.db")).unwrap();
        Self { store: Arc::new(store), directory: Some(directory) }
    }

    /// As a database has it, though in memory.
    pub fn items() -> Self {
        Self::over(Arc::new(MemoryEngine::default()))
    }

    /// The same over some engine.
    pub fn over(engine: Arc<dyn Engine>) -> Self {
        Self { store: Arc::new(items_over(engine)), directory: None }
    }

    /// Another connection to the file of SQLite, to do by hand what no operation of the store does.
    #[allow(dead_code, reason = "only the tests of the embedded pool have a store that fails")]
    pub fn connection(&self) -> Connection {
        let directory = self.directory.as_ref().expect("SQLite");
        Connection::open(directory.path().join("daypass.db")).unwrap()
    }

    pub fn store(&self) -> SharedStore {
        self.store.clone()
    }
}
