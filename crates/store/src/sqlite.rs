//! The store in one SQLite file: for a laptop, and for a single server, which needs nothing beside it.
//!
//! Reads run on the task that asks (`readers.rs`); changes are queued for one thread that commits them
//! in groups (`writer.rs`). Other processes may use the same file at the same time.

mod audit;
mod backup;
mod copy;
mod device_authorizations;
mod file;
mod identities;
mod incarnations;
mod keys;
mod login_grants;
mod logins;
mod once;
mod open;
mod people;
mod pools;
mod readers;
mod readiness;
mod restore;
mod revocations;
mod sign_in_sessions;
mod transfer;
mod trouble;
mod used_once;
mod value;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use daypass_core::store::{Store, StoreError};

pub use self::backup::back_up;
pub use self::copy::{Contents, CopyError};
use self::file::DatabaseFile;
pub use self::open::OpenError;
use self::readers::Readers;
use self::readiness::Readiness;
pub use self::restore::Restoration;
use self::writer::Writer;

/// A store in a SQLite file.
pub struct SqliteStore {
    // Dropped in this order: whoever closes the file last empties the WAL into it, and a reader cannot.
    readers: Readers,
    writer: Writer,
    file: Arc<DatabaseFile>,
    readiness: Readiness,
}

impl SqliteStore {
    /// Opens the database in `path`, making it if it does not exist, for its owner's eyes only.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (connection, file) = open::database(path)?;
        let file = Arc::new(file);
        let writer = Writer::start(connection, file.clone())
            .map_err(|source| OpenError::NoThread { path: path.to_owned(), source })?;
        Ok(Self { readers: Readers::new(file.clone()), writer, file, readiness: Readiness::default() })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.file.check_all()?;
        self.readiness.ask(&self.file, &self.writer).await
    }
}
