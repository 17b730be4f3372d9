//! `daypass pool export`: reads one state of the database, beside whatever writes to it meanwhile.

use std::io::{BufWriter, IsTerminal, Write};

use anyhow::{Context, bail, ensure};
use clap::Args;
use daypass_core::ground::counting::counted;
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::store::transfer::PoolSnapshot;
use daypass_core::store::{Page, SharedStore};

use super::file::Writer;
use super::{Database, no_pool, tell};
use crate::cli::progress::{Progress, Unit};

/// As many identities are read at a time.
const PAGE: usize = 1000;

/// What to export.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The pool, if there are several
    #[arg(long, value_name = "ID", value_parser = |text: &str| IdentityPoolId::parse(text))]
    pool: Option<IdentityPoolId>,
    #[command(flatten)]
    place: Database,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    ensure!(
        !std::io::stdout().is_terminal(),
        "the file would go to the terminal: write it with `daypass pool export > FILE`"
    );
    let store = arguments.place.open().await?;
    let id = choose(&store, arguments.pool).await?;
    let snapshot = store.snapshot_pool(&id).await?.ok_or_else(|| no_pool(&id))?;
    let identities = snapshot.identities;
    let output = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    write(snapshot, output).await?;
    let identities = counted(identities, "identity", "identities");
    tell(&format!("Exported {id} with {identities}. The file says who logs in: keep it private."));
    Ok(())
}

/// Writes a pool with everybody in it.
pub async fn write<W: Write>(snapshot: PoolSnapshot, output: W) -> anyhow::Result<W> {
    const FAILED: &str = "cannot write the file";
    let PoolSnapshot { pool, configured_as, identities, mut pages } = snapshot;
    let mut progress = Progress::new(Unit::Identities, Some(identities));
    let mut writer = Writer::new(output, pool, configured_as).context(FAILED)?;
    loop {
        let page = pages.next(PAGE).await?;
        if page.is_empty() {
            return writer.finish().context(FAILED);
        }
        progress.advance(page.len() as u64);
        page.into_iter().try_for_each(|record| writer.add(record)).context(FAILED)?;
    }
}

async fn choose(store: &SharedStore, named: Option<IdentityPoolId>) -> anyhow::Result<IdentityPoolId> {
    if let Some(id) = named {
        return Ok(id);
    }
    match &store.list_pools(Page { after: None, limit: 2 }).await?[..] {
        [] => bail!("there is no pool"),
        [only] => Ok(only.id.clone()),
        _ => bail!("there are several pools: name one with --pool; `daypass pool list` shows them"),
    }
}
