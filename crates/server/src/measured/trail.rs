//! The audit trail, measured: how long events take until they are kept, and when its head was signed last.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use daypass_core::audit::AuditEvent;
use daypass_core::records::trail_head::{TrailDropped, TrailHead};
use daypass_core::store::{AuditSink, HeadSigner, StoreError};

use crate::metrics::Metrics;
use crate::traces::{Part, part};

pub(crate) struct MeasuredTrail {
    pub(crate) sink: Arc<dyn AuditSink>,
    pub(crate) metrics: Arc<Metrics>,
}

#[async_trait]
impl AuditSink for MeasuredTrail {
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let began = Instant::now();
        let kept = self.sink.add_audit_events(events).await;
        let took = began.elapsed();
        self.metrics.appended(kept.is_ok(), took);
        part(&Part { name: "audit append", is_asked: false, labels: &[], has_failed: kept.is_err() }, took);
        kept
    }
}

/// Whoever signs heads.
pub(crate) struct MeasuredHeads<S> {
    pub(crate) signer: S,
    pub(crate) metrics: Arc<Metrics>,
}

impl<S: HeadSigner> HeadSigner for MeasuredHeads<S> {
    fn key_id(&self) -> &str {
        self.signer.key_id()
    }

    fn is_of_now(&self, jws: &str) -> bool {
        self.signer.is_of_now(jws)
    }

    fn sign(&self, head: &TrailHead) -> String {
        self.metrics.signed_head(head.time);
        self.signer.sign(head)
    }

    fn sign_dropped(&self, dropped: &TrailDropped) -> String {
        self.signer.sign_dropped(dropped)
    }

    fn read_dropped(&self, jws: &str, head: Option<&str>) -> Option<TrailDropped> {
        self.signer.read_dropped(jws, head)
    }

    fn read_of_before(&self, jws: &str) -> Option<TrailHead> {
        self.signer.read_of_before(jws)
    }

    fn vouch(&self, before: &TrailHead, head: &str) -> String {
        self.signer.vouch(before, head)
    }
}
