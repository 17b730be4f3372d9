//! `daypass restore`: puts a backup in the place of the store. Everything is looked at and changed in a copy, so that
//! whatever is refused leaves the store as it was.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use daypass_core::audit::{AuditAction, Grounds};
use daypass_core::ground::clock::{Clock, SystemClock, Timestamp};
use daypass_core::ground::master_keys::MasterKeys;
use daypass_core::operator::restoration::{Restored, take_back};
use daypass_core::store::{SharedStore, StoredAccessKey};
use daypass_store::Restoration;

use super::backup::{copying, draft, people};
use super::place::Place;
use super::{print, tell};
use crate::installation::Installation;

/// Which backup, and into which installation.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A file that `daypass backup` made
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

pub async fn run(Arguments { file, place }: Arguments) -> anyhow::Result<()> {
    let installation = place.find_to_restore()?;
    let (database, master_keys) = (installation.database()?, installation.master_keys().await?);
    let untouched = || format!("{} is not restored, and nothing was changed", file.display());
    let restoration = Restoration::begin(&file, database, &mut copying()).with_context(untouched)?;
    let restored = take_in(&restoration, &installation, &master_keys, &file).await.with_context(untouched)?;
    let report = Report::of(&restoration, restored);
    let aside = aside(database, SystemClock.now());
    let replaced = restoration.finish(&aside)?;
    print(&report.text(&file, database, replaced.then_some(&*aside)))?;
    if report.copied_by_hand {
        tell(
            "The file was not made by `daypass backup`. If somebody copied it beside a running\n\
             server without its -wal, the newest logins of that time are missing.",
        );
    }
    Ok(())
}

/// Takes the copy in as the store of this installation, and has it closed again.
async fn take_in(
    restoration: &Restoration,
    installation: &Installation,
    master_keys: &MasterKeys,
    file: &Path,
) -> anyhow::Result<Restored> {
    let store: SharedStore = Arc::new(restoration.store()?);
    let holder = installation.key_holder().await?;
    let restored = take_back(&*store, master_keys, &*holder, Arc::new(SystemClock)).await;
    let restored = restored.map_err(|error| installation.of_master_keys(error))?;
    // No server runs that could seal under another one, as one of the time of the backup did.
    store.announce_master_key(master_keys.current(), SystemClock.now()).await?;
    let trail = installation.trail(&store)?;
    let what = Grounds::new("restored", people(&restoration.contents));
    trail.noted(draft(AuditAction::Restore, file), what).await?;
    Ok(restored)
}

/// Beside the store, and named after the moment. Nothing is there yet.
fn aside(database: &Path, now: Timestamp) -> PathBuf {
    let moment = format!("{now:.0}").replace([':', '-'], "");
    let named = |suffix: String| {
        let mut name = database.as_os_str().to_owned();
        name.push(format!(".until-{moment}{suffix}"));
        PathBuf::from(name)
    };
    let mut aside = named(String::new());
    for number in 2.. {
        if !aside.exists() {
            break;
        }
        aside = named(format!("-{number}"));
    }
    aside
}

/// What the operator has to know.
struct Report {
    people: String,
    newest_event: Option<Timestamp>,
    over_until: Timestamp,
    keys: Vec<StoredAccessKey>,
    keys_before: Option<Vec<StoredAccessKey>>,
    copied_by_hand: bool,
}

impl Report {
    fn of(restoration: &Restoration, restored: Restored) -> Self {
        Self {
            people: people(&restoration.contents),
            newest_event: restoration.contents.newest_event,
            over_until: restored.over_until,
            keys: restored.access_keys,
            keys_before: restoration.keys_before.clone(),
            copied_by_hand: restoration.copied_by_hand,
        }
    }

    fn text(&self, file: &Path, database: &Path, aside: Option<&Path>) -> String {
        let newest = self.newest_event.map_or("without an event".into(), |time| format!("up to {time:.0}"));
        let mut lines = vec![
            format!("Restored {} from {}:", database.display(), file.display()),
            format!("{}, {newest}.", self.people),
        ];
        lines.extend(aside.map(|aside| format!("What was there is kept as {}.", aside.display())));
        lines.push(format!("All sessions that began until {:.0} are over.", self.over_until));
        lines.extend(self.keys());
        lines.push(
            "Whatever was changed since the backup is undone, such as deleted identities and\n\
             unlinked logins: docs/back-up.md says what to look at before you start Daypass."
                .into(),
        );
        lines.join("\n")
    }

    /// A key that was disabled since works again.
    fn keys(&self) -> Vec<String> {
        if self.keys.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![
            "Access keys are as they were at the time of the backup. `daypass key disable ID`\n\
             ends those that should not work:"
                .to_owned(),
            format!("  {:<20}  {:<8}  {:<8}  NAME", "ID", "NOW", "BEFORE"),
        ];
        lines.extend(self.keys.iter().map(|key| {
            let before = self.state_before(key);
            format!("  {}  {:<8}  {before:<8}  {}", key.id, state(key), key.name)
        }));
        lines
    }

    /// Of a key in the store that was replaced, if that could be read.
    fn state_before(&self, key: &StoredAccessKey) -> &'static str {
        match &self.keys_before {
            None => "?",
            Some(keys) => keys.iter().find(|before| before.id == key.id).map_or("absent", state),
        }
    }
}

fn state(key: &StoredAccessKey) -> &'static str {
    if key.enabled { "enabled" } else { "disabled" }
}

#[cfg(test)]
mod tests {
    use daypass_core::credentials::access_key::ALLOW_ALL;
    use daypass_core::ground::ids::{AccessKeyId, UserName};
    use daypass_core::ground::seal::Sealed;

    use super::*;

    #[test]
    fn what_is_kept_is_named_after_the_moment() {
        let now = Timestamp::from_second(1_795_859_101).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("daypass.db");
        for expected in ["", "-2", "-3"] {
            let aside = aside(&database, now);
            let name = aside.file_name().unwrap().to_str().unwrap();
            assert_eq!(name, format!("daypass.db.until-20261128T094501Z{expected}"));
            std::fs::write(aside, "").unwrap();
        }
    }

    fn key(number: usize, enabled: bool) -> StoredAccessKey {
        StoredAccessKey {
            id: AccessKeyId::parse(format!("AKIA{number:016}")).unwrap(),
            name: UserName::parse("ci").unwrap(),
            policy: ALLOW_ALL.into(),
            sealed_secret: Sealed(b"sealed".into()),
            created_at: Timestamp::UNIX_EPOCH,
            enabled,
        }
    }

    #[test]
    fn the_operator_hears_which_keys_work_again_on_a_narrow_terminal() {
        let over_until = Timestamp::from_second(1_795_859_101).unwrap();
        let told = |keys_before| Report {
            people: "1,204,000 identities with 1,391,000 logins".into(),
            newest_event: Some(over_until),
            over_until,
            keys: vec![key(1, true), key(2, true), key(3, false)],
            keys_before,
            copied_by_hand: false,
        };
        let text_of = |told: Report| {
            let (database, aside) =
                (Path::new("/var/lib/daypass/daypass.db"), Path::new("/var/lib/daypass/a"));
            told.text(Path::new("/backup/2026-11-28.db"), database, Some(aside))
        };
        let text = text_of(told(Some(vec![key(1, false), key(3, false)])));
        for line in [
            "  AKIA0000000000000001  enabled   disabled  ci",
            "  AKIA0000000000000002  enabled   absent    ci",
            "  AKIA0000000000000003  disabled  disabled  ci",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text_of(told(None)).contains("AKIA0000000000000001  enabled   ?         ci"));
    }
}
