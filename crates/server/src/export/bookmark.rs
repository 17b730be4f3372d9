//! Where an exporter is in the trail. It outlives the process, and moves when a receiver has taken what is before it.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use daypass_core::ground::clock::Clock;
use daypass_core::store::{EventPosition, ExportPosition, KeptEvent, SharedStore, StoreError, TrailExtent};

use crate::config::Beginning;
use crate::metrics::ExportMetrics;

/// Where an exporter is.
pub(super) struct Bookmark {
    pub(super) exporter: String,
    /// Where it begins if it never has.
    pub(super) from: Beginning,
    pub(super) store: SharedStore,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: ExportMetrics,
}

impl Bookmark {
    /// Where it is, and what of the trail there was then. An exporter that never was begins.
    pub(super) async fn find(&self) -> Result<(ExportPosition, TrailExtent), StoreError> {
        // In this order: whoever exports the same may go on meanwhile, and no further than the trail goes.
        let kept = self.store.find_export_position(&self.exporter).await?;
        let extent = self.store.audit_trail_extent().await?;
        let found = match &kept {
            None => self.beginning(&extent),
            Some(kept) if kept.trail != extent.trail => self.of_another_trail(kept, &extent),
            Some(kept) if kept.line > extent.last => self.behind_the_end(kept, &extent),
            Some(kept) => return Ok((kept.clone(), extent)),
        };
        self.store.move_export_position(&self.exporter, kept.as_ref(), &found).await?;
        Ok((found, extent))
    }

    /// Goes on to a line. Nothing changes if somebody else has gone on meanwhile, who exports the same.
    pub(super) async fn go_to(
        &self,
        position: &ExportPosition,
        line: EventPosition,
        refused: u64,
    ) -> Result<(), StoreError> {
        self.metrics.refused(refused);
        let refused = position.refused.saturating_add(refused);
        let to = ExportPosition { line, refused, moved_at: self.clock.now(), ..position.clone() };
        self.store.move_export_position(&self.exporter, Some(position), &to).await.map(drop)
    }

    /// Where it is, when these are the events that were found behind it: what the trail dropped before it was read is behind it
    /// as well, and is told.
    pub(super) async fn pass_dropped(
        &self,
        position: ExportPosition,
        found: &[KeptEvent],
    ) -> Result<ExportPosition, StoreError> {
        let first = self.store.audit_trail_extent().await?.first;
        let next = found.first().map_or(first, |event| event.position.min(first));
        // Lines between two events that are all there may be about the trail itself.
        let dropped = if first.0 > position.line.0 + 1 { next.0 - position.line.0 - 1 } else { 0 };
        if dropped == 0 {
            return Ok(position);
        }
        tracing::error!(
            exporter = self.exporter,
            lines = dropped,
            "the audit trail dropped lines before they were exported, as [audit] keep and keep_size say: the receiver never \
             gets them; keep more, or look why it was away for so long"
        );
        self.metrics.dropped(dropped);
        let (line, dropped) = (EventPosition(next.0 - 1), position.dropped.saturating_add(dropped));
        let to = ExportPosition { line, dropped, moved_at: self.clock.now(), ..position.clone() };
        self.store.move_export_position(&self.exporter, Some(&position), &to).await?;
        Ok(to)
    }

    fn beginning(&self, extent: &TrailExtent) -> ExportPosition {
        let line = match self.from {
            Beginning::Newest => extent.last,
            Beginning::Beginning => before(extent.first),
        };
        ExportPosition {
            trail: extent.trail.clone(),
            line,
            moved_at: self.clock.now(),
            refused: 0,
            dropped: 0,
        }
    }

    /// The numbers of one trail mean nothing in another.
    fn of_another_trail(&self, kept: &ExportPosition, extent: &TrailExtent) -> ExportPosition {
        tracing::warn!(
            exporter = self.exporter,
            "the audit trail is another one than was exported until now: all of it is exported"
        );
        let (trail, line) = (extent.trail.clone(), before(extent.first));
        ExportPosition { trail, line, moved_at: self.clock.now(), ..kept.clone() }
    }

    /// Lines that are written from now on have numbers that it is done with.
    fn behind_the_end(&self, kept: &ExportPosition, extent: &TrailExtent) -> ExportPosition {
        tracing::error!(
            exporter = self.exporter,
            exported = kept.line.0,
            last = extent.last.0,
            "the audit trail ends before what was exported: `daypass audit verify` says what is missing, and the receiver \
             has it"
        );
        ExportPosition { line: extent.last, moved_at: self.clock.now(), ..kept.clone() }
    }
}

fn before(line: EventPosition) -> EventPosition {
    EventPosition(line.0.saturating_sub(1))
}
