//! Where sessions are kept: a directory that only its owner reads, with two files for each.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::file::{self, SessionFile};
use crate::keyring;
use crate::name::SessionName;

/// The directory of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// This directory.
    #[must_use]
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }

    /// The directory of this user: `$DAYPASS_HOME`, or where the system keeps the state of programs.
    ///
    /// # Errors
    /// [`Error::NoHome`]
    pub fn of_environment() -> Result<Self, Error> {
        of(std::env::consts::OS, |name| std::env::var_os(name)).map(Self).ok_or(Error::NoHome)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The names of all sessions in it. Files that are damaged have none.
    ///
    /// # Errors
    /// [`Error::File`]
    pub fn sessions(&self) -> Result<Vec<SessionName>, Error> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::file("read", &self.0))?,
        };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut names: Vec<_> = paths.filter_map(|path| file::name_in(&path)).collect();
        names.sort_by(|a, b| (a.url(), a.app()).cmp(&(b.url(), b.app())));
        Ok(names)
    }

    /// The file of a session.
    pub(crate) fn file(&self, name: &SessionName) -> SessionFile {
        SessionFile::new(&self.0, name, keyring::of_system())
    }

    /// Makes the directory if it is not there, for its owner alone.
    ///
    /// # Errors
    /// [`Error::File`]
    pub fn make(&self) -> Result<(), Error> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0).map_err(Error::file("make the directory", &self.0))
    }
}

/// A path that is not absolute is as good as none (XDG Base Directory Specification).
fn of(system: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || path("HOME");
    path("DAYPASS_HOME").or_else(|| {
        let state = match system {
            "windows" => path("LOCALAPPDATA"),
            "macos" => home().map(|home| home.join("Library/Application Support")),
            _ => path("XDG_STATE_HOME").or_else(|| home().map(|home| home.join(".local/state"))),
        };
        state.map(|state| state.join("daypass"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(system: &str, variables: &[(&str, &str)]) -> Option<PathBuf> {
        let known = |name: &str| variables.iter().find(|(known, _)| *known == name);
        of(system, |name| known(name).map(|(_, value)| value.into()))
    }

    #[test]
    fn every_system_has_its_place() {
        let home = ("HOME", "/home/ada");
        for (system, variables, expected) in [
            ("linux", &[home][..], "/home/ada/.local/state/daypass"),
            ("linux", &[home, ("XDG_STATE_HOME", "/state")], "/state/daypass"),
            ("linux", &[home, ("XDG_STATE_HOME", "state")], "/home/ada/.local/state/daypass"),
            ("linux", &[home, ("DAYPASS_HOME", "/of/ones/own")], "/of/ones/own"),
            ("macos", &[home, ("XDG_STATE_HOME", "/state")], "/home/ada/Library/Application Support/daypass"),
            ("windows", &[home, ("LOCALAPPDATA", "/local")], "/local/daypass"),
        ] {
            assert_eq!(found(system, variables), Some(expected.into()), "{system}: {variables:?}");
        }
        assert_eq!(found("linux", &[]), None);
    }
}
