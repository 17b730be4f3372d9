//! `daypass pool create`: a second pool in a store, which a start does not make, because a new name may be a slip.

use daypass_core::operator::pools;
use daypass_store::Open;

use super::{print, tell};
use crate::cli::operator;
use crate::cli::place::Place;
use crate::installation::{Beside, ConfiguredPool};

pub async fn run(place: &Place) -> anyhow::Result<()> {
    let installation = place.find()?;
    let store = installation.store(Open::OrMake).await?;
    let ConfiguredPool { pool, news } = installation.pool(&store, Beside::Made).await?;
    let Some(news) = news else {
        return Ok(print(&format!("Nothing to do: the configuration names the pool {}.", pool.id))?);
    };
    let arn = installation.pool_arn(&pool.id)?;
    pools::record_made(&*installation.trail(&store)?, arn, &operator()).await?;
    tell(&format!("Note: {news}."));
    Ok(print(&format!("Made the pool {}.", pool.id))?)
}
