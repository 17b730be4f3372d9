//! `daypass audit verify`: whether the trail is as it was written.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use daypass_core::audit::head_key::{HeadKey, HeadPublicKey};
use daypass_core::ground::counting::counted;
use daypass_core::records::trail_head::TrailHead;
use daypass_store::{Keys, Open, TrailCopy, Verified, newest_head, trail_folder, verify};
use indicatif::HumanCount;

use super::super::backup::copying;
use super::super::place::Place;
use super::super::print;
use super::ensure_kept;
use crate::config::Destination;
use crate::installation::Installation;
use crate::printable::printable;

/// So many faults are shown.
const SHOWN: usize = 10;

/// Which trail to verify.
#[derive(Debug, Args)]
pub struct Verify {
    /// The folder of a trail, such as a copy; that of the installation unless one is named
    #[arg(value_name = "FOLDER", conflicts_with_all = ["config", "dir"])]
    folder: Option<PathBuf>,
    /// A file with a key that `daypass audit key` printed; may be given several times
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Whose key to print.
#[derive(Debug, Args)]
pub struct Key {
    #[command(flatten)]
    place: Place,
}

impl Key {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let key = HeadKey::of(&self.place.find()?.master_keys().await?);
        Ok(print(&serde_json::to_string(key.public())?)?)
    }
}

impl Verify {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let given = self.key.iter().map(|file| read_key(file)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut keys = Keys::from(given);
        let is_copy = self.folder.is_some();
        let whose = if let Some(folder) = self.folder {
            Whose::Folder(folder, None)
        } else {
            let installation = self.place.find()?;
            ensure_kept(&installation)?;
            let master_keys = installation.master_keys().await?;
            let mut own = HeadKey::all(&master_keys).map(|key| key.public().clone());
            keys.current.extend(own.next());
            keys.before.extend(own);
            Whose::of(&installation).await?
        };
        let found = whose.verify(&keys)?;
        conclude(&whose, &found, !keys.current.is_empty())?;
        // Whoever writes a trail anew leaves its heads out.
        ensure!(
            !is_copy || keys.current.is_empty() || found.heads > 0,
            "no head in it is signed by the key: whose it is, nobody can tell"
        );
        Ok(())
    }
}

/// The trail that is verified.
enum Whose {
    /// One in a folder, with the newest head that the store knows of it.
    Folder(PathBuf, Option<TrailHead>),
    /// One in a database, with where that is.
    Database(TrailCopy, String),
}

impl Whose {
    async fn of(installation: &Installation) -> anyhow::Result<Self> {
        if installation.config().audit_destination() == Destination::Store {
            let store = installation.store(Open::Existing).await?;
            let url = installation.config().store()?;
            return Ok(Self::Database(TrailCopy::of(&*store, &mut copying()).await?, url.to_string()));
        }
        let database = installation.database_that_is_there()?;
        Ok(Self::Folder(trail_folder(database), newest_head(database)?))
    }

    fn verify(&self, keys: &Keys) -> anyhow::Result<Verified> {
        let (folder, signed) = match self {
            Self::Folder(folder, signed) => (folder, signed.as_ref()),
            Self::Database(copy, _) => return Ok(copy.verify(keys, &mut copying())?),
        };
        ensure!(folder.is_dir(), "there is no audit trail {}", folder.display());
        let found = verify(folder, keys, signed, &mut copying())?;
        ensure!(found.files > 0, "{} holds no files of an audit trail", folder.display());
        Ok(found)
    }

    /// What of it is counted: a database has no files.
    fn files(&self, found: &Verified) -> Option<u64> {
        match self {
            Self::Folder(..) => Some(found.files as u64),
            Self::Database(..) => None,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Folder(folder, _) => folder.display().to_string(),
            Self::Database(_, url) => format!("the audit trail in {url}"),
        }
    }
}

fn read_key(file: &Path) -> anyhow::Result<HeadPublicKey> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let key = serde_json::from_str(&text);
    key.with_context(|| format!("{} is not what `daypass audit key` prints", file.display()))
}

fn conclude(whose: &Whose, found: &Verified, with_key: bool) -> anyhow::Result<()> {
    let trail = whose.name();
    print(&report(found, whose.files(found), with_key).join("\n"))?;
    if found.faults.is_empty() && !with_key {
        // Whoever writes the whole chain anew is told by the heads alone.
        return Ok(print(&format!(
            "The chain of {trail} is whole. Whose it is, heads tell alone: give a --key."
        ))?);
    }
    if found.faults.is_empty() {
        return Ok(print(&format!("{trail} is as it was written."))?);
    }
    for fault in found.faults.iter().take(SHOWN) {
        print(&printable(&fault.to_string()))?;
    }
    let more = found.faults.len().saturating_sub(SHOWN);
    if more > 0 {
        print(&format!("… and {more} more."))?;
    }
    bail!("{trail} is not as it was written: docs/audit-trail.md says what to do")
}

fn report(found: &Verified, files: Option<u64>, with_key: bool) -> Vec<String> {
    let Verified { events, first, last, heads, newest_head, signed_by, unsigned, dropped, noted, .. } = found;
    let of_files = files.map(|files| format!(" of {}", counted(files, "file", "files"))).unwrap_or_default();
    let heads = counted(*heads, "head", "heads");
    let mut lines = vec![
        format!("events    {}, in lines {first} to {last}{of_files}", HumanCount(*events)),
        match newest_head {
            Some(head) => format!("signed    up to line {}, at {:.0}; {heads}", head.n, head.time),
            None if with_key => "signed    nothing yet".into(),
            None => "signed    not looked at, without a --key".into(),
        },
    ];
    lines.extend(signed_by.as_ref().map(|key| format!("key       {}", printable(key))));
    if with_key {
        let unsigned = counted(*unsigned, "line", "lines");
        lines.push(format!("unsigned  {unsigned} since, which the chain alone vouches for"));
    }
    lines.extend(dropped.as_ref().map(|(line, until)| {
        let until = until.map(|until| format!(", events up to {until:.0}")).unwrap_or_default();
        format!("dropped   lines up to {line}{until}, as the trail says")
    }));
    lines.extend(noted.iter().map(|noted| format!("noted     {}", printable(noted))));
    lines
}
