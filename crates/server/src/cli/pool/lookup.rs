//! `daypass pool lookup`: who somebody is, in every Region that the configuration names. Nothing is made.

use anyhow::{Context, ensure};
use clap::Args;
use daypass_core::ground::ids::{IdentityId, Region};
use daypass_core::records::identity::Login;
use daypass_core::store::Store;
use daypass_store::Open;

use super::{print, printable};
use crate::cli::place::Place;
use crate::config::{Driver, EmbeddedConfig, Instances};

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
    let identities = match &installation.config().pool.driver {
        Driver::Embedded(pool) => in_store(&*installation.store(Open::Existing)?, pool, &user).await?,
        Driver::Cognito(_) => {
            let app = installation.app(Instances::One, Open::Existing).await?;
            app.broker.pool.lookup(&user).await.context("the pool cannot be asked")?
        }
    };
    ensure!(!identities.is_empty(), "no pool knows {}", printable(&user));
    for (region, identity_id) in identities {
        print(&format!("{:<15} {identity_id}", region.to_string()))?;
    }
    Ok(())
}

/// The embedded pool is looked for and not made, and neither are its keys.
async fn in_store(
    store: &dyn Store,
    pool: &EmbeddedConfig,
    user: &str,
) -> anyhow::Result<Vec<(Region, IdentityId)>> {
    let found = store.configured_pools().await?.remove(&pool.name);
    let found = found.with_context(|| format!("the store has no pool {:?} yet", printable(&pool.name)))?;
    let identity = store.find_identity_by_login(&found.id, &Login::developer(user)).await?;
    Ok(identity.map(|id| (pool.region.clone(), id)).into_iter().collect())
}
