//! `daypass pool lookup`: who somebody is, in every Region that the configuration names. Nothing is made.

use std::sync::Arc;

use anyhow::{Context, ensure};
use clap::Args;
use daypass_core::broker::developer_pool::DeveloperPool;
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::ids::{IdentityId, Region};
use daypass_core::ground::random::SystemRandom;
use daypass_core::records::identity::Login;
use daypass_core::store::Store;
use daypass_store::Open;

use super::print;
use crate::cli::place::Place;
use crate::cognito::{self, CognitoPool};
use crate::config::{Driver, EmbeddedConfig, RegionConfig};
use crate::installation::Installation;
use crate::metrics::Metrics;
use crate::printable::printable;

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
        Driver::Embedded(pool) => in_store(&*installation.store(Open::Existing).await?, pool, &user).await?,
        Driver::Cognito(regions) => {
            let pool = amazons(&installation, regions).await?;
            pool.lookup(&user).await.context("the pool cannot be asked")?
        }
    };
    ensure!(!identities.is_empty(), "no pool knows {}", printable(&user));
    for (region, identity_id) in identities {
        print(&format!("{:<15} {identity_id}", region.to_string()))?;
    }
    Ok(())
}

/// A server has more of it, and makes what is missing: keys, say.
async fn amazons(installation: &Installation, regions: &[RegionConfig]) -> anyhow::Result<CognitoPool> {
    let store = installation.store(Open::Existing).await?;
    let dependencies = cognito::Dependencies {
        aws: &cognito::config_of_environment(&regions[0].region).await,
        trail: installation.trail(&store)?,
        metrics: &Metrics::default(),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    Ok(CognitoPool::new(regions, &installation.config().pool, dependencies))
}

/// The embedded pool is looked for and not made, and neither are its keys.
async fn in_store(
    store: &dyn Store,
    pool: &EmbeddedConfig,
    user: &str,
) -> anyhow::Result<Vec<(Region, IdentityId)>> {
    let found = store.configured_pools().await?.remove(&pool.name);
    let found = found.with_context(|| format!("the store has no pool {:?} yet", printable(&pool.name)))?;
    let person = store.find_identity_by_login(&found.id, &Login::developer(user)).await?;
    Ok(person.map(|person| (pool.region.clone(), person.identity.id)).into_iter().collect())
}
