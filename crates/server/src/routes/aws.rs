//! `POST /`, and `GET /` with an `Action`: the AWS API. Which protocol a request speaks, which operation it asks for and whether that one
//! needs a signature are settled here, before any operation sees it: what is not declared public is
//! closed.

mod cognito;
mod form;
pub mod model;
mod operations;
mod pool;
mod shapes;
pub mod sts;
mod validation;

use axum::extract::{Extension, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use daypass_core::audit::Requester;

use super::body;
use super::state::SharedEmbedded;
use crate::error::{ApiError, Dialect, Protocol};
use crate::installation::Embedded;
use crate::rate_limits::TooOften;
use crate::sigv4::Caller;

/// Ten logins of 50,000 characters, and some room.
const MAX_BODY: usize = 576 * 1024;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody: the model says `authtype: none`, and what the request holds is its own authority.
    Public,
    /// Whoever signs it with a developer access key, or with credentials, whose policy allows it.
    Signed,
}

/// Answers hold credentials and tokens, and a GET may be answered from a cache: none keeps them.
pub(super) async fn handle(
    State(embedded): SharedEmbedded,
    Extension(by): Extension<Requester>,
    request: Request,
) -> Response {
    let protocol = protocol(request.method(), request.headers());
    let dialect = Dialect::Aws(protocol);
    let (parts, body) = request.into_parts();
    let answered = async {
        let body = body::read(body, MAX_BODY, dialect).await?;
        match protocol {
            Protocol::Query => sts::answer(&embedded, &by, &parts, &body).await,
            Protocol::Json => cognito::answer(&embedded, by.clone(), &parts, &body).await,
        }
    };
    let mut response = answered.await.unwrap_or_else(|error| error.answer(dialect, &by.request_id));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The protocol that a request to the AWS API speaks. Only the Query protocol has a GET.
fn protocol(method: &Method, headers: &HeaderMap) -> Protocol {
    let json = method == Method::POST && headers.contains_key("x-amz-target");
    if json { Protocol::Json } else { Protocol::Query }
}

/// How a request to any path wants to be answered, also where no route gets to answer it.
pub fn dialect_of(request: &Request) -> Dialect {
    let is_aws =
        request.uri().path() == "/" && (request.method() == Method::POST || names_action(request.uri()));
    if is_aws { Dialect::Aws(protocol(request.method(), request.headers())) } else { Dialect::Problem }
}

/// Whether a GET is one of the Query protocol, such as a presigned GetCallerIdentity.
pub(super) fn names_action(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "Action")
}

/// The one way from a request to an operation that needs a signature.
async fn authenticate(
    embedded: &Embedded,
    parts: &Parts,
    body: &Bytes,
    service: &str,
    protocol: Protocol,
) -> Result<Caller, ApiError> {
    let caller = embedded.callers.authenticate(parts, body, service).await;
    let caller = caller.map_err(|error| ApiError::signature(protocol, error))?;
    if let Caller::Developer(key) = &caller {
        count(embedded.rate_limits.access_key(key.id.as_str()), protocol)?;
    }
    Ok(caller)
}

/// Whether somebody may ask once more.
fn count(counted: Result<(), TooOften>, protocol: Protocol) -> Result<(), ApiError> {
    counted.map_err(|too_often| ApiError::of_request(Dialect::Aws(protocol), too_often.into()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn whatever_is_answered_may_have_a_limit() {
        let operations = model::OPERATIONS.iter().map(|operation| operation.name);
        let mut all: Vec<_> = operations.chain(sts::ACTIONS.iter().map(|action| action.name)).collect();
        all.sort_unstable();
        assert_eq!(all, crate::config::LIMITED_OPERATIONS);
    }

    #[test]
    fn each_protocol_is_answered_in_its_own_form() {
        let request = |method: &str, uri: &str, target: bool| {
            let request = Request::builder().method(method).uri(uri);
            let request = if target { request.header("x-amz-target", "a") } else { request };
            dialect_of(&request.body(Body::empty()).unwrap())
        };
        assert_eq!(request("POST", "/", true), Dialect::Aws(Protocol::Json));
        assert_eq!(request("POST", "/", false), Dialect::Aws(Protocol::Query));
        assert_eq!(request("GET", "/?Action=GetCallerIdentity", true), Dialect::Aws(Protocol::Query));
        assert_eq!(request("GET", "/", false), Dialect::Problem);
        assert_eq!(request("POST", "/v1/exchange", true), Dialect::Problem);
    }
}
