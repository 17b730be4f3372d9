//! An engine in memory: a map behind a lock.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::engine::{Change, Committed, Effect, Engine, EngineError, Guard, Item, Key, MAX_CHANGES, Stamp};
use crate::ground::clock::Timestamp;
use crate::store::Cleared;

/// Items that go with the process.
#[derive(Debug, Default)]
pub struct MemoryEngine(Mutex<BTreeMap<Key, Item>>);

#[cfg(test)]
impl MemoryEngine {
    /// Another one with the same items.
    pub(super) fn copy(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

#[async_trait]
impl Engine for MemoryEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
        let items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.iter().map(|key| items.get(key).cloned()).collect())
    }

    async fn page(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Item>, EngineError> {
        let items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |sort: &[u8]| Key { partition: partition.to_vec(), sort: sort.to_vec() };
        let start = after.map_or_else(|| Bound::Included(key(&[])), |after| Bound::Excluded(key(after)));
        let behind = items.range((start, Bound::Unbounded)).map(|(_, item)| item);
        let within = behind.take_while(|item| item.key.partition == partition);
        Ok(within.take(limit).cloned().collect())
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, EngineError> {
        let items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(items.range((start, Bound::Unbounded)).map(|(_, item)| item).take(limit).cloned().collect())
    }

    async fn commit(&self, stamp: Stamp, changes: &[Change]) -> Result<Committed, EngineError> {
        if changes.len() > MAX_CHANGES || names_twice(changes) {
            return Err(EngineError::Unavailable("a commit is too large, or names an item twice".into()));
        }
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |change: &Change| match (items.get(&change.key), change.guard) {
            (None, Guard::Absent) | (_, Guard::Any) => true,
            (Some(item), Guard::Is(stamp)) => item.stamp == stamp,
            _ => false,
        };
        if !changes.iter().all(holds) {
            return Ok(Committed::Broken);
        }
        for Change { key, effect, .. } in changes {
            match effect {
                Effect::Put { content, forgotten_at } => {
                    let (content, forgotten_at) = (content.clone(), *forgotten_at);
                    items.insert(key.clone(), Item { key: key.clone(), stamp, content, forgotten_at });
                }
                Effect::Delete => drop(items.remove(key)),
                Effect::Nothing => {}
            }
        }
        Ok(Committed::Kept)
    }

    async fn forget(&self, now: Timestamp) -> Result<Cleared, EngineError> {
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = items.len();
        items.retain(|_, item| item.forgotten_at.is_none_or(|forgotten_at| forgotten_at > now));
        Ok(Cleared { records: (before - items.len()) as u64, more: false })
    }

    fn shards(&self) -> u8 {
        3
    }
}

fn names_twice(changes: &[Change]) -> bool {
    let keys: BTreeSet<&Key> = changes.iter().map(|change| &change.key).collect();
    keys.len() < changes.len()
}
