//! What can happen thousands of times a second, when a log is of use that does not say it as often. Metrics count it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the same complaint stands in the log.
const PAUSE: Duration = Duration::from_secs(10);

/// Something that happens, and is told now and then.
#[derive(Default)]
pub(super) struct Complaint(Mutex<Option<Instant>>);

impl Complaint {
    /// It happened: tells so, unless that was done a moment ago.
    pub(super) fn make(&self, tell: impl FnOnce()) {
        if is_due(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), Instant::now()) {
            tell();
        }
    }
}

fn is_due(told_at: &mut Option<Instant>, now: Instant) -> bool {
    let is_due = told_at.is_none_or(|told_at| now >= told_at + PAUSE);
    if is_due {
        *told_at = Some(now);
    }
    is_due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_at_once_and_then_seldom() {
        let (mut told_at, start) = (None, Instant::now());
        let mut due = |seconds| is_due(&mut told_at, start + Duration::from_secs(seconds));
        assert_eq!([0, 0, 9, 10, 11, 99].map(&mut due), [true, false, false, true, false, true]);
    }
}
