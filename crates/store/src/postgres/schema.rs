//! The tables: whether they are there, of which version, and how they are made.

use tokio_postgres::error::SqlState;

use super::connections::Connections;
use super::statements::Statement;
use super::trouble::{Failure, PostgresOpenError};
use crate::opening::Open;

/// Which tables this program knows.
const VERSION: i64 = 1;

/// Each may be made again, and by several at once. The version comes last: with it, everything is there.
const STEPS: [Statement; 4] = [
    step(
        "CREATE TABLE IF NOT EXISTS daypass_item (\
           partition bytea, sort bytea, stamp bigint NOT NULL, content bytea NOT NULL, forgotten_at bigint, \
           PRIMARY KEY (partition, sort))",
    ),
    step("CREATE INDEX IF NOT EXISTS daypass_item_forgotten_at ON daypass_item (forgotten_at)"),
    step("CREATE TABLE IF NOT EXISTS daypass_schema (id smallint PRIMARY KEY, version bigint NOT NULL)"),
    step("INSERT INTO daypass_schema (id, version) VALUES (1, 1) ON CONFLICT DO NOTHING"),
];

const FOUND: Statement = step("SELECT version FROM daypass_schema");

const fn step(text: &'static str) -> Statement {
    Statement { text, types: &[] }
}

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
    match connections.ask(&FOUND, &[]).await {
        Err(failure) if failure.code == Some(SqlState::UNDEFINED_TABLE) => Ok(None),
        found => Ok(found?.first().and_then(|row| row.try_get(0).ok())),
    }
}

async fn make(connections: &Connections) -> Result<(), Failure> {
    for step in &STEPS {
        match connections.ask(step, &[]).await {
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
