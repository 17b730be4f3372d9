//! Objects, and what is said of them.

use std::ops::Range as Span;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use s3s::dto::{
    ChecksumMode, ETag, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectInput, GetObjectOutput,
    HeadObjectInput, HeadObjectOutput, ObjectAttributes, Range, StorageClass, StreamingBlob,
};
use s3s::{S3Error, S3ErrorCode, S3Response, S3Result, s3_error};

use super::checksums::{set_checksums, type_of};
use crate::s3::answers::IsObject;
use crate::s3::codes::with_code;
use crate::s3::conditions::{Conditions, Unmet};
use crate::s3::disk::{Content, Disk, DiskError, Object};
use crate::s3::moment::{in_http, of_http, timestamp};
use crate::s3::stream::Chunks;

/// How often an object is looked up again because it was replaced in between.
pub(super) const TRIES: usize = 5;

pub(super) async fn get(disk: &Disk, input: GetObjectInput) -> S3Result<S3Response<GetObjectOutput>> {
    let conditions = Conditions {
        matches: input.if_match,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    for _ in 0..TRIES {
        let object = disk.object(&input.bucket, &input.key)?;
        meet(&conditions, &object)?;
        let part = Part::of(&object, input.range, input.part_number)?;
        let content = match disk.content(&object, part.span.clone()).await {
            Err(DiskError::NoSuchKey) => continue,
            content => content?,
        };
        return Ok(answer_get(&object, &part, content, wants_checksum(input.checksum_mode.as_ref())));
    }
    Err(replaced_all_the_time())
}

pub(super) fn replaced_all_the_time() -> S3Error {
    s3_error!(SlowDown, "The object is being replaced all the time. Try again.")
}

pub(super) fn head(disk: &Disk, input: HeadObjectInput) -> S3Result<S3Response<HeadObjectOutput>> {
    let object = disk.object(&input.bucket, &input.key)?;
    let conditions = Conditions {
        matches: input.if_match,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    meet(&conditions, &object)?;
    let part = Part::of(&object, input.range, input.part_number)?;
    let overridden = [
        (header::CONTENT_TYPE, input.response_content_type),
        (header::CONTENT_LANGUAGE, input.response_content_language),
        (header::EXPIRES, input.response_expires.as_ref().and_then(in_http)),
        (header::CACHE_CONTROL, input.response_cache_control),
        (header::CONTENT_DISPOSITION, input.response_content_disposition),
        (header::CONTENT_ENCODING, input.response_content_encoding),
    ];
    let mut response = answer_head(&object, &part, wants_checksum(input.checksum_mode.as_ref()));
    for (name, value) in overridden {
        let Some(value) = value else { continue };
        let value = HeaderValue::try_from(value);
        response.headers.insert(
            name,
            value.map_err(|_| s3_error!(InvalidArgument, "A response- parameter is no header."))?,
        );
    }
    Ok(response)
}

pub(super) fn attributes(
    disk: &Disk,
    input: &GetObjectAttributesInput,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let object = disk.object(&input.bucket, &input.key)?;
    let wants = |name: &str| input.object_attributes.iter().any(|wanted| wanted.as_str() == name);
    let mut checksum = s3s::dto::Checksum { checksum_type: type_of(&object.checksum), ..Default::default() };
    set_checksums!(checksum, object.checksum.values);
    let parts = object.parts().map(|parts| s3s::dto::GetObjectAttributesParts {
        total_parts_count: i32::try_from(parts.len()).ok(),
        ..Default::default()
    });
    let standard = StorageClass::from_static(StorageClass::STANDARD);
    Ok(S3Response::new(GetObjectAttributesOutput {
        e_tag: wants(ObjectAttributes::ETAG).then(|| etag(&object)),
        checksum: wants(ObjectAttributes::CHECKSUM).then_some(checksum),
        object_parts: parts.filter(|_| wants(ObjectAttributes::OBJECT_PARTS)),
        object_size: wants(ObjectAttributes::OBJECT_SIZE).then(|| length(object.size)),
        storage_class: wants(ObjectAttributes::STORAGE_CLASS).then_some(standard),
        last_modified: Some(timestamp(object.modified)),
        ..GetObjectAttributesOutput::default()
    }))
}

fn wants_checksum(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

/// # Errors
/// In S3's form, the condition that is not met. What has not changed says so without a body (RFC 9110, 15.4.5).
fn meet(conditions: &Conditions, object: &Object) -> S3Result<()> {
    match conditions.check(object) {
        Ok(()) => Ok(()),
        Err(Unmet::Failed(condition)) => Err(DiskError::ConditionFailed(condition).into()),
        Err(Unmet::NotModified) => {
            let mut error = S3Error::new(S3ErrorCode::NotModified);
            let tag = HeaderValue::try_from(format!("\"{}\"", object.etag)).ok();
            let modified =
                in_http(&timestamp(object.modified)).and_then(|text| HeaderValue::try_from(text).ok());
            let headers = [(header::ETAG, tag), (header::LAST_MODIFIED, modified)];
            let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
            error.set_headers(headers.collect());
            Err(error)
        }
    }
}

/// What of an object is asked for.
struct Part {
    span: Span<u64>,
    /// It is not all of it.
    is_range: bool,
    /// How many parts the object has, where one of them is asked for.
    count: Option<i32>,
}

impl Part {
    fn of(object: &Object, range: Option<Range>, number: Option<i32>) -> S3Result<Self> {
        match (range, number) {
            (None, None) => Ok(Self { span: 0..object.size, is_range: false, count: None }),
            // Of nothing, there is not even a last byte.
            (Some(_), None) if object.size == 0 => Err(unsatisfiable(object)),
            (Some(range), None) => {
                let span = range.check(object.size).map_err(|_| unsatisfiable(object))?;
                Ok(Self { span, is_range: true, count: None })
            }
            (None, Some(number)) => Self::numbered(object, number),
            (Some(_), Some(_)) => Err(s3_error!(
                InvalidRequest,
                "Cannot specify both Range header and partNumber query parameter."
            )),
        }
    }

    /// The part with a number, from 1. An object that was not uploaded in parts has one.
    fn numbered(object: &Object, number: i32) -> S3Result<Self> {
        let parts = object.parts();
        let count = parts.as_ref().and_then(|parts| i32::try_from(parts.len()).ok());
        let sizes = parts.unwrap_or_else(|| vec![object.size]);
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let index = index.ok_or_else(|| s3_error!(InvalidArgument, "Part numbers begin with 1."))?;
        let size = sizes.get(index).ok_or_else(|| invalid_part_number(sizes.len()))?;
        let start = sizes.iter().take(index).sum();
        Ok(Self { span: start..start + size, is_range: true, count })
    }

    fn content_range(&self, object: &Object) -> Option<String> {
        let last = self.span.end.checked_sub(1).filter(|_| self.is_range && !self.span.is_empty())?;
        Some(format!("bytes {}-{last}/{}", self.span.start, object.size))
    }

    fn status(&self) -> Option<StatusCode> {
        self.is_range.then_some(StatusCode::PARTIAL_CONTENT)
    }

    fn length(&self) -> i64 {
        length(self.span.end - self.span.start)
    }
}

fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn unsatisfiable(object: &Object) -> S3Error {
    let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable.");
    if let Ok(value) = HeaderValue::try_from(format!("bytes */{}", object.size)) {
        error.set_headers(HeaderMap::from_iter([(header::CONTENT_RANGE, value)]));
    }
    error
}

fn invalid_part_number(count: usize) -> S3Error {
    let message = format!("The requested part number is not satisfiable: there are {count}.");
    with_code("InvalidPartNumber", StatusCode::RANGE_NOT_SATISFIABLE, message)
}

fn etag(object: &Object) -> ETag {
    ETag::Strong(object.etag.clone())
}

/// S3's own, for what nobody said the type of.
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// Sets what the answers of GET and of HEAD have in common.
macro_rules! describe {
    ($output:expr, $object:expr, $part:expr, $with_checksum:expr) => {{
        let (output, object, part) = (&mut $output, $object, $part);
        let properties = &object.properties;
        output.accept_ranges = Some("bytes".into());
        output.content_length = Some(part.length());
        output.content_range = part.content_range(object);
        output.e_tag = Some(etag(object));
        output.last_modified = Some(timestamp(object.modified));
        output.content_type = Some(properties.content_type.clone().unwrap_or_else(|| DEFAULT_TYPE.into()));
        output.cache_control = properties.cache_control.clone();
        output.content_disposition = properties.content_disposition.clone();
        output.content_encoding = properties.content_encoding.clone();
        output.content_language = properties.content_language.clone();
        output.expires = properties.expires.as_deref().and_then(of_http);
        output.metadata = Some(properties.metadata.clone().into_iter().collect());
        output.parts_count = part.count;
        // A checksum of the whole says nothing of a range.
        if $with_checksum && !part.is_range {
            set_checksums!(*output, object.checksum.values);
            output.checksum_type = type_of(&object.checksum);
        }
    }};
}

fn answer_get(
    object: &Object,
    part: &Part,
    content: Content,
    with_checksum: bool,
) -> S3Response<GetObjectOutput> {
    let mut output = GetObjectOutput { body: Some(body(content, part)), ..GetObjectOutput::default() };
    describe!(output, object, part, with_checksum);
    output.tag_count = i32::try_from(object.tags.len()).ok().filter(|count| *count > 0);
    let mut response = S3Response { status: part.status(), ..S3Response::new(output) };
    response.extensions.insert(IsObject);
    response
}

fn answer_head(object: &Object, part: &Part, with_checksum: bool) -> S3Response<HeadObjectOutput> {
    let mut output = HeadObjectOutput::default();
    describe!(output, object, part, with_checksum);
    let count = Some(object.tags.len()).filter(|count| *count > 0);
    let count = count.map(|count| (HeaderName::from_static("x-amz-tagging-count"), HeaderValue::from(count)));
    S3Response { status: part.status(), ..S3Response::with_headers(output, count.into_iter().collect()) }
}

fn body(content: Content, part: &Part) -> StreamingBlob {
    match content {
        Content::Bytes(bytes) => StreamingBlob::from(s3s::Body::from(bytes)),
        Content::Chunks(chunks) => StreamingBlob::new(Chunks::new(chunks, part.span.end - part.span.start)),
    }
}
