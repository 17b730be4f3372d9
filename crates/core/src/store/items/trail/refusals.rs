//! The sample of what people were refused who proved nothing: a ring of places, each of which the next one takes in its turn.

use super::super::attempts::Decided;
use super::super::engine::{Change, Effect, Guard, MAX_CHANGES};
use super::super::{Found, ItemStore, keys};
use super::records::RefusalsRecord;
use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::store::{MAX_UNPROVED_REFUSALS, StoreError};

/// As many are read at once.
const AT_ONCE: usize = 500;

impl ItemStore {
    pub(super) async fn keep_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        for some in events.chunks(MAX_CHANGES - 1) {
            self.ask(|| async {
                let found: Found<RefusalsRecord> = self.read(keys::refusals()).await?;
                let kept = found.record.as_ref().map_or(0, |record| record.kept);
                let record = RefusalsRecord { kept: kept + some.len() as u64 };
                let mut changes = vec![found.put(&record)?];
                for (number, event) in (kept..).zip(some) {
                    changes.push(place(number, event)?);
                }
                Ok(Decided::change(changes, ()))
            })
            .await?;
        }
        Ok(())
    }

    pub(super) async fn list_refusals(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let events = self.refusals().await?.into_iter().rev().filter(|event| about.is_of(event));
        Ok(events.take(limit).collect())
    }

    /// What it takes to keep a refusal with a number, the next one.
    pub(in super::super) async fn refusal_in_place(
        &self,
        number: u64,
        event: &AuditEvent,
    ) -> Result<Vec<Change>, StoreError> {
        let found: Found<RefusalsRecord> = self.read(keys::refusals()).await?;
        Ok(vec![found.put(&RefusalsRecord { kept: number + 1 })?, place(number, event)?])
    }

    /// All of them, the one kept first first.
    pub(in super::super) async fn refusals(&self) -> Result<Vec<AuditEvent>, StoreError> {
        let (mut kept, mut after): (Vec<(u64, AuditEvent)>, Option<Vec<u8>>) = (Vec::new(), None);
        loop {
            let places =
                self.patiently(|| self.engine.page(keys::REFUSALS, after.as_deref(), AT_ONCE)).await?;
            let Some(last) = places.last() else { break };
            after = Some(last.key.sort.clone());
            for place in &places {
                let refusal = serde_json::from_slice(&place.content);
                kept.push(refusal.map_err(|error| StoreError::Corrupt(error.into()))?);
            }
        }
        kept.sort_unstable_by_key(|(number, _)| *number);
        Ok(kept.into_iter().map(|(_, event)| event).collect())
    }
}

/// A refusal in its place, with its number.
fn place(number: u64, event: &AuditEvent) -> Result<Change, StoreError> {
    let content = serde_json::to_vec(&(number, event)).map_err(|error| StoreError::Corrupt(error.into()))?;
    let key = keys::refusal(number % MAX_UNPROVED_REFUSALS as u64);
    Ok(Change { key, guard: Guard::Any, effect: Effect::Put { content, forgotten_at: None } })
}
