//! Putting a backup back. It is copied beside the store, looked at, and given the store's name when it is whole and as
//! it should be. What had the name is kept.
//!
//! Nobody may have the store open meanwhile. Every connection to a database in WAL mode holds a shared lock on it until
//! it is closed, however idle it is (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode";
//! sqlite.org/lockingv3.html): a lock on all of the file is what none of them lets anybody have, and it needs no file
//! that SQLite could read. It lasts until the new file has the name, so a server that is started too early waits, and
//! finds another file then.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use daypass_core::store::StoredAccessKey;
use rusqlite::Connection;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use super::copy::{COMPANIONS, Contents, CopyError, Draft, Flaw, copy, examine, is_file, link_or_rename};
use super::file::{Seen, companion};
use super::open::OpenError;
use super::{SqliteStore, keys, open, trail_folder};

/// A backup that is about to become the store. Dropped, it leaves everything as it was.
#[derive(Debug)]
pub struct Restoration {
    draft: Draft,
    destination: PathBuf,
    /// Nothing, if nothing is replaced.
    _lock: Option<File>,
    /// What the backup holds.
    pub contents: Contents,
    /// Whether somebody made it of a database that was in use, with another program: what was in its companion `-wal`
    /// may not be in it.
    pub copied_by_hand: bool,
    /// The access keys of the store that is replaced, if they can be read.
    pub keys_before: Option<Vec<StoredAccessKey>>,
}

impl Restoration {
    /// Copies `backup` beside `database`, and brings it to the version of this program. `progress` hears how many bytes
    /// are there, and of how many.
    ///
    /// # Errors
    /// [`CopyError`], in words for the operator.
    pub fn begin(
        backup: &Path,
        database: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, CopyError> {
        if !is_file(backup)? {
            return Err(CopyError::Missing(backup.to_owned()));
        }
        let seen = Seen::at(backup).map_err(CopyError::unseen(backup))?;
        let destination = resolve(database)?;
        if Seen::at(&destination).is_ok_and(|store| store.is_same_file_as(&seen)) {
            return Err(CopyError::Same(backup.to_owned()));
        }
        // To close a file gives up every lock on it that this process has, so SQLite is done with it before the second.
        let looks_like_one = lock(&destination)?.is_some_and(|file| has_header(&file));
        let keys_before = if looks_like_one { settle(&destination) } else { None };
        let lock = lock(&destination)?;
        let draft = Draft::beside(&destination)?;
        draft.belong_to_the_owner_of(&destination)?;
        let (contents, copied_by_hand) = fill(&draft, backup, progress)?;
        forget_what_is_spent(&draft)?;
        Ok(Self { draft, destination, _lock: lock, contents, copied_by_hand, keys_before })
    }

    /// The store that will be, with the audit trail that is there, for what has to be changed before. It has to be dropped before [`Self::finish`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn store(&self) -> Result<SqliteStore, OpenError> {
        SqliteStore::open_with_trail(self.draft.path(), &trail_folder(&self.destination), &mut |_, _| {})
    }

    /// Gives it the store's name. What had the name is `aside` then, if there was anything.
    ///
    /// # Errors
    /// [`CopyError`], in words for the operator.
    pub fn finish(self, aside: &Path) -> Result<bool, CopyError> {
        let Self { draft, destination, .. } = &self;
        // What is in a companion yet would be lost by the new name.
        if companion(draft.path(), "-wal").exists() {
            return Err(CopyError::UnderWay(draft.path().to_owned()));
        }
        draft.sync()?;
        let there = destination.exists();
        if there {
            link_or_rename(destination, aside).map_err(CopyError::unwritable(aside))?;
        }
        move_companions(destination, aside)?;
        let Self { draft, destination, _lock: lock, .. } = self;
        draft.replace(&destination)?;
        drop(lock);
        Ok(there)
    }
}

/// Where a link leads: the file there is the one to replace.
fn resolve(database: &Path) -> Result<PathBuf, CopyError> {
    match fs::canonicalize(database) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(database.to_owned()),
        resolved => resolved.map_err(CopyError::unwritable(database)),
    }
}

/// Keeps everybody out of a database, for as long as the file stays open.
fn lock(database: &Path) -> Result<Option<File>, CopyError> {
    let file = match OpenOptions::new().read(true).write(true).open(database) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(CopyError::unwritable(database))?,
    };
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::AGAIN | Errno::ACCESS) => Err(CopyError::InUse(database.to_owned())),
        Err(error) => Err(CopyError::unwritable(database)(error.into())),
    }
}

/// Whether SQLite would know it. It deletes what is in the `-wal` of a file that it takes for an empty one.
fn has_header(mut file: &File) -> bool {
    const HEADER: &[u8; 16] = b"SQLite format 3\0";
    let mut found = [0; HEADER.len()];
    file.read_exact(&mut found).is_ok() && found == *HEADER
}

/// Brings what a killed server left in the companions into the file, so that it is whole under any name, and answers
/// the access keys in it. What cannot be read is damaged, and stays as it is.
fn settle(database: &Path) -> Option<Vec<StoredAccessKey>> {
    let connection = open::visitor(database).ok()?;
    open::written_version(database, &connection).ok()?;
    keys::list_access_keys(&connection).ok()
}

/// What the backup holds, and whether it was copied by hand.
fn fill(
    draft: &Draft,
    backup: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Contents, bool), CopyError> {
    let unusable = |error: OpenError| match error {
        OpenError::Sqlite { source, .. } if is_damage(&source) => {
            CopyError::DamagedBackup { path: backup.to_owned(), found: source.to_string() }
        }
        error => CopyError::Unusable(error),
    };
    let failed = |error: rusqlite::Error| unusable(open::sqlite_error(backup, error));
    let source = open::reader(backup).map_err(failed)?;
    open::written_version(backup, &source).map_err(unusable)?;
    let copied_by_hand = is_in_wal_mode(&source).map_err(failed)?;
    copy(&source, draft, progress).map_err(failed)?;
    let contents = examine(draft, backup).map_err(|flaw| match flaw {
        Flaw::Unusable(error) => CopyError::Unusable(error),
        Flaw::Damaged(found) => CopyError::DamagedBackup { path: backup.to_owned(), found },
    })?;
    Ok((contents, copied_by_hand))
}

fn is_damage(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt)
}

/// As a server keeps its store, and no backup of ours is.
fn is_in_wal_mode(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_one("PRAGMA journal_mode", [], |row| row.get(0)).map(|mode: String| mode == "wal")
}

/// Codes of logins that waited for their apps, and devices that waited for a login: they were redeemed since, or are over.
fn forget_what_is_spent(draft: &Draft) -> Result<(), CopyError> {
    let connection = open::writer(draft.path())?;
    let forget = "DELETE FROM login_grant; DELETE FROM device_authorization";
    connection.execute_batch(forget).map_err(CopyError::sqlite(draft.path()))
}

/// Left under the old name, SQLite would take them for the new file's.
fn move_companions(database: &Path, aside: &Path) -> Result<(), CopyError> {
    for suffix in COMPANIONS {
        let (from, to) = (companion(database, suffix), companion(aside, suffix));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            moved => moved.map_err(CopyError::unwritable(&to))?,
        }
    }
    Ok(())
}
