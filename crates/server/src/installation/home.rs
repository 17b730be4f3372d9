//! The directory in which `up` keeps its state. Its owner alone can read it: it holds the master key.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::ground::master_keys::MasterKey;
use daypass_core::ground::random::Random;
use daypass_core::ground::seal::MasterKeyId;
use daypass_core::ground::secret::Secret;

use super::folder::{Folder, is_there};
use super::next_master_key;
use super::private_file::write_private;
use crate::config::development::{DATABASE, MASTER_KEY, SANDBOX_CLIENT_SECRET};
use crate::config::parse_master_key;
use crate::telemetry::{self, Lines};

/// The directory, and a lock that keeps a second `up` out of it while this value lives.
#[derive(Debug)]
pub struct Home {
    dir: PathBuf,
    /// What the developer has to hear of.
    pub warnings: Vec<String>,
    _lock: Option<File>,
}

impl Home {
    /// Opens the directory, making it and its secrets where they are missing.
    pub fn open(dir: &Path, random: &dyn Random) -> anyhow::Result<Self> {
        let Folder { path: dir, warning } = Folder::prepare(dir)?;
        let lock = lock(&dir)?;
        let home = Self { dir, warnings: warning.into_iter().collect(), _lock: Some(lock) };
        ensure!(
            is_there(&home.master_key_file())? || !is_there(&home.database())?,
            "{key} is missing, and what {database} keeps is sealed under it: bring the key back from where you keep a \
             copy, or move {dir} away to begin anew",
            key = home.master_key_file().display(),
            database = home.database().display(),
            dir = home.dir.display()
        );
        home.make_once(MASTER_KEY, &BASE64_STANDARD.encode(random.bytes::<32>()))?;
        home.make_once(SANDBOX_CLIENT_SECRET, Secret::generate_access_key(random).expose())?;
        Ok(home)
    }

    /// Opens a directory that `up` made before.
    pub fn existing(dir: &Path) -> anyhow::Result<Self> {
        let dir = whole(dir);
        let home = Self { dir: dir.clone(), warnings: Vec::new(), _lock: None };
        if is_there(&home.database())? {
            return Ok(home);
        }
        anyhow::bail!(
            "there is no Daypass state in {}: start `daypass up` first, or name its --dir; for an installation of `daypass serve`, \
             name its configuration: -c daypass.toml, or $DAYPASS_CONFIG",
            dir.display()
        )
    }

    /// Opens a directory whose database is to be replaced, or is lost, and keeps `up` out of it. Without its master key
    /// it is none.
    pub fn to_restore(dir: &Path) -> anyhow::Result<Self> {
        ensure!(
            is_there(dir)? && dir.is_dir(),
            "there is no directory {}: name the --dir of `daypass up`",
            dir.display()
        );
        let home = Self { dir: whole(dir), warnings: Vec::new(), _lock: None };
        home.master_key()?;
        let lock = lock(&home.dir)?;
        Ok(Self { _lock: Some(lock), ..home })
    }

    /// Its path.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file of the store.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.dir.join(DATABASE)
    }

    /// The root of all sealing.
    ///
    /// # Errors
    /// If it is gone, or no key.
    pub fn master_key(&self) -> anyhow::Result<MasterKey> {
        const CURE: &str =
            "bring it back from where you keep a copy: what it sealed cannot be opened without it";
        let text = self.read_secret(MASTER_KEY).context(CURE)?;
        parse_master_key(&text)
            .with_context(|| format!("{} is not a master key; {CURE}", self.master_key_file().display()))
    }

    /// Puts a new master key in the place of the one that seals, if that is settled: if it is the only one that something is
    /// sealed under. Answers where the one before is kept then.
    ///
    /// # Errors
    /// In words for the developer. Begun again, it goes on.
    pub fn change_master_key(
        &self,
        random: &dyn Random,
        is_settled: impl Fn(MasterKeyId) -> bool,
    ) -> anyhow::Result<Option<PathBuf>> {
        next_master_key::take_over(&self.dir, random, is_settled)
    }

    /// Keeps `up` out while the answer lives; nothing, if one is there already.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub fn close_to_up(&self) -> anyhow::Result<Option<File>> {
        let (file, path) = lock_file(&self.dir)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    fn master_key_file(&self) -> PathBuf {
        self.dir.join(MASTER_KEY)
    }

    /// The secret of our client at the sandbox.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn sandbox_client_secret(&self) -> anyhow::Result<Secret> {
        self.read_secret(SANDBOX_CLIENT_SECRET)
    }

    /// Where the log goes.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn log(&self) -> anyhow::Result<Lines> {
        lines(&self.dir, "log", "log.jsonl")
    }

    /// The folder of all buckets.
    pub fn buckets(&self) -> anyhow::Result<PathBuf> {
        let root = self.dir.join("s3");
        fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
        Ok(root)
    }

    /// Writes a file that only its owner can read, whole or not at all.
    pub fn write_private(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        write_private(&self.dir, name, text)
    }

    /// A secret is made once, whole, and never replaced: what it sealed would be lost. The lock keeps others out.
    fn make_once(&self, name: &str, secret: &str) -> anyhow::Result<()> {
        if is_there(&self.dir.join(name))? { Ok(()) } else { self.write_private(name, secret).map(drop) }
    }

    fn read_secret(&self, name: &str) -> anyhow::Result<Secret> {
        let path = self.dir.join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Secret::new(text.trim()))
    }
}

/// Where audit events go in a directory, if they are not kept beside the store.
///
/// # Errors
/// If it cannot be written.
pub(super) fn audit_log(dir: &Path) -> anyhow::Result<Lines> {
    lines(dir, "audit", "audit.jsonl")
}

fn lines(dir: &Path, name: &'static str, file: &str) -> anyhow::Result<Lines> {
    let path = dir.join(file);
    telemetry::file(name, &path).with_context(|| format!("cannot write {}", path.display()))
}

/// The same path from wherever somebody looks: a configuration has paths start from its own folder.
fn whole(dir: &Path) -> PathBuf {
    dir.canonicalize().or_else(|_| std::path::absolute(dir)).unwrap_or_else(|_| dir.to_owned())
}

/// Two servers on one directory would write each other's profile, and issue tokens under two names.
fn lock(dir: &Path) -> anyhow::Result<File> {
    let (file, _) = lock_file(dir)?;
    file.try_lock().with_context(|| {
        format!("another `daypass up` runs on {}: end it, or name another --dir", dir.display())
    })?;
    Ok(file)
}

fn lock_file(dir: &Path) -> anyhow::Result<(File, PathBuf)> {
    let path = dir.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    Ok((file.with_context(|| format!("cannot write {}", path.display()))?, path))
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::random::SeededRandom;

    use super::*;

    fn open(dir: &Path) -> anyhow::Result<Home> {
        Home::open(dir, &SeededRandom::new(1))
    }

    #[test]
    fn what_cannot_be_looked_for_is_not_taken_for_absent() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = Home::existing(&file).unwrap_err().to_string();
        assert!(refused.contains("cannot look for") && refused.contains("file/daypass.db"), "{refused}");
        assert!(!refused.contains("no Daypass state"), "{refused}");
        let refused = Home::existing(parent.path()).unwrap_err().to_string();
        assert!(refused.contains("there is no Daypass state in"), "{refused}");
    }

    #[test]
    fn a_lost_master_key_is_not_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("state");
        let home = open(&dir).unwrap();
        let key = fs::read(home.master_key_file()).unwrap();
        fs::write(home.database(), "").unwrap();
        drop(home);
        fs::remove_file(dir.join(MASTER_KEY)).unwrap();

        let refusal = format!("{:#}", open(&dir).unwrap_err());
        assert!(
            refusal.contains("master-key is missing") && refusal.contains("bring the key back"),
            "{refusal}"
        );
        assert!(!dir.join(MASTER_KEY).exists());
        let refusal = format!("{:#}", Home::existing(&dir).unwrap().master_key().unwrap_err());
        assert!(refusal.contains("bring it back"), "{refusal}");

        fs::write(dir.join(MASTER_KEY), key).unwrap();
        open(&dir).unwrap().master_key().unwrap();
    }
}
