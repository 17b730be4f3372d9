//! Whom blocks are about. It is found out when a block is there, and again by whoever is cut off: everybody writes the same.

use std::collections::BTreeSet;

use super::super::attempts::Decided;
use super::super::engine::{Change, Effect, Guard, Key};
use super::super::{Found, ItemStore, keys};
use super::blocks::Block;
use super::records::{IndexedRecord, TrailRecord};
use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::records::audit_question::AuditQuestion;
use crate::store::{EventPosition, KeptEvent, Page, StoreError};

/// As many blocks are read at once.
const AT_ONCE: usize = 8;

impl ItemStore {
    /// Writes down whom each block is about that nobody has looked at.
    pub(in super::super) async fn index_all(&self) -> Result<(), StoreError> {
        while self.index_next().await? {}
        Ok(())
    }

    /// Answers whether there was one.
    async fn index_next(&self) -> Result<bool, StoreError> {
        let trail: Found<TrailRecord> = self.read(keys::trail()).await?;
        let indexed: Found<IndexedRecord> = self.read(keys::trail_indexed()).await?;
        let Some(trail) = trail.record else { return Ok(false) };
        let next = indexed.record.as_ref().map_or(1, |record| record.last + 1).max(trail.first);
        if next > trail.last {
            return Ok(false);
        }
        // What was taken away by somebody is about nobody.
        let Some(block) = self.block_from(next).await? else { return Ok(false) };
        self.change_each(&entries(&block)).await?;
        let last = block.last().max(next);
        self.ask(|| async {
            let found: Found<IndexedRecord> = self.read(keys::trail_indexed()).await?;
            if found.record.as_ref().is_some_and(|record| record.last >= last) {
                return Ok(Decided::Answer(()));
            }
            Ok(Decided::change(vec![found.put(&IndexedRecord { last })?], ()))
        })
        .await?;
        Ok(true)
    }

    /// The events about somebody that answer a question, the one kept last first, of a trail that has a first line.
    pub(super) async fn events_about(
        &self,
        about: &AuditSubject,
        question: &AuditQuestion,
        page: &Page<EventPosition>,
        first: u64,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        let partition = keys::trail_about(about);
        let mut before = page.after.map(|after| keys::trail_block(after.0).sort);
        let mut found = Vec::new();
        while found.len() < page.limit {
            let entries = self.patiently(|| self.engine.page(&partition, before.as_deref(), AT_ONCE)).await?;
            let Some(oldest) = entries.last() else { break };
            before = Some(oldest.key.sort.clone());
            let blocks = entries
                .iter()
                .map(|entry| Key { partition: keys::TRAIL_BLOCKS.to_vec(), sort: entry.key.sort.clone() })
                .collect::<Vec<_>>();
            let blocks = self.read_items(&blocks).await?.into_iter().flatten().filter_map(Block::of);
            let left = blocks.filter(|block| block.first() >= first);
            found.extend(left.flat_map(|block| block.answers(question, page.after)));
        }
        found.truncate(page.limit);
        Ok(found)
    }
}

/// An item for each one whom a block is about.
fn entries(block: &Block) -> Vec<Change> {
    let put = Effect::Put { content: Vec::new(), forgotten_at: None };
    let entry = |key| Change { key, guard: Guard::Any, effect: put.clone() };
    keys_of_entries(block).into_iter().map(entry).collect()
}

/// Where it is written down whom a block is about.
pub(super) fn keys_of_entries(block: &Block) -> Vec<Key> {
    let subjects: BTreeSet<Vec<u8>> = block
        .lines()
        .filter_map(|line| line.event())
        .flat_map(|event| subjects_of(&event))
        .map(|subject| keys::trail_about(&subject))
        .collect();
    let sort = keys::trail_block(block.first()).sort;
    subjects.into_iter().map(|partition| Key { partition, sort: sort.clone() }).collect()
}

/// Whom one can ask about to find an event.
fn subjects_of(event: &AuditEvent) -> Vec<AuditSubject> {
    let mut subjects = vec![AuditSubject::Request(event.request_id.clone())];
    subjects.extend(event.identity_id.clone().map(AuditSubject::Identity));
    subjects.extend(event.access_key_id.clone().map(AuditSubject::AccessKey));
    subjects.extend(event.developer_user_identifier.clone().map(AuditSubject::DeveloperUser));
    subjects
}
