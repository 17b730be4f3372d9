//! Why a login is not believed. No text repeats anything of a token but its times; what an API calls it, and in which
//! words, its dialect says.

use crate::login::id_token::IdTokenError;
use crate::login::provider::ProofError;

/// Why a login of a public provider was not verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicLoginError {
    /// The pool accepts no such provider, or not the client that the token was issued to.
    #[error("the pool accepts no such provider, or not the client that the token was issued to")]
    UnsupportedProvider,
    /// Not a signed JWT, or one whose claims cannot be what they should.
    #[error("the token is no ID token that could count here")]
    Malformed,
    /// A claim that every ID token has is not there.
    #[error("the token has no claim {0}")]
    MissingClaim(&'static str),
    /// Issued by somebody else than the key says.
    #[error("the token is of another issuer than the provider's")]
    IssuerMismatch,
    /// Not signed by a key of the issuer.
    #[error("the token is not signed by a key of its issuer")]
    BadSignature,
    /// Its life is over.
    #[error("the token expired at {expired_at}, and it is {now}")]
    Expired {
        /// Now, in seconds since the epoch.
        now: i64,
        /// Its `exp`.
        expired_at: i64,
    },
    /// Its life begins later than clocks differ.
    #[error("the token is valid from {valid_from}, and it is {now}")]
    NotYetValid {
        /// Now, in seconds since the epoch.
        now: i64,
        /// Its `iat` or `nbf`.
        valid_from: i64,
    },
    /// The provider says that the access token is not good.
    #[error("the provider refused the token")]
    Refused,
    /// Nothing here can check logins of this kind; the text says which kind.
    #[error("{0}")]
    Unverifiable(&'static str),
    /// The provider did not answer, or not in its own language.
    #[error("{provider} cannot be asked about the token")]
    Unavailable {
        /// The key in `Logins`.
        provider: String,
        /// What happened, for the operator. It holds no secret.
        reason: String,
    },
    /// The provider is not what the configuration or the catalogue says, and asking again brings the same.
    #[error("{provider} is not what this server's configuration says")]
    NotAsDefined {
        /// The key in `Logins`.
        provider: String,
        /// What was found, for the operator. It holds no secret.
        reason: String,
    },
}

impl PublicLoginError {
    /// Why the engine did not confirm a login of `provider`.
    pub(super) fn of_proof(error: ProofError, provider: &str) -> Self {
        let unavailable = |reason| Self::Unavailable { provider: provider.to_owned(), reason };
        let not_as_defined = |reason| Self::NotAsDefined { provider: provider.to_owned(), reason };
        match error {
            ProofError::IdToken(error) => Self::of_id_token(error, provider),
            ProofError::AnotherClient | ProofError::KindNotAccepted(_) | ProofError::UnboundAccessToken => {
                Self::UnsupportedProvider
            }
            ProofError::Refused | ProofError::TwoPeople => Self::Refused,
            ProofError::VerifierMissing | ProofError::NonceMissing | ProofError::SubjectAmbiguous => {
                Self::Malformed
            }
            ProofError::Unavailable(reason) => unavailable(reason),
            ProofError::NotAsDefined(reason) | ProofError::Misconfigured(reason) => not_as_defined(reason),
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
            | IdTokenError::ClaimType(_)
            | IdTokenError::AlgorithmNotTaken(_)
            | IdTokenError::WrongType
            | IdTokenError::WrongNonce
            | IdTokenError::NonceNotShown
            | IdTokenError::TooOld
            | IdTokenError::WrongClaim => Self::Malformed,
            IdTokenError::MissingClaim(name) => Self::MissingClaim(name),
            IdTokenError::IssuerMismatch => Self::IssuerMismatch,
            IdTokenError::BadSignature | IdTokenError::UnknownKey => Self::BadSignature,
            IdTokenError::Expired { now, expired_at } => Self::Expired { now, expired_at },
            IdTokenError::NotYetValid { now, valid_from } => Self::NotYetValid { now, valid_from },
            IdTokenError::WrongAudience => Self::UnsupportedProvider,
            IdTokenError::Unavailable(reason) => {
                Self::Unavailable { provider: provider.to_owned(), reason: reason.to_string() }
            }
            IdTokenError::NotAsDefined(reason) => {
                Self::NotAsDefined { provider: provider.to_owned(), reason: reason.to_string() }
            }
        }
    }

    /// What the audit trail calls it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnsupportedProvider => "unsupported_provider",
            Self::Malformed => "login_token_malformed",
            Self::MissingClaim(_) => "login_token_incomplete",
            Self::IssuerMismatch => "login_token_of_another_issuer",
            Self::BadSignature => "login_token_signature",
            Self::Expired { .. } => "login_token_expired",
            Self::NotYetValid { .. } => "login_token_not_yet_valid",
            Self::Refused => "proof_refused",
            Self::Unverifiable(_) => "unverifiable_login",
            Self::Unavailable { .. } => "provider_unavailable",
            Self::NotAsDefined { .. } => "provider_not_as_defined",
        }
    }
}
