//! Where things lie: the sources, cargo's target directory, and the corner of it that belongs to xtask.
//! Everything that xtask makes for itself is under the target directory, so that `cargo clean` and
//! `git clean -xfd` remove it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::Outcome;
use crate::process::{LAST_OF_ALL, is_in_background, run};

pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    started: Instant,
}

impl Workspace {
    /// Finds the workspace from what `cargo run` tells us. The target directory is read off the place of this
    /// program, which is right however the developer has configured it.
    pub(crate) fn locate() -> Outcome<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("start it as `cargo xtask`")?;
        let root = Path::new(&manifest).parent().ok_or("xtask lies in no workspace")?.to_owned();
        let program = std::env::current_exe()?;
        let target = program.ancestors().nth(2).ok_or("xtask lies in no target directory")?.to_owned();
        Ok(Self { root, target, started: Instant::now() })
    }

    /// A path below the root of the sources.
    pub(crate) fn source(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A path below cargo's target directory.
    pub(crate) fn built(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }

    /// A path below the directory that holds what xtask installs for itself.
    pub(crate) fn installed(&self, path: &str) -> PathBuf {
        self.target.join("xtask").join(path)
    }

    /// `program`, to be run at the root of the sources.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = if is_in_background() {
            let mut last_of_all = Command::new(LAST_OF_ALL);
            last_of_all.args(["-n", "19"]).arg(program);
            last_of_all
        } else {
            Command::new(program)
        };
        command.current_dir(&self.root);
        command
    }

    /// The cargo that started us, with `Cargo.lock` taken as it stands.
    pub(crate) fn cargo(&self, arguments: &str) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = self.command(cargo);
        command.args(arguments.split_whitespace());
        command
    }

    /// Has cargo compile a program of others, into what [`installed`](Self::installed) says of this name. Where it is ended before,
    /// whoever begins again goes on with what there is.
    pub(crate) fn install(&self, name: &str, what: &str) -> Outcome {
        run(&mut self.install_command(name, what))?;
        Ok(std::fs::remove_dir_all(self.building(name))?)
    }

    fn install_command(&self, name: &str, what: &str) -> Command {
        let mut command = self.cargo(&format!("install --locked --force {what}"));
        command.arg("--root").arg(self.installed(name)).arg("--target-dir").arg(self.building(name));
        command
    }

    /// Else cargo builds in a folder of the system's, which nobody takes away if it is ended.
    fn building(&self, name: &str) -> PathBuf {
        self.installed(&format!("{name}-building"))
    }

    /// Tells the developer what happens now, and how long everything took so far.
    pub(crate) fn say(&self, what: &str) {
        if is_in_background() {
            return;
        }
        println!("==> [{:6.1} s] {what}", self.started.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::command_line;

    #[test]
    fn what_is_installed_is_compiled_in_our_corner() {
        let workspace =
            Workspace { root: "/sources".into(), target: "/target".into(), started: Instant::now() };
        let line = command_line(&workspace.install_command("tool", "--version 1 tool"));
        let expected = "install --locked --force --version 1 tool --root /target/xtask/tool --target-dir /target/xtask/tool-building";
        assert!(line.ends_with(expected), "{line}");
    }
}
