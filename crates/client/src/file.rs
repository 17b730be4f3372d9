//! The file of a session. It is replaced whole: whoever reads sees what was before or what is now, also after a crash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::keyring::{Key, Keyring, Manner, NoKeyring, apart};
use crate::name::{SessionName, named};
use crate::sealed::Sealed;
use crate::session::Session;

/// The form that this version writes. One that reads another asks for a new login.
const VERSION: u32 = 1;
/// More than any session takes.
const MAX_SIZE: u64 = 256 * 1024;
/// What nearly every session has room in.
const ROOM: usize = 32 * 1024;

/// What a file says.
#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    version: u32,
    url: String,
    app: String,
    /// Whether its owner wants the keyring, which outlasts the session that they said it of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    keyring: bool,
    state: State,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    SignedIn(Box<Session>),
    /// The same, sealed by a key that is in the keyring.
    Sealed(Sealed),
    /// The broker's reason. Nothing else is kept of the session.
    Over(String),
}

/// The file of one session, its lock, its drafts, and the key that seals it, if one does.
#[derive(Debug)]
pub(crate) struct SessionFile {
    dir: PathBuf,
    stem: String,
    name: SessionName,
    keyring: Arc<dyn Keyring>,
    /// The keyring is asked once.
    known: Mutex<Option<Key>>,
}

impl SessionFile {
    pub(crate) fn new(dir: &Path, name: &SessionName, keyring: Arc<dyn Keyring>) -> Self {
        let known = Mutex::default();
        Self { dir: dir.to_owned(), stem: name.file_stem(), name: name.clone(), keyring, known }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(format!("{}.json", self.stem))
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join(format!("{}.lock", self.stem))
    }

    /// The session, as it was written last. If it is sealed, the keyring is asked for its key, without a prompt.
    ///
    /// # Errors
    /// If there is none, it is over, or the file cannot be read or believed.
    pub(crate) async fn read(&self) -> Result<Session, Error> {
        self.read_as(Manner::Silent).await
    }

    /// The same, with a prompt of the keyring's if it wants one.
    pub(crate) async fn read_as(&self, manner: Manner) -> Result<Session, Error> {
        let Contents { state, keyring, .. } = self.contents()?;
        match state {
            State::SignedIn(session) => Ok(*session),
            State::Sealed(sealed) => self.open(&sealed, manner).await,
            State::Over(reason) => Err(Error::Over { name: self.name.clone(), reason, keyring }),
        }
    }

    /// Whether there may be a key of what is there. A file that is damaged does not say.
    pub(crate) fn may_have_key(&self) -> bool {
        match self.contents() {
            Ok(contents) => contents.keyring,
            Err(error) => matches!(error, Error::Damaged { .. }),
        }
    }

    /// Whether the keyring is wanted for what is there.
    pub(crate) fn wants_keyring(&self) -> bool {
        self.contents().is_ok_and(|contents| contents.keyring)
    }

    fn contents(&self) -> Result<Contents, Error> {
        let path = self.path();
        let text = match read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::NotSignedIn(self.name.clone()));
            }
            text => text.map_err(Error::file("read", &path))?,
        };
        match serde_json::from_slice::<Contents>(&text) {
            Ok(contents) if self.is_ours(&contents) => Ok(contents),
            // What stands in it is nobody's to see, so serde's words are left out.
            _ => Err(self.damaged(false)),
        }
    }

    fn damaged(&self, keyring: bool) -> Error {
        Error::Damaged { path: self.path(), name: self.name.clone(), keyring }
    }

    async fn open(&self, sealed: &Sealed, manner: Manner) -> Result<Session, Error> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(session) = known.and_then(|key| self.open_with(sealed, key)) {
            return Ok(session);
        }
        // There was none, or whoever signed in again has another.
        let found = self.find(manner).await.map_err(|why| Error::Keyring { name: self.name.clone(), why })?;
        let key = found.ok_or_else(|| Error::KeyGone(self.name.clone()))?;
        let session = self.open_with(sealed, key.clone()).ok_or_else(|| self.damaged(true))?;
        self.remember(Some(key));
        Ok(session)
    }

    async fn find(&self, manner: Manner) -> Result<Option<Key>, NoKeyring> {
        let account = self.account();
        apart(&self.keyring, move |keyring| keyring.find(&account, manner)).await
    }

    fn open_with(&self, sealed: &Sealed, key: Key) -> Option<Session> {
        let text = sealed.open(&key, &self.context())?;
        let session: Session = serde_json::from_slice(&text).ok()?;
        Some(Session { sealed_by: Some(key), ..session })
    }

    fn remember(&self, key: Option<Key>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// What a sealed session is of: in the file of another one it does not open.
    fn context(&self) -> String {
        format!("daypass session {VERSION}\n{}\n{}", self.name.url(), self.name.app())
    }

    /// What the entry in the keyring is called: as there is one session in each directory, there is a key for each.
    fn account(&self) -> String {
        let dir = self.dir.canonicalize().unwrap_or_else(|_| self.dir.clone());
        let file = dir.join(&self.stem);
        named(&digest(&SHA256, file.as_os_str().as_encoded_bytes()))
    }

    /// The key for what will be written, from the keyring or put there; and not believed before the keyring gave it back.
    pub(crate) async fn key(&self) -> Result<Key, NoKeyring> {
        let (account, label) = (self.account(), format!("Daypass: {}", self.name));
        let ready = move |keyring: &dyn Keyring| {
            if let Some(key) = keyring.find(&account, Manner::MayPrompt)? {
                return Ok(key);
            }
            let key = Key::draw();
            keyring.put(&account, &label, &key)?;
            match keyring.find(&account, Manner::Silent)? {
                Some(kept) if kept == key => Ok(key),
                _ => Err(NoKeyring::Failed("it did not keep what it was given".into())),
            }
        };
        let key = apart(&self.keyring, ready).await?;
        self.remember(Some(key.clone()));
        Ok(key)
    }

    /// The key that is there by now, for who holds the lock and so has nobody asked. A keyring that gives nothing since is
    /// believed to have the one of `before` still, unless the file is sealed by another one: whoever took that away and put a
    /// new one there, has written.
    pub(crate) async fn key_after(&self, before: &Key) -> Result<Key, Error> {
        let key = match self.find(Manner::Silent).await {
            Ok(found) => found.ok_or_else(|| Error::KeyGone(self.name.clone()))?,
            Err(why) if self.is_sealed_by_other_than(before) => return Err(why.into()),
            Err(_) => before.clone(),
        };
        self.remember(Some(key.clone()));
        Ok(key)
    }

    fn is_sealed_by_other_than(&self, key: &Key) -> bool {
        match self.contents() {
            Ok(Contents { state: State::Sealed(sealed), .. }) => {
                self.open_with(&sealed, key.clone()).is_none()
            }
            _ => false,
        }
    }

    /// Takes the key out of the keyring. If that fails, a key is left that opens copies of the file.
    pub(crate) async fn forget_key(&self) -> Result<(), NoKeyring> {
        let account = self.account();
        self.remember(None);
        apart(&self.keyring, move |keyring| keyring.remove(&account)).await
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
        let keyring = self.wants_keyring();
        self.draft()?.finish(State::Over(reason.to_owned()), keyring)
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
    /// Puts a session in the place of what is there, sealed if it came so.
    pub(crate) fn put(self, session: &Session) -> Result<(), Error> {
        let Some(key) = &session.sealed_by else {
            return self.finish(State::SignedIn(Box::new(session.clone())), false);
        };
        // What a vector leaves behind as it grows would be the session.
        let mut text = Zeroizing::new(Vec::with_capacity(ROOM));
        let written = serde_json::to_writer(&mut *text, session).map_err(io::Error::from);
        written.map_err(Error::file("write", self.of.path()))?;
        let sealed = Sealed::seal(key, &self.of.context(), &text);
        self.finish(State::Sealed(sealed), true)
    }

    fn finish(mut self, state: State, keyring: bool) -> Result<(), Error> {
        let name = &self.of.name;
        let (url, app) = (name.url().into(), name.app().into());
        let contents = Contents { version: VERSION, url, app, keyring, state };
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

#[cfg(test)]
mod tests;
