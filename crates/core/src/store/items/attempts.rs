//! Questions that change something: read, decide, commit; again from the reading, if what was read is no longer so.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use super::ItemStore;
use super::engine::{Change, Committed, Effect, EngineError, Guard, Key, Stamp};
use super::keys;
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::store::StoreError;

/// So often a question is asked. Each time somebody else has got on, unless the engine is in trouble.
pub(super) const TRIES: u32 = 12;

/// So long it is asked again, at most: whoever waits does not wait for ever.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// A pause is drawn up to this, doubled with each try up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// So long a receipt is kept. Nobody waits for an answer as long.
const RECEIPTS_KEPT: SignedDuration = SignedDuration::from_hours(1);

/// What a question came to.
pub(super) enum Decided<T> {
    /// Nothing changes.
    Answer(T),
    /// What was read was read between two changes.
    Again,
    /// This is the answer if the changes are made.
    Change {
        changes: Vec<Change>,
        answer: T,
        /// Whether the question, asked again after it had been answered, could take its own change for somebody else's.
        leaves_receipt: bool,
    },
}

impl<T> Decided<T> {
    pub(super) fn change(changes: Vec<Change>, answer: T) -> Self {
        Self::Change { changes, answer, leaves_receipt: false }
    }

    /// The same where asking again would tell something else, or where a commit that rests on nothing but absence could be made
    /// late, after what it makes was taken away.
    pub(super) fn change_once(changes: Vec<Change>, answer: T) -> Self {
        Self::Change { changes, answer, leaves_receipt: true }
    }
}

/// A commit of which nobody knows whether it was made.
struct Lost<T> {
    stamp: Stamp,
    /// Where its stamp would be, had it been.
    witnesses: Vec<Key>,
    answer: T,
}

impl ItemStore {
    /// Asks a question until it has an answer.
    pub(super) async fn ask<T: Send, F, A>(&self, question: F) -> Result<T, StoreError>
    where
        F: Fn() -> A + Send + Sync,
        A: Future<Output = Result<Decided<T>, StoreError>> + Send,
    {
        let receipt = keys::receipt(self.draw());
        let mut lost: Vec<Lost<T>> = Vec::new();
        let began = self.clock.now();
        let mut trouble: Box<dyn Error + Send + Sync> = "others changed the same, again and again".into();
        for tried in 0..TRIES {
            if tried > 0 {
                if self.is_late(began) {
                    break;
                }
                self.pace.pause(self.pause_after(tried)).await;
            }
            let decided = question().await;
            // Whatever it came to now, it may have come to something before.
            if let Some(answer) = self.settle(&mut lost).await? {
                return Ok(answer);
            }
            let decided = decided?;
            let (mut changes, answer, leaves_receipt) = match decided {
                Decided::Answer(answer) => return Ok(answer),
                Decided::Again => {
                    self.remembered.forget_all();
                    continue;
                }
                Decided::Change { changes, answer, leaves_receipt } => (changes, answer, leaves_receipt),
            };
            let stamp = Stamp(self.draw());
            if leaves_receipt {
                changes.push(self.receipt(&receipt));
            }
            match self.engine.commit(stamp, &changes).await {
                Ok(Committed::Kept) => {
                    self.last_commit.concluded(self.clock.now(), None);
                    self.remembered.forget_changed(&changes);
                    return Ok(answer);
                }
                Ok(Committed::Broken) => self.remembered.forget_all(),
                Err(error @ EngineError::Busy(_)) => trouble = error.into(),
                Err(error @ EngineError::Lost(_)) => {
                    trouble = error.into();
                    self.remembered.forget_all();
                    lost.push(Lost {
                        stamp,
                        witnesses: witnesses(&changes, leaves_receipt, &receipt),
                        answer,
                    });
                }
                Err(error @ EngineError::Unavailable(_)) => {
                    let error = Arc::new(error);
                    self.last_commit.concluded(self.clock.now(), Some(error.clone()));
                    return Err(StoreError::Unavailable(error.into()));
                }
            }
        }
        Err(StoreError::Unavailable(trouble))
    }

    /// The answer that goes with the lost commit that was made after all.
    async fn settle<T>(&self, lost: &mut Vec<Lost<T>>) -> Result<Option<T>, StoreError> {
        for index in 0..lost.len() {
            let Lost { stamp, witnesses, .. } = &lost[index];
            let found = self.read_items(witnesses).await?;
            if found.iter().flatten().any(|item| item.stamp == *stamp) {
                // What was read before it was made may have been remembered since.
                self.remembered.forget_all();
                return Ok(Some(lost.swap_remove(index).answer));
            }
        }
        Ok(None)
    }

    /// Whether somebody has waited for an answer for so long that they are told to come again.
    pub(super) fn is_late(&self, began: Timestamp) -> bool {
        self.clock.now().duration_since(began).abs() > PATIENCE
    }

    fn receipt(&self, key: &Key) -> Change {
        let forgotten_at = self.clock.now().checked_add(RECEIPTS_KEPT).ok();
        let effect = Effect::Put { content: Vec::new(), forgotten_at };
        Change { key: key.clone(), guard: Guard::Absent, effect }
    }

    /// Somewhere in the time that grows with each try: two that met do not meet again.
    pub(super) fn pause_after(&self, tried: u32) -> Duration {
        let longest = FIRST_PAUSE.saturating_mul(1 << tried.min(16)).min(LONGEST_PAUSE);
        let part = u32::try_from(self.draw() >> 40).expect("24 bits are left");
        longest.mul_f64(f64::from(part) / f64::from(1_u32 << 24))
    }
}

/// A receipt is nobody else's to write. What else was put may have been written again since, and then the question finds
/// what it changed.
fn witnesses(changes: &[Change], leaves_receipt: bool, receipt: &Key) -> Vec<Key> {
    if leaves_receipt {
        return vec![receipt.clone()];
    }
    let puts = changes.iter().filter(|change| matches!(change.effect, Effect::Put { .. }));
    puts.map(|change| change.key.clone()).collect()
}
