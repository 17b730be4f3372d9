//! The lock of a trail's folder: whoever has it may write.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::time::{Duration, Instant};

use super::folder::Folder;
use super::tail::identity;
use super::trouble::TrailTrouble as Trouble;

/// How often somebody tries who waits for the lock.
const PAUSE: Duration = Duration::from_micros(100);

/// The lock, which somebody may have.
#[derive(Debug)]
pub(super) struct Lock {
    folder: Folder,
    file: File,
    patience: Duration,
}

impl Lock {
    /// That of a folder, which others have for so long at most.
    pub(super) fn of(folder: &Folder, patience: Duration) -> Result<Self, Trouble> {
        Ok(Self { file: open(folder)?, folder: folder.clone(), patience })
    }

    /// Takes it. Others have it for a write each; whoever was stopped in the middle of one keeps nobody waiting for good.
    pub(super) fn hold(&mut self) -> Result<Held<'_>, Trouble> {
        let begun = Instant::now();
        loop {
            match self.file.try_lock() {
                // Whoever else comes locks what is at the path.
                Ok(()) if self.is_at_its_path() => return Ok(Held(&self.file)),
                Ok(()) => self.file = open(&self.folder)?,
                Err(TryLockError::WouldBlock) if begun.elapsed() < self.patience => pause(),
                Err(TryLockError::WouldBlock) => return Err(Trouble::Locked(self.folder.path().to_owned())),
                Err(TryLockError::Error(error)) => return Err(Trouble::file(&self.folder.lock())(error)),
            }
        }
    }

    fn is_at_its_path(&self) -> bool {
        let at_path = fs::metadata(self.folder.lock()).map(|found| identity(&found));
        let own = self.file.metadata().map(|found| identity(&found));
        matches!((at_path, own), (Ok(at_path), Ok(own)) if at_path == own)
    }
}

fn open(folder: &Folder) -> Result<File, Trouble> {
    let path = folder.lock();
    folder.open(&path, OpenOptions::new().create(true)).map_err(Trouble::file(&path))
}

#[expect(clippy::disallowed_methods, reason = "another process is waited for, whatever a clock says")]
fn pause() {
    std::thread::sleep(PAUSE);
}

/// The lock, as long as it is held.
pub(super) struct Held<'a>(&'a File);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // It ends with the file at the latest.
        let _ = self.0.unlock();
    }
}
