//! Why a proof did not become a login.

use ::http::StatusCode;

use super::definition::ProofKind;
use crate::ground::outbound::ProviderHttpError;
use crate::login::id_token::IdTokenError;

/// Why a proof did not become a login.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProofError {
    /// A bare access token, at a provider that cannot say which client it was issued to.
    #[error("a bare access token does not show which app it was issued to")]
    UnboundAccessToken,
    /// The provider does not take this kind of proof here.
    #[error("this provider takes no {0}")]
    KindNotAccepted(ProofKind),
    /// The proof was issued to another app than ours.
    #[error("the proof was issued to another app")]
    AnotherClient,
    /// The two calls that an access token was shown to name two people.
    #[error("the provider names two people for one token")]
    TwoPeople,
    /// A flow with PKCE ends with a verifier.
    #[error("the code comes without its code_verifier")]
    VerifierMissing,
    /// A nonce ties an ID token to the login that it was issued for, and, where there is no PKCE, a code to the browser.
    #[error("the proof comes without the nonce of its login")]
    NonceMissing,
    /// The ID token is not believed.
    #[error("the ID token is refused: {0}")]
    IdToken(IdTokenError),
    /// The provider said no: spent, expired, revoked, or another client's.
    #[error("the provider refused the proof")]
    Refused,
    /// The provider answered with errors in place of a profile.
    #[error("the provider answered with an error{}", code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default())]
    ReportedErrors {
        /// The provider's own code for the first of them.
        code: Option<String>,
    },
    /// The profile has no external ID: its scope was not granted, or the value is unusable.
    #[error("the provider named no external ID")]
    SubjectMissing,
    /// The external ID could be read as that of a person at another provider.
    #[error("the external ID cannot stand alone as an identifier, because it holds a colon")]
    SubjectAmbiguous,
    /// The provider did not answer in time.
    #[error("the provider did not answer in time")]
    TimedOut,
    /// The provider cannot be reached or says that it is out of order.
    #[error("the provider is unavailable: {0}")]
    Unavailable(String),
    /// The answer is longer than any honest one.
    #[error("the provider's answer is too large")]
    AnswerTooLarge,
    /// The answer is not what the definition expects.
    #[error("the provider's answer makes no sense: {0}")]
    AnswerMalformed(&'static str),
    /// The provider is not what its definition says: an address that is gone, a redirect, another issuer. Asking again
    /// brings the same.
    #[error("the provider is not as it is defined: {0}")]
    NotAsDefined(String),
    /// The provider does not accept our client.
    #[error("the provider refused our client: {0}")]
    Misconfigured(String),
    /// The provider could not be asked, for no fault of its own.
    #[error("{}", ProviderHttpError::OutOfFiles)]
    OutOfFiles,
}

impl ProofError {
    /// Whether the provider will say no as long as it is asked about this proof.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Refused | Self::AnotherClient | Self::TwoPeople)
    }

    /// What the audit trail calls it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnboundAccessToken => "unbound_access_token",
            Self::KindNotAccepted(_) => "proof_kind_not_accepted",
            Self::AnotherClient => "proof_of_another_app",
            Self::TwoPeople => "proof_of_two_people",
            Self::VerifierMissing => "verifier_missing",
            Self::NonceMissing => "nonce_missing",
            Self::IdToken(_) => "id_token_refused",
            Self::Refused => "proof_refused",
            Self::ReportedErrors { .. } => "provider_reported_error",
            Self::SubjectMissing => "subject_missing",
            Self::SubjectAmbiguous => "subject_ambiguous",
            Self::TimedOut => "provider_timeout",
            Self::Unavailable(_) => "provider_unavailable",
            Self::AnswerTooLarge => "provider_answer_too_large",
            Self::AnswerMalformed(_) => "provider_answer_malformed",
            Self::NotAsDefined(_) => "provider_not_as_defined",
            Self::Misconfigured(_) => "provider_misconfigured",
            Self::OutOfFiles => "server_busy",
        }
    }
}

impl From<ProviderHttpError> for ProofError {
    fn from(error: ProviderHttpError) -> Self {
        match error {
            ProviderHttpError::TimedOut => Self::TimedOut,
            ProviderHttpError::Unreachable(reason) => Self::Unavailable(reason),
            ProviderHttpError::Resting => Self::Unavailable(error.to_string()),
            ProviderHttpError::PrivateAddress { .. } => Self::Misconfigured(error.to_string()),
            ProviderHttpError::AnswerTooLarge { .. } => Self::AnswerTooLarge,
            ProviderHttpError::OutOfFiles => Self::OutOfFiles,
        }
    }
}

impl From<IdTokenError> for ProofError {
    fn from(error: IdTokenError) -> Self {
        match error {
            IdTokenError::WrongAudience => Self::AnotherClient,
            IdTokenError::NonceNotShown => Self::NonceMissing,
            IdTokenError::Unavailable(reason) => Self::Unavailable(reason.to_string()),
            IdTokenError::NotAsDefined(reason) => Self::NotAsDefined(reason.to_string()),
            error @ (IdTokenError::Malformed
            | IdTokenError::ClaimType(_)
            | IdTokenError::AlgorithmNotTaken(_)
            | IdTokenError::UnknownKey
            | IdTokenError::WrongType
            | IdTokenError::MissingClaim(_)
            | IdTokenError::IssuerMismatch
            | IdTokenError::BadSignature
            | IdTokenError::Expired { .. }
            | IdTokenError::NotYetValid { .. }
            | IdTokenError::WrongNonce
            | IdTokenError::TooOld
            | IdTokenError::WrongClaim) => Self::IdToken(error),
        }
    }
}

/// A provider that answers with a status of its own trouble.
pub(super) fn unavailable(status: StatusCode) -> ProofError {
    ProofError::Unavailable(format!("status {}", status.as_u16()))
}
