//! Why a request has no caller.

use daypass_core::store::StoreError;
/// Why a request has no caller.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// No signature at all.
    #[error("Missing Authentication Token")]
    Missing,
    /// A signature that cannot be one.
    #[error("{0}")]
    Incomplete(String),
    /// Headers that decide what the request means, and are not signed: their names.
    #[error("'{0}' must be among the SignedHeaders")]
    HeadersNotSigned(String),
    /// No such access key, or not with this session token, or it is disabled.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// The credentials are over, or were revoked.
    #[error("The security token included in the request is expired")]
    ExpiredSession,
    /// Signed too long ago, or too far ahead. Some SDKs read the server's time out of AWS's text.
    #[error("{0}")]
    Skewed(String),
    /// Signed for another Region or service than the one that answers.
    #[error("Credential should be scoped to {0}")]
    WrongScope(String),
    /// The body is declared to be signed in another way than by its hash, or has another hash.
    #[error("{0}")]
    Payload(&'static str),
    /// Signed with another secret, or something was changed since.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
         Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A signature that cannot be one.
pub(super) fn incomplete(text: impl Into<String>) -> SignatureError {
    SignatureError::Incomplete(text.into())
}
