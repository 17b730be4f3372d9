//! The embedded pool and STS: how they are wired.

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
use daypass_core::ground::outbound::ProviderHttp;
use daypass_core::ground::random::Random;
use daypass_core::login::public::PublicLogins;
use daypass_core::pool::{IdentityPools, RoleMappingLimit};
use daypass_core::token::openid_token::TokenIssuer;

use super::configured_pool::{Beside, ConfiguredPool, configured_pool};
use super::dependencies::{Dependencies, RolesBeside, WireError};
use super::lasting::Lasting;
use crate::config::{Config, EmbeddedConfig};
use crate::crowd::Crowd;
use crate::foreign_sts::ForeignSts;
use crate::origin::Proxies;
use crate::rate_limits::RateLimits;
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
    /// How often somebody may ask.
    pub rate_limits: Arc<RateLimits>,
    /// Draws request IDs.
    pub random: Arc<dyn Random>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// What of it outlives the configuration.
pub(super) struct Roots {
    pool_id: IdentityPoolId,
    pool: EmbeddedConfig,
    tokens: Arc<TokenIssuer>,
    sessions: Arc<SessionSealer>,
    /// Roles besides the configured ones.
    roles: RolesBeside,
    /// The way to another STS.
    http: Arc<dyn ProviderHttp>,
    /// Who is being served by another STS.
    crowd: Crowd,
}

impl Roots {
    /// Finds the pool and its keys. On the first start this makes them.
    pub async fn lay(
        dependencies: Dependencies,
        config: &Config,
        pool: &EmbeddedConfig,
        lasting: &Lasting,
    ) -> Result<Self, WireError> {
        let Lasting { store, master_keys, random, .. } = lasting;
        let tokens = lasting.token_issuer(config, &pool.region).await?;
        let ConfiguredPool { pool: found, news } =
            configured_pool(&**store, config, pool, Beside::Refused, &**random).await?;
        warnings::log(news);
        Ok(Self {
            pool_id: found.id,
            pool: pool.clone(),
            tokens,
            sessions: Arc::new(SessionSealer::new(master_keys)),
            roles: dependencies.roles,
            http: dependencies.http,
            crowd: Crowd::default(),
        })
    }

    /// The same, with other master keys.
    pub async fn under(&self, lasting: &Lasting, config: &Config) -> Result<Self, WireError> {
        Ok(Self {
            pool_id: self.pool_id.clone(),
            tokens: lasting.token_issuer(config, &self.pool.region).await?,
            sessions: Arc::new(SessionSealer::new(&lasting.master_keys)),
            pool: self.pool.clone(),
            roles: self.roles.clone(),
            http: self.http.clone(),
            crowd: self.crowd.clone(),
        })
    }

    /// What signs its tokens.
    pub(super) fn tokens(&self) -> Arc<TokenIssuer> {
        self.tokens.clone()
    }

    fn roles(&self, config: &Config) -> Result<Arc<Roles>, WireError> {
        let mut roles = config.load_roles(&self.pool_id)?;
        for given in (self.roles)(&self.pool_id)? {
            let configured = config.roles.iter().position(|role| role.name == given.name);
            match configured {
                // The file replaces the policy; who may take the role on stays, unless the file says that as well.
                Some(index) if config.roles[index].leaves_trust_open() => roles[index].trust = given.trust,
                Some(_) => {}
                None => roles.push(given),
            }
        }
        Ok(Arc::new(Roles::compile(self.pool.account_id.clone(), roles)?))
    }

    /// Who gives credentials: another STS, if the configuration names one.
    fn credentials(
        &self,
        config: &Config,
        sts: &Arc<Sts>,
        clock: &Arc<dyn Clock>,
    ) -> Arc<dyn CredentialSource> {
        match config.foreign_sts.clone() {
            Some(config) => {
                let (http, crowd) = (self.http.clone(), self.crowd.clone());
                Arc::new(ForeignSts::new(config, http, sts.clone(), clock.clone(), crowd))
            }
            None => sts.clone(),
        }
    }
}

impl Embedded {
    /// The pool and its STS by a configuration, on what outlives it.
    pub(super) async fn on(
        roots: &Roots,
        lasting: &Lasting,
        config: &Config,
        rate_limits: Arc<RateLimits>,
    ) -> Result<Self, WireError> {
        let Lasting { store, trail, master_keys, clock, random, .. } = lasting.clone();
        let roles = roots.roles(config)?;
        let sessions = roots.sessions.clone();
        let access = Arc::new(Access {
            roles: roles.clone(),
            sessions: sessions.clone(),
            store: store.clone(),
            clock: clock.clone(),
        });
        let sts = Arc::new(Sts {
            tokens: roots.tokens.clone(),
            store: store.clone(),
            trail: trail.clone(),
            clock: clock.clone(),
            random: random.clone(),
            roles,
            sessions,
        });
        let limit = roots.pool.role_mapping_rules.map(RoleMappingLimit).unwrap_or_default();
        let pools = Arc::new(IdentityPools {
            credentials: roots.credentials(config, &sts, &clock),
            public_logins: Arc::new(PublicLogins::new(config.registered_providers(), lasting.engine.clone())),
            role_mapping_limit: limit,
            region: roots.pool.region.clone(),
            store: store.clone(),
            trail: trail.clone(),
            clock: clock.clone(),
            random: random.clone(),
            sts: sts.clone(),
        });
        warnings::log(warnings::of_unfilled_keys(&sts.roles));
        let access_keys = store.list_access_keys().await?;
        warnings::log(warnings::of_closed_access_keys(&access_keys, &master_keys));
        for pool_id in config.tokens.algorithms().pools.keys() {
            if store.lookup_pool(pool_id).await?.is_none() {
                warnings::log([warnings::of_tokens_of(pool_id)]);
            }
        }
        if let Some(pool) = store.lookup_pool(&roots.pool_id).await? {
            warnings::log(warnings::of_pool(&pools, &pool));
        }
        let callers = Callers {
            key_sealer: access_key::sealer(&master_keys),
            access: access.clone(),
            clock: clock.clone(),
            region: roots.pool.region.clone(),
            store: store.clone(),
        };
        Ok(Self {
            access_keys: AccessKeys::new(store, &master_keys, trail.clone(), clock.clone(), random.clone()),
            pool_id: roots.pool_id.clone(),
            proxies: config.proxies(),
            rate_limits,
            pools,
            sts,
            access,
            callers,
            trail,
            random,
            clock,
        })
    }
}
