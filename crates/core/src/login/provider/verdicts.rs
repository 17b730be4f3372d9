//! Answers that are remembered for a while, by the hash of the proof. Time moves only with the clock, and a
//! clock that was set back makes nothing young again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::proof_hash::ProofHash;
use crate::ground::clock::{SignedDuration, Timestamp};

/// How many answers are remembered; then the oldest is forgotten.
const CAPACITY: usize = 10_000;

/// Answers, each until its time is over.
pub(super) struct Verdicts<T>(Mutex<Answers<T>>);

struct Answers<T> {
    by_key: HashMap<ProofHash, Answer<T>>,
    /// Every key of the map once, the oldest first.
    order: VecDeque<ProofHash>,
}

struct Answer<T> {
    since: Timestamp,
    lasts: SignedDuration,
    is: T,
}

impl<T> Default for Verdicts<T> {
    fn default() -> Self {
        Self(Mutex::new(Answers { by_key: HashMap::new(), order: VecDeque::new() }))
    }
}

impl<T: Clone> Verdicts<T> {
    /// What is remembered of a proof.
    pub(super) fn recall(&self, key: ProofHash, now: Timestamp) -> Option<T> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.by_key.get(&key)?;
        answer.counts_at(now).then(|| answer.is.clone())
    }

    /// Remembers an answer from `now` on.
    pub(super) fn remember(&self, key: ProofHash, is: T, now: Timestamp, lasts: SignedDuration) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.by_key.insert(key, Answer { since: now, lasts, is }).is_none() {
            answers.order.push_back(key);
        }
        answers.forget(now);
    }
}

impl<T> Answers<T> {
    fn forget(&mut self, now: Timestamp) {
        while let Some(oldest) = self.order.front() {
            let counts = self.by_key.get(oldest).is_some_and(|answer| answer.counts_at(now));
            if counts && self.order.len() <= CAPACITY {
                return;
            }
            self.by_key.remove(oldest);
            self.order.pop_front();
        }
    }
}

impl<T> Answer<T> {
    fn counts_at(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.since);
        !age.is_negative() && age < self.lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: SignedDuration = SignedDuration::from_secs(5);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn key(number: usize) -> ProofHash {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        ProofHash::from_bytes(bytes)
    }

    #[test]
    fn an_answer_counts_until_its_time_is_over() {
        let memory = Verdicts::default();
        memory.remember(key(1), "no", at(100), LASTS);
        assert_eq!(memory.recall(key(1), at(104)), Some("no"));
        assert_eq!(memory.recall(key(1), at(105)), None);
        assert_eq!(memory.recall(key(1), at(99)), None, "a clock set back makes nothing last longer");
        assert_eq!(memory.recall(key(2), at(100)), None);
    }

    #[test]
    fn the_oldest_is_forgotten_before_there_are_too_many() {
        let memory = Verdicts::default();
        for number in 0..=CAPACITY {
            memory.remember(key(number), number, at(100), LASTS);
        }
        assert_eq!(memory.recall(key(0), at(100)), None);
        assert_eq!(memory.recall(key(1), at(100)), Some(1));
        assert_eq!(memory.0.lock().unwrap().by_key.len(), CAPACITY);
    }

    #[test]
    fn what_no_longer_counts_takes_no_room() {
        let memory = Verdicts::default();
        memory.remember(key(1), 1, at(100), LASTS);
        memory.remember(key(1), 2, at(106), LASTS);
        memory.remember(key(2), 3, at(112), LASTS);
        let answers = memory.0.lock().unwrap();
        assert_eq!((answers.by_key.len(), answers.order.len()), (1, 1));
    }
}
