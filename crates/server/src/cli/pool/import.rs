//! `daypass pool import`: one transaction, so that a file that turns out bad at its end, or a kill in the
//! middle, leaves nothing. Other processes that write to the database would wait for all of it, so no
//! `daypass up` may run on it meanwhile.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use daypass_core::ids::IdentityPoolId;
use daypass_core::random::SystemRandom;
use daypass_core::store::Store;
use daypass_core::transfer::{IdentityRecord, ImportError, Imported, PoolImport, SourceError};
use daypass_store::SqliteStore;

use super::file::{self, Opened};
use super::progress::Progress;
use super::{Place, print, printable, tell};
use crate::up::home::Home;

/// Read a pool that `daypass pool export` wrote, with everybody in it.
///
/// All of it comes in, or nothing does: a file that is damaged or cut off changes
/// nothing. A pool that is there has to be empty, or to have the same identities.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file, or - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { file, place } = &arguments;
    let opened = file::open(open_file(file)?)?;
    let (id, name) = (opened.pool.id.clone(), opened.configured_as.clone());
    // Held until the end: it keeps a server out.
    let (store, _home) = open(place)?;
    let imported = bring(opened, &store).await;
    let imported = imported.map_err(|error| nothing_imported(&error, &file.display().to_string()))?;
    print(&report(&id, imported))?;
    if let Some(name) = name {
        tell(&whose_logins(&name, imported.configured));
    }
    Ok(())
}

/// Brings everybody of a file into a store.
pub async fn bring(
    opened: Opened<impl BufRead + Send + 'static>,
    store: &dyn Store,
) -> Result<Imported, ImportError> {
    let Opened { pool, configured_as, identities } = opened;
    let records = Counted { records: identities, progress: Progress::new(None) };
    store.import_pool(PoolImport::new(pool, configured_as, Box::new(records))).await
}

fn report(id: &IdentityPoolId, imported: Imported) -> String {
    let Imported { identities, logins, changed, .. } = imported;
    if changed {
        format!("Imported {id} with {identities} identities and {logins} logins.")
    } else {
        format!("Nothing to do: {id} has the same {identities} identities and {logins} logins.")
    }
}

fn whose_logins(name: &str, configured: bool) -> String {
    let name = printable(name);
    if configured {
        format!("Logins lead to it: the configuration calls it {name}.")
    } else {
        format!(
            "Logins go on leading to the pool that the configuration calls {name}, which was there before."
        )
    }
}

fn open_file(file: &Path) -> anyhow::Result<Box<dyn BufRead + Send>> {
    const BUFFER: usize = 1 << 20;
    if file.as_os_str() == "-" {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, std::io::stdin())));
    }
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Box::new(BufReader::with_capacity(BUFFER, opened)))
}

/// Opens the database, making it where there is none; a directory with all else that `up` keeps in it.
fn open(place: &Place) -> anyhow::Result<(SqliteStore, Option<Home>)> {
    if let Some(file) = &place.database {
        return Ok((SqliteStore::open(file)?, None));
    }
    let home = Home::open(&place.dir, &SystemRandom)?;
    Ok((SqliteStore::open(&home.database())?, Some(home)))
}

fn nothing_imported(error: &ImportError, file: &str) -> anyhow::Error {
    let cure = match error {
        ImportError::Source(_) | ImportError::Store(_) => "",
        ImportError::IdentityTaken { .. } | ImportError::LoginTaken { .. } => {
            ": an identity is in one pool only, and a login belongs to one identity"
        }
        ImportError::Differs(_) | ImportError::HasMore(_) => {
            ": import goes into a pool that is empty or not there; name another --dir or --database, or \
             delete the pool first"
        }
    };
    anyhow!("{file} is not imported, and nothing was changed: {error}{cure}")
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
