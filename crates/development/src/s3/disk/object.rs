//! What is kept of an object beside its bytes.

use std::collections::BTreeMap;

use daypass_core::ground::clock::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::DiskError;
use super::blobs::Piece;
use crate::s3::digests::Checksum;

/// Names and values, in the order they were given.
pub type Tags = Vec<(String, String)>;

/// What whoever uploads an object says of it, and is told again with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Properties {
    pub content_type: Option<String>,
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    /// A date as HTTP writes it.
    pub expires: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Without quotes.
    pub etag: String,
    pub size: u64,
    pub modified: Timestamp,
    pub checksum: Checksum,
    pub properties: Properties,
    pub tags: Tags,
    /// It was uploaded in parts, of which each is a piece.
    pub in_parts: bool,
    pub(super) pieces: Vec<Piece>,
}

/// The columns of an object, for [`Object::of_row`].
pub(super) const COLUMNS: &str = "etag, size, modified, checksum, properties, tags, pieces, in_parts";

impl Object {
    /// What the columns of [`COLUMNS`] say.
    pub(super) fn of_row(row: &Row<'_>) -> Result<Self, DiskError> {
        Ok(Self {
            etag: row.get(0)?,
            size: size(row, 1)?,
            modified: instant(row.get(2)?),
            checksum: parse(row, 3)?,
            properties: parse(row, 4)?,
            tags: parse(row, 5)?,
            pieces: parse(row, 6)?,
            in_parts: row.get(7)?,
        })
    }

    /// The sizes of its parts, in order, if it was uploaded in parts.
    pub fn parts(&self) -> Option<Vec<u64>> {
        self.in_parts.then(|| self.pieces.iter().map(|piece| piece.size).collect())
    }
}

/// The instant so many milliseconds after the epoch.
pub(super) fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}

/// A number of bytes; none can be negative.
pub(super) fn size(row: &Row<'_>, column: usize) -> Result<u64, DiskError> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

/// The same for a column: no disk has as many as do not fit.
pub(super) fn column(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// What stands in a column as JSON.
pub(super) fn parse<T: for<'de> Deserialize<'de>>(row: &Row<'_>, column: usize) -> Result<T, DiskError> {
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(serde_json::from_str(text)?)
}
