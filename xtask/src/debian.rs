//! Debian packages, installed only when a program that a test needs is missing. Where we may not install,
//! the failure says what a person has to type.

use std::fs::{self, DirEntry};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, Once, PoisonError};

use crate::process::{answer, on_path, run};
use crate::{Outcome, Workspace};

/// Package lists of a fresh machine are old or absent; once a run is enough to renew them.
static LISTS: Once = Once::new();

/// apt-get refuses to run twice at a time.
static APT: Mutex<()> = Mutex::new(());

/// Installs `packages`, which bring what `reason` says is missing.
pub(crate) fn install(workspace: &Workspace, packages: &[&str], reason: &str) -> Outcome {
    let _one_at_a_time = APT.lock().unwrap_or_else(PoisonError::into_inner);
    let list = packages.join(" ");
    let Some(apt) = AptGet::find() else {
        return Err(format!("{reason}; install it, on Debian by `apt-get install {list}` as root").into());
    };
    LISTS.call_once(|| apt.update(workspace));
    workspace.say(&format!("{reason}: installing Debian's {list}"));
    run(apt.command().args(["install", "--yes", "--no-install-recommends"]).args(packages))
        .map_err(|error| format!("{reason}, and {error}").into())
}

/// Unpacks a package into a folder that is made anew, without what it rests on. It takes no rights.
pub(crate) fn unpack(workspace: &Workspace, package: &str, to: &Path, reason: &str) -> Outcome {
    let _one_at_a_time = APT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(apt) = AptGet::find() {
        LISTS.call_once(|| apt.update(workspace));
    }
    workspace.say(&format!("{reason}: unpacking Debian's {package}"));
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    let missed = |error| format!("{reason}, and {error}; put it there");
    run(Command::new("apt-get").args(["--quiet", "download", package]).current_dir(to)).map_err(missed)?;
    let archives = fs::read_dir(to)?.collect::<Result<Vec<_>, _>>()?;
    for archive in archives.iter().map(DirEntry::path) {
        run(Command::new("dpkg-deb").arg("--extract").args([&*archive, to])).map_err(missed)?;
        fs::remove_file(archive)?;
    }
    Ok(())
}

/// The way in which this user may call apt-get.
struct AptGet {
    through_sudo: bool,
}

impl AptGet {
    fn find() -> Option<Self> {
        on_path("apt-get")?;
        if answer(Command::new("id").arg("-u")).as_deref() == Some("0") {
            return Some(Self { through_sudo: false });
        }
        on_path("sudo").map(|_| Self { through_sudo: true })
    }

    fn command(&self) -> Command {
        let mut command = if self.through_sudo {
            let mut sudo = Command::new("sudo");
            sudo.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
            sudo
        } else {
            Command::new("apt-get")
        };
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet");
        command
    }

    /// One list of many may be out of reach without harm, so the verdict is left to the installation.
    fn update(&self, workspace: &Workspace) {
        workspace.say("renewing the lists of Debian's packages");
        if let Err(error) = run(self.command().arg("update")) {
            workspace.say(&format!("going on with the lists as they are: {error}"));
        }
    }
}
