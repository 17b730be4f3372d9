//! The identity pool that the developer backend sends people to: our own, or Amazon's. Behind the trait stands
//! whatever turns a developer user into an identity and its OpenID token.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::{AuditDraft, Reason, Requester};
use crate::credentials::session_token::Credentials;
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::{ActorId, IdentityId, IdentityPoolId, Region, RoleName, SignInSessionId};
use crate::iam::Origin;
use crate::login::provider::VerifiedLogin;
use crate::pool::{Conflict, PoolError};
use crate::store::StoreError;
use crate::token::openid_token::OpenIdToken;
use crate::token::standing::Lapse;

/// What a client asks for besides its identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ExchangeOptions {
    /// A guest to be upgraded.
    pub identity_id: Option<IdentityId>,
    /// How long the token is to live, 1 second to 24 hours.
    pub token_duration: Option<SignedDuration>,
    /// The Region whose pool it is to be.
    pub region: Option<Region>,
    /// Whether to hand out credentials as well.
    pub credentials: bool,
    /// The session of somebody who signed in that the token is issued in. A token of Amazon's does not say it.
    pub session: Option<SignInSessionId>,
    /// Who acts for whoever logged in.
    pub actor: Option<ActorId>,
    /// When they showed who they are, which may be a while ago: what is issued is as old. A token of Amazon's is of now.
    pub since: Option<Timestamp>,
}

/// What is issued to an identity.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The identity's token.
    pub token: OpenIdToken,
    /// The pool that the identity is in.
    pub pool_id: IdentityPoolId,
    /// Where that pool is.
    pub region: Region,
    /// Credentials, if they were asked for.
    pub credentials: Option<Credentials>,
}

/// Why a login has no identity. Nothing is stored then, beside the audit event.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdmissionError {
    /// A login would make a session tag that is not to be.
    #[error("{0}")]
    UnusableTag(String),
    /// The pool refuses.
    #[error(transparent)]
    Refused(Arc<PoolError>),
    /// No pool of this installation is in the Region that was asked for.
    #[error("there is no pool in the Region {wanted}; there is one in {}", known.join(", "))]
    UnknownRegion {
        /// What was asked for.
        wanted: Region,
        /// Where there are pools.
        known: Vec<String>,
    },
    /// So many different requests of this user are being served already.
    #[error("too many requests of this user are being served")]
    TooManyAtOnce,
    /// This user has come more often than the operator lets anybody.
    #[error("this user has come too often")]
    TooOften {
        /// When they may come again.
        retry_after: SignedDuration,
    },
    /// More logins are waiting than the pool's quota lets through in the time that a client waits.
    #[error("the identity pool is busy")]
    Busy {
        /// When it is worth coming back.
        retry_after: SignedDuration,
    },
    /// The pool does not answer, in no Region that may be tried.
    #[error("the identity pool is unavailable: {0}")]
    Unavailable(String),
    /// The operator has to mend something; the text says what.
    #[error("the identity pool is misconfigured: {0}")]
    Misconfigured(String),
}

impl From<PoolError> for AdmissionError {
    fn from(error: PoolError) -> Self {
        Self::Refused(Arc::new(error))
    }
}

impl AdmissionError {
    /// Whether the login leads to another identity than the one that was asked for.
    #[must_use]
    pub fn has_other_identity(&self) -> bool {
        let Self::Refused(error) = self else { return false };
        matches!(
            &**error,
            PoolError::DeveloperUserAlreadyRegistered
                | PoolError::Conflict(Conflict::UserOfAnotherIdentity | Conflict::Reported(_))
        )
    }

    /// A tag that the pool would refuse.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "it stands where errors are turned into others")]
    pub fn tag(error: PoolError) -> Self {
        Self::UnusableTag(error.to_string())
    }
}

impl Reason for AdmissionError {
    fn reason(&self) -> &'static str {
        match self {
            Self::UnusableTag(_) => "principal_tag_refused",
            Self::Refused(error) => error.reason(),
            Self::UnknownRegion { .. } => "unknown_region",
            Self::TooManyAtOnce => "too_many_at_once",
            Self::TooOften { .. } => "too_many_requests",
            Self::Busy { .. } => "identity_pool_busy",
            Self::Unavailable(_) => "identity_pool_unavailable",
            Self::Misconfigured(_) => "identity_pool_misconfigured",
        }
    }
}

impl From<StoreError> for AdmissionError {
    fn from(error: StoreError) -> Self {
        PoolError::from(error).into()
    }
}

/// A place among those whom the pool will let in, kept until it is dropped: when the login is verified.
#[derive(Default)]
pub struct Reservation(
    #[expect(dead_code, reason = "it is there to be dropped")] Option<Box<dyn Any + Send + Sync>>,
);

impl Reservation {
    /// A place that ends when `kept` is dropped.
    #[must_use]
    pub fn keeping(kept: impl Any + Send + Sync) -> Self {
        Self(Some(Box::new(kept)))
    }
}

/// Gives developer users their identities.
#[async_trait]
pub trait DeveloperPool: Send + Sync {
    /// Keeps a place for somebody whose login is about to be verified. Many proofs can be verified once only, so
    /// whoever would have to be sent away hears it before. Nothing is known of them yet but where they come from.
    ///
    /// # Errors
    /// [`AdmissionError::Busy`], or what is known already to be in the way.
    fn reserve(&self, options: &ExchangeOptions, origin: &Origin) -> Result<Reservation, AdmissionError> {
        let _ = (options, origin);
        Ok(Reservation::default())
    }

    /// The role of everybody who logs in, where it is ours to revoke.
    ///
    /// # Errors
    /// [`AdmissionError`]: the pool does not say.
    async fn role(&self) -> Result<Option<RoleName>, AdmissionError> {
        Ok(None)
    }

    /// Whether it has what it takes to let anybody in, as far as that shows without a login.
    ///
    /// # Errors
    /// [`AdmissionError::Misconfigured`] or [`AdmissionError::Unavailable`], which say what is missing.
    async fn ready(&self) -> Result<(), AdmissionError> {
        Ok(())
    }

    /// Finds or creates the identity of a verified login, and has a token made for it. The same login has the same
    /// identity every time, however many ask at once.
    ///
    /// The outcome is in the audit trail, as the end of `draft`, before it is answered.
    ///
    /// # Errors
    /// [`AdmissionError`], each variant a different answer to the client.
    async fn admit(
        &self,
        login: &VerifiedLogin,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, AdmissionError>;

    /// Has a token made for the identity of a login that was let in before, if the login still leads there. Nothing is
    /// made or linked.
    ///
    /// # Errors
    /// [`RenewalError`]. The outcome is in the audit trail as it is of [`admit`](Self::admit).
    async fn renew(
        &self,
        known: KnownLogin<'_>,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, RenewalError>;

    /// Makes two logins lead to the identity of the first, and has a token made for it. The identity that the second
    /// led to, if it led to another one, ends.
    ///
    /// # Errors
    /// [`AdmissionError`]. Both are in the audit trail as they are of [`admit`](Self::admit).
    async fn link(
        &self,
        logins: TwoLogins<'_>,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, AdmissionError>;

    /// The identities of a developer user, one at most in each Region. Nothing is made.
    ///
    /// # Errors
    /// [`AdmissionError`].
    async fn lookup(
        &self,
        developer_user_identifier: &str,
    ) -> Result<Vec<(Region, IdentityId)>, AdmissionError>;
}

/// A login that was let in before.
#[derive(Debug, Clone, Copy)]
pub struct KnownLogin<'a> {
    /// The login.
    pub login: &'a VerifiedLogin,
    /// The identity that it led to.
    pub identity_id: &'a IdentityId,
    /// Where that is.
    pub pool_id: &'a IdentityPoolId,
    /// When it was let in.
    pub since: Timestamp,
    /// When whoever asks began to look at what was revoked. What comes of it is as old: it would outlive a revocation that was
    /// acknowledged between the look and the token.
    pub looked_at: Timestamp,
}

/// Why a login that was let in before is not any more.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RenewalError {
    /// It does not lead to its identity any more, or there is no such identity.
    #[error(transparent)]
    Ended(Lapse),
    /// The pool refuses it as it would refuse a new login.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
}

impl From<PoolError> for RenewalError {
    fn from(error: PoolError) -> Self {
        Self::Admission(error.into())
    }
}

impl From<StoreError> for RenewalError {
    fn from(error: StoreError) -> Self {
        Self::Admission(error.into())
    }
}

impl Reason for RenewalError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Ended(lapse) => lapse.reason(),
            Self::Admission(error) => error.reason(),
        }
    }
}

/// Two logins of one person, both verified.
#[derive(Debug)]
pub struct TwoLogins<'a> {
    /// The one whose identity stays.
    pub first: &'a VerifiedLogin,
    /// The one whose identity, if it has another, ends.
    pub second: &'a VerifiedLogin,
}

impl TwoLogins<'_> {
    /// The events of a link: one for each login, the second's first.
    #[must_use]
    pub fn events(&self, draft: &AuditDraft, identity_id: &IdentityId) -> [AuditDraft; 2] {
        [self.second, self.first].map(|login| {
            let mut event = draft.clone();
            event.provider = Some(login.provider().to_owned());
            event.developer_user_identifier = Some(login.developer_user_identifier().to_owned());
            event.identity_id = Some(identity_id.clone());
            event
        })
    }
}
