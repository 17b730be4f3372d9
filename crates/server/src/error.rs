//! Every status code of the server stands in this file. Core says what went wrong; here it is decided what
//! the caller hears, in the dialect of the route, and what the log hears.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use daypass_core::audit::cut;
use daypass_core::broker::developer_pool::AdmissionError;
use daypass_core::broker::exchange::ExchangeError;
use daypass_core::broker::hosted_login::{LoginRequestError, LostLogin};
use daypass_core::credentials::sts::AssumeError;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::RequestId;
use daypass_core::login::provider::ProofError;
use daypass_core::pool::PoolError;
use daypass_core::store::StoreError;
use daypass_core::token::openid_token::TokenError;
use serde_json::json;

use crate::sigv4::SignatureError;
use crate::xml;

/// Seconds after which a client may try again what was unavailable.
const RETRY_AFTER: u32 = 5;
/// A provider did not answer (docs/reference/cognito-identity.md, 3.5).
const EXTERNAL_SERVICE: &str = "ExternalServiceException";
/// A pool has no role to give, or it gives nothing (docs/reference/cognito-identity.md, 3.5).
const INVALID_CONFIGURATION: &str = "InvalidIdentityPoolConfigurationException";
/// Not among the exceptions of the API, as with every service of AWS; SDKs try again.
const SERVICE_UNAVAILABLE: &str = "ServiceUnavailableException";

/// So many characters of a cause are logged.
const MAX_CAUSE: usize = 1_000;

/// A limit of this server's own is reached.
const SERVER_BUSY: &str = "server_busy";

/// How a route speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 9457, for `/v1`.
    Problem,
    /// RFC 6749 section 5.2, for `/oauth2`.
    OAuth,
    /// AWS JSON 1.1 (docs/reference/cognito-identity.md, 1.3).
    AwsJson,
    /// AWS Query (docs/reference/cognito-identity.md, 1.4).
    AwsQuery,
}

/// An error on its way to a client.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    /// Stable: clients act on it.
    code: &'static str,
    /// For people, with the cure where there is one. Never holds a secret.
    message: String,
    /// For the operator's log only.
    cause: Option<String>,
    /// When it is worth asking again, where that is known better than by a rule of thumb.
    retry_after: Option<SignedDuration>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), cause: None, retry_after: None }
    }

    fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    fn unauthorized(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    /// The request took longer than any may.
    #[must_use]
    pub fn took_too_long(dialect: Dialect) -> Self {
        let code = match dialect {
            Dialect::Problem | Dialect::OAuth => "timeout",
            Dialect::AwsJson => SERVICE_UNAVAILABLE,
            Dialect::AwsQuery => "ServiceUnavailable",
        };
        Self::unavailable(code, "The request took too long. Try again.")
    }

    /// There is more to do than can be done soon.
    #[must_use]
    pub fn busy(dialect: Dialect, retry_after: SignedDuration) -> Self {
        let code = match dialect {
            Dialect::Problem | Dialect::OAuth => SERVER_BUSY,
            Dialect::AwsJson => SERVICE_UNAVAILABLE,
            Dialect::AwsQuery => "ServiceUnavailable",
        };
        let error = Self::unavailable(code, "The server has too much to do. Try again after Retry-After.");
        Self { retry_after: Some(retry_after), cause: Some("no place for a request".to_owned()), ..error }
    }

    /// `/readyz`: the server answers what is under way, and ends.
    #[must_use]
    pub fn stopping() -> Self {
        Self::unavailable("not_ready", "The server is stopping.")
    }

    /// The server has a mistake of its own, which its log tells.
    #[must_use]
    pub fn failed(dialect: Dialect) -> Self {
        let code = match dialect {
            Dialect::Problem | Dialect::OAuth => "internal_error",
            Dialect::AwsJson => "InternalErrorException",
            Dialect::AwsQuery => "InternalFailure",
        };
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, "The server made a mistake. Its log tells more.")
    }

    /// There is nothing at this path.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path.")
    }

    /// The path does not answer this method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
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
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    /// The body is longer than the route takes. No service model names a code for it; this is what the front
    /// ends of other AWS services say.
    #[must_use]
    pub fn body_too_large(dialect: Dialect, limit: usize) -> Self {
        let code = match dialect {
            Dialect::Problem | Dialect::OAuth => "body_too_large",
            Dialect::AwsJson => "RequestEntityTooLargeException",
            Dialect::AwsQuery => "RequestEntityTooLarge",
        };
        let detail = format!("The request body exceeds {limit} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code, detail)
    }

    /// The body broke off before its end, or its chunks are not what RFC 9112 section 7.1 says.
    #[must_use]
    pub fn body_broken(dialect: Dialect) -> Self {
        let code = match dialect {
            Dialect::Problem => "malformed_request",
            Dialect::OAuth => "invalid_request",
            Dialect::AwsJson => "SerializationException",
            Dialect::AwsQuery => "ValidationError",
        };
        Self::bad_request(code, "The request body is malformed, or broke off before its end. Send it whole.")
    }

    /// The body did not come in time. SDKs try again what has these codes.
    #[must_use]
    pub fn body_too_slow(dialect: Dialect) -> Self {
        let code = match dialect {
            Dialect::Problem | Dialect::OAuth => "body_too_slow",
            Dialect::AwsJson => "RequestTimeoutException",
            Dialect::AwsQuery => "RequestTimeout",
        };
        let message = "The request body did not come in time. Send it again, all at once.";
        Self::new(StatusCode::REQUEST_TIMEOUT, code, message)
    }

    /// `/v1`: the page that calls is not one of a registered app.
    #[must_use]
    pub fn origin_not_allowed() -> Self {
        let detail = "This page's origin is not registered. Add it to `origins` of its [[app]].";
        Self::new(StatusCode::FORBIDDEN, "origin_not_allowed", detail)
    }

    /// `/oauth2`: the body is no form, or a parameter stands there twice (RFC 6749 section 3.2).
    #[must_use]
    pub fn malformed_form(detail: impl Into<String>) -> Self {
        Self::bad_request("invalid_request", detail)
    }

    /// `/oauth2`: there is no such grant here.
    #[must_use]
    pub fn unsupported_grant_type() -> Self {
        Self::bad_request("unsupported_grant_type", "grant_type must be authorization_code.")
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
                 character by character.",
            ),
            LoginRequestError::NoRedirect => Self::bad_request(
                "provider_has_no_redirect",
                "This provider's logins do not start with a redirect. GET /v1/providers names those that do, by \
                 login_url.",
            ),
            LoginRequestError::MalformedChallenge | LoginRequestError::StateTooLong => {
                Self::malformed_request(format!("{error}."))
            }
        }
    }

    /// `/login`: the path names no provider of this installation.
    #[must_use]
    pub fn unknown_login_provider() -> Self {
        let detail = "There is no such provider. GET /v1/providers lists them.";
        Self::new(StatusCode::NOT_FOUND, "unknown_provider", detail)
    }

    /// `/login`: an answer that no login of this browser asked for.
    #[must_use]
    pub fn lost_login(error: LostLogin) -> Self {
        match error {
            LostLogin::Lost => Self::bad_request(
                "login_not_found",
                "This sign-in did not start in this browser, took more than 10 minutes, or is finished already.",
            ),
            LostLogin::Store(error) => Self::store("store_unavailable", &error),
        }
    }

    /// What an app hears about a login that failed (RFC 6749 section 4.1.2.1).
    #[must_use]
    pub fn authorization_error(&self) -> &'static str {
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "temporarily_unavailable",
            status if status.is_server_error() => "server_error",
            _ => "access_denied",
        }
    }

    /// Whether the fault lies elsewhere than with whoever asks.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        self.status.is_server_error()
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The words for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The store does not answer: nothing works.
    #[must_use]
    pub fn not_ready(error: &StoreError) -> Self {
        Self::unavailable("not_ready", "The store does not answer.").because(chain(error))
    }

    /// An AWS operation or action that does not exist.
    #[must_use]
    pub fn unknown_operation(dialect: Dialect) -> Self {
        match dialect {
            Dialect::AwsQuery => Self::bad_request("InvalidAction", "The request names no action"),
            Dialect::AwsJson | Dialect::Problem | Dialect::OAuth => {
                Self::bad_request("UnknownOperationException", "")
            }
        }
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
        Self::bad_request("ValidationError", format!("{arn} is invalid"))
    }

    /// AWS JSON: the body is not JSON of the right form.
    #[must_use]
    pub fn serialization(detail: impl Into<String>) -> Self {
        Self::bad_request("SerializationException", detail)
    }

    /// AWS: a member has another type than its shape.
    #[must_use]
    pub fn wrong_type(dialect: Dialect, message: String) -> Self {
        match dialect {
            Dialect::AwsQuery => Self::validation(dialect, message),
            Dialect::AwsJson | Dialect::Problem | Dialect::OAuth => Self::serialization(message),
        }
    }

    /// AWS: a value breaks a constraint of its shape.
    #[must_use]
    pub fn validation(dialect: Dialect, message: String) -> Self {
        let code = if dialect == Dialect::AwsQuery { "ValidationError" } else { "ValidationException" };
        Self::bad_request(code, message)
    }

    /// AWS JSON: the caller's policies do not allow the operation.
    #[must_use]
    pub fn access_denied(message: String) -> Self {
        Self::bad_request("AccessDeniedException", message)
    }

    fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }

    fn store(code: &'static str, error: &StoreError) -> Self {
        let status = match error {
            StoreError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            StoreError::Corrupt(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, code, "The store did not answer as it should. Try again.").because(chain(error))
    }

    /// `/v1`: why an exchange came to nothing.
    #[must_use]
    pub fn exchange(error: ExchangeError) -> Self {
        match error {
            ExchangeError::UnknownProvider => Self::bad_request(
                "unknown_provider",
                "There is no such provider. GET /v1/providers lists them.",
            ),
            ExchangeError::RedirectUriNotRegistered => Self::bad_request(
                "redirect_uri_not_registered",
                "The redirect_uri is not registered. Add it to `redirect_uris` of its [[app]].",
            ),
            ExchangeError::TokenDurationTooLong { max } => Self::bad_request(
                "token_duration_too_long",
                format!(
                    "A token may live for {} seconds at most. Ask for less; the operator sets the limit with `[pool] \
                     max_token_duration`.",
                    max.as_secs()
                ),
            ),
            ExchangeError::LoginCodeRefused => Self::unauthorized(
                "login_code_refused",
                "The one-time code is refused: it is spent, older than 60 seconds, or does not belong to this app, \
                 redirect_uri and code_verifier.",
            ),
            ExchangeError::Cancelled => {
                Self::new(StatusCode::FORBIDDEN, "login_denied", "The sign-in was cancelled at the provider.")
            }
            ExchangeError::FailedAtProvider => Self::new(
                StatusCode::BAD_GATEWAY,
                "provider_reported_error",
                "The provider could not sign the person in.",
            ),
            ExchangeError::Proof(error) => Self::proof(&error),
            ExchangeError::Admission(error) => Self::admission(error),
        }
    }

    fn proof(error: &ProofError) -> Self {
        match error {
            ProofError::UnboundAccessToken => Self::unauthorized(
                "unbound_access_token",
                "A bare access token does not show which app it was issued to. Send a code with its code_verifier, \
                 or have the operator set accept_unbound_access_tokens for this provider.",
            ),
            ProofError::KindNotAccepted(kind) => {
                Self::unauthorized("proof_kind_not_accepted", format!("This provider takes no {kind}. `accepts` in GET /v1/providers says what it takes."))
            }
            ProofError::AnotherClient => Self::unauthorized(
                "proof_of_another_app",
                "The proof was issued to another app. Sign in with this app's own client.",
            ),
            ProofError::TwoPeople => Self::unauthorized(
                "proof_of_two_people",
                "The provider names two people for this token. Sign in anew.",
            ),
            ProofError::VerifierMissing => Self::malformed_request(
                "This provider's codes come with the code_verifier whose challenge started the login.",
            ),
            ProofError::NonceMissing => Self::malformed_request(
                "The login was started with a nonce, which comes with the proof: send `nonce`. If the app's SDK keeps it to \
                 itself, the operator can write id_token.nonce = \"none\" for this provider.",
            ),
            ProofError::IdToken(reason) => {
                Self::unauthorized("id_token_refused", format!("The ID token is refused: {reason}."))
            }
            ProofError::Refused => Self::unauthorized(
                "proof_refused",
                "The provider refused the proof: it is spent, expired, revoked, was issued to another app, or does not \
                 belong to this code_verifier and redirect_uri.",
            ),
            ProofError::ReportedErrors { .. } => Self::unauthorized(
                "provider_reported_error",
                "The provider answered with an error in place of a profile.",
            )
            .because(error),
            ProofError::SubjectMissing => Self::unauthorized(
                "subject_missing",
                "The provider named no external ID. Ask for its scope, and let the person share it.",
            ),
            ProofError::SubjectAmbiguous => Self::unauthorized(
                "subject_ambiguous",
                "The external ID holds a colon and cannot be a user identifier by itself. The operator has to leave \
                 `identifier` out for this provider.",
            ),
            ProofError::TimedOut => Self::unavailable("provider_timeout", "The provider did not answer in time."),
            ProofError::Unavailable(_) => {
                Self::unavailable("provider_unavailable", "The provider is unavailable.").because(error)
            }
            ProofError::OutOfFiles => {
                Self::unavailable(SERVER_BUSY, "This server has no connection left to ask the provider with. Try again.")
                    .because(error)
            }
            ProofError::AnswerTooLarge => Self::new(
                StatusCode::BAD_GATEWAY,
                "provider_answer_too_large",
                "The provider's answer is too large.",
            ),
            ProofError::AnswerMalformed(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "provider_answer_malformed",
                "The provider's answer makes no sense.",
            )
            .because(error),
            ProofError::Misconfigured(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "provider_misconfigured",
                "This server's client at the provider is not set up. The operator finds the reason in the log.",
            )
            .because(error),
        }
    }

    fn admission(error: AdmissionError) -> Self {
        let message = error.to_string();
        match error {
            AdmissionError::Refused(error) => Self::exchange_pool(&error),
            AdmissionError::UnusableTag(why) => {
                Self::unauthorized("principal_tag_refused", format!("This login makes no session tag. {why}"))
            }
            AdmissionError::UnknownRegion { .. } => Self::bad_request("unknown_region", message),
            AdmissionError::TooManyAtOnce => Self::too_many_at_once(),
            AdmissionError::Busy { retry_after } => {
                let detail = "More people sign in than the identity pool lets through. Try again.";
                Self { retry_after: Some(retry_after), ..Self::unavailable("identity_pool_busy", detail) }
            }
            AdmissionError::Unavailable(_) => {
                let detail = "The identity pool is unavailable. Try again.";
                Self::unavailable("identity_pool_unavailable", detail).because(message)
            }
            AdmissionError::Misconfigured(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "identity_pool_misconfigured",
                "The identity pool is misconfigured; the operator's log says how.",
            )
            .because(message),
        }
    }

    fn too_many_at_once() -> Self {
        let detail = "Several requests of this person are being served already. Wait for their answers, and try again.";
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_at_once", detail);
        Self { retry_after: Some(SignedDuration::from_secs(1)), ..error }
    }

    fn exchange_pool(error: &PoolError) -> Self {
        let message = error.to_string();
        match error {
            PoolError::ResourceNotFound(_) => Self::bad_request("unknown_identity", message),
            PoolError::InvalidParameter(_) => Self::bad_request("malformed_request", message),
            PoolError::NotAuthorized(_) => Self::unauthorized("identity_refused", message),
            PoolError::ResourceConflict(_) | PoolError::DeveloperUserAlreadyRegistered => {
                Self::new(StatusCode::CONFLICT, "login_belongs_to_another_identity", message)
            }
            PoolError::InvalidIdentityPoolConfiguration => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "identity_pool_misconfigured", message)
            }
            PoolError::CredentialsMisconfigured(cause) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "identity_pool_misconfigured", message)
                    .because(cause)
            }
            PoolError::CredentialsUnavailable(cause) => {
                Self::unavailable("credentials_unavailable", message).because(cause)
            }
            PoolError::TooManyRequests => Self::too_many_at_once(),
            PoolError::LimitExceeded(_)
            | PoolError::ConcurrentModification
            | PoolError::ExternalService(_) => Self::unavailable("identity_pool_unavailable", message),
            PoolError::Store(error) => Self::store("store_unavailable", error),
        }
    }

    /// Cognito identity: why an operation failed (docs/reference/cognito-identity.md, 3.5).
    #[must_use]
    pub fn pool(error: PoolError) -> Self {
        let message = error.to_string();
        let code = match error {
            PoolError::ResourceNotFound(_) => "ResourceNotFoundException",
            PoolError::NotAuthorized(_) => "NotAuthorizedException",
            PoolError::InvalidParameter(_) => "InvalidParameterException",
            PoolError::ResourceConflict(_) => "ResourceConflictException",
            PoolError::DeveloperUserAlreadyRegistered => "DeveloperUserAlreadyRegisteredException",
            PoolError::InvalidIdentityPoolConfiguration => INVALID_CONFIGURATION,
            PoolError::CredentialsMisconfigured(cause) => {
                return Self::bad_request(INVALID_CONFIGURATION, message).because(cause);
            }
            PoolError::CredentialsUnavailable(cause) => {
                return Self::unavailable(SERVICE_UNAVAILABLE, message).because(cause);
            }
            PoolError::LimitExceeded(_) => "LimitExceededException",
            PoolError::TooManyRequests => "TooManyRequestsException",
            PoolError::ConcurrentModification => "ConcurrentModificationException",
            PoolError::ExternalService(error) => {
                let cause = format!("{error:?}");
                return Self::bad_request(EXTERNAL_SERVICE, message).because(cause);
            }
            PoolError::Store(error) => return Self::internal(&error),
        };
        Self::bad_request(code, message)
    }

    fn internal(error: &StoreError) -> Self {
        let message = "The service failed. Try again.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalErrorException", message).because(chain(error))
    }

    fn sts_internal(error: &StoreError) -> Self {
        let message = "The service failed. Try again.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", message).because(chain(error))
    }

    /// AWS: why a request has no caller (docs/reference/cognito-identity.md, 1.3 and 7.5).
    #[must_use]
    pub fn signature(dialect: Dialect, error: SignatureError) -> Self {
        let message = error.to_string();
        let (json, query) = match error {
            SignatureError::Missing => ("MissingAuthenticationTokenException", "MissingAuthenticationToken"),
            SignatureError::Incomplete(_) | SignatureError::HeadersNotSigned(_) => {
                ("IncompleteSignatureException", "IncompleteSignature")
            }
            SignatureError::UnknownKey => ("UnrecognizedClientException", "InvalidClientTokenId"),
            SignatureError::ExpiredSession => ("ExpiredTokenException", "ExpiredToken"),
            SignatureError::Skewed(_)
            | SignatureError::WrongScope(_)
            | SignatureError::Payload(_)
            | SignatureError::Mismatch => ("InvalidSignatureException", "SignatureDoesNotMatch"),
            SignatureError::Store(error) if dialect == Dialect::AwsQuery => {
                return Self::sts_internal(&error);
            }
            SignatureError::Store(error) => return Self::internal(&error),
        };
        match dialect {
            Dialect::AwsQuery => Self::new(StatusCode::FORBIDDEN, query, message),
            Dialect::AwsJson | Dialect::Problem | Dialect::OAuth => Self::bad_request(json, message),
        }
    }

    /// STS: why a role was not taken on (docs/reference/cognito-identity.md, 7.3).
    #[must_use]
    pub fn assume(error: AssumeError) -> Self {
        match error {
            AssumeError::Token(error) => Self::web_identity_token(&error),
            AssumeError::Denied(_) | AssumeError::IdentityForbidden(_) => {
                let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
                Self::new(StatusCode::FORBIDDEN, "AccessDenied", message).because(error)
            }
            AssumeError::MalformedPolicy(error) => {
                Self::bad_request("MalformedPolicyDocument", error.to_string())
            }
            AssumeError::TooLarge(percent) => Self::bad_request(
                "PackedPolicyTooLarge",
                format!("Packed size of session tags consumes {percent}% of allotted space."),
            ),
            AssumeError::DurationExceedsRole => Self::bad_request(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ),
            AssumeError::Store(error) => Self::sts_internal(&error),
        }
    }

    fn web_identity_token(error: &TokenError) -> Self {
        match error {
            TokenError::Malformed => Self::bad_request(
                "InvalidIdentityToken",
                "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
            ),
            TokenError::BadSignature => {
                Self::bad_request("InvalidIdentityToken", "The signature of the ID Token does not verify.")
            }
            TokenError::WrongIssuer => Self::bad_request(
                "InvalidIdentityToken",
                "No OpenIDConnect provider found in your account for the issuer of the ID Token",
            ),
            TokenError::Expired { now, expired_at } => Self::bad_request(
                "ExpiredTokenException",
                format!(
                    "Token expired: current date/time {now} must be before the expiration date/time {expired_at}"
                ),
            ),
        }
    }

    /// The answer that a client gets. What the operator has to know goes into the log here, once.
    #[must_use]
    pub fn answer(&self, dialect: Dialect, request_id: &RequestId) -> Response {
        let response = match dialect {
            Dialect::Problem => self.problem(request_id),
            Dialect::OAuth => self.oauth(),
            Dialect::AwsJson => self.aws_json(),
            Dialect::AwsQuery => self.aws_query(request_id),
        };
        self.send(response, request_id)
    }

    /// The same for a person: a page that somebody else wrote.
    #[must_use]
    pub fn answer_with_page(&self, page: String, request_id: &RequestId) -> Response {
        self.send((self.status, Html(page)).into_response(), request_id)
    }

    fn send(&self, mut response: Response, request_id: &RequestId) -> Response {
        // A cause may repeat what somebody else answered.
        let (code, cause) = (self.code, cut(self.cause.as_deref().unwrap_or_default(), MAX_CAUSE));
        if self.concerns_the_operator() {
            tracing::error!(%request_id, code, cause, "request {request_id} failed: {code}");
        } else {
            tracing::debug!(%request_id, code, cause, "request {request_id} refused: {code}");
        }
        if matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            let seconds = self.retry_after.map_or(RETRY_AFTER, whole_seconds);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// Whether whoever asked can do nothing about it. AWS gives a provider that does not answer, and an STS that
    /// refuses, the status of a client's mistake.
    fn concerns_the_operator(&self) -> bool {
        let refused_by_an_sts = self.code == INVALID_CONFIGURATION && self.cause.is_some();
        self.status.is_server_error() || self.code == EXTERNAL_SERVICE || refused_by_an_sts
    }

    fn problem(&self, request_id: &RequestId) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.message,
            "code": self.code,
            "request_id": request_id,
        });
        let headers =
            [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
        (self.status, headers, body.to_string()).into_response()
    }

    /// The codes of RFC 6749 section 5.2; our own code goes along.
    fn oauth(&self) -> Response {
        let error = match (self.code, self.status) {
            (code @ ("invalid_request" | "invalid_client" | "unsupported_grant_type"), _) => code,
            (_, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => "temporarily_unavailable",
            (_, status) if status.is_server_error() => "server_error",
            (_, StatusCode::UNAUTHORIZED | StatusCode::CONFLICT) => "invalid_grant",
            _ => "invalid_request",
        };
        let status = if error == "invalid_grant" { StatusCode::BAD_REQUEST } else { self.status };
        let body = json!({"error": error, "error_description": self.message, "code": self.code});
        (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }

    fn aws_json(&self) -> Response {
        let key = if self.code == "AccessDeniedException" { "Message" } else { "message" };
        let body = json!({"__type": self.code, key: self.message}).to_string();
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body).into_response();
        // A message may repeat what a client sent, and not every character can stand in a header.
        let visible = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
        let text = |text: &str| {
            let text: String = text.chars().map(visible).collect();
            HeaderValue::from_str(&text).expect("visible ASCII is a header value")
        };
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("x-amzn-errortype"), text(&format!("{}:", self.code)));
        headers.insert(HeaderName::from_static("x-amzn-errormessage"), text(&self.message));
        response
    }

    fn aws_query(&self, request_id: &RequestId) -> Response {
        let fault = if self.status.is_server_error() { "Receiver" } else { "Sender" };
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{fault}</Type>\
             <Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
            self.code,
            xml::escape(&self.message)
        );
        (self.status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
    }
}

/// Rounded up: who comes back a moment too early waits twice.
fn whole_seconds(duration: SignedDuration) -> u32 {
    let seconds = duration.as_secs() + i64::from(duration.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

/// An error and everything that it says it was caused by, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
