//! Which Region writes the table. Of a global table each Region has a copy, conditions look at that copy alone, and the last
//! writer wins: two Regions that write would make two identities of one person. So the table itself says which one does, and
//! whoever is in another one stops.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daypass_core::store::items::engine::EngineError;
use tokio::time::Instant;

use super::trouble::DynamoOpenError;

/// So late does whoever goes on writing see that another Region took over, once that arrived in theirs.
const LOOKING: Duration = Duration::from_secs(10);

/// What one process knows of it.
pub(super) struct Writer {
    /// The Region that is asked here.
    here: String,
    seen: Mutex<Seen>,
    /// One looks, and the others wait for what it finds.
    pub(super) looking: tokio::sync::Mutex<()>,
}

struct Seen {
    at: Instant,
    /// The Region that writes, if it is another one.
    elsewhere: Option<String>,
}

impl Writer {
    /// Of whoever has not looked yet.
    pub(super) fn of(here: String) -> Self {
        let seen = Mutex::new(Seen { at: Instant::now(), elsewhere: None });
        Self { here, seen, looking: tokio::sync::Mutex::default() }
    }

    pub(super) fn here(&self) -> &str {
        &self.here
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self) -> bool {
        self.seen().at.elapsed() >= LOOKING
    }

    /// Which Region the table says that it is written in.
    pub(super) fn learn(&self, writer: Option<&str>) {
        let elsewhere = writer.filter(|writer| *writer != self.here).map(str::to_owned);
        *self.seen() = Seen { at: Instant::now(), elsewhere };
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
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_looked_at_intervals_and_whoever_is_elsewhere_is_refused_until_it_is_here_again() {
        let writer = Writer::of("eu-west-1".to_owned());
        assert!(!writer.is_due());
        tokio::time::advance(LOOKING).await;
        assert!(writer.is_due() && writer.is_due(), "until somebody has found out");
        writer.learn(None);
        assert!(!writer.is_due());
        for (region, is_allowed) in [(None, true), (Some("us-west-2"), false), (Some("eu-west-1"), true)] {
            writer.learn(region);
            assert_eq!(writer.check("the table").is_ok(), is_allowed, "{region:?}");
        }
    }
}
