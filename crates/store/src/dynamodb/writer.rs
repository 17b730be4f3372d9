//! Which Region writes the table. Of a global table each Region has a copy, conditions look at that copy alone, and the last
//! writer wins: two Regions that write would make two identities of one person. So the table itself says which one does, and
//! whoever is in another one stops.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daypass_core::ground::clock::{Clock, Timestamp};
use daypass_core::store::items::engine::EngineError;
use tokio::time::Instant;

use super::trouble::DynamoOpenError;

/// So late does whoever goes on writing see that another Region took over, once that arrived in theirs.
const LOOKING: Duration = Duration::from_secs(10);

/// What one process knows of it.
pub(super) struct Writer {
    /// The Region that is asked here.
    here: String,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
    /// One looks, and the others wait for what it finds.
    looking: tokio::sync::Mutex<()>,
    /// How many looks have come to an end.
    ended: AtomicU64,
}

struct Seen {
    /// By the timer, which may stand still while the process does (Lambda, a closed lid), and by the clock, which may be set.
    at: (Instant, Timestamp),
    /// The Region that writes, if it is another one.
    elsewhere: Option<String>,
}

impl Writer {
    /// Of whoever has not looked yet.
    pub(super) fn of(here: String, clock: Arc<dyn Clock>) -> Self {
        let seen = Mutex::new(Seen { at: (Instant::now(), clock.now()), elsewhere: None });
        Self { here, clock, seen, looking: tokio::sync::Mutex::default(), ended: AtomicU64::new(0) }
    }

    pub(super) fn here(&self) -> &str {
        &self.here
    }

    /// Has somebody look, if it is time. Nobody goes on with what is known of before: another Region may have taken over, and
    /// whoever was halted meanwhile is asked many things at once. If it cannot be found out, those who waited for it look again
    /// after a pause, and not one after the other, each for as long as nobody answers.
    pub(super) async fn look_if_due(
        &self,
        look: impl AsyncFnOnce() -> Result<Option<String>, EngineError>,
    ) -> Result<(), EngineError> {
        if !self.is_due() {
            return Ok(());
        }
        let before = self.ended.load(Ordering::SeqCst);
        let _one = self.looking.lock().await;
        if !self.is_due() {
            return Ok(());
        }
        if self.ended.load(Ordering::SeqCst) != before {
            return Err(EngineError::Busy("nobody could find out which Region writes the table".into()));
        }
        let found = look().await;
        self.ended.fetch_add(1, Ordering::SeqCst);
        self.learn(found?.as_deref());
        Ok(())
    }

    /// Whether it is time to look.
    fn is_due(&self) -> bool {
        let (timer, clock) = self.seen().at;
        timer.elapsed() >= LOOKING || self.clock.now().duration_since(clock).unsigned_abs() >= LOOKING
    }

    /// Which Region the table says that it is written in.
    pub(super) fn learn(&self, writer: Option<&str>) {
        let elsewhere = writer.filter(|writer| *writer != self.here).map(str::to_owned);
        *self.seen() = Seen { at: (Instant::now(), self.clock.now()), elsewhere };
    }

    /// Refuses while another Region writes.
    pub(super) fn check(&self, place: &str) -> Result<(), DynamoOpenError> {
        match self.seen().elsewhere.clone() {
            None => Ok(()),
            Some(writer) => {
                Err(DynamoOpenError::OtherRegion { place: place.to_owned(), here: self.here.clone(), writer })
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing was done.
impl From<DynamoOpenError> for EngineError {
    fn from(error: DynamoOpenError) -> Self {
        Self::Unavailable(error.into())
    }
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::clock::{ManualClock, SignedDuration};
    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_looks_for_all_who_wait_and_whoever_is_cut_off_leaves_it_to_the_next() {
        let clock = Arc::new(ManualClock::at_second(0));
        let (writer, looks) = (Writer::of("eu-west-1".to_owned(), clock), AtomicU64::new(0));
        let look = async |found: Result<Option<String>, EngineError>| {
            looks.fetch_add(1, Ordering::SeqCst);
            drop(tokio::time::timeout(Duration::from_secs(5), std::future::pending::<()>()).await);
            found
        };
        let away = || Err(EngineError::Unavailable("it is away".into()));
        writer.look_if_due(async || look(away()).await).await.unwrap();
        tokio::time::advance(LOOKING).await;
        let all = |count| join_all((0..count).map(|_| writer.look_if_due(async || look(away()).await)));
        assert!(all(16).await.iter().all(Result::is_err));
        assert_eq!(looks.load(Ordering::SeqCst), 1, "none where it was not time, and one for all");
        assert!(tokio::time::timeout(Duration::from_secs(1), all(1)).await.is_err());
        let elsewhere = || Ok(Some("us-west-2".to_owned()));
        let found = join_all((0..16).map(|_| writer.look_if_due(async || look(elsewhere()).await))).await;
        assert!(found.iter().all(Result::is_ok) && writer.check("the table").is_err());
        assert_eq!(looks.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_looked_at_intervals_and_whoever_is_elsewhere_is_refused_until_it_is_here_again() {
        let clock = Arc::new(ManualClock::at_second(0));
        let writer = Writer::of("eu-west-1".to_owned(), clock.clone());
        assert!(!writer.is_due());
        tokio::time::advance(LOOKING).await;
        assert!(writer.is_due() && writer.is_due(), "until somebody has found out");
        writer.learn(None);
        assert!(!writer.is_due());
        // The process stood still, and its timer with it; or somebody set the clock back.
        for hours in [24, -24] {
            clock.advance(SignedDuration::from_hours(hours));
            assert!(writer.is_due());
            writer.learn(None);
            assert!(!writer.is_due());
        }
        for (region, is_allowed) in [(None, true), (Some("us-west-2"), false), (Some("eu-west-1"), true)] {
            writer.learn(region);
            assert_eq!(writer.check("the table").is_ok(), is_allowed, "{region:?}");
        }
    }
}
