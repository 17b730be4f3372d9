//! The API of identity pools: the exceptions and the words of Amazon Cognito, in AWS JSON 1.1. Clients compare the words,
//! so they are AWS's own, to the letter, where one is known (docs/reference/cognito-identity.md, 1.3, 3.5 and 9.1).

mod texts;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use daypass_core::login::public::PublicLoginError;
use daypass_core::pool::PoolError;
use daypass_core::store::StoreError;
use serde_json::json;

use super::{ApiError, Meaning, RequestFailure, chain};
use crate::sigv4::SignatureError;

/// Not among the exceptions of the API, as with every service of AWS; SDKs try again.
const SERVICE_UNAVAILABLE: &str = "ServiceUnavailableException";
/// SDKs wait, and ask again.
const TOO_MANY_REQUESTS: &str = "TooManyRequestsException";
/// A pool has no role to give, or it gives nothing (docs/reference/cognito-identity.md, 3.5).
const INVALID_CONFIGURATION: &str = "InvalidIdentityPoolConfigurationException";

impl ApiError {
    /// An operation that does not exist.
    #[must_use]
    pub fn unknown_operation() -> Self {
        Self::bad_request("UnknownOperationException", "")
    }

    /// The body is not JSON of the right form.
    #[must_use]
    pub fn serialization(detail: impl Into<String>) -> Self {
        Self::bad_request("SerializationException", detail)
    }

    /// The caller's policies do not allow the operation.
    #[must_use]
    pub fn access_denied(message: String) -> Self {
        Self { meaning: Meaning::NotAllowed, ..Self::bad_request("AccessDeniedException", message) }
    }

    /// Why an operation failed (docs/reference/cognito-identity.md, 3.5).
    #[must_use]
    pub fn pool(error: PoolError) -> Self {
        match error {
            PoolError::NotFound(missing) => {
                Self::bad_request("ResourceNotFoundException", texts::missing(missing))
            }
            PoolError::NotAuthorized(denial) => {
                Self::bad_request("NotAuthorizedException", texts::denial(denial))
            }
            PoolError::Login(error) => public_login(&error),
            PoolError::Invalid(invalid) => {
                Self::bad_request("InvalidParameterException", texts::invalid(invalid))
            }
            PoolError::Conflict(conflict) => {
                Self::bad_request("ResourceConflictException", texts::conflict(conflict))
            }
            PoolError::DeveloperUserAlreadyRegistered => Self::bad_request(
                "DeveloperUserAlreadyRegisteredException",
                "This developer user identifier is already registered with Cognito.",
            ),
            PoolError::LimitExceeded(text) => Self::bad_request("LimitExceededException", text),
            PoolError::ConcurrentModification => Self::bad_request(
                "ConcurrentModificationException",
                "The identity pool was changed by another request at the same time. Read it, and try again.",
            ),
            PoolError::NoUsableRole(cause) | PoolError::CredentialsMisconfigured(cause) => {
                Self { meaning: Meaning::Broken, ..invalid_configuration() }.because(cause)
            }
            PoolError::CredentialsUnavailable(cause) => Self::unavailable(
                SERVICE_UNAVAILABLE,
                "The STS that gives credentials for this identity pool is unavailable. Try again.",
            )
            .because(cause),
            PoolError::TooManyAtOnce => Self {
                meaning: Meaning::TooManyAtOnce,
                ..Self::bad_request(
                    TOO_MANY_REQUESTS,
                    "Too many requests for this identity are being served. Wait for their answers, and try again.",
                )
            },
            PoolError::Store(error) => store(&error),
        }
    }
}

fn invalid_configuration() -> ApiError {
    let message = "Invalid identity pool configuration. Check assigned IAM roles for this pool.";
    ApiError::bad_request(INVALID_CONFIGURATION, message)
}

/// A provider that does not answer, or not as configured, has the status of a client's mistake, which it is not.
fn public_login(error: &PublicLoginError) -> ApiError {
    let text = texts::public_login(error);
    match error {
        PublicLoginError::UnsupportedProvider
        | PublicLoginError::Malformed
        | PublicLoginError::MissingClaim(_)
        | PublicLoginError::IssuerMismatch
        | PublicLoginError::BadSignature
        | PublicLoginError::Expired { .. }
        | PublicLoginError::NotYetValid { .. }
        | PublicLoginError::Refused => ApiError::bad_request("NotAuthorizedException", text),
        PublicLoginError::Unverifiable(_) => ApiError::bad_request("InvalidParameterException", text),
        PublicLoginError::Unavailable { provider, reason } => {
            external_service(Meaning::Unavailable, text, provider, reason)
        }
        PublicLoginError::NotAsDefined { provider, reason } => {
            external_service(Meaning::Broken, text, provider, reason)
        }
    }
}

fn external_service(meaning: Meaning, text: String, provider: &str, reason: &str) -> ApiError {
    let refusal = ApiError { meaning, ..ApiError::bad_request("ExternalServiceException", text) };
    refusal.because(format!("{provider}: {reason}"))
}

fn store(error: &StoreError) -> ApiError {
    ApiError::internal("InternalErrorException", "The service failed. Try again.").because(chain(error))
}

/// What befell a request. No service model names these codes; this is what the front ends of AWS services say, and SDKs
/// try again where that helps.
pub(super) fn code(failure: RequestFailure) -> &'static str {
    match failure {
        RequestFailure::TookTooLong | RequestFailure::ServerBusy { .. } => SERVICE_UNAVAILABLE,
        RequestFailure::TooOften { .. } => TOO_MANY_REQUESTS,
        RequestFailure::Panicked => "InternalErrorException",
        RequestFailure::BodyTooLarge { .. } => "RequestEntityTooLargeException",
        RequestFailure::BodyBroken => "SerializationException",
        RequestFailure::BodyTooSlow => "RequestTimeoutException",
    }
}

/// A value breaks a constraint of its shape.
pub(super) fn validation(message: String) -> ApiError {
    ApiError::bad_request("ValidationException", message)
}

/// Why a request has no caller (docs/reference/cognito-identity.md, 1.3).
pub(super) fn signature(error: SignatureError) -> ApiError {
    let message = error.to_string();
    let code = match error {
        SignatureError::Missing => "MissingAuthenticationTokenException",
        SignatureError::Incomplete(_) | SignatureError::HeadersNotSigned(_) => "IncompleteSignatureException",
        SignatureError::UnknownKey => "UnrecognizedClientException",
        SignatureError::ExpiredSession => "ExpiredTokenException",
        SignatureError::Skewed(_)
        | SignatureError::WrongScope(_)
        | SignatureError::Payload(_)
        | SignatureError::Mismatch => "InvalidSignatureException",
        SignatureError::Store(error) => return store(&error),
    };
    ApiError::bad_request(code, message)
}

pub(super) fn write(error: &ApiError) -> Response {
    // The front end that decides about policies spells the member its own way.
    let key = if error.meaning == Meaning::NotAllowed { "Message" } else { "message" };
    let body = json!({"__type": error.code, key: error.message}).to_string();
    let mut response =
        (error.status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body).into_response();
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-amzn-errortype"), visible(&format!("{}:", error.code)));
    headers.insert(HeaderName::from_static("x-amzn-errormessage"), visible(&error.message));
    response
}

/// A message may repeat what a client sent, and not every character can stand in a header.
fn visible(text: &str) -> HeaderValue {
    let visible = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let text: String = text.chars().map(visible).collect();
    HeaderValue::from_str(&text).expect("visible ASCII is a header value")
}
