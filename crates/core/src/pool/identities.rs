//! The identities of a pool: made, found, listed, merged, unlinked and deleted.

use std::collections::BTreeSet;

use super::logins::{Refuse, check_developer_provider, linked};
use super::{Conflict, Denial, IdentityPools, Invalid, Logins, Missing, PoolError};
use crate::audit::{AuditAction, AuditDraft, Grounds, Requester};
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, IdentityPool, Login, LoginProvider};
use crate::records::identity_record::IdentityRecord;
use crate::records::linking::{LinkRequest, MergeRequest, UnlinkRequest, Unlinked};
use crate::store::page::{Listed, Listing};
use crate::store::{LinkOutcome, UnlinkOutcome};

/// An identity as DescribeIdentity shows it.
#[derive(Debug)]
pub struct DescribedIdentity {
    /// The identity.
    pub identity: Identity,
    /// The names of the providers it has logins of, each once.
    pub logins: Vec<String>,
}

/// What LookupDeveloperIdentity finds.
#[derive(Debug)]
pub struct DeveloperIdentity {
    /// The identity.
    pub identity_id: IdentityId,
    /// Its developer user identifiers.
    pub developer_user_identifiers: Listed<String>,
}

/// What LookupDeveloperIdentity is asked: at least one of the two IDs.
#[derive(Debug)]
pub struct DeveloperLookup {
    /// The pool.
    pub pool_id: IdentityPoolId,
    /// An identity.
    pub identity_id: Option<IdentityId>,
    /// A developer user identifier.
    pub developer_user_identifier: Option<String>,
    /// The size of a page.
    pub max_results: usize,
    /// Where the page before ended.
    pub next_token: Option<String>,
}

/// What MergeDeveloperIdentities is asked for.
#[derive(Debug)]
pub struct DeveloperMerge {
    /// The pool.
    pub pool_id: IdentityPoolId,
    /// The name of its developer provider.
    pub developer_provider: String,
    /// The developer user identifier whose identity ends.
    pub source: String,
    /// The one whose identity stays.
    pub destination: String,
}

/// What UnlinkDeveloperIdentity is asked for.
#[derive(Debug)]
pub struct DeveloperUnlink {
    /// The pool.
    pub pool_id: IdentityPoolId,
    /// The name of its developer provider.
    pub developer_provider: String,
    /// The identity.
    pub identity_id: IdentityId,
    /// The developer user identifier that it loses.
    pub user: String,
}

impl IdentityPools {
    /// GetId: without logins a new guest at every call, with logins the identity that they belong to.
    ///
    /// # Errors
    /// [`PoolError`], by the rules of docs/reference/cognito-identity.md, 3.1 and 4.4.
    pub async fn get_id(
        &self,
        pool_id: &IdentityPoolId,
        logins: &Logins,
        by: &Requester,
    ) -> Result<IdentityId, PoolError> {
        let pool = self.describe_pool(pool_id).await?;
        if logins.is_empty() {
            self.add_guest(&pool).await
        } else {
            self.get_id_of_logins(&pool, logins, by).await
        }
    }

    async fn add_guest(&self, pool: &IdentityPool) -> Result<IdentityId, PoolError> {
        if !pool.settings.allow_unauthenticated_identities {
            return Err(Denial::NoGuests.into());
        }
        let id = IdentityId::generate(&self.region, &*self.random);
        if self.store.add_guest(&pool.id, &id, self.clock.now()).await? {
            Ok(id)
        } else {
            Err(Missing::Pool(pool.id.clone()).into())
        }
    }

    async fn get_id_of_logins(
        &self,
        pool: &IdentityPool,
        logins: &Logins,
        by: &Requester,
    ) -> Result<IdentityId, PoolError> {
        let mut draft = AuditDraft::by(AuditAction::Logins, by);
        let found = async {
            let verified = self.verify_public(pool, logins, &Refuse::Identity).await?;
            draft.login_of(&verified);
            let identity = self.link(pool, verified.iter().map(linked).collect(), None, by).await?;
            draft.identity_id = Some(identity.id.clone());
            Ok(identity.id)
        };
        let found = found.await;
        self.conclude(draft, found).await
    }

    /// The one identity of some verified logins: found, made, linked or merged.
    pub(super) async fn link(
        &self,
        pool: &IdentityPool,
        logins: Vec<Login>,
        identity_id: Option<IdentityId>,
        by: &Requester,
    ) -> Result<Identity, PoolError> {
        let request = LinkRequest {
            pool_id: pool.id.clone(),
            new_identity_id: IdentityId::generate(&self.region, &*self.random),
            now: self.clock.now(),
            identity_id,
            logins,
        };
        let outcome = self.store.link_logins(&request).await?;
        self.linked(outcome, by).await
    }

    /// The identity that is there now. Each identity that ended leaves an event of its own, under its own ID.
    async fn linked(&self, outcome: LinkOutcome, by: &Requester) -> Result<Identity, PoolError> {
        match outcome {
            LinkOutcome::Known(identity) | LinkOutcome::Created(identity) => Ok(identity),
            LinkOutcome::Linked { identity, disabled } => {
                for id in disabled {
                    let mut draft = AuditDraft::by(AuditAction::Logins, by);
                    draft.identity_id = Some(id);
                    let what = Grounds::new("merged", format!("merged into {}", identity.id));
                    self.trail.noted(draft, what).await?;
                }
                Ok(identity)
            }
            LinkOutcome::Refused(refusal) => Err(PoolError::link(refusal)),
        }
    }

    /// DescribeIdentity.
    ///
    /// # Errors
    /// [`PoolError::NotFound`].
    pub async fn describe_identity(&self, id: &IdentityId) -> Result<DescribedIdentity, PoolError> {
        let record = self.identity_with_logins(id).await?;
        let pool = self.describe_pool(&record.identity.pool_id).await?;
        Ok(described(record, &pool))
    }

    /// ListIdentities.
    ///
    /// # Errors
    /// [`PoolError::NotFound`], [`PoolError::Invalid`] for a token of no listing.
    pub async fn list_identities(
        &self,
        pool_id: &IdentityPoolId,
        hide_disabled: bool,
        limit: usize,
        next_token: Option<&str>,
    ) -> Result<Listed<DescribedIdentity>, PoolError> {
        let pool = self.describe_pool(pool_id).await?;
        let listing = Listing::of("ListIdentities", &[pool_id.as_str()]);
        let page = listing.question(next_token, limit, |text| IdentityId::parse(text).ok())?;
        let records = self.store.list_identities(pool_id, hide_disabled, page).await?;
        let listed = listing.page(records, limit, |record| record.identity.id.to_string());
        Ok(listed.map(|record| described(record, &pool)))
    }

    /// DeleteIdentities: all of them or none. One that does not exist counts as deleted.
    ///
    /// # Errors
    /// The store's.
    pub async fn delete_identities(&self, ids: &[IdentityId], by: &Requester) -> Result<(), PoolError> {
        self.store.delete_identities(ids).await?;
        let deleted = ids.iter().map(|id| {
            let mut draft = AuditDraft::by(AuditAction::Delete, by);
            draft.identity_id = Some(id.clone());
            draft
        });
        Ok(self.trail.all_allowed(deleted).await?)
    }

    /// LookupDeveloperIdentity: from one to the other, or both checked against each other.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] without either, [`PoolError::NotFound`],
    /// [`PoolError::Conflict`] if the two do not belong together.
    pub async fn lookup_developer_identity(
        &self,
        lookup: DeveloperLookup,
    ) -> Result<DeveloperIdentity, PoolError> {
        let pool = self.describe_pool(&lookup.pool_id).await?;
        let record = match (&lookup.identity_id, &lookup.developer_user_identifier) {
            (None, None) => {
                let text = "Either IdentityId or DeveloperUserIdentifier must be provided.";
                return Err(Invalid::Value(text.into()).into());
            }
            (Some(id), None) => self.identity_in(&pool, id).await?,
            (None, Some(user)) => self.owner(&pool, user).await?,
            (Some(id), Some(user)) if self.owner(&pool, user).await?.identity.id == *id => {
                return Ok(echoed(id, user));
            }
            (Some(_), Some(_)) => return Err(Conflict::UserOfAnotherIdentity.into()),
        };
        let id = record.identity.id.as_str();
        let listing = Listing::of("LookupDeveloperIdentity", &[pool.id.as_str(), id]);
        let token = lookup.next_token.as_deref();
        let page = listing.question(token, lookup.max_results, |text| Some(text.to_owned()))?;
        let users = record.logins.iter().filter_map(Login::developer_user_identifier).map(str::to_owned);
        let users = users.filter(|user| page.after.as_ref().is_none_or(|after| user > after)).collect();
        let developer_user_identifiers = listing.page(users, lookup.max_results, String::clone);
        Ok(DeveloperIdentity { identity_id: record.identity.id, developer_user_identifiers })
    }

    async fn owner(&self, pool: &IdentityPool, user: &str) -> Result<IdentityRecord, PoolError> {
        let found = self.store.find_identity_by_login(&pool.id, &Login::developer(user)).await?;
        Ok(found.ok_or(Missing::DeveloperUser)?)
    }

    /// MergeDeveloperIdentities: the destination's identity gets everything, the source's is disabled.
    ///
    /// # Errors
    /// [`PoolError`], by the rules of docs/reference/cognito-identity.md, 4.6.
    pub async fn merge_developer_identities(
        &self,
        merge: DeveloperMerge,
        by: &Requester,
    ) -> Result<IdentityId, PoolError> {
        let mut draft = AuditDraft::by(AuditAction::Logins, by);
        draft.developer_user_identifier = Some(merge.source.clone());
        let merged = async {
            let pool = self.describe_pool(&merge.pool_id).await?;
            check_developer_provider(&pool, &merge.developer_provider)?;
            let request = MergeRequest {
                pool_id: merge.pool_id,
                source: merge.source,
                destination: merge.destination,
                now: self.clock.now(),
            };
            let outcome = self.store.merge_developer_users(&request).await?;
            let identity = self.linked(outcome, by).await?;
            draft.identity_id = Some(identity.id.clone());
            Ok(identity.id)
        };
        let merged = merged.await;
        self.conclude(draft, merged).await
    }

    /// UnlinkDeveloperIdentity: the identifier is free, and leads to a new identity when it comes again.
    ///
    /// # Errors
    /// [`PoolError`], by the rules of docs/reference/cognito-identity.md, 4.7.
    pub async fn unlink_developer_identity(
        &self,
        unlink: DeveloperUnlink,
        by: &Requester,
    ) -> Result<(), PoolError> {
        let mut draft = AuditDraft::by(AuditAction::Logins, by);
        draft.identity_id = Some(unlink.identity_id.clone());
        draft.developer_user_identifier = Some(unlink.user.clone());
        let unlinked = async {
            let pool = self.describe_pool(&unlink.pool_id).await?;
            check_developer_provider(&pool, &unlink.developer_provider)?;
            let logins = Unlinked::DeveloperUser { pool_id: unlink.pool_id, user: unlink.user };
            self.unlink(unlink.identity_id, logins).await
        };
        self.conclude(draft, unlinked.await).await
    }

    /// UnlinkIdentity: whoever shows a valid login of the identity may take public logins from it.
    ///
    /// # Errors
    /// [`PoolError`], by the rules of docs/reference/cognito-identity.md, 4.7.
    pub async fn unlink_identity(
        &self,
        identity_id: IdentityId,
        logins: &Logins,
        providers: Vec<String>,
        by: &Requester,
    ) -> Result<(), PoolError> {
        let mut draft = AuditDraft::by(AuditAction::Logins, by);
        draft.identity_id = Some(identity_id.clone());
        let unlinked = async {
            let identity = self.identity(&identity_id).await?;
            let pool = self.describe_pool(&identity.pool_id).await?;
            let verified = self.verify_public(&pool, logins, &Refuse::Identity).await?;
            draft.login_of(&verified);
            let proof = verified.iter().map(linked).collect();
            self.unlink(identity_id, Unlinked::Public { providers, proof }).await
        };
        let unlinked = unlinked.await;
        self.conclude(draft, unlinked).await
    }

    async fn unlink(&self, identity_id: IdentityId, logins: Unlinked) -> Result<(), PoolError> {
        let request = UnlinkRequest { identity_id, logins, now: self.clock.now() };
        match self.store.unlink(&request).await? {
            UnlinkOutcome::Unlinked => Ok(()),
            UnlinkOutcome::Refused(refusal) => Err(PoolError::unlink(refusal, &request)),
        }
    }
}

fn described(IdentityRecord { identity, logins }: IdentityRecord, pool: &IdentityPool) -> DescribedIdentity {
    let developer = pool.settings.developer_provider_name.as_deref();
    let name = |login: Login| match login.provider {
        LoginProvider::Developer => developer.map(str::to_owned),
        LoginProvider::Public(name) => Some(name),
    };
    let names: BTreeSet<String> = logins.into_iter().filter_map(name).collect();
    DescribedIdentity { identity, logins: names.into_iter().collect() }
}

fn echoed(id: &IdentityId, developer_user_identifier: &str) -> DeveloperIdentity {
    let items = vec![developer_user_identifier.to_owned()];
    let developer_user_identifiers = Listed { items, next_token: None };
    DeveloperIdentity { identity_id: id.clone(), developer_user_identifiers }
}
