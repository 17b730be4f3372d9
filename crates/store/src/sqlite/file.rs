//! The database file that was opened, and whether it is still what its path leads to. A file that was deleted or
//! replaced goes on taking writes until it is closed, and then they are gone with it: nothing that rests on it may be
//! acknowledged. The same holds for its companions `-wal`, which has the newest commits, and `-shm`.
//!
//! To look takes `stat` alone. To open and close the file here would drop every lock that SQLite holds on it in this
//! process (fcntl(2), "Record locks").

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use super::trouble::Failure;

/// A database file with its companions, as they were when it was opened.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    main: Seen,
    companions: [Option<Seen>; 2],
}

/// A path, and what it led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// Why nothing is acknowledged any more.
#[derive(Debug, thiserror::Error)]
enum Displaced {
    #[error(
        "{} was moved or deleted while Daypass had it open, so nothing that is written can be kept: put back the very \
         file, or end Daypass, put a backup in its place with `daypass restore` (docs/back-up.md) and start it again",
         .0.display()
    )]
    Gone(PathBuf),
    #[error(
        "{} is another file than the one that Daypass has open, so nothing that is written can be kept: start Daypass \
         again to have it use the file that is there now, or put back the one that was", .0.display()
    )]
    Replaced(PathBuf),
    #[error("{} cannot be looked at: give this user the right to search its directory: {source}", path.display())]
    Unseen { path: PathBuf, source: std::io::Error },
}

impl DatabaseFile {
    /// The file that `connection` has open, with the companions it has. `before` is what was seen before it was
    /// opened: between two looks at the same file, no other was opened. `None` if they differ.
    pub(super) fn opened(before: Seen, connection: &Connection) -> std::io::Result<Option<Self>> {
        let resolved = connection.path().map_or_else(|| before.path.clone(), PathBuf::from);
        let companions = ["-wal", "-shm"].map(|suffix| companion(&resolved, suffix));
        let [wal, shm] = companions.map(|path| if_there(Seen::at(&path)));
        let same = Seen::at(&before.path)? == before;
        Ok(same.then_some(Self { main: before, companions: [wal?, shm?] }))
    }

    /// The database file.
    pub(super) fn path(&self) -> &Path {
        &self.main.path
    }

    /// Whether reads still speak of the file at the path.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.main.check().map_err(Failure::unavailable)
    }

    /// Whether what was committed is in the file at the path, and in the companions of it that others read.
    pub(super) fn check_all(&self) -> Result<(), Failure> {
        self.check()?;
        self.companions.iter().flatten().try_for_each(Seen::check).map_err(Failure::unavailable)
    }

    /// What an error of SQLite's means to whoever asked.
    pub(super) fn failure(&self, error: rusqlite::Error) -> Failure {
        Failure::of(self.path(), Arc::new(error))
    }
}

impl Seen {
    /// What is at a path now.
    pub(super) fn at(path: &Path) -> std::io::Result<Self> {
        let found = fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), inode: found.ino() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to it.
    pub(super) fn is_still_there(&self) -> bool {
        self.check().is_ok()
    }

    /// Whether two paths lead to the same file.
    pub(super) fn is_same_file_as(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    fn check(&self) -> Result<(), Displaced> {
        match fs::metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (self.device, self.inode) => Ok(()),
            Ok(_) => Err(Displaced::Replaced(self.path.clone())),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Displaced::Gone(self.path.clone())),
            Err(source) => Err(Displaced::Unseen { path: self.path.clone(), source }),
        }
    }
}

/// A file that SQLite keeps beside a database.
pub(super) fn companion(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Where the audit trail of a database is: beside the file that a link leads to, as SQLite's own companions are.
#[must_use]
pub fn trail_folder(database: &Path) -> PathBuf {
    let mut name: OsString = database.canonicalize().unwrap_or_else(|_| database.to_owned()).into();
    name.push("-audit");
    name.into()
}

fn if_there(seen: std::io::Result<Seen>) -> std::io::Result<Option<Seen>> {
    match seen {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        seen => seen.map(Some),
    }
}

/// The directory that a file is in, or is to be.
pub(super) fn directory(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_takes_the_place_while_it_is_opened_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("daypass.db"), directory.path().join("other.db"));
        fs::write(&path, "").unwrap();
        fs::write(&other, "").unwrap();
        let before = Seen::at(&path).unwrap();
        let connection = Connection::open(&path).unwrap();
        assert!(DatabaseFile::opened(before.clone(), &connection).unwrap().is_some());
        fs::rename(&other, &path).unwrap();
        assert!(DatabaseFile::opened(before, &connection).unwrap().is_none());
    }

    #[test]
    fn companions_are_beside_the_file_that_a_link_leads_to() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("daypass.db"), directory.path().join("link.db"));
        fs::write(&path, "").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let before = Seen::at(&link).unwrap();
        let connection = Connection::open(&link).unwrap();
        connection.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE kept (name TEXT)").unwrap();
        let file = DatabaseFile::opened(before, &connection).unwrap().unwrap();
        file.check_all().unwrap();
        fs::remove_file(companion(&path, "-wal")).unwrap();
        assert!(file.check_all().is_err() && file.check().is_ok());
    }
}
