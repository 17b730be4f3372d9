//! The folder that `--dir` names. What lies in it is for its owner's eyes, and goes into no repository; so it has to be
//! a folder of its own. `--dir .` would otherwise close a whole project to others, or leave a master key open in it.

use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};

use crate::config::development::{
    AWS_CONFIG, AWS_CREDENTIALS, DATABASE, MASTER_KEY, NEXT_MASTER_KEY, OTHER_MASTER_KEY,
    SANDBOX_CLIENT_SECRET,
};

/// What `up` makes in its folder, besides what begins with one of [`OURS_WITH_MORE`] and the drafts of files.
const OURS: [&str; 6] = [".gitignore", "lock", MASTER_KEY, NEXT_MASTER_KEY, "s3", SANDBOX_CLIENT_SECRET];
/// The database has companions, logs are rotated beside themselves, a master key that sealed before is kept under its ID, and drafts
/// of profiles under that of their process.
const OURS_WITH_MORE: [&str; 6] =
    [AWS_CONFIG, AWS_CREDENTIALS, DATABASE, "audit.jsonl", "log.jsonl", OTHER_MASTER_KEY];
/// Names that others use as well: a folder with nothing but these may be anybody's.
const ANYBODYS: [&str; 3] = [".gitignore", "lock", "s3"];

const GITIGNORE: &str = "# Daypass keeps its master key in here, and who people are.\n*\n";

/// Whether a file is there. What cannot be looked for is not absent: to say so would send somebody to make it anew.
///
/// # Errors
/// Why it cannot be looked for, with the cure.
pub(super) fn is_there(path: &Path) -> anyhow::Result<bool> {
    path.try_exists().map_err(|error| {
        let cure = match error.kind() {
            ErrorKind::PermissionDenied => "run this as the user that Daypass runs as",
            _ => "name another --dir or --config",
        };
        anyhow!("cannot look for {}: {error}; {cure}", path.display())
    })
}

/// The folder, made if it is not there, and closed to others.
pub(super) struct Folder {
    pub path: PathBuf,
    /// What the developer has to hear of.
    pub warning: Option<String>,
}

impl Folder {
    /// Makes the folder or takes the one there is.
    ///
    /// # Errors
    /// If it cannot be used, or belongs to something else.
    pub fn prepare(dir: &Path) -> anyhow::Result<Self> {
        ensure_text(dir)?;
        let made =
            DirBuilder::new().recursive(true).mode(0o700).create(dir).and_then(|()| dir.canonicalize());
        let path = made.with_context(|| format!("cannot use {} to keep the state in", dir.display()))?;
        let warning = check(&path).with_context(|| format!("cannot look into {}", path.display()))??;
        Ok(Self { path, warning })
    }
}

/// A configuration names what is in the folder, and is text.
fn ensure_text(dir: &Path) -> anyhow::Result<()> {
    let whole = std::path::absolute(dir).with_context(|| format!("cannot use {}", dir.display()))?;
    ensure!(
        whole.to_str().is_some(),
        "{} is not UTF-8, and a configuration could not name what is in it: name another folder with --dir",
        whole.display()
    );
    Ok(())
}

type Warning = Option<String>;

fn check(path: &Path) -> std::io::Result<anyhow::Result<Warning>> {
    let is_open = fs::metadata(path)?.permissions().mode() & 0o077 != 0;
    let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names = names.collect::<std::io::Result<Vec<_>>>()?;
    let is_in_use = names.iter().any(|name| name == DATABASE);
    let bears_our_mark = names.iter().any(|name| !ANYBODYS.contains(&finished(name))) || was_begun(path);
    match names.iter().find(|name| !is_ours(name) || !bears_our_mark) {
        None => close(path, is_open).map(|()| Ok(None)),
        Some(other) if !is_in_use => Ok(refuse(path, other)),
        Some(_) if is_open => Ok(Ok(Some(format!(
            "{path} can be read by others, and holds more than the state of Daypass: `chmod 700 {path}`, or move what is \
             Daypass's into a folder of its own",
            path = path.display()
        )))),
        Some(_) => Ok(Ok(None)),
    }
}

fn is_ours(name: &str) -> bool {
    let name = finished(name);
    OURS.contains(&name) || OURS_WITH_MORE.iter().any(|begin| name.starts_with(begin))
}

/// The name that a draft gets once it is whole.
fn finished(name: &str) -> &str {
    name.strip_suffix(".new").unwrap_or(name)
}

/// Whether an `up` came no further than the first file that it makes.
fn was_begun(path: &Path) -> bool {
    fs::read(path.join(".gitignore")).is_ok_and(|text| text == GITIGNORE.as_bytes())
}

fn close(path: &Path, is_open: bool) -> std::io::Result<()> {
    if is_open {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    let gitignore = path.join(".gitignore");
    if gitignore.try_exists()? { Ok(()) } else { fs::write(gitignore, GITIGNORE) }
}

fn refuse(path: &Path, other: &str) -> anyhow::Result<Warning> {
    bail!(
        "{path} holds other things, such as {other:?}, and the state of Daypass needs a folder of its own, which it closes \
         to others: name one that is not there yet, such as --dir {inner}",
        path = path.display(),
        inner = path.join(".daypass").display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tried {
        _parent: tempfile::TempDir,
        path: PathBuf,
    }

    /// A folder of a mode with files in it.
    fn folder(mode: u32, files: &[&str]) -> Tried {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("state");
        fs::create_dir(&path).unwrap();
        for file in files {
            fs::write(path.join(file), "").unwrap();
        }
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        Tried { _parent: parent, path }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_folder_that_is_new_empty_or_ours_is_closed_and_kept_out_of_repositories() {
        let ours = [
            "daypass.db",
            "daypass.db-wal",
            "master-key",
            "master-key-2a748045",
            "next-master-key",
            "aws-config",
            "aws-config.4711.new",
            "aws-credentials.new",
            "audit.jsonl.1.gz",
        ];
        let tried = [folder(0o755, &[]), folder(0o755, &ours), folder(0o700, &ours)];
        let inner = tried[0].path.with_file_name("not").join("there yet");
        for path in tried.iter().map(|tried| &tried.path).chain([&inner]) {
            let folder = Folder::prepare(path).unwrap();
            assert_eq!((mode(path), folder.warning), (0o700, None));
            assert!(fs::read_to_string(path.join(".gitignore")).unwrap().ends_with("\n*\n"));
        }
    }

    #[test]
    fn a_folder_of_something_else_is_refused_and_left_alone() {
        for open in [0o755, 0o700] {
            let project = folder(open, &["Cargo.toml"]);
            let refusal = Folder::prepare(&project.path).err().unwrap().to_string();
            assert!(refusal.contains("\"Cargo.toml\"") && refusal.contains("/.daypass"), "{refusal}");
            assert_eq!(mode(&project.path), open);
            assert!(!project.path.join(".gitignore").exists());
        }
    }

    #[test]
    fn a_folder_that_may_be_anybodys_is_refused_and_left_alone() {
        for names in [&[".gitignore"][..], &["s3"], &["lock"], &[".gitignore", "lock", "s3"], &["s3.new"]] {
            let theirs = folder(0o755, names);
            let refusal = Folder::prepare(&theirs.path).err().unwrap().to_string();
            assert!(refusal.contains("/.daypass"), "{names:?} {refusal}");
            assert_eq!(mode(&theirs.path), 0o755);
            assert_eq!(fs::read_dir(&theirs.path).unwrap().count(), names.len());
            let mut with_ours = names.to_vec();
            with_ours.push("master-key");
            let ours = folder(0o755, &with_ours);
            assert_eq!(Folder::prepare(&ours.path).unwrap().warning, None);
            assert_eq!(mode(&ours.path), 0o700, "{names:?}");
        }
    }

    #[test]
    fn an_up_that_ended_at_once_is_begun_again() {
        let begun = folder(0o700, &["lock"]);
        fs::write(begun.path.join(".gitignore"), GITIGNORE).unwrap();
        assert_eq!(Folder::prepare(&begun.path).unwrap().warning, None);
    }

    #[test]
    fn state_that_lies_among_other_things_goes_on_with_a_warning_if_others_can_read_it() {
        let files = ["daypass.db", "Cargo.toml"];
        let open = folder(0o755, &files);
        let warning = Folder::prepare(&open.path).unwrap().warning.unwrap();
        assert!(warning.contains("chmod 700"), "{warning}");
        assert_eq!(mode(&open.path), 0o755);
        assert!(!open.path.join(".gitignore").exists());
        assert_eq!(Folder::prepare(&folder(0o700, &files).path).unwrap().warning, None);
    }

    #[test]
    fn a_gitignore_that_somebody_wrote_stays() {
        let folder = folder(0o700, &["master-key", ".gitignore"]);
        Folder::prepare(&folder.path).unwrap();
        assert_eq!(fs::read_to_string(folder.path.join(".gitignore")).unwrap(), "");
    }
}
