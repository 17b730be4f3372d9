//! The gate before S3: whose credentials does this request bear? Session tokens are opened here, before
//! `s3s` sees anything, because it verifies signatures and knows nothing of session tokens. What it would
//! accept and we do not (SigV2, two signatures at once) stops here as well, and what it cannot read is put into words that
//! it reads.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use daypass_core::audit::{AuditAction, AuditDraft, Grounds};
use daypass_core::credentials::access::Access;
use daypass_core::ground::clock::{Clock, Timestamp};
use daypass_core::ground::ids::{AccessKeyId, RequestId};
use daypass_core::ground::secret::Secret;
use daypass_core::iam::Origin;
use s3s::dto::Range;

use super::answers::{self, About};
use super::body::{self, FaultNote};
use super::digests::Claims;
use super::form;
use super::host::place;
use super::moment::of_http;
use super::services::{LARGEST_DOCUMENT, Services, ask};
use daypass_server::installation::Embedded;
use daypass_server::sigv4::{Caller, SignatureError, is_signing_parameter};

/// What a request has to be signed for.
const SERVICE: &str = "s3";
/// By these `s3s` knows a signature of version 2 in a query.
const OLD_PARAMETERS: [&str; 2] = ["AWSAccessKeyId", "Signature"];

/// What the audit trail calls a request whose signer nobody knows.
const SIGNATURE_REFUSED: &str = "signature_refused";

tokio::task_local! {
    static BEARER: Arc<Bearer>;
}

/// The bearer of a request's credentials. Whether they also signed it, `s3s` verifies with the secret, or the gate did.
pub(super) struct Bearer {
    pub access_key_id: AccessKeyId,
    pub secret: Secret,
    pub caller: Caller,
    /// Decides what they may do.
    pub access: Arc<Access>,
    /// Where the request came from.
    pub origin: Origin,
    /// What a form calls the file that it sends.
    pub file_name: Option<String>,
    /// The gate verified the signature itself, and took it out.
    pub is_verified: bool,
    refusals: Mutex<Vec<Refusal>>,
    /// What is wrong with its body.
    pub fault: FaultNote,
}

/// What was refused further in, and why.
pub(super) struct Refusal {
    pub resource: String,
    pub grounds: Grounds,
}

impl Bearer {
    pub fn note_refusal(&self, refusal: Refusal) {
        self.refusals.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(refusal);
    }

    /// What was refused, as one: a batch of keys is one request.
    fn take_refusal(&self) -> Option<Refusal> {
        let mut refusals = self.refusals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let more = refusals.len().saturating_sub(1);
        let mut first = refusals.drain(..).next()?;
        if more > 0 {
            first.resource = format!("{}, and {more} more", first.resource);
        }
        Some(first)
    }
}

/// Whom the gate admitted to the request that is being answered.
pub(super) fn bearer() -> Option<Arc<Bearer>> {
    BEARER.try_with(Clone::clone).ok()
}

/// Lets a request in with the credentials that it bears, and records it if it is refused, here or further
/// in.
pub(super) async fn admit(embedded: Arc<Embedded>, services: Services, request: Request) -> Response {
    let request_id = RequestId::generate(embedded.clock.now(), &*embedded.random);
    let (bucket, key) = place(request.uri().path(), request.headers());
    let is_form = form::is_form(request.method(), request.headers());
    let about = About { method: request.method().clone(), bucket, key, request_id, is_form };
    let by = embedded.proxies.requester(&about.request_id, request.extensions(), request.headers());
    let mut draft = AuditDraft::by(AuditAction::S3Request, &by);
    draft.resource = Some(format!("{} {}", request.method(), request.uri().path()));
    let mut response = match find_bearer(&embedded, &*services.clock, request).await {
        Ok(admitted) => answer(&embedded, admitted, draft, services, &about).await,
        Err(Stopped { status, code, message, detail, access_key_id }) => {
            draft.access_key_id = access_key_id;
            let response = answers::error(status, &code, &message, detail, &about);
            recorded(&embedded, draft, Grounds::new(SIGNATURE_REFUSED, message), response).await
        }
    };
    let id = &about.request_id;
    let name = HeaderValue::from_str(id.as_str()).expect("a GUID is a header value");
    response.headers_mut().insert("x-amz-id-2", name.clone());
    response.headers_mut().insert("x-amz-request-id", name);
    keep_out_of_caches(&mut response);
    let status = response.status().as_u16();
    tracing::info!(request_id = %id, status, "S3 request {id} answered {status}");
    response
}

/// An answer is for whoever signed the request. A browser that is told nothing keeps it, by the age of the
/// object, for the next person at the same address (RFC 9111, 4.2.2); what an object says of itself stands.
fn keep_out_of_caches(response: &mut Response) {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
}

/// A request whose bearer is known.
struct Admitted {
    bearer: Bearer,
    request: Request,
}

async fn answer(
    embedded: &Embedded,
    Admitted { bearer, request }: Admitted,
    mut draft: AuditDraft,
    services: Services,
    about: &About,
) -> Response {
    draft.access_key_id = Some(bearer.access_key_id.clone());
    if let Caller::Session(opened) = &bearer.caller {
        draft.identity_id = Some(opened.session.identity_id.clone());
    }
    let bearer = Arc::new(bearer);
    let mut response = BEARER.scope(bearer.clone(), ask(services.s3, request)).await;
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && let Some(fault) = bearer.fault.take()
    {
        let (status, code, message) = fault.answer();
        response = answers::error(status, code, message, None, about);
    }
    let response = answers::complete(response, about).await;
    let refusal = bearer.take_refusal();
    let grounds = match refusal {
        Some(refusal) => {
            draft.signed();
            draft.resource = Some(refusal.resource);
            refusal.grounds
        }
        None if response.status() != StatusCode::FORBIDDEN => return response,
        None => Grounds::new(SIGNATURE_REFUSED, "the signature does not verify, or its time is over"),
    };
    recorded(embedded, draft, grounds, response).await
}

/// The refusal, once it is in the audit trail. If the trail cannot be written, the request is still refused.
async fn recorded(embedded: &Embedded, draft: AuditDraft, grounds: Grounds, response: Response) -> Response {
    if let Err(error) = embedded.trail.refused(draft, grounds).await {
        tracing::error!(%error, "a refusal could not be recorded");
    }
    response
}

/// Why a request is not let in.
struct Stopped {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    /// An element that this code has besides, and what stands in it.
    detail: Option<(&'static str, String)>,
    access_key_id: Option<AccessKeyId>,
}

fn stopped(status: StatusCode, code: &'static str, message: impl Into<String>) -> Stopped {
    Stopped { status, code: code.into(), message: message.into(), detail: None, access_key_id: None }
}

async fn find_bearer(embedded: &Embedded, clock: &dyn Clock, request: Request) -> Result<Admitted, Stopped> {
    let (mut parts, body) = request.into_parts();
    refuse_old_signature(&parts)?;
    if form::is_form(&parts.method, &parts.headers) {
        return of_form(embedded, parts, body).await;
    }
    let claimed = embedded.callers.claimed(&parts, SERVICE);
    let (access_key_id, session_token) = claimed.map_err(|error| refusal(embedded, &parts, error))?;
    let token = session_token.as_ref().map(Secret::expose);
    let mut bearer = bearer_of(embedded, &parts, access_key_id, token).await?;
    announce_trailer(&mut parts);
    check_hash(&parts)?;
    check_length(&parts)?;
    bearer.is_verified = drop_unreadable(embedded, clock.now(), &mut parts).await?;
    let body = proved(&parts, body).await?;
    Ok(Admitted { bearer, request: Request::from_parts(parts, body) })
}

/// A form says in its fields whose it is.
async fn of_form(embedded: &Embedded, parts: Parts, body: Body) -> Result<Admitted, Stopped> {
    let malformed = |message: &str| stopped(StatusCode::BAD_REQUEST, "MalformedPOSTRequest", message);
    let (fields, body) = form::read(&parts.headers, body).await.map_err(malformed)?;
    let Some(credential) = fields.credential.filter(|_| fields.signature.is_some()) else {
        return Err(refusal(embedded, &parts, SignatureError::Missing));
    };
    let scope: Vec<&str> = credential.split('/').collect();
    let [id, _, region, SERVICE, "aws4_request"] = scope[..] else {
        return Err(malformed("x-amz-credential is not of the form KEY/DATE/REGION/s3/aws4_request."));
    };
    if region != embedded.callers.region.as_str() {
        return Err(malformed(&format!(
            "x-amz-credential must name the Region {}.",
            embedded.callers.region
        )));
    }
    let id = AccessKeyId::parse(id).map_err(|_| refusal(embedded, &parts, SignatureError::UnknownKey))?;
    let bearer = bearer_of(embedded, &parts, id, fields.session_token.as_deref()).await?;
    let bearer = Bearer { file_name: fields.file_name, ..bearer };
    Ok(Admitted { bearer, request: Request::from_parts(parts, body) })
}

async fn bearer_of(
    embedded: &Embedded,
    parts: &Parts,
    access_key_id: AccessKeyId,
    session_token: Option<&str>,
) -> Result<Bearer, Stopped> {
    match embedded.callers.find(&access_key_id, session_token).await {
        Ok((caller, secret)) => Ok(Bearer {
            access_key_id,
            secret,
            caller,
            access: embedded.access.clone(),
            origin: embedded.proxies.origin(&parts.extensions, &parts.headers),
            file_name: None,
            is_verified: false,
            refusals: Mutex::default(),
            fault: FaultNote::default(),
        }),
        Err(error) => Err(Stopped { access_key_id: Some(access_key_id), ..refusal(embedded, parts, error) }),
    }
}

/// A body with a trailer need not say beforehand what will be in it; `s3s` wants a header.
fn announce_trailer(parts: &mut Parts) {
    let hash = parts.headers.get("x-amz-content-sha256").map(HeaderValue::as_bytes).unwrap_or_default();
    if hash.starts_with(b"STREAMING-") && hash.ends_with(b"-TRAILER") {
        parts.headers.entry("x-amz-trailer").or_insert(HeaderValue::from_static(""));
    }
}

/// What a header can be read as, if it counts at all.
type Reads = fn(&str) -> bool;

/// Headers that are as if they were not there when they are not readable, or ask for several ranges (RFC 9110, 13.1.3,
/// 13.1.4 and 14.2). `s3s` refuses them.
const OPTIONAL: [(header::HeaderName, Reads); 3] = [
    // An end that is nowhere, it takes for none.
    (header::RANGE, |text| text != "bytes=-" && Range::parse(text).is_ok()),
    (header::IF_MODIFIED_SINCE, |text| of_http(text).is_some()),
    (header::IF_UNMODIFIED_SINCE, |text| of_http(text).is_some()),
];

/// Takes such headers out. As they may be signed, the signature is verified here, over the request as it came, and what
/// bears it is taken out as well.
async fn drop_unreadable(embedded: &Embedded, now: Timestamp, parts: &mut Parts) -> Result<bool, Stopped> {
    let is_unreadable = |(name, reads): &&(header::HeaderName, Reads)| {
        parts.headers.get(name).is_some_and(|value| !value.to_str().is_ok_and(reads))
    };
    let unreadable: Vec<_> = OPTIONAL.iter().filter(is_unreadable).collect();
    if unreadable.is_empty() || !matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(false);
    }
    let verified = embedded.callers.authenticate_reading(parts, SERVICE, now).await;
    verified.map_err(|error| refusal(embedded, parts, error))?;
    for (name, _) in unreadable {
        parts.headers.remove(name);
    }
    parts.headers.remove(header::AUTHORIZATION);
    parts.uri = without_signature(&parts.uri);
    Ok(true)
}

fn without_signature(uri: &Uri) -> Uri {
    let Some(query) = uri.query() else { return uri.clone() };
    let is_kept = |pair: &&str| !pair.split('=').next().is_some_and(is_signing_parameter);
    let query: Vec<&str> = query.split('&').filter(is_kept).collect();
    format!("{}?{}", uri.path(), query.join("&")).parse().unwrap_or_else(|_| uri.clone())
}

/// What is signed for a body is one of S3's words, or a hash.
fn check_hash(parts: &Parts) -> Result<(), Stopped> {
    let Some(hash) = parts.headers.get("x-amz-content-sha256").map(HeaderValue::as_bytes) else {
        return Ok(());
    };
    let is_hash = hash.len() == 64 && hash.iter().all(u8::is_ascii_hexdigit);
    if is_hash || hash == b"UNSIGNED-PAYLOAD" || hash.starts_with(b"STREAMING-") {
        return Ok(());
    }
    let message =
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, one of the STREAMING forms, or a valid sha256 value.";
    Err(stopped(StatusCode::BAD_REQUEST, "InvalidArgument", message))
}

/// An object has a length beforehand, or comes in chunks; a copy has no body. Hyper takes a request that says nothing for an
/// empty one.
fn check_length(parts: &Parts) -> Result<(), Stopped> {
    let copies = header::HeaderName::from_static("x-amz-copy-source");
    let says = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, copies];
    if parts.method != Method::PUT || says.iter().any(|name| parts.headers.contains_key(name)) {
        return Ok(());
    }
    let message = "You must provide the Content-Length HTTP header.";
    Err(stopped(StatusCode::LENGTH_REQUIRED, "MissingContentLength", message))
}

/// A document that is what its request says it comes to. One that names objects to be removed has to say it.
async fn proved(parts: &Parts, body: Body) -> Result<Body, Stopped> {
    let has = |name: &str| {
        parts.uri.query().is_some_and(|query| query.split('&').any(|it| it.split('=').next() == Some(name)))
    };
    let removes = parts.method == Method::POST && has("delete");
    let changes = parts.method == Method::PUT && ["tagging", "cors", "acl"].into_iter().any(has);
    if !(removes || changes) || body::is_in_chunks(&parts.headers) {
        return Ok(body);
    }
    let claims = Claims::of(&parts.headers).map_err(|error| of_s3(&error))?;
    if claims.are_none() {
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        let missing = stopped(StatusCode::BAD_REQUEST, "InvalidRequest", message);
        return if removes { Err(missing) } else { Ok(body) };
    }
    let bytes = to_bytes(body, LARGEST_DOCUMENT).await;
    let bytes = bytes
        .map_err(|_| stopped(StatusCode::BAD_REQUEST, "IncompleteBody", "The body did not arrive whole."))?;
    let mut digests = claims.digests(None);
    digests.update(&bytes);
    claims.check(&digests.finish(), None).map_err(|error| of_s3(&error))?;
    Ok(Body::from(bytes))
}

fn of_s3(error: &s3s::S3Error) -> Stopped {
    let status = error.status_code().unwrap_or(StatusCode::BAD_REQUEST);
    let code = error.code().as_str().to_owned().into();
    let message = error.message().unwrap_or_default().to_owned();
    Stopped { status, code, message, detail: None, access_key_id: None }
}

/// S3's own codes (S3 API Reference, "List of error codes"). SDKs sign again for the Region that is named.
fn refusal(embedded: &Embedded, parts: &Parts, error: SignatureError) -> Stopped {
    let malformed = if parts.headers.contains_key(header::AUTHORIZATION) {
        "AuthorizationHeaderMalformed"
    } else {
        "AuthorizationQueryParametersError"
    };
    match error {
        SignatureError::Missing => {
            stopped(StatusCode::FORBIDDEN, "AccessDenied", "Anonymous access is not allowed.")
        }
        SignatureError::Incomplete(text) => stopped(StatusCode::BAD_REQUEST, malformed, text),
        SignatureError::HeadersNotSigned(names) => Stopped {
            detail: Some(("HeadersNotSigned", names)),
            ..stopped(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "There were headers present in the request which were not signed",
            )
        },
        SignatureError::WrongScope(_) => Stopped {
            detail: Some(("Region", embedded.callers.region.to_string())),
            ..stopped(StatusCode::BAD_REQUEST, malformed, error.to_string())
        },
        SignatureError::ExpiredSession => {
            stopped(StatusCode::BAD_REQUEST, "ExpiredToken", "The provided token has expired.")
        }
        SignatureError::Store(_) => stopped(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "The store does not answer. Try again.",
        ),
        SignatureError::UnknownKey
        | SignatureError::Skewed(_)
        | SignatureError::Payload(_)
        | SignatureError::Mismatch => stopped(
            StatusCode::FORBIDDEN,
            "InvalidAccessKeyId",
            "The access key ID and session token are not valid here.",
        ),
    }
}

/// `s3s` would take it; it signs neither the host nor the body.
fn refuse_old_signature(parts: &Parts) -> Result<(), Stopped> {
    let in_header = parts.headers.get_all(header::AUTHORIZATION).iter();
    let in_header = in_header.map(HeaderValue::as_bytes).any(|text| text.starts_with(b"AWS "));
    let mut parameters = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let in_query =
        parameters.any(|(name, _)| OLD_PARAMETERS.iter().any(|old| old.eq_ignore_ascii_case(&name)));
    if in_header || in_query {
        let message = "Signature Version 2 is not accepted. Use AWS4-HMAC-SHA256.";
        return Err(stopped(StatusCode::BAD_REQUEST, "InvalidRequest", message));
    }
    Ok(())
}
