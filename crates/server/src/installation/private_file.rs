//! Files that only their owner can read.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Writes a file of a directory that only its owner can read, whole or not at all.
pub(super) fn write_private(dir: &Path, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let (path, draft) = (dir.join(name), dir.join(format!("{name}.new")));
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
    let written = written
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, &path));
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
