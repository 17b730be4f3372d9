//! The gate before S3: whose credentials does this request bear? Session tokens are opened here, before
//! `s3s` sees anything, because it verifies signatures and knows nothing of session tokens. What it would
//! accept and we do not (SigV2, form uploads, two signatures at once) stops here as well.

use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use daypass_core::audit::{AuditAction, AuditDraft, Grounds};
use daypass_core::credentials::access::Access;
use daypass_core::ground::ids::{AccessKeyId, RequestId};
use daypass_core::ground::secret::Secret;
use daypass_core::iam::Origin;

use super::body::FaultNote;
use super::error;
use daypass_server::installation::Embedded;
use daypass_server::sigv4::{Caller, SignatureError};

/// What a request has to be signed for.
const SERVICE: &str = "s3";
/// By these `s3s` knows a signature of version 2 in a query.
const OLD_PARAMETERS: [&str; 2] = ["AWSAccessKeyId", "Signature"];

/// What the audit trail calls a request whose signer nobody knows.
const SIGNATURE_REFUSED: &str = "signature_refused";

tokio::task_local! {
    static BEARER: Arc<Bearer>;
}

/// The bearer of a request's credentials. Whether they also signed it, `s3s` verifies with the secret.
pub(super) struct Bearer {
    pub access_key_id: AccessKeyId,
    pub secret: Secret,
    pub caller: Caller,
    /// Decides what they may do.
    pub access: Arc<Access>,
    /// Where the request came from.
    pub origin: Origin,
    refusal: Mutex<Option<Refusal>>,
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
        *self.refusal.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(refusal);
    }

    fn take_refusal(&self) -> Option<Refusal> {
        self.refusal.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

/// Whom the gate admitted to the request that is being answered.
pub(super) fn bearer() -> Option<Arc<Bearer>> {
    BEARER.try_with(Clone::clone).ok()
}

/// Lets a request in with the credentials that it bears, and records it if it is refused, here or further
/// in.
pub(super) async fn admit(State(embedded): State<Arc<Embedded>>, request: Request, next: Next) -> Response {
    let id = RequestId::generate(embedded.clock.now(), &*embedded.random);
    let mut draft = AuditDraft::new(AuditAction::S3Request, &id);
    draft.resource = Some(format!("{} {}", request.method(), request.uri().path()));
    let (parts, body) = request.into_parts();
    let mut response = match find_bearer(&embedded, &parts).await {
        Ok(bearer) => answer(&embedded, bearer, draft, Request::from_parts(parts, body), next, &id).await,
        Err(Stopped { status, code, message, detail, access_key_id }) => {
            draft.access_key_id = access_key_id;
            let response = error(status, code, &message, detail, &id);
            recorded(&embedded, draft, Grounds::new(SIGNATURE_REFUSED, message), response).await
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
    bearer: Bearer,
    mut draft: AuditDraft,
    request: Request,
    next: Next,
    id: &RequestId,
) -> Response {
    draft.access_key_id = Some(bearer.access_key_id.clone());
    if let Caller::Session(opened) = &bearer.caller {
        draft.identity_id = Some(opened.session.identity_id.clone());
    }
    let bearer = Arc::new(bearer);
    let mut response = BEARER.scope(bearer.clone(), next.run(request)).await;
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && let Some(fault) = bearer.fault.take()
    {
        let (status, code, message) = fault.answer();
        response = error(status, code, message, None, id);
    }
    if response.status() != StatusCode::FORBIDDEN {
        return response;
    }
    let grounds = match bearer.take_refusal() {
        Some(refusal) => {
            draft.signed();
            draft.resource = Some(refusal.resource);
            refusal.grounds
        }
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
    code: &'static str,
    message: String,
    /// An element that this code has besides, and what stands in it.
    detail: Option<(&'static str, String)>,
    access_key_id: Option<AccessKeyId>,
}

fn stopped(status: StatusCode, code: &'static str, message: impl Into<String>) -> Stopped {
    Stopped { status, code, message: message.into(), detail: None, access_key_id: None }
}

async fn find_bearer(embedded: &Embedded, parts: &Parts) -> Result<Bearer, Stopped> {
    refuse_form_upload(parts)?;
    refuse_old_signature(parts)?;
    let claimed = embedded.callers.claimed(parts, SERVICE);
    let (access_key_id, session_token) = claimed.map_err(|error| refusal(embedded, parts, error))?;
    match embedded.callers.find(&access_key_id, session_token.as_ref().map(Secret::expose)).await {
        Ok((caller, secret)) => {
            let origin = embedded.proxies.origin(&parts.extensions, &parts.headers);
            Ok(Bearer {
                access_key_id,
                secret,
                caller,
                access: embedded.access.clone(),
                origin,
                refusal: Mutex::default(),
                fault: FaultNote::default(),
            })
        }
        Err(error) => Err(Stopped { access_key_id: Some(access_key_id), ..refusal(embedded, parts, error) }),
    }
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

/// `s3s` reads the credentials of a form upload from its body, behind our back.
fn refuse_form_upload(parts: &Parts) -> Result<(), Stopped> {
    let content_type = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if parts.method == Method::POST && content_type.to_ascii_lowercase().starts_with(b"multipart/") {
        let message = "Uploads by HTML form are not accepted. Use PUT.";
        return Err(stopped(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message));
    }
    Ok(())
}
