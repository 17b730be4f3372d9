//! How things stand, as gauges: places and connections, keys, the audit trail.

use std::sync::Mutex;

use daypass_core::ground::clock::{SignedDuration, Timestamp};
use daypass_core::store::StoreConnections;
use daypass_core::token::key_ring::Turn;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::held::Held;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByAlgorithm {
    algorithm: &'static str,
}

/// What is known of the places of a listener.
#[derive(Debug, Clone, Default)]
pub struct ListenMetrics {
    connections: Gauge,
    connections_limit: Gauge,
    requests: Gauge,
    requests_limit: Gauge,
}

impl ListenMetrics {
    /// Notes how many there may be.
    pub fn limits(&self, connections: usize, requests: usize) {
        self.connections_limit.set(number(connections));
        self.requests_limit.set(number(requests));
    }

    /// One more connection, until the answer is dropped.
    #[must_use]
    pub fn connection(&self) -> Held {
        Held::of(&self.connections)
    }

    /// One more request under way, until the answer is dropped.
    #[must_use]
    pub fn request(&self) -> Held {
        Held::of(&self.requests)
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Connections that are open", self.connections.clone());
        registry.register(
            "connections_limit",
            "How many there may be, but for a few that are told so",
            self.connections_limit.clone(),
        );
        registry.register("requests_under_way", "Requests that are being answered", self.requests.clone());
        registry.register("requests_limit", "How many there may be", self.requests_limit.clone());
    }
}

/// All of it.
#[derive(Default)]
pub(super) struct Standing {
    pub(super) listen: ListenMetrics,
    store: StoreGauges,
    keys: KeyGauges,
    trail: TrailGauges,
}

impl Standing {
    pub(super) fn register(&self, registry: &mut Registry) {
        self.listen.register(registry);
        self.store.register(registry);
        self.keys.register(registry);
        self.trail.register(registry);
    }

    pub(super) fn store(&self, connections: StoreConnections) {
        let StoreConnections { limit, open, idle, waiting } = connections;
        let gauges = &self.store;
        for (gauge, count) in
            [(&gauges.limit, limit), (&gauges.open, open), (&gauges.idle, idle), (&gauges.waiting, waiting)]
        {
            gauge.set(number(count));
        }
    }

    pub(super) fn keys(&self, turns: &[Turn]) {
        for Turn { algorithm, age, next_in, rotation } in turns {
            let label = ByAlgorithm { algorithm: algorithm.name() };
            self.keys.age.get_or_create(&label).set(age.as_secs());
            self.keys.rotation.get_or_create(&label).set(rotation.map_or(0, |it| it.as_secs()));
            self.keys.announced.get_or_create(&label).set(next_in.is_some().into());
        }
    }

    pub(super) fn trail(&self) -> &TrailGauges {
        &self.trail
    }
}

#[derive(Default)]
struct StoreGauges {
    limit: Gauge,
    open: Gauge,
    idle: Gauge,
    waiting: Gauge,
}

impl StoreGauges {
    fn register(&self, registry: &mut Registry) {
        for (name, about, gauge) in [
            (
                "store_connections_limit",
                "How many connections to its database the store may have",
                &self.limit,
            ),
            ("store_connections_open", "Connections to the database that are open", &self.open),
            ("store_connections_idle", "Open connections to the database that nobody uses", &self.idle),
            (
                "store_connections_waiting",
                "Questions that wait for a connection to the database",
                &self.waiting,
            ),
        ] {
            registry.register(name, about, gauge.clone());
        }
    }
}

#[derive(Default)]
struct KeyGauges {
    age: Family<ByAlgorithm, Gauge>,
    rotation: Family<ByAlgorithm, Gauge>,
    announced: Family<ByAlgorithm, Gauge>,
}

impl KeyGauges {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "signing_key_age_seconds",
            "For how long the key in use has signed",
            self.age.clone(),
        );
        registry.register(
            "signing_key_rotation_seconds",
            "For how long a key is to sign; 0 where nobody decided that",
            self.rotation.clone(),
        );
        registry.register(
            "signing_key_announced",
            "1 while the key that signs next is published",
            self.announced.clone(),
        );
    }
}

/// What is known of the audit trail.
#[derive(Default)]
pub(super) struct TrailGauges {
    head_age: Gauge,
    gathering_age: Gauge,
    gathering_failures: Counter,
    /// When its head was signed last here, and when it was last put in order.
    last: Mutex<(Option<Timestamp>, Option<Timestamp>)>,
}

impl TrailGauges {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "audit_head_age_seconds",
            "How long ago this server signed a head of the audit trail, or began to take care of it",
            self.head_age.clone(),
        );
        registry.register(
            "audit_gathering_age_seconds",
            "How long ago events in the database were last given their order in the audit trail",
            self.gathering_age.clone(),
        );
        registry.register(
            "audit_gathering_failures",
            "Times that this came to nothing; it is tried again each second",
            self.gathering_failures.clone(),
        );
    }

    pub(super) fn signed(&self, at: Timestamp) {
        self.last().0 = Some(at);
    }

    pub(super) fn gathered(&self, at: Timestamp) {
        self.last().1 = Some(at);
    }

    pub(super) fn not_gathered(&self) {
        self.gathering_failures.inc();
    }

    /// Has the ages be those of an instant.
    pub(super) fn at(&self, now: Timestamp) {
        let (signed, gathered) = *self.last();
        let age = |at: Option<Timestamp>| {
            at.map_or(SignedDuration::ZERO, |at| now.duration_since(at)).as_secs().max(0)
        };
        self.head_age.set(age(signed));
        self.gathering_age.set(age(gathered));
    }

    /// Two instants are whole at any moment, so a poisoned lock is as good.
    fn last(&self) -> std::sync::MutexGuard<'_, (Option<Timestamp>, Option<Timestamp>)> {
        self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_those_of_the_moment_they_are_asked_for() {
        let (trail, at) = (TrailGauges::default(), |second| Timestamp::from_second(second).unwrap());
        let ages = |now| {
            trail.at(at(now));
            (trail.head_age.get(), trail.gathering_age.get())
        };
        assert_eq!(ages(50), (0, 0), "nobody takes care of it");
        trail.signed(at(100));
        trail.gathered(at(107));
        assert_eq!((ages(110), ages(90)), ((10, 3), (0, 0)));
    }
}
