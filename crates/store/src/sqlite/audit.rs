//! The audit trail, which is in files beside the database.

use async_trait::async_trait;
use daypass_core::records::audit_event::AuditEvent;
use daypass_core::records::audit_question::AuditQuestion;
use daypass_core::store::{
    AuditCare, AuditEvents, AuditSink, EventPosition, KeptEvent, Page, StoreError, TrailExtent,
};

use super::SqliteStore;

#[async_trait]
impl AuditSink for SqliteStore {
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        Ok(self.trail.add(events).await?)
    }
}

#[async_trait]
impl AuditEvents for SqliteStore {
    async fn page_audit_events(
        &self,
        question: &AuditQuestion,
        page: Page<EventPosition>,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        self.trail.page(question, page).await
    }

    async fn audit_events_after(&self, page: Page<EventPosition>) -> Result<Vec<KeptEvent>, StoreError> {
        self.trail.after(page).await
    }

    async fn audit_trail_extent(&self) -> Result<TrailExtent, StoreError> {
        self.trail.extent().await
    }

    fn attend(&self, care: AuditCare) {
        self.trail.attend(care);
    }

    async fn drop_surplus(&self, care: &AuditCare) -> Result<(), StoreError> {
        Ok(self.trail.drop_surplus(care).await?)
    }
}
