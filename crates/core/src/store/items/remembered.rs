//! What every request asks again and hardly ever changes. What this process changes counts at once, what others change within
//! a bound.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::engine::{Change, Item, Key};
use super::keys;
use crate::ground::clock::{Clock, SignedDuration, Timestamp};

/// So long an item passes for what it was.
pub(super) const BOUND: SignedDuration = SignedDuration::from_secs(2);

/// More are not remembered at once.
const MAX: usize = 1_024;

pub(super) struct Remembered {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: HashMap<Key, (Timestamp, Option<Item>)>,
    /// Grows when something is forgotten: what was read before is not remembered afterwards.
    forgotten: u64,
}

/// When a reading began.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    at: Timestamp,
    forgotten: u64,
}

impl Remembered {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// The item, or that there is none, if either is remembered; else what [`keep`](Self::keep) is to be given with what is
    /// read now.
    pub(super) fn find(&self, key: &Key) -> Result<Option<Item>, Begun> {
        let (now, state) = (self.clock.now(), self.state());
        match state.items.get(key) {
            // A clock that was put back makes nothing younger.
            Some((at, item)) if *at <= now && now.duration_since(*at) < BOUND => Ok(item.clone()),
            _ => Err(Begun { at: now, forgotten: state.forgotten }),
        }
    }

    pub(super) fn keep(&self, begun: Begun, key: &Key, item: Option<Item>) {
        let mut state = self.state();
        if state.forgotten == begun.forgotten {
            if state.items.len() >= MAX {
                state.items.clear();
            }
            state.items.insert(key.clone(), (begun.at, item));
        }
    }

    pub(super) fn forget_changed(&self, changes: &[Change]) {
        let mut changed = changes.iter().filter(|change| is_remembered(&change.key)).peekable();
        // Every request changes something else.
        if changed.peek().is_none() {
            return;
        }
        let mut state = self.state();
        for change in changed {
            state.items.remove(&change.key);
        }
        state.forgotten += 1;
    }

    pub(super) fn forget_all(&self) {
        let mut state = self.state();
        state.items.clear();
        state.forgotten += 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is one of those that [`recall`](super::ItemStore::recall) is asked for.
fn is_remembered(Key { partition, .. }: &Key) -> bool {
    [keys::POOLS, keys::DEVELOPERS].contains(&partition.as_slice()) || partition.starts_with(keys::ACCESS_KEY)
}

#[cfg(test)]
mod tests {
    use super::super::engine::{Effect, Guard};
    use super::*;
    use crate::ground::clock::ManualClock;
    use crate::ground::ids::IdentityPoolId;

    fn change(key: &Key) -> Change {
        Change { key: key.clone(), guard: Guard::Any, effect: Effect::Nothing }
    }

    #[test]
    fn what_is_read_while_it_changes_is_not_remembered_and_what_is_read_while_others_do_is() {
        let remembered = Remembered::new(Arc::new(ManualClock::at_second(0)));
        let pool = keys::pool(&IdentityPoolId::parse("us-east-1:aa").unwrap());
        let place = remembered.find(&pool).err().unwrap();
        remembered.forget_changed(&[change(&pool)]);
        remembered.keep(place, &pool, None);
        let place = remembered.find(&pool).err().unwrap();
        remembered.forget_changed(&[change(&keys::journal_entry(0, 1, 2)), change(&keys::receipt(3))]);
        remembered.keep(place, &pool, None);
        assert!(remembered.find(&pool).is_ok());
    }
}
