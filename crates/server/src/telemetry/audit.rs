//! The audit trail as JSON lines.

use std::future::ready;

use daypass_core::audit::{AuditEvent, AuditLines, AuditLinesError};
use futures::FutureExt;
use futures::future::BoxFuture;
use tracing::field::display;

use super::counted::{Asked, COUNTED};
use super::lines::Lines;

/// Writes events where an operator, or whoever collects logs, reads them.
pub struct AuditOutput(Lines);

impl AuditOutput {
    /// Appends to `lines`.
    #[must_use]
    pub fn new(lines: Lines) -> Self {
        Self(lines)
    }
}

/// No lines: the store alone has the events. So it is where there is nothing but a database, and for a command beside a
/// server of production, whose stdout is not the command's to write to. A terminal is no trail.
pub struct NoLines;

impl AuditLines for NoLines {
    fn append(&self, _: &[AuditEvent]) -> BoxFuture<'static, Result<(), AuditLinesError>> {
        ready(Ok(())).boxed()
    }
}

impl AuditLines for AuditOutput {
    fn append(&self, events: &[AuditEvent]) -> BoxFuture<'static, Result<(), AuditLinesError>> {
        if events.is_empty() {
            return ready(Ok(())).boxed();
        }
        let mut text = Vec::new();
        for event in events {
            serde_json::to_writer(&mut text, event).expect("an event is plain data");
            text.push(b'\n');
        }
        self.0.write(text).map(|written| written.map_err(AuditLinesError)).boxed()
    }

    /// The log has what the sample has: a store in memory shows it to nobody.
    fn unproved(&self, event: &AuditEvent, sampled: bool) {
        let action = event.action.name();
        COUNTED.unproved.get_or_create(&Asked { action }).inc();
        if sampled {
            let (id, reason) = (&event.request_id, event.reason.as_deref().unwrap_or_default());
            let detail = event.detail.as_deref();
            let (provider, resource) = (event.provider.as_deref(), event.resource.as_deref());
            let (source_ip, user_agent) = (event.source_ip.map(display), event.user_agent.as_deref());
            tracing::info!(request_id = %id, action, reason, detail, provider, resource, source_ip, user_agent, "request {id} was refused: nothing was proved");
        }
    }
}
