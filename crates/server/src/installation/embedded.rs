//! The embedded pool and STS: how they are wired, and the pool that the configuration names.

use std::sync::Arc;

use daypass_core::audit::AuditTrail;
use daypass_core::credentials::access::Access;
use daypass_core::credentials::access_key::{self, AccessKeys};
use daypass_core::credentials::role::Roles;
use daypass_core::credentials::session_token::SessionSealer;
use daypass_core::credentials::source::CredentialSource;
use daypass_core::credentials::sts::Sts;
use daypass_core::ground::clock::Clock;
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::ground::random::Random;
use daypass_core::login::provider::Engine;
use daypass_core::login::public::PublicLogins;
use daypass_core::pool::{IdentityPools, RoleMappingLimit};
use daypass_core::records::identity::{IdentityPool, PoolRoles, PoolSettings};
use daypass_core::store::{Store, StoreError};
use daypass_core::token::openid_token::TokenIssuer;
use daypass_core::token::signing_key::SigningKeys;

use super::dependencies::{Dependencies, WireError};
use crate::config::EmbeddedConfig;
use crate::foreign_sts::ForeignSts;
use crate::origin::Proxies;
use crate::sigv4::Callers;
use crate::warnings;

/// The embedded identity pool and STS, wire-compatible with Amazon's.
pub struct Embedded {
    /// The pool that logins lead to.
    pub pool_id: IdentityPoolId,
    /// Answers the identity pool API.
    pub pools: Arc<IdentityPools>,
    /// Answers STS.
    pub sts: Arc<Sts>,
    /// Decides about temporary credentials.
    pub access: Arc<Access>,
    /// Makes and changes developer access keys.
    pub access_keys: AccessKeys,
    /// Finds out who signed.
    pub callers: Callers,
    /// Hears of every decision.
    pub trail: Arc<AuditTrail>,
    /// Who stands in front.
    pub proxies: Proxies,
    /// Draws request IDs.
    pub random: Arc<dyn Random>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Embedded {
    /// Wires the embedded pool and its STS. On the first start this makes the pool and its keys.
    pub(super) async fn wire(
        dependencies: Dependencies,
        pool_config: EmbeddedConfig,
        engine: Arc<Engine>,
        trail: Arc<AuditTrail>,
    ) -> Result<Self, WireError> {
        let Dependencies { config, store, master_key, clock, random, .. } = dependencies;
        let http = dependencies.http;
        let public_logins = Arc::new(PublicLogins::new(config.registered_providers(), engine));
        let foreign_sts = config.foreign_sts.clone();
        let region = pool_config.region.clone();
        let keys = SigningKeys::load(&*store, &master_key, &region, &*clock, &*random).await?;
        let pool = configured_pool(&*store, &pool_config, &config.pool.developer_provider, &*random).await?;
        let mut roles = (dependencies.roles)(&pool.id);
        roles.extend(config.load_roles(&pool.id)?);
        let roles = Arc::new(Roles::compile(pool_config.account_id.clone(), roles)?);
        let sessions = Arc::new(SessionSealer::new(&master_key));
        let access = Arc::new(Access {
            roles: roles.clone(),
            sessions: sessions.clone(),
            store: store.clone(),
            clock: clock.clone(),
        });
        let proxies = config.proxies();
        let sts = Arc::new(Sts {
            tokens: Arc::new(TokenIssuer::new(config.public_url, keys)),
            store: store.clone(),
            trail: trail.clone(),
            clock: clock.clone(),
            random: random.clone(),
            roles,
            sessions,
        });
        let gives_our_roles = foreign_sts.is_none();
        let credentials: Arc<dyn CredentialSource> = match foreign_sts {
            Some(config) => Arc::new(ForeignSts::new(config, http, sts.clone(), clock.clone())),
            None => sts.clone(),
        };
        let pools = Arc::new(IdentityPools {
            credentials,
            public_logins,
            role_mapping_limit: pool_config.role_mapping_rules.map(RoleMappingLimit).unwrap_or_default(),
            store: store.clone(),
            sts: sts.clone(),
            trail: trail.clone(),
            clock: clock.clone(),
            random: random.clone(),
            region,
        });
        warnings::log(warnings::of_pool(&pools, &pool));
        if gives_our_roles {
            warnings::log(warnings::of_missing_roles(&pools, &pool));
        }
        let callers = Callers {
            key_sealer: access_key::sealer(&master_key),
            access: access.clone(),
            clock: clock.clone(),
            region: pool_config.region,
            store: store.clone(),
        };
        Ok(Self {
            access_keys: AccessKeys::new(store, &master_key, trail.clone(), clock.clone(), random.clone()),
            pool_id: pool.id,
            pools,
            sts,
            access,
            callers,
            trail,
            proxies,
            random,
            clock,
        })
    }
}

/// The pool that the configuration names, made on the first start. The roles of a pool are its own from then
/// on: what somebody set through the API stays.
pub(super) async fn configured_pool(
    store: &dyn Store,
    config: &EmbeddedConfig,
    developer_provider: &str,
    random: &dyn Random,
) -> Result<IdentityPool, StoreError> {
    let settings = PoolSettings {
        name: config.name.clone(),
        developer_provider_name: Some(developer_provider.to_owned()),
        ..PoolSettings::default()
    };
    let role_arn = format!("arn:aws:iam::{}:role/authenticated", config.account_id);
    let roles = PoolRoles { authenticated: Some(role_arn), ..PoolRoles::default() };
    let candidate = IdentityPool::new(IdentityPoolId::generate(&config.region, random), settings, roles);
    store.find_or_add_configured_pool(&config.name, &candidate).await
}
