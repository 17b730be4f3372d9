//! The program as a user runs it.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::process::run;
use crate::{Outcome, Workspace};

/// The release build of `daypass`, built if it is not up to date. Every test that drives the real binary drives this one.
///
/// Whoever asks again does not ask cargo, which may be compiling something else there, and would have everybody wait.
pub(crate) fn program(workspace: &Workspace) -> Outcome<PathBuf> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(program) = BUILT.get() {
        return Ok(program.clone());
    }
    run(&mut workspace.cargo("build --release --locked --package daypass"))?;
    Ok(BUILT.get_or_init(|| workspace.built("release/daypass")).clone())
}

/// The same as it is shipped: quicker, smaller, and longer in the making.
pub(crate) fn shipped_program(workspace: &Workspace) -> Outcome<PathBuf> {
    run(&mut workspace.cargo("build --profile shipped --locked --package daypass"))?;
    Ok(workspace.built("shipped/daypass"))
}

/// The same as it is shipped for Lambda, without what only development needs. For this machine, or for another target that is installed.
pub(crate) fn lambda_program(workspace: &Workspace, target: Option<&str>) -> Outcome<PathBuf> {
    let mut build =
        workspace.cargo("build --profile lambda --locked --package daypass --no-default-features");
    build.args(target.map(|target| format!("--target={target}")));
    run(&mut build)?;
    Ok(workspace.built(&format!("{}lambda/daypass", target.map(|it| format!("{it}/")).unwrap_or_default())))
}
