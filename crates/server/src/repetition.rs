//! Asking once more. It saves a login where one answer in a few is lost, and makes an outage worse where all of them
//! are: so there is a budget, which answers fill and repetitions use up.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use daypass_core::ground::random::Random;

/// What a repetition costs, in answers: half of what is answered may be repeated in the long run. As many as a
/// third of all attempts can fail before the budget runs short.
const COST: u32 = 2;
/// What is saved up at most: so many repetitions are made before a far end that is down is asked no more than once by
/// everybody.
const MOST: u32 = 20 * COST;

/// How many repetitions a far end is good for at the moment.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(MOST))
    }
}

impl Budget {
    /// Notes that the far end answered.
    pub(crate) fn earn(&self) {
        let more = |left: u32| (left < MOST).then_some(left + 1);
        // At its most it stays as it is.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Whether a repetition is to be made, which is then paid for.
    pub(crate) fn spend(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(COST)).is_ok()
    }
}

/// A moment of random length, so that those who failed together do not come back together: between half of the longest
/// and the longest.
pub(crate) fn pause(longest: Duration, random: &dyn Random) -> Duration {
    let [share] = random.bytes();
    let half = longest / 2;
    half + half * u32::from(share) / u32::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::random::SeededRandom;

    use super::*;

    #[test]
    fn an_outage_uses_the_budget_up_and_answers_fill_it_again() {
        let budget = Budget::default();
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 20);
        budget.earn();
        assert!(!budget.spend(), "one answer is not enough");
        budget.earn();
        assert!(budget.spend() && !budget.spend());
        (0..1_000).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 20, "no more is saved up");
    }

    #[test]
    fn a_far_end_that_fails_every_third_time_is_asked_again_each_time() {
        let budget = Budget::default();
        for attempt in 0..10_000 {
            if attempt % 3 == 0 {
                assert!(budget.spend(), "{attempt}");
            } else {
                budget.earn();
            }
        }
    }

    #[test]
    fn pauses_differ_and_have_their_limits() {
        let random = SeededRandom::new(1);
        let longest = Duration::from_millis(250);
        let pauses: Vec<_> = (0..100).map(|_| pause(longest, &random)).collect();
        assert!(pauses.iter().all(|it| *it >= longest / 2 && *it <= longest), "{pauses:?}");
        assert!(pauses.iter().any(|it| *it < longest.mul_f64(0.6)));
        assert!(pauses.iter().any(|it| *it > longest.mul_f64(0.9)));
    }
}
