//! Uploads in parts. One belongs to a bucket and a key, not to whoever began it: the policy says who may go on.

use daypass_core::ground::clock::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::blobs::{BlobId, Piece};
use super::index::bucket_id;
use super::listing::fill;
use super::object::{Object, column, instant, parse, size};
use super::objects::{hold, let_go, put};
use super::{Described, Disk, DiskError, OnlyIf, Page, Paging, Taken};
use crate::s3::digests::Checksum;
use crate::s3::digests::Checksums;
use crate::s3::digests::{Kind, checksum_of_parts, etag_of_parts};

/// The smallest part that may stand before another (S3 User Guide, "Amazon S3 multipart upload limits").
const SMALLEST_PART: u64 = 5 << 20;

/// An upload that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub id: String,
    pub begun: Timestamp,
    /// The kind of checksum of its parts; without a value.
    pub kind: String,
    pub is_composite: bool,
}

/// A part that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub number: i32,
    pub etag: String,
    pub size: u64,
    pub modified: Timestamp,
    pub checksums: Checksums,
    pieces: Vec<Piece>,
}

/// A part as a completion names it.
#[derive(Debug, Clone)]
pub struct CompletedPart {
    pub number: i32,
    pub etag: String,
    pub checksums: Checksums,
}

/// What a completion says.
#[derive(Debug, Clone, Default)]
pub struct Completion {
    pub parts: Vec<CompletedPart>,
    /// The checksum of the whole, if it says one.
    pub checksums: Checksums,
    /// The size of the whole, if it says one.
    pub size: Option<u64>,
    pub only_if: OnlyIf,
}

/// What was said when it began, and is the object's when it is complete.
const UPLOAD: &str =
    "SELECT properties, tags, checksum FROM upload WHERE bucket = ?1 AND key = ?2 AND id = ?3";
const PARTS: &str =
    "SELECT number, etag, size, modified, checksum, pieces FROM part WHERE upload = ?1 ORDER BY number";

impl Disk {
    /// Begins an upload, and answers its ID, which nobody can guess; later ones come after it in order.
    ///
    /// # Errors
    /// If there is no such bucket.
    pub async fn begin_upload(
        &self,
        bucket: String,
        key: String,
        described: Described,
    ) -> Result<String, DiskError> {
        self.blocking(move |disk| {
            let begun = disk.now().as_millisecond();
            let id = format!("{begun:012x}{:032x}", u128::from_be_bytes(disk.0.random.bytes()));
            disk.0.index.write(|index| {
                let bucket = bucket_id(index, &bucket)?;
                let insert = "INSERT INTO upload (bucket, key, id, begun, checksum, properties, tags) \
                              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                let (checksum, properties, tags) = (
                    serde_json::to_string(&described.checksum)?,
                    serde_json::to_string(&described.properties)?,
                    serde_json::to_string(&described.tags)?,
                );
                index.execute(
                    insert,
                    params![bucket, key.as_bytes(), id, begun, checksum, properties, tags],
                )?;
                Ok(id)
            })
        })
        .await
    }

    /// What was said when an upload began.
    ///
    /// # Errors
    /// If there is no such upload of this key.
    pub fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Described, DiskError> {
        self.0.index.read(|index| described(index, bucket_id(index, bucket)?, key, id))
    }

    /// Keeps a part, in the place of one with the same number.
    ///
    /// # Errors
    /// If there is no such upload any more.
    pub async fn put_part(
        &self,
        (bucket, key, id): (String, String, String),
        number: i32,
        taken: Taken,
        checksums: Checksums,
    ) -> Result<Part, DiskError> {
        self.blocking(move |disk| {
            let part = Part {
                number,
                etag: taken.sums.etag(),
                size: taken.size,
                modified: disk.now(),
                checksums,
                pieces: taken.pieces(),
            };
            let replaced = disk.0.index.write(|index| {
                described(index, bucket_id(index, &bucket)?, &key, &id)?;
                hold(index, &taken)?;
                put_part(index, &id, &part)
            })?;
            taken.keep();
            disk.0.blobs.remove(&replaced);
            Ok(part)
        })
        .await
    }

    /// The parts of an upload after a number, and whether there are more than so many.
    ///
    /// # Errors
    /// If there is no such upload.
    pub async fn parts(
        &self,
        (bucket, key, id): (String, String, String),
        after: i32,
        limit: usize,
    ) -> Result<(Vec<Part>, bool), DiskError> {
        self.blocking(move |disk| {
            disk.0.index.read(|index| {
                described(index, bucket_id(index, &bucket)?, &key, &id)?;
                let mut parts = parts(index, &id)?;
                parts.retain(|part| part.number > after);
                let is_truncated = parts.len() > limit;
                parts.truncate(limit);
                Ok((parts, is_truncated))
            })
        })
        .await
    }

    /// A page of the uploads of a bucket. `after_upload` is the last one of the key that the page begins after, if some of
    /// that key are still to come.
    ///
    /// # Errors
    /// If there is no such bucket.
    pub async fn uploads(
        &self,
        bucket: String,
        paging: Paging,
        after_upload: String,
    ) -> Result<Page<Upload>, DiskError> {
        self.blocking(move |disk| {
            disk.0.index.read(|index| {
                let bucket = bucket_id(index, &bucket)?;
                let rows = "SELECT key, id, begun, checksum FROM upload \
                            WHERE bucket = ?1 AND key >= ?2 AND key < ?3 ORDER BY key, id";
                fill_uploads(index, rows, bucket, &paging, &after_upload)
            })
        })
        .await
    }

    /// Ends an upload without an object.
    ///
    /// # Errors
    /// If there is no such upload.
    pub async fn abort(&self, bucket: String, key: String, id: String) -> Result<(), DiskError> {
        self.blocking(move |disk| {
            let removed = disk.0.index.write(|index| {
                described(index, bucket_id(index, &bucket)?, &key, &id)?;
                let pieces: Vec<Piece> =
                    parts(index, &id)?.into_iter().flat_map(|part| part.pieces).collect();
                forget(index, &id)?;
                let_go(index, &pieces)
            })?;
            disk.0.blobs.remove(&removed);
            Ok(())
        })
        .await
    }

    /// Ends an upload with the object that these of its parts are.
    ///
    /// # Errors
    /// If a part is not there, or it is not what the completion says. Then the upload goes on.
    pub async fn complete(
        &self,
        bucket: String,
        key: String,
        id: String,
        completion: Completion,
    ) -> Result<Object, DiskError> {
        self.blocking(move |disk| {
            let modified = disk.now();
            let (object, removed) = disk.0.index.write(|index| {
                let bucket = bucket_id(index, &bucket)?;
                let described = described(index, bucket, &key, &id)?;
                let (used, unused) = choose(parts(index, &id)?, &completion.parts)?;
                let object = assemble(&used, described, modified);
                check(&object, &completion)?;
                let mut removed = put(index, bucket, &key, &object, &completion.only_if)?;
                forget(index, &id)?;
                removed.extend(let_go(index, &unused)?);
                Ok((object, removed))
            })?;
            disk.0.blobs.remove(&removed);
            Ok(object)
        })
        .await
    }
}

fn described(index: &Connection, bucket: i64, key: &str, id: &str) -> Result<Described, DiskError> {
    let mut ask = index.prepare_cached(UPLOAD)?;
    let mut rows = ask.query(params![bucket, key.as_bytes(), id])?;
    let row = rows.next()?.ok_or(DiskError::NoSuchUpload)?;
    Ok(Described { properties: parse(row, 0)?, tags: parse(row, 1)?, checksum: parse(row, 2)? })
}

fn parts(index: &Connection, id: &str) -> Result<Vec<Part>, DiskError> {
    let mut ask = index.prepare_cached(PARTS)?;
    let mut rows = ask.query([id])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        parts.push(Part {
            number: row.get(0)?,
            etag: row.get(1)?,
            size: size(row, 2)?,
            modified: instant(row.get(3)?),
            checksums: parse(row, 4)?,
            pieces: parse(row, 5)?,
        });
    }
    Ok(parts)
}

fn put_part(index: &Transaction<'_>, id: &str, part: &Part) -> Result<Vec<BlobId>, DiskError> {
    let mut ask = index.prepare_cached("SELECT pieces FROM part WHERE upload = ?1 AND number = ?2")?;
    let replaced = ask.query_row(params![id, part.number], |row| row.get::<_, String>(0)).optional()?;
    let mut insert = index.prepare_cached(
        "INSERT OR REPLACE INTO part (upload, number, etag, size, modified, checksum, pieces) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let (checksums, pieces) = (serde_json::to_string(&part.checksums)?, serde_json::to_string(&part.pieces)?);
    insert.execute(params![
        id,
        part.number,
        part.etag,
        column(part.size),
        part.modified.as_millisecond(),
        checksums,
        pieces
    ])?;
    let replaced: Vec<Piece> =
        replaced.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default();
    let_go(index, &replaced)
}

fn forget(index: &Transaction<'_>, id: &str) -> Result<(), DiskError> {
    index.execute("DELETE FROM part WHERE upload = ?1", [id])?;
    index.execute("DELETE FROM upload WHERE id = ?1", [id])?;
    Ok(())
}

/// The parts that a completion names, in its order, and the pieces of those that it does not.
fn choose(there: Vec<Part>, named: &[CompletedPart]) -> Result<(Vec<Part>, Vec<Piece>), DiskError> {
    if !named.is_sorted_by(|one, next| one.number < next.number) {
        return Err(DiskError::InvalidPartOrder);
    }
    let (mut used, mut unused) = (Vec::new(), Vec::new());
    let mut named = named.iter().peekable();
    for part in there {
        match named.next_if(|named| named.number <= part.number) {
            Some(named) if named.is(&part) => used.push(part),
            Some(named) => return Err(DiskError::InvalidPart(named.number)),
            None => unused.extend(part.pieces),
        }
    }
    if let Some(missing) = named.next() {
        return Err(DiskError::InvalidPart(missing.number));
    }
    let before_last = used.len().saturating_sub(1);
    match used.iter().take(before_last).find(|part| part.size < SMALLEST_PART) {
        Some(small) => Err(DiskError::PartTooSmall(small.number)),
        None => Ok((used, unused)),
    }
}

impl CompletedPart {
    fn is(&self, part: &Part) -> bool {
        let has = |(kind, value): (&String, &String)| part.checksums.get(kind).is_none_or(|own| own == value);
        self.number == part.number && self.etag == part.etag && self.checksums.iter().all(has)
    }
}

/// The object that the parts are.
fn assemble(parts: &[Part], described: Described, modified: Timestamp) -> Object {
    let Described { properties, tags, checksum } = described;
    let kind = checksum.values.keys().next().and_then(|name| Kind::parse(name)).unwrap_or(Kind::Crc64Nvme);
    let values: Option<Vec<(String, u64)>> =
        parts.iter().map(|part| Some((part.checksums.get(kind.name())?.clone(), part.size))).collect();
    let checksum = values
        .map_or_else(Checksum::default, |values| checksum_of_parts(kind, checksum.is_composite, &values));
    Object {
        etag: etag_of_parts(parts.iter().map(|part| part.etag.as_str())),
        size: parts.iter().map(|part| part.size).sum(),
        modified,
        checksum,
        properties,
        tags,
        in_parts: true,
        pieces: parts.iter().flat_map(|part| part.pieces.iter().copied()).collect(),
    }
}

fn check(object: &Object, completion: &Completion) -> Result<(), DiskError> {
    let has = |(kind, value): (&String, &String)| object.checksum.values.get(kind) == Some(value);
    match completion.size {
        _ if !completion.checksums.iter().all(has) => Err(DiskError::BadDigest),
        Some(size) if size != object.size => Err(DiskError::OtherSize(object.size)),
        _ => Ok(()),
    }
}

/// As for objects, but that a key may have several uploads.
fn fill_uploads(
    index: &Connection,
    rows: &str,
    bucket: i64,
    paging: &Paging,
    after_upload: &str,
) -> Result<Page<Upload>, DiskError> {
    let upload = |row: &rusqlite::Row<'_>| {
        let checksum: Checksum = parse(row, 3)?;
        let kind = checksum.values.into_keys().next().unwrap_or_default();
        Ok(Upload { id: row.get(1)?, begun: instant(row.get(2)?), kind, is_composite: checksum.is_composite })
    };
    let mut page = fill(index, rows, bucket, paging, upload)?;
    if after_upload.is_empty() || paging.after.is_empty() {
        return Ok(page);
    }
    let ahead = Paging { prefix: paging.after.clone(), limit: usize::MAX, ..Paging::default() };
    let same_key = fill(index, rows, bucket, &ahead, upload)?.entries.into_iter();
    let is_ahead = |entry: &super::Entry<Upload>| matches!(entry, super::Entry::Item(key, upload) if *key == paging.after && upload.id.as_str() > after_upload);
    page.entries.splice(0..0, same_key.filter(is_ahead));
    page.is_truncated |= page.entries.len() > paging.limit;
    page.entries.truncate(paging.limit);
    Ok(page)
}
