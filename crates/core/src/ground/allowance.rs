//! How often something may be done in a while, by each and by all together. What a stranger may try without having shown
//! anything costs no more than that, and neither does counting it: it is in memory, and each process counts for itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ground::clock::{Clock, SignedDuration, Timestamp};

/// How often it may be done.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// By one.
    pub each: u32,
    /// By all.
    pub all: u32,
    /// In this time.
    pub within: SignedDuration,
}

/// Counts how often it was done.
pub struct Allowance<K> {
    rate: Rate,
    clock: Arc<dyn Clock>,
    counted: Mutex<Counted<K>>,
}

/// No more than `all` of them have an entry.
struct Counted<K> {
    since: Timestamp,
    all: u32,
    of_each: HashMap<K, u32>,
}

impl<K: Clone + Eq + Hash> Allowance<K> {
    /// A new count.
    #[must_use]
    pub fn new(rate: Rate, clock: Arc<dyn Clock>) -> Self {
        let counted = Counted { since: clock.now(), all: 0, of_each: HashMap::new() };
        Self { rate, clock, counted: Mutex::new(counted) }
    }

    /// Takes one for whoever it is; of whom nobody knows who it is, all together are counted alone.
    ///
    /// # Errors
    /// It was done too often: how long until it may be done again.
    pub fn take(&self, whose: Option<&K>) -> Result<(), SignedDuration> {
        let now = self.clock.now();
        let mut counted = self.counted();
        let passed = now.duration_since(counted.since);
        if passed.is_negative() || passed >= self.rate.within {
            *counted = Counted { since: now, all: 0, of_each: HashMap::new() };
        }
        let own = whose.and_then(|whose| counted.of_each.get(whose)).copied().unwrap_or_default();
        if counted.all >= self.rate.all || own >= self.rate.each {
            return Err(self.rate.within - now.duration_since(counted.since));
        }
        counted.all += 1;
        if let Some(whose) = whose {
            counted.of_each.insert(whose.clone(), own + 1);
        }
        Ok(())
    }

    /// Gives one back that was taken a moment ago and did not count.
    pub fn give_back(&self, whose: Option<&K>) {
        let mut counted = self.counted();
        counted.all = counted.all.saturating_sub(1);
        if let Some(own) = whose.and_then(|whose| counted.of_each.get_mut(whose)) {
            *own = own.saturating_sub(1);
        }
    }

    /// No code that holds the lock can leave the count half made, so a poisoned lock is as good.
    fn counted(&self) -> MutexGuard<'_, Counted<K>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::clock::ManualClock;

    fn allowance() -> (Allowance<&'static str>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at_second(1_700_000_000));
        let rate = Rate { each: 2, all: 5, within: SignedDuration::from_mins(1) };
        (Allowance::new(rate, clock.clone()), clock)
    }

    #[test]
    fn each_has_a_share_and_all_have_no_more_than_there_is() {
        let (allowance, _) = allowance();
        let taken = ["a", "a", "a", "b", "b", "c", "d"].map(|whose| allowance.take(Some(&whose)).is_ok());
        assert_eq!(taken, [true, true, false, true, true, true, false]);
        assert!(allowance.take(None).is_err());
    }

    #[test]
    fn who_is_not_known_takes_from_all() {
        let (allowance, _) = allowance();
        assert_eq!([(); 6].map(|()| allowance.take(None).is_ok()), [true, true, true, true, true, false]);
    }

    #[test]
    fn it_may_be_done_again_when_its_time_is_over_and_not_before() {
        let (allowance, clock) = allowance();
        for _ in 0..2 {
            assert_eq!(allowance.take(Some(&"a")), Ok(()));
            clock.advance(SignedDuration::from_secs(20));
            assert_eq!(allowance.take(Some(&"a")), Ok(()));
            assert_eq!(allowance.take(Some(&"a")), Err(SignedDuration::from_secs(40)));
            clock.advance(SignedDuration::from_millis(39_999));
            assert_eq!(allowance.take(Some(&"a")), Err(SignedDuration::from_millis(1)));
            clock.advance(SignedDuration::from_millis(1));
        }
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let (allowance, _) = allowance();
        for _ in 0..9 {
            assert_eq!(allowance.take(Some(&"a")), Ok(()));
            allowance.give_back(Some(&"a"));
        }
        allowance.give_back(Some(&"a"));
        assert_eq!([(); 3].map(|()| allowance.take(Some(&"a")).is_ok()), [true, true, false]);
    }

    #[test]
    fn a_clock_that_goes_back_begins_a_new_count() {
        let (allowance, clock) = allowance();
        assert_eq!([(); 3].map(|()| allowance.take(Some(&"a")).is_ok()), [true, true, false]);
        clock.advance(SignedDuration::from_hours(-1));
        assert_eq!(allowance.take(Some(&"a")), Ok(()));
    }
}
