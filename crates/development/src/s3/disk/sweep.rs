//! Sweeps away what earlier runs left behind: files that nothing holds, because a process ended in the middle of an upload
//! or of a removal, and uploads that nobody completed for a week, as the usual lifecycle rule does.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use daypass_core::ground::clock::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::blobs::{BlobId, Piece};
use super::objects::let_go;
use super::{Disk, DiskError, Inner};

/// How long an upload may be under way.
const LONGEST_UPLOAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Begins to sweep, on a thread of its own that ends when the buckets are closed.
pub(super) fn begin(disk: &Disk) -> Result<(), DiskError> {
    forget_uploads(disk)?;
    let inner = Arc::downgrade(&disk.0);
    let sweep = move || {
        if let Err(error) = sweep(&inner) {
            tracing::warn!(%error, "what earlier runs left behind among the objects could not be swept away");
        }
    };
    std::thread::Builder::new().name("s3-sweep".into()).spawn(sweep)?;
    Ok(())
}

fn forget_uploads(disk: &Disk) -> Result<(), DiskError> {
    let oldest = disk.now().saturating_sub(LONGEST_UPLOAD).map_or(i64::MIN, Timestamp::as_millisecond);
    disk.0.index.write(|index| {
        let mut ask = index
            .prepare("SELECT pieces FROM part WHERE upload IN (SELECT id FROM upload WHERE begun < ?1)")?;
        let texts = ask.query_map([oldest], |row| row.get::<_, String>(0))?;
        for text in texts.collect::<Result<Vec<_>, _>>()? {
            let_go(index, &serde_json::from_str::<Vec<Piece>>(&text)?)?;
        }
        index.execute(
            "DELETE FROM part WHERE upload IN (SELECT id FROM upload WHERE begun < ?1)",
            params![oldest],
        )?;
        index.execute("DELETE FROM upload WHERE begun < ?1", params![oldest])?;
        Ok(())
    })
}

/// Removes the files of earlier runs that the ledger does not have, and folders that are empty.
fn sweep(inner: &Weak<Inner>) -> Result<(), DiskError> {
    let Some((root, run)) = inner.upgrade().map(|inner| {
        let (root, run) = inner.blobs.place();
        (root.to_owned(), run)
    }) else {
        return Ok(());
    };
    for (path, number) in numbered(&root) {
        if number < run {
            sweep_run(inner, &path, number)?;
        }
    }
    Ok(())
}

fn sweep_run(inner: &Weak<Inner>, path: &Path, run: u32) -> Result<(), DiskError> {
    for (folder, _) in numbered(path) {
        for (_, number) in numbered(&folder) {
            let Some(inner) = inner.upgrade() else { return Ok(()) };
            let id = BlobId::new(run, number);
            if !is_held(&inner, id)? {
                inner.blobs.remove(&[id]);
            }
        }
        // It stays while something is in it.
        let _ = fs::remove_dir(&folder);
    }
    let _ = fs::remove_dir(path);
    Ok(())
}

fn is_held(inner: &Inner, id: BlobId) -> Result<bool, DiskError> {
    inner.index.read(|index| {
        let mut ask = index.prepare_cached("SELECT 1 FROM blob WHERE id = ?1")?;
        Ok(ask.query_row([id], |_| Ok(())).optional()?.is_some())
    })
}

/// What in a folder is named by a number.
fn numbered(folder: &Path) -> Vec<(PathBuf, u32)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let number = |path: &Path| u32::from_str_radix(path.file_name()?.to_str()?, 16).ok();
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths.filter_map(|path| number(&path).map(|number| (path, number))).collect()
}
