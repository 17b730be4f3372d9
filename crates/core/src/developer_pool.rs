//! The identity pool that the developer backend sends people to: our own, or Amazon's. Behind the trait stands
//! whatever turns a developer user into an identity and its OpenID token.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::{AuditDraft, AuditTrail, Requester};
use crate::clock::SignedDuration;
use crate::identity_pool::issue::{DEFAULT_TOKEN_DURATION, DeveloperUser, TokenGrant, TokenTerms};
use crate::identity_pool::{IdentityPools, PoolError};
use crate::ids::{IdentityId, IdentityPoolId, Region};
use crate::provider::VerifiedLogin;
use crate::session::Credentials;
use crate::store::StoreError;
use crate::token::OpenIdToken;

/// What a client wants besides being known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Wishes {
    /// A guest to be upgraded.
    pub identity_id: Option<IdentityId>,
    /// How long the token is to live, 1 second to 24 hours.
    pub token_duration: Option<SignedDuration>,
    /// The Region whose pool it is to be.
    pub region: Option<Region>,
    /// Whether to hand out credentials as well.
    pub credentials: bool,
}

/// Somebody who has an identity now.
#[derive(Debug, Clone)]
pub struct Admitted {
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
    /// The pool refuses, in the words of its API.
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

impl From<StoreError> for AdmissionError {
    fn from(error: StoreError) -> Self {
        PoolError::from(error).into()
    }
}

/// A place among those whom the pool will let in, kept while it is not dropped.
#[derive(Default)]
pub struct Place(
    #[expect(dead_code, reason = "it is there to be dropped")] Option<Box<dyn Any + Send + Sync>>,
);

impl Place {
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
    /// whoever would have to be sent away hears it before.
    ///
    /// # Errors
    /// [`AdmissionError::Busy`], or what is known already to be in the way.
    fn reserve(&self, wishes: &Wishes) -> Result<Place, AdmissionError> {
        let _ = wishes;
        Ok(Place::default())
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
        wishes: Wishes,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Admitted, AdmissionError>;
}

/// The pool of this installation's own store.
pub struct EmbeddedPool {
    /// All pools of the store.
    pub pools: Arc<IdentityPools>,
    /// The one that logins lead to.
    pub pool_id: IdentityPoolId,
    /// Hears of every decision.
    pub trail: Arc<AuditTrail>,
}

#[async_trait]
impl DeveloperPool for EmbeddedPool {
    async fn admit(
        &self,
        login: &VerifiedLogin,
        wishes: Wishes,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Admitted, AdmissionError> {
        match self.grant(login, wishes, by).await {
            Ok((grant, credentials)) => Ok(Admitted {
                token: self.pools.issue(grant, draft).await?,
                pool_id: self.pool_id.clone(),
                region: self.pools.region.clone(),
                credentials,
            }),
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }
}

impl EmbeddedPool {
    async fn grant(
        &self,
        login: &VerifiedLogin,
        wishes: Wishes,
        by: &Requester,
    ) -> Result<(TokenGrant, Option<Credentials>), AdmissionError> {
        if let Some(wanted) = wishes.region.filter(|wanted| *wanted != self.pools.region) {
            let known = vec![self.pools.region.to_string()];
            return Err(AdmissionError::UnknownRegion { wanted, known });
        }
        let pool = self.pools.describe_pool(&self.pool_id).await?;
        let user = DeveloperUser::of(login);
        let resolved = self.pools.resolve(&pool, user, Vec::new(), wishes.identity_id, by).await?;
        let duration = wishes.token_duration.unwrap_or(DEFAULT_TOKEN_DURATION);
        let grant = self.pools.decide(&pool, resolved, TokenTerms { duration, ..TokenTerms::default() })?;
        let credentials = if wishes.credentials {
            Some(self.pools.credentials_of_grant(&pool, &grant, by).await?)
        } else {
            None
        };
        Ok((grant, credentials))
    }
}
