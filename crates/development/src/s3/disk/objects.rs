//! Objects by their keys: one is put in place, read or removed as a whole.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::blobs::{BlobId, Piece};
use super::index::bucket_id;
use super::object::{COLUMNS, Object, Properties, Tags, column, parse};
use super::{Disk, DiskError, Taken};
use crate::s3::digests::Checksum;

/// What an object is put in place with, beside its bytes.
#[derive(Debug, Clone, Default)]
pub struct Described {
    pub properties: Properties,
    pub tags: Tags,
    pub checksum: Checksum,
}

/// What has to be so of a key for an object to be put there, or removed (RFC 9110, 13.1).
#[derive(Debug, Clone, Default)]
pub struct OnlyIf {
    /// There is an object with this entity tag; an empty one is any.
    pub matches: Option<String>,
    /// There is no object.
    pub is_free: bool,
}

impl OnlyIf {
    /// Whether it is so, by the entity tag of what is there.
    pub fn check(&self, there: Option<&str>) -> Result<(), DiskError> {
        match (&self.matches, there) {
            (Some(_), None) => Err(DiskError::NoSuchKey),
            (Some(wanted), Some(etag)) if !wanted.is_empty() && wanted != etag => {
                Err(DiskError::ConditionFailed("If-Match"))
            }
            (_, Some(_)) if self.is_free => Err(DiskError::ConditionFailed("If-None-Match")),
            _ => Ok(()),
        }
    }
}

impl Disk {
    /// An object.
    ///
    /// # Errors
    /// If there is no such bucket or object.
    pub fn object(&self, bucket: &str, key: &str) -> Result<Object, DiskError> {
        self.0.index.read(|index| {
            let bucket = bucket_id(index, bucket)?;
            find(index, bucket, key)?.ok_or(DiskError::NoSuchKey)
        })
    }

    /// Puts what was taken in the place of whatever has this key.
    ///
    /// # Errors
    /// If the bucket is gone or `only_if` is not so. Then everything is as before.
    pub async fn put(
        &self,
        bucket: String,
        key: String,
        taken: Taken,
        described: Described,
        only_if: OnlyIf,
    ) -> Result<Object, DiskError> {
        self.blocking(move |disk| disk.put_now(&bucket, &key, taken, described, &only_if)).await
    }

    pub(super) fn put_now(
        &self,
        bucket: &str,
        key: &str,
        taken: Taken,
        described: Described,
        only_if: &OnlyIf,
    ) -> Result<Object, DiskError> {
        let Described { properties, tags, checksum } = described;
        let object = Object {
            etag: taken.sums.etag(),
            size: taken.size,
            modified: self.now(),
            checksum,
            properties,
            tags,
            in_parts: false,
            pieces: taken.pieces(),
        };
        let replaced = self.0.index.write(|index| {
            let bucket = bucket_id(index, bucket)?;
            hold(index, &taken)?;
            put(index, bucket, key, &object, only_if)
        })?;
        taken.keep();
        self.0.blobs.remove(&replaced);
        Ok(object)
    }

    /// Removes an object, if there is one.
    ///
    /// # Errors
    /// If there is no such bucket, or `only_if` is not so.
    pub async fn delete(&self, bucket: String, key: String, only_if: OnlyIf) -> Result<(), DiskError> {
        self.blocking(move |disk| {
            let removed = disk.0.index.write(|index| {
                let bucket = bucket_id(index, &bucket)?;
                delete(index, bucket, &key, &only_if)
            })?;
            disk.0.blobs.remove(&removed);
            Ok(())
        })
        .await
    }

    /// Gives an object other tags.
    ///
    /// # Errors
    /// If there is no such object.
    pub async fn tag(&self, bucket: String, key: String, tags: Tags) -> Result<(), DiskError> {
        self.blocking(move |disk| {
            disk.0.index.write(|index| {
                let bucket = bucket_id(index, &bucket)?;
                let tags = serde_json::to_string(&tags)?;
                let mut change =
                    index.prepare_cached("UPDATE object SET tags = ?3 WHERE bucket = ?1 AND key = ?2")?;
                let changed = change.execute(params![bucket, key.as_bytes(), tags])?;
                if changed == 0 { Err(DiskError::NoSuchKey) } else { Ok(()) }
            })
        })
        .await
    }
}

fn find(index: &Connection, bucket: i64, key: &str) -> Result<Option<Object>, DiskError> {
    let mut ask =
        index.prepare_cached(&format!("SELECT {COLUMNS} FROM object WHERE bucket = ?1 AND key = ?2"))?;
    let mut rows = ask.query(params![bucket, key.as_bytes()])?;
    rows.next()?.map(Object::of_row).transpose()
}

/// Has the ledger say that something needs these bytes.
pub(super) fn hold(index: &Transaction<'_>, taken: &Taken) -> Result<(), DiskError> {
    let Some((id, bytes)) = taken.entry() else { return Ok(()) };
    let mut insert = index.prepare_cached("INSERT INTO blob (id, bytes) VALUES (?1, ?2)")?;
    insert.execute(params![id, bytes])?;
    Ok(())
}

/// Has the ledger say that nothing does, and answers which of them are files.
pub(super) fn let_go(index: &Transaction<'_>, pieces: &[Piece]) -> Result<Vec<BlobId>, DiskError> {
    let mut delete = index.prepare_cached("DELETE FROM blob WHERE id = ?1 RETURNING bytes IS NULL")?;
    let mut files = Vec::new();
    for Piece { blob, .. } in pieces {
        if delete.query_row([blob], |row| row.get(0)).optional()?.unwrap_or(true) {
            files.push(*blob);
        }
    }
    Ok(files)
}

/// What is there by a key: its entity tag, and its pieces.
fn there(index: &Connection, bucket: i64, key: &str) -> Result<Option<(String, Vec<Piece>)>, DiskError> {
    let mut ask = index.prepare_cached("SELECT etag, pieces FROM object WHERE bucket = ?1 AND key = ?2")?;
    let mut rows = ask.query(params![bucket, key.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((row.get(0)?, parse(row, 1)?)))
}

/// Puts an object whose pieces are held in place, and answers which files are not held any more.
pub(super) fn put(
    index: &Transaction<'_>,
    bucket: i64,
    key: &str,
    object: &Object,
    only_if: &OnlyIf,
) -> Result<Vec<BlobId>, DiskError> {
    let there = there(index, bucket, key)?;
    only_if.check(there.as_ref().map(|(etag, _)| etag.as_str()))?;
    let mut insert = index.prepare_cached(&format!(
        "INSERT OR REPLACE INTO object (bucket, key, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    ))?;
    insert.execute(params![
        bucket,
        key.as_bytes(),
        object.etag,
        column(object.size),
        object.modified.as_millisecond(),
        serde_json::to_string(&object.checksum)?,
        serde_json::to_string(&object.properties)?,
        serde_json::to_string(&object.tags)?,
        serde_json::to_string(&object.pieces)?,
        object.in_parts,
    ])?;
    let_go(index, &there.map(|(_, pieces)| pieces).unwrap_or_default())
}

fn delete(
    index: &Transaction<'_>,
    bucket: i64,
    key: &str,
    only_if: &OnlyIf,
) -> Result<Vec<BlobId>, DiskError> {
    let there = there(index, bucket, key)?;
    only_if.check(there.as_ref().map(|(etag, _)| etag.as_str()))?;
    let Some((_, pieces)) = there else { return Ok(Vec::new()) };
    let mut delete = index.prepare_cached("DELETE FROM object WHERE bucket = ?1 AND key = ?2 RETURNING 1")?;
    delete.query_row(params![bucket, key.as_bytes()], |_| Ok(())).optional()?;
    let_go(index, &pieces)
}
