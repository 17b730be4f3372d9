//! The Python of the tests: for each folder of them the pinned packages of its `requirements.txt`, in an
//! environment of its own under the target directory, so that they neither use nor disturb what the developer
//! has installed.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{answer, run};
use crate::{Outcome, Workspace, debian, stamp};

/// The Python interpreter that can import what the tests in `folder` need.
pub(crate) fn interpreter(workspace: &Workspace, folder: &str) -> Outcome<PathBuf> {
    let _one_at_a_time = stamp::installing();
    install_python(workspace)?;
    let environment = workspace.installed(folder.trim_start_matches("tests/"));
    let requirements = workspace.source(folder).join("requirements.txt");
    let recipe = format!("{}\n{}", version().unwrap_or_default(), stamp::recipe(&requirements)?);
    let interpreter = environment.join("bin/python");
    if !stamp::is_current(&environment, &recipe) {
        workspace.say(&format!("{folder}: installing the pinned Python packages"));
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        run(Command::new(&interpreter).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&requirements))?;
        stamp::set(&environment, &recipe)?;
    }
    Ok(interpreter)
}

/// Debian splits `venv` from its Python, so having an interpreter is not enough. The version is Debian 12's.
const IS_USABLE: &str = "import sys, venv, ensurepip; assert sys.version_info >= (3, 11)";

fn install_python(workspace: &Workspace) -> Outcome {
    let usable = || answer(Command::new("python3").args(["-c", IS_USABLE])).is_some();
    if usable() {
        return Ok(());
    }
    debian::install(
        workspace,
        &["python3", "python3-venv"],
        "there is no python3 of version 3.11 or newer, with venv, on the PATH",
    )?;
    if usable() {
        Ok(())
    } else {
        Err("python3 on the PATH is neither Debian's nor usable in its place".into())
    }
}

fn version() -> Option<String> {
    answer(Command::new("python3").arg("--version"))
}
