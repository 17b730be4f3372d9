//! What a store keeps of how far the audit trail was exported.

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::store::{EventPosition, StoreError};

/// How far an exporter has come. Whatever is not behind it was taken by its receiver, or is counted here as what the receiver
/// never got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportPosition {
    /// The ID of the trail: lines of another one have the same numbers.
    pub trail: String,
    /// The last line that it is done with.
    pub line: EventPosition,
    /// When it came there.
    pub moved_at: Timestamp,
    /// So many events its receiver has refused for good.
    pub refused: u64,
    /// So many lines were gone from the trail before it read them, at most.
    pub dropped: u64,
}

/// How far each exporter has come.
#[async_trait]
pub trait AuditExports: Send + Sync {
    /// How far an exporter has come, if it ever began.
    async fn find_export_position(&self, exporter: &str) -> Result<Option<ExportPosition>, StoreError>;

    /// Has an exporter go on, if the trail and the line of `from` are where it is: nothing, if it never began. Answers
    /// whether it was. So two processes that export the same take nothing back from each other.
    async fn move_export_position(
        &self,
        exporter: &str,
        from: Option<&ExportPosition>,
        to: &ExportPosition,
    ) -> Result<bool, StoreError>;
}
