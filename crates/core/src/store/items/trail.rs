//! The audit trail of a store over an engine, which is kept by itself.

use async_trait::async_trait;

use super::{ItemStore, keys};
use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::records::audit_question::AuditQuestion;
use crate::store::{
    AuditCare, AuditEvents, AuditSink, EventPosition, KeptEvent, Page, Store, StoreError, TrailExtent,
    UnprovedRefusals,
};

/// Where events are kept.
pub trait Trail: AuditEvents + UnprovedRefusals {}

impl<T: AuditEvents + UnprovedRefusals> Trail for T {}

#[async_trait]
impl AuditSink for ItemStore {
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.trail.add_audit_events(events).await
    }
}

#[async_trait]
impl AuditEvents for ItemStore {
    async fn page_audit_events(
        &self,
        question: &AuditQuestion,
        page: Page<EventPosition>,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        self.trail.page_audit_events(question, page).await
    }

    async fn audit_events_after(&self, page: Page<EventPosition>) -> Result<Vec<KeptEvent>, StoreError> {
        self.trail.audit_events_after(page).await
    }

    async fn audit_trail_extent(&self) -> Result<TrailExtent, StoreError> {
        self.trail.audit_trail_extent().await
    }

    fn attend(&self, care: AuditCare) {
        self.trail.attend(care);
    }
}

#[async_trait]
impl UnprovedRefusals for ItemStore {
    async fn add_unproved_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.trail.add_unproved_refusals(events).await
    }

    async fn list_unproved_refusals(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        self.trail.list_unproved_refusals(about, limit).await
    }
}

#[async_trait]
impl Store for ItemStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.read_items(&[keys::rehearsal()]).await.map(drop)
    }
}
