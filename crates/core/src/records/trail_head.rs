//! A head of an audit trail: what whoever signs it says of everything before.

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
