//! What whoever signs an audit trail says of it: what there is, and what was dropped.

use serde::{Deserialize, Serialize};

use crate::ground::clock::Timestamp;

/// Where a trail stood. Its hash is that of the line and, by it, of every line before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailHead {
    /// The trail's ID, drawn when it began.
    pub trail: String,
    /// The number of the last line.
    pub n: u64,
    /// That line's link of the chain: 32 bytes, base64url.
    pub chain: String,
    /// When it was signed.
    pub time: Timestamp,
}

/// A file that went from the old end of an audit trail, because it was too old or there was too much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailDropped {
    /// The trail's ID.
    pub trail: String,
    /// Its first line.
    pub first: u64,
    /// Its last line.
    pub last: u64,
    /// The link of that.
    pub chain: String,
    /// When its newest event happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}
