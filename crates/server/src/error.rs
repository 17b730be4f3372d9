//! An error on its way to a client. Core says what went wrong; how a route tells it stands in the file of the route's
//! dialect. What an error means for whoever asked, and for the operator, goes along to the end: nothing guesses it from a
//! code or a status.

mod cognito;
mod device;
mod exchange;
mod oauth;
mod problem;
mod sessions;
mod sts;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use daypass_core::audit::cut;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::RequestId;

#[cfg(test)]
pub(crate) use self::oauth::OAuthError;
#[cfg(test)]
pub(crate) use self::problem::Problem;
pub use self::sessions::CookieMistake;
use crate::sigv4::SignatureError;

/// Seconds after which a client may try again what was unavailable.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// So many characters of a cause are logged.
const MAX_CAUSE: usize = 1_000;

/// How a route speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 9457, for `/v1`.
    Problem,
    /// RFC 6749 section 5.2, for `/oauth2`.
    OAuth,
    /// That of AWS.
    Aws(Protocol),
}

/// A protocol of the AWS API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.1, of the identity pools (docs/reference/cognito-identity.md, 1.3).
    Json,
    /// AWS Query, of STS (docs/reference/cognito-identity.md, 1.4).
    Query,
}

/// What an error means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The request asks for what nobody gets: sent again, it is refused again.
    Mistake,
    /// A mistake that OAuth has a word of its own for.
    OfOAuth(OAuthMistake),
    /// What was shown is not believed, or does not go together with what is known.
    NotBelieved,
    /// The person cancelled at the provider.
    Cancelled,
    /// The person signed in, and did not let the provider say who they are.
    NotShared,
    /// It is known who asks, and they may not.
    NotAllowed,
    /// Whoever asks has too much under way.
    TooManyAtOnce,
    /// Somebody does not answer at the moment, be it this server, and whoever asked did nothing wrong.
    Unavailable,
    /// The operator, or somebody whom the server asked, has something to mend.
    Broken,
}

/// A mistake that OAuth has a word of its own for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthMistake {
    /// There is no such grant (RFC 6749 section 5.2).
    UnsupportedGrantType,
    /// No such app is registered (RFC 6749 section 5.2).
    InvalidClient,
    /// More is asked for than was granted once (RFC 6749 section 5.2).
    InvalidScope,
    /// There is no token for whom one is asked for (RFC 8693 section 2.2.2).
    InvalidTarget,
    /// The key that the request should be signed with did not sign it (RFC 9449 section 5).
    InvalidDpopProof,
    /// It is to be signed again, with a nonce (RFC 9449 section 8).
    UseDpopNonce,
    /// The app may not use this grant (RFC 6749 section 5.2).
    UnauthorizedClient,
    /// Nobody has decided yet (RFC 8628 section 3.5).
    AuthorizationPending,
    /// The same, and the device has to ask less often (RFC 8628 section 3.5).
    SlowDown,
    /// The person did not let the device (RFC 8628 section 3.5).
    AccessDenied,
    /// The time of the device code is over (RFC 8628 section 3.5).
    ExpiredToken,
}

impl Meaning {
    /// Whether the fault lies elsewhere than with whoever asks.
    #[must_use]
    pub fn is_outage(self) -> bool {
        match self {
            Self::Unavailable | Self::Broken => true,
            Self::Mistake
            | Self::OfOAuth(_)
            | Self::NotBelieved
            | Self::Cancelled
            | Self::NotShared
            | Self::NotAllowed
            | Self::TooManyAtOnce => false,
        }
    }
}

/// What can befall a request to any route, whatever it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFailure {
    /// It took longer than any may.
    TookTooLong,
    /// There is more to do than can be done soon.
    ServerBusy {
        /// When it is worth coming back.
        retry_after: SignedDuration,
    },
    /// Somebody asks more often than the operator lets them.
    TooOften {
        /// When they may ask again.
        retry_after: SignedDuration,
    },
    /// The server has a mistake of its own, which its log tells.
    Panicked,
    /// The body is longer than the route takes.
    BodyTooLarge {
        /// So many bytes it takes.
        limit: usize,
    },
    /// The body broke off before its end, or its chunks are not what RFC 9112 section 7.1 says.
    BodyBroken,
    /// The body did not come in time.
    BodyTooSlow,
}

/// An error on its way to a client.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    meaning: Meaning,
    /// Stable: clients act on it.
    code: &'static str,
    /// For people, with the cure where there is one. Never holds a secret.
    message: String,
    /// For the operator's log only.
    cause: Option<String>,
    /// When it is worth asking again, where clients are told.
    retry_after: Option<SignedDuration>,
    /// What clients act on besides.
    further: Further,
}

/// What clients act on besides.
#[derive(Debug)]
enum Further {
    Nothing,
    /// Which of several reasons it is that have one code.
    Reason(&'static str),
    /// What the next proof of possession has to hold.
    DpopNonce(Box<str>),
}

impl Further {
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Reason(reason) => Some(reason),
            Self::Nothing | Self::DpopNonce(_) => None,
        }
    }
}

impl ApiError {
    fn new(status: StatusCode, meaning: Meaning, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            meaning,
            code,
            message: message.into(),
            cause: None,
            retry_after: None,
            further: Further::Nothing,
        }
    }

    fn reason(self, reason: &'static str) -> Self {
        Self { further: Further::Reason(reason), ..self }
    }

    fn because(self, cause: impl std::fmt::Display) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    fn after(self, retry_after: SignedDuration) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Meaning::Mistake, code, message)
    }

    fn unauthorized(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Meaning::NotBelieved, code, message)
    }

    fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Meaning::Unavailable, code, message).after(RETRY_AFTER)
    }

    fn internal(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Meaning::Broken, code, message)
    }

    /// What befell a request, as its dialect calls it.
    #[must_use]
    pub fn of_request(dialect: Dialect, failure: RequestFailure) -> Self {
        let code = match dialect {
            Dialect::Problem => problem::code(failure),
            Dialect::OAuth => oauth::code(failure),
            Dialect::Aws(Protocol::Json) => cognito::code(failure),
            Dialect::Aws(Protocol::Query) => sts::code(failure),
        };
        match failure {
            RequestFailure::TookTooLong => Self::unavailable(code, "The request took too long. Try again."),
            // The listener says in the log that it turns requests away: a line for each would be one thing more to do.
            RequestFailure::ServerBusy { retry_after } => Self {
                meaning: Meaning::TooManyAtOnce,
                ..Self::unavailable(code, "The server has too much to do. Try again after Retry-After.")
            }
            .after(retry_after),
            RequestFailure::TooOften { retry_after } => Self::too_often(dialect, code).after(retry_after),
            RequestFailure::Panicked => {
                Self::internal(code, "The server made a mistake. Its log tells more.")
            }
            RequestFailure::BodyTooLarge { limit } => {
                let message = format!("The request body exceeds {limit} bytes.");
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, Meaning::Mistake, code, message)
            }
            RequestFailure::BodyBroken => {
                let message = "The request body is malformed, or broke off before its end. Send it whole.";
                Self::bad_request(code, message)
            }
            RequestFailure::BodyTooSlow => {
                let message = "The request body did not come in time. Send it again, all at once.";
                Self::new(StatusCode::REQUEST_TIMEOUT, Meaning::Mistake, code, message)
            }
        }
    }

    /// AWS tells it as a client's mistake, which its SDKs know by the code, and wait.
    fn too_often(dialect: Dialect, code: &'static str) -> Self {
        let (status, message) = match dialect {
            Dialect::Problem | Dialect::OAuth => {
                (StatusCode::TOO_MANY_REQUESTS, "This was asked for too often. Try again after Retry-After.")
            }
            Dialect::Aws(_) => (StatusCode::BAD_REQUEST, "Rate exceeded"),
        };
        Self::new(status, Meaning::TooManyAtOnce, code, message)
    }

    /// AWS: why a request has no caller (docs/reference/cognito-identity.md, 1.3 and 7.5).
    #[must_use]
    pub fn signature(protocol: Protocol, error: SignatureError) -> Self {
        match protocol {
            Protocol::Json => cognito::signature(error),
            Protocol::Query => sts::signature(error),
        }
    }

    /// AWS: a member has another type than its shape.
    #[must_use]
    pub fn wrong_type(protocol: Protocol, message: String) -> Self {
        match protocol {
            Protocol::Json => Self::serialization(message),
            Protocol::Query => sts::validation(message),
        }
    }

    /// AWS: a value breaks a constraint of its shape.
    #[must_use]
    pub fn validation(protocol: Protocol, message: String) -> Self {
        match protocol {
            Protocol::Json => cognito::validation(message),
            Protocol::Query => sts::validation(message),
        }
    }

    /// What it means for whoever asked.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        self.meaning
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

    /// The answer that a client gets. An outage goes into the log here; the code of any other refusal stands in the line of
    /// its request.
    #[must_use]
    pub fn answer(&self, dialect: Dialect, request_id: &RequestId) -> Response {
        let response = match dialect {
            Dialect::Problem => problem::write(self, request_id),
            Dialect::OAuth => oauth::write(self),
            Dialect::Aws(Protocol::Json) => cognito::write(self),
            Dialect::Aws(Protocol::Query) => sts::write(self, request_id),
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
        // AWS gives a provider that does not answer, and an STS that refuses, the status of a client's mistake.
        if self.meaning.is_outage() {
            tracing::error!(%request_id, code, cause, "request {request_id} failed: {code}");
        } else {
            tracing::debug!(%request_id, code, cause, "request {request_id} refused: {code}");
        }
        response.extensions_mut().insert(ErrorCode(code));
        if let Some(retry_after) = self.retry_after {
            let seconds = HeaderValue::from(whole_seconds(retry_after));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if let Further::DpopNonce(nonce) = &self.further
            && let Ok(nonce) = HeaderValue::from_str(nonce)
        {
            response.headers_mut().insert("dpop-nonce", nonce);
        }
        response
    }
}

/// The code of an error, which goes along with its answer for the line that the log has of every request.
#[derive(Debug, Clone, Copy)]
pub struct ErrorCode(pub &'static str);

/// Rounded up: who comes back a moment too early waits twice.
fn whole_seconds(duration: SignedDuration) -> u32 {
    let seconds = duration.as_secs() + i64::from(duration.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

/// An error and everything that it says it was caused by, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// What core says, as a sentence for people.
fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{stop}", characters.as_str())
}
