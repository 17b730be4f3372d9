//! What is kept for a while. It is absent from its end on, by the clock of whoever asks; that it is deleted only makes room, and an
//! engine may take days for it, or wait for us.

use std::sync::{Mutex, PoisonError};

use super::engine::Item;
use crate::ground::clock::{SignedDuration, Timestamp};

/// So often each process makes room, at most.
const EVERY: SignedDuration = SignedDuration::from_secs(10);

/// So much goes at once, at most, by whoever keeps a store up: the trail waits meanwhile.
pub(super) const BITES: usize = 100;

/// How late it is.
#[derive(Default)]
pub(super) struct Forgetting(Mutex<State>);

#[derive(Default)]
struct State {
    /// The instant that somebody asked at last: a clock that was ahead for a moment has nothing be over for good.
    last: Option<Timestamp>,
    made_room_at: Option<Timestamp>,
}

impl Forgetting {
    /// Whether an item is as good as absent.
    pub(super) fn is_over(&self, item: &Item) -> bool {
        let Some(forgotten_at) = item.forgotten_at else { return false };
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.last.is_some_and(|last| forgotten_at <= last)
    }

    /// Notes that somebody asks at an instant. Answers whether it is time to make room.
    pub(super) fn asked_at(&self, now: Timestamp, real_now: Timestamp) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = Some(now);
        let is_time = state.made_room_at.is_none_or(|at| real_now.duration_since(at).abs() >= EVERY);
        if is_time {
            state.made_room_at = Some(real_now);
        }
        is_time
    }

    /// Notes that there is more to make room of: it is time again at once.
    pub(super) fn has_more(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).made_room_at = None;
    }
}
