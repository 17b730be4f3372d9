//! Bringing a store to the version that this program knows, apart from a start.

use crate::dynamodb::DynamoEngine;
use crate::opening::Open;
use crate::postgres::PostgresEngine;
use crate::sqlite;
use crate::url::{OpenError, StoreUrl, open};

const MARK: &str = "say in the table that it is a store of Daypass";

/// What [`migrate`] would do, step by step. Nothing is done.
///
/// # Errors
/// [`OpenError`], also of a store that this program is too old for
pub async fn steps_due(url: &StoreUrl) -> Result<Vec<String>, OpenError> {
    Ok(match url {
        StoreUrl::Sqlite(file) => {
            sqlite::versions_due(file)?.map(|version| format!("version {version}")).collect()
        }
        StoreUrl::Postgres(url) => PostgresEngine::steps_due(url).await?,
        StoreUrl::Dynamo(url) => {
            DynamoEngine::is_empty(url).await?.then(|| MARK.to_owned()).into_iter().collect()
        }
        StoreUrl::Memory => return Err(OpenError::InMemory),
    })
}

/// Brings a store to the version that this program knows, and makes it if it is not there, but for a table of DynamoDB's. Says in how many
/// steps, each of which `tell` hears before. `progress` hears how many events of an older audit trail are taken over, and of how many.
///
/// # Errors
/// [`OpenError`]
pub async fn migrate(
    url: &StoreUrl,
    tell: &mut (dyn FnMut(&str) + Send),
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<usize, OpenError> {
    // Others may make them at the same time: whoever makes them tells.
    if let StoreUrl::Postgres(url) = url {
        return Ok(PostgresEngine::migrate(url, tell).await?);
    }
    let steps = steps_due(url).await?;
    for step in &steps {
        tell(step);
    }
    if !steps.is_empty() {
        drop(open(url, Open::OrMake, progress).await?);
    }
    Ok(steps.len())
}
