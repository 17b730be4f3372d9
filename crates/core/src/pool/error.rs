//! Why an operation on a pool or an identity failed. The classes are those that every API of a pool tells apart; what it
//! calls them, and in which words, its dialect says.

mod refusals;

pub use self::refusals::{Conflict, Denial, Invalid, Missing};
use crate::audit::Reason;
use crate::credentials::source::CredentialsError;
use crate::credentials::sts::AssumeError;
use crate::ground::ids::IdentityId;
use crate::login::public::PublicLoginError;
use crate::records::linking::{LinkRefusal, UnlinkRefusal, UnlinkRequest, Unlinked};
use crate::store::StoreError;
use crate::store::page::ListingError;
use crate::token::openid_token::TokenError;

/// Why an operation on a pool or an identity failed.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// Pool, identity or developer user identifier unknown.
    #[error(transparent)]
    NotFound(#[from] Missing),
    /// What was shown is not good for what was asked.
    #[error(transparent)]
    NotAuthorized(#[from] Denial),
    /// A public login is not verified: it is refused, of a kind that nobody here can check, or its provider does not
    /// answer.
    #[error(transparent)]
    Login(#[from] PublicLoginError),
    /// What was asked makes no sense for this pool.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Two things that were given belong to different identities.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The developer user identifier belongs to another identity than the one named.
    #[error("the developer user identifier is registered with another identity")]
    DeveloperUserAlreadyRegistered,
    /// One pool or identity would have more of something than it can; the text says how many there may be.
    #[error("{0}")]
    LimitExceeded(String),
    /// Somebody else changed the pool at the same time.
    #[error("the identity pool was changed by another request at the same time: read it, and try again")]
    ConcurrentModification,
    /// The pool has no role to give, or the role does not trust the pool: the text is for the operator, and says which.
    #[error("the identity pool has no role for this identity, or the role does not trust the pool")]
    NoUsableRole(String),
    /// The STS that gives the credentials refuses, for a reason that the operator has to mend: the text is for them.
    #[error("the STS that gives credentials for this identity pool refuses")]
    CredentialsMisconfigured(String),
    /// The STS that gives the credentials does not answer; the text is for the operator.
    #[error("the STS that gives credentials for this identity pool is unavailable")]
    CredentialsUnavailable(String),
    /// So many requests of this identity are being served already.
    #[error("too many requests for this identity are being served")]
    TooManyAtOnce,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PoolError {
    pub(super) fn forbidden(id: &IdentityId) -> Self {
        Denial::Forbidden(id.clone()).into()
    }

    pub(super) fn link(refusal: LinkRefusal) -> Self {
        match refusal {
            LinkRefusal::UnknownIdentity(id) => Missing::Identity(id).into(),
            LinkRefusal::Disabled(id) => Denial::Forbidden(id).into(),
            LinkRefusal::UnknownUser => Missing::DeveloperUser.into(),
            LinkRefusal::AlreadyRegistered => Self::DeveloperUserAlreadyRegistered,
            LinkRefusal::NotAmongItsLogins => Denial::LoginsDoNotMatch.into(),
            LinkRefusal::TwoUsersOfOneProvider => Conflict::TwoUsersOfOneProvider.into(),
            LinkRefusal::TooManyLogins => Invalid::TooManyLogins.into(),
        }
    }

    pub(super) fn unlink(refusal: UnlinkRefusal, request: &UnlinkRequest) -> Self {
        match refusal {
            UnlinkRefusal::UnknownIdentity => Missing::Identity(request.identity_id.clone()).into(),
            UnlinkRefusal::Disabled => Self::forbidden(&request.identity_id),
            UnlinkRefusal::NotAmongItsLogins => Denial::LoginsDoNotMatch.into(),
            UnlinkRefusal::NotLinked => match &request.logins {
                Unlinked::DeveloperUser { .. } => Missing::DeveloperUser.into(),
                Unlinked::Public { .. } => Missing::LoginToRemove.into(),
            },
            UnlinkRefusal::OfAnotherIdentity => Conflict::UserOfAnotherIdentity.into(),
        }
    }

    /// The pool has no role for people of a kind.
    pub(super) fn no_role(kind: &str) -> Self {
        Self::NoUsableRole(format!(
            "the pool has no role for {kind} identities: give it one by SetIdentityPoolRoles"
        ))
    }

    pub(super) fn credentials(error: CredentialsError, identity_id: &IdentityId, role_arn: &str) -> Self {
        match error {
            CredentialsError::Assume(error) => Self::assume(error, identity_id, role_arn),
            CredentialsError::TooManyAtOnce => Self::TooManyAtOnce,
            CredentialsError::Misconfigured(cause) => Self::CredentialsMisconfigured(cause),
            CredentialsError::Unavailable(cause) => Self::CredentialsUnavailable(cause),
        }
    }

    fn assume(error: AssumeError, identity_id: &IdentityId, role_arn: &str) -> Self {
        match error {
            AssumeError::Token(error) => error.into(),
            AssumeError::IdentityForbidden(_) => Self::forbidden(identity_id),
            AssumeError::Store(error) => Self::Store(error),
            AssumeError::Denied(why) => Self::NoUsableRole(format!(
                "the pool gives the role {role_arn}: {why}; a [[role]] of its name has to be there and to trust this pool, or \
                 give the pool another one by SetIdentityPoolRoles"
            )),
            AssumeError::TooLarge(_) => Self::NoUsableRole(format!(
                "the role {role_arn} is taken on with the principal tags of the login: {error}; map fewer or shorter claims"
            )),
            AssumeError::MalformedPolicy(_) | AssumeError::DurationExceedsRole => {
                Self::NoUsableRole(format!("the pool gives the role {role_arn}: {error}"))
            }
        }
    }
}

impl Reason for PoolError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound(missing) => missing.reason(),
            Self::NotAuthorized(denial) => denial.reason(),
            Self::Login(error) => error.reason(),
            Self::Invalid(invalid) => invalid.reason(),
            Self::Conflict(conflict) => conflict.reason(),
            Self::DeveloperUserAlreadyRegistered => "user_already_registered",
            Self::LimitExceeded(_) => "limit_exceeded",
            Self::ConcurrentModification => "concurrent_modification",
            Self::NoUsableRole(_) | Self::CredentialsMisconfigured(_) => "identity_pool_misconfigured",
            Self::CredentialsUnavailable(_) => "credentials_unavailable",
            Self::TooManyAtOnce => "too_many_at_once",
            Self::Store(error) => error.reason(),
        }
    }
}

impl From<TokenError> for PoolError {
    fn from(error: TokenError) -> Self {
        Denial::Token(error).into()
    }
}

impl From<ListingError> for PoolError {
    fn from(error: ListingError) -> Self {
        match error {
            ListingError::Token => Invalid::NextToken.into(),
            ListingError::Store(error) => Self::Store(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_role_is_of_no_use_is_said_with_its_own_cure() {
        let (role, id) =
            ("arn:aws:iam::000000000000:role/people", IdentityId::parse("us-east-1:01").unwrap());
        for (error, cure) in [
            (
                AssumeError::Denied("there is no such role"),
                "role/people: there is no such role; a [[role]] of its name",
            ),
            (AssumeError::TooLarge(120), "take 120% of the space for them; map fewer or shorter claims"),
        ] {
            let error = PoolError::credentials(error.into(), &id, role);
            let PoolError::NoUsableRole(why) = &error else { panic!("{error:?}") };
            assert!(why.contains(cure) && !error.to_string().contains("role/people"), "{why}");
        }
        let PoolError::NoUsableRole(why) = PoolError::no_role("unauthenticated") else { panic!() };
        assert!(why.contains("no role for unauthenticated identities: give it one"), "{why}");
    }
}
