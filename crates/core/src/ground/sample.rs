//! Counting what comes too often to be kept: of each kind the first few in a second are kept whole, and the others
//! are a number. What a stranger can make happen fills nothing then, however fast they are.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ground::clock::Clock;

/// Takes a sample of each kind. There have to be few kinds: names of ours, and nothing that a client sent.
pub struct Sampler<K> {
    each_second: u64,
    clock: Arc<dyn Clock>,
    counted: Mutex<Counted<K>>,
}

struct Counted<K> {
    second: i64,
    /// How many came in this second.
    seen: HashMap<K, u64>,
    /// How many were left out in seconds before.
    left_out: HashMap<K, u64>,
}

impl<K: Clone + Eq + Hash> Sampler<K> {
    /// Keeps so many of each kind in a second.
    #[must_use]
    pub fn new(each_second: u64, clock: Arc<dyn Clock>) -> Self {
        let counted = Counted { second: i64::MIN, seen: HashMap::new(), left_out: HashMap::new() };
        Self { each_second, clock, counted: Mutex::new(counted) }
    }

    /// Whether this one is among those of its kind that are kept.
    pub fn admits(&self, kind: K) -> bool {
        let mut counted = self.counted();
        counted.turn_to(self.clock.now().as_second(), self.each_second);
        let seen = counted.seen.entry(kind).or_default();
        *seen += 1;
        *seen <= self.each_second
    }

    /// How many of each kind were left out in seconds that are over. They are told once.
    pub fn take_left_out(&self) -> Vec<(K, u64)> {
        let mut counted = self.counted();
        counted.turn_to(self.clock.now().as_second(), self.each_second);
        counted.left_out.drain().collect()
    }

    /// The same with the second that is under way, for the end of the process.
    pub fn take_all_left_out(&self) -> Vec<(K, u64)> {
        let mut counted = self.counted();
        counted.turn_to(i64::MIN, self.each_second);
        counted.left_out.drain().collect()
    }

    fn counted(&self) -> MutexGuard<'_, Counted<K>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Counted<K> {
    fn turn_to(&mut self, second: i64, each_second: u64) {
        if self.second == second {
            return;
        }
        self.second = second;
        for (kind, seen) in self.seen.drain().filter(|(_, seen)| *seen > each_second) {
            *self.left_out.entry(kind).or_default() += seen - each_second;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::clock::{ManualClock, SignedDuration};

    fn sampler() -> (Sampler<&'static str>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at_second(1_700_000_000));
        (Sampler::new(3, clock.clone()), clock)
    }

    #[test]
    fn the_first_of_each_kind_and_second_are_kept() {
        let (sampler, clock) = sampler();
        for _ in 0..2 {
            assert_eq!([(); 5].map(|()| sampler.admits("a")), [true, true, true, false, false]);
            assert!(sampler.admits("b"));
            clock.advance(SignedDuration::from_secs(1));
        }
    }

    #[test]
    fn what_was_left_out_is_told_once_when_its_second_is_over() {
        let (sampler, clock) = sampler();
        for _ in 0..5 {
            sampler.admits("a");
            sampler.admits("b");
        }
        assert_eq!(sampler.take_left_out(), []);
        clock.advance(SignedDuration::from_secs(1));
        let mut left_out = sampler.take_left_out();
        left_out.sort_unstable();
        assert_eq!(left_out, [("a", 2), ("b", 2)]);
        assert_eq!(sampler.take_left_out(), []);
    }

    #[test]
    fn at_the_end_nothing_stays_untold() {
        let (sampler, _) = sampler();
        for _ in 0..4 {
            sampler.admits("a");
        }
        assert_eq!(sampler.take_all_left_out(), [("a", 1)]);
        assert!(sampler.admits("a"), "a new count began");
    }

    #[test]
    fn a_clock_that_goes_back_begins_a_second_like_any_other() {
        let (sampler, clock) = sampler();
        for _ in 0..4 {
            sampler.admits("a");
        }
        clock.advance(SignedDuration::from_hours(-1));
        assert!(sampler.admits("a"));
        assert_eq!(sampler.take_left_out(), [("a", 1)]);
    }
}
