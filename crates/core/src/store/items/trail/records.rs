//! What items say about the trail.

use serde::{Deserialize, Serialize};

use super::super::Record;
use super::super::records::Millis;
use crate::ground::clock::Timestamp;
use crate::records::trail_line::Chain;

/// How far the audit trail goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TrailRecord {
    pub(super) id: String,
    /// The first line that is left.
    pub(super) first: u64,
    /// The last line, and its link.
    pub(super) last: u64,
    pub(super) chain: String,
    /// The last line that is a head, when it was signed, and what it says.
    pub(super) signed: u64,
    pub(super) signed_at: Millis,
    pub(super) head: Option<String>,
    /// How much all blocks are that are left.
    #[serde(default)]
    pub(super) bytes: u64,
    /// The section that is written.
    #[serde(default)]
    pub(super) section: SectionPart,
    /// What is before the first line was dropped: who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dropped: Option<String>,
}

/// Blocks that are dropped together. The first one begins as a file of a trail does, and the last one ends so.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct SectionPart {
    /// When a server saw it first.
    pub(super) since: Option<Millis>,
    pub(super) blocks: u64,
    pub(super) bytes: u64,
}

impl Record for TrailRecord {}

impl TrailRecord {
    /// One that has no line yet.
    pub(super) fn begun(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            first: 1,
            last: 0,
            chain: Chain::START.text(),
            signed: 0,
            signed_at: Millis(Timestamp::UNIX_EPOCH),
            head: None,
            bytes: 0,
            section: SectionPart::default(),
            dropped: None,
        }
    }

    /// Counts a block behind the others.
    pub(super) fn count(&mut self, block: &[u8]) {
        let bytes = block.len() as u64;
        self.bytes = self.bytes.saturating_add(bytes);
        self.section.bytes = self.section.bytes.saturating_add(bytes);
        self.section.blocks = self.section.blocks.saturating_add(1);
    }
}

/// Where a section begins is in its key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SectionRecord {}

impl Record for SectionRecord {}

/// Up to which line it is known whom the trail is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IndexedRecord {
    pub(super) last: u64,
}

impl Record for IndexedRecord {}

/// How many refusals of people who proved nothing were kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RefusalsRecord {
    pub(super) kept: u64,
}

impl Record for RefusalsRecord {}
