//! An engine in memory where a test comes between.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::Pace;
use super::engine::{Change, Committed, Engine, EngineError, Item, Key, Stamp};
use super::memory::MemoryEngine;
use crate::ground::clock::Timestamp;
use crate::store::Cleared;

/// What somebody asks an engine.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'a> {
    /// For items with these keys.
    Read(&'a [Key]),
    /// For items of this partition.
    Page(&'a [u8]),
    /// For items of all partitions.
    Scan,
    /// To make these changes.
    Commit(Stamp, &'a [Change]),
}

/// Who comes between.
#[async_trait]
pub trait Coming: Send + Sync {
    /// Whether it comes between items, too, that are read together: DynamoDB reads each of them by itself (`BatchGetItem`).
    const TEARS: bool = false;

    /// Does something of its own with what is kept, before each question. That is asked then, unless this is an error.
    async fn come(&self, engine: &Arc<MemoryEngine>, asked: Asked<'_>) -> Result<(), EngineError>;
}

/// Whoever never has to try anything again.
#[derive(Debug, Clone, Copy)]
pub struct Never;

#[async_trait]
impl Pace for Never {
    async fn pause(&self, _: Duration) {
        panic!("nobody else is there");
    }
}

/// An engine in memory, and who comes between it and whoever asks.
#[derive(Debug, Default)]
pub struct Between<C> {
    /// What is kept.
    pub engine: Arc<MemoryEngine>,
    /// Who comes.
    pub coming: C,
}

#[async_trait]
impl<C: Coming> Engine for Between<C> {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
        if !C::TEARS {
            self.coming.come(&self.engine, Asked::Read(keys)).await?;
            return self.engine.read(keys).await;
        }
        let mut items = Vec::with_capacity(keys.len());
        for key in keys.chunks(1) {
            self.coming.come(&self.engine, Asked::Read(key)).await?;
            items.append(&mut self.engine.read(key).await?);
        }
        Ok(items)
    }

    async fn page(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Item>, EngineError> {
        self.coming.come(&self.engine, Asked::Page(partition)).await?;
        self.engine.page(partition, after, limit).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, EngineError> {
        self.coming.come(&self.engine, Asked::Scan).await?;
        self.engine.scan(after, limit).await
    }

    async fn commit(&self, stamp: Stamp, changes: &[Change]) -> Result<Committed, EngineError> {
        self.coming.come(&self.engine, Asked::Commit(stamp, changes)).await?;
        self.engine.commit(stamp, changes).await
    }

    async fn forget(&self, now: Timestamp) -> Result<Cleared, EngineError> {
        self.engine.forget(now).await
    }

    fn shards(&self) -> u8 {
        self.engine.shards()
    }
}
