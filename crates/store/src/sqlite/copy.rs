//! A copy of a database in one file, and the look at whether it is whole. Backups are made by it, and put back.
//!
//! The copy is that of one read transaction, which is held open from the first page to the last. Under WAL nobody waits
//! for it, and it never has to begin again: SQLite starts a backup anew whenever another process writes between two
//! steps (sqlite.org/c3ref/backup_finish.html, "Concurrent Usage"), but only where the source is not kept from moving on.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use daypass_core::ground::clock::Timestamp;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension, ffi};

use super::file::{companion, directory};
use super::open::{self, MIGRATIONS, OpenError};
use super::value::Instant;

/// Pages of 4 KiB between two calls of whoever wants to know how far it is.
const PAGES_AT_A_TIME: i32 = 1024;

/// What SQLite may keep beside a database.
pub(super) const COMPANIONS: [&str; 3] = ["-wal", "-journal", "-shm"];

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// The version of its tables.
    pub version: usize,
    /// As many identities, those that ended included.
    pub identities: u64,
    /// As many logins.
    pub logins: u64,
    /// The time of the newest event of its audit trail, or of the newest head of one in files.
    pub newest_event: Option<Timestamp>,
    /// Its size in bytes.
    pub size: u64,
}

impl Contents {
    /// Whether this program made the tables as they are, and will change nothing about them.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.version == MIGRATIONS.len()
    }
}

/// Why a backup was not made, or not put back, for the operator.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Nothing is there.
    #[error("there is no file {}", .0.display())]
    Missing(PathBuf),
    /// Whether it is there cannot be told.
    #[error("cannot look at {}: {source}; this user must be allowed to read it", path.display())]
    Unseen {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The place is taken.
    #[error("{} is there already, and stays as it is: name a file that is not there", .0.display())]
    Taken(PathBuf),
    /// Another command has it open.
    #[error("{} is there: another command is writing it, or was broken off; if none runs, delete it", .0.display())]
    UnderWay(PathBuf),
    /// The operating system refused something.
    #[error("cannot write {}: {source}; its directory must exist and be writable by this user", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file would belong to somebody else than the one it replaces.
    #[error(
        "{} belongs to the user {owner}, who could not open a file of yours in its place: run this as root or as \
         that user", path.display()
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// It is not a store of this Daypass.
    #[error(transparent)]
    Unusable(#[from] OpenError),
    /// The store that was copied is not whole.
    #[error(
        "{} is damaged ({found}), and no backup was made: end Daypass, look at the disk, and put an earlier backup in \
         its place with `daypass restore` (docs/back-up.md)", path.display()
    )]
    DamagedStore {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        found: String,
    },
    /// The backup is not whole.
    #[error("{} is damaged ({found}): use another backup", path.display())]
    DamagedBackup {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        found: String,
    },
    /// Somebody would go on with the file that is replaced.
    #[error(
        "{} is open in a running Daypass, or in another program (`fuser` names it): end that first. What a server has \
         open cannot be replaced under it", .0.display()
    )]
    InUse(PathBuf),
    /// The backup is the store.
    #[error("{} is the store itself: name a backup of it", .0.display())]
    Same(PathBuf),
}

impl CopyError {
    pub(super) fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Unwritable { path: path.to_owned(), source }
    }

    pub(super) fn unseen(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Unseen { path: path.to_owned(), source }
    }

    /// Of a statement on the database at a path.
    pub(super) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        move |error| Self::Unusable(open::sqlite_error(path, error))
    }
}

/// Whether a file is there to be copied.
pub(super) fn is_file(path: &Path) -> Result<bool, CopyError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        found => found.map(|found| found.is_file()).map_err(CopyError::unseen(path)),
    }
}

/// A file in the making, for its owner's eyes only, beside the one that it will be. Dropped before it is put in place,
/// it is deleted.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Nothing that is there is written to: somebody else may read it, or be writing it. Companions of one that is gone,
    /// whose command was killed, would be taken for this one's.
    pub(super) fn beside(destination: &Path) -> Result<Self, CopyError> {
        let path = companion(destination, ".new");
        let draft = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(_) => Self { path },
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(CopyError::UnderWay(path)),
            Err(source) => return Err(CopyError::Unwritable { path, source }),
        };
        for companion in draft.companions() {
            match fs::remove_file(&companion) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.map_err(CopyError::unwritable(&companion))?,
            }
        }
        Ok(draft)
    }

    fn companions(&self) -> [PathBuf; 3] {
        COMPANIONS.map(|suffix| companion(&self.path, suffix))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Has it belong to whoever has the file that it replaces, which root can do. Of a new file, the owner of its
    /// directory is a guess, and whoever is not root keeps it.
    pub(super) fn belong_to_the_owner_of(&self, destination: &Path) -> Result<(), CopyError> {
        let (owner, replaces) = match fs::metadata(destination) {
            Ok(found) => (found, true),
            Err(_) => {
                (fs::metadata(directory(destination)).map_err(CopyError::unwritable(destination))?, false)
            }
        };
        let own = fs::metadata(&self.path).map_err(CopyError::unwritable(&self.path))?;
        if own.uid() == owner.uid() {
            return Ok(());
        }
        match chown(&self.path, Some(owner.uid()), Some(owner.gid())) {
            Err(_) if replaces => Err(CopyError::Owner { path: destination.to_owned(), owner: owner.uid() }),
            _ => Ok(()),
        }
    }

    /// Waits until the disk has all of it.
    pub(super) fn sync(&self) -> Result<(), CopyError> {
        let synced = File::open(&self.path).and_then(|file| file.sync_all());
        synced.map_err(CopyError::unwritable(&self.path))
    }

    /// Gives it its name, which nobody may have.
    pub(super) fn put_at_free_place(self, destination: &Path) -> Result<(), CopyError> {
        link_or_rename(&self.path, destination).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => CopyError::Taken(destination.to_owned()),
            _ => CopyError::Unwritable { path: destination.to_owned(), source },
        })?;
        drop(self);
        sync_directory_of(destination)
    }

    /// Gives it its name, in the place of what has it.
    pub(super) fn replace(self, destination: &Path) -> Result<(), CopyError> {
        fs::rename(&self.path, destination).map_err(CopyError::unwritable(destination))?;
        sync_directory_of(destination)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // There may be nothing (any more) to delete.
        let _ = fs::remove_file(&self.path);
        for companion in self.companions() {
            let _ = fs::remove_file(companion);
        }
    }
}

/// Gives a file a second name that nobody has; where the disk knows no second names, another name.
pub(super) fn link_or_rename(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists || error.kind() == ErrorKind::NotFound => {
            Err(error)
        }
        Err(_) if !to.exists() => fs::rename(from, to),
        linked => linked,
    }
}

fn sync_directory_of(file: &Path) -> Result<(), CopyError> {
    let synced = File::open(directory(file)).and_then(|directory| directory.sync_all());
    synced.map_err(CopyError::unwritable(file))
}

/// Copies what a connection sees now. `progress` hears how many bytes are there, and of how many.
pub(super) fn copy(
    from: &Connection,
    to: &Draft,
    progress: &mut dyn FnMut(u64, u64),
) -> rusqlite::Result<()> {
    let transaction = from.unchecked_transaction()?;
    transaction.query_one("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let page_size: u32 = transaction.query_one("PRAGMA page_size", [], |row| row.get(0))?;
    let mut copy = open::visitor(to.path())?;
    // Until it is whole, it is nobody's; then it is synced once.
    copy.execute_batch("PRAGMA journal_mode = off; PRAGMA synchronous = off")?;
    let backup = Backup::new(&transaction, &mut copy)?;
    loop {
        let step = backup.step(PAGES_AT_A_TIME)?;
        let pages = backup.progress();
        let bytes = |pages: i32| u64::from(pages.unsigned_abs()) * u64::from(page_size);
        progress(bytes(pages.pagecount - pages.remaining), bytes(pages.pagecount));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None)),
        }
    }
}

/// What is wrong with a copy.
pub(super) enum Flaw {
    /// It is not a store of this Daypass.
    Unusable(OpenError),
    /// It is not whole: what SQLite found.
    Damaged(String),
}

/// Looks at every page and every row of a copy, which was made of `source`. It is one file from then on, that readers
/// need nothing beside, and not even a directory that they could write to.
pub(super) fn examine(copy: &Draft, source: &Path) -> Result<Contents, Flaw> {
    let damaged = |error: rusqlite::Error| Flaw::Damaged(error.to_string());
    let connection = open::visitor(copy.path()).map_err(damaged)?;
    connection.execute_batch("PRAGMA journal_mode = delete; PRAGMA synchronous = off").map_err(damaged)?;
    let version = open::written_version(source, &connection).map_err(Flaw::Unusable)?;
    let found: String =
        connection.query_one("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(damaged)?;
    if found != "ok" {
        return Err(Flaw::Damaged(found));
    }
    contents(&connection, version).map_err(damaged)
}

fn contents(connection: &Connection, version: usize) -> rusqlite::Result<Contents> {
    let number = |sql| connection.query_one(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    let newest_event = match version {
        ..open::TRAIL_OF_FILES => "SELECT time FROM audit_event ORDER BY id DESC LIMIT 1",
        _ => "SELECT time FROM trail_head",
    };
    let newest_event = connection.query_one(newest_event, [], |row| row.get::<_, Instant>(0)).optional()?;
    let (identities, logins) = match version {
        1 => ("SELECT count(*) FROM identity", "SELECT count(*) FROM developer_login"),
        2..open::INCARNATIONS => ("SELECT count(*) FROM identity", "SELECT count(*) FROM login"),
        _ => ("SELECT count(*) FROM living_identity", "SELECT count(*) FROM living_login"),
    };
    Ok(Contents {
        version,
        identities: number(identities)?,
        logins: number(logins)?,
        newest_event: newest_event.map(|Instant(time)| time),
        size: number("PRAGMA page_count")? * number("PRAGMA page_size")?,
    })
}
