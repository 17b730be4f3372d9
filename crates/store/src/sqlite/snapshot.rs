//! Several reads of one state of the database.

use rusqlite::{Connection, Result};

/// One state of the database, as long as this is there. Other than a transaction of rusqlite's, it has SQLite parse its words once for
/// each connection: credentials are read in one.
pub(super) struct Snapshot<'a>(&'a Connection);

impl<'a> Snapshot<'a> {
    pub(super) fn of(connection: &'a Connection) -> Result<Self> {
        connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(connection))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // Should this fail, nobody reads by the connection any more (`Readers::put_back`).
        let _ = self.0.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_meanwhile_is_seen_afterwards() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("daypass.db");
        let (writer, reader) = (Connection::open(&path).unwrap(), Connection::open(&path).unwrap());
        writer.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE kept (name TEXT)").unwrap();
        let count = || reader.query_one("SELECT count(*) FROM kept", [], |row| row.get::<_, i64>(0)).unwrap();
        {
            let _snapshot = Snapshot::of(&reader).unwrap();
            assert_eq!(count(), 0);
            writer.execute_batch("INSERT INTO kept VALUES ('a')").unwrap();
            assert_eq!(count(), 0);
        }
        assert_eq!(count(), 1);
        let _another = Snapshot::of(&reader).unwrap();
    }
}
