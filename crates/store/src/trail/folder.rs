//! The folder of a trail: files of lines, named by the number of their first line, and beside each that has ended an index.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const LINES: &str = ".jsonl";
const INDEX: &str = ".index";
const LOCK: &str = "lock";

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

/// A file of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TrailFile {
    /// The number of its first line.
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

impl Folder {
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it, for its owner's eyes only, if it is not there.
    pub(super) fn make(&self) -> std::io::Result<()> {
        match DirBuilder::new().mode(0o700).create(&self.0) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// What whoever writes has to hold.
    pub(super) fn lock(&self) -> std::io::Result<File> {
        let path = self.0.join(LOCK);
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
    }

    /// All files of lines, the oldest first.
    pub(super) fn files(&self) -> std::io::Result<Vec<TrailFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let first = name.and_then(|name| name.strip_suffix(LINES)).and_then(|name| name.parse().ok());
            files.extend(first.map(|first| TrailFile { first, path }));
        }
        files.sort_by_key(|file| file.first);
        Ok(files)
    }

    /// The file that begins with a line.
    pub(super) fn file(&self, first: u64) -> TrailFile {
        TrailFile { first, path: self.0.join(format!("{first:012}{LINES}")) }
    }

    /// Where something is put away that was taken out of the line behind `number`. Nothing is there yet.
    pub(super) fn place_for_torn(&self, number: u64) -> PathBuf {
        let names = (0..).map(|again| match again {
            0 => format!("torn-{number:012}"),
            again => format!("torn-{number:012}-{again}"),
        });
        let free = names.map(|name| self.0.join(name)).find(|path| path.symlink_metadata().is_err());
        free.expect("some name is free")
    }

    /// Has the names in it outlive a loss of power.
    pub(super) fn sync(&self) -> std::io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

impl TrailFile {
    /// Where its index is, once it has ended.
    pub(super) fn index(&self) -> PathBuf {
        self.path.with_extension(&INDEX[1..])
    }

    /// Its name.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Makes it, or empties what somebody left who was killed while they made it.
    pub(super) fn create(&self) -> std::io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&self.path)
    }

    /// Opens it to write.
    pub(super) fn open(&self) -> std::io::Result<File> {
        OpenOptions::new().read(true).write(true).open(&self.path)
    }
}
