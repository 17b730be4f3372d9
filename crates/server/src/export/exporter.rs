//! One exporter: reads on in the trail from where it is, delivers, and goes on when the receiver has taken it. Whoever ends between
//! the two delivers again: at least once.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use daypass_core::audit::AuditEvent;
use daypass_core::records::audit_question::AuditQuestion;
use daypass_core::store::{EventPosition, ExportPosition, KeptEvent, Page, StoreError};

use super::batch::{Batch, Exported};
use super::bookmark::Bookmark;
use super::receiver::{Answer, Receiver};
use crate::error::chain;

/// So many events are delivered together, and about so many bytes of them.
const MAX_EVENTS: usize = 256;
const MAX_BYTES: usize = 256 << 10;

/// So many events that are refused one after the other are passed over together.
const MAX_REFUSED: usize = 8;

/// Exports the trail to one receiver.
pub(super) struct Exporter {
    pub(super) bookmark: Bookmark,
    receiver: Arc<dyn Receiver>,
    /// So many events are delivered together now: fewer, after a batch was refused as a whole.
    at_once: usize,
}

/// What came of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There may be more to do.
    GoneOn,
    /// Everything is exported.
    UpToDate,
}

/// What an exporter cannot get past now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Hindrance {
    #[error("the store does not answer: {}", chain(.0))]
    Store(#[from] StoreError),
    #[error("{0}")]
    Receiver(String),
}

impl Exporter {
    pub(super) fn new(bookmark: Bookmark, receiver: Arc<dyn Receiver>) -> Self {
        Self { bookmark, receiver, at_once: MAX_EVENTS }
    }

    /// Delivers what comes next.
    pub(super) async fn go_on(&mut self) -> Result<Progress, Hindrance> {
        let (position, extent) = self.bookmark.find().await?;
        if position.line == extent.last {
            self.bookmark.metrics.lag(0, 0);
            return Ok(Progress::UpToDate);
        }
        let found = self.read(position.line, self.at_once).await?;
        let position = self.bookmark.pass_dropped(position, &found).await?;
        let Some(batch) = Batch::of(&position.trail, found, MAX_BYTES) else {
            // What is left is about the trail itself.
            self.bookmark.go_to(&position, extent.last.max(position.line), 0).await?;
            self.bookmark.metrics.lag(0, 0);
            return Ok(Progress::UpToDate);
        };
        self.note_lag(&position, extent.last, &batch);
        self.deliver(&position, batch).await
    }

    async fn deliver(&mut self, position: &ExportPosition, batch: Batch) -> Result<Progress, Hindrance> {
        match self.receiver.deliver(&batch).await {
            Answer::Taken { refused } => {
                self.tell_of_partial(&batch, refused);
                self.tell_of_damage(&batch.events);
                self.at_once = (batch.events.len() * 2).min(MAX_EVENTS);
                self.bookmark.go_to(position, batch.last(), refused).await?;
                Ok(Progress::GoneOn)
            }
            Answer::Refused(_) if batch.events.len() > 1 => {
                self.at_once = batch.events.len() / 2;
                Ok(Progress::GoneOn)
            }
            Answer::Refused(why) => self.pass_over(position, batch, why).await,
            Answer::Away(why) => Err(Hindrance::Receiver(why)),
        }
    }

    /// Leaves out an event that is refused though it is alone, with those right behind it that are refused as well, once the
    /// receiver has taken a later one: who refuses everything, because of a wrong secret or a mistake of their own, is away.
    async fn pass_over(
        &self,
        position: &ExportPosition,
        first: Batch,
        why: String,
    ) -> Result<Progress, Hindrance> {
        let mut refused = first.events;
        while refused.len() < MAX_REFUSED
            && let Some(next) = self.next_behind(&position.trail, &refused).await?
        {
            match self.receiver.deliver(&next).await {
                Answer::Taken { refused: of_it } => {
                    self.tell_of_refused(&refused, &why);
                    let count = refused.len() as u64 + of_it;
                    self.bookmark.go_to(position, next.last(), count).await?;
                    return Ok(Progress::GoneOn);
                }
                Answer::Refused(_) => refused.extend(next.events),
                Answer::Away(why) => return Err(Hindrance::Receiver(why)),
            }
        }
        let last = refused.last().map_or(position.line, |last| last.line);
        if !self.newest_is_taken(&position.trail, last).await? {
            return Err(Hindrance::Receiver(format!("it refuses every event: {why}")));
        }
        self.tell_of_refused(&refused, &why);
        self.bookmark.go_to(position, last, refused.len() as u64).await?;
        Ok(Progress::GoneOn)
    }

    /// Whether the receiver takes the newest event, if that is behind a line. It is delivered once more when its turn comes.
    async fn newest_is_taken(&self, trail: &str, line: EventPosition) -> Result<bool, Hindrance> {
        let page = Page { after: None, limit: 1 };
        let newest = self.bookmark.store.page_audit_events(&AuditQuestion::default(), page).await?;
        let newest = newest.into_iter().filter(|newest| newest.position > line).collect();
        let Some(newest) = Batch::of(trail, newest, MAX_BYTES) else { return Ok(false) };
        match self.receiver.deliver(&newest).await {
            Answer::Taken { .. } => Ok(true),
            Answer::Refused(_) => Ok(false),
            Answer::Away(why) => Err(Hindrance::Receiver(why)),
        }
    }

    async fn next_behind(&self, trail: &str, refused: &[Exported]) -> Result<Option<Batch>, StoreError> {
        let Some(last) = refused.last() else { return Ok(None) };
        Ok(Batch::of(trail, self.read(last.line, 1).await?, MAX_BYTES))
    }

    async fn read(&self, after: EventPosition, limit: usize) -> Result<Vec<KeptEvent>, StoreError> {
        self.bookmark.store.audit_events_after(Page { after: Some(after), limit }).await
    }

    fn note_lag(&self, position: &ExportPosition, last: EventPosition, batch: &Batch) {
        let oldest: &AuditEvent = &batch.events[0].event;
        let age = self.bookmark.clock.now().duration_since(oldest.time).as_secs().max(0);
        self.bookmark.metrics.lag(last.0.saturating_sub(position.line.0), age);
    }

    fn tell_of_refused(&self, refused: &[Exported], why: &str) {
        self.tell_of_damage(refused);
        for exported in refused {
            tracing::error!(
                exporter = self.bookmark.exporter,
                line = exported.line.0,
                request_id = exported.event.request_id.as_str(),
                "the receiver refuses this event of the audit trail alone, and never gets it: {why}"
            );
        }
    }

    /// Nobody else may look at the trail for long, and the receiver takes what it has for all there was.
    fn tell_of_damage(&self, events: &[Exported]) {
        let lines = events.iter().map(|event| event.damaged).sum();
        if let (1.., Some(last)) = (lines, events.last()) {
            self.bookmark.metrics.damaged(lines);
            tracing::error!(
                exporter = self.bookmark.exporter,
                lines,
                before = last.line.0,
                "lines of the audit trail are missing, or are not as they were written, and the receiver did not get them: \
                 `daypass audit verify` says which"
            );
        }
    }

    fn tell_of_partial(&self, batch: &Batch, refused: u64) {
        if refused > 0 {
            tracing::error!(
                exporter = self.bookmark.exporter,
                events = refused,
                from = batch.events[0].line.0,
                to = batch.last().0,
                "the receiver took these lines of the audit trail without some of their events, and never gets those"
            );
        }
    }
}
