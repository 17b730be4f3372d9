//! Copies of objects, whole or as parts.

use std::ops::Range as Span;

use axum::http::{HeaderMap, header};
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, ETag, Range,
    UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Result, s3_error};

use super::checksums::{set_checksums, type_of};
use super::multipart;
use super::properties::{check_properties, properties_of};
use super::reading::{TRIES, replaced_all_the_time};
use crate::s3::conditions::{Conditions, condition, only_if};
use crate::s3::digests::Checksum;
use crate::s3::digests::{Digests, Kind};
use crate::s3::disk::{Described, Disk, DiskError, Object, Taken};
use crate::s3::moment::timestamp;
use crate::s3::permission::{may, only_for_who_lists};
use crate::s3::tags;

/// The most that is copied at once (S3 API Reference, CopyObject).
const LARGEST: u64 = 5 << 30;

pub(super) async fn copy(
    disk: &Disk,
    input: CopyObjectInput,
    headers: &HeaderMap,
) -> S3Result<CopyObjectOutput> {
    let (bucket, key) = source_of(&input.copy_source)?;
    let only_if = only_if(
        condition(headers, &header::IF_MATCH)?,
        condition(headers, &header::IF_NONE_MATCH)?.as_ref(),
    )?;
    let conditions = Conditions {
        matches: input.copy_source_if_match.clone(),
        none_match: input.copy_source_if_none_match.clone(),
        modified_since: input.copy_source_if_modified_since.clone(),
        unmodified_since: input.copy_source_if_unmodified_since.clone(),
    };
    let described = |source: &Object| {
        let (described, kind) = describe(&input, source, (bucket, key))?;
        if !described.tags.is_empty() && input.tagging.is_none() {
            may("s3:GetObjectTagging", bucket, key)?;
            may("s3:PutObjectTagging", &input.bucket, &input.key)?;
        }
        Ok((0..source.size, kind, described))
    };
    let (taken, kind, described) = take(disk, (bucket, key), &conditions, described).await?;
    let value = taken.sums.of(kind).cloned().unwrap_or_default();
    let values = [(kind.name().to_owned(), value)].into();
    let described = Described { checksum: Checksum { values, is_composite: false }, ..described };
    let object = disk.put(input.bucket, input.key, taken, described, only_if).await?;
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(object.etag)),
        last_modified: Some(timestamp(object.modified)),
        checksum_type: type_of(&object.checksum),
        ..CopyObjectResult::default()
    };
    set_checksums!(result, object.checksum.values);
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
}

pub(super) async fn copy_part(disk: &Disk, input: UploadPartCopyInput) -> S3Result<UploadPartCopyOutput> {
    let (bucket, key) = source_of(&input.copy_source)?;
    multipart::check_number(input.part_number)?;
    let kind = multipart::kind_of(&disk.upload(&input.bucket, &input.key, &input.upload_id)?);
    let conditions = Conditions {
        matches: input.copy_source_if_match.clone(),
        none_match: input.copy_source_if_none_match.clone(),
        modified_since: input.copy_source_if_modified_since.clone(),
        unmodified_since: input.copy_source_if_unmodified_since.clone(),
    };
    let range = |source: &Object| Ok((span(input.copy_source_range.as_deref(), source)?, kind, ()));
    let (taken, ..) = take(disk, (bucket, key), &conditions, range).await?;
    let checksums = taken.sums.first();
    let place = (input.bucket, input.key, input.upload_id);
    let part = disk.put_part(place, input.part_number, taken, checksums).await?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.etag)),
        last_modified: Some(timestamp(part.modified)),
        ..CopyPartResult::default()
    };
    set_checksums!(result, part.checksums);
    Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() })
}

/// Takes what is wanted of a source that meets the conditions, and looks it up again if it was replaced in between.
async fn take<T>(
    disk: &Disk,
    (bucket, key): (&str, &str),
    conditions: &Conditions,
    wanted: impl Fn(&Object) -> S3Result<(Span<u64>, Kind, T)>,
) -> S3Result<(Taken, Kind, T)> {
    for _ in 0..TRIES {
        let source = only_for_who_lists(bucket, key, disk.object(bucket, key).map_err(Into::into))?;
        conditions.check_source(&source)?;
        let (span, kind, more) = wanted(&source)?;
        check_size(span.end - span.start)?;
        match disk.take_from(source, span, Digests::new(&[kind])).await {
            Err(DiskError::NoSuchKey) => (),
            taken => return Ok((taken?, kind, more)),
        }
    }
    Err(replaced_all_the_time())
}

/// Bucket and key of what is copied.
fn source_of(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket { bucket, key, .. } => Ok((bucket, key)),
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => {
            Err(s3_error!(NotImplemented, "x-amz-copy-source must be written bucket/key."))
        }
    }
}

fn check_size(size: u64) -> S3Result<()> {
    if size > LARGEST {
        return Err(s3_error!(
            InvalidRequest,
            "The specified copy source is larger than the maximum allowable size for a copy source. Copy it in parts."
        ));
    }
    Ok(())
}

/// The range of a source that a part is to have.
fn span(range: Option<&str>, source: &Object) -> S3Result<Span<u64>> {
    let Some(text) = range else { return Ok(0..source.size) };
    let invalid = || {
        s3_error!(
            InvalidArgument,
            "x-amz-copy-source-range must be of the form bytes=first-last, within the source."
        )
    };
    match Range::parse(text) {
        Ok(Range::Int { first, last: Some(last) }) if first <= last && last < source.size => {
            Ok(first..last + 1)
        }
        _ => Err(invalid()),
    }
}

/// What the copy is said to be, and the kind of its checksum.
fn describe(input: &CopyObjectInput, source: &Object, from: (&str, &str)) -> S3Result<(Described, Kind)> {
    let is_new =
        tags::is_replaced(input.metadata_directive.as_ref().map(s3s::dto::MetadataDirective::as_str))?;
    let are_new_tags =
        tags::is_replaced(input.tagging_directive.as_ref().map(s3s::dto::TaggingDirective::as_str))?;
    if from == (&input.bucket, &input.key) && !is_new && !are_new_tags && input.checksum_algorithm.is_none() {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
             metadata, tags or checksum."
        ));
    }
    let properties = if is_new { properties_of!(input) } else { source.properties.clone() };
    check_properties(&properties)?;
    let tags = if are_new_tags { tags::of_header(input.tagging.as_deref())? } else { source.tags.clone() };
    let asked = input.checksum_algorithm.as_ref().map(|name| {
        Kind::parse(name.as_str())
            .ok_or_else(|| s3_error!(InvalidRequest, "The checksum algorithm is not known."))
    });
    let of_source = source.checksum.values.keys().next().and_then(|name| Kind::parse(name));
    let kind = asked.transpose()?.or(of_source).unwrap_or(Kind::Crc64Nvme);
    Ok((Described { properties, tags, checksum: Checksum::default() }, kind))
}
