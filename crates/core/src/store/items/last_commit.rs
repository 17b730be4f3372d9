//! What the last commit of a process came to: it says whether the store takes what is written.

use std::sync::{Arc, Mutex, PoisonError};

use super::engine::EngineError;
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::store::StoreError;

/// How long an outcome counts.
pub(super) const FRESH: SignedDuration = SignedDuration::from_secs(5);

/// What the last commit of this process came to.
#[derive(Default)]
pub(super) struct LastCommit {
    last: Mutex<Option<Concluded>>,
    /// Whoever has it finds out by a commit of its own.
    pub(super) probing: futures::lock::Mutex<()>,
}

#[derive(Clone)]
struct Concluded {
    at: Timestamp,
    /// Why nothing was kept.
    failure: Option<Arc<EngineError>>,
}

impl LastCommit {
    /// A commit came to an end.
    pub(super) fn concluded(&self, at: Timestamp, failure: Option<Arc<EngineError>>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Concluded { at, failure });
    }

    /// It, if it was just now.
    pub(super) fn fresh(&self, now: Timestamp) -> Option<Result<(), StoreError>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last = last.filter(|last| now.duration_since(last.at).abs() < FRESH)?;
        Some(last.failure.map_or(Ok(()), |why| Err(StoreError::Unavailable(why.into()))))
    }
}
