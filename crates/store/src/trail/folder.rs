//! The folder of a trail: files of lines, named by the number of their first line, and beside each that has ended an index.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown, lchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use daypass_core::records::trail_line::NUMBERS;

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
            Ok(()) => {
                let own = fs::symlink_metadata(&self.0)?;
                belong_to_the_owner_of(database, &own, |uid, gid| lchown(&self.0, Some(uid), Some(gid)))
            }
        }
    }

    /// Where the lock is that whoever writes has to hold.
    pub(super) fn lock(&self) -> PathBuf {
        self.0.join(LOCK)
    }

    /// Opens a file of its own to read and to write, which is made, for its owner's eyes only, if it is not there.
    pub(super) fn open(&self, path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
        let file = open_regular(options.read(true).write(true).mode(0o600), path)?;
        let own = file.metadata()?;
        if own.len() == 0 {
            belong_to_the_owner_of(&self.0, &own, |uid, gid| fchown(&file, Some(uid), Some(gid)))?;
        }
        Ok(file)
    }

    /// All files of lines, the oldest first.
    pub(super) fn files(&self) -> std::io::Result<Vec<TrailFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            if !entry.file_type()?.is_file() {
                continue;
            }
            let path = entry.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let first = name.and_then(|name| name.strip_suffix(LINES)).and_then(|name| name.parse().ok());
            let first = first.filter(|first| NUMBERS.contains(first));
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
        open_regular(OpenOptions::new().read(true).write(true), &self.path)
    }

    /// Opens it to read.
    pub(super) fn read(&self) -> std::io::Result<File> {
        open_to_read(&self.path)
    }
}

/// Opens something of the folder to read.
pub(super) fn open_to_read(path: &Path) -> std::io::Result<File> {
    open_regular(OpenOptions::new().read(true), path)
}

/// Whoever can write to the folder has root's command follow no link out of it, and nobody wait for a pipe.
fn open_regular(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(Error::other("it is no file of lines")) }
}

/// What root's command makes must not keep the server out, which runs as somebody else.
fn belong_to_the_owner_of(
    like: &Path,
    own: &Metadata,
    give: impl FnOnce(u32, u32) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let owner = fs::metadata(like)?;
    if own.uid() == owner.uid() {
        return Ok(());
    }
    match give(owner.uid(), owner.gid()) {
        // Whoever is not root writes to a folder that others let them write to.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}
