//! What became of lines, counted.

use std::sync::LazyLock;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// What became of lines, for the metrics of every installation of the process.
pub(crate) static COUNTED: LazyLock<Counted> = LazyLock::new(Counted::default);

/// Counters that the process has once, because its outputs are there once.
#[derive(Default)]
pub(crate) struct Counted {
    /// Lines that could not be written.
    pub lost: Family<To, Counter>,
    /// Lines that were too many of their kind.
    pub left_out: Counter,
    /// Refusals of people who proved nothing.
    pub unproved: Family<Asked, Counter>,
}

impl Counted {
    /// Lines that could not be written to one place.
    pub(crate) fn lost(&self, to: &'static str) -> Counter {
        self.lost.get_or_create_owned(&To { to })
    }

    /// Refusals of people who asked for one thing.
    pub(crate) fn unproved(&self, action: &'static str) -> Counter {
        self.unproved.get_or_create_owned(&Asked { action })
    }
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct To {
    pub to: &'static str,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Asked {
    pub action: &'static str,
}
