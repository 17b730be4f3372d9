//! The store in one SQLite file: for a laptop, and for a single server, which needs nothing beside it.
//!
//! Reads run on the task that asks (`readers.rs`); changes are queued for one thread that commits them
//! in groups (`writer.rs`). Other processes may use the same file at the same time.

mod audit;
mod audit_before_files;
mod audit_exports;
mod backup;
mod copy;
mod device_authorizations;
mod expired;
mod file;
mod filling;
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
mod remembered;
mod restore;
mod revocations;
mod seals;
mod sign_in_sessions;
mod snapshot;
mod trail_head;
mod transfer;
mod trouble;
mod unproved_refusals;
mod used_once;
mod value;
mod whole;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use daypass_core::ground::clock::Timestamp;
use daypass_core::records::identity::IdentityPool;
use daypass_core::records::trail_head::TrailHead;
use daypass_core::store::{Cleared, SharedWatch, Store, StoreError};

pub use self::backup::back_up;
pub use self::copy::{Contents, CopyError};
use self::file::DatabaseFile;
pub use self::file::trail_folder;
pub(crate) use self::filling::SqliteFilling;
pub use self::open::OpenError;
pub(crate) use self::open::{ensure_newest, versions_due};
use self::readers::Readers;
use self::readiness::Readiness;
use self::remembered::Remembered;
pub use self::restore::Restoration;
pub(crate) use self::whole::SqliteWhole;
use self::writer::Writer;
use crate::trail::Trail;
use crate::watched::Watch;

/// A store in a SQLite file.
pub struct SqliteStore {
    // Dropped in this order: the trail has its last head kept, and whoever closes the file last empties the WAL into it,
    // which a reader cannot.
    trail: Trail,
    remembered: Remembered,
    readers: Arc<Readers>,
    writer: Arc<Writer>,
    file: Arc<DatabaseFile>,
    readiness: Readiness,
    watch: Watch,
}

impl SqliteStore {
    /// Opens the database in `path`, making it if it does not exist, for its owner's eyes only, with the audit trail
    /// beside it.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_telling(path, &mut |_, _| {})
    }

    /// The same. `progress` hears how many events of an older audit trail are taken over, and of how many.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_telling(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Self, OpenError> {
        Self::open_with_trail(path, &trail_folder(path), progress)
    }

    /// The same with the audit trail in a folder.
    fn open_with_trail(
        path: &Path,
        trail: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, OpenError> {
        let (mut connection, file) = open::database(path)?;
        let failed = |source| open::sqlite_error(path, source);
        let signed = trail_head::find(&connection).map_err(failed)?;
        let mut appender = Trail::appender(trail, path, signed.as_ref())?;
        audit_before_files::take_over(path, &mut connection, &mut appender, progress)?;
        let file = Arc::new(file);
        let watch = Watch::default();
        let writer = Writer::start(connection, file.clone(), watch.clone())
            .map_err(|source| OpenError::NoThread { path: path.to_owned(), source })?;
        let writer = Arc::new(writer);
        let readers = Arc::new(Readers::new(file.clone(), watch.clone()));
        let keeper = trail_head::Keeper { writer: writer.clone(), readers: readers.clone() };
        let trail = Trail::start(appender, Box::new(keeper))?;
        Ok(Self {
            trail,
            readers,
            writer,
            file,
            readiness: Readiness::default(),
            remembered: Remembered::default(),
            watch,
        })
    }
}

/// The newest head of the trail beside a database that was signed and kept. The database is left as it is, of whichever
/// version.
///
/// # Errors
/// [`OpenError`].
pub fn newest_head(database: &Path) -> Result<Option<TrailHead>, OpenError> {
    let failed = |source| open::sqlite_error(database, source);
    let connection = open::visitor(database).map_err(failed)?;
    if open::written_version(database, &connection)? < open::TRAIL_OF_FILES {
        return Ok(None);
    }
    trail_head::find(&connection).map_err(failed)
}

/// The pools that names of configurations lead to, of a database of this version. Nothing is changed, and the trail beside it is
/// neither made nor looked at.
///
/// # Errors
/// [`OpenError`].
pub fn configured_pools(database: &Path) -> Result<BTreeMap<String, IdentityPool>, OpenError> {
    let failed = |source| open::sqlite_error(database, source);
    let connection = open::visitor(database).map_err(failed)?;
    pools::list_configured(&connection).map_err(failed)
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.file.check_all()?;
        self.readiness.ask(&self.file, &self.writer).await?;
        Ok(self.trail.ping().await?)
    }

    async fn clear_expired(&self, now: Timestamp, limit: usize) -> Result<Cleared, StoreError> {
        self.writer.write(move |connection| expired::clear(connection, now, limit)).await
    }

    fn watch(&self, by: SharedWatch) {
        self.watch.begin(by);
    }
}
