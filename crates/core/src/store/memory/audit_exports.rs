//! Positions of exporters in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::store::{AuditExports, ExportPosition, StoreError};

#[async_trait]
impl AuditExports for MemoryStore {
    async fn find_export_position(&self, exporter: &str) -> Result<Option<ExportPosition>, StoreError> {
        Ok(self.records()?.export_positions.get(exporter).cloned())
    }

    async fn move_export_position(
        &self,
        exporter: &str,
        from: Option<&ExportPosition>,
        to: &ExportPosition,
    ) -> Result<bool, StoreError> {
        let positions = &mut self.records()?.export_positions;
        let place = |position: &ExportPosition| (position.trail.clone(), position.line);
        let is_there = positions.get(exporter).map(place) == from.map(place);
        if is_there {
            positions.insert(exporter.to_owned(), to.clone());
        }
        Ok(is_there)
    }
}
