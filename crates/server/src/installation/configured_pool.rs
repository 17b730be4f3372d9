//! The pool that the configuration names: found as the store keeps it, or made. A configuration that contradicts what is
//! kept is refused, and a pool that is made is said loudly: nobody is in it, and that may be a mistake.

use std::collections::BTreeMap;

use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::ground::random::Random;
use daypass_core::records::identity::{IdentityPool, PoolRoles, PoolSettings};
use daypass_core::store::Store;
use daypass_store::StoreUrl;

use super::dependencies::WireError;
use crate::config::{Config, ConfigError, EmbeddedConfig, first_role};

/// Whether a pool is made beside those that other names lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// A name of which nothing is known may be a slip.
    Refused,
    /// The operator says that it is meant.
    Made,
}

/// The pool.
pub struct ConfiguredPool {
    /// As it is kept.
    pub pool: IdentityPool,
    /// What the operator has to hear, if it was made.
    pub news: Option<String>,
}

/// The pool that the configuration names, made on the first start. The roles of a pool are its own from then
/// on: what somebody set through the API stays.
///
/// # Errors
/// The store's, or what the configuration contradicts.
pub(super) async fn configured_pool(
    store: &dyn Store,
    config: &Config,
    named: &EmbeddedConfig,
    beside: Beside,
    random: &dyn Random,
) -> Result<ConfiguredPool, WireError> {
    let kept = store.configured_pools().await?;
    if let Some(pool) = find_kept(config, named, &kept, beside)? {
        return Ok(ConfiguredPool { pool: pool.clone(), news: None });
    }
    let candidate = candidate(config, named, random);
    let pool = store.find_or_add_configured_pool(&named.name, &candidate).await?;
    // Somebody else may have been first.
    config.check_kept_pool(named, &pool)?;
    let news = (pool.id == candidate.id).then(|| news(config, &named.name, &pool.id, &kept)).flatten();
    Ok(ConfiguredPool { pool, news })
}

/// The pool of that name among those that names of configurations lead to, or that one may be made.
///
/// # Errors
/// [`ConfigError`]: what the configuration contradicts, or what no new pool has.
pub fn find_kept<'a>(
    config: &Config,
    named: &EmbeddedConfig,
    kept: &'a BTreeMap<String, IdentityPool>,
    beside: Beside,
) -> Result<Option<&'a IdentityPool>, ConfigError> {
    if let Some(pool) = kept.get(&named.name) {
        config.check_kept_pool(named, pool)?;
        return Ok(Some(pool));
    }
    if beside == Beside::Refused {
        config.check_second_pool(named, kept)?;
    }
    config.check_new_pool(named)?;
    Ok(None)
}

fn candidate(config: &Config, named: &EmbeddedConfig, random: &dyn Random) -> IdentityPool {
    let settings = PoolSettings {
        name: named.name.clone(),
        developer_provider_name: Some(config.pool.developer_provider.clone()),
        ..PoolSettings::default()
    };
    let role_arn = first_role(named.account_id.as_str());
    let roles = PoolRoles { authenticated: Some(role_arn), ..PoolRoles::default() };
    IdentityPool::new(IdentityPoolId::generate(&named.region, random), settings, roles)
}

/// In memory every start makes one, which is said elsewhere.
fn news(
    config: &Config,
    name: &str,
    id: &IdentityPoolId,
    others: &BTreeMap<String, IdentityPool>,
) -> Option<String> {
    let place = match config.store() {
        Ok(StoreUrl::Sqlite(file)) => file.display().to_string(),
        Ok(url @ (StoreUrl::Postgres(_) | StoreUrl::Dynamo(_))) => url.to_string(),
        Ok(StoreUrl::Memory) | Err(_) => return None,
    };
    let beside = match others.len() {
        0 => String::new(),
        count => format!(", beside {count} that other names lead to"),
    };
    Some(format!(
        "the pool {id} was made under the name {name:?} in {place}{beside}: nobody is in it. If people signed in here before, stop: \
         [store] url or [pool] name leads elsewhere than it did"
    ))
}
