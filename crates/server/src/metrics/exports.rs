//! What is counted of the export of the audit trail, by the name of the exporter.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByExporter {
    exporter: String,
}

/// All exporters'.
#[derive(Default)]
pub(super) struct Exports {
    lag_lines: Family<ByExporter, Gauge>,
    lag_seconds: Family<ByExporter, Gauge>,
    failures: Family<ByExporter, Counter>,
    refused: Family<ByExporter, Counter>,
    dropped: Family<ByExporter, Counter>,
    damaged: Family<ByExporter, Counter>,
}

impl Exports {
    pub(super) fn register(&self, registry: &mut Registry) {
        let Self { lag_lines, lag_seconds, failures, refused, dropped, damaged } = self;
        registry.register(
            "audit_export_lag_lines",
            "Lines of the audit trail that an exporter is not done with",
            lag_lines.clone(),
        );
        registry.register(
            "audit_export_lag_seconds",
            "How old the oldest event is that an exporter is not done with",
            lag_seconds.clone(),
        );
        registry.register(
            "audit_export_failures",
            "Deliveries that came to nothing and are made again",
            failures.clone(),
        );
        registry.register(
            "audit_export_refused",
            "Events that a receiver refused for good, and never gets",
            refused.clone(),
        );
        registry.register(
            "audit_export_dropped",
            "Lines of the audit trail that were gone before an exporter read them",
            dropped.clone(),
        );
        registry.register(
            "audit_export_damaged",
            "Lines of the audit trail that were missing, or not as they were written, when an exporter came to them",
            damaged.clone(),
        );
    }

    pub(super) fn of(&self, exporter: &str) -> ExportMetrics {
        let label = ByExporter { exporter: exporter.to_owned() };
        ExportMetrics {
            lag_lines: self.lag_lines.get_or_create_owned(&label),
            lag_seconds: self.lag_seconds.get_or_create_owned(&label),
            failures: self.failures.get_or_create_owned(&label),
            refused: self.refused.get_or_create_owned(&label),
            dropped: self.dropped.get_or_create_owned(&label),
            damaged: self.damaged.get_or_create_owned(&label),
        }
    }
}

/// What is counted of one exporter.
#[derive(Debug, Clone)]
pub struct ExportMetrics {
    lag_lines: Gauge,
    lag_seconds: Gauge,
    failures: Counter,
    refused: Counter,
    dropped: Counter,
    damaged: Counter,
}

impl ExportMetrics {
    /// Notes how far behind the trail it is.
    pub fn lag(&self, lines: u64, seconds: i64) {
        self.lag_lines.set(i64::try_from(lines).unwrap_or(i64::MAX));
        self.lag_seconds.set(seconds);
    }

    /// Counts a delivery that is made again.
    pub fn failed(&self) {
        self.failures.inc();
    }

    /// Counts events that the receiver never gets.
    pub fn refused(&self, events: u64) {
        self.refused.inc_by(events);
    }

    /// Counts lines that were missing, or not as they were written.
    pub fn damaged(&self, lines: u64) {
        self.damaged.inc_by(lines);
    }

    /// Counts lines that were gone before they were read.
    pub fn dropped(&self, lines: u64) {
        self.dropped.inc_by(lines);
    }
}
