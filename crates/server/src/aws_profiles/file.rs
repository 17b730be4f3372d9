//! Where AWS profiles are, and how a file of them is replaced: whole, with the mode that it had, also where it is a link.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The file of profiles.
///
/// # Errors
/// If there is no home directory.
pub fn config() -> anyhow::Result<PathBuf> {
    at("AWS_CONFIG_FILE", ".aws/config")
}

/// The file of keys.
///
/// # Errors
/// If there is no home directory.
pub fn credentials() -> anyhow::Result<PathBuf> {
    at("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")
}

fn at(variable: &str, otherwise: &str) -> anyhow::Result<PathBuf> {
    let home = || std::env::home_dir().with_context(|| format!("there is no home directory: set {variable}"));
    match std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from) {
        Some(path) => path.strip_prefix("~").map_or(Ok(path.clone()), |rest| Ok(home()?.join(rest))),
        None => Ok(home()?.join(otherwise)),
    }
}

/// What stands there; nothing, if there is no file.
///
/// # Errors
/// If it cannot be read.
pub fn read(path: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        text => text.with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Puts a text in the place of what is there, whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    written(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn written(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let dir = path.parent().unwrap_or(Path::new(""));
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let mode = fs::metadata(&path).map_or(0o600, |metadata| metadata.permissions().mode());
    let mut draft = path.clone().into_os_string();
    draft.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let put = fill(&draft, text, mode).and_then(|()| fs::rename(&draft, &path));
    put.inspect_err(|_| drop(fs::remove_file(&draft)))
}

fn fill(draft: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".aws/config");
        replace(&path, "one").unwrap();
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        replace(&path, "two").unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("two", 0o640));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_link_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("dotfiles"), dir.path().join("config"));
        fs::write(&file, "one").unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, "two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
    }
}
