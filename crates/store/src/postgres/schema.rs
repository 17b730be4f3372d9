//! The tables: of which version they are, which programs may live with it, and how a version is made of the one before.
//!
//! `daypass_schema` says which version a program has to know at least, `daypass_migration` which version the tables have.
//!
//! The first version is 2. Version 1, which may have no `daypass_migration`, is that of programs of before the first release, which wrote items
//! in another form: it is refused, since there is no step from there.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::again::ask_again;
use super::connections::Connections;
use super::dialect::PostgresDialect;
use super::statements::Statement;
use super::trouble::{Failure, PostgresOpenError};

/// What a program knows of the tables.
#[derive(Debug, Clone, Copy)]
pub struct PostgresSchema {
    /// All versions, from the first on. Only ever append.
    pub versions: &'static [PostgresVersion],
    /// For so long others are waited for that make them.
    pub patience: Duration,
}

/// How a version is made of the one before.
#[derive(Debug, Clone, Copy)]
pub struct PostgresVersion {
    /// The oldest version whose programs may go on with it: no younger than the one before, beside which it comes into a service that runs.
    pub oldest: i64,
    /// In order.
    pub steps: &'static [PostgresStep],
}

/// A statement that may be made again, also late, by a program that was held up: what it makes, the next version must not take away.
///
/// It has to be done within a statement's five seconds. Whoever waits longer for the lock of a table has everybody else wait behind it.
#[derive(Debug)]
pub struct PostgresStep {
    /// For PostgreSQL.
    pub postgresql: &'static str,
    /// For Aurora DSQL: one statement, `CREATE INDEX ASYNC`, and columns by name and type alone.
    pub dsql: &'static str,
}

impl PostgresStep {
    /// One that both understand.
    #[must_use]
    pub const fn alike(text: &'static str) -> Self {
        Self { postgresql: text, dsql: text }
    }

    pub(super) fn text(&self, dialect: PostgresDialect) -> &'static str {
        match dialect {
            PostgresDialect::Postgresql => self.postgresql,
            PostgresDialect::Dsql => self.dsql,
        }
    }
}

/// The number of the first of them.
pub(super) const FIRST: i64 = 2;

const VERSIONS: &[PostgresVersion] = &[PostgresVersion {
    oldest: FIRST,
    steps: &[
        // Numbers come first: behind bytes of any length, room is left free that they lie at their places.
        PostgresStep {
            postgresql: "CREATE TABLE IF NOT EXISTS daypass_item (\
               stamp bigint NOT NULL, forgotten_at bigint, partition bytea, sort bytea, content bytea NOT NULL, \
               PRIMARY KEY (partition, sort))",
            dsql: "CREATE TABLE IF NOT EXISTS daypass_item (\
               stamp bigint NOT NULL, forgotten_at bigint, partition text, sort text, content bytea NOT NULL, \
               PRIMARY KEY (partition, sort))",
        },
        PostgresStep {
            postgresql: "CREATE INDEX IF NOT EXISTS daypass_item_forgotten_at ON daypass_item (forgotten_at)",
            dsql: "CREATE INDEX ASYNC IF NOT EXISTS daypass_item_forgotten_at ON daypass_item (forgotten_at)",
        },
        PostgresStep::alike(
            "CREATE TABLE IF NOT EXISTS daypass_schema (id smallint PRIMARY KEY, version bigint NOT NULL)",
        ),
        // It comes last: with it, everything is there.
        PostgresStep::alike("INSERT INTO daypass_schema (id, version) VALUES (1, 2) ON CONFLICT DO NOTHING"),
    ],
}];

const FOUND: Statement = Statement {
    text: "SELECT (SELECT version FROM daypass_schema WHERE id = 1), (SELECT version FROM daypass_migration WHERE id = 1)",
    types: &[],
};

/// Where there is no such table.
const FOUND_FIRST: Statement =
    Statement { text: "SELECT version, NULL::bigint FROM daypass_schema WHERE id = 1", types: &[] };

/// What a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// 0 where there is nothing.
    pub(super) version: i64,
    /// What a program has to know.
    oldest: i64,
}

const NOTHING: Found = Found { version: 0, oldest: 0 };

impl PostgresSchema {
    /// What this program knows. Whoever ended in the middle is waited for until their lease is over.
    pub const CURRENT: Self = Self { versions: VERSIONS, patience: Duration::from_mins(1) };

    /// The newest version.
    pub(super) fn known(&self) -> i64 {
        i64::try_from(self.versions.len()).map_or(i64::MAX, |versions| FIRST - 1 + versions)
    }

    /// Those after another one, with their numbers.
    pub(super) fn after(&self, version: i64) -> impl Iterator<Item = (i64, &'static PostgresVersion)> {
        (FIRST..).zip(self.versions).filter(move |(number, _)| *number > version)
    }

    /// Whether nothing is missing. One that this program cannot live with is an error.
    pub(super) fn is_served_by(
        &self,
        found: Found,
        connections: &Connections,
    ) -> Result<bool, PostgresOpenError> {
        let known = self.known();
        let place = connections.place();
        if found != NOTHING && found.oldest < FIRST {
            return Err(PostgresOpenError::Unreleased { place: place.to_owned() });
        }
        if found.oldest > known {
            let place = place.to_owned();
            return Err(PostgresOpenError::Newer { place, wanted: found.oldest, known });
        }
        Ok(found.version >= known)
    }
}

pub(super) async fn find(connections: &Connections) -> Result<Found, Failure> {
    let mut rows = ask_again(connections, &FOUND, &[]).await;
    if is_without_table(&rows) {
        rows = ask_again(connections, &FOUND_FIRST, &[]).await;
    }
    if is_without_table(&rows) {
        return Ok(NOTHING);
    }
    let rows = rows?;
    let number = |column| rows.first().and_then(|row| row.try_get::<_, Option<i64>>(column).ok().flatten());
    // With this row, everything of the first version is there.
    let Some(oldest) = number(0) else { return Ok(NOTHING) };
    Ok(Found { version: number(1).unwrap_or(0).max(FIRST), oldest })
}

fn is_without_table<T>(rows: &Result<T, Failure>) -> bool {
    rows.as_ref().is_err_and(|failure| failure.code == Some(SqlState::UNDEFINED_TABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// While servers are replaced, those of before and those of now have the same tables.
    #[test]
    fn neighbours_live_side_by_side() {
        for (number, version) in PostgresSchema::CURRENT.after(0) {
            assert!(version.oldest <= (number - 1).max(FIRST), "version {number}");
        }
    }
}
