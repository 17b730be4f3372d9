//! A store over an engine that keeps items: what PostgreSQL and DynamoDB have in common, and what each question means there.
//!
//! A question reads the items that it rests on, decides, and commits guarded changes; if a guard does not hold any more, it
//! begins again (`attempts.rs`). No lock is held meanwhile, and nothing is asked of an engine but that a commit is whole
//! (docs/decisions/0040-items-and-guards.md).

mod access_keys;
mod attempts;
#[cfg(any(test, feature = "testing"))]
pub mod between;
mod device_authorizations;
pub mod engine;
mod exports;
#[cfg(any(test, feature = "testing"))]
pub mod faults;
pub mod filling;
mod forgetting;
mod form;
mod identities;
mod incarnation;
#[cfg(test)]
mod interleavings;
mod keys;
mod last_commit;
mod linked;
#[cfg(test)]
mod lost;
pub mod memory;
mod once;
mod pools;
mod process;
mod readiness;
mod records;
mod remembered;
mod revocations;
mod seals;
mod sessions;
mod signing_keys;
mod trail;
mod transfer;
#[cfg(test)]
mod trips;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::engine::{Change, Effect, Engine, EngineError, Guard, Item, Key, MAX_CHANGES, Stamp};
use self::forgetting::Forgetting;
pub(crate) use self::form::form;
pub(crate) use self::incarnation::Incarnation;
use self::last_commit::LastCommit;
use self::process::Process;
use self::remembered::Remembered;
use crate::ground::clock::{Clock, Timestamp};
use crate::ground::random::Random;
use crate::store::StoreError;

/// A store over an engine.
pub struct ItemStore {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    pace: Arc<dyn Pace>,
    process: Process,
    remembered: Remembered,
    forgetting: Forgetting,
    last_commit: LastCommit,
}

/// Waits, before something is tried again.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Waits for so long, or not.
    async fn pause(&self, pause: Duration);
}

impl ItemStore {
    /// A store over an engine.
    #[must_use]
    pub fn new(
        engine: Arc<dyn Engine>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        pace: Arc<dyn Pace>,
    ) -> Self {
        let remembered = Remembered::new(clock.clone());
        let (process, forgetting) = (Process::default(), Forgetting::default());
        let last_commit = LastCommit::default();
        Self { engine, clock, random, pace, process, remembered, forgetting, last_commit }
    }

    fn draw(&self) -> u64 {
        u64::from_be_bytes(self.random.bytes())
    }

    /// Has what is over at an instant be absent, and go by and by: whoever brings something takes a bite away.
    async fn forget(&self, now: Timestamp) {
        self.forget_bites(now, 1).await;
    }

    /// The same, as far as all of it is gone.
    async fn forget_all(&self, now: Timestamp) {
        self.forget_bites(now, forgetting::BITES).await;
    }

    async fn forget_bites(&self, now: Timestamp, bites: usize) {
        if !self.forgetting.asked_at(now, self.clock.now()) {
            return;
        }
        for _ in 0..bites {
            // Nobody's question fails because there is less room.
            if !self.engine.forget(now).await.is_ok_and(|cleared| cleared.more) {
                return;
            }
        }
        self.forgetting.has_more();
    }

    async fn read_items(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.patiently(|| self.engine.read(keys)).await
    }

    /// Makes changes that rest on nothing, and that nobody remembers: each by itself, and again if it is not known which are made.
    async fn change_each(&self, changes: &[Change]) -> Result<(), StoreError> {
        for some in changes.chunks(MAX_CHANGES) {
            let stamp = Stamp(self.draw());
            self.patiently(|| async move {
                self.engine.commit_each(stamp, some).await.map_err(|error| match error {
                    EngineError::Lost(why) => EngineError::Busy(why),
                    error => error,
                })
            })
            .await?;
        }
        Ok(())
    }

    /// Asks an engine that may be busy.
    async fn patiently<T, F, A>(&self, question: F) -> Result<T, StoreError>
    where
        F: Fn() -> A + Send + Sync,
        A: Future<Output = Result<T, EngineError>> + Send,
    {
        let (mut tried, began) = (0, self.clock.now());
        loop {
            match question().await {
                Err(EngineError::Busy(_)) if tried < attempts::TRIES && !self.is_late(began) => {
                    tried += 1;
                    self.pace.pause(self.pause_after(tried)).await;
                }
                answer => return answer.map_err(unavailable),
            }
        }
    }

    /// Records of one kind, as they were committed last.
    async fn read_all<T: Record>(&self, keys: Vec<Key>) -> Result<Vec<Found<T>>, StoreError> {
        let items = self.read_items(&keys).await?;
        keys.into_iter().zip(items).map(|(key, item)| self.found(key, item)).collect()
    }

    async fn read<T: Record>(&self, key: Key) -> Result<Found<T>, StoreError> {
        let mut items = self.read_items(std::slice::from_ref(&key)).await?;
        self.found(key, items.pop().flatten())
    }

    /// A record that hardly ever changes, as it was at most [`remembered::BOUND`] ago.
    async fn recall<T: Record>(&self, key: Key) -> Result<Found<T>, StoreError> {
        let item = match self.remembered.find(&key) {
            Ok(item) => item,
            Err(place) => {
                let item = self.read_items(std::slice::from_ref(&key)).await?.pop().flatten();
                self.remembered.keep(place, &key, item.clone());
                item
            }
        };
        self.found(key, item)
    }

    /// The next one of items that were read together.
    fn next_found<T: Record>(
        &self,
        items: &mut impl Iterator<Item = (Key, Option<Item>)>,
    ) -> Result<Found<T>, StoreError> {
        let (key, item) = items.next().ok_or_else(|| refused("an item was not read"))?;
        self.found(key, item)
    }

    /// What an item says, unless it is over.
    fn found<T: Record>(&self, key: Key, item: Option<Item>) -> Result<Found<T>, StoreError> {
        let is_over = item.as_ref().is_some_and(|item| self.forgetting.is_over(item));
        let found = Found::of(key, item)?;
        Ok(if is_over { Found { record: None, ..found } } else { found })
    }

    /// A page of a partition.
    async fn page<T: Record>(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Found<T>)>, StoreError> {
        let items = self.patiently(|| self.engine.page(partition, after, limit)).await?;
        items
            .into_iter()
            .map(|item| {
                let (key, sort) = (item.key.clone(), item.key.sort.clone());
                Ok((sort, self.found(key, Some(item))?))
            })
            .collect()
    }

    /// The sort keys behind one, over all shards of a listing, in order.
    async fn sorted_page(
        &self,
        partitions: &[Vec<u8>],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let page = |partition| self.patiently(move || self.engine.page(partition, after, limit));
        let pages = futures::future::try_join_all(partitions.iter().map(|it| page(it.as_slice()))).await?;
        let mut sorted: Vec<Vec<u8>> = pages.into_iter().flatten().map(|item| item.key.sort).collect();
        sorted.sort_unstable();
        sorted.truncate(limit);
        Ok(sorted)
    }
}

fn unavailable(error: EngineError) -> StoreError {
    StoreError::Unavailable(error.into())
}

fn refused(why: &'static str) -> StoreError {
    StoreError::Unavailable(why.into())
}

/// What an item says.
trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// From when an engine may delete it.
    fn forgotten_at(&self) -> Option<Timestamp> {
        None
    }
}

/// What a record without members says. An item that says nothing else is empty: each identity has one.
const NO_MEMBERS: &[u8] = b"{}";

/// The record that the content of an item is.
fn said<T: DeserializeOwned>(content: &[u8]) -> Result<T, StoreError> {
    let content = if content.is_empty() { NO_MEMBERS } else { content };
    serde_json::from_slice(content).map_err(|error| StoreError::Corrupt(error.into()))
}

/// A record as it was found, or that there is none, and with that what a change of it rests on.
#[derive(Debug, Clone)]
struct Found<T> {
    key: Key,
    guard: Guard,
    record: Option<T>,
}

impl<T: Record> Found<T> {
    fn of(key: Key, item: Option<Item>) -> Result<Self, StoreError> {
        let Some(item) = item else { return Ok(Self { key, guard: Guard::Absent, record: None }) };
        Ok(Self { key, guard: Guard::Is(item.stamp), record: Some(said(&item.content)?) })
    }

    /// A place of which nobody has looked whether it is free.
    fn absent(key: Key) -> Self {
        Self { key, guard: Guard::Absent, record: None }
    }

    /// A record in its place.
    fn put(&self, record: &T) -> Result<Change, StoreError> {
        let mut content = serde_json::to_vec(record).map_err(|error| StoreError::Corrupt(error.into()))?;
        if content == NO_MEMBERS {
            content.clear();
        }
        let forgotten_at = record.forgotten_at();
        Ok(self.change(Effect::Put { content, forgotten_at }))
    }

    fn delete(&self) -> Change {
        self.change(Effect::Delete)
    }

    /// That it stays as it is.
    fn look(&self) -> Change {
        self.change(Effect::Nothing)
    }

    fn change(&self, effect: Effect) -> Change {
        Change { key: self.key.clone(), guard: self.guard, effect }
    }
}

/// A record that nobody can have made before.
fn put_new<T: Record>(key: Key, record: &T) -> Result<Change, StoreError> {
    Found::absent(key).put(record)
}

#[cfg(test)]
mod tests {
    use super::faults::Faults;
    use super::memory::MemoryEngine;
    use super::*;
    use crate::ground::clock::SystemClock;
    use crate::ground::random::{SeededRandom, SystemRandom};

    /// Others get on meanwhile, the further the longer the pause: with one turn each time, those who race lose again and again
    /// where the machine is busy.
    struct Yielding;

    #[async_trait]
    impl Pace for Yielding {
        async fn pause(&self, time: Duration) {
            for _ in 0..=time.as_millis() {
                tokio::task::yield_now().await;
            }
        }
    }

    fn store(engine: Arc<dyn Engine>) -> Arc<ItemStore> {
        let (clock, random, pace) = (Arc::new(SystemClock), Arc::new(SystemRandom), Arc::new(Yielding));
        Arc::new(ItemStore::new(engine, clock, random, pace))
    }

    fn in_trouble() -> Arc<dyn Engine> {
        Arc::new(Faults::new(MemoryEngine::default(), Box::new(SeededRandom::new(1))))
    }

    crate::contract_tests!(items, (store(Arc::new(MemoryEngine::default())), ()));
    crate::contract_tests!(items_in_trouble, (store(in_trouble()), ()));
}
