//! The errors of OAuth 2.0 as RFC 6749 names them (4.1.2.1 and 5.2). The same error is a JSON object at
//! the token endpoint, parameters of a redirect after a login, or a page when there is nobody to
//! redirect to.

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal: the code is for programs, the description for the developer who reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OAuthError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) description: &'static str,
}

impl OAuthError {
    const fn new(code: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, description }
    }

    pub(super) const fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) const fn invalid_client(description: &'static str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, code: "invalid_client", description }
    }

    pub(super) const fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) const fn invalid_scope(description: &'static str) -> Self {
        Self::new("invalid_scope", description)
    }

    pub(super) const fn access_denied(description: &'static str) -> Self {
        Self::new("access_denied", description)
    }

    pub(super) const fn unsupported_grant_type(description: &'static str) -> Self {
        Self::new("unsupported_grant_type", description)
    }

    pub(super) const fn unsupported_response_type(description: &'static str) -> Self {
        Self::new("unsupported_response_type", description)
    }
}

/// A form that could not even be read: too large, or not a form.
impl From<FormRejection> for OAuthError {
    fn from(rejection: FormRejection) -> Self {
        let description = "The parameters must be application/x-www-form-urlencoded, 64 KiB at most.";
        Self { status: rejection.status(), code: "invalid_request", description }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.code, "error_description": self.description }));
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = [(header::WWW_AUTHENTICATE, r#"Basic realm="sandbox", charset="UTF-8""#)];
            return (self.status, challenge, body).into_response();
        }
        (self.status, body).into_response()
    }
}
