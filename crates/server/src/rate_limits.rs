//! How often somebody may ask, where the operator says so. It is counted in this process alone, by the rate at which turns
//! come back (GCRA), and never for somebody whose name anybody could write: apps and access keys count once it is known
//! that it is them.

mod pool;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use daypass_core::ground::clock::SignedDuration;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use prometheus_client::metrics::counter::Counter;

pub(crate) use self::pool::LimitedPool;
use crate::config::{LimitsConfig, Rate};
use crate::error::RequestFailure;
use crate::metrics::Metrics;
use crate::peers::share_of;

/// After so many questions those are forgotten who have all their turns again.
const TIDY_AFTER: u32 = 1_024;

/// Everything that has a limit. What has a name is known by a hash of it, under a key of this process: the name may be as long as
/// somebody likes, or be a secret that stands where a name should.
pub struct RateLimits {
    names: RandomState,
    addresses: Option<Limiter<IpAddr>>,
    apps: Option<Limiter<u64>>,
    access_keys: Option<Limiter<u64>>,
    people: Option<Limiter<u64>>,
    operations: HashMap<String, Limiter<()>>,
}

/// Somebody has asked too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// When they may ask again.
    pub retry_after: SignedDuration,
}

impl From<TooOften> for RequestFailure {
    fn from(TooOften { retry_after }: TooOften) -> Self {
        Self::TooOften { retry_after }
    }
}

impl RateLimits {
    /// Those of a configuration, with nobody counted yet.
    #[must_use]
    pub fn of(config: &LimitsConfig, metrics: &Metrics) -> Self {
        fn limiter<K: Hash + Eq + Clone>(rate: Rate, refused: Counter) -> Limiter<K> {
            Limiter::new(rate, refused, MonotonicClock)
        }
        let limit = |key| metrics.over_limit(key);
        let operations = config.operations.iter();
        Self {
            names: RandomState::new(),
            addresses: config.address.map(|rate| limiter(rate, limit("address"))),
            apps: config.app.map(|rate| limiter(rate, limit("app"))),
            access_keys: config.access_key.map(|rate| limiter(rate, limit("access_key"))),
            people: config.person.map(|rate| limiter(rate, limit("person"))),
            operations: operations
                .map(|(name, rate)| (name.as_str().to_owned(), limiter(*rate, limit("operations"))))
                .collect(),
        }
    }

    /// One more request of an address. One of the network around us stands for many people, and is not counted.
    ///
    /// # Errors
    /// [`TooOften`]
    pub fn address(&self, address: Option<IpAddr>) -> Result<(), TooOften> {
        match address.and_then(share_of) {
            Some(whose) => ask(self.addresses.as_ref(), &whose),
            None => Ok(()),
        }
    }

    /// One more request of a registered app.
    ///
    /// # Errors
    /// [`TooOften`]
    pub fn app(&self, client_id: &str) -> Result<(), TooOften> {
        self.ask(self.apps.as_ref(), client_id)
    }

    /// One more request that is signed by an access key.
    ///
    /// # Errors
    /// [`TooOften`]
    pub fn access_key(&self, id: &str) -> Result<(), TooOften> {
        self.ask(self.access_keys.as_ref(), id)
    }

    /// One more token for a developer user.
    ///
    /// # Errors
    /// [`TooOften`]
    pub fn person(&self, developer_user_identifier: &str) -> Result<(), TooOften> {
        self.ask(self.people.as_ref(), developer_user_identifier)
    }

    /// One more request for an operation of the AWS API, whoever asks.
    ///
    /// # Errors
    /// [`TooOften`]
    pub fn operation(&self, name: &str) -> Result<(), TooOften> {
        ask(self.operations.get(name), &())
    }

    fn ask(&self, limiter: Option<&Limiter<u64>>, name: &str) -> Result<(), TooOften> {
        ask(limiter, &self.names.hash_one(name))
    }
}

fn ask<K: Hash + Eq + Clone>(limiter: Option<&Limiter<K>>, whose: &K) -> Result<(), TooOften> {
    limiter.map_or(Ok(()), |limiter| limiter.ask(whose))
}

/// A limit that each has for themselves.
struct Limiter<K, C = MonotonicClock>
where
    K: Hash + Eq + Clone,
    C: Clock,
{
    turns: RateLimiter<K, HashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    asked: AtomicU32,
    refused: Counter,
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Limiter<K, C> {
    fn new(rate: Rate, refused: Counter, clock: C) -> Self {
        let turns = RateLimiter::new(quota(rate), HashMapStateStore::default(), clock.clone());
        Self { turns, clock, asked: AtomicU32::new(0), refused }
    }

    fn ask(&self, whose: &K) -> Result<(), TooOften> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % TIDY_AFTER == TIDY_AFTER - 1 {
            self.turns.retain_recent();
            self.turns.shrink_to_fit();
        }
        self.turns.check_key(whose).map_err(|not_until| {
            self.refused.inc();
            let wait = not_until.wait_time_from(self.clock.now());
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
            TooOften { retry_after: wait.max(SignedDuration::from_secs(1)) }
        })
    }
}

/// As many at once as come back in the rate's time.
fn quota(rate: Rate) -> Quota {
    match rate {
        Rate::PerSecond(times) => Quota::per_second(times),
        Rate::PerMinute(times) => Quota::per_minute(times),
        Rate::PerHour(times) => Quota::per_hour(times),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn rate(text: &str) -> Rate {
        text.to_owned().try_into().unwrap()
    }

    fn limiter(text: &str) -> (Limiter<String, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limiter::new(rate(text), Counter::default(), clock.clone()), clock)
    }

    #[test]
    fn so_many_may_come_at_once_and_then_one_by_one() {
        let (limiter, clock) = limiter("30/m");
        let ask = || limiter.ask(&"a".to_owned());
        for _ in 0..30 {
            ask().unwrap();
        }
        assert_eq!(ask(), Err(TooOften { retry_after: SignedDuration::from_secs(2) }));
        limiter.ask(&"b".to_owned()).unwrap();
        clock.advance(Duration::from_millis(1_999));
        assert_eq!(ask(), Err(TooOften { retry_after: SignedDuration::from_secs(1) }), "no less is told");
        clock.advance(Duration::from_millis(1));
        ask().unwrap();
        ask().unwrap_err();
    }

    #[test]
    fn whoever_has_all_turns_again_is_forgotten() {
        let (limiter, clock) = limiter("2/s");
        for number in 0..TIDY_AFTER - 1 {
            limiter.ask(&number.to_string()).unwrap();
        }
        assert_eq!(limiter.turns.len(), TIDY_AFTER as usize - 1);
        clock.advance(Duration::from_secs(2));
        limiter.ask(&"last".to_owned()).unwrap();
        assert_eq!(limiter.turns.len(), 1);
    }

    #[test]
    fn what_has_no_limit_is_not_counted_and_neither_are_addresses_around_us() {
        let metrics = Metrics::default();
        let none = RateLimits::of(&LimitsConfig::default(), &metrics);
        let config = LimitsConfig { address: Some(rate("1/h")), ..LimitsConfig::default() };
        let some = RateLimits::of(&config, &metrics);
        let [public, other, private] = ["8.8.8.8", "9.9.9.9", "10.0.0.1"].map(|it| it.parse().ok());
        for _ in 0..3 {
            none.address(public).unwrap();
            none.operation("GetId").unwrap();
            some.address(private).unwrap();
            some.address(None).unwrap();
            some.app("app").unwrap();
        }
        some.address(public).unwrap();
        some.address(public).unwrap_err();
        some.address(other).unwrap();
        assert_eq!(metrics.over_limit("address").get(), 1);
    }
}
