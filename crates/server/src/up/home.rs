//! The directory in which `up` keeps its state. Its owner alone can read it: it holds the master key.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::random::Random;
use daypass_core::seal::MasterKey;
use daypass_core::secret::Secret;

use crate::serve::parse_master_key;
use crate::telemetry::{self, Lines};

const MASTER_KEY: &str = "master-key";
const SANDBOX_CLIENT_SECRET: &str = "sandbox-client-secret";

/// The directory, and a lock that keeps a second `up` out of it while this value lives.
#[derive(Debug)]
pub(crate) struct Home {
    dir: PathBuf,
    _lock: Option<File>,
}

impl Home {
    /// Opens the directory, making it and its secrets where they are missing.
    pub fn open(dir: &Path, random: &dyn Random) -> anyhow::Result<Self> {
        let made =
            DirBuilder::new().recursive(true).mode(0o700).create(dir).and_then(|()| dir.canonicalize());
        let dir = made.with_context(|| format!("cannot use {} to keep the state in", dir.display()))?;
        let lock = lock(&dir)?;
        let home = Self { dir, _lock: Some(lock) };
        home.make_once(MASTER_KEY, &BASE64_STANDARD.encode(random.bytes::<32>()))?;
        home.make_once(SANDBOX_CLIENT_SECRET, Secret::generate_access_key(random).expose())?;
        Ok(home)
    }

    /// Opens a directory that `up` made before.
    pub fn existing(dir: &Path) -> anyhow::Result<Self> {
        let home = Self { dir: dir.to_owned(), _lock: None };
        if home.database().exists() {
            return Ok(home);
        }
        anyhow::bail!(
            "there is no Daypass state in {}: start `daypass up` first, or name its --dir",
            dir.display()
        )
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn database(&self) -> PathBuf {
        self.dir.join("daypass.db")
    }

    pub fn master_key(&self) -> anyhow::Result<MasterKey> {
        let text = self.read_secret(MASTER_KEY)?;
        parse_master_key(&text)
            .with_context(|| format!("{} is not a master key", self.dir.join(MASTER_KEY).display()))
    }

    pub fn sandbox_client_secret_file(&self) -> PathBuf {
        self.dir.join(SANDBOX_CLIENT_SECRET)
    }

    pub fn sandbox_client_secret(&self) -> anyhow::Result<Secret> {
        self.read_secret(SANDBOX_CLIENT_SECRET)
    }

    pub fn log(&self) -> anyhow::Result<Lines> {
        self.lines("log", "log.jsonl")
    }

    pub fn audit_log(&self) -> anyhow::Result<Lines> {
        self.lines("audit", "audit.jsonl")
    }

    /// The folder of all buckets, with this one in it.
    pub fn buckets(&self, bucket: &str) -> anyhow::Result<PathBuf> {
        let root = self.dir.join("s3");
        fs::create_dir_all(root.join(bucket)).with_context(|| format!("cannot make {}", root.display()))?;
        Ok(root)
    }

    /// Writes a file that only its owner can read, whole or not at all.
    pub fn write_private(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let (path, draft) = (self.dir.join(name), self.dir.join(format!("{name}.new")));
        let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
        let written = written
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&draft, &path));
        written.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    fn lines(&self, name: &'static str, file: &str) -> anyhow::Result<Lines> {
        let path = self.dir.join(file);
        telemetry::file(name, &path).with_context(|| format!("cannot write {}", path.display()))
    }

    /// A secret is made by whoever comes first, and never replaced: what it sealed would be lost.
    fn make_once(&self, name: &str, secret: &str) -> anyhow::Result<()> {
        let path = self.dir.join(name);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match made.and_then(|mut file| file.write_all(secret.as_bytes())) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(error).with_context(|| format!("cannot write {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    fn read_secret(&self, name: &str) -> anyhow::Result<Secret> {
        let path = self.dir.join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Secret::new(text.trim()))
    }
}

/// Two servers on one directory would write each other's profile, and issue tokens under two names.
fn lock(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.with_context(|| format!("cannot write {}", path.display()))?;
    file.try_lock().with_context(|| {
        format!("another `daypass up` runs on {}: end it, or name another --dir", dir.display())
    })?;
    Ok(file)
}
