//! Files of bytes, named by numbers that are never given twice. A file that somebody reads stays until they have
//! read it, though nothing holds it any more.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

/// How many files are in one folder.
const IN_A_FOLDER: u32 = 1 << 10;

/// Bytes that are no more than these lie in the index, which is faster than a file for each, and takes less.
pub(super) const SMALL: usize = 16 << 10;

/// The name of a file, or of bytes in the index: the number of the run that made it, and its number within that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct BlobId(i64);

impl BlobId {
    pub fn new(run: u32, number: u32) -> Self {
        Self(i64::from(run) << 32 | i64::from(number))
    }

    fn path(self, root: &Path) -> PathBuf {
        let (run, number) = (self.0 >> 32, self.0 & i64::from(u32::MAX));
        let folder = number / i64::from(IN_A_FOLDER);
        root.join(format!("{run:x}")).join(format!("{folder:x}")).join(format!("{number:x}"))
    }
}

impl ToSql for BlobId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for BlobId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

/// A run of bytes of an object: all of a file, or of what lies in the index by this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    pub blob: BlobId,
    pub size: u64,
}

/// The files.
pub(super) struct Blobs {
    root: PathBuf,
    run: u32,
    next: AtomicU32,
    in_use: Mutex<InUse>,
}

/// Who reads what: how many readers a file has, and whether it goes when they are done.
#[derive(Default)]
struct InUse(HashMap<BlobId, (usize, bool)>);

impl Blobs {
    pub fn new(root: PathBuf, run: u32) -> Self {
        Self { root, run, next: AtomicU32::new(0), in_use: Mutex::default() }
    }

    /// The folder of all of them, and the run that makes more.
    pub fn place(&self) -> (&Path, u32) {
        (&self.root, self.run)
    }

    /// A name that nothing had before.
    pub fn name(&self) -> BlobId {
        BlobId::new(self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A name for a new file, in a folder that is there.
    pub fn reserve(self: &Arc<Self>) -> io::Result<Reserved> {
        let id = self.name();
        let path = id.path(&self.root);
        if !path.parent().is_some_and(Path::exists) {
            fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
        }
        Ok(Reserved { blobs: self.clone(), id, is_held: false })
    }

    /// Opens a file to be read.
    pub fn open(&self, id: BlobId) -> io::Result<File> {
        File::open(id.path(&self.root))
    }

    /// Keeps files until the answer is dropped, though they may be removed meanwhile.
    pub fn read(self: &Arc<Self>, pieces: &[Piece]) -> Reading {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in pieces {
            in_use.0.entry(piece.blob).or_default().0 += 1;
        }
        Reading { blobs: self.clone(), ids: pieces.iter().map(|piece| piece.blob).collect() }
    }

    /// Removes files that nothing holds any more, all of them before anybody else begins to read one.
    pub fn remove(&self, ids: &[BlobId]) {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            match in_use.0.get_mut(id) {
                Some((_, goes)) => *goes = true,
                None => self.unlink(*id),
            }
        }
    }

    /// What cannot be removed now is swept away after the next start.
    fn unlink(&self, id: BlobId) {
        let _ = fs::remove_file(id.path(&self.root));
    }
}

/// Files that somebody reads.
pub(super) struct Reading {
    blobs: Arc<Blobs>,
    ids: Vec<BlobId>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut in_use = self.blobs.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        for id in &self.ids {
            let Some((readers, goes)) = in_use.0.get_mut(id) else { continue };
            *readers -= 1;
            if *readers > 0 {
                continue;
            }
            if *goes {
                self.blobs.unlink(*id);
            }
            in_use.0.remove(id);
        }
    }
}

/// A file that is removed again unless the index comes to hold it.
pub(super) struct Reserved {
    blobs: Arc<Blobs>,
    id: BlobId,
    is_held: bool,
}

impl Reserved {
    pub fn id(&self) -> BlobId {
        self.id
    }

    pub fn path(&self) -> PathBuf {
        self.id.path(&self.blobs.root)
    }

    /// The index holds it now.
    pub fn keep(mut self) {
        self.is_held = true;
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.is_held {
            self.blobs.unlink(self.id);
        }
    }
}
