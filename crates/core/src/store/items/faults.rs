//! An engine in trouble, for tests: it is busy, its answers are lost, before and after the change, and what was lost may be made
//! later.

use std::sync::Mutex;

use async_trait::async_trait;

use super::engine::Key;
use super::engine::{Change, Committed, Engine, EngineError, Item, Stamp};
use crate::ground::clock::Timestamp;
use crate::ground::random::Random;
use crate::store::Cleared;

/// An engine, and what goes wrong with it.
pub struct Faults<E> {
    engine: E,
    random: Box<dyn Random>,
    /// A commit that was sent, and is made by and by.
    late: Mutex<Vec<(Stamp, Vec<Change>)>>,
}

impl<E: Engine> Faults<E> {
    /// Has things go wrong with an engine as chance has it.
    pub fn new(engine: E, random: Box<dyn Random>) -> Self {
        Self { engine, random, late: Mutex::default() }
    }

    /// Whether it happens that happens so often in 256 times.
    fn happens(&self, often: u8) -> bool {
        self.random.bytes::<1>()[0] < often
    }

    /// Makes what was sent before, perhaps.
    async fn make_late(&self) {
        if self.happens(128) {
            let late = std::mem::take(&mut *self.late.lock().expect("no test panics here"));
            for (stamp, changes) in late {
                let _ = self.engine.commit(stamp, &changes).await;
            }
        }
    }
}

fn trouble() -> Box<dyn std::error::Error + Send + Sync> {
    "a test has it so".into()
}

#[async_trait]
impl<E: Engine> Engine for Faults<E> {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
        self.make_late().await;
        if self.happens(8) {
            return Err(EngineError::Busy(trouble()));
        }
        self.engine.read(keys).await
    }

    async fn page(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Item>, EngineError> {
        self.make_late().await;
        if self.happens(8) {
            return Err(EngineError::Busy(trouble()));
        }
        self.engine.page(partition, after, limit).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, EngineError> {
        self.make_late().await;
        if self.happens(8) {
            return Err(EngineError::Busy(trouble()));
        }
        self.engine.scan(after, limit).await
    }

    async fn commit(&self, stamp: Stamp, changes: &[Change]) -> Result<Committed, EngineError> {
        self.make_late().await;
        if self.happens(24) {
            return Err(EngineError::Busy(trouble()));
        }
        if self.happens(16) {
            return Err(EngineError::Lost(trouble()));
        }
        if self.happens(16) {
            self.late.lock().expect("no test panics here").push((stamp, changes.to_vec()));
            return Err(EngineError::Lost(trouble()));
        }
        let committed = self.engine.commit(stamp, changes).await?;
        if self.happens(32) { Err(EngineError::Lost(trouble())) } else { Ok(committed) }
    }

    async fn forget(&self, now: Timestamp) -> Result<Cleared, EngineError> {
        self.engine.forget(now).await
    }

    fn shards(&self) -> u8 {
        self.engine.shards()
    }
}
