//! Items in Amazon DynamoDB: one table, whose keys are those of items, strongly consistent reads, conditional writes, and
//! transactions where a commit is of more than one item.

mod changes;
mod items;
mod table;
mod trouble;
mod url;
mod writer;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Get, KeysAndAttributes, TransactGetItem};
use daypass_core::ground::clock::{SystemClock, Timestamp};
use daypass_core::store::Cleared;
use daypass_core::store::items::engine::{
    Change, Committed, Effect, Engine, EngineError, Guard, Item, Key, Stamp,
};

use self::changes::{Write, in_batch, transaction};
use self::items::{Attributes, PARTITION, SORT, attributes_of_key, item_of, sort_attribute};
pub use self::table::{TableState, TakenOver};
pub use self::trouble::DynamoOpenError;
use self::trouble::{Failure, Kind};
pub use self::url::DynamoUrl;
use self::writer::Writer;
use crate::opening::Open;

/// What `daypass migrate` says that it does.
const MARK: &str = "say in the table that it is a store of Daypass";
const WRITER: &str = "say in the table which Region writes it";

/// An item of ours has an answer within this, or nobody knows.
const CONNECTING: Duration = Duration::from_secs(3);
const ANSWERING: Duration = Duration::from_secs(5);

/// As many are read at once (`BatchGetItem`).
const MAX_READ: usize = 100;

/// As many are written at once, each by itself (`BatchWriteItem`).
const MAX_WRITTEN: usize = 25;

/// Over so many partitions a listing is spread: each takes a thousand writes a second.
const SHARDS: u8 = 16;

/// Items in a table of DynamoDB's.
pub struct DynamoEngine {
    client: Client,
    table: String,
    /// Where it is, for errors.
    place: String,
    writer: Writer,
}

impl DynamoEngine {
    /// Opens the table that is there, and says in it that it is a store if it may.
    ///
    /// # Errors
    /// [`DynamoOpenError`]; a table is made by [`create`](Self::create) alone.
    pub async fn open(url: &DynamoUrl, open: Open) -> Result<Self, DynamoOpenError> {
        let engine = Self::of(url).await?;
        engine.check(open).await?;
        Ok(engine)
    }

    /// Has the table be written in the Region of this URL from now on, and in no other one: whoever goes on there stops once
    /// they see it.
    ///
    /// # Errors
    /// [`DynamoOpenError`]
    pub async fn take_over(url: &DynamoUrl) -> Result<TakenOver, DynamoOpenError> {
        Self::of(url).await?.have_it_written_here().await
    }

    /// What is missing in a table, in words: that it is a store, or which Region writes it.
    ///
    /// # Errors
    /// [`DynamoOpenError`]
    pub async fn steps_due(url: &DynamoUrl) -> Result<Vec<String>, DynamoOpenError> {
        match Self::open(url, Open::AsItIs).await {
            Ok(_) => Ok(Vec::new()),
            Err(DynamoOpenError::Empty { .. }) => Ok(vec![MARK.to_owned()]),
            Err(DynamoOpenError::NoRegion { .. }) => Ok(vec![WRITER.to_owned()]),
            Err(error) => Err(error),
        }
    }

    /// Whoever asks nothing yet.
    async fn of(url: &DynamoUrl) -> Result<Self, DynamoOpenError> {
        let mut aws = aws_config::defaults(BehaviorVersion::latest());
        if let Some(region) = &url.region {
            aws = aws.region(Region::new(region.clone()));
        }
        // In a box, because it is large and everything that waits for it would be.
        let aws = Box::pin(aws.load()).await;
        let limits =
            TimeoutConfig::builder().connect_timeout(CONNECTING).operation_timeout(ANSWERING).build();
        // What is to be asked again is decided above, where it is known what a lost answer means.
        let mut config = Builder::from(&aws).retry_config(RetryConfig::disabled()).timeout_config(limits);
        if let Some(endpoint) = &url.endpoint {
            config = config.endpoint_url(endpoint);
        }
        let config = config.build();
        let place = url.to_string();
        let Some(here) = config.region().map(ToString::to_string) else {
            return Err(DynamoOpenError::Nowhere { place });
        };
        Ok(Self {
            client: Client::from_conf(config),
            table: url.table.clone(),
            place,
            writer: Writer::of(here, Arc::new(SystemClock)),
        })
    }

    /// Refuses if another Region writes, and looks for that at intervals.
    async fn check_the_writer(&self) -> Result<(), EngineError> {
        self.writer.look_if_due(async || self.look_for_the_writer().await).await?;
        Ok(self.writer.check(&self.place)?)
    }

    async fn read_one(&self, key: &Key) -> Result<Option<Item>, EngineError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(attributes_of_key(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Failure::of(&self.place, &error).of_reading())?;
        found.item.map(|attributes| item_of(key.clone(), &attributes)).transpose()
    }

    /// A hundred at most.
    async fn read_some(&self, keys: &[Key]) -> Result<HashMap<Key, Item>, EngineError> {
        let mut asked: Vec<Attributes> = Vec::with_capacity(keys.len());
        for key in keys {
            let attributes = attributes_of_key(key);
            // One that is named twice would be refused.
            if !asked.contains(&attributes) {
                asked.push(attributes);
            }
        }
        let mut found = HashMap::new();
        while !asked.is_empty() {
            let wanted = KeysAndAttributes::builder().set_keys(Some(asked)).consistent_read(true).build();
            let wanted = wanted.map_err(|error| EngineError::Unavailable(error.into()))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, wanted)
                .send()
                .await
                .map_err(|error| Failure::of(&self.place, &error).of_reading())?;
            for attributes in answer.responses.unwrap_or_default().into_values().flatten() {
                let item = items::item(&attributes)?;
                found.insert(item.key.clone(), item);
            }
            // What did not fit is asked for again.
            let mut left = answer.unprocessed_keys.unwrap_or_default();
            asked = left.remove(&self.table).map(|left| left.keys).unwrap_or_default();
        }
        Ok(found)
    }

    /// Whether items are as they have to be at one moment.
    async fn look(&self, changes: &[&Change]) -> Result<Committed, EngineError> {
        let keys: Vec<&Key> = changes.iter().map(|change| &change.key).collect();
        let items = match keys[..] {
            [key] => vec![self.read_one(key).await?],
            _ => self.read_at_once(&keys).await?,
        };
        let holds = |(change, item): (&&Change, &Option<Item>)| match change.guard {
            Guard::Absent => item.is_none(),
            Guard::Is(stamp) => item.as_ref().is_some_and(|item| item.stamp == stamp),
            Guard::Any => true,
        };
        Ok(if changes.iter().zip(&items).all(holds) { Committed::Kept } else { Committed::Broken })
    }

    async fn read_at_once(&self, keys: &[&Key]) -> Result<Vec<Option<Item>>, EngineError> {
        let gets = keys.iter().map(|key| {
            let get = Get::builder().table_name(&self.table).set_key(Some(attributes_of_key(key))).build()?;
            Ok(TransactGetItem::builder().get(get).build())
        });
        let gets: Vec<TransactGetItem> = gets
            .collect::<Result<_, aws_sdk_dynamodb::error::BuildError>>()
            .map_err(|error| EngineError::Unavailable(error.into()))?;
        let answer = self.client.transact_get_items().set_transact_items(Some(gets)).send().await;
        let answer = answer.map_err(|error| Failure::of(&self.place, &error).of_reading())?;
        let found = answer.responses.unwrap_or_default();
        let items = keys.iter().zip(found).map(|(key, found)| {
            found.item.map(|attributes| item_of((*key).clone(), &attributes)).transpose()
        });
        items.collect()
    }

    async fn write(&self, stamp: Stamp, change: &Change) -> Result<Committed, EngineError> {
        let sent = match changes::write(stamp, change) {
            Write::Put(put) => put.send_by(&self.client, &self.table).await,
            Write::Delete(delete) => delete.send_by(&self.client, &self.table).await,
        };
        Self::committed(sent.map_err(|error| Failure::of_meta(&self.place, error)))
    }

    async fn transact(&self, stamp: Stamp, changes: &[&Change]) -> Result<Committed, EngineError> {
        let items = transaction(stamp, changes, &self.table)
            .map_err(|error| EngineError::Unavailable(error.into()))?;
        let sent = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
        Self::committed(sent.map(drop).map_err(|error| Failure::of_transaction(&self.place, &error)))
    }

    /// As many as a batch takes. What the table had no room for is sent again, as long as it takes something each time.
    async fn write_some(&self, stamp: Stamp, changes: &[Change]) -> Result<(), EngineError> {
        let requests = changes.iter().map(|change| in_batch(stamp, change)).collect::<Result<Vec<_>, _>>();
        let mut requests = requests.map_err(|error| EngineError::Unavailable(error.into()))?;
        while !requests.is_empty() {
            let asked = requests.len();
            let sent = self.client.batch_write_item().request_items(&self.table, requests).send().await;
            let answer = sent.map_err(|error| Failure::of(&self.place, &error).of_commit())?;
            let mut left = answer.unprocessed_items.unwrap_or_default();
            requests = left.remove(&self.table).unwrap_or_default();
            if requests.len() == asked {
                return Err(EngineError::Busy("the table takes no more at the moment".into()));
            }
        }
        Ok(())
    }

    fn committed(sent: Result<(), Failure>) -> Result<Committed, EngineError> {
        match sent {
            Ok(()) => Ok(Committed::Kept),
            Err(failure) if failure.kind == Kind::Broken => Ok(Committed::Broken),
            Err(failure) => Err(failure.of_commit()),
        }
    }

    async fn read_all(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
        if let [key] = keys {
            return Ok(vec![self.read_one(key).await?]);
        }
        let mut found = HashMap::new();
        for some in keys.chunks(MAX_READ) {
            found.extend(self.read_some(some).await?);
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn query(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Item>, EngineError> {
        let mut items: Vec<Item> = Vec::new();
        let mut next = None;
        while items.len() < limit {
            let left = i32::try_from(limit - items.len()).unwrap_or(i32::MAX);
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .limit(left)
                .set_exclusive_start_key(next)
                .expression_attribute_names("#p", PARTITION)
                .expression_attribute_values(":p", AttributeValue::B(Blob::new(partition)));
            query = match after {
                None => query.key_condition_expression("#p = :p"),
                Some(after) => query
                    .key_condition_expression("#p = :p AND #s > :s")
                    .expression_attribute_names("#s", SORT)
                    .expression_attribute_values(":s", sort_attribute(after)),
            };
            let answer = query.send().await;
            let answer = answer.map_err(|error| Failure::of(&self.place, &error).of_reading())?;
            for attributes in answer.items.unwrap_or_default() {
                items.push(items::item(&attributes)?);
            }
            next = answer.last_evaluated_key;
            if next.is_none() {
                break;
            }
        }
        Ok(items)
    }

    async fn scan_table(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, EngineError> {
        let mut items: Vec<Item> = Vec::new();
        let mut next = after.map(attributes_of_key);
        while items.len() < limit {
            let left = i32::try_from(limit - items.len()).unwrap_or(i32::MAX);
            let answer = self
                .client
                .scan()
                .table_name(&self.table)
                .consistent_read(true)
                .limit(left)
                .set_exclusive_start_key(next)
                .send()
                .await
                .map_err(|error| Failure::of(&self.place, &error).of_reading())?;
            for attributes in answer.items.unwrap_or_default() {
                if !table::is_mark(&attributes) {
                    items.push(items::item(&attributes)?);
                }
            }
            next = answer.last_evaluated_key;
            if next.is_none() {
                break;
            }
        }
        Ok(items)
    }

    async fn change(&self, stamp: Stamp, changes: &[Change]) -> Result<Committed, EngineError> {
        let asks = |change: &&Change| change.guard != Guard::Any || change.effect != Effect::Nothing;
        let changes: Vec<&Change> = changes.iter().filter(asks).collect();
        if changes.iter().all(|change| change.effect == Effect::Nothing) {
            return if changes.is_empty() { Ok(Committed::Kept) } else { self.look(&changes).await };
        }
        match changes[..] {
            [change] => self.write(stamp, change).await,
            _ => self.transact(stamp, &changes).await,
        }
    }
}

#[async_trait]
impl Engine for DynamoEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
        self.check_the_writer().await?;
        self.read_all(keys).await
    }

    async fn page(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Item>, EngineError> {
        self.check_the_writer().await?;
        self.query(partition, after, limit).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, EngineError> {
        self.check_the_writer().await?;
        self.scan_table(after, limit).await
    }

    async fn commit(&self, stamp: Stamp, changes: &[Change]) -> Result<Committed, EngineError> {
        self.check_the_writer().await?;
        self.change(stamp, changes).await
    }

    /// In a transaction each takes twice the units.
    async fn commit_each(&self, stamp: Stamp, changes: &[Change]) -> Result<(), EngineError> {
        for some in changes.chunks(MAX_WRITTEN) {
            self.check_the_writer().await?;
            self.write_some(stamp, some).await?;
        }
        Ok(())
    }

    /// The table does it by itself, within days (TTL).
    async fn forget(&self, _: Timestamp) -> Result<Cleared, EngineError> {
        Ok(Cleared::default())
    }

    fn shards(&self) -> u8 {
        SHARDS
    }
}
