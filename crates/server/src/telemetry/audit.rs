//! The audit trail as JSON lines, for whoever collects logs, and what the log has of strangers.

use async_trait::async_trait;
use daypass_core::audit::{AuditEvent, Strangers};
use daypass_core::store::{AuditSink, StoreError};
use tracing::field::display;

use super::counted::COUNTED;
use super::lines::Lines;

/// Writes events where an operator, or whoever collects logs, reads them.
pub struct AuditOutput(Lines);

#[derive(Debug, thiserror::Error)]
#[error("the audit lines cannot be written: {0}")]
struct NotWritten(String);

impl AuditOutput {
    /// Appends to `lines`.
    #[must_use]
    pub fn new(lines: Lines) -> Self {
        Self(lines)
    }
}

#[async_trait]
impl AuditSink for AuditOutput {
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for event in events {
            serde_json::to_writer(&mut text, event).expect("an event is plain data");
            text.push(b'\n');
        }
        let written = self.0.write(text).await;
        written.map_err(|error| StoreError::Unavailable(Box::new(NotWritten(error))))
    }
}

/// Counts strangers, and has the log say what the sample has of them: a store in memory shows it to nobody.
pub struct LoggedStrangers;

impl Strangers for LoggedStrangers {
    fn refused(&self, event: &AuditEvent, sampled: bool) {
        let action = event.action.name();
        COUNTED.unproved(action).inc();
        if sampled {
            let (id, reason) = (&event.request_id, event.reason.as_deref().unwrap_or_default());
            let detail = event.detail.as_deref();
            let (provider, resource) = (event.provider.as_deref(), event.resource.as_deref());
            let (source_ip, user_agent) = (event.source_ip.map(display), event.user_agent.as_deref());
            tracing::info!(request_id = %id, action, reason, detail, provider, resource, source_ip, user_agent, "request {id} was refused: nothing was proved");
        }
    }
}
