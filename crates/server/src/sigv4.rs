//! The gate before the AWS API: who signed this request? The signature is verified by making it again with
//! AWS's own signer (`aws-sigv4`) over exactly the headers that the client says it signed.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests".

use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials as SignerCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use daypass_core::access::{Access, AccessError};
use daypass_core::access_key;
use daypass_core::clock::{Clock, SignedDuration, Timestamp};
use daypass_core::ids::{AccessKeyId, Region};
use daypass_core::seal::Sealer;
use daypass_core::secret::Secret;
use daypass_core::session::{OpenedSession, SessionError};
use daypass_core::store::{SharedStore, StoreError, StoredAccessKey};
use subtle::ConstantTimeEq;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);
const DATE: &str = "x-amz-date";
const SECURITY_TOKEN: &str = "x-amz-security-token";
const CONTENT_SHA256: &str = "x-amz-content-sha256";

/// Headers that decide what a request means. One that is present and not signed could be anybody's.
const MUST_BE_SIGNED: &[&str] = &["host", DATE, SECURITY_TOKEN, CONTENT_SHA256, "x-amz-target"];

/// Who signed a request.
#[derive(Debug)]
pub enum Caller {
    /// The holder of a developer access key. Its policy decides.
    Developer(StoredAccessKey),
    /// The holder of temporary credentials. The role's policy decides.
    Session(OpenedSession),
}

impl Caller {
    /// The ID of the credentials that the request was signed with.
    #[must_use]
    pub fn access_key_id(&self) -> &AccessKeyId {
        match self {
            Self::Developer(key) => &key.id,
            Self::Session(opened) => &opened.access_key_id,
        }
    }
}

/// Why a request has no caller.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// No signature at all.
    #[error("Missing Authentication Token")]
    Missing,
    /// A signature that cannot be one.
    #[error("{0}")]
    Incomplete(String),
    /// No such access key, or not with this session token, or it is disabled.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// The credentials are over, or were revoked.
    #[error("The security token included in the request is expired")]
    ExpiredSession,
    /// Signed too long ago, or too far ahead.
    #[error("Signature expired: the request's date is more than 15 minutes from the server's")]
    Skewed,
    /// Signed for another Region than the one that answers.
    #[error("Credential should be scoped to a valid Region: this is {0}")]
    WrongRegion(Region),
    /// Signed with another secret, or something was changed since.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
         Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds out who signed requests.
pub struct Callers {
    /// Keeps developer access keys.
    pub store: SharedStore,
    /// Opens their secrets.
    pub key_sealer: Sealer,
    /// Opens session tokens.
    pub access: Arc<Access>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The Region that requests have to be signed for.
    pub region: Region,
}

/// What the `Authorization` header claims.
struct Claim<'a> {
    access_key_id: AccessKeyId,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl Callers {
    /// The caller of a request to `service`, its signature verified over all that it means.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub async fn authenticate(
        &self,
        parts: &Parts,
        body: &Bytes,
        service: &str,
    ) -> Result<Caller, SignatureError> {
        let claim = claim(&parts.headers, service)?;
        if claim.region != self.region.as_str() {
            return Err(SignatureError::WrongRegion(self.region.clone()));
        }
        let signed_at = self.signing_time(&claim, &parts.headers)?;
        let token = single_header(&parts.headers, SECURITY_TOKEN)?;
        let (caller, secret) = self.find(&claim.access_key_id, token).await?;
        let expected = signature(parts, body, &claim, signed_at, &secret)?;
        if expected.as_bytes().ct_eq(claim.signature.as_bytes()).into() {
            Ok(caller)
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    fn signing_time(&self, claim: &Claim<'_>, headers: &HeaderMap) -> Result<Timestamp, SignatureError> {
        let text =
            single_header(headers, DATE)?.ok_or_else(|| incomplete("the X-Amz-Date header is missing"))?;
        let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text)
            .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC))
            .map_err(|_| incomplete("X-Amz-Date must be written YYYYMMDD'T'HHMMSS'Z'"))?;
        if !text.starts_with(claim.date) || claim.date.len() != 8 {
            return Err(incomplete("the date in Credential is not that of X-Amz-Date"));
        }
        let skew = self.clock.now().duration_since(time.timestamp()).abs();
        if skew > MAX_SKEW { Err(SignatureError::Skewed) } else { Ok(time.timestamp()) }
    }

    /// The holder of an access key, and the secret that their signature is made with. The caller still has to
    /// verify one.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub async fn find(
        &self,
        id: &AccessKeyId,
        token: Option<&str>,
    ) -> Result<(Caller, Secret), SignatureError> {
        if let Some(token) = token {
            let opened = self.access.open(id, token).await.map_err(session_error)?;
            let secret = opened.secret_access_key.clone();
            return Ok((Caller::Session(opened), secret));
        }
        let key = self.store.lookup_access_key(id).await?.filter(|key| key.enabled);
        let key = key.ok_or(SignatureError::UnknownKey)?;
        let secret = access_key::open(&self.key_sealer, &key).ok_or(SignatureError::UnknownKey)?;
        Ok((Caller::Developer(key), secret))
    }
}

fn session_error(error: AccessError) -> SignatureError {
    match error {
        AccessError::Session(SessionError::Invalid) | AccessError::Denied(_) => SignatureError::UnknownKey,
        AccessError::Session(SessionError::Expired) | AccessError::Revoked => SignatureError::ExpiredSession,
        AccessError::Store(error) => SignatureError::Store(error),
    }
}

/// Reads the `Authorization` header:
/// `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, SignedHeaders=…, Signature=…`.
fn claim<'a>(headers: &'a HeaderMap, service: &str) -> Result<Claim<'a>, SignatureError> {
    let text = single_header(headers, header::AUTHORIZATION.as_str())?.ok_or(SignatureError::Missing)?;
    let fields =
        text.strip_prefix(ALGORITHM).ok_or_else(|| incomplete("Authorization must use AWS4-HMAC-SHA256"))?;
    let field = |name: &str| {
        let mut found =
            fields.split(',').filter_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        match (found.next(), found.next()) {
            (Some(value), None) => Ok(value),
            _ => Err(incomplete(&format!("Authorization header requires one '{name}' parameter"))),
        }
    };
    let [key, date, region, scope_service, terminator] = *field("Credential")?.split('/').collect::<Vec<_>>()
    else {
        return Err(incomplete("Credential must be written key/date/region/service/aws4_request"));
    };
    if scope_service != service || terminator != "aws4_request" {
        return Err(incomplete(&format!("Credential should be scoped to correct service: '{service}'")));
    }
    let signed_headers: Vec<&str> = field("SignedHeaders")?.split(';').collect();
    check_signed_headers(headers, &signed_headers)?;
    Ok(Claim {
        access_key_id: AccessKeyId::parse(key).map_err(|_| SignatureError::UnknownKey)?,
        date,
        region,
        service: scope_service,
        signed_headers,
        signature: field("Signature")?,
    })
}

fn check_signed_headers(headers: &HeaderMap, signed: &[&str]) -> Result<(), SignatureError> {
    if let Some(name) =
        MUST_BE_SIGNED.iter().find(|name| headers.contains_key(**name) && !signed.contains(name))
    {
        return Err(incomplete(&format!("'{name}' must be among the SignedHeaders")));
    }
    // The signer would look for the host elsewhere and abort where there is none.
    if !signed.contains(&"host") || signed.iter().any(|name| !headers.contains_key(*name)) {
        return Err(incomplete("SignedHeaders must name 'host', and only headers that the request has"));
    }
    Ok(())
}

/// Two values of a header that we act on are two meanings of one request.
fn single_header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| incomplete("a header holds unreadable characters"))
        }
        (Some(_), Some(_)) => Err(incomplete(&format!("'{name}' stands there twice"))),
    }
}

fn incomplete(text: &str) -> SignatureError {
    SignatureError::Incomplete(text.to_owned())
}

/// The signature that the holder of `secret` makes over this request. The hash of the body is always our
/// own, so a request that declares its payload unsigned does not verify.
fn signature(
    parts: &Parts,
    body: &Bytes,
    claim: &Claim<'_>,
    signed_at: Timestamp,
    secret: &Secret,
) -> Result<String, SignatureError> {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Double;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Enabled;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.excluded_headers = None;
    // The session token is signed as one header among the others: the identity bears none, and a signer that
    // is told to exclude it would pass over the client's header as well.
    let identity =
        SignerCredentials::new(claim.access_key_id.as_str(), secret.expose(), None, None, "daypass").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(claim.region)
        .name(claim.service)
        .time(SystemTime::from(signed_at))
        .settings(settings)
        .build()
        .map_err(|_| SignatureError::Mismatch)?
        .into();
    let headers = claim.signed_headers.iter().flat_map(|name| {
        parts.headers.get_all(*name).iter().filter_map(move |value| Some((*name, value.to_str().ok()?)))
    });
    let uri = parts.uri.to_string();
    let request = SignableRequest::new(parts.method.as_str(), uri, headers, SignableBody::Bytes(body))
        .map_err(|_| SignatureError::Mismatch)?;
    let (_, signature) = sign(request, &params).map_err(|_| SignatureError::Mismatch)?.into_parts();
    Ok(signature)
}
