//! The connections that read. A read of Daypass's is a look-up or two in a B-tree, a matter of
//! microseconds, so it runs on the task that asks: to hand it to another thread would cost more than
//! the read. Under WAL readers never wait for the writer, nor it for them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use daypass_core::store::StoreError;
use rusqlite::Connection;

use super::{open, store_error};

/// Idle read-only connections. There are never more than threads that read at one time, because a read
/// does not yield.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default() }
    }

    /// Asks one question of what is committed now.
    pub(super) fn read<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let connection = self.take().map_err(store_error)?;
        let answer = question(&connection);
        self.put_back(connection);
        answer.map_err(store_error)
    }

    /// The database file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A connection of its own for whoever reads one state of the database for long.
    pub(super) fn open_another(&self) -> Result<Connection, StoreError> {
        open::reader(&self.path).map_err(store_error)
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let idle = self.lock().pop();
        idle.map_or_else(|| open::reader(&self.path), Ok)
    }

    fn put_back(&self, connection: Connection) {
        self.lock().push(connection);
    }

    /// A push or a pop leaves the list whole, so that a panic elsewhere says nothing about it.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
