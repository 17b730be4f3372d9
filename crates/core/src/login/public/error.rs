//! Why a login is not believed. Clients compare these texts, so they are AWS's own where one is known
//! (docs/reference/cognito-identity.md, 9.1).

use crate::login::id_token::IdTokenError;
use crate::login::provider::ProofError;

/// Why a login of a public provider was not verified. No text repeats anything of a token but its times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicLoginError {
    /// The pool accepts no such provider, or not the client that the token was issued to.
    #[error("Token is not from a supported provider of this identity pool.")]
    UnsupportedProvider,
    /// Not a signed JWT, or one whose claims cannot be what they should.
    #[error("Invalid login token. Not a valid OpenId Connect identity token.")]
    Malformed,
    /// A claim that every ID token has is not there.
    #[error("Invalid login token. Missing a required claim: {0}")]
    MissingClaim(&'static str),
    /// Issued by somebody else than the key says.
    #[error("Invalid login token. Issuer doesn't match providerName")]
    IssuerMismatch,
    /// Not signed by a key of the issuer.
    #[error("Invalid login token. Couldn't verify signed token.")]
    BadSignature,
    /// Its life is over.
    #[error("Invalid login token. Token expired: {now} >= {expired_at}")]
    Expired {
        /// Now, in seconds since the epoch.
        now: i64,
        /// Its `exp`.
        expired_at: i64,
    },
    /// Its life begins later than clocks differ. The text is ours.
    #[error("Invalid login token. Token is not valid yet: {now} < {valid_from}")]
    NotYetValid {
        /// Now, in seconds since the epoch.
        now: i64,
        /// Its `iat` or `nbf`.
        valid_from: i64,
    },
    /// The provider says that the access token is not good. The text is ours.
    #[error("Invalid login token. The provider refused it.")]
    Refused,
    /// Nothing here can check logins of this kind; the text says which kind.
    #[error("{0}")]
    Unverifiable(&'static str),
    /// The provider did not answer, or not in its own language.
    #[error("{provider} cannot be asked about the login token.")]
    Unavailable {
        /// The key in `Logins`.
        provider: String,
        /// What happened, for the operator. It holds no secret.
        reason: String,
    },
}

/// The exceptions of the identity pool API that a login can end in (docs/reference/cognito-identity.md, 3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `NotAuthorizedException`.
    NotAuthorized,
    /// `InvalidParameterException`.
    InvalidParameter,
    /// `ExternalServiceException`.
    ExternalService,
}

impl PublicLoginError {
    /// Why the engine did not confirm a login of `provider`, in AWS's words where they are known.
    pub(super) fn of_proof(error: ProofError, provider: &str) -> Self {
        let unavailable = |reason| Self::Unavailable { provider: provider.to_owned(), reason };
        match error {
            ProofError::IdToken(error) => Self::of_id_token(error, provider),
            ProofError::AnotherClient | ProofError::KindNotAccepted(_) | ProofError::UnboundAccessToken => {
                Self::UnsupportedProvider
            }
            ProofError::Refused | ProofError::TwoPeople => Self::Refused,
            ProofError::VerifierMissing | ProofError::NonceMissing | ProofError::SubjectAmbiguous => {
                Self::Malformed
            }
            ProofError::Unavailable(reason) | ProofError::Misconfigured(reason) => unavailable(reason),
            ProofError::ReportedErrors { .. }
            | ProofError::SubjectMissing
            | ProofError::TimedOut
            | ProofError::AnswerTooLarge
            | ProofError::AnswerMalformed(_)
            | ProofError::OutOfFiles => unavailable(error.to_string()),
        }
    }

    fn of_id_token(error: IdTokenError, provider: &str) -> Self {
        match error {
            IdTokenError::Malformed
            | IdTokenError::WrongType
            | IdTokenError::WrongNonce
            | IdTokenError::NonceNotShown
            | IdTokenError::TooOld
            | IdTokenError::WrongClaim => Self::Malformed,
            IdTokenError::MissingClaim(name) => Self::MissingClaim(name),
            IdTokenError::IssuerMismatch => Self::IssuerMismatch,
            IdTokenError::BadSignature => Self::BadSignature,
            IdTokenError::Expired { now, expired_at } => Self::Expired { now, expired_at },
            IdTokenError::NotYetValid { now, valid_from } => Self::NotYetValid { now, valid_from },
            IdTokenError::WrongAudience => Self::UnsupportedProvider,
            IdTokenError::Unavailable(reason) => {
                Self::Unavailable { provider: provider.to_owned(), reason: reason.to_string() }
            }
        }
    }

    /// The exception that a client gets to see.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::UnsupportedProvider
            | Self::Malformed
            | Self::MissingClaim(_)
            | Self::IssuerMismatch
            | Self::BadSignature
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::Refused => Refusal::NotAuthorized,
            Self::Unverifiable(_) => Refusal::InvalidParameter,
            Self::Unavailable { .. } => Refusal::ExternalService,
        }
    }
}
