//! What a store keeps of decisions.

use std::slice;

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::store::{Page, StoreError};

/// So many refusals of people who proved nothing are kept, the newest.
pub const MAX_UNPROVED_REFUSALS: usize = 2_000;

/// Where an audit event stands among all of its store: of two, the greater one is the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPosition {
    /// When the event happened, as precisely as the store keeps it.
    pub time: Timestamp,
    /// Grows from one event of the same time to the next that is kept.
    pub number: u64,
}

/// An audit event where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEvent {
    /// Where.
    pub position: EventPosition,
    /// The event.
    pub event: AuditEvent,
}

/// The audit trail.
#[async_trait]
pub trait AuditEvents: Send + Sync {
    /// Keeps one audit event.
    async fn add_audit_event(&self, event: &AuditEvent) -> Result<(), StoreError> {
        self.add_audit_events(slice::from_ref(event)).await
    }

    /// Keeps audit events in their order, all of them or none.
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// Events about an identity, an access key, a developer user or a request, newest first. Of two with the same time,
    /// the one kept later is the newer.
    async fn page_audit_events(
        &self,
        about: &AuditSubject,
        page: Page<EventPosition>,
    ) -> Result<Vec<KeptEvent>, StoreError>;

    /// The newest of them.
    async fn list_audit_events(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let kept = self.page_audit_events(about, Page { after: None, limit }).await?;
        Ok(kept.into_iter().map(|kept| kept.event).collect())
    }

    /// The newest of all, whatever they are about, the one kept last first.
    async fn list_newest_audit_events(&self, limit: usize) -> Result<Vec<AuditEvent>, StoreError>;

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
