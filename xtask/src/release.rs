//! The program as a user runs it. Every test that drives the real binary drives this one.

use std::path::PathBuf;

use crate::process::run;
use crate::{Outcome, Workspace};

/// The release build of `daypass`, built if it is not up to date.
pub(crate) fn program(workspace: &Workspace) -> Outcome<PathBuf> {
    run(&mut workspace.cargo("build --release --locked --package daypass"))?;
    Ok(workspace.built("release/daypass"))
}
