//! Why an ID token is not believed.

use std::sync::Arc;

use crate::login::jwks::JwksError;

/// Why an ID token is not believed. No text repeats anything of it but its times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// Not a signed JWT.
    #[error("it is no JWT")]
    Malformed,
    /// A claim that is there and cannot be what it should.
    #[error("its {0} is not of the right type, or empty, too long or with control characters")]
    ClaimType(&'static str),
    /// Signed in a way that is not taken. The name is a plain word.
    #[error("it is signed by {0}, which is not taken here")]
    AlgorithmNotTaken(String),
    /// Signed by a key that the issuer does not publish.
    #[error("its issuer publishes no key that fits its algorithm and key ID")]
    UnknownKey,
    /// Signed with the issuer's key, and for something else.
    #[error("it is a token of another type than an ID token")]
    WrongType,
    /// A claim that every ID token has is not there.
    #[error("it has no {0}")]
    MissingClaim(&'static str),
    /// Its `iss` is none of the issuers that it may be of.
    #[error("it is of another issuer")]
    IssuerMismatch,
    /// Not signed by a key of the issuer.
    #[error("its signature does not verify")]
    BadSignature,
    /// Its life is over.
    #[error("it expired at {expired_at}, and it is {now}")]
    Expired {
        /// Now, in seconds since the epoch.
        now: i64,
        /// Its `exp`.
        expired_at: i64,
    },
    /// Its life begins later than clocks differ.
    #[error("it is not valid before {valid_from}, and it is {now}")]
    NotYetValid {
        /// Now, in seconds since the epoch.
        now: i64,
        /// Its `iat` or `nbf`.
        valid_from: i64,
    },
    /// For a client that is not ours.
    #[error("it was issued to another client")]
    WrongAudience,
    /// Of another login than the one whose nonce was shown.
    #[error("its nonce is not that of this login")]
    WrongNonce,
    /// Of a login whose nonce was not shown.
    #[error("it has a nonce, and none came with it")]
    NonceNotShown,
    /// Issued longer ago than the definition allows.
    #[error("it is too old")]
    TooOld,
    /// A claim that the definition names has another value.
    #[error("a claim has a value that is not accepted")]
    WrongClaim,
    /// The issuer's keys could not be fetched; no verdict about the token.
    #[error("{0}")]
    Unavailable(Arc<str>),
    /// The issuer's keys are not where the configuration says; no verdict about the token.
    #[error("{0}")]
    NotAsDefined(Arc<str>),
}

impl From<JwksError> for IdTokenError {
    fn from(error: JwksError) -> Self {
        match error {
            JwksError::UnknownKey => Self::UnknownKey,
            JwksError::Unavailable(reason) => Self::Unavailable(reason),
            JwksError::NotAsDefined(reason) => Self::NotAsDefined(reason),
        }
    }
}
