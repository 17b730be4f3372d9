//! The pool that logins lead to, for people who may ask so often.

use std::sync::Arc;

use async_trait::async_trait;
use daypass_core::audit::{AuditDraft, AuditTrail, Grounds, Requester};
use daypass_core::broker::developer_pool::{
    AdmissionError, DeveloperPool, ExchangeOptions, Issued, KnownLogin, RenewalError, Reservation, TwoLogins,
};
use daypass_core::ground::ids::{IdentityId, Region, RoleName};
use daypass_core::iam::Origin;
use daypass_core::login::provider::VerifiedLogin;

use super::{RateLimits, TooOften};

/// A pool, and how often a person may come to it. Who that is shows when their login is verified.
pub(crate) struct LimitedPool {
    pub pool: Arc<dyn DeveloperPool>,
    pub limits: Arc<RateLimits>,
    pub trail: Arc<AuditTrail>,
}

impl LimitedPool {
    /// Counts a person, and records the refusal.
    async fn count(&self, login: &VerifiedLogin, draft: &AuditDraft) -> Result<(), AdmissionError> {
        let Err(TooOften { retry_after }) = self.limits.person(login.developer_user_identifier()) else {
            return Ok(());
        };
        let error = AdmissionError::TooOften { retry_after };
        self.trail.refused(draft.clone(), Grounds::of(&error)).await?;
        Err(error)
    }
}

#[async_trait]
impl DeveloperPool for LimitedPool {
    fn reserve(&self, options: &ExchangeOptions, origin: &Origin) -> Result<Reservation, AdmissionError> {
        self.pool.reserve(options, origin)
    }

    async fn role(&self) -> Result<Option<RoleName>, AdmissionError> {
        self.pool.role().await
    }

    async fn ready(&self) -> Result<(), AdmissionError> {
        self.pool.ready().await
    }

    async fn admit(
        &self,
        login: &VerifiedLogin,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, AdmissionError> {
        self.count(login, &draft).await?;
        self.pool.admit(login, options, draft, by).await
    }

    async fn renew(
        &self,
        known: KnownLogin<'_>,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, RenewalError> {
        self.count(known.login, &draft).await?;
        self.pool.renew(known, options, draft, by).await
    }

    async fn link(
        &self,
        logins: TwoLogins<'_>,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, AdmissionError> {
        self.count(logins.first, &draft).await?;
        self.pool.link(logins, options, draft, by).await
    }

    async fn lookup(
        &self,
        developer_user_identifier: &str,
    ) -> Result<Vec<(Region, IdentityId)>, AdmissionError> {
        self.pool.lookup(developer_user_identifier).await
    }
}
