//! The connections that read. A read of Daypass's is a look-up or two in a B-tree, a matter of
//! microseconds, so it runs on the task that asks: to hand it to another thread would cost more than
//! the read. Under WAL readers never wait for the writer, nor it for them.
//!
//! After each read the file is looked at: what a file says that was taken away, others cannot change any more. A key
//! would work on that somebody disabled in the file that took its place.

use std::sync::{Arc, Mutex, PoisonError};

use daypass_core::store::{StoreError, StoreWork};
use rusqlite::Connection;

use super::file::DatabaseFile;
use super::open;
use crate::watched::Watch;

/// Idle read-only connections. There are never more than threads that read at one time, because a read
/// does not yield.
pub(super) struct Readers {
    file: Arc<DatabaseFile>,
    idle: Mutex<Vec<Connection>>,
    watch: Watch,
}

impl Readers {
    pub(super) fn new(file: Arc<DatabaseFile>, watch: Watch) -> Self {
        Self { file, idle: Mutex::default(), watch }
    }

    /// Asks one question of what is committed now.
    pub(super) fn read<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.watch.over_now(StoreWork::Read, || {
            let connection = self.take()?;
            let answer = self.ask(&connection, question);
            self.put_back(connection);
            answer
        })
    }

    /// Asks one question through a connection.
    pub(super) fn ask<T>(
        &self,
        connection: &Connection,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let answer = question(connection);
        self.file.check()?;
        answer.map_err(|error| self.file.failure(error).into())
    }

    /// A connection of its own for whoever reads one state of the database for long.
    pub(super) fn open_another(&self) -> Result<Connection, StoreError> {
        let opened = open::reader(self.file.path());
        self.file.check()?;
        opened.map_err(|error| self.file.failure(error).into())
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.lock().pop();
        idle.map_or_else(|| self.open_another(), Ok)
    }

    /// One that is within a transaction still would read on in the past, where nothing was revoked yet.
    fn put_back(&self, connection: Connection) {
        if connection.is_autocommit() {
            self.lock().push(connection);
        }
    }

    /// A push or a pop leaves the list whole, so that a panic elsewhere says nothing about it.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::Seen;
    use super::*;

    #[test]
    fn a_connection_that_stays_in_the_past_is_not_used_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("daypass.db");
        std::fs::write(&path, "").unwrap();
        let before = Seen::at(&path).unwrap();
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE kept (name TEXT)").unwrap();
        let file = DatabaseFile::opened(before, &writer).unwrap().unwrap();
        let readers = Readers::new(Arc::new(file), Watch::default());
        let count = "SELECT count(*) FROM kept";
        let stuck = readers.read(|connection| {
            connection.execute_batch("BEGIN")?;
            connection.query_one(count, [], |row| row.get::<_, i64>(0))
        });
        assert_eq!(stuck.unwrap(), 0);
        writer.execute_batch("INSERT INTO kept VALUES ('a')").unwrap();
        let seen = readers.read(|connection| connection.query_one(count, [], |row| row.get::<_, i64>(0)));
        assert_eq!(seen.unwrap(), 1);
    }
}
