//! What is kept for a while. It is absent from its end on, by the clock of whoever asks; that it is deleted only makes room, and an
//! engine may take days for it, or wait for us.

use std::sync::{Mutex, PoisonError};

use super::ItemStore;
use super::engine::Item;
use crate::ground::clock::{SignedDuration, Timestamp};

/// So often each process makes room, at most.
const EVERY: SignedDuration = SignedDuration::from_secs(10);

/// So much goes at once, at most, by whoever keeps a store up: the trail waits meanwhile.
const BITES: usize = 100;

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
    fn asked_at(&self, now: Timestamp, real_now: Timestamp) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = Some(now);
        let is_time = state.made_room_at.is_none_or(|at| real_now.duration_since(at).abs() >= EVERY);
        if is_time {
            state.made_room_at = Some(real_now);
        }
        is_time
    }

    /// Notes that there is more to make room of: it is time again at once.
    fn has_more(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).made_room_at = None;
    }
}

impl ItemStore {
    /// Has what is over at an instant be absent, and go by and by: whoever brings something takes a bite away.
    pub(super) async fn forget(&self, now: Timestamp) {
        self.forget_bites(now, 1).await;
    }

    /// The same, as far as all of it is gone.
    pub(super) async fn forget_all(&self, now: Timestamp) {
        self.forget_bites(now, BITES).await;
    }

    async fn forget_bites(&self, now: Timestamp, bites: usize) {
        if !self.forgetting.asked_at(now, self.clock.now()) {
            return;
        }
        for _ in 0..bites {
            // Nobody's question fails because there is less room.
            if !self.engine.forget(now).await.unwrap_or(false) {
                return;
            }
        }
        self.forgetting.has_more();
    }
}
