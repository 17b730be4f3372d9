//! Remembers what an installed directory was made from. The stamp lies inside that directory and is written
//! last, so an installation that was interrupted, removed, or made from another list is made again.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Outcome;

const NAME: &str = ".daypass-made-from";

static INSTALLING: Mutex<()> = Mutex::new(());
static COMPILING: Mutex<()> = Mutex::new(());

/// Waits until nobody else here installs anything, and keeps it so as long as the answer is kept.
pub(crate) fn installing() -> MutexGuard<'static, ()> {
    INSTALLING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same for a program that is compiled, which takes minutes in which others may be installed.
pub(crate) fn compiling() -> MutexGuard<'static, ()> {
    COMPILING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether `directory` was completely made from `recipe`.
pub(crate) fn is_current(directory: &Path, recipe: &str) -> bool {
    std::fs::read_to_string(directory.join(NAME)).is_ok_and(|made_from| made_from == recipe)
}

/// Records that `directory` is now completely made from `recipe`.
pub(crate) fn set(directory: &Path, recipe: &str) -> Outcome {
    Ok(std::fs::write(directory.join(NAME), recipe)?)
}

/// Reads the list that a directory is made from, such as a lock file.
pub(crate) fn recipe(file: &Path) -> Outcome<String> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()).into())
}
