//! One refresh at a time, whichever process it is in. The lock is on a file of its own, which is never replaced or
//! removed: a lock on the session's file would be lost at each rename. The system frees it when its holder ends,
//! however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::error::Error;

/// What came of waiting for the lock.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It is ours, until this is dropped. Some file systems have no locks: then nobody holds it, and everybody goes on.
    Ours { _lock: File },
    /// Somebody else had it all the time.
    TooLong,
}

/// Waits for the lock, so long at most.
///
/// # Errors
/// If its file cannot be made.
pub(crate) async fn wait(path: &Path, patience: Duration) -> Result<Turn, Error> {
    let file = private(path).map_err(Error::file("write", path))?;
    match file.try_lock() {
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Turn::Ours { _lock: file }),
        Err(TryLockError::WouldBlock) => Ok(in_line(file, patience).await),
    }
}

/// Waits in a thread of its own, which nobody waits for: if it gets the lock too late, it lets go of it at once.
async fn in_line(file: File, patience: Duration) -> Turn {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        // An error means that there are no locks here; see `wait`.
        let _ = file.lock();
        let _ = sender.send(file);
    });
    match tokio::time::timeout(patience, receiver).await {
        Ok(Ok(file)) => Turn::Ours { _lock: file },
        _ => Turn::TooLong,
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
