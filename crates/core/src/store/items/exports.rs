//! Positions of exporters.

use async_trait::async_trait;

use super::attempts::Decided;
use super::records::{ExportRecord, Millis};
use super::{Found, ItemStore, keys};
use crate::store::{AuditExports, EventPosition, ExportPosition, StoreError};

#[async_trait]
impl AuditExports for ItemStore {
    async fn find_export_position(&self, exporter: &str) -> Result<Option<ExportPosition>, StoreError> {
        let found: Found<ExportRecord> = self.read(keys::export(exporter)).await?;
        Ok(found.record.map(position))
    }

    async fn move_export_position(
        &self,
        exporter: &str,
        from: Option<&ExportPosition>,
        to: &ExportPosition,
    ) -> Result<bool, StoreError> {
        let place = |position: &ExportPosition| (position.trail.clone(), position.line);
        self.ask(|| async {
            let found: Found<ExportRecord> = self.read(keys::export(exporter)).await?;
            if found.record.clone().map(position).as_ref().map(place) != from.map(place) {
                return Ok(Decided::Answer(false));
            }
            Ok(Decided::change_once(vec![found.put(&ExportRecord::new(exporter, to))?], true))
        })
        .await
    }
}

pub(super) fn position(record: ExportRecord) -> ExportPosition {
    let ExportRecord { trail, line, moved_at, refused, dropped, .. } = record;
    ExportPosition { trail, line: EventPosition(line), moved_at: moved_at.0, refused, dropped }
}

impl ExportRecord {
    pub(super) fn new(exporter: &str, position: &ExportPosition) -> Self {
        Self {
            exporter: Some(exporter.to_owned()),
            trail: position.trail.clone(),
            line: position.line.0,
            moved_at: Millis(position.moved_at),
            refused: position.refused,
            dropped: position.dropped,
        }
    }
}
