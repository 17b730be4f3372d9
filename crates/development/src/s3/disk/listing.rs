//! Listings of objects: a range of the index, read page by page, however many objects there are.

use daypass_core::ground::clock::Timestamp;
use rusqlite::{Connection, Row, params};

use super::index::bucket_id;
use super::object::{instant, parse, size};
use super::paging::{Filling, Step};
use super::{Disk, DiskError, Page, Paging};
use crate::s3::digests::Checksum;

/// What a listing says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub etag: String,
    pub size: u64,
    pub modified: Timestamp,
    pub checksum: Checksum,
}

impl Listed {
    fn of_row(row: &Row<'_>) -> Result<Self, DiskError> {
        Ok(Self {
            etag: row.get(1)?,
            size: size(row, 2)?,
            modified: instant(row.get(3)?),
            checksum: parse(row, 4)?,
        })
    }
}

impl Disk {
    /// A page of the objects of a bucket.
    ///
    /// # Errors
    /// If there is no such bucket.
    pub async fn list(&self, bucket: String, paging: Paging) -> Result<Page<Listed>, DiskError> {
        self.blocking(move |disk| {
            disk.0.index.read(|index| {
                let bucket = bucket_id(index, &bucket)?;
                let rows = "SELECT key, etag, size, modified, checksum FROM object \
                            WHERE bucket = ?1 AND key >= ?2 AND key < ?3 ORDER BY key";
                fill(index, rows, bucket, &paging, Listed::of_row)
            })
        })
        .await
    }
}

/// Fills a page from the rows that a statement gives for a bucket, a first key, and one after the last.
pub(super) fn fill<T>(
    index: &Connection,
    rows: &str,
    bucket: i64,
    paging: &Paging,
    of_row: impl Fn(&Row<'_>) -> Result<T, DiskError>,
) -> Result<Page<T>, DiskError> {
    let mut filling = Filling::new(paging);
    let (mut start, end) = filling.bounds();
    let mut ask = index.prepare_cached(rows)?;
    'from: loop {
        let mut rows = ask.query(params![bucket, start, end])?;
        while let Some(row) = rows.next()? {
            let item = of_row(row)?;
            let key = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            match filling.see(key, || item) {
                Step::Next => (),
                Step::Full => break 'from,
                Step::GoTo(next) => {
                    start = next;
                    continue 'from;
                }
            }
        }
        break;
    }
    Ok(filling.finish())
}
