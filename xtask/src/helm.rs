//! Helm renders the chart of `deploy/helm` in the tests. Where it comes from stands in `tests/deploy/fetch_helm.py`.

use std::path::PathBuf;

use crate::process::run;
use crate::{Outcome, Workspace, python, stamp, steps};

/// The program, fetched if it is not there yet.
pub(crate) fn program(workspace: &Workspace) -> Outcome<PathBuf> {
    let python = python::interpreter(workspace, steps::DEPLOY)?;
    let _one_at_a_time = stamp::installing();
    let root = workspace.installed("helm");
    let script = workspace.source(steps::DEPLOY).join("fetch_helm.py");
    let recipe = stamp::recipe(&script)?;
    if !stamp::is_current(&root, &recipe) {
        workspace.say("fetching Helm");
        run(workspace.command(python).arg(script).arg(&root))?;
        stamp::set(&root, &recipe)?;
    }
    Ok(root.join("helm"))
}
