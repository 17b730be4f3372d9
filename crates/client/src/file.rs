//! The file of a session. It is replaced whole: whoever reads sees what was before or what is now, also after a crash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::name::SessionName;
use crate::session::Session;

/// The form that this version writes. One that reads another asks for a new login.
const VERSION: u32 = 1;
/// More than any session takes.
const MAX_SIZE: u64 = 256 * 1024;

/// What a file says.
#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    version: u32,
    url: String,
    app: String,
    state: State,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    SignedIn(Box<Session>),
    /// The broker's reason. Nothing else is kept of the session.
    Over(String),
}

/// The file of one session, its lock, and its drafts.
#[derive(Debug)]
pub(crate) struct SessionFile {
    dir: PathBuf,
    stem: String,
    name: SessionName,
}

impl SessionFile {
    pub(crate) fn new(dir: &Path, name: &SessionName) -> Self {
        Self { dir: dir.to_owned(), stem: name.file_stem(), name: name.clone() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(format!("{}.json", self.stem))
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join(format!("{}.lock", self.stem))
    }

    /// The session, as it was written last.
    ///
    /// # Errors
    /// If there is none, it is over, or the file cannot be read or believed.
    pub(crate) fn read(&self) -> Result<Session, Error> {
        let path = self.path();
        let text = match read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::NotSignedIn(self.name.clone()));
            }
            text => text.map_err(Error::file("read", &path))?,
        };
        match serde_json::from_slice::<Contents>(&text) {
            Ok(contents) if self.is_ours(&contents) => match contents.state {
                State::SignedIn(session) => Ok(*session),
                State::Over(reason) => Err(Error::Over { name: self.name.clone(), reason }),
            },
            // What stands in it is nobody's to see, so serde's words are left out.
            _ => Err(Error::Damaged { path, name: self.name.clone() }),
        }
    }

    fn is_ours(&self, contents: &Contents) -> bool {
        contents.version == VERSION && contents.url == self.name.url() && contents.app == self.name.app()
    }

    /// Begins to write: whoever has no room or no right to hears it before a token is spent.
    pub(crate) fn draft(&self) -> Result<Draft<'_>, Error> {
        static DRAFTS: AtomicU64 = AtomicU64::new(0);
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("{}.{}-{number}.new", self.stem, std::process::id()));
        let file = private(&path).map_err(Error::file("write", &path))?;
        Ok(Draft { of: self, path, file })
    }

    /// Says of a session that it is over, and forgets the rest.
    pub(crate) fn write_over(&self, reason: &str) -> Result<(), Error> {
        self.draft()?.finish(State::Over(reason.to_owned()))
    }

    /// Takes the session away, and what a crash may have left of it. The lock stays: others may be waiting for it.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        self.remove_drafts();
        let path = self.path();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
            _ => Ok(()),
        }
    }

    /// Takes away what was begun and never finished. Whoever holds the lock is alone in writing.
    pub(crate) fn remove_drafts(&self) {
        let of_this = format!("{}.", self.stem);
        let is_draft = |name: &str| name.strip_prefix(&of_this).is_some_and(|rest| rest.contains(".new"));
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(is_draft)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// What will take the file's place.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    of: &'a SessionFile,
    path: PathBuf,
    file: File,
}

impl Draft<'_> {
    /// Puts a session in the place of what is there.
    pub(crate) fn put(self, session: &Session) -> Result<(), Error> {
        self.finish(State::SignedIn(Box::new(session.clone())))
    }

    fn finish(mut self, state: State) -> Result<(), Error> {
        let name = &self.of.name;
        let contents = Contents { version: VERSION, url: name.url().into(), app: name.app().into(), state };
        let text = serde_json::to_vec_pretty(&contents).map_err(io::Error::from);
        let written = text.and_then(|text| {
            self.file.write_all(&text)?;
            self.file.sync_all()?;
            fs::rename(&self.path, self.of.path())?;
            sync_directory(&self.of.dir)
        });
        written.map_err(Error::file("write", self.of.path()))
    }
}

/// A draft that was not put in place is gone.
impl Drop for Draft<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The name of the session that a file is of, if it is one.
pub(crate) fn name_in(path: &Path) -> Option<SessionName> {
    path.extension().filter(|extension| *extension == "json")?;
    let Contents { url, app, .. } = serde_json::from_slice(&read(path).ok()?).ok()?;
    let name = SessionName::new(&url, &app).ok()?;
    (path.file_stem()?.to_str()? == name.file_stem()).then_some(name)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_SIZE).read_to_end(&mut text)?;
    Ok(text)
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A rename is on the disk when its directory is (rename(2), fsync(2)). Windows has no such thing.
#[cfg(unix)]
fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
