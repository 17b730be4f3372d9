//! Time as an argument. Whoever needs to know what time it is takes a [`Clock`], so that a test can
//! move time instead of waiting for it, and so that one request sees one instant.

pub use jiff::{SignedDuration, Timestamp};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock. Built once, in the wiring.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is told to move.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug)]
pub struct ManualClock(std::sync::Mutex<Timestamp>);

#[cfg(any(test, feature = "testing"))]
impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(std::sync::Mutex::new(now))
    }

    /// A clock that shows `seconds` after the Unix epoch.
    ///
    /// # Panics
    /// If the instant is outside what a [`Timestamp`] can hold.
    #[must_use]
    pub fn at_second(seconds: i64) -> Self {
        Self::at(Timestamp::from_second(seconds).expect("an instant within the calendar"))
    }

    /// Moves the clock forward, or back with a negative duration.
    ///
    /// # Panics
    /// If another thread panicked while it moved the clock.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().expect("no thread panics while it holds the clock");
        *now += by;
    }
}

#[cfg(any(test, feature = "testing"))]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no thread panics while it holds the clock")
    }
}
