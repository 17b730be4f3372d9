//! The audit trail of a store over an engine: the same lines, chained and signed, that the trail of files has, in blocks.
//!
//! Nothing that all logins write may be one item, and a chain is just that. So whoever decides keeps events in a *journal*, where
//! nobody waits for anybody (`journal.rs`). Whoever reads, and the servers each second, give them their place in the trail: one
//! change writes the next block behind the last and takes its events out of the journal (`gather.rs`). Blocks are read in either
//! direction (`blocks.rs`), and by whom their events are about (`subjects.rs`); what is too old or too much is dropped from the old end
//! (`retention.rs`).

mod blocks;
mod gather;
mod journal;
mod records;
mod refusals;
mod retention;
mod subjects;
mod whole;

use async_trait::async_trait;

use self::blocks::Block;
pub(super) use self::whole::blocks_of;
use super::ItemStore;
use crate::ground::clock::Timestamp;
use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::records::audit_question::AuditQuestion;
use crate::records::trail_line::FollowedChain;
use crate::store::{
    AuditCare, AuditEvents, AuditSink, Cleared, EventPosition, KeptEvent, Page, SharedWatch, Store,
    StoreConnections, StoreError, TrailExtent, UnprovedRefusals,
};

#[async_trait]
impl AuditSink for ItemStore {
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.keep_in_journal(events).await
    }
}

#[async_trait]
impl AuditEvents for ItemStore {
    async fn page_audit_events(
        &self,
        question: &AuditQuestion,
        page: Page<EventPosition>,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        let first = self.gather_all().await?.first;
        self.index_all().await?;
        match &question.about {
            Some(about) => self.events_about(about, question, &page, first).await,
            None => self.events_backwards(question, &page, first).await,
        }
    }

    async fn audit_events_after(&self, page: Page<EventPosition>) -> Result<Vec<KeptEvent>, StoreError> {
        let trail = self.gather_all().await?;
        let after = page.after.map_or(0, |after| after.0);
        let mut expected = (after + 1).max(trail.first);
        let mut next = self.block_from(expected).await?;
        let mut chain = FollowedChain::behind((after >= trail.first).then_some(after));
        let mut events = Vec::new();
        while let Some(block) = next {
            if block.first() > expected && self.is_dropped(expected).await? {
                chain.break_off();
            }
            for line in block.lines() {
                if line.number > after {
                    chain.follow(&line);
                    let event = line.event().map(|event| KeptEvent {
                        position: EventPosition(line.number),
                        event,
                        damaged: chain.take_damaged(),
                    });
                    events.extend(event);
                }
                if events.len() >= page.limit {
                    return Ok(events);
                }
            }
            expected = block.last() + 1;
            next = self.block_behind(&block).await?;
        }
        Ok(events)
    }

    async fn audit_trail_extent(&self) -> Result<TrailExtent, StoreError> {
        let trail = self.gather_all().await?;
        Ok(TrailExtent {
            trail: trail.id,
            first: EventPosition(trail.first),
            last: EventPosition(trail.last),
        })
    }

    async fn audit_lines_after(&self, line: EventPosition) -> Result<Option<Vec<u8>>, StoreError> {
        let trail = self.gather_all().await?;
        let block = self.block_from((line.0 + 1).max(trail.first)).await?;
        Ok(Some(block.map(Block::into_text).unwrap_or_default()))
    }

    fn attend(&self, care: AuditCare) {
        self.process.attend(care);
    }

    async fn drop_surplus(&self, care: &AuditCare) -> Result<(), StoreError> {
        self.gather_all().await?;
        self.index_all().await?;
        self.shorten_all(care).await
    }
}

#[async_trait]
impl UnprovedRefusals for ItemStore {
    async fn add_unproved_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.keep_refusals(events).await
    }

    async fn list_unproved_refusals(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        self.list_refusals(about, limit).await
    }
}

#[async_trait]
impl Store for ItemStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.ask_readiness().await
    }

    async fn keep_up(&self) -> Result<(), StoreError> {
        self.forget_all(self.clock.now()).await;
        self.gather_all().await?;
        self.index_all().await?;
        self.shorten().await;
        Ok(())
    }

    async fn clear_expired(&self, now: Timestamp, limit: usize) -> Result<Cleared, StoreError> {
        let mut cleared = Cleared { more: true, ..Cleared::default() };
        while cleared.more && cleared.records < limit as u64 {
            cleared += self.patiently(|| self.engine.forget(now)).await?;
        }
        Ok(cleared)
    }

    fn watch(&self, by: SharedWatch) {
        self.engine.watch(by);
    }

    fn connections(&self) -> Option<StoreConnections> {
        self.engine.connections()
    }
}
