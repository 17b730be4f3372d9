//! `daypass store copy`: everything of one store into another.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, ensure};
use clap::Args;
use daypass_core::audit::{AuditAction, AuditDraft, AuditTrail, Grounds};
use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::random::SystemRandom;
use daypass_core::operator::copying::{Contents, Kind, Step, copy};
use daypass_core::store::SharedStore;
use daypass_store::{Open, StoreUrl, ensure_unused, open, open_to_fill, open_whole};
use indicatif::HumanCount;

use super::super::progress::{Progress, Unit};
use super::super::{print, tell};
use crate::config::ConfigFile;
use crate::installation::{Installation, taking_over};
use crate::telemetry::{self, LoggedStrangers};

/// What to copy, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The store to copy: its URL, or a configuration of `daypass serve` that has it
    #[arg(long, value_name = "URL|FILE")]
    from: End,
    /// The store to copy into, which has nothing in it: its URL, or a configuration
    #[arg(long, value_name = "URL|FILE")]
    to: End,
}

/// A store, as somebody names it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Url(StoreUrl),
    Configuration(PathBuf),
}

const SCHEMES: [&str; 5] = ["sqlite:", "postgres:", "postgresql:", "dynamodb:", "memory:"];

const WITH_PASSWORD: &str = "a password never stands in a command line, where everybody on this machine can read it: write it \
                             to a file, and name a configuration whose [store] has password = { file = \"…\" }";

impl FromStr for End {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self::Configuration(text.into()));
        }
        match StoreUrl::try_from(text.to_owned())? {
            StoreUrl::Postgres(url) if url.has_password() => Err(WITH_PASSWORD.to_owned()),
            url => Ok(Self::Url(url)),
        }
    }
}

/// A store, with what it takes to be let in.
struct Found {
    url: StoreUrl,
    installation: Option<Installation>,
}

impl End {
    async fn find(self) -> anyhow::Result<Found> {
        match self {
            Self::Url(url) => Ok(Found { url, installation: None }),
            Self::Configuration(file) => {
                let installation = Installation::of(&ConfigFile::read(&file)?, telemetry::stderr)?;
                let url = installation.opening_url().await?;
                Ok(Found { url, installation: Some(installation) })
            }
        }
    }
}

impl Found {
    /// What it is called, wherever somebody stands.
    fn name(&self) -> String {
        match &self.url {
            StoreUrl::Sqlite(file) => {
                let file = file
                    .canonicalize()
                    .or_else(|_| std::path::absolute(file))
                    .unwrap_or_else(|_| file.clone());
                StoreUrl::Sqlite(file).to_string()
            }
            url => url.to_string(),
        }
    }

    fn is_same_as(&self, other: &Self) -> bool {
        let are_files = [self, other].iter().all(|end| matches!(end.url, StoreUrl::Sqlite(_)));
        self.url == other.url || (are_files && self.name() == other.name())
    }

    /// Opens it to be read. A file is brought to this version before, as far as its configuration lets it be changed.
    async fn open(&self) -> anyhow::Result<SharedStore> {
        ensure_unused(&self.url)?;
        let how = self.installation.as_ref().map_or(Open::Existing, |it| it.opening(Open::Existing));
        Ok(open(&self.url, how, &mut taking_over()).await?)
    }

    /// Records in it that it is copied, which the copy has as well.
    async fn record(&self, store: SharedStore, to: &str) -> anyhow::Result<()> {
        let trail = if let Some(installation) = &self.installation {
            installation.trail(&store)?
        } else {
            let (clock, strangers) = (Arc::new(SystemClock), Arc::new(LoggedStrangers));
            Arc::new(AuditTrail::new(store.clone(), store, strangers, clock))
        };
        let request_id = RequestId::generate(SystemClock.now(), &SystemRandom);
        let mut draft = AuditDraft::new(AuditAction::Backup, &request_id);
        draft.resource = Some(to.to_owned());
        let recorded =
            trail.noted(draft, Grounds::new("copied", "a copy into another store was begun")).await;
        recorded.context("the audit trail could not keep that the store is copied")
    }
}

impl Arguments {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (from, to) = (self.from.find().await?, self.to.find().await?);
        let (from_name, to_name) = (from.name(), to.name());
        ensure!(!from.is_same_as(&to), "{from_name} is copied into itself: name another store");
        let store = from.open().await?;
        if matches!(from.url, StoreUrl::Postgres(_) | StoreUrl::Dynamo(_)) {
            tell(&format!("Nobody can tell whether something still runs on {from_name}: end that first."));
        }
        let target = open_to_fill(&to.url).await?;
        target.begin(&from_name).await.with_context(|| format!("cannot copy into {to_name}"))?;
        let copied = async {
            from.record(store, &to_name).await?;
            let source = open_whole(&from.url, &mut taking_over()).await?;
            anyhow::Ok(copy(&*source, &*target, &SystemClock, &mut telling()).await?)
        };
        let contents = copied.await.with_context(|| {
            format!(
                "{to_name} is not complete, and nobody is served from it: once the cause is gone, ask again with the same \
                 --from and --to"
            )
        })?;
        print(&report(&contents))?;
        print(&format!("Copied {from_name} to {to_name}: all of it is there, and is the same."))?;
        tell(
            "Have the configuration name that store, with the master key of before, and start Daypass. From now on neither \
             store hears of the other: put the old one where nobody starts a server on it.",
        );
        Ok(())
    }
}

/// Tells how far a copy has come.
fn telling() -> impl FnMut(Step, u64) + Send {
    let mut counting: Option<(Step, Progress)> = None;
    move |step, more| {
        if counting.as_ref().is_none_or(|(counted, _)| *counted != step) {
            counting = None;
            tell(match step {
                Step::Copying => "Copying.",
                Step::Comparing => "Reading all of it again, in both stores, to compare.",
            });
        }
        let (_, progress) = counting.get_or_insert_with(|| (step, Progress::new(Unit::Records, None)));
        progress.advance(more);
    }
}

fn report(contents: &Contents) -> String {
    let line = |kind: Kind| {
        let sum = contents.of(kind);
        format!("{:<24} {:>12}  {sum}", kind.name(), HumanCount(sum.count).to_string())
    };
    Kind::ALL.map(line).join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_its_url_or_a_configuration() {
        let file = End::Configuration("etc/daypass.toml".into());
        assert_eq!("etc/daypass.toml".parse(), Ok(file));
        assert_eq!("sqlite:a.db".parse(), Ok(End::Url(StoreUrl::Sqlite("a.db".into()))));
        assert!(matches!("postgres://ada@db/x".parse(), Ok(End::Url(StoreUrl::Postgres(_)))));
        assert!(matches!("dynamodb:people".parse(), Ok(End::Url(StoreUrl::Dynamo(_)))));
        let refused = "postgres://ada:hunter2@db/x".parse::<End>().unwrap_err();
        assert!(refused.contains("name a configuration") && !refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn what_is_reported_has_a_line_for_each_kind() {
        let report = report(&Contents::default());
        assert_eq!(report.lines().count(), Kind::ALL.len());
        let first: Vec<&str> = report.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(first, ["pools", "0", &"0".repeat(32)]);
    }
}
