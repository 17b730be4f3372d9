//! What keeps SQLite from its work, and the cure: every error that it has, in one place, in words for the operator.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use daypass_core::store::StoreError;
use rusqlite::ErrorCode;

/// `SQLITE_IOERR_SHMSIZE` and `SQLITE_IOERR_WRITE` (sqlite.org/rescode.html): what a disk without space answers
/// where it does not answer `SQLITE_FULL`.
const NO_SPACE: [i32; 2] = [4874, 778];

/// An error of SQLite's, with its cure.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {cure} (SQLite: {error})", path = path.display())]
struct Trouble {
    path: PathBuf,
    cure: &'static str,
    error: Arc<rusqlite::Error>,
}

/// A [`StoreError`] that several hear of.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    corrupt: bool,
    cause: Arc<dyn std::error::Error + Send + Sync>,
}

impl Failure {
    /// Of a statement on the database at a path. A constraint that refuses a change means that an ID is taken or
    /// that a pool went away meanwhile: whoever asks again draws another, or looks again.
    pub(super) fn of(path: &Path, error: Arc<rusqlite::Error>) -> Self {
        let corrupt = is_unreadable(&error);
        let trouble = Trouble { path: path.to_owned(), cure: cure(&error), error };
        Self { corrupt, cause: Arc::new(trouble) }
    }

    /// Of whatever else keeps the store from answering.
    pub(super) fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { corrupt: false, cause: Arc::new(error) }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        let cause = Box::new(failure.cause);
        if failure.corrupt { Self::Corrupt(cause) } else { Self::Unavailable(cause) }
    }
}

fn is_unreadable(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    match error {
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => true,
        error => {
            matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        }
    }
}

/// Whether an error is about the whole store, and not about the one question that met it.
pub(super) fn concerns_everybody(error: &rusqlite::Error) -> bool {
    use ErrorCode as C;
    match error.sqlite_error_code() {
        Some(
            C::PermissionDenied
            | C::DatabaseBusy
            | C::DatabaseLocked
            | C::OutOfMemory
            | C::ReadOnly
            | C::SystemIoFailure
            | C::DatabaseCorrupt
            | C::DiskFull
            | C::CannotOpen
            | C::FileLockingProtocolFailed
            | C::NoLargeFileSupport
            | C::NotADatabase,
        ) => true,
        Some(_) | None => false,
    }
}

/// What the operator can do about an error.
pub(super) fn cure(error: &rusqlite::Error) -> &'static str {
    use ErrorCode as C;
    if error.sqlite_extended_error_code().is_some_and(|code| NO_SPACE.contains(&code)) {
        return cure_of(C::DiskFull);
    }
    match error.sqlite_error_code() {
        Some(code) => cure_of(code),
        None if is_unreadable(error) => {
            "it holds a record that this Daypass cannot read: a newer Daypass wrote it, or something changed it; run \
             the newer one, or put a backup in its place with `daypass restore` (docs/back-up.md)"
        }
        None => A_BUG,
    }
}

const A_BUG: &str = "Daypass asked what it should not have asked; please report this";

fn cure_of(code: ErrorCode) -> &'static str {
    use ErrorCode as C;
    match code {
        C::DiskFull => {
            "there is no space left for it or for its companions -wal and -shm: the disk is full, or a quota or a limit \
             on the size of files is reached; make space, and Daypass goes on by itself"
        }
        C::ReadOnly | C::PermissionDenied => {
            "this user may not write to it: the file, its companions -wal and -shm and its directory must be writable by \
             whoever runs Daypass, on a disk that is not mounted read-only"
        }
        C::CannotOpen => {
            "it cannot be opened: the directory must exist, this user must be able to write to it and to the file with \
             its companions -wal and -shm, and the process must be allowed to open more files (`ulimit -n`)"
        }
        C::DatabaseBusy | C::DatabaseLocked | C::FileLockingProtocolFailed => {
            "another program kept it locked for more than five seconds: end that program (`fuser` names it); SQLite \
             needs a disk of this machine, not one of the network"
        }
        C::NotADatabase => {
            "it is no database (any more): end Daypass, and put a backup in its place with `daypass restore`, which keeps \
             the file (docs/back-up.md)"
        }
        C::DatabaseCorrupt => {
            "it is damaged: end Daypass, look at the disk, and put a backup in its place with `daypass restore`, which \
             keeps the file (docs/back-up.md)"
        }
        C::SystemIoFailure => {
            "the disk does not do what it should: look at the kernel's log (`dmesg`), and whether the disk is still \
             there"
        }
        C::OutOfMemory => "there is no memory left: give the process more",
        C::NoLargeFileSupport => "the disk cannot hold files of this size: use another one",
        C::ConstraintViolation => {
            "what was to be written is there already, or names what is gone; asking again helps"
        }
        C::OperationInterrupted | C::OperationAborted => "the work was broken off; asking again helps",
        // What is left is misuse, and whatever a SQLite to come may add.
        _ => A_BUG,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn failure(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn every_trouble_of_the_disk_says_what_to_do() {
        for (code, words) in [
            (ffi::SQLITE_FULL, "make space"),
            (ffi::SQLITE_IOERR_SHMSIZE, "make space"),
            (ffi::SQLITE_IOERR_WRITE, "make space"),
            (ffi::SQLITE_IOERR_READ, "dmesg"),
            (ffi::SQLITE_READONLY, "must be writable"),
            (ffi::SQLITE_READONLY_DBMOVED, "must be writable"),
            (ffi::SQLITE_CANTOPEN, "ulimit -n"),
            (ffi::SQLITE_NOTADB, "put a backup in its place with `daypass restore`"),
            (ffi::SQLITE_CORRUPT, "put a backup in its place with `daypass restore`"),
            (ffi::SQLITE_BUSY, "fuser"),
            (ffi::SQLITE_BUSY_SNAPSHOT, "fuser"),
            (ffi::SQLITE_LOCKED, "fuser"),
        ] {
            let error = failure(code);
            assert!(cure(&error).contains(words), "{code}: {}", cure(&error));
            assert!(concerns_everybody(&error), "{code}");
        }
    }

    #[test]
    fn the_question_of_one_person_says_nothing_of_the_store() {
        for error in [
            failure(ffi::SQLITE_CONSTRAINT_PRIMARYKEY),
            failure(ffi::SQLITE_TOOBIG),
            rusqlite::Error::InvalidQuery,
            rusqlite::Error::IntegralValueOutOfRange(0, 1),
        ] {
            assert!(!concerns_everybody(&error), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_corrupt_and_names_the_file() {
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB] {
            let error = StoreError::from(Failure::of(Path::new("/var/a.db"), Arc::new(failure(code))));
            let StoreError::Corrupt(cause) = error else { panic!("{error:?}") };
            assert!(cause.to_string().starts_with("/var/a.db: it is "), "{cause}");
        }
        let full = StoreError::from(Failure::of(Path::new("/var/a.db"), Arc::new(failure(ffi::SQLITE_FULL))));
        assert!(matches!(full, StoreError::Unavailable(_)), "{full:?}");
    }
}
