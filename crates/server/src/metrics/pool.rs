//! What is counted of Amazon Cognito, by Region.

use std::time::Duration;

use daypass_core::ground::ids::Region;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::held::Held;

/// Upper bounds for the time in the queue, in seconds. Nobody waits longer than 20.
const QUEUE_SECONDS: [f64; 9] = [0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InRegion {
    region: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolCall {
    region: String,
    operation: &'static str,
    outcome: &'static str,
}

/// Those of all Regions.
pub(super) struct Regions {
    calls: Family<PoolCall, Counter>,
    queue_length: Family<InRegion, Gauge>,
    queue_seconds: Family<InRegion, Histogram>,
    circuit_open: Family<InRegion, Gauge>,
}

impl Default for Regions {
    fn default() -> Self {
        Self {
            calls: Family::default(),
            queue_length: Family::default(),
            queue_seconds: Family::new_with_constructor(|| Histogram::new(QUEUE_SECONDS)),
            circuit_open: Family::default(),
        }
    }
}

impl Regions {
    pub(super) fn register(&self, registry: &mut Registry) {
        let Self { calls, queue_length, queue_seconds, circuit_open } = self;
        registry.register(
            "pool_calls",
            "Calls to Amazon Cognito; throttled ones are made again",
            calls.clone(),
        );
        registry.register("pool_queue_length", "Calls that wait for the quota", queue_length.clone());
        registry.register("pool_queue_seconds", "How long calls waited for the quota", queue_seconds.clone());
        registry.register(
            "pool_circuit_open",
            "1 while a Region does not answer and is left alone",
            circuit_open.clone(),
        );
    }

    pub(super) fn of(&self, region: &Region) -> RegionMetrics {
        let label = InRegion { region: region.to_string() };
        RegionMetrics {
            region: region.to_string(),
            calls: self.calls.clone(),
            queue_length: self.queue_length.get_or_create_owned(&label),
            queue_seconds: self.queue_seconds.get_or_create_owned(&label),
            circuit_open: self.circuit_open.get_or_create_owned(&label),
        }
    }
}

/// What is counted of the pool in one Region.
#[derive(Debug, Clone)]
pub struct RegionMetrics {
    region: String,
    calls: Family<PoolCall, Counter>,
    queue_length: Gauge,
    queue_seconds: Histogram,
    circuit_open: Gauge,
}

impl RegionMetrics {
    /// Has calls be counted from zero on, by their outcome.
    pub fn knows(&self, operation: &'static str, outcome: &'static str) {
        self.calls.get_or_create_owned(&self.call(operation, outcome));
    }

    /// Counts a call by its outcome.
    pub fn called(&self, operation: &'static str, outcome: &'static str) {
        self.calls.get_or_create(&self.call(operation, outcome)).inc();
    }

    fn call(&self, operation: &'static str, outcome: &'static str) -> PoolCall {
        PoolCall { region: self.region.clone(), operation, outcome }
    }

    /// Notes how long a call waited.
    pub fn queued(&self, waited: Duration) {
        self.queue_seconds.observe(waited.as_secs_f64());
    }

    /// One more in the queue, until the answer is dropped.
    #[must_use]
    pub fn waiting(&self) -> Held {
        Held::of(&self.queue_length)
    }

    /// Notes whether the Region is left alone.
    pub fn circuit(&self, open: bool) {
        self.circuit_open.set(open.into());
    }
}
