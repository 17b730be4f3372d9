//! What can happen thousands of times a second, when a log is of use that does not say it as often.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the same complaint stands in the log.
const PAUSE: Duration = Duration::from_secs(10);

/// Something that happens, and is told now and then.
#[derive(Default)]
pub(super) struct Complaint(Mutex<Times>);

#[derive(Default)]
struct Times {
    told_at: Option<Instant>,
    untold: u64,
}

impl Complaint {
    /// It happened: tells so, with how often it has since it was told last, unless that was a moment ago.
    pub(super) fn make(&self, tell: impl FnOnce(u64)) {
        if let Some(times) = self.0.lock().unwrap_or_else(PoisonError::into_inner).once_more(Instant::now()) {
            tell(times);
        }
    }
}

impl Times {
    fn once_more(&mut self, now: Instant) -> Option<u64> {
        self.untold += 1;
        if self.told_at.is_some_and(|told_at| now < told_at + PAUSE) {
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_at_once_and_then_with_how_often_it_was() {
        let (mut times, start) = (Times::default(), Instant::now());
        assert_eq!(times.once_more(start), Some(1));
        for _ in 0..8 {
            assert_eq!(times.once_more(start + PAUSE / 2), None);
        }
        assert_eq!(times.once_more(start + PAUSE), Some(9));
        assert_eq!(times.once_more(start + PAUSE), None);
    }
}
