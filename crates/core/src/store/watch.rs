//! What a store lets whoever runs it see of its work.

use std::sync::Arc;
use std::time::Duration;

/// Hears what a store did, and how long it took. It is called while somebody waits for an answer, and takes no time.
pub trait StoreWatch: Send + Sync {
    /// Something was done.
    fn did(&self, work: StoreWork, came_to: StoreOutcome, took: Duration);
}

/// Somebody who watches a store.
pub type SharedWatch = Arc<dyn StoreWatch>;

/// What a store does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreWork {
    /// Looks something up.
    Read,
    /// Reads a part of a listing.
    Page,
    /// Makes changes.
    Commit,
    /// Deletes what is over.
    Forget,
}

impl StoreWork {
    /// Every one of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Page, Self::Commit, Self::Forget];

    /// What operators know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Page => "page",
            Self::Commit => "commit",
            Self::Forget => "forget",
        }
    }
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreOutcome {
    /// It is done.
    Ok,
    /// Somebody else was quicker: it is decided again.
    Overtaken,
    /// Nothing was done, and it is tried again.
    Busy,
    /// Nobody knows whether it was done: it is looked for.
    Lost,
    /// There is no answer.
    Failed,
}

impl StoreOutcome {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Overtaken, Self::Busy, Self::Lost, Self::Failed];

    /// What operators know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Overtaken => "overtaken",
            Self::Busy => "busy",
            Self::Lost => "lost",
            Self::Failed => "failed",
        }
    }
}

/// The connections of a store to its database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreConnections {
    /// So many there may be.
    pub limit: usize,
    /// So many are open.
    pub open: usize,
    /// So many of these nobody uses.
    pub idle: usize,
    /// So many wait for one, be it new or another's.
    pub waiting: usize,
}
