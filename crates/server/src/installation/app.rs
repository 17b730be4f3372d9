//! Every dependency is wired here, once, for the server, the tour and the tests alike.

use std::collections::BTreeSet;
use std::sync::Arc;

use daypass_core::audit::AuditTrail;
use daypass_core::broker::developer_pool::{DeveloperPool, EmbeddedPool};
use daypass_core::broker::exchange::Broker;
use daypass_core::broker::hosted_login::{self, LoginFlow};
use daypass_core::broker::login_code::LoginCodes;
use daypass_core::ground::clock::Clock;
use daypass_core::ground::random::Random;
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::{Engine, ProviderSet};
use daypass_core::store::SharedStore;

use super::dependencies::{Dependencies, WireError};
use super::embedded::Embedded;
use crate::cognito::{self, CognitoPool};
use crate::config::{Driver, RegionConfig, load_providers};
use crate::listen::Limits;
use crate::metrics::Metrics;
use crate::origin::Proxies;
use crate::secrets::Refresher;
use crate::warnings;

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

impl App {
    /// Wires an installation. On the first start this makes the pool and its keys.
    ///
    /// # Errors
    /// [`WireError`], in words for the operator.
    pub async fn wire(mut dependencies: Dependencies) -> Result<Self, WireError> {
        let configs = std::mem::take(&mut dependencies.config.providers);
        let secrets = &dependencies.secrets;
        let providers = load_providers(&configs, secrets)?;
        for (config, provider) in configs.iter().filter_map(|it| Some((it, providers.get(&it.id)?))) {
            warnings::log(warnings::of_provider(config, provider));
        }
        let providers = Arc::new(ProviderSet::new(providers));
        let refresher = Refresher::new(
            configs,
            secrets,
            dependencies.secret_store.clone(),
            providers.clone(),
            dependencies.clock.clone(),
            dependencies.config.secrets.refresh,
        );
        let metrics_token = dependencies.config.read_metrics_token(secrets)?;
        let apps = std::mem::take(&mut dependencies.config.apps);
        let proxies = dependencies.config.proxies();
        let Dependencies { store, master_key, clock, random, .. } = &dependencies;
        let (store, clock, random) = (store.clone(), clock.clone(), random.clone());
        let trail = Arc::new(AuditTrail::new(store.clone(), dependencies.audit_lines.clone(), clock.clone()));
        let login_flow = LoginFlow {
            public_url: dependencies.config.public_url.clone(),
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
        let engine = Arc::new(Engine::new(dependencies.http.clone(), clock.clone()));
        let metrics = Arc::new(Metrics::default());
        let limits = dependencies.config.network.limits();
        let max_token_duration = dependencies.config.pool.max_token_duration;
        let (pool, embedded) = wire_pool(dependencies, engine.clone(), trail.clone(), &metrics).await?;
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
    dependencies: Dependencies,
    engine: Arc<Engine>,
    trail: Arc<AuditTrail>,
    metrics: &Metrics,
) -> Result<WiredPool, WireError> {
    match dependencies.config.pool.driver.clone() {
        Driver::Cognito(regions) => Ok((wire_cognito(&dependencies, &regions, trail, metrics).await, None)),
        Driver::Embedded(pool) => {
            let tags = dependencies.config.pool.principal_tags.clone();
            let embedded = Arc::new(Embedded::wire(dependencies, pool, engine, trail.clone()).await?);
            let (pools, pool_id) = (embedded.pools.clone(), embedded.pool_id.clone());
            Ok((Arc::new(EmbeddedPool { pools, pool_id, tags, trail }), Some(embedded)))
        }
    }
}

async fn wire_cognito(
    dependencies: &Dependencies,
    regions: &[RegionConfig],
    trail: Arc<AuditTrail>,
    metrics: &Metrics,
) -> Arc<dyn DeveloperPool> {
    let aws = match &dependencies.aws {
        Some(aws) => aws.clone(),
        None => cognito::config_of_environment(&regions[0].region).await,
    };
    let (clock, random) = (dependencies.clock.clone(), dependencies.random.clone());
    let with = cognito::Dependencies { aws: &aws, trail, metrics, clock, random };
    Arc::new(CognitoPool::new(regions, &dependencies.config.pool, with))
}
