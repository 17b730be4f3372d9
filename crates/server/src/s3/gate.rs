//! The gate before S3: whose credentials does this request bear? Session tokens are opened here, before
//! `s3s` sees anything, because it verifies signatures and knows nothing of session tokens. What it would
//! accept and we do not (SigV2, form uploads, two signatures at once) stops here as well.

use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use daypass_core::audit::{AuditAction, AuditDraft};
use daypass_core::ids::{AccessKeyId, RequestId};
use daypass_core::secret::Secret;
use percent_encoding::percent_decode_str;

use super::error;
use crate::sigv4::{Caller, SignatureError};
use crate::wire::Embedded;

tokio::task_local! {
    static ADMITTED: Arc<Admitted>;
}

/// The bearer of a request's credentials. Whether they also signed it, `s3s` verifies with the secret.
pub(super) struct Admitted {
    pub access_key_id: AccessKeyId,
    pub secret: Secret,
    pub caller: Caller,
    refusal: Mutex<Option<Refusal>>,
}

/// What was refused further in, and why.
pub(super) struct Refusal {
    pub resource: String,
    pub reason: String,
}

impl Admitted {
    pub fn note_refusal(&self, refusal: Refusal) {
        *self.refusal.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(refusal);
    }

    fn take_refusal(&self) -> Option<Refusal> {
        self.refusal.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

/// Whom the gate admitted to the request that is being answered.
pub(super) fn admitted() -> Option<Arc<Admitted>> {
    ADMITTED.try_with(Clone::clone).ok()
}

/// Lets a request in with the credentials that it bears, and records it if it is refused, here or further
/// in.
pub(super) async fn admit(State(embedded): State<Arc<Embedded>>, request: Request, next: Next) -> Response {
    let id = RequestId::generate(embedded.clock.now(), &*embedded.random);
    let mut draft = AuditDraft::new(AuditAction::S3Request, &id);
    draft.resource = Some(format!("{} {}", request.method(), request.uri().path()));
    let bearing = read_bearing(&request);
    let mut response = match find_bearer(&embedded, bearing).await {
        Ok(bearer) => answer(&embedded, bearer, draft, request, next).await,
        Err(refusal) => {
            draft.access_key_id = refusal.access_key_id;
            let response = error(refusal.status, refusal.code, &refusal.message, &id);
            recorded(&embedded, draft, refusal.message, response).await
        }
    };
    let name = HeaderValue::from_str(id.as_str()).expect("a GUID is a header value");
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

async fn answer(
    embedded: &Embedded,
    bearer: Admitted,
    mut draft: AuditDraft,
    request: Request,
    next: Next,
) -> Response {
    draft.access_key_id = Some(bearer.access_key_id.clone());
    if let Caller::Session(opened) = &bearer.caller {
        draft.identity_id = Some(opened.session.identity_id.clone());
    }
    let bearer = Arc::new(bearer);
    let response = ADMITTED.scope(bearer.clone(), next.run(request)).await;
    if response.status() != StatusCode::FORBIDDEN {
        return response;
    }
    let reason = match bearer.take_refusal() {
        Some(refusal) => {
            draft.signed();
            draft.resource = Some(refusal.resource);
            refusal.reason
        }
        None => "the signature does not verify, or its time is over".into(),
    };
    recorded(embedded, draft, reason, response).await
}

/// The refusal, once it is in the audit trail. If the trail cannot be written, the request is still refused.
async fn recorded(embedded: &Embedded, draft: AuditDraft, reason: String, response: Response) -> Response {
    if let Err(error) = embedded.trail.refused(draft, reason).await {
        tracing::error!(%error, "a refusal could not be recorded");
    }
    response
}

/// Why a request is not let in.
struct Stopped {
    status: StatusCode,
    code: &'static str,
    message: String,
    access_key_id: Option<AccessKeyId>,
}

fn stopped(status: StatusCode, code: &'static str, message: impl Into<String>) -> Stopped {
    Stopped { status, code, message: message.into(), access_key_id: None }
}

/// Where in a request its credentials stand.
struct Bearing {
    access_key_id: AccessKeyId,
    session_token: Option<String>,
}

async fn find_bearer(embedded: &Embedded, bearing: Result<Bearing, Stopped>) -> Result<Admitted, Stopped> {
    let Bearing { access_key_id, session_token } = bearing?;
    match embedded.callers.find(&access_key_id, session_token.as_deref()).await {
        Ok((caller, secret)) => Ok(Admitted { access_key_id, secret, caller, refusal: Mutex::default() }),
        Err(error) => Err(Stopped { access_key_id: Some(access_key_id), ..unknown_bearer(&error) }),
    }
}

fn unknown_bearer(error: &SignatureError) -> Stopped {
    match error {
        SignatureError::ExpiredSession => {
            stopped(StatusCode::BAD_REQUEST, "ExpiredToken", "The provided token has expired.")
        }
        SignatureError::Store(_) => stopped(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "The store does not answer. Try again.",
        ),
        SignatureError::UnknownKey
        | SignatureError::Missing
        | SignatureError::Incomplete(_)
        | SignatureError::Skewed(_)
        | SignatureError::WrongScope(_)
        | SignatureError::Payload(_)
        | SignatureError::Mismatch => stopped(
            StatusCode::FORBIDDEN,
            "InvalidAccessKeyId",
            "The access key ID and session token are not valid here.",
        ),
    }
}

fn read_bearing(request: &Request) -> Result<Bearing, Stopped> {
    refuse_form_upload(request)?;
    let query = Query::of(request);
    let authorization = single(request.headers(), header::AUTHORIZATION.as_str())?;
    let presigned = query.get("X-Amz-Credential")?;
    if query.has("AWSAccessKeyId") || authorization.is_some_and(|text| text.starts_with("AWS ")) {
        let message = "Signature Version 2 is not accepted. Use AWS4-HMAC-SHA256.";
        return Err(stopped(StatusCode::BAD_REQUEST, "InvalidRequest", message));
    }
    match (authorization, presigned) {
        (Some(_), Some(_)) => {
            let message = "Only one authentication mechanism is allowed.";
            Err(stopped(StatusCode::BAD_REQUEST, "InvalidArgument", message))
        }
        (None, None) => {
            Err(stopped(StatusCode::FORBIDDEN, "AccessDenied", "Anonymous access is not allowed."))
        }
        (None, Some(credential)) => {
            check_expiry(query.get("X-Amz-Expires")?.as_deref())?;
            bearing(&credential, query.get("X-Amz-Security-Token")?)
        }
        (Some(authorization), None) => {
            let token = single(request.headers(), "x-amz-security-token")?.map(str::to_owned);
            bearing(credential_of(authorization), token)
        }
    }
}

/// A presigned address lives a week at most (IAM User Guide, "Query string authentication").
fn check_expiry(seconds: Option<&str>) -> Result<(), Stopped> {
    const WEEK: u32 = 604_800;
    if seconds.and_then(|text| text.parse().ok()).is_some_and(|seconds: u32| (1..=WEEK).contains(&seconds)) {
        return Ok(());
    }
    let message = "X-Amz-Expires must be 1 to 604800 seconds.";
    Err(stopped(StatusCode::BAD_REQUEST, "AuthorizationQueryParametersError", message))
}

/// `s3s` reads the credentials of a form upload from its body, behind our back.
fn refuse_form_upload(request: &Request) -> Result<(), Stopped> {
    let content_type =
        request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if request.method() == Method::POST && content_type.to_ascii_lowercase().starts_with(b"multipart/") {
        let message = "Uploads by HTML form are not accepted. Use PUT.";
        return Err(stopped(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message));
    }
    Ok(())
}

fn credential_of(authorization: &str) -> &str {
    let (_, fields) = authorization.split_once("Credential=").unwrap_or_default();
    fields.split(',').next().unwrap_or_default()
}

fn bearing(credential: &str, session_token: Option<String>) -> Result<Bearing, Stopped> {
    let key = credential.split('/').next().unwrap_or_default();
    match AccessKeyId::parse(key) {
        Ok(access_key_id) => Ok(Bearing { access_key_id, session_token }),
        Err(_) => Err(unknown_bearer(&SignatureError::UnknownKey)),
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Stopped> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ambiguous(name)),
        (Some(_), Some(_)) => Err(ambiguous(name)),
    }
}

fn ambiguous(name: &str) -> Stopped {
    stopped(
        StatusCode::BAD_REQUEST,
        "InvalidArgument",
        format!("{name} must stand there once, in plain characters."),
    )
}

/// The query's parameters, decoded.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(request: &Request) -> Self {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let pairs = request
            .uri()
            .query()
            .unwrap_or_default()
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    fn has(&self, wanted: &str) -> bool {
        self.0.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    }

    fn get(&self, wanted: &str) -> Result<Option<String>, Stopped> {
        let mut found = self.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(ambiguous(wanted)),
            (found, _) => Ok(found.map(|(_, value)| value.clone())),
        }
    }
}
