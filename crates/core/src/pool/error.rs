//! Refusals of the identity pool API. Clients compare these texts, so they are AWS's own, to the letter
//! (docs/reference/cognito-identity.md, 9.1); the variants bear the names of its exceptions (3.5).

use crate::credentials::source::CredentialsError;
use crate::credentials::sts::AssumeError;
use crate::login::public::{PublicLoginError, Refusal};
use crate::records::linking::{LinkRefusal, MAX_LOGINS, UnlinkRefusal, UnlinkRequest, Unlinked};
use crate::store::StoreError;
use crate::store::page::ListingError;
use crate::token::openid_token::TokenError;

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
    /// One pool or identity would have more of something than it can.
    #[error("{0}")]
    LimitExceeded(String),
    /// Somebody else changed the pool at the same time.
    #[error("The identity pool was changed by another request at the same time. Read it, and try again.")]
    ConcurrentModification,
    /// A provider did not answer, or not so that its token could be verified.
    #[error("{0}")]
    ExternalService(PublicLoginError),
    /// The developer user identifier belongs to another identity than the one named.
    #[error("This developer user identifier is already registered with Cognito.")]
    DeveloperUserAlreadyRegistered,
    /// The pool has no role to give, or the role does not trust the pool.
    #[error("Invalid identity pool configuration. Check assigned IAM roles for this pool.")]
    InvalidIdentityPoolConfiguration,
    /// The STS that gives the credentials refuses, for a reason that the operator has to mend: the text is for them.
    #[error("Invalid identity pool configuration. Check assigned IAM roles for this pool.")]
    CredentialsMisconfigured(String),
    /// The STS that gives the credentials does not answer; the text is for the operator.
    #[error("The STS that gives credentials for this identity pool is unavailable. Try again.")]
    CredentialsUnavailable(String),
    /// So many requests of this identity are being served already.
    #[error("Too many requests for this identity are being served. Wait for their answers, and try again.")]
    TooManyRequests,
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

    pub(super) fn no_developer_user() -> Self {
        Self::ResourceNotFound("Developer user identifier not found.".into())
    }

    pub(super) fn of_another_identity() -> Self {
        Self::ResourceConflict("The developer user identifier belongs to another identity.".into())
    }

    pub(super) fn no_public_provider() -> Self {
        Self::InvalidParameter("Please provide a valid public provider.".into())
    }

    pub(super) fn unsupported_developer_provider() -> Self {
        let text = "This identity pool does not support the specified developer provider";
        Self::InvalidParameter(text.into())
    }

    pub(super) fn classic_flow_refused(why: &str) -> Self {
        Self::InvalidParameter(format!("Basic (classic) flow is not {why}, please use enhanced flow."))
    }

    pub(super) fn link(refusal: LinkRefusal) -> Self {
        match refusal {
            LinkRefusal::UnknownIdentity(id) => Self::no_identity(&id),
            LinkRefusal::Disabled(id) => Self::forbidden(&id),
            LinkRefusal::UnknownUser => Self::no_developer_user(),
            LinkRefusal::AlreadyRegistered => Self::DeveloperUserAlreadyRegistered,
            LinkRefusal::NotAmongItsLogins => Self::logins_do_not_match(),
            LinkRefusal::TwoUsersOfOneProvider => {
                let text = "The identity is already linked to another login of the same provider.";
                Self::ResourceConflict(text.into())
            }
            LinkRefusal::TooManyLogins => {
                Self::InvalidParameter(format!("An identity has at most {MAX_LOGINS} linked logins."))
            }
        }
    }

    pub(super) fn unlink(refusal: UnlinkRefusal, request: &UnlinkRequest) -> Self {
        match refusal {
            UnlinkRefusal::UnknownIdentity => Self::no_identity(&request.identity_id),
            UnlinkRefusal::Disabled => Self::forbidden(&request.identity_id),
            UnlinkRefusal::NotAmongItsLogins => Self::logins_do_not_match(),
            UnlinkRefusal::NotLinked => match &request.logins {
                Unlinked::DeveloperUser { .. } => Self::no_developer_user(),
                Unlinked::Public { .. } => Self::ResourceNotFound(
                    "The identity has no login of a provider in LoginsToRemove.".into(),
                ),
            },
            UnlinkRefusal::OfAnotherIdentity => Self::of_another_identity(),
        }
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

    pub(super) fn credentials(error: CredentialsError, identity_id: &impl std::fmt::Display) -> Self {
        match error {
            CredentialsError::Assume(error) => Self::assume(error, identity_id),
            CredentialsError::TooManyAtOnce => Self::TooManyRequests,
            CredentialsError::Misconfigured(cause) => Self::CredentialsMisconfigured(cause),
            CredentialsError::Unavailable(cause) => Self::CredentialsUnavailable(cause),
        }
    }

    fn assume(error: AssumeError, identity_id: &impl std::fmt::Display) -> Self {
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

impl From<ListingError> for PoolError {
    fn from(error: ListingError) -> Self {
        match error {
            ListingError::Token => Self::InvalidParameter("Invalid NextToken.".into()),
            ListingError::Store(error) => Self::Store(error),
        }
    }
}

impl From<PublicLoginError> for PoolError {
    fn from(error: PublicLoginError) -> Self {
        let text = error.to_string();
        match error.refusal() {
            Refusal::NotAuthorized => Self::NotAuthorized(text),
            Refusal::InvalidParameter => Self::InvalidParameter(text),
            Refusal::ExternalService => Self::ExternalService(error),
        }
    }
}
