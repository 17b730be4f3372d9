//! Objects that are uploaded whole, and what is said of any that are uploaded.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use s3s::dto::{ETag, PutObjectInput, PutObjectOutput, StreamingBlob};
use s3s::{S3Error, S3Request, S3Response, S3Result, TrailingHeaders, s3_error};

use super::checksums::{set_checksums, type_of};
use super::properties::{check_properties, properties_of};
use crate::s3::conditions::only_if;
use crate::s3::digests::{Checksum, Checksums};
use crate::s3::digests::{Claims, Kind};
use crate::s3::disk::{Described, Disk, Properties, Taken, Untaken};
use crate::s3::tags;

/// The largest object that is uploaded whole (S3 User Guide, "Uploading objects").
const LARGEST: u64 = 5 << 30;

pub(super) async fn put(
    disk: &Disk,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let S3Request { input, headers, uri, trailing_headers, method, .. } = request;
    check_length(input.content_length, LARGEST)?;
    disk.bucket(&input.bucket)?;
    let tags = tags::of_header(input.tagging.as_deref().or(of_query(&uri, "x-amz-tagging").as_deref()))?;
    let properties = properties(&input, &uri)?;
    let claimed = if method == Method::POST { claimed_by_form(&input) } else { headers };
    let only_if = only_if(input.if_match, input.if_none_match.as_ref())?;
    let (taken, checksums) = take(disk, input.body, &claimed, trailing_headers.as_ref(), None).await?;
    let described =
        Described { properties, tags, checksum: Checksum { values: checksums, is_composite: false } };
    let object = disk.put(input.bucket, input.key, taken, described, only_if).await?;
    let mut output = PutObjectOutput {
        checksum_type: type_of(&object.checksum),
        e_tag: Some(ETag::Strong(object.etag)),
        ..PutObjectOutput::default()
    };
    set_checksums!(output, object.checksum.values);
    Ok(if method == Method::POST { of_form(output) } else { S3Response::new(output) })
}

/// What the fields of a form say that its file comes to, as headers would.
fn claimed_by_form(input: &PutObjectInput) -> HeaderMap {
    let fields = [
        ("content-md5", &input.content_md5),
        ("x-amz-checksum-crc32", &input.checksum_crc32),
        ("x-amz-checksum-crc32c", &input.checksum_crc32c),
        ("x-amz-checksum-crc64nvme", &input.checksum_crc64nvme),
        ("x-amz-checksum-sha1", &input.checksum_sha1),
        ("x-amz-checksum-sha256", &input.checksum_sha256),
    ];
    // What is no header's value is no checksum either.
    let header = |(name, value): (&'static str, &Option<String>)| {
        let value = HeaderValue::try_from(value.as_deref()?).unwrap_or(HeaderValue::from_static("-"));
        Some((HeaderName::from_static(name), value))
    };
    fields.into_iter().filter_map(header).collect()
}

/// The answer to an upload by form, which has the entity tag as a header as well; `s3s` puts it into documents and addresses
/// without its quotes.
fn of_form(output: PutObjectOutput) -> S3Response<PutObjectOutput> {
    let tag = output.e_tag.as_ref().map(|tag| format!("\"{}\"", tag.value())).unwrap_or_default();
    let header = HeaderValue::try_from(&tag).map(|value| (header::ETAG, value));
    let output = PutObjectOutput { e_tag: Some(ETag::Strong(tag)), ..output };
    S3Response::with_headers(output, header.into_iter().collect())
}

/// Takes the body of an upload, and checks that it is what the request says.
///
/// # Errors
/// If it is not. Then nothing is left of it.
pub(super) async fn take(
    disk: &Disk,
    body: Option<StreamingBlob>,
    headers: &HeaderMap,
    trailer: Option<&TrailingHeaders>,
    kind: Option<Kind>,
) -> S3Result<(Taken, Checksums)> {
    let claims = Claims::of(headers)?;
    let intake = disk.intake(claims.digests(kind));
    let taken = match body {
        Some(body) => intake.take(body).await.map_err(untaken)?,
        None => intake.take(futures::stream::empty()).await.map_err(untaken)?,
    };
    if taken.size > LARGEST {
        return Err(too_large());
    }
    let checksums = claims.check(&taken.sums, trailer)?;
    Ok((taken, checksums))
}

/// What is wrong with a body is noted where it is read, and answered by the gate.
fn untaken(error: Untaken) -> S3Error {
    match error {
        Untaken::Disk(error) => error.into(),
        Untaken::Body(error) => S3Error::with_source(s3s::S3ErrorCode::InternalError, error),
    }
}

/// # Errors
/// If a body is too large to be uploaded at once.
pub(super) fn check_length(length: Option<i64>, largest: u64) -> S3Result<()> {
    let length = length.and_then(|length| u64::try_from(length).ok());
    if length.is_some_and(|length| length > largest) { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> S3Error {
    s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size. Upload it in parts.")
}

fn properties(input: &PutObjectInput, uri: &Uri) -> S3Result<Properties> {
    let mut properties = properties_of!(input);
    // Some SDKs move what a presigned URL is to say of the object from its headers to its query.
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if let Some(name) = name.to_ascii_lowercase().strip_prefix("x-amz-meta-") {
            properties.metadata.insert(name.to_owned(), value.into_owned());
        }
    }
    check_properties(&properties)?;
    Ok(properties)
}

fn of_query(uri: &Uri, wanted: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.into_owned())
}
