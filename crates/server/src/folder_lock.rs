//! A folder of which somebody changes files, which one at a time has for a moment.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// Nobody waits for longer than this for one who keeps a folder for good.
const PATIENCE: Duration = Duration::from_secs(3);

/// The folder, locked while the answer lives. A lock on a file in it would be lost as that is replaced, and one of its own would
/// stay in a folder that is not ours.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`], in words for whoever started it, if somebody keeps it; another kind if the file system has no
/// locks, or the folder cannot be opened.
pub fn lock(dir: &Path) -> io::Result<File> {
    let folder = File::open(dir)?;
    match folder.try_lock() {
        Err(TryLockError::WouldBlock) => in_line(folder, PATIENCE).ok_or_else(|| {
            let told = format!("{} is locked by another program: end that, or wait for it", dir.display());
            io::Error::new(io::ErrorKind::WouldBlock, told)
        }),
        Ok(()) => Ok(folder),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Waits in a thread of its own, which nobody waits for: if it gets the lock too late, it lets go of it at once.
fn in_line(folder: File, patience: Duration) -> Option<File> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let _ = folder.lock();
        let _ = sender.send(folder);
    });
    receiver.recv_timeout(patience).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_ever_for_one_who_keeps_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let kept = lock(dir.path()).unwrap();
        assert!(in_line(File::open(dir.path()).unwrap(), Duration::from_millis(1)).is_none());
        drop(kept);
        assert!(in_line(File::open(dir.path()).unwrap(), PATIENCE).is_some());
    }
}
