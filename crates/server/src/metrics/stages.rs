//! How long the stages of the work take, and what they come to: what is asked of providers and of the store, what is signed, and
//! what is added to the audit trail.

use std::time::Duration;

use daypass_core::records::signing_algorithm::Algorithm;
use daypass_core::store::{StoreOutcome, StoreWatch, StoreWork};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds for what this machine does, in seconds.
const HERE: [f64; 14] =
    [0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.000_5, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// And for what others do. Nobody waits for a provider longer than ten.
const AFAR: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Worked {
    work: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Signed {
    algorithm: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CameTo {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    provider: String,
    outcome: &'static str,
}

/// What a question to a provider came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderOutcome {
    /// An answer, with a status of success.
    Ok,
    /// An answer that says no: a status below 500.
    Refused,
    /// Any other answer, or one that is too large.
    Failed,
    /// No answer in time.
    TimedOut,
    /// No connection, or a broken one.
    Unreachable,
    /// It was not asked, because it did not answer the last times.
    Resting,
    /// It was not asked, for a reason of ours.
    NotAsked,
}

impl ProviderOutcome {
    const ALL: [Self; 7] = [
        Self::Ok,
        Self::Refused,
        Self::Failed,
        Self::TimedOut,
        Self::Unreachable,
        Self::Resting,
        Self::NotAsked,
    ];

    /// What operators know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::Resting => "resting",
            Self::NotAsked => "not_asked",
        }
    }
}

/// What something is called that has gone well, or has not.
const OUTCOMES: [&str; 2] = ["ok", "failed"];

/// Those of all stages.
pub(super) struct Stages {
    providers: Family<Asked, Histogram>,
    store: Family<Worked, Histogram>,
    signatures: Family<Signed, Histogram>,
    appends: Family<CameTo, Histogram>,
    store_up: Gauge,
    works: StoreMetrics,
    append: [Histogram; 2],
}

impl Default for Stages {
    fn default() -> Self {
        let here: fn() -> Histogram = || Histogram::new(HERE);
        let store: Family<Worked, Histogram> = Family::new_with_constructor(here);
        let appends: Family<CameTo, Histogram> = Family::new_with_constructor(here);
        let store_up = Gauge::default();
        Self {
            providers: Family::new_with_constructor(|| Histogram::new(AFAR)),
            signatures: Family::new_with_constructor(here),
            works: StoreMetrics::of(&store, store_up.clone()),
            append: OUTCOMES.map(|outcome| appends.get_or_create_owned(&CameTo { outcome })),
            store,
            appends,
            store_up,
        }
    }
}

impl Stages {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "provider_call_seconds",
            "How long providers took to answer, by their ID in the configuration and what came of it",
            self.providers.clone(),
        );
        registry.register(
            "store_seconds",
            "How long the store took, by the kind of work and what came of it",
            self.store.clone(),
        );
        registry.register(
            "store_up",
            "1 if the store answered when it was last asked",
            self.store_up.clone(),
        );
        registry.register(
            "signature_seconds",
            "How long it took to sign, by the algorithm of the key",
            self.signatures.clone(),
        );
        registry.register(
            "audit_append_seconds",
            "How long events took until they were kept in the audit trail",
            self.appends.clone(),
        );
    }

    /// Has the series of a provider be there before it is asked.
    pub(super) fn knows_provider(&self, id: &str) {
        for outcome in ProviderOutcome::ALL {
            self.providers.get_or_create_owned(&Asked { provider: id.to_owned(), outcome: outcome.name() });
        }
    }

    pub(super) fn asked_provider(&self, id: &str, outcome: ProviderOutcome, took: Duration) {
        let label = Asked { provider: id.to_owned(), outcome: outcome.name() };
        self.providers.get_or_create(&label).observe(took.as_secs_f64());
    }

    pub(super) fn store(&self) -> StoreMetrics {
        self.works.clone()
    }

    pub(super) fn signatures(&self, algorithm: Algorithm) -> SignatureMetrics {
        let label = |outcome| Signed { algorithm: algorithm.name(), outcome };
        SignatureMetrics(OUTCOMES.map(|outcome| self.signatures.get_or_create_owned(&label(outcome))))
    }

    pub(super) fn appended(&self, well: bool, took: Duration) {
        self.append[usize::from(!well)].observe(took.as_secs_f64());
    }
}

/// What is measured of the signatures of a key.
#[derive(Debug, Clone)]
pub struct SignatureMetrics([Histogram; 2]);

impl SignatureMetrics {
    /// Notes a signature, or that there is none.
    pub fn signed(&self, well: bool, took: Duration) {
        self.0[usize::from(!well)].observe(took.as_secs_f64());
    }
}

/// What is measured of a store.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    seconds: [[Histogram; StoreOutcome::ALL.len()]; StoreWork::ALL.len()],
    up: Gauge,
}

impl StoreMetrics {
    fn of(family: &Family<Worked, Histogram>, up: Gauge) -> Self {
        let histogram = |work: StoreWork, outcome: StoreOutcome| {
            if can_be(work, outcome) {
                family.get_or_create_owned(&Worked { work: work.name(), outcome: outcome.name() })
            } else {
                Histogram::new([])
            }
        };
        Self {
            seconds: StoreWork::ALL.map(|work| StoreOutcome::ALL.map(|outcome| histogram(work, outcome))),
            up,
        }
    }
}

/// Nobody is overtaken who only looks, and no answer is missed that can be asked for again.
fn can_be(work: StoreWork, outcome: StoreOutcome) -> bool {
    work == StoreWork::Commit || !matches!(outcome, StoreOutcome::Overtaken | StoreOutcome::Lost)
}

impl StoreWatch for StoreMetrics {
    fn did(&self, work: StoreWork, came_to: StoreOutcome, took: Duration) {
        self.seconds[work as usize][came_to as usize].observe(took.as_secs_f64());
        match came_to {
            StoreOutcome::Ok | StoreOutcome::Overtaken => {
                self.up.set(1);
            }
            StoreOutcome::Failed => {
                self.up.set(0);
            }
            StoreOutcome::Busy | StoreOutcome::Lost => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::told_of;
    use super::*;

    #[test]
    fn a_store_is_up_until_it_gives_no_answer() {
        let stages = Stages::default();
        let store = stages.store();
        let mut seen = Vec::new();
        for (work, outcome) in [
            (StoreWork::Read, StoreOutcome::Ok),
            (StoreWork::Commit, StoreOutcome::Busy),
            (StoreWork::Commit, StoreOutcome::Failed),
            (StoreWork::Commit, StoreOutcome::Lost),
            (StoreWork::Commit, StoreOutcome::Overtaken),
        ] {
            store.did(work, outcome, Duration::from_millis(2));
            seen.push(stages.store_up.get());
        }
        assert_eq!(seen, [1, 1, 0, 0, 1]);
        let told = told_of(|registry| stages.register(registry));
        let count = |work, outcome| {
            let series = format!("store_seconds_count{{work=\"{work}\",outcome=\"{outcome}\"}} ");
            told.lines().find_map(|line| line.strip_prefix(&series)?.parse::<u64>().ok())
        };
        for outcome in ["busy", "failed", "lost", "overtaken"] {
            assert_eq!(count("commit", outcome), Some(1), "{outcome}");
        }
        assert_eq!(
            (count("read", "ok"), count("page", "ok"), count("read", "lost")),
            (Some(1), Some(0), None)
        );
    }

    #[test]
    fn places_in_the_table_are_those_of_the_words() {
        for (place, work) in StoreWork::ALL.into_iter().enumerate() {
            assert_eq!(work as usize, place);
        }
        for (place, outcome) in StoreOutcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
        }
    }
}
