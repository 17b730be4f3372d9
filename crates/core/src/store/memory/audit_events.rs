//! The audit trail in memory.

use std::collections::VecDeque;

use async_trait::async_trait;

use super::MemoryStore;
use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::records::audit_question::AuditQuestion;
use crate::store::{
    AuditEvents, AuditSink, EventPosition, KeptEvent, MAX_UNPROVED_REFUSALS, Page, StoreError, TrailExtent,
    UnprovedRefusals,
};

/// So many audit events are kept, the newest: a process may run for long.
const MAX_AUDIT_EVENTS: usize = 10_000;

#[async_trait]
impl AuditSink for MemoryStore {
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let mut records = self.records()?;
        let next = records.audit_events.back().map_or(1, |newest| newest.position.0 + 1);
        let positions = (next..).map(EventPosition);
        let kept = positions.zip(events).map(|(position, event)| KeptEvent {
            position,
            event: event.clone(),
            damaged: 0,
        });
        keep_newest(&mut records.audit_events, kept.collect(), MAX_AUDIT_EVENTS);
        Ok(())
    }
}

#[async_trait]
impl AuditEvents for MemoryStore {
    async fn page_audit_events(
        &self,
        question: &AuditQuestion,
        page: Page<EventPosition>,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        let records = self.records()?;
        let older = records.audit_events.iter().rev();
        let older = older.filter(|kept| page.after.is_none_or(|after| kept.position < after));
        let found = older.filter(|kept| question.matches(&kept.event));
        Ok(found.take(page.limit).cloned().collect())
    }

    async fn audit_events_after(&self, page: Page<EventPosition>) -> Result<Vec<KeptEvent>, StoreError> {
        let records = self.records()?;
        let newer = records.audit_events.iter();
        let newer = newer.filter(|kept| page.after.is_none_or(|after| kept.position > after));
        Ok(newer.take(page.limit).cloned().collect())
    }

    async fn audit_trail_extent(&self) -> Result<TrailExtent, StoreError> {
        let records = self.records()?;
        let first = records.audit_events.front().map_or(EventPosition(1), |oldest| oldest.position);
        let last = records.audit_events.back().map_or(EventPosition(0), |newest| newest.position);
        Ok(TrailExtent { trail: "memory".into(), first, last })
    }
}

#[async_trait]
impl UnprovedRefusals for MemoryStore {
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
        let found = records.unproved_refusals.iter().rev().filter(|event| about.is_of(event));
        Ok(found.take(limit).cloned().collect())
    }
}

fn keep_newest<T>(kept: &mut VecDeque<T>, added: Vec<T>, max: usize) {
    kept.extend(added);
    let surplus = kept.len().saturating_sub(max);
    kept.drain(..surplus);
}
