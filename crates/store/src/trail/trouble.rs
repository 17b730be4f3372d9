//! What keeps a trail from its work, and the cure, in words for the operator.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daypass_core::store::StoreError;

/// Why an event is not kept, or not found.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TrailTrouble {
    /// The file system refuses.
    #[error("the audit trail {path}: {cure} ({error})", path = path.display(), cure = cure(error))]
    File {
        /// The file, or the folder.
        path: PathBuf,
        /// What it said.
        error: Arc<std::io::Error>,
    },
    /// What is at the path is not what is open.
    #[error(
        "{path} was moved, replaced or deleted while Daypass wrote to it, so nothing that is decided can be recorded: put \
         back the very file, or start Daypass again to go on with what is there", path = .0.display()
    )]
    Displaced(PathBuf),
    /// Lines that were there are gone, or are others.
    #[error(
        "{path} has not got line {number} as it was written: put the file back as it was, or start Daypass again to go on \
         with what is there; `daypass audit verify` says then what is missing", path = path.display()
    )]
    Cut {
        /// The file.
        path: PathBuf,
        /// The last line that was written.
        number: u64,
    },
    /// The end of a file is no line, nor what is left of one.
    #[error(
        "the end of {path} is damaged: put back a copy of it, or move the file away to begin a new one; `daypass audit \
         verify` says then what is missing", path = .0.display()
    )]
    Damaged(PathBuf),
    /// What is to be dropped is not as it was written, or what is before it.
    #[error(
        "nothing is dropped of the audit trail, whatever [audit] keep and keep_size say, because {path} is not as it was \
         written, or does not follow what is before it: `daypass audit verify` says more", path = .0.display()
    )]
    Doubtful(PathBuf),
    /// Somebody else signs.
    #[error(
        "nothing is dropped of {path}, because none of this configuration's master keys has signed its end: see whether folder and \
         master key are of one installation, and whether all servers have the newest master key", path = .0.display()
    )]
    OtherKey(PathBuf),
    /// Somebody else has the lock, and does not come to an end.
    #[error("another program kept {path} locked for seconds: end that program (`fuser` names it)", path = .0.display())]
    Locked(PathBuf),
    /// Too many wait.
    #[error("too many decisions wait to be recorded already")]
    Behind,
    /// The thread is gone.
    #[error(
        "the thread that records has ended: start Daypass again, and report what the log says of a panic"
    )]
    Ended,
}

impl TrailTrouble {
    /// What the file system said of a path.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::File { path: path.to_owned(), error: Arc::new(error) }
    }
}

impl From<TrailTrouble> for StoreError {
    fn from(trouble: TrailTrouble) -> Self {
        match trouble {
            TrailTrouble::Damaged(_) => Self::Corrupt(Box::new(trouble)),
            trouble => Self::Unavailable(Box::new(trouble)),
        }
    }
}

fn cure(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "there is no space left for it: make space, and Daypass goes on by itself; [audit] keep limits it"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "this user may not write to it: the folder and its files must be writable by whoever runs Daypass"
        }
        ErrorKind::NotFound => "it is not there: put it back where it was",
        _ => "it cannot be read or written",
    }
}
