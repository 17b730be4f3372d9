//! Signing in on devices (RFC 8628): why a device has nothing, and why somebody in a browser gets no further.

use axum::http::StatusCode;
use daypass_core::broker::device_login::{BeginError, DecisionError, PollError};
use daypass_core::broker::exchange::ExchangeError;
use daypass_core::ground::clock::SignedDuration;

use super::{ApiError, Meaning, OAuthMistake};

/// The code of a device code that is good for nothing.
const REFUSED: &str = "device_code_refused";

impl ApiError {
    /// Why a device has not begun.
    #[must_use]
    pub fn device_begin(error: BeginError) -> Self {
        match error {
            BeginError::NotForDevices => Self::not_for_devices(),
            BeginError::TooMany { retry_after } => {
                too_many("too_many_devices", "Too many devices have begun. Try again.", retry_after)
            }
            BeginError::Store(error) => Self::session_store(error),
        }
    }

    /// Why a device that asks has no login (RFC 8628 section 3.5).
    #[must_use]
    pub fn device_poll(error: PollError) -> Self {
        match error {
            PollError::NotForDevices => Self::not_for_devices(),
            PollError::Unknown => {
                refused("The device code is not known, is of another app, or is long over. Begin anew.")
            }
            PollError::Pending => of_oauth(
                OAuthMistake::AuthorizationPending,
                "Nobody has decided yet. Ask again after the interval.",
            ),
            PollError::SlowDown => {
                of_oauth(OAuthMistake::SlowDown, "Wait 5 seconds longer between two questions from now on.")
            }
            PollError::Denied => {
                of_oauth(OAuthMistake::AccessDenied, "The person did not let the device sign them in.")
            }
            PollError::Expired => {
                of_oauth(OAuthMistake::ExpiredToken, "The device code has expired. Begin anew.")
            }
            PollError::TooManyAtOnce => {
                let detail = "The device asks several times at once. Ask again after the interval.";
                too_many("too_many_at_once", detail, SignedDuration::from_secs(1))
            }
            PollError::Store(error) => Self::session_store(error),
        }
    }

    /// Whether nobody has decided yet about the device that asks.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        use OAuthMistake::{AuthorizationPending, SlowDown};
        matches!(self.meaning, Meaning::OfOAuth(AuthorizationPending | SlowDown))
    }

    /// Why the login that a device may have came to nothing.
    #[must_use]
    pub fn device_exchange(error: ExchangeError) -> Self {
        match error {
            ExchangeError::LoginCodeRefused => {
                refused("The device code is spent, or its provider is not there any more. Begin anew.")
            }
            error => Self::exchange(error),
        }
    }

    /// Why somebody in a browser gets no further.
    #[must_use]
    pub fn device_decision(error: DecisionError) -> Self {
        match error {
            DecisionError::NothingWaits => {
                let detail = "No device waits under this code. It may be mistyped, older than 10 minutes, or used already.";
                Self::new(StatusCode::NOT_FOUND, Meaning::NotBelieved, "user_code_unknown", detail)
            }
            DecisionError::TooManyWrongCodes { retry_after } => {
                let detail = "Too many wrong codes were typed. Wait a minute before you try again.";
                too_many("too_many_user_codes", detail, retry_after)
            }
            DecisionError::TooManyAtOnce => {
                let detail = "The device asks so often that nothing could be decided. Try again.";
                too_many("too_many_at_once", detail, SignedDuration::from_secs(1))
            }
            DecisionError::Store(error) => Self::store(&error),
        }
    }

    /// The app does not sign people in on devices (RFC 6749 section 5.2, "unauthorized_client").
    pub(super) fn not_for_devices() -> Self {
        let detail = "This app does not sign people in on devices: that takes device_authorization = true in its [[app]].";
        of_oauth(OAuthMistake::UnauthorizedClient, detail)
    }

    /// A form that was not sent by a page of ours.
    #[must_use]
    pub fn page_of_somebody_else() -> Self {
        let detail = "This was not sent by a page of this server. Open the address that your device shows.";
        Self::new(StatusCode::FORBIDDEN, Meaning::NotAllowed, "origin_not_allowed", detail)
    }
}

fn of_oauth(mistake: OAuthMistake, detail: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, Meaning::OfOAuth(mistake), mistake.name(), detail)
}

fn refused(detail: &str) -> ApiError {
    ApiError::unauthorized(REFUSED, detail)
}

fn too_many(code: &'static str, detail: &str, retry_after: SignedDuration) -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, Meaning::TooManyAtOnce, code, detail).after(retry_after)
}
