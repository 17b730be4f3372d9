//! promtool tries the alert rules of `deploy/prometheus` in the tests. It comes in Debian's package of Prometheus, which is unpacked and
//! not installed: nobody wants a monitoring server to begin on their machine.

use std::path::PathBuf;

use crate::process::on_path;
use crate::{Outcome, Workspace, debian, stamp};

const PACKAGE: &str = "prometheus";

/// The program, fetched if it is not there yet.
pub(crate) fn program(workspace: &Workspace) -> Outcome<PathBuf> {
    if let Some(program) = on_path("promtool") {
        return Ok(program);
    }
    let _one_at_a_time = stamp::installing();
    let root = workspace.installed("promtool");
    if !stamp::is_current(&root, PACKAGE) {
        debian::unpack(workspace, PACKAGE, &root, "there is no promtool on the PATH")?;
        stamp::set(&root, PACKAGE)?;
    }
    Ok(root.join("usr/bin/promtool"))
}
