//! The identity pool of this installation's own store, as the developer backend uses it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::{AuditDraft, AuditTrail, Requester};
use crate::broker::developer_pool::{
    AdmissionError, DeveloperPool, ExchangeOptions, Issued, KnownLogin, RenewalError, Reservation, TwoLogins,
};
use crate::broker::login_tags::LoginTags;
use crate::credentials::session_token::Credentials;
use crate::ground::ids::{IdentityId, IdentityPoolId, Region, RoleName};
use crate::iam::Origin;
use crate::login::provider::VerifiedLogin;
use crate::pool::issue::{DeveloperUser, ResolvedIdentity, TokenGrant};
use crate::pool::token_terms::{DEFAULT_TOKEN_DURATION, TokenTerms};
use crate::pool::{DeveloperMerge, IdentityPools, PoolError};
use crate::records::identity::{IdentityPool, Login};
use crate::token::standing::Lapse;

/// So often two logins are linked anew that were taken away between two steps.
const ATTEMPTS_TO_MERGE: usize = 5;

/// The pool of this installation's own store.
pub struct EmbeddedPool {
    /// All pools of the store.
    pub pools: Arc<IdentityPools>,
    /// The one that logins lead to.
    pub pool_id: IdentityPoolId,
    /// The session tags of everybody who logs in.
    pub tags: LoginTags,
    /// Hears of every decision.
    pub trail: Arc<AuditTrail>,
}

#[async_trait]
impl DeveloperPool for EmbeddedPool {
    /// No queue is in the way, but a Region may be that the pool does not answer in.
    fn reserve(&self, options: &ExchangeOptions, _: &Origin) -> Result<Reservation, AdmissionError> {
        self.check_region(options.region.as_ref()).map(|()| Reservation::default())
    }

    async fn role(&self) -> Result<Option<RoleName>, AdmissionError> {
        let pool = self.pools.describe_pool(&self.pool_id).await?;
        let name = pool.roles.authenticated.as_deref().and_then(|arn| arn.rsplit('/').next());
        Ok(name.and_then(|name| RoleName::parse(name).ok()))
    }

    async fn admit(
        &self,
        login: &VerifiedLogin,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, AdmissionError> {
        match self.grant(login, options, by).await {
            Ok((grant, credentials)) => self.issued(grant, credentials, draft).await,
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    async fn renew(
        &self,
        known: KnownLogin<'_>,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, RenewalError> {
        match self.grant_again(known, options, by).await {
            Ok((grant, credentials)) => Ok(self.issued(grant, credentials, draft).await?),
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    async fn link(
        &self,
        logins: TwoLogins<'_>,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, AdmissionError> {
        let granted = match self.merge(&logins, by).await {
            Ok(()) => self.grant(logins.first, options, by).await,
            Err(error) => Err(error),
        };
        match granted {
            Ok((grant, credentials)) => {
                let [second, first] = logins.events(&draft, grant.identity_id());
                self.trail.allowed(second).await?;
                self.issued(grant, credentials, first).await
            }
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    async fn lookup(
        &self,
        developer_user_identifier: &str,
    ) -> Result<Vec<(Region, IdentityId)>, AdmissionError> {
        let login = Login::developer(developer_user_identifier);
        let found = self.pools.store.find_identity_by_login(&self.pool_id, &login).await?;
        Ok(found.into_iter().map(|found| (self.pools.region.clone(), found.identity.id)).collect())
    }
}

impl EmbeddedPool {
    /// Makes one identity of two, both of which are made if they are not there. Whoever unlinks a login or deletes an
    /// identity meanwhile is first: the login is a new one then, and nothing that the client named.
    async fn merge(&self, logins: &TwoLogins<'_>, by: &Requester) -> Result<(), AdmissionError> {
        self.tags.of(logins.first, None).map_err(AdmissionError::tag)?;
        for _ in 0..ATTEMPTS_TO_MERGE {
            match self.try_to_merge(logins, by).await {
                Err(AdmissionError::Refused(error)) if matches!(*error, PoolError::NotFound(_)) => {}
                merged => return merged,
            }
        }
        Err(AdmissionError::Unavailable(
            "the logins were taken away again and again while they were linked".into(),
        ))
    }

    async fn try_to_merge(&self, logins: &TwoLogins<'_>, by: &Requester) -> Result<(), AdmissionError> {
        let pool = self.pools.describe_pool(&self.pool_id).await?;
        for login in [logins.first, logins.second] {
            self.pools.resolve(&pool, DeveloperUser::of(login), Vec::new(), None, by).await?;
        }
        let merge = DeveloperMerge {
            pool_id: self.pool_id.clone(),
            developer_provider: pool.settings.developer_provider_name.unwrap_or_default(),
            source: logins.second.developer_user_identifier().to_owned(),
            destination: logins.first.developer_user_identifier().to_owned(),
        };
        self.pools.merge_developer_identities(merge, by).await?;
        Ok(())
    }

    /// The pool answers in one Region, which needs not be named.
    fn check_region(&self, wanted: Option<&Region>) -> Result<(), AdmissionError> {
        match wanted.filter(|wanted| **wanted != self.pools.region) {
            None => Ok(()),
            Some(wanted) => Err(AdmissionError::UnknownRegion {
                wanted: wanted.clone(),
                known: vec![self.pools.region.to_string()],
            }),
        }
    }

    async fn grant(
        &self,
        login: &VerifiedLogin,
        mut options: ExchangeOptions,
        by: &Requester,
    ) -> Result<(TokenGrant, Option<Credentials>), AdmissionError> {
        let principal_tags = self.tags.of(login, options.actor.as_ref()).map_err(AdmissionError::tag)?;
        let pool = self.pools.describe_pool(&self.pool_id).await?;
        let user = DeveloperUser::of(login);
        let resolved = self.pools.resolve(&pool, user, Vec::new(), options.identity_id.take(), by).await?;
        let (terms, credentials) = terms(options, principal_tags);
        self.decide(&pool, resolved, terms, credentials, by).await
    }

    /// The same for a login that was let in before. Where identities were merged, it leads to the one that stayed; a login
    /// that was unlinked and came back as another identity is another login.
    async fn grant_again(
        &self,
        known: KnownLogin<'_>,
        options: ExchangeOptions,
        by: &Requester,
    ) -> Result<(TokenGrant, Option<Credentials>), RenewalError> {
        if *known.pool_id != self.pool_id {
            return Err(RenewalError::Ended(Lapse::Identity));
        }
        let principal_tags =
            self.tags.of(known.login, options.actor.as_ref()).map_err(AdmissionError::tag)?;
        let pool = self.pools.describe_pool(&self.pool_id).await?;
        let found = self.pools.recognise(&pool, DeveloperUser::of(known.login)).await?;
        let resolved = found.ok_or(RenewalError::Ended(Lapse::Login))?;
        if resolved.identity_id() != known.identity_id {
            self.check_merged(known, resolved.identity_id()).await?;
        }
        if resolved.is_disabled() {
            return Err(RenewalError::Ended(Lapse::Identity));
        }
        let (mut terms, credentials) = terms(options, principal_tags);
        terms.since = Some(known.looked_at);
        Ok(self.decide(&pool, resolved, terms, credentials, by).await?)
    }

    /// An identity that is disabled has been merged into another one. What was revoked of that counts as well.
    async fn check_merged(&self, known: KnownLogin<'_>, survivor: &IdentityId) -> Result<(), RenewalError> {
        let before = self.pools.store.lookup_identity(known.identity_id).await?;
        if !before.is_some_and(|identity| identity.disabled) {
            return Err(RenewalError::Ended(Lapse::Login));
        }
        let standing = self.pools.store.standing(survivor, None, None).await?;
        match standing.revoked_until {
            Some(until) if known.since <= until => Err(RenewalError::Ended(Lapse::Revoked)),
            _ => Ok(()),
        }
    }

    async fn decide(
        &self,
        pool: &IdentityPool,
        resolved: ResolvedIdentity,
        terms: TokenTerms,
        credentials: bool,
        by: &Requester,
    ) -> Result<(TokenGrant, Option<Credentials>), AdmissionError> {
        let grant = self.pools.decide(pool, resolved, terms)?;
        let credentials =
            if credentials { Some(self.pools.credentials_of_grant(pool, &grant, by).await?) } else { None };
        Ok((grant, credentials))
    }

    async fn issued(
        &self,
        grant: TokenGrant,
        credentials: Option<Credentials>,
        draft: AuditDraft,
    ) -> Result<Issued, AdmissionError> {
        Ok(Issued {
            token: self.pools.issue(grant, draft).await?,
            pool_id: self.pool_id.clone(),
            region: self.pools.region.clone(),
            credentials,
        })
    }
}

/// What a token is to say by a client's wishes, and whether credentials go along.
fn terms(options: ExchangeOptions, principal_tags: BTreeMap<String, String>) -> (TokenTerms, bool) {
    let duration = options.token_duration.unwrap_or(DEFAULT_TOKEN_DURATION);
    (
        TokenTerms {
            duration,
            principal_tags,
            session: options.session,
            actor: options.actor,
            since: options.since,
        },
        options.credentials,
    )
}
