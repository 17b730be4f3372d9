//! A trail that is kept in no files, as the file that it would be: for whoever verifies it.

use std::io::{BufWriter, Write};
use std::path::Path;

use daypass_core::records::trail_line::Line;
use daypass_core::store::{EventPosition, Store, StoreError};
use tempfile::TempDir;

use super::folder::Folder;
use super::trouble::TrailTrouble;

/// Why a trail was not copied.
#[derive(Debug, thiserror::Error)]
pub enum TrailCopyError {
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder's.
    #[error(transparent)]
    Folder(#[from] TrailTrouble),
}

/// A folder with the lines of a trail, gone with this value.
#[derive(Debug)]
pub struct TrailCopy(TempDir);

impl TrailCopy {
    /// Copies the trail of a store that keeps it in no files. `progress` hears of the lines that are copied, and how many there
    /// are.
    ///
    /// # Errors
    /// The store's, or that the folder for what is temporary cannot be written to.
    pub async fn of(store: &dyn Store, progress: &mut dyn FnMut(u64, u64)) -> Result<Self, TrailCopyError> {
        let made = tempfile::Builder::new().prefix("daypass-trail-").tempdir();
        let copy = Self(made.map_err(TrailTrouble::file(&std::env::temp_dir()))?);
        let extent = store.audit_trail_extent().await?;
        let folder = Folder::at(copy.folder());
        let file = folder.file(extent.first.0);
        let mut to = BufWriter::new(folder.create(&file).map_err(TrailTrouble::file(&file.path))?);
        let mut last = EventPosition(extent.first.0 - 1);
        while last < extent.last {
            let lines = store.audit_lines_after(last).await?.unwrap_or_default();
            to.write_all(&lines).map_err(TrailTrouble::file(&file.path))?;
            let numbers = lines.split(|byte| *byte == b'\n').filter_map(Line::parse).map(|line| line.number);
            let Some(newest) = numbers.max().filter(|newest| *newest > last.0) else { break };
            last = EventPosition(newest);
            progress(last.0, extent.last.0);
        }
        to.flush().map_err(TrailTrouble::file(&file.path))?;
        Ok(copy)
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}
