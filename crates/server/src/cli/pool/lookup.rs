//! `daypass pool lookup`: who somebody is, in every Region that the configuration names. Nothing is made.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;

use super::{print, printable};
use crate::serve::{self, Instances};

/// Whom to look up.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The developer user identifier, such as snapchat:abc
    #[arg(value_name = "USER")]
    user: String,
    /// The configuration; $DAYPASS_CONFIG or daypass.toml unless given
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub async fn run(Arguments { user, config }: Arguments) -> anyhow::Result<()> {
    let app = serve::wire(&config.unwrap_or_else(serve::default_config), Instances::One).await?;
    let identities = app.broker.pool.lookup(&user).await.context("the pool cannot be asked")?;
    ensure!(!identities.is_empty(), "no pool knows {}", printable(&user));
    for (region, identity_id) in identities {
        print(&format!("{:<15} {identity_id}", region.to_string()))?;
    }
    Ok(())
}
