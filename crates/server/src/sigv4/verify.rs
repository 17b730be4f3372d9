//! Making a signature again, and comparing.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as SignerCredentials;
use aws_lc_rs::digest;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use daypass_core::ground::secret::Secret;
use subtle::ConstantTimeEq;

use super::claim::{Claim, Form, WRITTEN_BY_SIGNER};
use super::error::{SignatureError, incomplete};

/// Whether the holder of `secret` made the signature that a request claims to have, over this request.
///
/// # Errors
/// [`SignatureError::Mismatch`], and [`SignatureError::Payload`] where the client says that it hashed another
/// body.
pub(super) fn verify(
    claim: &Claim,
    parts: &Parts,
    body: &[u8],
    secret: &Secret,
) -> Result<(), SignatureError> {
    let body_hash = hex(digest::digest(&digest::SHA256, body).as_ref());
    check_payload(claim, &parts.headers, &body_hash)?;
    compare(&signature(claim, parts, body_hash, secret)?, claim)
}

/// The same of a request to S3 that means nothing by its body: what the client says of that is signed, and enough. S3's
/// paths are signed as they are (Amazon S3 API Reference, "Authenticating Requests").
///
/// # Errors
/// [`SignatureError::Mismatch`].
pub(super) fn verify_without_body(
    claim: &Claim,
    parts: &Parts,
    secret: &Secret,
) -> Result<(), SignatureError> {
    let declared = claim.content_sha256.clone().unwrap_or_else(|| "UNSIGNED-PAYLOAD".into());
    compare(&signature(claim, parts, declared, secret)?, claim)
}

fn compare(expected: &str, claim: &Claim) -> Result<(), SignatureError> {
    if expected.as_bytes().ct_eq(claim.signature.as_bytes()).into() {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// The body that is signed is the body that came, whole: these services know neither unsigned nor chunked
/// payloads.
fn check_payload(claim: &Claim, headers: &HeaderMap, body_hash: &str) -> Result<(), SignatureError> {
    let chunked = headers.get_all(header::CONTENT_ENCODING).iter().any(|value| {
        value.as_bytes().to_ascii_lowercase().windows(11).any(|coding| coding == b"aws-chunked")
    });
    match claim.content_sha256.as_deref() {
        _ if chunked => Err(SignatureError::Payload("This service does not take 'aws-chunked' bodies")),
        None => Ok(()),
        Some(declared) if declared == body_hash => Ok(()),
        Some(declared) if declared.starts_with("STREAMING-") || declared == "UNSIGNED-PAYLOAD" => {
            Err(SignatureError::Payload("This service needs the hash of the whole body to be signed"))
        }
        Some(_) => Err(SignatureError::Payload(
            "The provided 'x-amz-content-sha256' does not match what was computed",
        )),
    }
}

/// The signature that the holder of `secret` makes over this request. The hash of the body is always our own.
fn signature(
    claim: &Claim,
    parts: &Parts,
    body_hash: String,
    secret: &Secret,
) -> Result<String, SignatureError> {
    // The session token is signed as one header or parameter among the others: the identity bears none, and a
    // signer that is told to exclude it would pass over the client's as well.
    let identity =
        SignerCredentials::new(claim.access_key_id.as_str(), secret.expose(), None, None, "daypass").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&claim.region)
        .name(&claim.service)
        .time(SystemTime::from(claim.signed_at))
        .settings(settings(claim))
        .build()
        .map_err(|_| SignatureError::Mismatch)?
        .into();
    let headers = signed_headers(claim, &parts.headers)?;
    let body = SignableBody::Precomputed(body_hash);
    let request = SignableRequest::new(
        parts.method.as_str(),
        signed_uri(&claim.form, &parts.uri),
        headers.into_iter(),
        body,
    );
    let request = request.map_err(|_| SignatureError::Mismatch)?;
    let (_, signature) = sign(request, &params).map_err(|_| SignatureError::Mismatch)?.into_parts();
    Ok(signature)
}

/// What clients of these services do: paths are normalised and encoded twice, everywhere but at S3.
fn settings(claim: &Claim) -> SigningSettings {
    let mut settings = SigningSettings::default();
    (settings.percent_encoding_mode, settings.uri_path_normalization_mode) = match claim.service.as_str() {
        "s3" => (PercentEncodingMode::Single, UriPathNormalizationMode::Disabled),
        _ => (PercentEncodingMode::Double, UriPathNormalizationMode::Enabled),
    };
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.excluded_headers = None;
    if let Form::Query { expires } = &claim.form {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(expires.as_secs().unsigned_abs()));
    }
    settings
}

/// The headers that are said to be signed, each with all its values: the signer joins them in their order.
fn signed_headers<'a>(
    claim: &'a Claim,
    headers: &'a HeaderMap,
) -> Result<Vec<(&'a str, &'a str)>, SignatureError> {
    let named = claim.signed_headers.iter();
    named
        .flat_map(|name| headers.get_all(name).iter().map(move |value| (name.as_str(), value)))
        .map(|(name, value)| Ok((name, std::str::from_utf8(value.as_bytes()).map_err(|_| unreadable())?)))
        .collect()
}

fn unreadable() -> SignatureError {
    incomplete("a header holds unreadable characters")
}

/// The address as it was before a signer wrote its parameters into it.
fn signed_uri(form: &Form, uri: &Uri) -> String {
    if let Form::Header = form {
        return uri.to_string();
    }
    let parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let kept = parameters.filter(|(name, _)| !WRITTEN_BY_SIGNER.contains(&name.as_ref()));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    format!("{}?{query}", uri.path())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
