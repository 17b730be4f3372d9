//! Where AWS profiles are, and how a file of them is replaced: whole, with the mode that it had, also where it is a link.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::document::Document;
use crate::folder_lock;

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
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(error).with_context(|| format!("{} is no text: move it away", path.display()))
        }
        text => text.with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Has what stands there changed, whole or not at all. One change waits for another, so that neither loses what the other wrote.
///
/// # Errors
/// Those of the change, or if the file cannot be read or written.
pub fn change(path: &Path, how: impl FnOnce(&mut Document) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let cannot_write = || format!("cannot write {}", path.display());
    // A link may lead to what is not there yet.
    let file = fs::canonicalize(path).or_else(|_| beside(path)).unwrap_or_else(|_| path.to_owned());
    let _lock = folder(&file).with_context(cannot_write)?;
    let before = read(&file)?;
    let mut document = Document::of(&before);
    how(&mut document)?;
    let after = document.text();
    if after == before { Ok(()) } else { replace(&file, &after).with_context(cannot_write) }
}

/// Where a link leads.
fn beside(link: &Path) -> io::Result<PathBuf> {
    let target = fs::read_link(link)?;
    Ok(link.parent().map_or(target.clone(), |folder| folder.join(&target)))
}

/// The folder of a file, locked while the answer lives.
fn folder(path: &Path) -> io::Result<File> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    match folder_lock::lock(dir) {
        // Some file systems have no locks: then everybody goes on.
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => File::open(dir),
        locked => locked,
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mode = fs::metadata(path).map_or(0o600, |metadata| metadata.permissions().mode());
    let mut draft = path.to_owned().into_os_string();
    draft.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let put = fill(&draft, text, mode).and_then(|()| fs::rename(&draft, path));
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

    use super::super::document::Entry;
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set(path: &Path, section: &str, region: &str) {
        change(path, |document| {
            document.set(section, &Entry::line("region", region));
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn a_link_to_what_is_not_there_yet_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        let [link, target] = ["config", "dotfile"].map(|name| dir.path().join(name));
        symlink("dotfile", &link).unwrap();
        set(&link, "profile a", "eu-west-1");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&target).unwrap().contains("[profile a]"));
    }

    #[test]
    fn a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".aws/config");
        set(&path, "one", "x");
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        set(&path, "one", "y");
        assert_eq!(
            (fs::read_to_string(&path).unwrap().as_str(), mode(&path)),
            ("[one]\nregion = y\n", 0o640)
        );
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_link_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("dotfiles"), dir.path().join("config"));
        fs::write(&file, "[one]\n").unwrap();
        symlink(&file, &link).unwrap();
        set(&link, "one", "x");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "[one]\nregion = x\n");
    }

    #[test]
    fn a_change_that_is_refused_leaves_the_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        fs::write(&path, "[one]").unwrap();
        let refused = change(&path, |document| {
            document.set("one", &Entry::line("region", "x"));
            anyhow::bail!("it is somebody else's")
        });
        assert_eq!(refused.unwrap_err().to_string(), "it is somebody else's");
        assert_eq!(fs::read_to_string(&path).unwrap(), "[one]");
    }

    #[test]
    fn who_changes_it_at_the_same_time_loses_nothing_of_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    (0..25).for_each(|number| set(path, &format!("profile {writer}-{number}"), "x"));
                });
            }
        });
        assert_eq!(fs::read_to_string(&path).unwrap().matches("[profile ").count(), 100);
    }
}
