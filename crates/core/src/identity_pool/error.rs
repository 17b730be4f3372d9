//! Refusals of the identity pool API. Clients compare these texts, so they are AWS's own, to the letter
//! (cognito-identity.md 9.1); the variants bear the names of its exceptions (3.5).

use crate::store::StoreError;
use crate::sts::AssumeError;
use crate::token::TokenError;

/// Why an operation on a pool or an identity failed.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// Pool, identity or developer user identifier unknown.
    #[error("{0}")]
    ResourceNotFound(String),
    /// The login given is not good for what was asked.
    #[error("{0}")]
    NotAuthorized(String),
    /// What was asked makes no sense for this pool.
    #[error("{0}")]
    InvalidParameter(String),
    /// Two things that were given belong to different identities.
    #[error("{0}")]
    ResourceConflict(String),
    /// The developer user identifier belongs to another identity than the one named.
    #[error("This developer user identifier is already registered with Cognito.")]
    DeveloperUserAlreadyRegistered,
    /// The pool has no role to give, or the role does not trust the pool.
    #[error("Invalid identity pool configuration. Check assigned IAM roles for this pool.")]
    InvalidIdentityPoolConfiguration,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PoolError {
    pub(super) fn no_pool(id: &impl std::fmt::Display) -> Self {
        Self::ResourceNotFound(format!("IdentityPool '{id}' not found."))
    }

    pub(super) fn no_identity(id: &impl std::fmt::Display) -> Self {
        Self::ResourceNotFound(format!("Identity '{id}' not found."))
    }

    pub(super) fn forbidden(id: &impl std::fmt::Display) -> Self {
        Self::NotAuthorized(format!("Access to Identity '{id}' is forbidden."))
    }

    pub(super) fn logins_do_not_match() -> Self {
        let text =
            "Logins don't match. Please include at least one valid login for this identity or identity pool.";
        Self::NotAuthorized(text.into())
    }

    pub(super) fn guests_not_supported() -> Self {
        Self::NotAuthorized("Unauthenticated access is not supported for this identity pool.".into())
    }

    pub(super) fn unsupported_provider() -> Self {
        Self::NotAuthorized("Token is not from a supported provider of this identity pool.".into())
    }

    pub(super) fn no_cognito_token_here() -> Self {
        Self::NotAuthorized("Invalid login token. Can't pass in a Cognito token.".into())
    }

    pub(super) fn issuer_mismatch() -> Self {
        Self::NotAuthorized("Invalid login token. Issuer doesn't match providerName".into())
    }

    pub(super) fn invalid_token(error: &TokenError) -> Self {
        match error {
            TokenError::Malformed => Self::NotAuthorized("Invalid login token. Not a Cognito token.".into()),
            TokenError::BadSignature => {
                Self::NotAuthorized("Invalid login token. Couldn't verify signed token.".into())
            }
            TokenError::WrongIssuer => Self::issuer_mismatch(),
            TokenError::Expired { now, expired_at } => {
                Self::NotAuthorized(format!("Invalid login token. Token expired: {now} >= {expired_at}"))
            }
        }
    }

    pub(super) fn assume(error: AssumeError, identity_id: &impl std::fmt::Display) -> Self {
        match error {
            AssumeError::Token(error) => Self::invalid_token(&error),
            AssumeError::IdentityForbidden(_) => Self::forbidden(identity_id),
            AssumeError::Store(error) => Self::Store(error),
            AssumeError::Denied(_)
            | AssumeError::MalformedPolicy(_)
            | AssumeError::TooLarge(_)
            | AssumeError::DurationExceedsRole => Self::InvalidIdentityPoolConfiguration,
        }
    }
}
