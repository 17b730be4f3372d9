//! The stores that an installation under test can keep its memory in.

use std::sync::Arc;

use daypass_core::store::SharedStore;
use daypass_core::store::memory::MemoryStore;
use daypass_store::SqliteStore;
use tempfile::TempDir;

/// A new store of each kind.
pub const BACKENDS: [fn() -> Backend; 2] = [Backend::memory, Backend::sqlite];

/// A store, and whatever must outlive it.
pub struct Backend {
    store: SharedStore,
    _directory: Option<TempDir>,
}

impl Backend {
    pub fn memory() -> Self {
        Self { store: Arc::new(MemoryStore::new()), _directory: None }
    }

    pub fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let store = SqliteStore::open(&directory.path().join("daypass.db")).unwrap();
        Self { store: Arc::new(store), _directory: Some(directory) }
    }

    pub fn store(&self) -> SharedStore {
        self.store.clone()
    }
}
