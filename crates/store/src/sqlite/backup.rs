//! Backups: the whole store in one file, taken beside whatever writes to it.

use std::path::Path;

use super::copy::{COMPANIONS, Contents, CopyError, Draft, Flaw, copy, examine, is_file};
use super::file::companion;
use super::open;

/// Copies the store in `database` into a new `file`, which is complete and checked or not there. Whatever was committed
/// before is in it; whoever writes meanwhile does not wait. `progress` hears how many bytes are there, and of how many.
///
/// # Errors
/// [`CopyError`], in words for the operator.
pub fn back_up(
    database: &Path,
    file: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Contents, CopyError> {
    // A companion that was left alone would be taken for the backup's.
    for taken in std::iter::once(file.to_owned()).chain(COMPANIONS.map(|suffix| companion(file, suffix))) {
        if taken.symlink_metadata().is_ok() {
            return Err(CopyError::Taken(taken));
        }
    }
    if !is_file(database)? {
        return Err(CopyError::Missing(database.to_owned()));
    }
    let source = open::visitor(database).map_err(CopyError::sqlite(database))?;
    open::written_version(database, &source)?;
    open::ensure_finished(database, &source)?;
    let draft = Draft::beside(file)?;
    copy(&source, &draft, progress).map_err(CopyError::sqlite(database))?;
    let contents = examine(&draft, database).map_err(|flaw| match flaw {
        Flaw::Unusable(error) => CopyError::Unusable(error),
        Flaw::Damaged(found) => CopyError::DamagedStore { path: database.to_owned(), found },
    })?;
    draft.sync()?;
    draft.put_at_free_place(file)?;
    Ok(contents)
}
