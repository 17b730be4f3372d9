//! The buckets of this endpoint, on the disk of one machine. A key is text and never a path: what is kept of an object
//! stands in an index (`index.rs`), its bytes in files that are named by number (`blobs.rs`). An upload is written
//! beside, checked, and put in place by one transaction of the index, so that a key has the old object or the new one,
//! whole, whenever the process ends. Files that nothing holds any more are swept away after the next start.

mod blobs;
mod buckets;
mod content;
mod error;
mod index;
mod intake;
mod listing;
mod object;
mod objects;
mod paging;
mod sweep;
mod takeover;
#[cfg(test)]
mod tests;
mod uploads;

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use daypass_core::ground::clock::{Clock, Timestamp};
use daypass_core::ground::random::Random;

use self::blobs::Blobs;
pub(super) use self::buckets::CorsRule;
pub(super) use self::content::Content;
pub(super) use self::error::DiskError;
use self::index::Index;
pub(super) use self::intake::{Intake, Taken, Untaken};
pub(super) use self::listing::Listed;
pub(super) use self::object::{Object, Properties, Tags};
pub(super) use self::objects::{Described, OnlyIf};
pub(super) use self::paging::{Entry, Page, Paging};
pub(super) use self::uploads::{CompletedPart, Completion, Part, Upload};
use super::digests::Digests;

/// The folder, among those of buckets that are to be taken over, in which everything is. No bucket can have its name.
const FOLDER: &str = ".objects";

/// The buckets in a folder.
#[derive(Clone)]
pub(super) struct Disk(Arc<Inner>);

struct Inner {
    index: Index,
    blobs: Arc<Blobs>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Tells other processes that the folder is in use, for as long as it is open.
    _lock: File,
}

impl Disk {
    /// Opens the buckets in a folder, and takes over the folders of files that are in it: each becomes a bucket.
    ///
    /// # Errors
    /// If the folder cannot be used, or another process uses it.
    pub fn open(root: &Path, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> anyhow::Result<Self> {
        let folder = root.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let lock = lock(&folder.join("lock"))?;
        let (index, is_new) = Index::open(&folder.join("index.sqlite"))?;
        let files = folder.join("blobs");
        // What an index that is gone said of files, nobody knows.
        if is_new && files.exists() {
            fs::remove_dir_all(&files)?;
        }
        let blobs = Arc::new(Blobs::new(files, index.begin_run()?));
        let disk = Self(Arc::new(Inner { index, blobs, clock, random, _lock: lock }));
        takeover::take_over(&disk, root)?;
        sweep::begin(&disk)?;
        Ok(disk)
    }

    /// What takes the body of an upload.
    pub fn intake(&self, digests: Digests) -> Intake {
        Intake::new(self.0.blobs.clone(), digests)
    }

    /// What tells it the time.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock.clone()
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Does what waits for the disk, on a thread that may wait.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, DiskError> + Send + 'static,
    ) -> Result<T, DiskError> {
        let disk = self.clone();
        tokio::task::spawn_blocking(move || work(&disk)).await.map_err(|_| DiskError::Stopped)?
    }
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            anyhow::bail!("another process uses the buckets that {} locks; end it first", path.display())
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}
