//! The audit trail in memory.

use std::collections::VecDeque;

use async_trait::async_trait;

use super::MemoryStore;
use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::store::{AuditEvents, MAX_UNPROVED_REFUSALS, StoreError};

/// So many audit events are kept, the newest: a process may run for long, and whoever wants them all reads the lines
/// that are written beside the store.
const MAX_AUDIT_EVENTS: usize = 10_000;

#[async_trait]
impl AuditEvents for MemoryStore {
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        keep_newest(&mut self.records()?.audit_events, events, MAX_AUDIT_EVENTS);
        Ok(())
    }

    async fn list_audit_events(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let records = self.records()?;
        let mut events: Vec<_> =
            records.audit_events.iter().rev().filter(|event| is_about(event, about)).cloned().collect();
        // A stable sort: of events of one instant, the one kept last stays first.
        events.sort_by_key(|event| std::cmp::Reverse(event.time));
        events.truncate(limit);
        Ok(events)
    }

    async fn add_unproved_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        keep_newest(&mut self.records()?.unproved_refusals, events, MAX_UNPROVED_REFUSALS);
        Ok(())
    }

    async fn list_unproved_refusals(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let records = self.records()?;
        let found = records.unproved_refusals.iter().rev().filter(|event| is_about(event, about));
        Ok(found.take(limit).cloned().collect())
    }
}

fn is_about(event: &AuditEvent, subject: &AuditSubject) -> bool {
    match subject {
        AuditSubject::Identity(id) => event.identity_id.as_ref() == Some(id),
        AuditSubject::AccessKey(id) => event.access_key_id.as_ref() == Some(id),
        AuditSubject::DeveloperUser(user) => event.developer_user_identifier.as_ref() == Some(user),
        AuditSubject::Request(id) => event.request_id == *id,
    }
}

fn keep_newest(kept: &mut VecDeque<AuditEvent>, events: &[AuditEvent], max: usize) {
    kept.extend(events.iter().cloned());
    let surplus = kept.len().saturating_sub(max);
    kept.drain(..surplus);
}
