//! `daypass backup`: a copy of the store in one file, taken beside the running server.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use daypass_core::audit::{AuditAction, AuditDraft, Grounds};
use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::counting::counted;
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::random::SystemRandom;
use daypass_store::{Contents, Open, back_up, trail_folder};
use indicatif::HumanBytes;

use super::place::Place;
use super::progress::{Progress, Unit};
use super::{print, tell};
use crate::installation::Installation;

/// What to copy, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file to make, which must not be there
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

pub async fn run(Arguments { file, place }: Arguments) -> anyhow::Result<()> {
    let installation = place.find()?;
    let database = installation.database_that_is_there()?;
    let contents = back_up(database, &file, &mut copying())?;
    let recorded = record(&installation, &file, &contents).await;
    print(&report(database, &file, &contents))?;
    tell(
        "It says who logs in: keep it private. The master key is not in it: keep a copy\n\
         of that elsewhere, since nobody can use a backup without it.",
    );
    tell(&format!(
        "Nor is the audit trail, a folder that any program can copy:\n{}",
        trail_folder(database).display()
    ));
    recorded.context("the backup is made, but the audit trail could not keep that you made it")
}

/// Tells how far a copy has come.
pub fn copying() -> impl FnMut(u64, u64) {
    const MEBIBYTE: u64 = 1 << 20;
    let (mut progress, mut told) = (None, 0);
    move |done, total| {
        let progress =
            progress.get_or_insert_with(|| Progress::new(Unit::Mebibytes, Some(total.div_ceil(MEBIBYTE))));
        progress.advance(done / MEBIBYTE - told);
        told = done / MEBIBYTE;
    }
}

fn report(database: &Path, file: &Path, contents: &Contents) -> String {
    format!(
        "Backed up {} to {}:\n{}, {}. It is whole.",
        database.display(),
        file.display(),
        people(contents),
        HumanBytes(contents.size)
    )
}

/// Who is in a backup.
pub fn people(contents: &Contents) -> String {
    let Contents { identities, logins, .. } = contents;
    format!("{} with {}", counted(*identities, "identity", "identities"), counted(*logins, "login", "logins"))
}

/// To record it in a store of an older version would change the store, which stays as it is until somebody starts a
/// server of this version.
async fn record(installation: &Installation, file: &Path, contents: &Contents) -> anyhow::Result<()> {
    if !contents.is_current() {
        tell(&format!(
            "The store has version {}, older than this Daypass's: its audit trail has no event of this.",
            contents.version
        ));
        return Ok(());
    }
    let store = installation.store(Open::Existing).await?;
    let draft = draft(AuditAction::Backup, file);
    Ok(installation.trail(&store)?.noted(draft, Grounds::new("copied", people(contents))).await?)
}

/// An event about a file.
pub fn draft(action: AuditAction, file: &Path) -> AuditDraft {
    let request_id = RequestId::generate(SystemClock.now(), &SystemRandom);
    let mut draft = AuditDraft::new(action, &request_id);
    draft.resource = Some(file.display().to_string());
    draft
}
