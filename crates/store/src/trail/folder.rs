//! The folder of a trail: files of lines, named by the number of their first line, and beside each that has ended an index.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
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

    /// Makes it, for its owner's eyes only, if it is not there. It belongs to whoever has the database beside it.
    pub(super) fn make(&self, database: &Path) -> std::io::Result<()> {
        match DirBuilder::new().mode(0o700).create(&self.0) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
            Ok(()) => belong_to_the_owner_of(database, &self.0),
        }
    }

    /// Where the lock is that whoever writes has to hold.
    pub(super) fn lock(&self) -> PathBuf {
        self.0.join(LOCK)
    }

    /// Opens a file of its own to read and to write, which is made, for its owner's eyes only, if it is not there.
    pub(super) fn open(&self, path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
        let is_new = !path.exists();
        let file = options.read(true).write(true).mode(0o600).open(path)?;
        if is_new {
            belong_to_the_owner_of(&self.0, path)?;
        }
        Ok(file)
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

    /// Makes a file of lines, or empties what somebody left who was killed while they made it.
    pub(super) fn create(&self, file: &TrailFile) -> std::io::Result<File> {
        self.open(&file.path, OpenOptions::new().create(true).truncate(true))
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

    /// Opens it to write.
    pub(super) fn open(&self) -> std::io::Result<File> {
        OpenOptions::new().read(true).write(true).open(&self.path)
    }
}

/// What root's command makes must not keep the server out, which runs as somebody else.
fn belong_to_the_owner_of(like: &Path, path: &Path) -> std::io::Result<()> {
    let (owner, own) = (fs::metadata(like)?, fs::metadata(path)?);
    if own.uid() == owner.uid() {
        return Ok(());
    }
    match chown(path, Some(owner.uid()), Some(owner.gid())) {
        // Whoever is not root writes to a folder that others let them write to.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}
