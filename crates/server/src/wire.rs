//! Every dependency is wired here, once, for the server, the tour and the tests alike.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_config::SdkConfig;
use daypass_core::audit::{AuditLines, AuditTrail};
use daypass_core::broker::developer_pool::{DeveloperPool, EmbeddedPool};
use daypass_core::broker::exchange::Broker;
use daypass_core::broker::hosted_login::{self, LoginFlow};
use daypass_core::broker::login_code::LoginCodes;
use daypass_core::credentials::access::Access;
use daypass_core::credentials::access_key::{self, AccessKeys};
use daypass_core::credentials::role::{RoleDocument, RoleError, Roles};
use daypass_core::credentials::session_token::SessionSealer;
use daypass_core::credentials::source::CredentialSource;
use daypass_core::credentials::sts::Sts;
use daypass_core::ground::clock::Clock;
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::ground::outbound::ProviderHttp;
use daypass_core::ground::random::Random;
use daypass_core::ground::seal::MasterKey;
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::{Engine, ProviderSet};
use daypass_core::login::public::PublicLogins;
use daypass_core::pool::{IdentityPools, RoleMappingLimit};
use daypass_core::records::identity::{IdentityPool, PoolRoles, PoolSettings};
use daypass_core::store::{SharedStore, StoreError};
use daypass_core::token::openid_token::TokenIssuer;
use daypass_core::token::signing_key::{SigningKeyError, SigningKeys};

use crate::cognito::{self, CognitoPool, Surroundings};
use crate::config::{Config, ConfigError, Driver, EmbeddedConfig, RegionConfig, load_providers};
use crate::foreign_sts::ForeignSts;
use crate::listen::Limits;
use crate::metrics::Metrics;
use crate::origin::Proxies;
use crate::secrets::{Refresher, SecretStore, Secrets};
use crate::sigv4::Callers;
use crate::warnings;

/// What an installation consists of before it is wired together.
pub struct Ingredients {
    /// What the operator decided.
    pub config: Config,
    /// Roles besides the configured ones; they name the pool, whose ID is known only when the store was asked.
    pub roles: fn(&IdentityPoolId) -> Vec<RoleDocument>,
    /// Where everything is kept.
    pub store: SharedStore,
    /// The root of all sealing.
    pub master_key: MasterKey,
    /// The secrets that the configuration refers to.
    pub secrets: Secrets,
    /// Where they were fetched, and are fetched again.
    pub secret_store: Arc<dyn SecretStore>,
    /// The way to the providers.
    pub http: Arc<dyn ProviderHttp>,
    /// The account and the settings at AWS, where the pool is there; those of the environment if it is `None`.
    pub aws: Option<SdkConfig>,
    /// Where audit events go besides the store.
    pub audit_lines: Arc<dyn AuditLines>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws IDs, keys and nonces.
    pub random: Arc<dyn Random>,
    /// The playground page, where there is one.
    pub playground: Option<Playground>,
}

/// What the playground page has to know.
#[derive(Debug, Clone)]
pub struct Playground {
    /// Where S3 answers.
    pub s3_url: String,
    /// The bucket with everybody's folder.
    pub bucket: String,
    /// Where the sandbox identity provider answers.
    pub sandbox_url: String,
}

/// An installation, ready to answer.
pub struct App {
    /// Exchanges logins.
    pub broker: Broker,
    /// Starts hosted logins and recognises their ends.
    pub login_flow: LoginFlow,
    /// Keeps what was fetched from AWS fresh, if anything was.
    pub refresher: Option<Arc<Refresher>>,
    /// Where everything is kept.
    pub store: SharedStore,
    /// The origins of all registered apps.
    pub origins: BTreeSet<String>,
    /// Our own pool and STS, where they are the pool that logins lead to.
    pub embedded: Option<Arc<Embedded>>,
    /// Who stands in front.
    pub proxies: Proxies,
    /// Everything that is counted.
    pub metrics: Arc<Metrics>,
    /// What those who connect are given.
    pub limits: Limits,
    /// What shows that somebody may read it. Nobody may without.
    pub metrics_token: Option<Secret>,
    /// Draws request IDs.
    pub random: Arc<dyn Random>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

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
    /// The playground page, where there is one.
    pub playground: Option<Playground>,
    /// Draws request IDs.
    pub random: Arc<dyn Random>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Why an installation cannot be wired.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The configuration has a mistake.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A role has a mistake.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// The signing keys cannot be had.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Wires an installation. On the first start this makes the pool and its keys.
    ///
    /// # Errors
    /// [`WireError`], in words for the operator.
    pub async fn wire(mut ingredients: Ingredients) -> Result<Self, WireError> {
        let configs = std::mem::take(&mut ingredients.config.providers);
        let secrets = &ingredients.secrets;
        let providers = load_providers(&configs, secrets)?;
        for (config, provider) in configs.iter().filter_map(|it| Some((it, providers.get(&it.id)?))) {
            warnings::log(warnings::of_provider(config, provider));
        }
        let providers = Arc::new(ProviderSet::new(providers));
        let refresher = Refresher::new(
            configs,
            secrets,
            ingredients.secret_store.clone(),
            providers.clone(),
            ingredients.clock.clone(),
            ingredients.config.secrets.refresh,
        );
        let metrics_token = ingredients.config.read_metrics_token(secrets)?;
        let apps = std::mem::take(&mut ingredients.config.apps);
        let proxies = ingredients.config.proxies();
        let Ingredients { store, master_key, clock, random, .. } = &ingredients;
        let (store, clock, random) = (store.clone(), clock.clone(), random.clone());
        let trail = Arc::new(AuditTrail::new(store.clone(), ingredients.audit_lines.clone(), clock.clone()));
        let login_flow = LoginFlow {
            public_url: ingredients.config.public_url.clone(),
            apps: apps
                .iter()
                .map(|app| (app.id.clone(), app.redirect_uris.iter().cloned().collect()))
                .collect(),
            sealer: hosted_login::sealer(master_key),
            store: store.clone(),
            clock: clock.clone(),
            random: random.clone(),
        };
        let login_codes = LoginCodes::new(master_key, store.clone(), clock.clone(), random.clone());
        let engine = Engine::new(ingredients.http.clone(), clock.clone());
        let metrics = Arc::new(Metrics::default());
        let limits = ingredients.config.network.limits();
        let max_token_duration = ingredients.config.pool.max_token_duration;
        let (pool, embedded) = wire_pool(ingredients, trail.clone(), &metrics).await?;
        let broker = Broker {
            redirect_uris: apps.iter().flat_map(|app| app.redirect_uris.iter().cloned()).collect(),
            pool,
            max_token_duration,
            store: store.clone(),
            clock: clock.clone(),
            login_codes,
            engine,
            trail,
            providers,
        };
        Ok(Self {
            origins: apps.into_iter().flat_map(|app| app.origins).collect(),
            refresher: refresher.map(Arc::new),
            embedded,
            proxies,
            metrics,
            limits,
            metrics_token,
            broker,
            login_flow,
            store,
            random,
            clock,
        })
    }
}

type WiredPool = (Arc<dyn DeveloperPool>, Option<Arc<Embedded>>);

/// The pool that logins lead to, and the embedded one if it is that.
async fn wire_pool(
    ingredients: Ingredients,
    trail: Arc<AuditTrail>,
    metrics: &Metrics,
) -> Result<WiredPool, WireError> {
    match ingredients.config.pool.driver.clone() {
        Driver::Cognito(regions) => Ok((wire_cognito(&ingredients, &regions, trail, metrics).await, None)),
        Driver::Embedded(pool) => {
            let tags = ingredients.config.pool.principal_tags.clone();
            let embedded = Arc::new(Embedded::wire(ingredients, pool, trail.clone()).await?);
            let (pools, pool_id) = (embedded.pools.clone(), embedded.pool_id.clone());
            Ok((Arc::new(EmbeddedPool { pools, pool_id, tags, trail }), Some(embedded)))
        }
    }
}

async fn wire_cognito(
    ingredients: &Ingredients,
    regions: &[RegionConfig],
    trail: Arc<AuditTrail>,
    metrics: &Metrics,
) -> Arc<dyn DeveloperPool> {
    let aws = match &ingredients.aws {
        Some(aws) => aws.clone(),
        None => cognito::config_of_environment(&regions[0].region).await,
    };
    let (clock, random) = (ingredients.clock.clone(), ingredients.random.clone());
    let surroundings = Surroundings { aws: &aws, trail, metrics, clock, random };
    Arc::new(CognitoPool::new(regions, &ingredients.config.pool, surroundings))
}

impl Embedded {
    /// Wires the embedded pool and its STS. On the first start this makes the pool and its keys.
    async fn wire(
        ingredients: Ingredients,
        pool_config: EmbeddedConfig,
        trail: Arc<AuditTrail>,
    ) -> Result<Self, WireError> {
        let Ingredients { config, store, master_key, clock, random, .. } = ingredients;
        let http = ingredients.http;
        let public_logins =
            Arc::new(PublicLogins::new(config.registered_providers(), http.clone(), clock.clone()));
        let foreign_sts = config.foreign_sts.clone();
        let region = pool_config.region.clone();
        let keys = SigningKeys::load(&*store, &master_key, &region, &*clock, &*random).await?;
        let pool = configured_pool(&*store, &pool_config, &config.pool.developer_provider, &*random).await?;
        let mut roles = (ingredients.roles)(&pool.id);
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
        let callers = Callers {
            key_sealer: access_key::sealer(&master_key),
            access: access.clone(),
            clock: clock.clone(),
            region: pool_config.region,
            store: store.clone(),
        };
        Ok(Self {
            access_keys: AccessKeys::new(store, &master_key, trail.clone(), clock.clone(), random.clone()),
            playground: ingredients.playground,
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
pub(crate) async fn configured_pool(
    store: &dyn daypass_core::store::Store,
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
