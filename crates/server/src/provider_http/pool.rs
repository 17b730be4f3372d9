//! Connections to providers that are kept for a while, and those that are given up. A provider closes a connection
//! that nobody used for some time, and a request that is sent on it just then is lost: whether it was carried
//! out nobody can say, so one that redeems a code cannot be sent again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daypass_core::ground::clock::{Clock, SignedDuration, Timestamp};
use tokio::time::Instant;

/// How far the clock and the timer may part before it means that the process slept: Lambda freezes it between
/// requests, and a laptop's lid closes. The timer may stand still meanwhile, and no news of closed connections arrives.
const NAP: Duration = Duration::from_secs(2);

/// Makes a client with no connections yet.
pub(crate) type Make = Box<dyn Fn() -> Result<reqwest::Client, reqwest::Error> + Send + Sync>;

pub(crate) struct Pool {
    make: Make,
    clock: Arc<dyn Clock>,
    current: Mutex<Current>,
}

struct Current {
    client: reqwest::Client,
    awake_since: (Timestamp, Instant),
}

impl Pool {
    pub(crate) fn new(make: Make, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let awake_since = (clock.now(), Instant::now());
        Ok(Self { current: Mutex::new(Current { client: make()?, awake_since }), make, clock })
    }

    /// The client, without connections from before the process last slept.
    pub(crate) fn client(&self) -> reqwest::Client {
        // Nothing within this function leaves it half changed.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock.now(), Instant::now());
        if slept(current.awake_since, now) {
            match (self.make)() {
                Ok(client) => *current = Current { client, awake_since: now },
                Err(error) => tracing::error!(%error, "connections from before a sleep are used once more"),
            }
        }
        current.client.clone()
    }
}

fn slept((then, timer_then): (Timestamp, Instant), (now, timer_now): (Timestamp, Instant)) -> bool {
    let timer = SignedDuration::try_from(timer_now - timer_then).unwrap_or(SignedDuration::MAX);
    (now.duration_since(then) - timer).unsigned_abs() > NAP
}
