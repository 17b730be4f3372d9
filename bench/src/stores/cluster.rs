//! A PostgreSQL of the bench's own: as Debian configures one, but for a socket instead of a port, and with everything that it makes
//! gone afterwards.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::others::{self, Running};
use crate::prepared::prepared;
use crate::town::bytes;
use crate::{Outcome, cpu};

/// PostgreSQL does not run as root. Nobody does.
const NOBODY: u32 = 65_534;
const IS_UP: &str = "ready to accept connections";

/// Ends before its folder goes.
pub(super) struct Cluster {
    server: Running,
    folder: TempDir,
}

impl Cluster {
    pub(super) fn start() -> Outcome<Self> {
        let (programs, folder) = (PathBuf::from(prepared("POSTGRES")?), tempfile::tempdir()?);
        let is_root = std::fs::metadata(folder.path())?.uid() == 0;
        if is_root {
            chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
        }
        let command = |name: &str| {
            let mut command = Command::new(programs.join(name));
            if is_root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command.current_dir(folder.path()).arg("-D").arg(folder.path().join("data"));
            command
        };
        let mut initdb = command("initdb");
        initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale"]);
        let made = initdb.output()?;
        if !made.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)).into());
        }
        let mut postgres = command("postgres");
        postgres.args(["-c", "listen_addresses=", "-c", "lc_messages=C", "-k"]).arg(folder.path());
        let (server, _) = others::start(&mut postgres, folder.path(), IS_UP)?;
        Ok(Self { server, folder })
    }

    /// The store in it, by its socket.
    pub(super) fn url(&self) -> String {
        format!("postgres:///postgres?host={}&user=postgres", self.folder.path().display())
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }

    /// Seconds of CPU of all its processes so far.
    pub(super) fn cpu_seconds(&self) -> Outcome<f64> {
        cpu::seconds_of_family(self.server.id())
    }

    /// What its tables and indexes take on disk.
    pub(super) fn bytes(&self) -> Outcome<u64> {
        bytes(&self.folder.path().join("data/base"))
    }
}

/// At once, since nothing of it is needed any more; what it shares in memory goes with it, which a kill would leave.
impl Drop for Cluster {
    fn drop(&mut self) {
        self.server.end_by("QUIT");
    }
}
