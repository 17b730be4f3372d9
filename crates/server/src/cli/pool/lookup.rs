//! `daypass pool lookup`: who somebody is, in every Region that the configuration names. Nothing is made.

use anyhow::{Context, ensure};
use clap::Args;
use daypass_store::Open;

use super::{print, printable};
use crate::cli::place::Place;
use crate::config::Instances;

/// Whom to look up.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The developer user identifier, such as snapchat:abc
    #[arg(value_name = "USER")]
    user: String,
    #[command(flatten)]
    place: Place,
}

pub async fn run(Arguments { user, place }: Arguments) -> anyhow::Result<()> {
    let installation = place.find()?;
    let app = installation.app(Instances::One, Open::Existing).await?;
    let identities = app.broker.pool.lookup(&user).await.context("the pool cannot be asked")?;
    ensure!(!identities.is_empty(), "no pool knows {}", printable(&user));
    for (region, identity_id) in identities {
        print(&format!("{:<15} {identity_id}", region.to_string()))?;
    }
    Ok(())
}
