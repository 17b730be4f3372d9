//! What a pool refuses, by the classes of [`PoolError`](super::PoolError). Another pool than the embedded one, such as
//! Amazon's, says no more than its class and some words of its own: those are `Reported`.

use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::limits::MAX_LOGINS;
use crate::token::openid_token::TokenError;

/// What is not there.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// The identity pool.
    #[error("there is no identity pool {0}")]
    Pool(IdentityPoolId),
    /// The identity.
    #[error("there is no identity {0}")]
    Identity(IdentityId),
    /// The developer user.
    #[error("there is no such developer user")]
    DeveloperUser,
    /// The login that was to be taken from an identity.
    #[error("the identity has no login of a provider that was to be removed")]
    LoginToRemove,
    /// What another pool does not know.
    #[error("{0}")]
    Reported(String),
}

impl Missing {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Pool(_) => "unknown_pool",
            Self::Identity(_) | Self::Reported(_) => "unknown_identity",
            Self::DeveloperUser => "unknown_user",
            Self::LoginToRemove => "unknown_login",
        }
    }
}

/// Why what was shown is not good for what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Denial {
    /// The identity is disabled, or asks as a guest and is none.
    #[error("the identity {0} is disabled, or gets nothing without a login")]
    Forbidden(IdentityId),
    /// The logins are not the identity's.
    #[error("the logins are not those of the identity")]
    LoginsDoNotMatch,
    /// The pool lets no guests in.
    #[error("the identity pool lets no guests in")]
    NoGuests,
    /// A token of the pool's own stands where one of a public provider is wanted.
    #[error("a token of the identity pool itself is not taken here")]
    OwnToken,
    /// A token of the pool's own comes with other logins, or for a provider that the pool does not have.
    #[error("the token is not of a provider that the identity pool supports")]
    UnsupportedProvider,
    /// The name of the developer provider stands where one of a public provider is wanted.
    #[error("the token is not of the provider that it is shown for")]
    WrongProvider,
    /// A token of the pool's own is not believed.
    #[error(transparent)]
    Token(TokenError),
    /// The caller wants another role than the login allows.
    #[error("the custom role is not among the roles of this login")]
    CustomRole,
    /// A role mapping gives this login nothing.
    #[error("the role mapping of the identity pool gives this login no role")]
    NoRole,
    /// What another pool refuses.
    #[error("{0}")]
    Reported(String),
}

impl Denial {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "identity_forbidden",
            Self::LoginsDoNotMatch => "logins_do_not_match",
            Self::NoGuests => "guests_not_allowed",
            Self::OwnToken => "own_token",
            Self::UnsupportedProvider => "unsupported_provider",
            Self::WrongProvider => "wrong_provider",
            Self::Token(error) => error.reason(),
            Self::CustomRole => "custom_role_refused",
            Self::NoRole => "no_role",
            Self::Reported(_) => "identity_refused",
        }
    }
}

/// What makes no sense for the pool.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// The developer provider stands where a public provider is wanted.
    #[error("a public provider is wanted here, and not the developer provider")]
    NoPublicProvider,
    /// The pool has no such developer provider.
    #[error("the identity pool has no such developer provider")]
    UnsupportedDeveloperProvider,
    /// The operator turned the classic flow off.
    #[error("the identity pool does not allow the classic flow")]
    ClassicFlowDisabled,
    /// What a mapping would have to see is not in a token of the classic flow.
    #[error("the classic flow does not go together with role mappings")]
    ClassicFlowWithMappings,
    /// An identity has all the logins that it can have.
    #[error("an identity has at most {MAX_LOGINS} linked logins")]
    TooManyLogins,
    /// The token of a listing is one that no listing gave out.
    #[error("the token is of no listing")]
    NextToken,
    /// An identifier, a setting, a tag or a mapping that nothing can have. The text says what is wrong with it, and how it
    /// is put right.
    #[error("{0}")]
    Value(String),
    /// What another pool does not take.
    #[error("{0}")]
    Reported(String),
}

impl Invalid {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::NoPublicProvider => "no_public_provider",
            Self::UnsupportedDeveloperProvider => "unsupported_developer_provider",
            Self::ClassicFlowDisabled | Self::ClassicFlowWithMappings => "classic_flow_refused",
            Self::TooManyLogins => "too_many_logins",
            Self::NextToken => "unknown_next_token",
            Self::Value(_) | Self::Reported(_) => "malformed_request",
        }
    }
}

/// What belongs to different identities.
#[derive(Debug, thiserror::Error)]
pub enum Conflict {
    /// The developer user is another identity's.
    #[error("the developer user identifier belongs to another identity")]
    UserOfAnotherIdentity,
    /// One identity would have two logins of one provider.
    #[error("the identity is linked to another login of the same provider already")]
    TwoUsersOfOneProvider,
    /// What another pool cannot bring together.
    #[error("{0}")]
    Reported(String),
}

impl Conflict {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::UserOfAnotherIdentity | Self::Reported(_) => "login_belongs_to_another_identity",
            Self::TwoUsersOfOneProvider => "two_users_of_one_provider",
        }
    }
}
