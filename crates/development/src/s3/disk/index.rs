//! The index: which buckets, objects and uploads there are, and which files hold their bytes. Keys are compared as bytes,
//! so that a listing is a range of one table. One connection writes; readers see what was committed when they began.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use super::error::DiskError;

/// `blob` is the ledger of what holds bytes that something needs: itself, where they are few, or a file. A file that is not in
/// it is garbage.
const SCHEMA: &str = "
    CREATE TABLE run (number INTEGER NOT NULL);
    INSERT INTO run VALUES (0);
    CREATE TABLE bucket (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,
        tags TEXT NOT NULL DEFAULT '[]', cors TEXT NOT NULL DEFAULT '[]');
    CREATE TABLE blob (id INTEGER PRIMARY KEY, bytes BLOB);
    CREATE TABLE object (
        bucket INTEGER NOT NULL, key BLOB NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL,
        modified INTEGER NOT NULL, checksum TEXT NOT NULL, properties TEXT NOT NULL, tags TEXT NOT NULL,
        pieces TEXT NOT NULL, in_parts INTEGER NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
    CREATE TABLE upload (
        bucket INTEGER NOT NULL, key BLOB NOT NULL, id TEXT NOT NULL UNIQUE, begun INTEGER NOT NULL,
        checksum TEXT NOT NULL, properties TEXT NOT NULL, tags TEXT NOT NULL,
        PRIMARY KEY (bucket, key, id)) WITHOUT ROWID;
    CREATE TABLE part (
        upload TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL,
        modified INTEGER NOT NULL, checksum TEXT NOT NULL, pieces TEXT NOT NULL,
        PRIMARY KEY (upload, number)) WITHOUT ROWID;
    PRAGMA user_version = 1;
";
const VERSION: i64 = 1;
/// How many connections of readers are kept for the next.
const READERS: usize = 8;
/// Only another program that looks into the file can keep it busy.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Index {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Index {
    /// Opens the index, and makes it if there is none; says whether it was.
    ///
    /// # Errors
    /// If it cannot be used, or is of a newer version.
    pub fn open(path: &Path) -> anyhow::Result<(Self, bool)> {
        let writer = Connection::open(path)?;
        writer.busy_timeout(PATIENCE)?;
        // What is committed survives the process; after a loss of power the last objects may be gone.
        // Its log is put into the file, which waits for the disk, every 32 MiB.
        writer.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8192;",
        )?;
        let version: i64 = writer.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        match version {
            0 => writer.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;"))?,
            VERSION => (),
            newer => {
                anyhow::bail!("{} is of version {newer}, which this release does not know", path.display())
            }
        }
        writer.set_prepared_statement_cache_capacity(64);
        let index = Self { path: path.to_owned(), writer: Mutex::new(writer), readers: Mutex::default() };
        Ok((index, version == 0))
    }

    /// The number of this run, which no earlier one had.
    pub fn begin_run(&self) -> Result<u32, DiskError> {
        self.write(|index| {
            Ok(index
                .query_row("UPDATE run SET number = number + 1 RETURNING number", [], |row| row.get(0))?)
        })
    }

    /// Asks what is committed.
    pub fn read<T>(&self, ask: impl FnOnce(&Connection) -> Result<T, DiskError>) -> Result<T, DiskError> {
        let kept = locked(&self.readers).pop();
        let connection = kept.map_or_else(|| self.reader(), Ok)?;
        let answer = ask(&connection);
        let mut readers = locked(&self.readers);
        if readers.len() < READERS {
            readers.push(connection);
        }
        answer
    }

    fn reader(&self) -> Result<Connection, DiskError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(&self.path, flags)?;
        reader.busy_timeout(PATIENCE)?;
        reader.set_prepared_statement_cache_capacity(64);
        Ok(reader)
    }

    /// Makes a change, which is committed if it is a success.
    pub fn write<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let mut writer = locked(&self.writer);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let answer = change(&transaction)?;
        transaction.commit()?;
        Ok(answer)
    }
}

/// What a panic left behind is a connection without a transaction, or a list: both are fit for use.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of a bucket.
///
/// # Errors
/// If there is none by this name.
pub(super) fn bucket_id(index: &Connection, name: &str) -> Result<i64, DiskError> {
    let mut ask = index.prepare_cached("SELECT id FROM bucket WHERE name = ?1")?;
    ask.query_row([name], |row| row.get(0)).optional()?.ok_or(DiskError::NoSuchBucket)
}
