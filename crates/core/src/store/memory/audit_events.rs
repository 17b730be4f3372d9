//! The audit trail in memory.

use std::cmp::Reverse;
use std::collections::VecDeque;

use async_trait::async_trait;

use super::MemoryStore;
use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::store::{AuditEvents, EventPosition, KeptEvent, MAX_UNPROVED_REFUSALS, Page, StoreError};

/// So many audit events are kept, the newest: a process may run for long, and whoever wants them all reads the lines
/// that are written beside the store.
const MAX_AUDIT_EVENTS: usize = 10_000;

#[async_trait]
impl AuditEvents for MemoryStore {
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let mut records = self.records()?;
        let next = records.audit_events.back().map_or(0, |newest| newest.position.number + 1);
        let kept = (next..).zip(events).map(|(number, event)| KeptEvent {
            position: EventPosition { time: event.time, number },
            event: event.clone(),
        });
        keep_newest(&mut records.audit_events, kept.collect(), MAX_AUDIT_EVENTS);
        Ok(())
    }

    async fn page_audit_events(
        &self,
        about: &AuditSubject,
        page: Page<EventPosition>,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        let records = self.records()?;
        let found = records.audit_events.iter().filter(|kept| is_about(&kept.event, about));
        let found = found.filter(|kept| page.after.is_none_or(|after| kept.position < after));
        let mut found: Vec<_> = found.cloned().collect();
        found.sort_by_key(|kept| Reverse(kept.position));
        found.truncate(page.limit);
        Ok(found)
    }

    async fn list_newest_audit_events(&self, limit: usize) -> Result<Vec<AuditEvent>, StoreError> {
        let records = self.records()?;
        Ok(records.audit_events.iter().rev().take(limit).map(|kept| kept.event.clone()).collect())
    }

    async fn add_unproved_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        keep_newest(&mut self.records()?.unproved_refusals, events.to_vec(), MAX_UNPROVED_REFUSALS);
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

fn keep_newest<T>(kept: &mut VecDeque<T>, added: Vec<T>, max: usize) {
    kept.extend(added);
    let surplus = kept.len().saturating_sub(max);
    kept.drain(..surplus);
}
