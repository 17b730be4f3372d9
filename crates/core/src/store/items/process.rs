//! What a process does for the trail, and knows of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::ground::clock::Timestamp;
use crate::records::trail_head::TrailHead;
use crate::store::AuditCare;

/// A process.
#[derive(Default)]
pub(super) struct Process {
    /// Which shard of the journal it keeps everything in: shards are read one after the other, and what one process does has an
    /// order.
    shard: OnceLock<u64>,
    /// What it has kept last in the journal, in microseconds.
    newest: Mutex<i64>,
    care: Mutex<Option<AuditCare>>,
    /// Whether that is new.
    begins: AtomicBool,
    /// The head that it has signed last.
    signed: Mutex<Option<TrailHead>>,
    shortening: Mutex<Shortening>,
}

/// How it drops what need not be kept.
#[derive(Default)]
pub(super) struct Shortening {
    /// When there was nothing left to drop.
    pub(super) done_at: Option<Timestamp>,
    /// The line from which on nothing is dropped, because something is wrong there, as the operator heard.
    pub(super) told: Option<u64>,
}

impl Process {
    /// Its shard, of so many.
    pub(super) fn shard(&self, shards: u8, draw: impl FnOnce() -> u64) -> u64 {
        *self.shard.get_or_init(|| draw() % u64::from(shards))
    }

    /// An instant that grows with each entry, whatever the clock says: what a process keeps in an order stays in it.
    pub(super) fn next_instant(&self, microsecond: i64) -> i64 {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = microsecond.max(*newest + 1);
        *newest
    }

    /// Has it take care of the trail.
    pub(super) fn attend(&self, care: AuditCare) {
        *self.care.lock().unwrap_or_else(PoisonError::into_inner) = Some(care);
        self.begins.store(true, Ordering::Relaxed);
        self.shortening().done_at = None;
    }

    /// Whether it has not looked at the trail since then.
    pub(super) fn begins(&self) -> bool {
        self.begins.load(Ordering::Relaxed)
    }

    /// It has looked.
    pub(super) fn has_begun(&self) {
        self.begins.store(false, Ordering::Relaxed);
    }

    /// How it takes care, if it does.
    pub(super) fn care(&self) -> Option<AuditCare> {
        self.care.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn shortening(&self) -> MutexGuard<'_, Shortening> {
        self.shortening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The head that it has signed last.
    pub(super) fn signed(&self) -> MutexGuard<'_, Option<TrailHead>> {
        self.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
