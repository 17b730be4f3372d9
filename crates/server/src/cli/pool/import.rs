//! `daypass pool import`: one transaction, so that a file that turns out bad at its end, or a kill in the
//! middle, leaves nothing. Other processes that write to the database would wait for all of it, so no
//! `daypass up` may run on it meanwhile.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::Args;
use daypass_core::audit::AuditTrail;
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::counting::counted;
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::operator::pools::{self, PoolImportError};
use daypass_core::records::identity_record::IdentityRecord;
use daypass_core::store::SharedStore;
use daypass_core::store::transfer::{ImportError, Imported, PoolImport, SourceError};
use daypass_store::{Open, StoreUrl};

use super::file::{self, Opened};
use super::{Database, print, tell};
use crate::cli::operator;
use crate::cli::progress::{Progress, Unit};
use crate::installation::Installation;
use crate::installation::taking_over;
use crate::printable::printable;
use crate::telemetry::LoggedStrangers;

/// What to import, and where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file, or - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Database,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { file, place } = &arguments;
    let (input, total) = open_file(file)?;
    let opened = file::open(input)?;
    let (id, name) = (opened.pool.id.clone(), opened.configured_as.clone());
    let target = Target::open(place).await?;
    let import = pool_import(opened, Progress::new(Unit::Identities, total));
    let named = target.name(&id)?;
    let imported = pools::import(&*target.store, &target.trail, import, named, &operator()).await;
    let imported = imported.map_err(|error| explain(error, &file.display().to_string()))?;
    print(&report(&id, imported))?;
    if let Some(name) = name {
        tell(&whose_logins(&name, imported.configured, target.called()?));
    }
    Ok(())
}

/// The pool of a file with its identities, on their way into a store.
pub fn pool_import(opened: Opened<impl BufRead + Send + 'static>, progress: Progress) -> PoolImport {
    let Opened { pool, configured_as, identities } = opened;
    PoolImport::new(pool, configured_as, Box::new(Counted { records: identities, progress }))
}

fn report(id: &IdentityPoolId, imported: Imported) -> String {
    let Imported { identities, logins, changed, .. } = imported;
    let (identities, logins) =
        (counted(identities, "identity", "identities"), counted(logins, "login", "logins"));
    if changed {
        format!("Imported {id} with {identities} and {logins}.")
    } else {
        format!("Nothing to do: {id} has the same {identities} and {logins}.")
    }
}

/// `called` is what the configuration of the installation calls its pool, if there is one.
fn whose_logins(name: &str, configured: bool, called: Option<&str>) -> String {
    if let Some(called) = called.filter(|called| *called != name) {
        let (name, called) = (printable(name), printable(called));
        return format!(
            "No logins lead to it: it was called {name}, and the configuration calls the pool that they lead to {called}. \
             The API answers about it under its ID."
        );
    }
    let name = printable(name);
    if configured {
        format!("Logins lead to it: the configuration calls it {name}.")
    } else {
        format!(
            "Logins go on leading to the pool that the configuration calls {name}, which was there before."
        )
    }
}

/// The input, and how many identities it says it has, if it can be asked before it is read.
fn open_file(file: &Path) -> anyhow::Result<(Box<dyn BufRead + Send>, Option<u64>)> {
    const BUFFER: usize = 1 << 20;
    if file.as_os_str() == "-" {
        return Ok((Box::new(BufReader::with_capacity(BUFFER, std::io::stdin())), None));
    }
    let failed = || format!("cannot read {}", file.display());
    let mut opened = File::open(file).with_context(failed)?;
    let total = opened.metadata().with_context(failed)?.is_file().then(|| file::announced(&mut opened));
    // A pipe has no beginning to go back to, and was not asked.
    if total.is_some() {
        opened.rewind().with_context(failed)?;
    }
    Ok((Box::new(BufReader::with_capacity(BUFFER, opened)), total.flatten()))
}

/// Where an import goes.
struct Target {
    store: SharedStore,
    trail: Arc<AuditTrail>,
    /// Keeps a server out of a directory of `up`.
    installation: Option<Installation>,
}

impl Target {
    /// Opens the database, making it where there is none; a directory with all else that `up` keeps in it.
    async fn open(place: &Database) -> anyhow::Result<Self> {
        if let Some(file) = &place.database {
            let store =
                daypass_store::open(&StoreUrl::Sqlite(file.clone()), Open::OrMake, &mut taking_over())
                    .await?;
            let trail = AuditTrail::new(
                store.clone(),
                store.clone(),
                Arc::new(LoggedStrangers),
                Arc::new(SystemClock),
            );
            return Ok(Self { store, trail: Arc::new(trail), installation: None });
        }
        let installation = place.place.find_or_make()?;
        let store = installation.store(Open::OrMake).await?;
        Ok(Self { trail: installation.trail(&store)?, store, installation: Some(installation) })
    }

    /// What the configuration calls the pool that logins lead to.
    fn called(&self) -> anyhow::Result<Option<&str>> {
        self.installation.as_ref().map(Installation::pool_name).transpose()
    }

    /// What the audit trail calls a pool. A database of no installation has no account.
    fn name(&self, id: &IdentityPoolId) -> anyhow::Result<String> {
        let arn = self.installation.as_ref().map(|installation| installation.pool_arn(id)).transpose()?;
        Ok(arn.unwrap_or_else(|| id.to_string()))
    }
}

fn explain(error: PoolImportError, file: &str) -> anyhow::Error {
    match error {
        PoolImportError::Refused(error) => nothing_imported(error, file),
        error @ PoolImportError::NotRecorded(_) => error.into(),
    }
}

fn nothing_imported(error: ImportError, file: &str) -> anyhow::Error {
    let nothing = format!("{file} is not imported, and nothing was changed");
    let cure = match error {
        // Their causes say what to do.
        ImportError::Source(_) | ImportError::Store(_) => return anyhow::Error::new(error).context(nothing),
        ImportError::IdentityTaken { .. } | ImportError::LoginTaken { .. } => {
            ": an identity is in one pool only, and a login belongs to one identity"
        }
        ImportError::Differs(_) | ImportError::HasMore(_) => {
            ": import goes into a pool that is empty or not there; name another --dir or --database, or \
             delete the pool first"
        }
    };
    anyhow!("{nothing}: {error}{cure}")
}

/// Tells how far it has come.
struct Counted<I> {
    records: I,
    progress: Progress,
}

impl<I: Iterator<Item = Result<IdentityRecord, SourceError>>> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let record = self.records.next()?;
        self.progress.advance(1);
        Some(record)
    }
}
