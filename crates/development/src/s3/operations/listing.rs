//! Listings of objects, in the three forms that S3 has.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, ETag, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput,
    ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
    ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3Result, s3_error};

use super::checksums::type_of;
use super::off::owner;
use crate::s3::disk::{Disk, Entry, Listed, Page, Paging};
use crate::s3::moment::timestamp;
use crate::s3::spelling::Spelling;

/// How many entries a page has at most.
pub(super) const MOST: i32 = 1_000;

pub(super) async fn objects(disk: &Disk, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let spelling = Spelling::of(input.encoding_type.as_ref().map(EncodingType::as_str))?;
    let limit = limit(input.max_keys)?;
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let paging = paging(input.prefix.as_ref(), delimiter.as_ref(), input.marker.as_ref(), true, limit);
    let page = disk.list(input.bucket.clone(), paging).await?;
    let next = page.entries.last().map(|entry| spelling.of_key(entry.name()));
    let is_truncated = page.is_truncated;
    let (contents, common_prefixes) = halves(page, spelling, |key, listed| object(key, listed, true));
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(spelling.of_key(&input.prefix.unwrap_or_default())),
        marker: Some(spelling.of_key(&input.marker.unwrap_or_default())),
        max_keys: Some(limit),
        is_truncated: Some(is_truncated),
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        // Without a delimiter the last key says as much.
        next_marker: next.filter(|_| is_truncated && delimiter.is_some()),
        delimiter: delimiter.map(|delimiter| spelling.of_key(&delimiter)),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

pub(super) async fn objects_v2(disk: &Disk, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let spelling = Spelling::of(input.encoding_type.as_ref().map(EncodingType::as_str))?;
    let limit = limit(input.max_keys)?;
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let is_entry = input.continuation_token.is_some();
    let after = match &input.continuation_token {
        Some(token) => Some(position(token)?),
        None => input.start_after.clone(),
    };
    let paging = paging(input.prefix.as_ref(), delimiter.as_ref(), after.as_ref(), is_entry, limit);
    let page = disk.list(input.bucket.clone(), paging).await?;
    let next = page.entries.last().map(|entry| token(entry.name())).filter(|_| page.is_truncated);
    let (is_truncated, count) = (page.is_truncated, i32::try_from(page.entries.len()).unwrap_or(limit));
    let with_owner = input.fetch_owner.unwrap_or(false);
    let (contents, common_prefixes) = halves(page, spelling, |key, listed| object(key, listed, with_owner));
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(spelling.of_key(&input.prefix.unwrap_or_default())),
        max_keys: Some(limit),
        key_count: Some(count),
        continuation_token: input.continuation_token,
        is_truncated: Some(is_truncated),
        next_continuation_token: next,
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        delimiter: delimiter.map(|delimiter| spelling.of_key(&delimiter)),
        encoding_type: input.encoding_type,
        start_after: input.start_after.map(|key| spelling.of_key(&key)),
        request_charged: None,
    })
}

/// Of each object there is one version, which has no ID.
pub(super) async fn versions(
    disk: &Disk,
    input: ListObjectVersionsInput,
) -> S3Result<ListObjectVersionsOutput> {
    let spelling = Spelling::of(input.encoding_type.as_ref().map(EncodingType::as_str))?;
    let limit = limit(input.max_keys)?;
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let paging = paging(input.prefix.as_ref(), delimiter.as_ref(), input.key_marker.as_ref(), true, limit);
    let page = disk.list(input.bucket.clone(), paging).await?;
    let last = page.entries.last().filter(|_| page.is_truncated);
    let next = last.map(|entry| spelling.of_key(entry.name()));
    let next_version = last.and_then(|entry| matches!(entry, Entry::Item(..)).then(|| "null".to_owned()));
    let is_truncated = page.is_truncated;
    let (versions, common_prefixes) = halves(page, spelling, version);
    Ok(ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(spelling.of_key(&input.prefix.unwrap_or_default())),
        key_marker: Some(spelling.of_key(&input.key_marker.unwrap_or_default())),
        version_id_marker: input.version_id_marker,
        max_keys: Some(limit),
        is_truncated: Some(is_truncated),
        next_key_marker: next,
        next_version_id_marker: next_version,
        versions: Some(versions),
        common_prefixes: Some(common_prefixes),
        delimiter: delimiter.map(|delimiter| spelling.of_key(&delimiter)),
        encoding_type: input.encoding_type,
        ..ListObjectVersionsOutput::default()
    })
}

/// How many entries a page is to have.
///
/// # Errors
/// If it is no number of entries.
pub(super) fn limit(asked: Option<i32>) -> S3Result<i32> {
    match asked {
        Some(negative) if negative < 0 => {
            Err(s3_error!(InvalidArgument, "Argument maxKeys must be an integer between 0 and 2147483647."))
        }
        asked => Ok(asked.unwrap_or(MOST).min(MOST)),
    }
}

pub(super) fn paging(
    prefix: Option<&String>,
    delimiter: Option<&String>,
    after: Option<&String>,
    is_entry: bool,
    limit: i32,
) -> Paging {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    Paging {
        prefix: text(prefix),
        delimiter: text(delimiter),
        after: text(after),
        is_entry,
        limit: usize::try_from(limit).unwrap_or_default(),
    }
}

/// The entries of a page in the two lists that answers have.
pub(super) fn halves<T, U>(
    page: Page<T>,
    spelling: Spelling,
    answer: impl Fn(String, T) -> U,
) -> (Vec<U>, Vec<CommonPrefix>) {
    let (mut items, mut prefixes) = (Vec::new(), Vec::new());
    for entry in page.entries {
        match entry {
            Entry::Item(key, item) => items.push(answer(spelling.of_key(&key), item)),
            Entry::Prefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(spelling.of_key(&prefix)) }),
        }
    }
    (items, prefixes)
}

fn object(key: String, listed: Listed, with_owner: bool) -> Object {
    Object {
        key: Some(key),
        e_tag: Some(ETag::Strong(listed.etag)),
        size: i64::try_from(listed.size).ok(),
        last_modified: Some(timestamp(listed.modified)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        owner: with_owner.then(owner),
        checksum_type: type_of(&listed.checksum),
        checksum_algorithm: Some(listed.checksum.values.into_keys().map(ChecksumAlgorithm::from).collect()),
        restore_status: None,
    }
}

fn version(key: String, listed: Listed) -> ObjectVersion {
    ObjectVersion {
        key: Some(key),
        version_id: Some("null".into()),
        is_latest: Some(true),
        e_tag: Some(ETag::Strong(listed.etag)),
        size: i64::try_from(listed.size).ok(),
        last_modified: Some(timestamp(listed.modified)),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        owner: Some(owner()),
        ..ObjectVersion::default()
    }
}

/// What a token begins with.
const TOKEN: &str = "after:";

/// A token says which key came last. It holds after a restart, and opens nothing that its listing would not.
fn token(last: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{TOKEN}{last}"))
}

fn position(token: &str) -> S3Result<String> {
    let text = BASE64_URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| Some(text.strip_prefix(TOKEN)?.to_owned()))
        .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect."))
}
