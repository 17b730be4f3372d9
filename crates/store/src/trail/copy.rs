//! A trail that is kept in no files, as the file that it would be: for whoever verifies it.

use std::io::{BufWriter, Write};
use std::path::Path;

use daypass_core::records::trail_line::Line;
use daypass_core::store::{EventPosition, Store, StoreError};
use tempfile::TempDir;

use super::findings::{Fault, Verified, What};
use super::folder::Folder;
use super::trouble::TrailTrouble;
use super::verify::{Keys, verify};

/// Why a trail was not copied.
#[derive(Debug, thiserror::Error)]
pub enum TrailCopyError {
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder's.
    #[error(transparent)]
    Folder(#[from] TrailTrouble),
    /// It was not there long enough.
    #[error(
        "servers dropped the old end of the trail each time while it was read: ask again, from where the database is nearer, or \
         while none of them runs"
    )]
    Shortened,
}

/// So often a trail is read whose old end goes meanwhile.
const ATTEMPTS: u32 = 10;

/// A folder with the lines of a trail, gone with this value.
#[derive(Debug)]
pub struct TrailCopy {
    folder: TempDir,
    /// The last line, as the store says.
    last: u64,
}

impl TrailCopy {
    /// Copies the trail of a store that keeps it in no files. `progress` hears of the lines that are copied, and how many there
    /// are.
    ///
    /// # Errors
    /// The store's, or that the folder for what is temporary cannot be written to.
    pub async fn of(store: &dyn Store, progress: &mut dyn FnMut(u64, u64)) -> Result<Self, TrailCopyError> {
        for _ in 0..ATTEMPTS {
            let (copy, first) = Self::from_first_line(store, progress).await?;
            // What is too old goes meanwhile: then there are lines missing in the copy, which the trail says at its end.
            if store.audit_trail_extent().await?.first == first {
                return Ok(copy);
            }
        }
        Err(TrailCopyError::Shortened)
    }

    /// Answers where the copy begins.
    async fn from_first_line(
        store: &dyn Store,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Self, EventPosition), TrailCopyError> {
        let made = tempfile::Builder::new().prefix("daypass-trail-").tempdir();
        let made = made.map_err(TrailTrouble::file(&std::env::temp_dir()))?;
        let extent = store.audit_trail_extent().await?;
        let copy = Self { folder: made, last: extent.last.0 };
        let folder = Folder::at(copy.folder());
        let file = folder.file(extent.first.0);
        let mut to = BufWriter::new(folder.create(&file).map_err(TrailTrouble::file(&file.path))?);
        let mut last = EventPosition(extent.first.0 - 1);
        while last < extent.last {
            let lines = store.audit_lines_after(last).await?.unwrap_or_default();
            if lines.is_empty() {
                break;
            }
            to.write_all(&lines).map_err(TrailTrouble::file(&file.path))?;
            let numbers = lines.split(|byte| *byte == b'\n').filter_map(Line::parse).map(|line| line.number);
            // What nobody can read may stand before what one can.
            last = EventPosition(numbers.max().unwrap_or(0).max(last.0 + 1));
            progress(last.0, extent.last.0);
        }
        to.flush().map_err(TrailTrouble::file(&file.path))?;
        Ok((copy, extent.first))
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Verifies it, and that it goes as far as the store says.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn verify(&self, keys: &Keys, progress: &mut dyn FnMut(u64, u64)) -> Result<Verified, TrailTrouble> {
        let mut found = verify(self.folder(), keys, None, progress)?;
        if found.last < self.last {
            let file = Folder::at(self.folder()).file(found.first).name();
            let what = What::CutOffBefore { last: self.last };
            found.faults.push(Fault { file, line: found.last, what });
        }
        Ok(found)
    }
}
