//! What a monitoring system asks about: counters, gauges and histograms, each installation's own but for the process's log,
//! in the OpenMetrics text format, which Prometheus reads. Labels are names of ours and nothing that a client sent, and what can
//! be known of them is there from the beginning: of a series that begins with its first event, nobody sees that.

mod codes;
mod exports;
mod held;
mod pool;
mod process;
mod requests;
mod spans;
mod stages;
mod standing;
#[cfg(test)]
mod tests;

use std::time::Duration;

use daypass_core::audit::AuditAction;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::Region;
use daypass_core::records::signing_algorithm::Algorithm;
use daypass_core::store::StoreConnections;
use daypass_core::token::key_ring::Turn;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub(crate) use self::codes::CODES_OF_EXCHANGES;
pub use self::exports::ExportMetrics;
use self::exports::Exports;
pub use self::held::Held;
pub use self::pool::RegionMetrics;
use self::pool::Regions;
use self::process::Process;
use self::requests::Requests;
pub use self::spans::SpanMetrics;
use self::stages::Stages;
pub use self::stages::{ProviderOutcome, SignatureMetrics, StoreMetrics};
pub use self::standing::ListenMetrics;
use self::standing::Standing;
use crate::telemetry::COUNTED;

/// The media type of what [`Metrics::text`] answers.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The provider that stands for the keys of issuers, which several may share.
pub(crate) const KEYS_OF_ISSUERS: &str = "issuer_keys";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limit {
    limit: &'static str,
}

/// Those of `[limits]`, by their keys.
const LIMITS: [&str; 5] = ["address", "app", "access_key", "person", "operations"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Version {
    version: &'static str,
}

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    requests: Requests,
    exchanges: Family<Code, Counter>,
    refused_early: Counter,
    over_limit: Family<Limit, Counter>,
    stages: Stages,
    standing: Standing,
    regions: Regions,
    exports: Exports,
    spans: SpanMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Requests::default(),
            exchanges: Family::default(),
            refused_early: Counter::default(),
            over_limit: Family::default(),
            stages: Stages::default(),
            standing: Standing::default(),
            regions: Regions::default(),
            exports: Exports::default(),
            spans: SpanMetrics::default(),
        };
        for code in CODES_OF_EXCHANGES {
            metrics.exchanges.get_or_create_owned(&Code { code });
        }
        for limit in LIMITS {
            metrics.over_limit.get_or_create_owned(&Limit { limit });
        }
        metrics.knows_provider(KEYS_OF_ISSUERS);
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let Self {
            registry,
            requests,
            exchanges,
            refused_early,
            over_limit,
            stages,
            standing,
            regions,
            exports,
            spans,
        } = self;
        registry.register_collector(Box::new(Process));
        let registry = registry.sub_registry_with_prefix("daypass");
        let version = Version { version: env!("CARGO_PKG_VERSION") };
        registry.register("build", "Which Daypass this is", Info::new(version));
        requests.register(registry);
        registry.register(
            "requests_refused_early",
            "Requests that were answered 503 at once, because there was too much to do",
            refused_early.clone(),
        );
        registry.register(
            "requests_over_limit",
            "Requests that were refused because somebody asked too often, by the key of [limits]",
            over_limit.clone(),
        );
        registry.register("exchanges", "Exchanges and links, by the code of their answer", exchanges.clone());
        stages.register(registry);
        standing.register(registry);
        register_counted(registry);
        regions.register(registry);
        exports.register(registry);
        spans.register(registry);
    }

    /// Counts an answered request by the template of its route, and how long it took.
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        self.requests.answered(route, status, took);
    }

    /// Counts an exchange by the code of its answer, `ok` if it was granted.
    pub fn exchanged(&self, code: &'static str) {
        self.exchanges.get_or_create(&Code { code }).inc();
    }

    /// Counts a request for which there was no place.
    pub fn refused_early(&self) {
        self.refused_early.inc();
    }

    /// What counts the refusals of one of `[limits]`, by its key.
    #[must_use]
    pub fn over_limit(&self, limit: &'static str) -> Counter {
        self.over_limit.get_or_create_owned(&Limit { limit })
    }

    /// Has what is counted of a provider be there from now on.
    pub fn knows_provider(&self, id: &str) {
        self.stages.knows_provider(id);
    }

    /// Notes a question to a provider.
    pub fn asked_provider(&self, id: &str, outcome: ProviderOutcome, took: Duration) {
        self.stages.asked_provider(id, outcome, took);
    }

    /// What is measured of the store.
    #[must_use]
    pub fn of_store(&self) -> StoreMetrics {
        self.stages.store()
    }

    /// What is measured of signatures of keys of an algorithm.
    #[must_use]
    pub fn of_signatures(&self, algorithm: Algorithm) -> SignatureMetrics {
        self.stages.signatures(algorithm)
    }

    /// Notes that events were added to the audit trail, or could not be.
    pub fn appended(&self, well: bool, took: Duration) {
        self.stages.appended(well, took);
    }

    /// What is counted at the door.
    #[must_use]
    pub fn of_listener(&self) -> ListenMetrics {
        self.standing.listen.clone()
    }

    /// Notes that the head of the audit trail was signed, or that somebody takes care of it from now on.
    pub fn signed_head(&self, at: Timestamp) {
        self.standing.trail().signed(at);
    }

    /// Notes that the audit trail was put in order, or could not be.
    pub fn gathered(&self, at: Option<Timestamp>) {
        match at {
            Some(at) => self.standing.trail().gathered(at),
            None => self.standing.trail().not_gathered(),
        }
    }

    /// Notes how things stand at this moment that tell nobody when they change.
    pub fn stand(&self, now: Timestamp, keys: &[Turn], connections: Option<StoreConnections>) {
        self.standing.trail().at(now);
        self.standing.keys(keys);
        if let Some(connections) = connections {
            self.standing.store(connections);
        }
    }

    /// What is counted of the pool in a Region.
    #[must_use]
    pub fn of_region(&self, region: &Region) -> RegionMetrics {
        self.regions.of(region)
    }

    /// What is counted of an exporter of the audit trail.
    #[must_use]
    pub fn of_exporter(&self, name: &str) -> ExportMetrics {
        self.exports.of(name)
    }

    /// What is counted of traces.
    #[must_use]
    pub fn of_spans(&self) -> SpanMetrics {
        self.spans.clone()
    }

    /// Everything, as it stands now.
    #[must_use]
    pub fn text(&self) -> String {
        let mut answer = String::new();
        text::encode(&mut answer, &self.registry).expect("a string takes any text");
        answer
    }
}

/// What the process has once.
fn register_counted(registry: &mut Registry) {
    let counted = &*COUNTED;
    for to in ["audit", "log"] {
        counted.lost(to);
    }
    for action in AuditAction::ALL {
        counted.unproved(action.name());
    }
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
}

/// What is told of what somebody registers.
#[cfg(test)]
fn told_of(register: impl FnOnce(&mut Registry)) -> String {
    let (mut registry, mut told) = (Registry::default(), String::new());
    register(&mut registry);
    text::encode(&mut told, &registry).unwrap();
    told
}
