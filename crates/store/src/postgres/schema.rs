//! The tables: whether they are there, of which version, and how they are made.

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::connections::Connections;
use super::statements::{Statement, step};
use super::trouble::{Failure, PostgresOpenError};
use crate::opening::Open;

/// Which tables this program knows.
const VERSION: i64 = 1;

/// Each of them takes a round trip, and one of those who meet has his way.
const TRIES: u32 = 32;

const FOUND: Statement = step("SELECT version FROM daypass_schema");

/// Has the tables be there, of the version that this program knows.
pub(super) async fn prepare(connections: &Connections, open: Open) -> Result<(), PostgresOpenError> {
    let mut found = version(connections).await?;
    if found.is_none() && open == Open::OrMake {
        make(connections).await?;
        found = version(connections).await?;
    }
    let place = || connections.place().to_owned();
    match found {
        Some(VERSION) => Ok(()),
        Some(found) => Err(PostgresOpenError::OtherVersion { place: place(), found, known: VERSION }),
        None => Err(PostgresOpenError::NotThere { place: place() }),
    }
}

async fn version(connections: &Connections) -> Result<Option<i64>, Failure> {
    match ask_until_nobody_is_in_the_way(connections, &FOUND).await {
        Err(failure) if failure.code == Some(SqlState::UNDEFINED_TABLE) => Ok(None),
        found => Ok(found?.first().and_then(|row| row.try_get(0).ok())),
    }
}

async fn make(connections: &Connections) -> Result<(), Failure> {
    for step in connections.statements().steps {
        match ask_until_nobody_is_in_the_way(connections, step).await {
            // IF NOT EXISTS does not keep out who does the same at the same time.
            Err(Failure {
                code:
                    Some(SqlState::UNIQUE_VIOLATION | SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_OBJECT),
                ..
            }) => {}
            made => drop(made?),
        }
    }
    Ok(())
}

/// Where nobody waits for others (DSQL), who makes the same at the same time is refused, and so is who has not heard of it.
async fn ask_until_nobody_is_in_the_way(
    connections: &Connections,
    step: &Statement,
) -> Result<Vec<Row>, Failure> {
    for _ in 1..TRIES {
        match connections.ask(step, &[]).await {
            Err(failure) if failure.is_conflict() => {}
            made => return made,
        }
    }
    connections.ask(step, &[]).await
}
