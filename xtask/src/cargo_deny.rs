//! cargo-deny reads `deny.toml` and refuses a dependency whose licence, source or name we do not accept.
//! It is compiled once into xtask's corner of the target directory; a debug build is ready sooner and reads
//! our dependency graph in a blink all the same.

use std::path::PathBuf;
use std::process::Command;

use crate::process::answer;
use crate::{Outcome, Workspace, stamp};

const VERSION: &str = "0.20.2";

/// The program, compiled if this version is not there yet.
pub(crate) fn program(workspace: &Workspace) -> Outcome<PathBuf> {
    let _one_at_a_time = stamp::compiling();
    let root = workspace.installed("cargo-deny");
    let program = root.join("bin/cargo-deny");
    let installed = answer(Command::new(&program).arg("--version"));
    if installed.as_deref() != Some(&format!("cargo-deny {VERSION}")) {
        workspace.say(&format!("compiling cargo-deny {VERSION}, which takes some minutes, once"));
        workspace.install("cargo-deny", &format!("--debug --version {VERSION} cargo-deny"))?;
    }
    Ok(program)
}
