//! What is there for a while, counted as long as it is.

use prometheus_client::metrics::gauge::Gauge;

/// One more of something, until it is dropped.
#[derive(Debug)]
pub struct Held(Gauge);

impl Held {
    pub(super) fn of(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}
