//! STS: the codes and the words of AWS (docs/reference/cognito-identity.md, 7.3 and 7.5), in the Query protocol (1.4).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use daypass_core::credentials::sts::AssumeError;
use daypass_core::ground::ids::RequestId;
use daypass_core::store::StoreError;
use daypass_core::token::openid_token::TokenError;

use super::{ApiError, Meaning, RequestFailure, chain};
use crate::sigv4::SignatureError;
use crate::xml;

impl ApiError {
    /// STS: a request without an action.
    #[must_use]
    pub fn no_action() -> Self {
        Self::bad_request("InvalidAction", "The request names no action")
    }

    /// STS: there is no such action, or not in this version.
    #[must_use]
    pub fn unknown_action(action: &str, version: &str) -> Self {
        let [action, version] = [action, version].map(|text| text.chars().take(128).collect::<String>());
        let message = format!("Could not find operation {action} for version {version}");
        Self::bad_request("InvalidAction", message)
    }

    /// STS: a parameter that is given twice has two meanings.
    #[must_use]
    pub fn parameter_twice() -> Self {
        Self::bad_request("InvalidQueryParameter", "A parameter is given twice.")
    }

    /// STS: there are parameters in the query and in the body.
    #[must_use]
    pub fn parameters_in_two_places() -> Self {
        let message = "Parameters stand in the query or in the body of a request, not in both.";
        Self::bad_request("InvalidParameterCombination", message)
    }

    /// STS: a text that is no ARN.
    #[must_use]
    pub fn invalid_arn(arn: &str) -> Self {
        validation(format!("{arn} is invalid"))
    }

    /// STS: why a role was not taken on (docs/reference/cognito-identity.md, 7.3).
    #[must_use]
    pub fn assume(error: AssumeError) -> Self {
        match error {
            AssumeError::Token(error) => web_identity_token(&error),
            AssumeError::Denied(_) | AssumeError::IdentityForbidden(_) => {
                let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
                forbidden("AccessDenied", message).because(error)
            }
            AssumeError::MalformedPolicy(error) => {
                Self::bad_request("MalformedPolicyDocument", error.to_string())
            }
            AssumeError::TooLarge(percent) => Self::bad_request(
                "PackedPolicyTooLarge",
                format!("Packed size of session tags consumes {percent}% of allotted space."),
            ),
            AssumeError::DurationExceedsRole => validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".to_owned(),
            ),
            AssumeError::Store(error) => store(&error),
        }
    }
}

/// What befell a request. No service model names these codes; this is what the front ends of AWS services say, and SDKs
/// try again where that helps.
pub(super) fn code(failure: RequestFailure) -> &'static str {
    match failure {
        RequestFailure::TookTooLong | RequestFailure::ServerBusy { .. } => "ServiceUnavailable",
        RequestFailure::TooOften { .. } => "Throttling",
        RequestFailure::Panicked => "InternalFailure",
        RequestFailure::BodyTooLarge { .. } => "RequestEntityTooLarge",
        RequestFailure::BodyBroken => "ValidationError",
        RequestFailure::BodyTooSlow => "RequestTimeout",
    }
}

/// A value breaks a constraint.
pub(super) fn validation(message: String) -> ApiError {
    ApiError::bad_request("ValidationError", message)
}

/// Why a request has no caller (docs/reference/cognito-identity.md, 7.5).
pub(super) fn signature(error: SignatureError) -> ApiError {
    let message = error.to_string();
    let code = match error {
        SignatureError::Missing => "MissingAuthenticationToken",
        SignatureError::Incomplete(_) | SignatureError::HeadersNotSigned(_) => "IncompleteSignature",
        SignatureError::UnknownKey => "InvalidClientTokenId",
        SignatureError::ExpiredSession => "ExpiredToken",
        SignatureError::Skewed(_)
        | SignatureError::WrongScope(_)
        | SignatureError::Payload(_)
        | SignatureError::Mismatch => "SignatureDoesNotMatch",
        SignatureError::Store(error) => return store(&error),
    };
    forbidden(code, message)
}

fn forbidden(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, Meaning::NotBelieved, code, message)
}

fn store(error: &StoreError) -> ApiError {
    ApiError::internal("InternalFailure", "The service failed. Try again.").because(chain(error))
}

fn web_identity_token(error: &TokenError) -> ApiError {
    let (code, message) = match error {
        TokenError::Malformed => (
            "InvalidIdentityToken",
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
                .to_owned(),
        ),
        TokenError::BadSignature => {
            ("InvalidIdentityToken", "The signature of the ID Token does not verify.".to_owned())
        }
        TokenError::WrongIssuer => (
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for the issuer of the ID Token".to_owned(),
        ),
        TokenError::Expired { now, expired_at } => (
            "ExpiredTokenException",
            format!(
                "Token expired: current date/time {now} must be before the expiration date/time {expired_at}"
            ),
        ),
    };
    ApiError::bad_request(code, message)
}

pub(super) fn write(error: &ApiError, request_id: &RequestId) -> Response {
    let fault = if error.status.is_server_error() { "Receiver" } else { "Sender" };
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{fault}</Type>\
         <Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        error.code,
        xml::escape(&error.message)
    );
    (error.status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}
