//! What an engine keeps, and what it does: reads items, reads pages of them, and commits guarded changes.

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::store::{Cleared, SharedWatch, StoreConnections};

/// Where an item is: which partition, and where in it. Partitions are read in the order of sort keys, byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Never empty.
    pub partition: Vec<u8>,
    /// May be empty.
    pub sort: Vec<u8>,
}

/// The random number of the attempt that wrote an item last. An item that was deleted and made again has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(pub u64);

/// An item as it was committed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it is.
    pub key: Key,
    /// Who wrote it.
    pub stamp: Stamp,
    /// What it says.
    pub content: Vec<u8>,
    /// From then on an engine may delete it by itself. Until it does, it is there.
    pub forgotten_at: Option<Timestamp>,
}

/// What has to be so for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// There is no such item.
    Absent,
    /// The item is as it was read.
    Is(Stamp),
    /// Nothing: whoever writes it writes the same.
    Any,
}

/// What becomes of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It says this.
    Put {
        /// What it says.
        content: Vec<u8>,
        /// See [`Item::forgotten_at`].
        forgotten_at: Option<Timestamp>,
    },
    /// It is gone.
    Delete,
    /// Nothing: something else rests on it.
    Nothing,
}

/// A guarded change to one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The item.
    pub key: Key,
    /// What has to be so.
    pub guard: Guard,
    /// What becomes of it.
    pub effect: Effect,
}

/// As many changes at most are committed together (DynamoDB, `TransactWriteItems`).
pub const MAX_CHANGES: usize = 100;

/// How a commit went that the engine knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// All changes are made, and whoever reads sees them.
    Kept,
    /// None is: something is not as it has to be.
    Broken,
}

/// Why an engine has no answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing was done; asked again after a pause, it may go well. Somebody else holds an item, or there is too much to do.
    #[error("the engine is busy")]
    Busy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A commit was sent, and nobody knows what became of it. It may yet be made.
    #[error("the answer to a commit is lost")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It does not answer.
    #[error("the engine does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keeps items.
#[async_trait]
pub trait Engine: Send + Sync {
    /// The items with these keys, each as it was committed last, in the order of the keys.
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError>;

    /// Items of a partition behind a sort key, in order, as many as asked for or to the end.
    async fn page(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Item>, EngineError>;

    /// Items of all partitions behind one, in an order that is the engine's own, as many as asked for at most. None are left if
    /// there is none in the answer. Whoever changes something meanwhile may be seen or not.
    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, EngineError>;

    /// Makes changes to as many items, [`MAX_CHANGES`] at most and none of them twice, all of them or none. What is put has the
    /// stamp.
    async fn commit(&self, stamp: Stamp, changes: &[Change]) -> Result<Committed, EngineError>;

    /// Makes changes that rest on nothing ([`Guard::Any`]), [`MAX_CHANGES`] at most and none of them twice, each by itself: after an
    /// error some are made, and whoever asks again makes them all. To be overridden where a commit costs more than its parts.
    async fn commit_each(&self, stamp: Stamp, changes: &[Change]) -> Result<(), EngineError> {
        match self.commit(stamp, changes).await? {
            Committed::Kept => Ok(()),
            Committed::Broken => {
                Err(EngineError::Unavailable("a change that rests on nothing was guarded".into()))
            }
        }
    }

    /// Deletes some of what is forgotten by now, for an engine that does not by itself. Answers how much it was, and whether there
    /// may be more.
    async fn forget(&self, now: Timestamp) -> Result<Cleared, EngineError>;

    /// Over how many partitions a listing is spread that everybody writes to.
    fn shards(&self) -> u8;

    /// See [`Store::watch`](crate::store::Store::watch).
    fn watch(&self, by: SharedWatch) {
        drop(by);
    }

    /// See [`Store::connections`](crate::store::Store::connections).
    fn connections(&self) -> Option<StoreConnections> {
        None
    }
}
