//! The steps to a newer version of the tables. Of several programs that begin at once, the one that holds a lease makes them, and the
//! others wait. The lease is over by the database's clock, and by no other.
//!
//! Whoever holds it may be held up, and go on when it is over: the step under way is made twice then, which does no harm, and nothing that
//! comes after it is made.

use daypass_core::ground::random::{Random, SystemRandom};
use tokio::time::Instant;
use tokio_postgres::types::{ToSql, Type};

use super::again::{TRIES, ask_again, is_passing, pause};
use super::connections::Connections;
use super::schema::{FIRST, PostgresSchema, find};
use super::statements::Statement;
use super::trouble::{Failure, PostgresOpenError};
use crate::opening::Open;

const TABLE: Statement = Statement {
    text: "CREATE TABLE IF NOT EXISTS daypass_migration (\
             id smallint PRIMARY KEY, version bigint NOT NULL, holder bytea, until timestamptz NOT NULL)",
    types: &[],
};

const ROW: Statement = Statement {
    text: "INSERT INTO daypass_migration (id, version, until) VALUES (1, 0, now()) ON CONFLICT DO NOTHING",
    types: &[],
};

/// The lease is longer than a step takes with what is asked before it. What lasts a minute is of a clock that was put back. (`now()` is when
/// the statement began: while it waited for the row, somebody may have written a lease that ends later than one from then.)
const TAKE: Statement = Statement {
    text: "UPDATE daypass_migration SET holder = $1, until = now() + interval '30 seconds'
           WHERE id = 1 AND (holder = $1 OR until <= now() OR until > now() + interval '1 minute') RETURNING version",
    types: &[Type::BYTEA],
};

const RENEW: Statement = Statement {
    text: "UPDATE daypass_migration SET until = now() + interval '30 seconds'
           WHERE id = 1 AND holder = $1 RETURNING version",
    types: &[Type::BYTEA],
};

const RELEASE: Statement = Statement {
    text: "UPDATE daypass_migration SET until = now() WHERE id = 1 AND holder = $1",
    types: &[Type::BYTEA],
};

const RECORD: Statement = Statement {
    text: "UPDATE daypass_migration SET version = $2 WHERE id = 1 AND holder = $1 AND version <= $2 RETURNING version",
    types: &[Type::BYTEA, Type::INT8],
};

const REQUIRE: Statement = Statement {
    text: "UPDATE daypass_schema SET version = $1 WHERE id = 1 AND version < $1",
    types: &[Type::INT8],
};

/// Hears of each step before it is made.
pub(super) type Tell<'a> = &'a mut (dyn FnMut(&str) + Send);

/// Has the tables be there, of a version that this program can live with.
pub(super) async fn prepare(
    connections: &Connections,
    open: Open,
    schema: &PostgresSchema,
) -> Result<(), PostgresOpenError> {
    let found = find(connections).await?;
    let place = || connections.place().to_owned();
    match open {
        _ if schema.is_served_by(found, connections)? => Ok(()),
        Open::OrMake => migrate(connections, schema, &mut |_| {}).await.map(drop),
        Open::Existing | Open::AsItIs if found.version == 0 => {
            Err(PostgresOpenError::NotThere { place: place() })
        }
        Open::Existing | Open::AsItIs => {
            Err(PostgresOpenError::Older { place: place(), found: found.version, known: schema.known() })
        }
    }
}

/// The steps that are missing.
pub(super) async fn due(
    connections: &Connections,
    schema: &PostgresSchema,
) -> Result<Vec<String>, PostgresOpenError> {
    let found = find(connections).await?;
    schema.is_served_by(found, connections)?;
    let steps = schema.after(found.version).flat_map(|(_, version)| version.steps);
    Ok(steps.map(|step| step.text(connections.dialect()).to_owned()).collect())
}

/// Makes what is missing, or waits until others have, and says how many steps were made.
pub(super) async fn migrate(
    connections: &Connections,
    schema: &PostgresSchema,
    tell: Tell<'_>,
) -> Result<usize, PostgresOpenError> {
    for statement in [&TABLE, &ROW] {
        ask_again(connections, statement, &[]).await?;
    }
    let random: &dyn Random = &SystemRandom;
    let lease = Lease { connections, holder: random.bytes() };
    let patience = Instant::now() + schema.patience;
    loop {
        if lease.take().await? {
            let made = lease.make(schema, tell).await;
            lease.release().await;
            if let Some(made) = made? {
                return Ok(made);
            }
        }
        if schema.is_served_by(find(connections).await?, connections)? {
            return Ok(0);
        }
        if Instant::now() >= patience {
            let place = connections.place().to_owned();
            return Err(PostgresOpenError::Occupied { place, seconds: schema.patience.as_secs() });
        }
        pause().await;
    }
}

/// Who makes the steps, by a number of their own.
struct Lease<'a> {
    connections: &'a Connections,
    holder: [u8; 16],
}

impl Lease<'_> {
    /// Of several who want it at once, all but one may meet an error.
    async fn take(&self) -> Result<bool, Failure> {
        match self.holds(&TAKE, &[&self.holder()]).await {
            Err(failure) if is_passing(&failure) => Ok(false),
            taken => taken,
        }
    }

    /// All steps that are missing, unless somebody else has the lease meanwhile.
    async fn make(
        &self,
        schema: &PostgresSchema,
        tell: Tell<'_>,
    ) -> Result<Option<usize>, PostgresOpenError> {
        let found = find(self.connections).await?;
        schema.is_served_by(found, self.connections)?;
        let mut made = 0;
        for (number, version) in schema.after(found.version) {
            // Whoever cannot live with it does not begin any more.
            if number > FIRST {
                ask_again(self.connections, &REQUIRE, &[&version.oldest]).await?;
            }
            for step in version.steps {
                let text = step.text(self.connections.dialect());
                tell(text);
                if !self.make_step(text).await? {
                    return Ok(None);
                }
                made += 1;
            }
            if !self.holds(&RECORD, &[&self.holder(), &number]).await? {
                return Ok(None);
            }
        }
        Ok(Some(made))
    }

    async fn make_step(&self, text: &'static str) -> Result<bool, Failure> {
        let statement = Statement { text, types: &[] };
        for tried in 1.. {
            if !self.holds(&RENEW, &[&self.holder()]).await? {
                return Ok(false);
            }
            match self.connections.ask_unprepared(&statement, &[]).await {
                Err(failure) if tried < TRIES && is_passing(&failure) => pause().await,
                made => return made.map(|_| true),
            }
        }
        unreachable!("the last try returns")
    }

    /// Whoever is not reached any more has it for as long as it lasts.
    async fn release(&self) {
        let _ = ask_again(self.connections, &RELEASE, &[&self.holder()]).await;
    }

    async fn holds(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<bool, Failure> {
        Ok(!ask_again(self.connections, statement, parameters).await?.is_empty())
    }

    fn holder(&self) -> &[u8] {
        &self.holder
    }
}
