//! Opening the database file: who may read it, whose it is, and of which version. A file that is not
//! Daypass's, or is of a newer Daypass, is left exactly as it was found.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use daypass_core::store::packed::packed;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use super::file::{DatabaseFile, Seen, directory, trail_folder};
use super::trouble;
use super::value::integer;
use crate::trail::TrailTrouble;

/// "dpas": tells `file` and us whose database this is.
const APPLICATION_ID: i32 = 0x6470_6173;

/// `user_version` counts how many of these a database has seen. Only ever append.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_first.sql"),
    include_str!("../../migrations/sqlite/0002_logins.sql"),
    include_str!("../../migrations/sqlite/0003_access_keys.sql"),
    include_str!("../../migrations/sqlite/0004_used_once.sql"),
    include_str!("../../migrations/sqlite/0005_login_grants.sql"),
    include_str!("../../migrations/sqlite/0006_audit_by_user.sql"),
    include_str!("../../migrations/sqlite/0007_unproved_refusals.sql"),
    include_str!("../../migrations/sqlite/0008_revoke_everybody.sql"),
    include_str!("../../migrations/sqlite/0009_incarnations.sql"),
    include_str!("../../migrations/sqlite/0010_audit_detail.sql"),
    include_str!("../../migrations/sqlite/0011_audit_callers.sql"),
    include_str!("../../migrations/sqlite/0012_sign_in_sessions.sql"),
    include_str!("../../migrations/sqlite/0013_audit_actors.sql"),
    include_str!("../../migrations/sqlite/0014_device_authorizations.sql"),
    include_str!("../../migrations/sqlite/0015_key_ring.sql"),
    include_str!("../../migrations/sqlite/0016_trail_of_files.sql"),
    include_str!("../../migrations/sqlite/0017_master_keys.sql"),
    include_str!("../../migrations/sqlite/0018_audit_exports.sql"),
    include_str!("../../migrations/sqlite/0019_unfinished_copy.sql"),
    include_str!("../../migrations/sqlite/0020_packed_identity_ids.sql"),
];

/// The version from which on not everything that lies in the tables is there: see the migration.
pub(super) const INCARNATIONS: usize = 9;

/// The version from which on audit events are in files beside the database.
pub(super) const TRAIL_OF_FILES: usize = 16;

/// How long to wait for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the change to WAL is tried while others open the same file. They need it once each.
const WAL_ATTEMPTS: usize = 100;

/// Pages of 4 KiB that collect in the WAL before they are copied into the file. The index pages of logins change at random
/// places, again and again: the longer they wait, the fewer copies.
const PAGES_PER_CHECKPOINT: i32 = 4000;

/// Enough for the inner pages of the indexes of many logins.
const WRITER_CACHE_KIBIBYTES: i32 = 8192;

/// More than the statements there are, so that none is ever prepared twice.
const CACHED_STATEMENTS: usize = 128;

/// Why a database could not be opened, for the person who named the file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none.
    #[error(
        "there is no database {path}: name another file, or ask `daypass migrate -c FILE`, which makes it, as does a start unless \
         [store] has migrate = false",
        path = path.display()
    )]
    NotThere {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file could not be made.
    #[error(
        "cannot create the database {path}: {source}; its directory must exist and be writable by this user"
    )]
    CannotCreate {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// It is something else than a Daypass database.
    #[error("{path} is not a Daypass database and is left as it is; name another file")]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// An older Daypass wrote it, and it stays so.
    #[error(
        "{path} has version {found}, and this Daypass needs version {known}: `daypass migrate -c FILE` brings it there, after which \
         an older Daypass refuses it, and so does a start unless [store] has migrate = false"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: usize,
        /// The version this program needs.
        known: usize,
    },
    /// A newer Daypass wrote it.
    #[error(
        "{path} has version {found}, and this Daypass knows versions up to {known}; run the newer Daypass"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: usize,
        /// The newest version this program knows.
        known: usize,
    },
    /// Not everything is in it yet.
    #[error(
        "{path} is to be a copy of {from}, and is not complete: ask `daypass store copy` again with the same --from and --to, or, to \
         do without it, delete {path} and the folder of its audit trail, {trail}",
        path = path.display(), trail = trail.display()
    )]
    Unfinished {
        /// The file.
        path: PathBuf,
        /// What is copied.
        from: String,
        /// The folder of its trail.
        trail: PathBuf,
    },
    /// It is to be filled, and is something already.
    #[error(
        "{path} is there already, and stays as it is: name a file that is not there, with no audit trail beside it",
        path = path.display()
    )]
    Taken {
        /// The file, or the folder of a trail.
        path: PathBuf,
    },
    /// Somebody else has it open.
    #[error(
        "{path} is open in a running Daypass, or in another program (`fuser` names it): end that first. What changes meanwhile \
         would be missing from the copy",
        path = path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Another file took its place meanwhile.
    #[error("{path} was replaced while it was being opened: start again when whoever does that is done")]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// It could not be looked at.
    #[error("cannot look at the database {path}: {source}")]
    Unseen {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// SQLite could not open it.
    #[error("cannot open the database {path}: {cure} (SQLite: {source})", cure = trouble::cure(source))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The trail beside it has other events than it had once.
    #[error(
        "{path} has audit events that are not in the trail beside it, {trail}, as after a restore of an old backup: move that \
         folder elsewhere, and keep it; Daypass begins a trail with the events of the database when it is started again",
        path = path.display(), trail = trail.display()
    )]
    OtherTrail {
        /// The file.
        path: PathBuf,
        /// The folder of the trail.
        trail: PathBuf,
    },
    /// The audit trail could not be opened.
    #[error(transparent)]
    Trail(#[from] TrailTrouble),
    /// The thread that writes could not start.
    #[error("cannot start the thread that writes to {path}: {source}")]
    NoThread {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Opens the connection that writes, and notes which file it has.
pub(super) fn database(path: &Path) -> Result<(Connection, DatabaseFile), OpenError> {
    create_if_absent(path)?;
    let unseen = |source| OpenError::Unseen { path: path.to_owned(), source };
    let before = Seen::at(path).map_err(unseen)?;
    let connection = writer_of(&before)?;
    let file = DatabaseFile::opened(before, &connection).map_err(unseen)?;
    Ok((connection, file.ok_or_else(|| OpenError::Replaced { path: path.to_owned() })?))
}

/// Opens a connection that writes to the file that is there, and brings it to the newest version.
pub(super) fn writer(path: &Path) -> Result<Connection, OpenError> {
    let unseen = |source| OpenError::Unseen { path: path.to_owned(), source };
    writer_of(&Seen::at(path).map_err(unseen)?)
}

fn writer_of(file: &Seen) -> Result<Connection, OpenError> {
    let failed = |source| sqlite_error(file.path(), source);
    let mut connection = visitor(file.path()).map_err(failed)?;
    migrate(file, &mut connection)?;
    ensure_finished(file.path(), &connection)?;
    make_durable(&connection).map_err(failed)?;
    Ok(connection)
}

/// Opens the one connection to a file, as long as it lasts. Every connection in WAL mode has a lock that is in the way of this
/// one's, and waits for it (sqlite.org/pragma.html, `locking_mode`).
pub(super) fn exclusive(path: &Path) -> Result<Connection, OpenError> {
    let connection = visitor(path).map_err(|source| sqlite_error(path, source))?;
    let locked = connection
        .pragma_update(None, "locking_mode", "exclusive")
        .and_then(|()| connection.busy_timeout(Duration::ZERO))
        .and_then(|()| connection.execute_batch("BEGIN IMMEDIATE; COMMIT"));
    match locked {
        Ok(()) => Ok(connection),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            Err(OpenError::InUse { path: path.to_owned() })
        }
        Err(source) => Err(sqlite_error(path, source)),
    }
}

/// The same, of a file that is made if it is not there, and brought to the newest version.
pub(super) fn exclusive_to_fill(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source| sqlite_error(path, source);
    create_if_absent(path)?;
    let seen = Seen::at(path).map_err(|source| OpenError::Unseen { path: path.to_owned(), source })?;
    let mut connection = exclusive(path)?;
    // A store of before is no place for another one, and is left as it is.
    if (1..MIGRATIONS.len()).contains(&version_of(path, &connection)?) {
        return Err(OpenError::Taken { path: path.to_owned() });
    }
    migrate(&seen, &mut connection)?;
    make_durable(&connection).map_err(failed)?;
    connection.pragma_update(None, "foreign_keys", false).map_err(failed)?;
    Ok(connection)
}

/// Finds out that everything is in a database that is to be in it, of whichever version it is.
pub(super) fn ensure_finished(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'unfinished_copy')";
    let failed = |source| sqlite_error(path, source);
    let is_known = connection.query_row(IS_KNOWN, [], |row| row.get(0)).map_err(failed)?;
    let from = if is_known { unfinished_copy(connection).map_err(failed)? } else { None };
    match from {
        Some(from) => Err(OpenError::Unfinished { trail: trail_folder(path), path: path.to_owned(), from }),
        None => Ok(()),
    }
}

/// Which store is to be copied into this one, if not everything is in it yet.
pub(super) fn unfinished_copy(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_one("SELECT source FROM unfinished_copy", [], |row| row.get(0)).optional()
}

/// Opens a connection that takes the file as it is, of whichever version. It may write, because the last that closes a
/// file tidies up behind it.
pub(super) fn visitor(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Who logged in when is nobody else's business: only the owner may read the file, and SQLite gives its
/// companions, `-wal` and `-shm`, the same permissions.
fn create_if_absent(path: &Path) -> Result<(), OpenError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            belong_to_the_owner_of_its_folder(path, &file);
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(OpenError::CannotCreate { path: path.to_owned(), source }),
    }
}

/// What root's command makes must not keep the server out, which runs as somebody else: its folder tells as whom. Whoever is not
/// root keeps the file.
fn belong_to_the_owner_of_its_folder(path: &Path, file: &File) {
    let (Ok(own), Ok(owner)) = (file.metadata(), std::fs::metadata(directory(path))) else { return };
    if own.uid() != owner.uid() {
        let _ = fchown(file, Some(owner.uid()), Some(owner.gid()));
    }
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // One plan for a statement whatever is bound to it: without this, SQLite may plan anew at each use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A record out of a damaged page must be an error and never an answer.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)
}

/// With `FULL` every commit waits until the disk has it: an answer survives a loss of power. `NORMAL`
/// would not, under WAL.
fn make_durable(connection: &Connection) -> rusqlite::Result<()> {
    enter_wal(connection)?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", PAGES_PER_CHECKPOINT)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIBIBYTES)?;
    // The first read makes the companions, which are watched from then on.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// SQLite waits for every lock but the one that the change to WAL needs, so a process that opens the same new
/// file may be in the way. To begin a transaction waits until it is not.
fn enter_wal(connection: &Connection) -> rusqlite::Result<()> {
    for _ in 1..WAL_ATTEMPTS {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
            }
            outcome => return outcome,
        }
    }
    connection.pragma_update(None, "journal_mode", "wal")
}

/// All of it in one transaction that begins by locking, so that of two processes that open a new file
/// the second finds the work of the first. Whoever waited for the lock may have waited for somebody who put another
/// file in its place: what is written then would go into the companions of that one.
fn migrate(file: &Seen, connection: &mut Connection) -> Result<(), OpenError> {
    let path = file.path();
    let failed = |source| sqlite_error(path, source);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    if !file.is_still_there() {
        return Err(OpenError::Replaced { path: path.to_owned() });
    }
    let version = version_of(path, &transaction)?;
    if version < MIGRATIONS.len() {
        add_functions(&transaction).map_err(failed)?;
        for migration in &MIGRATIONS[version..] {
            transaction.execute_batch(migration).map_err(failed)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", integer(MIGRATIONS.len())).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// What migrations call that SQLite has not.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("packed", 1, flags, |arguments| {
        let id = arguments.get_raw(0).as_str().map_err(|error| Error::UserFunctionError(error.into()))?;
        Ok(packed(id))
    })
}

/// The versions that a file has to be brought to, one after the other. It is left as it is.
pub(crate) fn versions_due(path: &Path) -> Result<RangeInclusive<usize>, OpenError> {
    let unseen = |source| OpenError::Unseen { path: path.to_owned(), source };
    let found = if path.try_exists().map_err(unseen)? {
        let connection = visitor(path).map_err(|source| sqlite_error(path, source))?;
        version_of(path, &connection)?
    } else {
        0
    };
    Ok(found + 1..=MIGRATIONS.len())
}

/// Finds out that a file that is there has to be brought to no other version.
pub(crate) fn ensure_newest(path: &Path) -> Result<(), OpenError> {
    let due = versions_due(path)?;
    if due.is_empty() {
        return Ok(());
    }
    Err(OpenError::Older { path: path.to_owned(), found: due.start() - 1, known: *due.end() })
}

/// The version of a database that Daypass has written something into.
pub(super) fn written_version(path: &Path, connection: &Connection) -> Result<usize, OpenError> {
    match version_of(path, connection)? {
        0 => Err(OpenError::NotOurs { path: path.to_owned() }),
        version => Ok(version),
    }
}

/// How many of [`MIGRATIONS`] the database has seen.
fn version_of(path: &Path, connection: &Connection) -> Result<usize, OpenError> {
    let failed = |source| sqlite_error(path, source);
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(failed);
    let application_id = number("PRAGMA application_id")?;
    let user_version = number("PRAGMA user_version")?;
    let objects = number("SELECT count(*) FROM sqlite_schema")?;
    if (application_id, user_version, objects) == (0, 0, 0) {
        return Ok(0);
    }
    let version = usize::try_from(user_version);
    match version {
        Ok(version) if application_id == i64::from(APPLICATION_ID) => known(path, version),
        _ => Err(OpenError::NotOurs { path: path.to_owned() }),
    }
}

fn known(path: &Path, version: usize) -> Result<usize, OpenError> {
    let known = MIGRATIONS.len();
    if version <= known {
        Ok(version)
    } else {
        Err(OpenError::Newer { path: path.to_owned(), found: version, known })
    }
}

pub(super) fn sqlite_error(path: &Path, source: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotOurs { path },
        _ => OpenError::Sqlite { path, source },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::file::companion;
    use super::*;

    /// As somebody does it who restores a backup, while a server that is started too early waits for the lock.
    #[test]
    fn whoever_waited_while_the_file_was_replaced_writes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("daypass.db"), directory.path().join("other.db"));
        drop(database(&other).unwrap());
        fs::write(&path, "").unwrap();
        let seen = Seen::at(&path).unwrap();
        let mut connection = visitor(&path).unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(matches!(migrate(&seen, &mut connection), Err(OpenError::Replaced { .. })));
        assert!(!companion(&path, "-journal").exists() && !companion(&path, "-wal").exists());
        drop(database(&path).unwrap());
    }
}
