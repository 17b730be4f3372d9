//! The browser of the browser tests. Test tools like to download a browser build of their own; Debian's
//! Chromium is the same engine, signed and kept up to date by the distribution.

use std::path::PathBuf;

use crate::process::on_path;
use crate::{Outcome, Workspace, debian};

/// The browser's program: `CHROMIUM` if the developer names one, else the one on the path, else Debian's.
pub(crate) fn program(workspace: &Workspace) -> Outcome<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Ok(named.into());
    }
    if on_path("chromium").is_none() {
        debian::install(workspace, &["chromium"], "there is no chromium on the PATH")?;
    }
    Ok(on_path("chromium").ok_or("Debian's chromium was installed and is not on the PATH")?)
}
