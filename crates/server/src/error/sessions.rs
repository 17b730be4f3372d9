//! `/oauth2` and `/v1/sessions`: why a session does not go on.

use axum::http::StatusCode;
use daypass_core::broker::sessions::RefreshError;
use daypass_core::broker::sessions::acting::ActError;
use daypass_core::records::sign_in_session::EndReason;
use daypass_core::store::StoreError;
use daypass_core::token::dpop::ProofError;

use super::{ApiError, Further, Meaning, OAuthMistake};

/// What is wrong with where a request says that its session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieMistake {
    /// The header names no app whose sessions are in a cookie.
    NoSuchApp,
    /// The app's sessions are, and the header is not there.
    NoHeader,
    /// The header names another app than `client_id`, or than the session is of.
    TwoApps,
    /// A refresh token, or another login, came along.
    SomethingElse,
}

/// Something is wrong with a DPoP proof, or there is none.
const INVALID_PROOF: &str = "invalid_dpop_proof";
/// The code of everything that is wrong with a refresh token; `reason` says more.
const REFUSED: &str = "refresh_token_refused";
/// The code of an ID token of ours that shows nobody for whom somebody could act.
const SUBJECT_REFUSED: &str = "subject_token_refused";

impl ApiError {
    /// Why a refresh token is good for nothing.
    #[must_use]
    pub fn refresh(error: RefreshError) -> Self {
        match error {
            RefreshError::Malformed => {
                Self::unauthorized(REFUSED, "The refresh token is none of this server's. Sign in anew.")
                    .reason("malformed")
            }
            RefreshError::Over(reason) => Self::unauthorized(REFUSED, over(reason)).reason(reason.name()),
            RefreshError::Replaced => Self::unauthorized(
                REFUSED,
                "The refresh token was replaced a while ago. Refresh, and ask with the new one.",
            )
            .reason("replaced"),
            RefreshError::OfAnotherKey => Self::new(
                StatusCode::BAD_REQUEST,
                Meaning::OfOAuth(OAuthMistake::InvalidDpopProof),
                INVALID_PROOF,
                "The refresh token is bound to a key. Sign the request with it (DPoP, RFC 9449).",
            ),
            RefreshError::ScopeTooWide => Self::new(
                StatusCode::BAD_REQUEST,
                Meaning::OfOAuth(OAuthMistake::InvalidScope),
                "invalid_scope",
                "The scope is more than the session was granted. Leave it out, or sign in anew with it.",
            ),
            RefreshError::Admission(error) => Self::exchange(error.into()),
        }
    }

    /// Why a proof of possession proves nothing (RFC 9449 sections 5 and 8).
    #[must_use]
    pub fn dpop(error: ProofError) -> Self {
        let refused = |message: String| {
            Self::new(
                StatusCode::BAD_REQUEST,
                Meaning::OfOAuth(OAuthMistake::InvalidDpopProof),
                INVALID_PROOF,
                message,
            )
        };
        match error {
            ProofError::Invalid(why) => refused(format!("The DPoP proof is refused: {why}.")),
            ProofError::NonceWanted(nonce) => {
                let detail =
                    "The clock of the client is off. Make the proof again with the nonce in DPoP-Nonce.";
                let error = Self::new(
                    StatusCode::BAD_REQUEST,
                    Meaning::OfOAuth(OAuthMistake::UseDpopNonce),
                    "use_dpop_nonce",
                    detail,
                );
                Self { further: Further::DpopNonce(nonce.into()), ..error }
            }
            ProofError::Store(error) => Self::session_store(error),
        }
    }

    /// A request has one proof (RFC 9449 section 4.3).
    #[must_use]
    pub fn several_dpop_proofs() -> Self {
        Self::dpop(ProofError::Invalid("a request has one, in ASCII"))
    }

    /// `/v1/sessions`: nothing came along that a session is known by.
    #[must_use]
    pub fn no_refresh_token() -> Self {
        let detail = "Send the session's refresh token as Authorization: Bearer.";
        Self::unauthorized(REFUSED, detail).reason("malformed")
    }

    /// A request is unclear about the cookie that its session is in.
    #[must_use]
    pub fn session_cookie(mistake: CookieMistake) -> Self {
        let detail = match mistake {
            CookieMistake::NoSuchApp => {
                "Daypass-App names no [[app]] with session_cookie = true. Leave the header out, and send the refresh token."
            }
            CookieMistake::NoHeader => {
                "This app's sessions are in a cookie: send its id as the header Daypass-App, and the cookie along \
                 (fetch with credentials: \"include\")."
            }
            CookieMistake::TwoApps => {
                "Daypass-App names another app than client_id, or than the session is of: send the id of one."
            }
            CookieMistake::SomethingElse => {
                "With Daypass-App the session is the cookie's: leave the refresh token out."
            }
        };
        Self::bad_request("session_cookie", detail)
    }

    /// The page that calls is none of the app that it names.
    #[must_use]
    pub fn page_of_another_app() -> Self {
        let detail = "This page is none of the app that the request names. Add its origin to `origins` of that [[app]].";
        Self::new(StatusCode::FORBIDDEN, Meaning::NotAllowed, "origin_not_allowed", detail)
    }

    /// No cookie came along: nobody is signed in.
    #[must_use]
    pub fn no_session_cookie() -> Self {
        let detail = "No session's cookie came along: nobody is signed in here, or the page is of another site than Daypass. \
                      Sign in.";
        Self::unauthorized(REFUSED, detail).reason("no_cookie")
    }

    /// The store does not answer about sessions.
    #[must_use]
    pub fn session_store(error: StoreError) -> Self {
        Self::exchange(error.into())
    }

    /// There is no such app (RFC 6749 section 5.2, "invalid_client").
    #[must_use]
    pub fn unknown_client() -> Self {
        let detail = "No app is registered under this client_id: it must be the id of an [[app]].";
        Self::new(
            StatusCode::UNAUTHORIZED,
            Meaning::OfOAuth(OAuthMistake::InvalidClient),
            "unknown_app",
            detail,
        )
    }

    /// Nobody whom a request names gets a token (RFC 8693 section 2.2.2).
    #[must_use]
    pub fn invalid_target() -> Self {
        let detail = "Tokens are for the identity pool: leave resource and audience out.";
        Self::new(
            StatusCode::BAD_REQUEST,
            Meaning::OfOAuth(OAuthMistake::InvalidTarget),
            "invalid_target",
            detail,
        )
    }

    /// Why nobody may act for somebody. What an actor shows is a subject token and an actor token: one that is not believed makes
    /// the request invalid.
    #[must_use]
    pub fn acting(error: ActError) -> Self {
        let refused = |code: &'static str, message: &str| Self::bad_request(code, message);
        match error {
            ActError::ActorToken(error) => Self::exchange(error).of_actor_token(),
            ActError::NotAnActor => Self::new(
                StatusCode::FORBIDDEN,
                Meaning::NotAllowed,
                "actor_refused",
                "The login of actor_token is no actor for people of this app: the operator has to name it in [[actor]].",
            ),
            ActError::Subject(error) => Self::exchange(error).of_subject_token(),
            ActError::IdToken(error) => {
                refused(SUBJECT_REFUSED, &format!("subject_token: the ID token is refused: {error}."))
            }
            ActError::OfAnotherApp => {
                refused(SUBJECT_REFUSED, "subject_token: the ID token is for another app than client_id.")
            }
            ActError::OfNoSession => refused(
                SUBJECT_REFUSED,
                "subject_token: the ID token belongs to no session. Take the one that /oauth2/token gave to the app.",
            ),
            ActError::Session(RefreshError::Over(reason)) => {
                refused(SUBJECT_REFUSED, over(reason)).reason(reason.name())
            }
            ActError::Session(error) => Self::refresh(error).of_subject_token(),
        }
    }

    /// The same about an actor token, which it names.
    fn of_actor_token(self) -> Self {
        let error = self.of_subject_token();
        Self { message: format!("actor_token: {}", error.message), ..error }
    }

    /// An actor wants an ID token.
    #[must_use]
    pub fn scope_of_actor() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            Meaning::OfOAuth(OAuthMistake::InvalidScope),
            "invalid_scope",
            "An actor gets no ID token, which would say that the person is there: leave scope out.",
        )
    }

    /// The same about a subject token: one that is not believed makes the request invalid, and no grant (RFC 8693 section
    /// 2.2.2).
    #[must_use]
    pub fn of_subject_token(self) -> Self {
        match self.meaning {
            Meaning::NotBelieved | Meaning::NotShared => {
                Self { status: StatusCode::BAD_REQUEST, meaning: Meaning::Mistake, ..self }
            }
            _ => self,
        }
    }
}

fn over(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Expired => "The session is over, or is not known. Sign in anew.",
        EndReason::SignedOut => "The session was signed out. Sign in anew.",
        EndReason::Reused => {
            "The session has ended, because a refresh token was shown that had been replaced: somebody may have had a \
             copy. Sign in anew."
        }
        EndReason::Revoked => "The session was revoked, or signed out everywhere. Sign in anew.",
        EndReason::LoginUnlinked => "The login does not belong to this identity any more. Sign in anew.",
        EndReason::Upstream => "The provider says that the login was taken back there. Sign in anew.",
        EndReason::IdentityGone => "The identity is gone. Sign in anew.",
    }
}
