//! The contract suite of `daypass_core::store::contract` on every backend of this crate.

use std::sync::Arc;

use daypass_core::store::SharedStore;
use daypass_store::SqliteStore;
use tempfile::TempDir;

/// A store in a directory that lives until the case ends.
fn sqlite_store() -> (SharedStore, TempDir) {
    let directory = TempDir::new().expect("a directory for a test");
    let store = SqliteStore::open(&directory.path().join("daypass.db")).expect("a new database");
    (Arc::new(store), directory)
}

daypass_core::contract_tests!(sqlite, sqlite_store());
