//! `/oauth2`: the codes of RFC 6749 sections 4.1.2.1 and 5.2.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{ApiError, Meaning, OAuthMistake, RequestFailure, problem};

impl OAuthMistake {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidClient => "invalid_client",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
        }
    }
}

impl ApiError {
    /// The body is no form, or a parameter stands there twice (RFC 6749 section 3.2).
    #[must_use]
    pub fn malformed_form(detail: impl Into<String>) -> Self {
        Self::bad_request("invalid_request", detail)
    }

    /// There is no such grant here.
    #[must_use]
    pub fn unsupported_grant_type() -> Self {
        let detail = "grant_type must be authorization_code, refresh_token, \
                      urn:ietf:params:oauth:grant-type:token-exchange or \
                      urn:ietf:params:oauth:grant-type:device_code.";
        Self::new(
            StatusCode::BAD_REQUEST,
            Meaning::OfOAuth(OAuthMistake::UnsupportedGrantType),
            "unsupported_grant_type",
            detail,
        )
    }

    /// What an app hears about a login that failed (RFC 6749 section 4.1.2.1).
    #[must_use]
    pub fn authorization_error(&self) -> &'static str {
        match self.meaning {
            Meaning::TooManyAtOnce | Meaning::Unavailable => "temporarily_unavailable",
            Meaning::Broken => "server_error",
            Meaning::Mistake
            | Meaning::OfOAuth(_)
            | Meaning::NotBelieved
            | Meaning::Cancelled
            | Meaning::NotShared
            | Meaning::NotAllowed => "access_denied",
        }
    }
}

/// What befell a request.
pub(super) fn code(failure: RequestFailure) -> &'static str {
    match failure {
        RequestFailure::BodyBroken => "invalid_request",
        RequestFailure::TookTooLong
        | RequestFailure::ServerBusy { .. }
        | RequestFailure::TooOften { .. }
        | RequestFailure::Panicked
        | RequestFailure::BodyTooLarge { .. }
        | RequestFailure::BodyTooSlow => problem::code(failure),
    }
}

/// An error (RFC 6749 section 5.2), with more of it besides.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OAuthError<'a> {
    /// The standard's name of it.
    error: &'static str,
    /// What is wrong, for people. It may be reworded.
    error_description: &'a str,
    /// What is wrong, for programs, and more exactly than the standard has names for. It is stable.
    code: &'static str,
    /// Why a session does not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(schema_with = "crate::routes::reference::schemas::reason"))]
    reason: Option<&'static str>,
}

/// The codes of RFC 6749 section 5.2; our own code goes along. A grant that is not believed has the status that the RFC
/// gives it.
pub(super) fn write(error: &ApiError) -> Response {
    let (status, name) = match error.meaning {
        Meaning::Mistake | Meaning::Cancelled | Meaning::NotAllowed => (error.status, "invalid_request"),
        Meaning::OfOAuth(mistake) => (error.status, mistake.name()),
        Meaning::NotBelieved | Meaning::NotShared => (StatusCode::BAD_REQUEST, "invalid_grant"),
        Meaning::TooManyAtOnce | Meaning::Unavailable => (error.status, "temporarily_unavailable"),
        Meaning::Broken => (error.status, "server_error"),
    };
    let body = OAuthError {
        error: name,
        error_description: &error.message,
        code: error.code,
        reason: error.further.reason(),
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
