//! What becomes of spans.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CameTo {
    outcome: &'static str,
}

/// Spans that the collector has, and that it never gets.
#[derive(Debug, Clone)]
pub struct SpanMetrics {
    spans: Family<CameTo, Counter>,
    sent: Counter,
    lost: Counter,
}

impl Default for SpanMetrics {
    fn default() -> Self {
        let spans = Family::<CameTo, Counter>::default();
        let [sent, lost] = ["sent", "lost"].map(|outcome| spans.get_or_create_owned(&CameTo { outcome }));
        Self { spans, sent, lost }
    }
}

impl SpanMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "spans",
            "Spans of traces, by whether the collector has taken them",
            self.spans.clone(),
        );
    }

    /// Counts spans that the collector took.
    pub fn sent(&self, spans: usize) {
        self.sent.inc_by(spans as u64);
    }

    /// Counts spans that nobody gets.
    pub fn lost(&self, spans: usize) {
        self.lost.inc_by(spans as u64);
    }
}
