//! dynoxide plays Amazon DynamoDB: a program of its own, since its SQLite and ours cannot be one. Of the emulators that were
//! looked at it loses nothing and lets nobody in twice (docs/decisions/0040-items-and-guards.md).

use std::path::PathBuf;

use crate::{Outcome, Workspace, stamp};

const VERSION: &str = "3.2.0";

/// The program, compiled if this version is not there yet.
pub(crate) fn program(workspace: &Workspace) -> Outcome<PathBuf> {
    let _one_at_a_time = stamp::compiling();
    let root = workspace.installed("dynoxide");
    let program = root.join("bin/dynoxide");
    // What it says of its own version is another's.
    if !stamp::is_current(&root, VERSION) {
        workspace.say(&format!("compiling dynoxide {VERSION}, which takes some minutes, once"));
        let features = "--no-default-features --features native-sqlite,http-server,cli";
        workspace.install("dynoxide", &format!("--version {VERSION} dynoxide-rs {features}"))?;
        stamp::set(&root, VERSION)?;
    }
    Ok(program)
}
