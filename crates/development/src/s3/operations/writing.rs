//! Objects that are uploaded whole, and what is said of any that are uploaded.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use s3s::dto::{ETag, PutObjectInput, PutObjectOutput, StreamingBlob};
use s3s::{S3Error, S3Request, S3Response, S3Result, TrailingHeaders, s3_error};

use super::checksums::{set_checksums, type_of};
use crate::s3::conditions::only_if;
use crate::s3::digests::{Checksum, Checksums};
use crate::s3::digests::{Claims, Kind};
use crate::s3::disk::{Described, Disk, Properties, Taken, Untaken};
use crate::s3::moment::in_http;
use crate::s3::tags;

/// The largest object that is uploaded whole (S3 User Guide, "Uploading objects").
const LARGEST: u64 = 5 << 30;
/// How much metadata an object may have, names and values together (S3 User Guide, "Working with object metadata").
const MOST_METADATA: usize = 2 << 10;

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
    let mut properties = Properties {
        content_type: input.content_type.clone(),
        cache_control: input.cache_control.clone(),
        content_disposition: input.content_disposition.clone(),
        content_encoding: input.content_encoding.as_deref().and_then(without_chunks),
        content_language: input.content_language.clone(),
        expires: input.expires.as_ref().and_then(in_http),
        metadata: input.metadata.clone().unwrap_or_default().into_iter().collect(),
    };
    // Some SDKs move what a presigned URL is to say of the object from its headers to its query.
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if let Some(name) = name.to_ascii_lowercase().strip_prefix("x-amz-meta-") {
            properties.metadata.insert(name.to_owned(), value.into_owned());
        }
    }
    check_properties(&properties)?;
    Ok(properties)
}

/// # Errors
/// If there is too much metadata, or something that no answer could say of the object.
pub(super) fn check_properties(properties: &Properties) -> S3Result<()> {
    let size: usize = properties.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MOST_METADATA {
        return Err(s3_error!(
            MetadataTooLarge,
            "Your metadata headers exceed the maximum allowed metadata size."
        ));
    }
    let is_name = |name: &String| HeaderName::try_from(format!("x-amz-meta-{name}")).is_ok();
    let is_text = |text: &String| !text.chars().any(char::is_control);
    let Properties {
        content_type,
        cache_control,
        content_disposition,
        content_encoding,
        content_language,
        ..
    } = properties;
    let texts = [content_type, cache_control, content_disposition, content_encoding, content_language];
    let mut texts = texts.into_iter().flatten().chain(properties.metadata.values());
    if properties.metadata.keys().all(is_name) && texts.all(is_text) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "A header or a name of metadata has characters that no header can have."))
}

/// The encoding of the object, without that of its transfer.
pub(super) fn without_chunks(encoding: &str) -> Option<String> {
    let encodings: Vec<&str> =
        encoding.split(',').map(str::trim).filter(|name| *name != "aws-chunked").collect();
    Some(encodings.join(", ")).filter(|encoding| !encoding.is_empty())
}

fn of_query(uri: &Uri, wanted: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.into_owned())
}
