//! What a developer decides about pools: settings, roles, principal tag maps, tags. Everything is written
//! whole, so that what is left out goes back to its default (docs/reference/cognito-identity.md, 3.4).

use std::collections::BTreeMap;

use super::{IdentityPools, Invalid, Missing, PoolError, principal_tags, providers};
use crate::audit::{AuditAction, AuditDraft, Requester};
use crate::ground::ids::IdentityPoolId;
use crate::records::identity::{
    IdentityPool, PoolRoles, PoolSettings, PrincipalTagMap, RoleMapping, RoleMappingType,
};
use crate::records::limits::MAX_POOL_TAGS;
use crate::store::ReplaceOutcome;
use crate::store::page::{Listed, Listing};

/// User pools that a pool can have (AWS: quotas in Amazon Cognito).
const MAX_USER_POOLS: usize = 50;
/// Principal tag maps that a pool can have: one for each provider of the largest pool, and some room.
const MAX_TAG_MAPS: usize = 100;
/// How often a change of tags is made again on top of somebody else's.
const ATTEMPTS: usize = 10;

/// How many rules the role mapping of one provider may have, at most 400. Cognito's quota is 25.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleMappingLimit(pub usize);

impl Default for RoleMappingLimit {
    fn default() -> Self {
        Self(25)
    }
}

/// What SetPrincipalTagAttributeMap is asked for.
#[derive(Debug)]
pub struct TagMapChange {
    /// The pool.
    pub pool_id: IdentityPoolId,
    /// The provider, as [`PublicLogin::tag_map_key`](crate::login::public::PublicLogin::tag_map_key) calls it.
    pub provider: String,
    /// Its map from now on.
    pub map: PrincipalTagMap,
}

impl IdentityPools {
    /// CreateIdentityPool.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] and [`PoolError::LimitExceeded`] for settings that no pool can have.
    pub async fn create_pool(
        &self,
        settings: PoolSettings,
        by: &Requester,
    ) -> Result<IdentityPool, PoolError> {
        let id = IdentityPoolId::generate(&self.region, &*self.random);
        let draft = self.draft(&id, by);
        let pool = IdentityPool::new(id, settings, PoolRoles::default());
        let added = async {
            check_settings(&pool.settings)?;
            Ok(self.store.add_pool(&pool).await?)
        };
        self.conclude(draft, added.await).await?;
        Ok(pool)
    }

    /// UpdateIdentityPool. The name of the developer provider stays if it is left out, and cannot change; so
    /// do tags that are left out, because they have operations of their own.
    ///
    /// # Errors
    /// [`PoolError::NotFound`], [`PoolError::Invalid`], [`PoolError::LimitExceeded`],
    /// [`PoolError::ConcurrentModification`].
    pub async fn update_pool(
        &self,
        id: &IdentityPoolId,
        settings: PoolSettings,
        tags: Option<BTreeMap<String, String>>,
        by: &Requester,
    ) -> Result<IdentityPool, PoolError> {
        let change = |pool: &mut IdentityPool| {
            let old = &pool.settings;
            let developer_provider_name =
                kept_developer_provider(old, settings.developer_provider_name.clone())?;
            let tags = tags.clone().unwrap_or_else(|| old.tags.clone());
            pool.settings = PoolSettings { developer_provider_name, tags, ..settings.clone() };
            check_settings(&pool.settings)
        };
        self.change_once(id, by, change).await
    }

    /// DescribeIdentityPool and GetIdentityPoolRoles.
    ///
    /// # Errors
    /// [`PoolError::NotFound`].
    pub async fn describe_pool(&self, id: &IdentityPoolId) -> Result<IdentityPool, PoolError> {
        self.store.lookup_pool(id).await?.ok_or_else(|| Missing::Pool(id.clone()).into())
    }

    /// ListIdentityPools.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] for a token that no listing gave out.
    pub async fn list_pools(
        &self,
        limit: usize,
        next_token: Option<&str>,
    ) -> Result<Listed<IdentityPool>, PoolError> {
        let listing = Listing::of("ListIdentityPools", &[]);
        let page = listing.question(next_token, limit, |text| IdentityPoolId::parse(text).ok())?;
        let pools = self.store.list_pools(page).await?;
        Ok(listing.page(pools, limit, |pool| pool.id.to_string()))
    }

    /// DeleteIdentityPool: the pool, its identities and their logins. Tokens that are out can no longer be
    /// traded for credentials, and credentials that are out end.
    ///
    /// # Errors
    /// [`PoolError::NotFound`].
    pub async fn delete_pool(&self, id: &IdentityPoolId, by: &Requester) -> Result<(), PoolError> {
        let deleted = match self.store.delete_pool(id).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Missing::Pool(id.clone()).into()),
            Err(error) => Err(error.into()),
        };
        self.conclude(self.draft(id, by), deleted).await
    }

    /// SetIdentityPoolRoles: roles and mappings are replaced as a whole.
    ///
    /// # Errors
    /// [`PoolError::NotFound`], [`PoolError::Invalid`] for a mapping that decides nothing, or is nobody's,
    /// [`PoolError::ConcurrentModification`].
    pub async fn set_pool_roles(
        &self,
        id: &IdentityPoolId,
        roles: PoolRoles,
        by: &Requester,
    ) -> Result<(), PoolError> {
        let limit = self.role_mapping_limit;
        let change = |pool: &mut IdentityPool| {
            for (provider, mapping) in &roles.mappings {
                providers::check_mapped(&pool.settings, provider)?;
                check_mapping(provider, mapping, limit)?;
            }
            pool.roles = roles.clone();
            Ok(())
        };
        self.change_once(id, by, change).await.map(drop)
    }

    /// SetPrincipalTagAttributeMap.
    ///
    /// # Errors
    /// [`PoolError::NotFound`], [`PoolError::Invalid`].
    pub async fn set_tag_map(&self, change: TagMapChange, by: &Requester) -> Result<(), PoolError> {
        let TagMapChange { pool_id, provider, map } = change;
        let change = |pool: &mut IdentityPool| {
            providers::check_tagged(pool, &provider, !map.tags.is_empty())?;
            principal_tags::check_map(&map)?;
            pool.tag_maps.insert(provider.clone(), map.clone());
            at_most(pool.tag_maps.len(), MAX_TAG_MAPS, "principal tag maps")
        };
        self.change(&pool_id, by, change).await.map(drop)
    }

    /// GetPrincipalTagAttributeMap. A provider that never got one makes no tags.
    ///
    /// # Errors
    /// [`PoolError::NotFound`].
    pub async fn tag_map(&self, id: &IdentityPoolId, provider: &str) -> Result<PrincipalTagMap, PoolError> {
        Ok(self.describe_pool(id).await?.tag_maps.remove(provider).unwrap_or_default())
    }

    /// TagResource.
    ///
    /// # Errors
    /// [`PoolError::NotFound`], [`PoolError::Invalid`] for reserved tags, or too many.
    pub async fn tag_pool(
        &self,
        arn: &str,
        tags: BTreeMap<String, String>,
        by: &Requester,
    ) -> Result<(), PoolError> {
        let change = |pool: &mut IdentityPool| {
            pool.settings.tags.extend(tags.clone());
            check_tags(&pool.settings.tags)
        };
        self.change(&self.pool_of_arn(arn)?, by, change).await.map(drop)
    }

    /// UntagResource. A key that the pool does not have is passed over.
    ///
    /// # Errors
    /// [`PoolError::NotFound`], [`PoolError::Invalid`] for an ARN of something else.
    pub async fn untag_pool(&self, arn: &str, keys: &[String], by: &Requester) -> Result<(), PoolError> {
        let change = |pool: &mut IdentityPool| {
            pool.settings.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        };
        self.change(&self.pool_of_arn(arn)?, by, change).await.map(drop)
    }

    /// ListTagsForResource.
    ///
    /// # Errors
    /// [`PoolError::NotFound`], [`PoolError::Invalid`] for an ARN of something else.
    pub async fn tags_of_pool(&self, arn: &str) -> Result<BTreeMap<String, String>, PoolError> {
        Ok(self.describe_pool(&self.pool_of_arn(arn)?).await?.settings.tags)
    }

    /// Makes a change to a pool that replaces what the caller saw: somebody else's change in between is an
    /// error.
    async fn change_once(
        &self,
        id: &IdentityPoolId,
        by: &Requester,
        change: impl FnOnce(&mut IdentityPool) -> Result<(), PoolError>,
    ) -> Result<IdentityPool, PoolError> {
        let changed = async {
            let mut pool = self.describe_pool(id).await?;
            change(&mut pool)?;
            match self.store.replace_pool(&pool).await? {
                ReplaceOutcome::Replaced => Ok(pool),
                ReplaceOutcome::Stale => Err(PoolError::ConcurrentModification),
                ReplaceOutcome::Unknown => Err(Missing::Pool(id.clone()).into()),
            }
        };
        self.conclude(self.draft(id, by), changed.await).await
    }

    /// Makes a change that goes as well on top of somebody else's.
    async fn change(
        &self,
        id: &IdentityPoolId,
        by: &Requester,
        change: impl Fn(&mut IdentityPool) -> Result<(), PoolError>,
    ) -> Result<IdentityPool, PoolError> {
        for _ in 1..ATTEMPTS {
            match self.change_once(id, by, &change).await {
                Err(PoolError::ConcurrentModification) => {}
                changed => return changed,
            }
        }
        self.change_once(id, by, &change).await
    }

    fn draft(&self, id: &IdentityPoolId, by: &Requester) -> AuditDraft {
        let mut draft = AuditDraft::by(AuditAction::Pool, by);
        draft.resource = Some(self.pool_arn(id));
        draft
    }

    /// The pool that an ARN names.
    fn pool_of_arn(&self, arn: &str) -> Result<IdentityPoolId, PoolError> {
        let id = arn.strip_prefix(&self.pool_arn_prefix()).and_then(|id| IdentityPoolId::parse(id).ok());
        id.ok_or_else(|| {
            let text = format!(
                "The ResourceArn must be that of an identity pool: {}REGION:GUID",
                self.pool_arn_prefix()
            );
            Invalid::Value(text).into()
        })
    }
}

/// What is kept under the name of the developer provider: identities hang on it, so it is given once.
fn kept_developer_provider(old: &PoolSettings, new: Option<String>) -> Result<Option<String>, PoolError> {
    match (&old.developer_provider_name, new) {
        (Some(old), Some(new)) if *old != new => {
            let text = "The developer provider name of an identity pool cannot be changed once it is set.";
            Err(Invalid::Value(text.into()).into())
        }
        (Some(old), _) => Ok(Some(old.clone())),
        (None, new) => Ok(new),
    }
}

/// What passes the shapes of the API and still makes no pool.
fn check_settings(settings: &PoolSettings) -> Result<(), PoolError> {
    let invalid = |text: &str| Err(Invalid::Value(text.into()).into());
    if !settings.saml_provider_arns.is_empty() {
        return invalid("Daypass verifies no SAML assertions: leave SamlProviderARNs empty.");
    }
    if settings.cognito_identity_providers.iter().any(|client| client.server_side_token_check == Some(true)) {
        return invalid(
            "Daypass cannot ask a user pool whether a user was signed out: leave ServerSideTokenCheck false.",
        );
    }
    providers::check(settings)?;
    if settings.cognito_identity_providers.len() > MAX_USER_POOLS {
        let text = format!("An identity pool has at most {MAX_USER_POOLS} user pool clients.");
        return Err(PoolError::LimitExceeded(text));
    }
    check_tags(&settings.tags)
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), PoolError> {
    if tags.keys().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(Invalid::Value("Tag keys that begin with aws: are reserved.".into()).into());
    }
    at_most(tags.len(), MAX_POOL_TAGS, "tags")
}

fn at_most(count: usize, limit: usize, what: &str) -> Result<(), PoolError> {
    if count <= limit {
        return Ok(());
    }
    Err(Invalid::Value(format!("An identity pool has at most {limit} {what}.")).into())
}

/// A mapping by rules needs rules, and no more of them than the limit; one by token takes none.
fn check_mapping(provider: &str, mapping: &RoleMapping, limit: RoleMappingLimit) -> Result<(), PoolError> {
    let rules = mapping.rules_configuration.as_ref().map(|configuration| configuration.rules.len());
    let RoleMappingLimit(limit) = limit;
    let problem = match (mapping.r#type, rules) {
        (RoleMappingType::Rules, None) => "RulesConfiguration is required for the type Rules".to_owned(),
        (RoleMappingType::Token, Some(_)) => "RulesConfiguration goes with the type Rules only".to_owned(),
        (RoleMappingType::Rules, Some(count)) if count > limit => {
            format!("it has {count} rules; at most {limit} are allowed")
        }
        (RoleMappingType::Rules, Some(_)) | (RoleMappingType::Token, None) => return Ok(()),
    };
    Err(Invalid::Value(format!("The role mapping of {provider:?} is invalid: {problem}.")).into())
}
