//! Every dependency is wired here, once, for the server, the tour and the tests alike.

use std::sync::Arc;

use daypass_core::broker::developer_pool::DeveloperPool;
use daypass_core::broker::device_login::{self, DeviceLogins};
use daypass_core::broker::embedded_pool::EmbeddedPool;
use daypass_core::broker::exchange::Broker;
use daypass_core::broker::hosted_login::{self, LoginFlow};
use daypass_core::broker::id_tokens::IdTokens;
use daypass_core::broker::login_code::LoginCodes;
use daypass_core::broker::sessions::Sessions;
use daypass_core::ground::clock::Clock;
use daypass_core::ground::master_keys::MasterKeys;
use daypass_core::ground::random::Random;
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::{LoginSealer, ProviderSet};
use daypass_core::store::{SharedStore, StoreError};
use daypass_core::token::dpop::ProofsOfPossession;
use daypass_core::token::openid_token::TokenIssuer;
use daypass_core::token::refresh_token::RefreshTokens;

use super::dependencies::{Dependencies, WireError};
use super::embedded::{Embedded, Roots};
use super::lasting::Lasting;
use super::public_pool::PublicPool;
use crate::cognito::{self, CognitoPool};
use crate::config::{
    ActorConfig, Config, ConfigError, Driver, Mistake, PoolConfig, RegionConfig, load_providers,
};
use crate::cookie_apps::CookieApps;
use crate::export::{Exporters, Running};
use crate::listen::{Limits, Terms};
use crate::metrics::Metrics;
use crate::origin::Proxies;
use crate::rate_limits::{LimitedPool, RateLimits};
use crate::registered_origins::RegisteredOrigins;
use crate::secrets::{AT_START, FetchError, Refresher, Secrets};
use crate::signing_readiness::SigningReadiness;
use crate::traces::Traces;
use crate::warnings;

/// An installation, ready to answer.
pub struct App {
    /// Exchanges logins.
    pub broker: Arc<Broker>,
    /// Sessions of people who signed in.
    pub sessions: Sessions,
    /// Signs people in on devices without a browser.
    pub device_logins: DeviceLogins,
    /// Finds out who holds the key that a refresh token is bound to.
    pub proofs_of_possession: ProofsOfPossession,
    /// Starts hosted logins and recognises their ends.
    pub login_flow: LoginFlow,
    /// Keeps what was fetched from AWS fresh, if anything was.
    pub refresher: Option<Arc<Refresher>>,
    /// Where everything is kept.
    pub store: SharedStore,
    /// The origins of all registered apps.
    pub origins: RegisteredOrigins,
    /// The apps whose sessions are in a cookie.
    pub cookie_apps: CookieApps,
    /// Signs tokens, where there are keys to sign them with.
    pub tokens: Option<Arc<TokenIssuer>>,
    /// Knows whether they sign now.
    pub signing_readiness: SigningReadiness,
    /// Our own pool and STS, where they are the pool that logins lead to.
    pub embedded: Option<Arc<Embedded>>,
    /// What clients are told of the pool that logins lead to.
    pub public_pool: PublicPool,
    /// Who stands in front.
    pub proxies: Proxies,
    /// How often somebody may ask.
    pub rate_limits: Arc<RateLimits>,
    /// Everything that is counted.
    pub metrics: Arc<Metrics>,
    /// What makes traces of requests, if anybody gets them.
    pub traces: Option<Traces>,
    /// What those who connect are given.
    pub limits: Limits,
    /// What shows that somebody may read it. Nobody may without.
    pub metrics_token: Option<Secret>,
    /// Draws request IDs.
    pub random: Arc<dyn Random>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    lasting: Lasting,
    pool: Pool,
}

/// The pool that logins lead to, as it outlives the configuration.
#[derive(Clone)]
enum Pool {
    /// Amazon's, with the queues before its quota, and what signs ID tokens, where that can be.
    Amazons(Arc<dyn DeveloperPool>, PublicPool, Option<Arc<TokenIssuer>>),
    /// Our own.
    Embedded(Arc<Roots>),
}

impl App {
    /// Wires an installation. On the first start this makes the pool and its keys.
    ///
    /// # Errors
    /// [`WireError`], in words for the operator.
    pub async fn wire(mut dependencies: Dependencies) -> Result<Self, WireError> {
        let (config, secrets) = (dependencies.config.clone(), std::mem::take(&mut dependencies.secrets));
        // What is wrong with them leaves nothing behind.
        load_providers(&config.providers, &secrets)?;
        let mut lasting = Lasting::begin(&dependencies);
        lasting.exporters = Exporters::of(&config, &secrets, &lasting.export_tools())?;
        let pool = match &config.pool.driver {
            Driver::Cognito(regions) => {
                let tokens = id_tokens(regions, &config, &lasting).await?;
                let public = PublicPool::amazons(&regions[0]);
                Pool::Amazons(amazons(&dependencies, regions, &config.pool, &lasting).await, public, tokens)
            }
            Driver::Embedded(pool) => {
                Pool::Embedded(Arc::new(Roots::lay(dependencies, &config, pool, &lasting).await?))
            }
        };
        let app = Self::of(lasting, pool, config.clone(), &secrets).await?;
        if let Some(tokens) = &app.tokens {
            tokens.try_out().await?;
            warnings::log(warnings::of_signing_keys(&config, &tokens.held_in_the_store()));
        }
        Ok(app)
    }

    /// Takes the duties of a server, which no command has, nor a server that cannot listen: the store knows from now on under
    /// which master key things are sealed, and the audit trail is taken care of.
    ///
    /// # Errors
    /// The store's.
    pub async fn take_duties(&self, config: &Config) -> Result<(), StoreError> {
        self.lasting.announce_master_key().await?;
        self.lasting.attend_trail(config);
        // Where the store does not answer, there is more to hear of than this.
        tokio::spawn(self.lasting.clone().tell_what_is_closed());
        Ok(())
    }

    /// The same installation by another configuration, with other master keys if they have changed. What is remembered,
    /// counted or under way stays.
    ///
    /// # Errors
    /// [`WireError`]. Then nothing has changed.
    pub async fn by(
        &self,
        config: Config,
        secrets: &Secrets,
        master_keys: Arc<MasterKeys>,
    ) -> Result<Self, WireError> {
        let exporters = self.lasting.exporters.clone();
        let renewed = exporters.renewed(&config, secrets, &self.lasting.export_tools())?;
        let app = self.under(config.clone(), secrets, master_keys).await?;
        app.take_duties(&config).await?;
        exporters.take_up(renewed);
        Ok(app)
    }

    async fn under(
        &self,
        config: Config,
        secrets: &Secrets,
        master_keys: Arc<MasterKeys>,
    ) -> Result<Self, WireError> {
        if master_keys.are(&self.lasting.master_keys) {
            return Self::of(self.lasting.clone(), self.pool.clone(), config, secrets).await;
        }
        let lasting = Lasting { master_keys, ..self.lasting.clone() };
        let pool = self.pool.under(&lasting, &config).await?;
        Self::of(lasting, pool, config, secrets).await
    }

    /// Whether the same keys sign here as in another one, as they do after most changes of the configuration.
    #[must_use]
    pub fn has_the_tokens_of(&self, other: &Self) -> bool {
        match (&self.tokens, &other.tokens) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// Makes traces from now on, which servers do.
    pub fn start_traces(&self) {
        if let Some(traces) = &self.traces {
            traces.start();
        }
    }

    /// On what terms its listeners let people in.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms { limits: self.limits, proxies: self.proxies.clone(), counted: self.metrics.of_listener() }
    }

    /// Exports the audit trail from now on, which servers do, and once.
    pub async fn start_exports(&self) -> Running {
        self.lasting.exporters.start(&self.lasting.export_tools()).await
    }

    /// The secrets that a configuration refers to, from where this installation has its own.
    ///
    /// # Errors
    /// [`FetchError`], which names every one that cannot be had.
    pub async fn fetch_secrets(&self, config: &Config) -> Result<Secrets, FetchError> {
        Secrets::fetch(config.placed_secrets(), &*self.lasting.secret_store, AT_START).await
    }

    /// Whether these master keys open what is being sealed here.
    ///
    /// # Errors
    /// [`ConfigError`], if they do not.
    pub fn check_master_keys(&self, now: &MasterKeys) -> Result<(), ConfigError> {
        if now.go_on_from(&self.lasting.master_keys) {
            return Ok(());
        }
        let cure = "master_key: this is another key than the one that the server seals under, and opens nothing that was \
                    sealed until now: bring that one back, or write it into other_master_keys";
        Err(Mistake::elsewhere(cure).into())
    }

    /// An installation by a configuration, on what outlives it.
    async fn of(lasting: Lasting, pool: Pool, config: Config, secrets: &Secrets) -> Result<Self, WireError> {
        let providers = load_providers(&config.providers, secrets)?;
        for (config, provider) in config.providers.iter().filter_map(|it| Some((it, providers.get(&it.id)?)))
        {
            warnings::log(warnings::of_provider(config, provider));
        }
        for id in providers.keys() {
            lasting.metrics.knows_provider(id);
        }
        let providers = Arc::new(ProviderSet::new(providers));
        let rate_limits = Arc::new(RateLimits::of(&config.limits, &lasting.metrics));
        let (mut developer_pool, public_pool, embedded) =
            with_pool(&lasting, &pool, &config, &rate_limits).await?;
        if config.limits.person.is_some() {
            let (limits, trail) = (rate_limits.clone(), lasting.trail.clone());
            developer_pool = Arc::new(LimitedPool { pool: developer_pool, limits, trail });
        }
        let Lasting { store, clock, random, .. } = lasting.clone();
        let broker = Arc::new(broker(&lasting, &config, providers.clone(), developer_pool));
        let origins = RegisteredOrigins::of(&config);
        let metrics_token = config.read_metrics_token(secrets)?;
        Ok(Self {
            refresher: refresher(&lasting, &config, secrets, &providers).map(Arc::new),
            cookie_apps: CookieApps::of(&config, origins.clone()),
            origins,
            proxies: config.proxies(),
            rate_limits,
            metrics: lasting.metrics.clone(),
            traces: Traces::of(&config, secrets, lasting.trace_tools())?,
            limits: config.network.limits(),
            metrics_token,
            login_flow: login_flow(&lasting, &config),
            sessions: sessions(&lasting, &config, broker.clone(), pool.tokens()),
            device_logins: device_logins(&lasting, &config),
            proofs_of_possession: ProofsOfPossession::new(&lasting.master_keys, store.clone(), clock.clone()),
            tokens: pool.tokens(),
            signing_readiness: SigningReadiness::default(),
            broker,
            embedded,
            public_pool,
            store,
            random,
            clock,
            lasting,
            pool,
        })
    }
}

fn refresher(
    lasting: &Lasting,
    config: &Config,
    secrets: &Secrets,
    providers: &Arc<ProviderSet>,
) -> Option<Refresher> {
    Refresher::new(
        config.providers.clone(),
        secrets,
        lasting.secret_store.clone(),
        providers.clone(),
        lasting.clock.clone(),
        config.secrets.refresh,
    )
}

fn login_flow(lasting: &Lasting, config: &Config) -> LoginFlow {
    let hidden = config.providers.iter().filter(|provider| provider.hidden);
    LoginFlow {
        public_url: config.public_url.clone(),
        apps: config.apps.iter().map(|app| (app.id.clone(), app.registered())).collect(),
        hidden_providers: hidden.map(|provider| provider.id.clone()).collect(),
        sealer: hosted_login::sealer(&lasting.master_keys),
        store: lasting.store.clone(),
        clock: lasting.clock.clone(),
        random: lasting.random.clone(),
    }
}

fn device_logins(lasting: &Lasting, config: &Config) -> DeviceLogins {
    let Lasting { store, trail, device_limits, master_keys, clock, random, .. } = lasting.clone();
    let apps = config.apps.iter().filter(|app| app.device_authorization);
    DeviceLogins {
        apps: apps.map(|app| app.id.clone()).collect(),
        user_codes: device_login::user_codes(&master_keys),
        questions: device_login::questions(&master_keys),
        limits: device_limits,
        store,
        trail,
        clock,
        random,
    }
}

fn broker(
    lasting: &Lasting,
    config: &Config,
    providers: Arc<ProviderSet>,
    pool: Arc<dyn DeveloperPool>,
) -> Broker {
    let Lasting { store, trail, engine, master_keys, clock, random, .. } = lasting.clone();
    Broker {
        redirect_uris: config.apps.iter().flat_map(|app| &app.redirect_uris).collect(),
        max_token_duration: config.pool.max_token_duration,
        login_codes: LoginCodes::new(&master_keys, store.clone(), clock.clone(), random),
        providers,
        pool,
        store,
        clock,
        engine,
        trail,
    }
}

impl Pool {
    /// The same, with other master keys.
    async fn under(&self, lasting: &Lasting, config: &Config) -> Result<Self, WireError> {
        match (self, &config.pool.driver) {
            (Self::Amazons(pool, public, _), Driver::Cognito(regions)) => {
                let tokens = id_tokens(regions, config, lasting).await?;
                Ok(Self::Amazons(pool.clone(), public.clone(), tokens))
            }
            (Self::Embedded(roots), _) => Ok(Self::Embedded(Arc::new(roots.under(lasting, config).await?))),
            // A change of the driver is a start's to read.
            (Self::Amazons(..), Driver::Embedded(_)) => Ok(self.clone()),
        }
    }

    fn tokens(&self) -> Option<Arc<TokenIssuer>> {
        match self {
            Self::Amazons(_, _, tokens) => tokens.clone(),
            Self::Embedded(roots) => Some(roots.tokens()),
        }
    }
}

fn sessions(
    lasting: &Lasting,
    config: &Config,
    broker: Arc<Broker>,
    tokens: Option<Arc<TokenIssuer>>,
) -> Sessions {
    let Lasting { store, master_keys, random, .. } = lasting.clone();
    Sessions {
        broker,
        lifetimes: config.apps.iter().map(|app| (app.id.clone(), app.session_lifetime())).collect(),
        tokens: RefreshTokens::new(&master_keys),
        logins: LoginSealer::new(&master_keys),
        id_tokens: tokens.map(|issuer| IdTokens { issuer, subject: config.openid.subject }),
        actors: ActorConfig::all(&config.actors),
        store,
        random,
    }
}

type WithPool = (Arc<dyn DeveloperPool>, PublicPool, Option<Arc<Embedded>>);

/// The pool that logins lead to, what clients are told of it, and the embedded one if it is that.
async fn with_pool(
    lasting: &Lasting,
    pool: &Pool,
    config: &Config,
    limits: &Arc<RateLimits>,
) -> Result<WithPool, WireError> {
    match pool {
        Pool::Amazons(pool, public, _) => Ok((pool.clone(), public.clone(), None)),
        Pool::Embedded(roots) => {
            let embedded = Arc::new(Embedded::on(roots, lasting, config, limits.clone()).await?);
            let (pools, pool_id) = (embedded.pools.clone(), embedded.pool_id.clone());
            let (tags, trail) = (config.pool.principal_tags.clone(), lasting.trail.clone());
            let public = PublicPool { id: pool_id.clone(), endpoint: config.public_url.clone() };
            Ok((Arc::new(EmbeddedPool { pools, pool_id, tags, trail }), public, Some(embedded)))
        }
    }
}

/// What signs ID tokens in front of Amazon's pool: keys that the store has, if it is one for all who serve.
async fn id_tokens(
    regions: &[RegionConfig],
    config: &Config,
    lasting: &Lasting,
) -> Result<Option<Arc<TokenIssuer>>, WireError> {
    if !lasting.store.counts_for_all() {
        return Ok(None);
    }
    Ok(Some(lasting.token_issuer(config, &regions[0].region).await?))
}

async fn amazons(
    dependencies: &Dependencies,
    regions: &[RegionConfig],
    pool: &PoolConfig,
    lasting: &Lasting,
) -> Arc<dyn DeveloperPool> {
    let aws = match &dependencies.aws {
        Some(aws) => aws.clone(),
        None => cognito::config_of_environment(&regions[0].region).await,
    };
    let Lasting { trail, metrics, clock, random, .. } = lasting.clone();
    let with = cognito::Dependencies { aws: &aws, trail, metrics: &metrics, clock, random };
    Arc::new(CognitoPool::new(regions, pool, with))
}
