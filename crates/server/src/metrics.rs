//! What a monitoring system asks about: counters, gauges and histograms, each installation's own but for the process's log,
//! in the OpenMetrics text format, which Prometheus reads. Labels are names of ours and nothing that a client sent.

mod exports;

use std::time::Duration;

use daypass_core::ground::ids::Region;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use self::exports::ExportMetrics;
use self::exports::Exports;
use crate::telemetry::COUNTED;

/// The media type of what [`Metrics::text`] answers.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds for the time in the queue, in seconds. Nobody waits longer than 20.
const QUEUE_SECONDS: [f64; 9] = [0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: &'static str,
}

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

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    exchanges: Family<Code, Counter>,
    calls: Family<PoolCall, Counter>,
    queue_length: Family<InRegion, Gauge>,
    queue_seconds: Family<InRegion, Histogram>,
    circuit_open: Family<InRegion, Gauge>,
    refused_early: Counter,
    exports: Exports,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("daypass"),
            exchanges: Family::default(),
            calls: Family::default(),
            queue_length: Family::default(),
            queue_seconds: Family::new_with_constructor(|| Histogram::new(QUEUE_SECONDS)),
            circuit_open: Family::default(),
            refused_early: Counter::default(),
            exports: Exports::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let Self {
            registry,
            exchanges,
            calls,
            queue_length,
            queue_seconds,
            circuit_open,
            refused_early,
            exports,
        } = self;
        let counted = &*COUNTED;
        registry.register(
            "lines_lost",
            "Lines of the log and of the audit trail that could not be written",
            counted.lost.clone(),
        );
        registry.register(
            "log_lines_left_out",
            "Lines of the log of which there were too many in a second",
            counted.left_out.clone(),
        );
        registry.register(
            "refusals_of_nobody",
            "Refusals of requests that proved nothing, by the action of the audit trail",
            counted.unproved.clone(),
        );
        registry.register(
            "requests_refused_early",
            "Requests that were answered 503 at once, because there was too much to do",
            refused_early.clone(),
        );
        registry.register("exchanges", "Exchanges and links, by the code of their answer", exchanges.clone());
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
        exports.register(registry);
    }

    /// Counts an exchange by the code of its answer, `ok` if it was granted.
    pub fn exchanged(&self, code: &'static str) {
        self.exchanges.get_or_create(&Code { code }).inc();
    }

    /// Counts a request for which there was no place.
    pub fn refused_early(&self) {
        self.refused_early.inc();
    }

    /// What is counted of the pool in a Region.
    #[must_use]
    pub fn of_region(&self, region: &Region) -> RegionMetrics {
        let label = InRegion { region: region.to_string() };
        RegionMetrics {
            region: region.to_string(),
            calls: self.calls.clone(),
            queue_length: self.queue_length.get_or_create_owned(&label),
            queue_seconds: self.queue_seconds.get_or_create_owned(&label),
            circuit_open: self.circuit_open.get_or_create_owned(&label),
        }
    }

    /// What is counted of an exporter of the audit trail.
    #[must_use]
    pub fn of_exporter(&self, name: &str) -> ExportMetrics {
        self.exports.of(name)
    }

    /// Everything, as it stands now.
    #[must_use]
    pub fn text(&self) -> String {
        let mut answer = String::new();
        text::encode(&mut answer, &self.registry).expect("a string takes any text");
        answer
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
    /// Counts a call by its outcome.
    pub fn called(&self, operation: &'static str, outcome: &'static str) {
        self.calls.get_or_create(&PoolCall { region: self.region.clone(), operation, outcome }).inc();
    }

    /// Notes how long a call waited.
    pub fn queued(&self, waited: Duration) {
        self.queue_seconds.observe(waited.as_secs_f64());
    }

    /// One more in the queue, until the answer is dropped.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        self.queue_length.inc();
        Waiting(self.queue_length.clone())
    }

    /// Notes whether the Region is left alone.
    pub fn circuit(&self, open: bool) {
        self.circuit_open.set(open.into());
    }
}

/// One in the queue.
#[derive(Debug)]
pub struct Waiting(Gauge);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_stands_in_the_text() {
        let metrics = Metrics::default();
        metrics.exchanged("ok");
        metrics.exchanged("ok");
        metrics.exchanged("proof_refused");
        let region = metrics.of_region(&Region::parse("us-east-1").expect("a Region"));
        region.called("GetOpenIdTokenForDeveloperIdentity", "throttled");
        region.queued(Duration::from_millis(700));
        region.circuit(true);
        let waiting = (region.waiting(), region.waiting());
        drop(waiting.0);
        let text = metrics.text();
        for line in [
            "daypass_exchanges_total{code=\"ok\"} 2",
            "daypass_exchanges_total{code=\"proof_refused\"} 1",
            "daypass_pool_calls_total{region=\"us-east-1\",operation=\"GetOpenIdTokenForDeveloperIdentity\",outcome=\"throttled\"} 1",
            "daypass_pool_queue_length{region=\"us-east-1\"} 1",
            "daypass_pool_queue_seconds_bucket{le=\"0.5\",region=\"us-east-1\"} 0",
            "daypass_pool_queue_seconds_bucket{le=\"1.0\",region=\"us-east-1\"} 1",
            "daypass_pool_queue_seconds_count{region=\"us-east-1\"} 1",
            "daypass_pool_circuit_open{region=\"us-east-1\"} 1",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
