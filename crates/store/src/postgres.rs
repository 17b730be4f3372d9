//! Items in PostgreSQL: one table, and a statement for each thing that an engine does, in one round trip each. Nothing is asked of
//! the server but that a statement is whole: every isolation level will do.

mod again;
mod connections;
mod dialect;
mod dsql;
mod iam;
mod manager;
mod migration;
mod schema;
mod statements;
mod trouble;
mod url;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use daypass_core::ground::clock::{Clock, SystemClock, Timestamp};
use daypass_core::store::items::engine::{
    Change, Committed, Effect, Engine, EngineError, Guard, Item, Key, Stamp,
};
use daypass_core::store::{Cleared, StoreConnections};
use tokio_postgres::Row;

use self::connections::{Connections, Deadlines};
pub use self::dialect::PostgresDialect;
pub use self::iam::IamError;
use self::iam::Tokens;
use self::migration::{due, migrate, prepare};
pub use self::schema::{PostgresSchema, PostgresStep, PostgresVersion};
use self::statements::BITE;
pub use self::trouble::PostgresOpenError;
use self::trouble::{Failure, Kind, unreadable};
pub use self::url::PostgresUrl;
use crate::opening::Open;

/// What an engine takes from around it.
pub struct Surroundings {
    /// The versions of the tables that the program knows.
    pub schema: PostgresSchema,
    /// The time that tokens are signed at, and connections are old by.
    pub clock: Arc<dyn Clock>,
    /// Credentials, and a Region, for tokens of IAM; what AWS SDKs find, if nothing is said.
    pub aws: Option<SdkConfig>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { schema: PostgresSchema::CURRENT, clock: Arc::new(SystemClock), aws: None }
    }
}

/// Items in a database of PostgreSQL's.
pub struct PostgresEngine(Connections);

impl PostgresEngine {
    /// Connects to a database, and makes the tables in it that are missing if it may.
    ///
    /// # Errors
    /// [`PostgresOpenError`]
    pub async fn open(url: &PostgresUrl, open: Open) -> Result<Self, PostgresOpenError> {
        Box::pin(Self::open_in(url, open, Surroundings::default())).await
    }

    /// The same, with something else around it.
    ///
    /// # Errors
    /// [`PostgresOpenError`]
    pub async fn open_in(
        url: &PostgresUrl,
        open: Open,
        surroundings: Surroundings,
    ) -> Result<Self, PostgresOpenError> {
        let schema = surroundings.schema;
        let connections = connect(url, surroundings).await?;
        prepare(&connections, open, &schema).await?;
        Ok(Self(connections))
    }

    /// The steps that bring the tables to the version that this program knows. None is made.
    ///
    /// # Errors
    /// [`PostgresOpenError`]
    pub async fn steps_due(url: &PostgresUrl) -> Result<Vec<String>, PostgresOpenError> {
        // In a box, because what AWS configures is large and everything that waits for it would be.
        let connections = Box::pin(connect(url, Surroundings::default())).await?;
        due(&connections, &PostgresSchema::CURRENT).await
    }

    /// Makes those steps, each of which `tell` hears before, and says how many there were.
    ///
    /// # Errors
    /// [`PostgresOpenError`]
    pub async fn migrate(
        url: &PostgresUrl,
        tell: &mut (dyn FnMut(&str) + Send),
    ) -> Result<usize, PostgresOpenError> {
        let connections = Box::pin(connect(url, Surroundings::default())).await?;
        if due(&connections, &PostgresSchema::CURRENT).await?.is_empty() {
            return Ok(0);
        }
        migrate(&connections, &PostgresSchema::CURRENT, tell).await
    }

    async fn read_one(&self, key: &Key) -> Result<Option<Item>, EngineError> {
        let rows = self.0.ask(&self.0.statements().read_one, &[&key.partition, &key.sort]).await;
        let rows = rows.map_err(Failure::of_reading)?;
        rows.first().map(|row| item(key.clone(), row, 0)).transpose()
    }

    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
        let rows =
            self.0.ask(&self.0.statements().read, &[&partitions(keys.iter()), &sorts(keys.iter())]).await;
        let mut items = vec![None; keys.len()];
        for row in rows.map_err(Failure::of_reading)? {
            let place: i64 = row.try_get(0).map_err(unreadable)?;
            let place = usize::try_from(place - 1).map_err(unreadable)?;
            items[place] = Some(item(keys[place].clone(), &row, 1)?);
        }
        Ok(items)
    }

    /// Whether items are as they have to be at one moment: a statement sees all of them as they were when it began.
    async fn look(&self, changes: &[&Change]) -> Result<Committed, EngineError> {
        let keys: Vec<Key> = changes.iter().map(|change| change.key.clone()).collect();
        let items = self.read(&keys).await?;
        let holds = |(change, item): (&&Change, &Option<Item>)| match change.guard {
            Guard::Absent => item.is_none(),
            Guard::Is(stamp) => item.as_ref().is_some_and(|item| item.stamp == stamp),
            Guard::Any => true,
        };
        Ok(if changes.iter().zip(&items).all(holds) { Committed::Kept } else { Committed::Broken })
    }

    async fn change(&self, stamp: Stamp, mut changes: Vec<&Change>) -> Result<Committed, EngineError> {
        // Who locks in another order than others waits for them, and they for him.
        changes.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        if changes.windows(2).any(|pair| pair[0].key == pair[1].key) {
            return Err(EngineError::Unavailable("a commit names an item twice".into()));
        }
        let absent = column(&changes, |change| change.guard == Guard::Absent);
        let expected = column(&changes, |change| match change.guard {
            Guard::Is(stamp) => Some(number(stamp)),
            Guard::Absent | Guard::Any => None,
        });
        let content = column(&changes, |change| match &change.effect {
            Effect::Put { content, .. } => Some(content.as_slice()),
            Effect::Delete | Effect::Nothing => None,
        });
        let forgotten_at = column(&changes, |change| match change.effect {
            Effect::Put { forgotten_at, .. } => forgotten_at.map(millisecond),
            Effect::Delete | Effect::Nothing => None,
        });
        let gone = column(&changes, |change| change.effect == Effect::Delete);
        let keys = || changes.iter().map(|change| &change.key);
        let committed = self
            .0
            .ask(
                &self.0.statements().commit,
                &[
                    &number(stamp),
                    &partitions(keys()),
                    &sorts(keys()),
                    &absent,
                    &expected,
                    &content,
                    &forgotten_at,
                    &gone,
                ],
            )
            .await;
        match committed {
            Ok(rows) => match rows.first().map(|row| row.try_get(0)) {
                Some(Ok(true)) => Ok(Committed::Kept),
                Some(Ok(false)) => Ok(Committed::Broken),
                // It was made or not.
                _ => Err(EngineError::Lost("a commit has no answer".into())),
            },
            Err(failure) if failure.kind == Kind::Short => Ok(Committed::Broken),
            Err(failure) => Err(failure.of_commit()),
        }
    }
}

/// Connects to nothing yet.
async fn connect(url: &PostgresUrl, surroundings: Surroundings) -> Result<Connections, PostgresOpenError> {
    let Surroundings { clock, aws, .. } = surroundings;
    let place = || url.to_string();
    if let Some(cure) = url.contradiction() {
        return Err(PostgresOpenError::Contradiction { place: place(), cure });
    }
    let unsigned = |source| PostgresOpenError::Iam { place: place(), source };
    let tokens = Tokens::of(url, aws).await.map_err(unsigned)?;
    if let Some(tokens) = &tokens {
        // Whoever gives credentials may take longer than a connection may.
        tokens.token(clock.now().into()).await.map_err(unsigned)?;
    }
    Connections::new(url, Deadlines::default(), tokens, clock)
}

#[async_trait]
impl Engine for PostgresEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
        match keys {
            [] => Ok(Vec::new()),
            [key] => Ok(vec![self.read_one(key).await?]),
            keys => self.read_many(keys).await,
        }
    }

    async fn page(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Item>, EngineError> {
        // Nothing is between some bytes and the same with a zero behind.
        let from = after.map(|after| [after, &[0]].concat()).unwrap_or_default();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.0.ask(&self.0.statements().page, &[&partition, &from, &limit]).await;
        let rows = rows.map_err(Failure::of_reading)?;
        rows.iter()
            .map(|row| {
                let sort = row.try_get(0).map_err(unreadable)?;
                item(Key { partition: partition.to_vec(), sort }, row, 1)
            })
            .collect()
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, EngineError> {
        // No partition is empty.
        let (partition, sort): (&[u8], &[u8]) =
            after.map_or((&[], &[]), |after| (&after.partition, &after.sort));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.0.ask(&self.0.statements().scan, &[&limit, &partition, &sort]).await;
        let rows = rows.map_err(Failure::of_reading)?;
        rows.iter()
            .map(|row| {
                let partition = row.try_get(0).map_err(unreadable)?;
                let sort = row.try_get(1).map_err(unreadable)?;
                item(Key { partition, sort }, row, 2)
            })
            .collect()
    }

    async fn commit(&self, stamp: Stamp, changes: &[Change]) -> Result<Committed, EngineError> {
        let asks = |change: &&Change| change.guard != Guard::Any || change.effect != Effect::Nothing;
        let changes: Vec<&Change> = changes.iter().filter(asks).collect();
        if changes.iter().all(|change| change.effect == Effect::Nothing) {
            return self.look(&changes).await;
        }
        self.change(stamp, changes).await
    }

    async fn forget(&self, now: Timestamp) -> Result<Cleared, EngineError> {
        let forgot = self.0.ask(&self.0.statements().forget, &[&now.as_millisecond()]).await;
        // Where somebody else forgets the same, the engine is busy.
        let rows = forgot.map_err(Failure::of_reading)?.len();
        Ok(Cleared { records: rows as u64, more: rows >= BITE })
    }

    fn shards(&self) -> u8 {
        1
    }

    fn connections(&self) -> Option<StoreConnections> {
        Some(self.0.count())
    }
}

fn column<'a, T>(changes: &[&'a Change], value: impl Fn(&'a Change) -> T) -> Vec<T> {
    changes.iter().map(|change| value(change)).collect()
}

fn partitions<'a>(keys: impl Iterator<Item = &'a Key>) -> Vec<&'a [u8]> {
    keys.map(|key| key.partition.as_slice()).collect()
}

fn sorts<'a>(keys: impl Iterator<Item = &'a Key>) -> Vec<&'a [u8]> {
    keys.map(|key| key.sort.as_slice()).collect()
}

/// The item of a row whose columns from `first` on are stamp, content, and when it is forgotten.
fn item(key: Key, row: &Row, first: usize) -> Result<Item, EngineError> {
    let stamp: i64 = row.try_get(first).map_err(unreadable)?;
    let content = row.try_get(first + 1).map_err(unreadable)?;
    let forgotten_at: Option<i64> = row.try_get(first + 2).map_err(unreadable)?;
    let forgotten_at = forgotten_at.map(Timestamp::from_millisecond).transpose().map_err(unreadable)?;
    Ok(Item { key, stamp: Stamp(stamp.cast_unsigned()), content, forgotten_at })
}

/// The same bits.
fn number(stamp: Stamp) -> i64 {
    stamp.0.cast_signed()
}

/// No earlier than the instant. What is before 1970 is past; numbers below zero have another meaning.
fn millisecond(instant: Timestamp) -> i64 {
    let begun = i64::from(instant.subsec_nanosecond() % 1_000_000 > 0);
    (instant.as_millisecond() + begun).max(0)
}
