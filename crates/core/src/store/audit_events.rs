//! What a store keeps of decisions.

use std::slice;

use async_trait::async_trait;

use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::store::StoreError;

/// So many refusals of people who proved nothing are kept, the newest.
pub const MAX_UNPROVED_REFUSALS: usize = 2_000;

/// The audit trail.
#[async_trait]
pub trait AuditEvents: Send + Sync {
    /// Keeps one audit event.
    async fn add_audit_event(&self, event: &AuditEvent) -> Result<(), StoreError> {
        self.add_audit_events(slice::from_ref(event)).await
    }

    /// Keeps audit events in their order, all of them or none.
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// The newest events about an identity, an access key, a developer user or a request, newest first. Of two with the
    /// same time, the one kept later is the newer.
    async fn list_audit_events(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError>;

    /// Keeps refusals of people who proved nothing, apart from the audit events, in the place of the oldest of
    /// [`MAX_UNPROVED_REFUSALS`]. Of several that are brought at once, the last are the newest.
    async fn add_unproved_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// Those that are left, the one kept last first.
    async fn list_unproved_refusals(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError>;
}
