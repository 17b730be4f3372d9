//! `/v1`, `/login` and what no route answers: problem details (RFC 9457), and what is wrong with a request there.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use daypass_core::broker::developer_pool::AdmissionError;
use daypass_core::broker::hosted_login::{LoginRequestError, LostLogin};
use daypass_core::ground::ids::RequestId;
use daypass_core::store::StoreError;
use daypass_core::token::signer::SignerError;
use serde::Serialize;

use super::{ApiError, Meaning, RequestFailure, chain, sentence};

impl ApiError {
    /// `/readyz`: the server answers what is under way, and ends.
    #[must_use]
    pub fn stopping() -> Self {
        Self::unavailable("not_ready", "The server is stopping.")
    }

    /// There is nothing at this path.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, Meaning::Mistake, "not_found", "There is nothing at this path.")
    }

    /// `/sdk`: there is no such file of the browser SDK, or of another version only.
    #[must_use]
    pub fn sdk_not_found(version: &str) -> Self {
        let detail =
            format!("This server has version {version} of the browser SDK: import /sdk/{version}/index.js.");
        Self::new(StatusCode::NOT_FOUND, Meaning::Mistake, "sdk_not_found", detail)
    }

    /// The path does not answer this method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            Meaning::Mistake,
            "method_not_allowed",
            "This path does not answer that method.",
        )
    }

    /// `/metrics`: the token is not there, or not the one of the configuration.
    #[must_use]
    pub fn metrics_token_refused() -> Self {
        Self::unauthorized("metrics_token_refused", "Send the token of [metrics] as Authorization: Bearer.")
    }

    /// `/v1`: the body is not what the route takes.
    #[must_use]
    pub fn malformed_request(detail: impl Into<String>) -> Self {
        Self::bad_request("malformed_request", detail)
    }

    /// `/v1`: the body has another type than JSON.
    #[must_use]
    pub fn not_json() -> Self {
        let detail = "Send the request with Content-Type: application/json.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Meaning::Mistake, "unsupported_media_type", detail)
    }

    /// `/readyz`: the store does not answer, so nothing works.
    #[must_use]
    pub fn not_ready(error: &StoreError) -> Self {
        Self::unavailable("not_ready", "The store does not answer.").because(chain(error))
    }

    /// `/readyz`: no token can be signed.
    #[must_use]
    pub fn signer_not_ready(error: &SignerError) -> Self {
        Self::unavailable("not_ready", "The keys that sign tokens cannot be used.").because(error)
    }

    /// `/readyz`: the pool that logins lead to lets nobody in. Whoever watches over the server is told what it lacks.
    #[must_use]
    pub fn pool_not_ready(error: &AdmissionError) -> Self {
        Self::unavailable("not_ready", sentence(error)).because(error)
    }

    /// `/v1`: the page that calls is not one of a registered app.
    #[must_use]
    pub fn origin_not_allowed() -> Self {
        let detail = "This page's origin is not registered. Add it to `origins` of its [[app]].";
        Self::new(StatusCode::FORBIDDEN, Meaning::NotAllowed, "origin_not_allowed", detail)
    }

    /// `/login`: why a request starts no login.
    #[must_use]
    pub fn login_request(error: LoginRequestError) -> Self {
        match error {
            LoginRequestError::UnknownApp => Self::bad_request(
                "unknown_app",
                "No app is registered under this ID: it must be the id of an [[app]].",
            ),
            LoginRequestError::RedirectUriNotRegistered => Self::bad_request(
                "redirect_uri_not_registered",
                "The redirect_uri is not registered for this app. It must match one of its redirect_uris \
                 letter by letter; only the port of 127.0.0.1 and [::1] may differ.",
            ),
            LoginRequestError::NoDevices => Self::not_for_devices(),
            LoginRequestError::NoRedirect => Self::bad_request(
                "provider_has_no_redirect",
                "This provider's logins do not start with a redirect. GET /v1/providers names those that do, by \
                 login_url.",
            ),
            LoginRequestError::MalformedChallenge
            | LoginRequestError::StateTooLong
            | LoginRequestError::NonceTooLong
            | LoginRequestError::NoWindow => Self::malformed_request(format!("{error}.")),
        }
    }

    /// `/login`: the path names no provider of this installation.
    #[must_use]
    pub fn unknown_login_provider() -> Self {
        let detail = "There is no such provider. GET /v1/providers lists them.";
        Self::new(StatusCode::NOT_FOUND, Meaning::Mistake, "unknown_provider", detail)
    }

    /// `/login`: an answer that no login of this browser asked for.
    #[must_use]
    pub fn lost_login(error: LostLogin) -> Self {
        match error {
            LostLogin::Lost => Self::new(
                StatusCode::BAD_REQUEST,
                Meaning::NotBelieved,
                "login_not_found",
                "This sign-in did not start in this browser, took more than 10 minutes, or is finished already.",
            ),
            LostLogin::Store(error) => Self::store(&error),
        }
    }

    pub(super) fn store(error: &StoreError) -> Self {
        let (code, message) = ("store_unavailable", "The store did not answer as it should. Try again.");
        let failure = match error {
            StoreError::Unavailable(_) => Self::unavailable(code, message),
            StoreError::Corrupt(_) => Self::internal(code, message),
        };
        failure.because(chain(error))
    }
}

/// A limit of this server's own is reached.
pub(super) const SERVER_BUSY: &str = "server_busy";

/// One of the operator's limits is reached.
pub(super) const TOO_MANY_REQUESTS: &str = "too_many_requests";

/// What befell a request.
pub(super) fn code(failure: RequestFailure) -> &'static str {
    match failure {
        RequestFailure::TookTooLong => "timeout",
        RequestFailure::ServerBusy { .. } => SERVER_BUSY,
        RequestFailure::TooOften { .. } => TOO_MANY_REQUESTS,
        RequestFailure::Panicked => "internal_error",
        RequestFailure::BodyTooLarge { .. } => "body_too_large",
        RequestFailure::BodyBroken => "malformed_request",
        RequestFailure::BodyTooSlow => "body_too_slow",
    }
}

/// Problem details (RFC 9457 section 3), with a code and the request's ID besides.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Problem<'a> {
    /// Always `about:blank`: the code says what it is.
    r#type: &'static str,
    /// What the status is called.
    #[cfg_attr(test, schemars(with = "String"))]
    title: Option<&'static str>,
    /// The status of the answer.
    status: u16,
    /// What is wrong, for people, with the cure where there is one. It may be reworded.
    detail: &'a str,
    /// What is wrong, for programs. It is stable.
    code: &'static str,
    /// Why a session does not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(schema_with = "crate::routes::reference::schemas::reason"))]
    reason: Option<&'static str>,
    /// What the operator finds the request by in the log. It is the header `x-amzn-requestid`, too.
    request_id: &'a str,
}

pub(super) fn write(error: &ApiError, request_id: &RequestId) -> Response {
    let problem = Problem {
        r#type: "about:blank",
        title: error.status.canonical_reason(),
        status: error.status.as_u16(),
        detail: &error.message,
        code: error.code,
        reason: error.further.reason(),
        request_id: request_id.as_str(),
    };
    let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
    (error.status, headers, Json(problem)).into_response()
}
