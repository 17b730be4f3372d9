//! The embedded identity pool: what Amazon Cognito identity pools do, operation by operation, with the
//! semantics of cognito-identity.md sections 3 and 4. This file holds pools and identities; tokens and
//! credentials are issued in [`issue`].

mod error;
pub mod issue;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

pub use self::error::PoolError;
use crate::audit::AuditTrail;
use crate::clock::Clock;
use crate::identity::{Identity, IdentityPool, PoolRoles, PoolSettings};
use crate::ids::{IdentityId, IdentityPoolId, Region};
use crate::random::Random;
use crate::secret::Secret;
use crate::store::{Page, SharedStore};
use crate::sts::{FEDERATED_PROVIDER, Sts};

/// Provider name → token, as a client passes them. For the developer provider the value is the
/// developer user identifier.
pub type Logins = BTreeMap<String, Secret>;

/// All identity pools of an installation.
pub struct IdentityPools {
    /// The Region that IDs and ARNs carry.
    pub region: Region,
    /// Keeps pools and identities.
    pub store: SharedStore,
    /// Turns tokens into credentials, and believes our own tokens.
    pub sts: Arc<Sts>,
    /// Hears of every token and credential.
    pub trail: Arc<AuditTrail>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws IDs.
    pub random: Arc<dyn Random>,
}

/// One page of a listing, and the token that asks for the next.
#[derive(Debug)]
pub struct Listed<T> {
    /// The items.
    pub items: Vec<T>,
    /// Absent on the last page.
    pub next_token: Option<String>,
}

/// An identity as DescribeIdentity shows it.
#[derive(Debug)]
pub struct DescribedIdentity {
    /// The identity.
    pub identity: Identity,
    /// The names of the providers it has logins of.
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

impl IdentityPools {
    /// CreateIdentityPool.
    ///
    /// # Errors
    /// The store's.
    pub async fn create_pool(&self, settings: PoolSettings) -> Result<IdentityPool, PoolError> {
        let id = IdentityPoolId::generate(&self.region, &*self.random);
        let pool = IdentityPool { id, settings, roles: PoolRoles::default() };
        self.store.add_pool(&pool).await?;
        Ok(pool)
    }

    /// DescribeIdentityPool and GetIdentityPoolRoles.
    ///
    /// # Errors
    /// [`PoolError::ResourceNotFound`].
    pub async fn describe_pool(&self, id: &IdentityPoolId) -> Result<IdentityPool, PoolError> {
        self.store.lookup_pool(id).await?.ok_or_else(|| PoolError::no_pool(id))
    }

    /// ListIdentityPools.
    ///
    /// # Errors
    /// [`PoolError::InvalidParameter`] for a token that no listing gave out.
    pub async fn list_pools(
        &self,
        limit: usize,
        next_token: Option<&str>,
    ) -> Result<Listed<IdentityPool>, PoolError> {
        let page = page_after(next_token, limit, |text| IdentityPoolId::parse(text).ok())?;
        let pools = self.store.list_pools(page).await?;
        Ok(listed(pools, limit, |pool| pool.id.as_str()))
    }

    /// SetIdentityPoolRoles: both maps are replaced as a whole.
    ///
    /// # Errors
    /// [`PoolError::ResourceNotFound`].
    pub async fn set_pool_roles(&self, id: &IdentityPoolId, roles: &PoolRoles) -> Result<(), PoolError> {
        if self.store.set_pool_roles(id, roles).await? { Ok(()) } else { Err(PoolError::no_pool(id)) }
    }

    /// GetId: a new guest at every call. Logins of public providers are not verified by the embedded pool,
    /// so every login is refused.
    ///
    /// # Errors
    /// [`PoolError::NotAuthorized`] unless the pool allows guests.
    pub async fn get_id(&self, pool_id: &IdentityPoolId, logins: &Logins) -> Result<IdentityId, PoolError> {
        let pool = self.describe_pool(pool_id).await?;
        refuse_public_logins(&pool, logins)?;
        if !pool.settings.allow_unauthenticated_identities {
            return Err(PoolError::guests_not_supported());
        }
        let id = IdentityId::generate(&self.region, &*self.random);
        if self.store.add_guest(pool_id, &id, self.clock.now()).await? {
            Ok(id)
        } else {
            Err(PoolError::no_pool(pool_id))
        }
    }

    /// DescribeIdentity.
    ///
    /// # Errors
    /// [`PoolError::ResourceNotFound`].
    pub async fn describe_identity(&self, id: &IdentityId) -> Result<DescribedIdentity, PoolError> {
        let identity = self.identity(id).await?;
        let pool = self.describe_pool(&identity.pool_id).await?;
        Ok(described(identity, &pool))
    }

    /// ListIdentities.
    ///
    /// # Errors
    /// [`PoolError::ResourceNotFound`], [`PoolError::InvalidParameter`] for a token of no listing.
    pub async fn list_identities(
        &self,
        pool_id: &IdentityPoolId,
        hide_disabled: bool,
        limit: usize,
        next_token: Option<&str>,
    ) -> Result<Listed<DescribedIdentity>, PoolError> {
        let pool = self.describe_pool(pool_id).await?;
        let page = page_after(next_token, limit, |text| IdentityId::parse(text).ok())?;
        let identities = self.store.list_identities(pool_id, hide_disabled, page).await?;
        let Listed { items, next_token } = listed(identities, limit, |identity| identity.id.as_str());
        Ok(Listed {
            items: items.into_iter().map(|identity| described(identity, &pool)).collect(),
            next_token,
        })
    }

    /// LookupDeveloperIdentity: from one to the other, or both checked against each other.
    ///
    /// # Errors
    /// [`PoolError::InvalidParameter`] without either, [`PoolError::ResourceNotFound`],
    /// [`PoolError::ResourceConflict`] if the two do not belong together.
    pub async fn lookup_developer_identity(
        &self,
        lookup: DeveloperLookup,
    ) -> Result<DeveloperIdentity, PoolError> {
        let pool = self.describe_pool(&lookup.pool_id).await?;
        let identity_id = match (&lookup.identity_id, &lookup.developer_user_identifier) {
            (None, None) => {
                let text = "Either IdentityId or DeveloperUserIdentifier must be provided.";
                return Err(PoolError::InvalidParameter(text.into()));
            }
            (Some(id), None) => self.identity_in(&pool, id).await?.id,
            (None, Some(user)) => self.owner(&pool, user).await?,
            (Some(id), Some(user)) if self.owner(&pool, user).await? == *id => return Ok(echoed(id, user)),
            (Some(_), Some(_)) => {
                let text = "The developer user identifier belongs to another identity.";
                return Err(PoolError::ResourceConflict(text.into()));
            }
        };
        let page =
            page_after(lookup.next_token.as_deref(), lookup.max_results, |text| Some(text.to_owned()))?;
        let users = self.store.list_developer_users(&identity_id, page).await?;
        let developer_user_identifiers = listed(users, lookup.max_results, String::as_str);
        Ok(DeveloperIdentity { identity_id, developer_user_identifiers })
    }

    async fn owner(
        &self,
        pool: &IdentityPool,
        developer_user_identifier: &str,
    ) -> Result<IdentityId, PoolError> {
        let found = self.store.find_identity_by_developer_user(&pool.id, developer_user_identifier).await?;
        found.ok_or_else(|| PoolError::ResourceNotFound("Developer user identifier not found.".into()))
    }

    async fn identity(&self, id: &IdentityId) -> Result<Identity, PoolError> {
        self.store.lookup_identity(id).await?.ok_or_else(|| PoolError::no_identity(id))
    }

    async fn identity_in(&self, pool: &IdentityPool, id: &IdentityId) -> Result<Identity, PoolError> {
        let identity = self.identity(id).await?;
        if identity.pool_id == pool.id { Ok(identity) } else { Err(PoolError::no_identity(id)) }
    }
}

fn echoed(id: &IdentityId, developer_user_identifier: &str) -> DeveloperIdentity {
    let items = vec![developer_user_identifier.to_owned()];
    let developer_user_identifiers = Listed { items, next_token: None };
    DeveloperIdentity { identity_id: id.clone(), developer_user_identifiers }
}

/// Every linked provider by its name, once. The developer provider is the only one that the embedded pool
/// links.
fn described(identity: Identity, pool: &IdentityPool) -> DescribedIdentity {
    let provider = pool.settings.developer_provider_name.clone().filter(|_| identity.authenticated);
    DescribedIdentity { identity, logins: provider.into_iter().collect() }
}

/// The refusal that fits the mistake, for the operations that take logins of public providers.
fn refuse_public_logins(pool: &IdentityPool, logins: &Logins) -> Result<(), PoolError> {
    let Some(provider) = logins.keys().next() else { return Ok(()) };
    Err(if provider == FEDERATED_PROVIDER {
        PoolError::no_cognito_token_here()
    } else if pool.settings.developer_provider_name.as_ref() == Some(provider) {
        PoolError::issuer_mismatch()
    } else {
        PoolError::unsupported_provider()
    })
}

/// Reads a `NextToken`: the last item of the page before, encoded so that nobody leans on its form.
fn page_after<T>(
    token: Option<&str>,
    limit: usize,
    read: fn(&str) -> Option<T>,
) -> Result<Page<T>, PoolError> {
    let Some(token) = token else { return Ok(Page { after: None, limit }) };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
    let after = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| read(&text));
    match after {
        Some(after) => Ok(Page { after: Some(after), limit }),
        None => Err(PoolError::InvalidParameter("Invalid NextToken.".into())),
    }
}

fn listed<T>(items: Vec<T>, limit: usize, key: fn(&T) -> &str) -> Listed<T> {
    let full = items.len() == limit;
    let next_token = items.last().filter(|_| full).map(|last| BASE64_URL_SAFE_NO_PAD.encode(key(last)));
    Listed { items, next_token }
}
