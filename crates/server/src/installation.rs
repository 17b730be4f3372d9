//! An installation: a configuration, and what it leads to. `up`, `serve`, Lambda and every command open one, and it is
//! that of `up`, in its directory, or that of a configuration for production.

mod app;
mod configured_pool;
mod dependencies;
mod development_roles;
mod embedded;
mod folder;
pub mod home;
mod lasting;
pub mod made_roles;
mod next_master_key;
mod private_file;
mod public_pool;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use daypass_core::audit::AuditTrail;
use daypass_core::ground::clock::{SignedDuration, SystemClock};
use daypass_core::ground::ids::{IdentityPoolId, Region, RoleName};
use daypass_core::ground::master_keys::MasterKeys;
use daypass_core::ground::random::SystemRandom;
use daypass_core::ground::seal::MasterKeyId;
use daypass_core::operator::master_keys::announced;
use daypass_core::store::memory::MemoryStore;
use daypass_core::store::{AuditSink, SharedStore};
use daypass_core::token::first_keys::FirstKeys;
use daypass_core::token::key_ring::{KeyRing, Materials};
use daypass_core::token::local_keys::LocalKeys;
use daypass_core::token::signer::KeyHolder;
use daypass_store::{Open, StoreUrl};

pub use self::app::App;
use self::configured_pool::configured_pool;
pub(crate) use self::configured_pool::find_kept;
pub use self::configured_pool::{Beside, ConfiguredPool};
pub use self::dependencies::{Dependencies, RolesBeside, WireError};
pub use self::embedded::Embedded;
use self::home::Home;
use self::made_roles::MadeRoles;
pub use self::public_pool::PublicPool;
use crate::config::development::Addresses;
use crate::config::{
    Config, ConfigError, ConfigFile, Destination, Driver, EmbeddedConfig, Instances, Mistake,
};
use crate::pkcs11::HsmKeys;
use crate::provider_http::{Limits, Reach, ReqwestHttp, loopback};
use crate::secrets::{self, AwsSecrets, Secrets};
use crate::telemetry::{self, AuditOutput, Lines, LoggedStrangers};
use crate::warnings;

/// A configuration, and where what it leads to is kept.
pub struct Installation {
    config: Config,
    /// Where it was read.
    file: Option<PathBuf>,
    /// The directory of `up`, if it is one's.
    home: Option<Home>,
    /// Where `up` answers, if it is one's.
    addresses: Addresses,
    /// Where audit events go where they are not kept in files.
    audit_log: AuditLog,
}

/// Opens lines that audit events go to.
type AuditLog = Box<dyn Fn() -> anyhow::Result<Lines> + Send + Sync>;

impl Installation {
    /// That of a configuration for production, whose audit events go to these lines where they are not kept in files.
    ///
    /// # Errors
    /// Every mistake of the configuration.
    pub fn of(file: &ConfigFile, audit_log: fn() -> std::io::Result<Lines>) -> anyhow::Result<Self> {
        Ok(Self {
            config: file.of_production()?,
            file: Some(file.path().to_owned()),
            home: None,
            addresses: Addresses::default(),
            audit_log: Box::new(move || Ok(audit_log()?)),
        })
    }

    /// That of `up` in its directory, over whose configuration a developer's file is laid.
    ///
    /// # Errors
    /// Every mistake of the file.
    pub fn up(home: Home, addresses: Addresses, file: Option<&ConfigFile>) -> anyhow::Result<Self> {
        let config = Config::of_development(addresses, home.dir(), file)?;
        let (file, dir) = (file.map(|file| file.path().to_owned()), home.dir().to_owned());
        let audit_log: AuditLog = Box::new(move || home::audit_log(&dir));
        Ok(Self { config, file, home: Some(home), addresses, audit_log })
    }

    /// What the operator decided.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The directory of `up`, if it is one's, which stays locked while this value lives.
    #[must_use]
    pub fn home(&self) -> Option<&Home> {
        self.home.as_ref()
    }

    /// The file of its store.
    ///
    /// # Errors
    /// If it is kept in no file.
    pub fn database(&self) -> anyhow::Result<&Path> {
        match self.config.store()? {
            StoreUrl::Sqlite(file) => Ok(file),
            StoreUrl::Postgres(url) => bail!(
                "the store is no file, but {url}: its own tools copy it and put it back (`pg_dump`, `pg_restore`), the audit \
                 trail with it"
            ),
            StoreUrl::Dynamo(url) => bail!(
                "the store is no file, but {url}: AWS Backup and point-in-time recovery copy it and put it back, the audit trail \
                 with it"
            ),
            StoreUrl::Memory => bail!(UNSEEN),
        }
    }

    /// The file of its store, which is there.
    ///
    /// # Errors
    /// If it is not.
    pub fn database_that_is_there(&self) -> anyhow::Result<&Path> {
        let database = self.database()?;
        let cure = "start Daypass first, or name another --config or --dir";
        ensure!(folder::is_there(database)?, "there is no store {}: {cure}", database.display());
        Ok(database)
    }

    /// Opens its store.
    ///
    /// # Errors
    /// In words for the operator.
    pub async fn store(&self, open: Open) -> anyhow::Result<SharedStore> {
        match self.config.store()? {
            StoreUrl::Sqlite(_) if open == Open::Existing => drop(self.database_that_is_there()?),
            StoreUrl::Sqlite(_) | StoreUrl::Postgres(_) | StoreUrl::Dynamo(_) => {}
            // Whoever looks into it would see an empty one of their own.
            StoreUrl::Memory => bail!(UNSEEN),
        }
        self.config.check_first_pool()?;
        Ok(daypass_store::open(&self.opening_url().await?, self.opening(open), &mut taking_over()).await?)
    }

    /// How its store is opened, as far as the operator lets it be changed.
    pub fn opening(&self, open: Open) -> Open {
        if self.config.migrates_store() { open } else { Open::AsItIs }
    }

    /// What would bring its store to the version of this program, step by step.
    ///
    /// # Errors
    /// In words for the operator.
    pub async fn steps_due(&self) -> anyhow::Result<Vec<String>> {
        ensure!(*self.config.store()? != StoreUrl::Memory, UNSEEN);
        Ok(daypass_store::steps_due(&self.opening_url().await?).await?)
    }

    /// Makes those steps, each of which `tell` hears before, and says how many there were.
    ///
    /// # Errors
    /// In words for the operator.
    pub async fn migrate(&self, tell: &mut (dyn FnMut(&str) + Send)) -> anyhow::Result<usize> {
        ensure!(*self.config.store()? != StoreUrl::Memory, UNSEEN);
        Ok(daypass_store::migrate(&self.opening_url().await?, tell, &mut taking_over()).await?)
    }

    /// Makes what its store needs, as far as it is missing.
    ///
    /// # Errors
    /// In words for the operator.
    pub async fn create_store(&self) -> anyhow::Result<()> {
        if *self.config.store()? == StoreUrl::Memory {
            bail!(UNSEEN);
        }
        Ok(daypass_store::create(&self.opening_url().await?, &mut taking_over()).await?)
    }

    /// The URL of its store, with the password, if there is one.
    ///
    /// # Errors
    /// If the password cannot be read.
    pub async fn opening_url(&self) -> anyhow::Result<StoreUrl> {
        let aws = AwsSecrets::new(Arc::new(SystemClock));
        let secrets = Secrets::fetch(self.config.placed_store_password(), &aws, secrets::AT_START).await?;
        Ok(self.config.opening_url(&secrets)?)
    }

    /// Its audit trail.
    ///
    /// # Errors
    /// If events go to lines that cannot be written.
    pub fn trail(&self, store: &SharedStore) -> anyhow::Result<Arc<AuditTrail>> {
        let (sink, clock) = (self.audit_sink(store)?, Arc::new(SystemClock));
        Ok(Arc::new(AuditTrail::new(sink, store.clone(), Arc::new(LoggedStrangers), clock)))
    }

    /// The one place where its audit events are kept.
    fn audit_sink(&self, store: &SharedStore) -> anyhow::Result<Arc<dyn AuditSink>> {
        Ok(match self.config.audit_destination() {
            Destination::Files | Destination::Store => store.clone(),
            Destination::Log => Arc::new(AuditOutput::new((self.audit_log)()?)),
        })
    }

    /// The roots of all sealing.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub async fn master_keys(&self) -> anyhow::Result<MasterKeys> {
        Ok(self.placed_master_keys().await?.0)
    }

    /// The same, and which of them stands where in the configuration.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub async fn placed_master_keys(&self) -> anyhow::Result<(MasterKeys, Vec<(MasterKeyId, String)>)> {
        let store = AwsSecrets::new(Arc::new(SystemClock));
        let secrets = Secrets::fetch(self.config.placed_master_keys(), &store, secrets::AT_START).await?;
        Ok((self.config.master_keys(&secrets)?, self.config.master_key_places(&secrets)?))
    }

    /// What makes the keys that sign its tokens, and holds them. Nobody is asked for one yet.
    ///
    /// # Errors
    /// If the PIN of an HSM cannot be read.
    pub async fn key_holder(&self) -> anyhow::Result<Arc<dyn KeyHolder>> {
        let store = AwsSecrets::new(Arc::new(SystemClock));
        let secrets = Secrets::fetch(self.config.placed_pin(), &store, secrets::AT_START).await?;
        Ok(holder(&self.config, &secrets)?)
    }

    /// The keys that sign its tokens, which are made if there are none, and how long a new one is published before it signs.
    ///
    /// # Errors
    /// If they cannot be read, above all by another master key.
    pub async fn key_ring(&self, store: &SharedStore) -> anyhow::Result<(KeyRing, SignedDuration)> {
        let region = match &self.config.pool.driver {
            Driver::Embedded(pool) => &pool.region,
            Driver::Cognito(regions) => &regions[0].region,
        };
        let master_keys = Arc::new(self.master_keys().await?);
        if !store.list_master_keys().await?.is_empty() {
            // What is sealed here, running servers have to open.
            announced(&**store, &master_keys).await?;
        }
        let materials = Materials {
            store: store.clone(),
            master_keys,
            holder: self.key_holder().await?,
            region: region.clone(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        };
        let (algorithms, rotation) = (self.config.tokens.algorithms().all(), self.config.tokens.rotation());
        let ring = KeyRing::load(materials, &algorithms, rotation).await;
        Ok((ring.map_err(|error| self.of_master_keys(error))?, rotation.publish))
    }

    /// What went wrong with what master keys sealed, and where those were read.
    pub fn of_master_keys(&self, error: impl Into<anyhow::Error>) -> anyhow::Error {
        let places =
            self.config.placed_master_keys().map(|placed| format!("{} = {}", placed.key, placed.reference));
        let places: Vec<_> = places.collect();
        error.into().context(format!("with {}", places.join(", ")))
    }

    /// The pool that logins lead to, as the server finds it or makes it.
    ///
    /// # Errors
    /// The store's, what the configuration contradicts, or that the pools are Amazon's.
    pub async fn pool(&self, store: &SharedStore, beside: Beside) -> anyhow::Result<ConfiguredPool> {
        Ok(configured_pool(&**store, &self.config, self.embedded()?, beside, &SystemRandom).await?)
    }

    /// What the configuration calls the pool that logins lead to.
    ///
    /// # Errors
    /// If the pools are Amazon's.
    pub fn pool_name(&self) -> anyhow::Result<&str> {
        Ok(&self.embedded()?.name)
    }

    /// The Region that the IDs of its pools carry.
    ///
    /// # Errors
    /// If the pools are Amazon's.
    pub fn region(&self) -> anyhow::Result<&Region> {
        Ok(&self.embedded()?.region)
    }

    /// What policies call a pool.
    ///
    /// # Errors
    /// If the pools are Amazon's.
    pub fn pool_arn(&self, id: &IdentityPoolId) -> anyhow::Result<String> {
        let EmbeddedConfig { region, account_id, .. } = self.embedded()?;
        Ok(id.arn(region, account_id))
    }

    /// The roles that it has.
    pub fn role_names(&self) -> Vec<RoleName> {
        let given = self.home.iter().flat_map(|_| development_roles::names());
        let made = self.home.iter().filter_map(|home| made_roles::read(home.dir()).ok());
        given
            .chain(made.flat_map(MadeRoles::into_keys))
            .chain(self.config.roles.iter().map(|role| role.name.clone()))
            .collect()
    }

    /// Wires it. On the first start this makes the store, the pool and its keys. Whatever can be wrong with the
    /// configuration, and what it refers to, comes before.
    ///
    /// # Errors
    /// In words for the operator, with the cure.
    pub async fn app(&self, instances: Instances, open: Open) -> anyhow::Result<Arc<App>> {
        let config = self.config.clone();
        telemetry::log_from(config.log.level, config.log.format);
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let secret_store = Arc::new(AwsSecrets::new(clock.clone()));
        let secrets = Secrets::fetch(config.placed_secrets(), &*secret_store, secrets::AT_START).await?;
        config.check_secrets(&secrets)?;
        config.check_first_pool()?;
        warnings::log(self.warnings(&config, instances));
        let holder =
            if self.is_new()? { first_holder(&config, &secrets)? } else { holder(&config, &secrets)? };
        holder.ready().await?;
        let here = self.home.iter().flat_map(|_| loopback());
        let reach = Reach::with(config.network.allow_private.iter().cloned().chain(here));
        let store = store_of(&config.opening_url(&secrets)?, instances, self.opening(open)).await?;
        let app = App::wire(Dependencies {
            audit_sink: self.audit_sink(&store)?,
            store,
            master_keys: Arc::new(config.master_keys(&secrets)?),
            holder,
            secrets,
            secret_store,
            http: Arc::new(ReqwestHttp::called(
                config.network.user_agent.clone(),
                Limits::default(),
                reach,
                clock.clone(),
                random.clone(),
            )?),
            aws: None,
            strangers: Arc::new(LoggedStrangers),
            roles: self.roles_beside(),
            config,
            clock,
            random,
        });
        Ok(Arc::new(app.await.map_err(|error| self.explained(error))?))
    }

    /// Whether a file has to be made for its store, and keys to be kept in it.
    fn is_new(&self) -> anyhow::Result<bool> {
        Ok(match self.config.store()? {
            StoreUrl::Sqlite(file) => !folder::is_there(file)?,
            StoreUrl::Memory | StoreUrl::Postgres(_) | StoreUrl::Dynamo(_) => false,
        })
    }

    fn explained(&self, error: WireError) -> anyhow::Error {
        match error {
            WireError::SigningKey(error) => self.of_master_keys(error),
            error => error.into(),
        }
    }

    /// Reads its configuration again, and wires what it says now on what the running installation keeps. All of it counts,
    /// or nothing has changed.
    ///
    /// # Errors
    /// In words for the operator: every mistake, with its line and the cure; a change that only a start can read is one.
    pub async fn reread(&self, running: &App) -> anyhow::Result<App> {
        let config = self.config_now()?;
        let secrets = running.fetch_secrets(&config).await?;
        config.check_secrets(&secrets)?;
        let master_keys = config.master_keys(&secrets)?;
        running.check_master_keys(&master_keys)?;
        let (said, log) = (self.warnings(&config, Instances::One), config.log.clone());
        let app = running
            .by(config, &secrets, Arc::new(master_keys))
            .await
            .map_err(|error| self.explained(error))?;
        telemetry::log_from(log.level, log.format);
        warnings::log(said);
        Ok(app)
    }

    /// Those of development, and those that were made while it ran.
    fn roles_beside(&self) -> RolesBeside {
        let Some(dir) = self.home.as_ref().map(|home| home.dir().to_owned()) else {
            return Arc::new(|_| Ok(Vec::new()));
        };
        Arc::new(move |pool_id| {
            let made = made_roles::documents(&dir).map_err(|error| {
                let file = dir.join(made_roles::FILE);
                Mistake::elsewhere(format!(
                    "cannot read {}: {error}; move it away to do without",
                    file.display()
                ))
            })?;
            Ok(development_roles::roles(pool_id).into_iter().chain(made).collect())
        })
    }

    fn config_now(&self) -> anyhow::Result<Config> {
        let before = Some(&self.config);
        let file = self.file.as_deref().map(ConfigFile::read_again).transpose()?;
        Ok(match &self.home {
            Some(home) => Config::of_development_after(before, self.addresses, home.dir(), file.as_ref())?,
            None => file.context("there is no file to read again")?.of_production_after(before)?,
        })
    }

    /// What a start says of a configuration. On a developer's own machine none of it is worth a word.
    fn warnings(&self, config: &Config, instances: Instances) -> Vec<String> {
        if self.home.is_some() { Vec::new() } else { warnings::of_production(config, instances) }
    }

    fn embedded(&self) -> anyhow::Result<&EmbeddedConfig> {
        match &self.config.pool.driver {
            Driver::Embedded(pool) => Ok(pool),
            Driver::Cognito(_) => {
                bail!("the pool is Amazon Cognito's, and so are its keys and roles: use IAM")
            }
        }
    }
}

fn holder(config: &Config, secrets: &Secrets) -> Result<Arc<dyn KeyHolder>, ConfigError> {
    Ok(match &config.tokens.pkcs11 {
        Some(pkcs11) => Arc::new(HsmKeys::new(pkcs11.place(secrets)?, Arc::new(SystemRandom))),
        None => Arc::new(LocalKeys),
    })
}

/// The same, where the first keys will be asked of it.
fn first_holder(config: &Config, secrets: &Secrets) -> Result<Arc<dyn KeyHolder>, ConfigError> {
    match &config.tokens.pkcs11 {
        Some(_) => holder(config, secrets),
        None => Ok(Arc::new(FirstKeys::begin(&config.tokens.algorithms().all()))),
    }
}

const UNSEEN: &str = "a store in memory can be seen by nobody but its own process";

async fn store_of(url: &StoreUrl, instances: Instances, open: Open) -> anyhow::Result<SharedStore> {
    match (url, instances) {
        (StoreUrl::Sqlite(_), Instances::Many) => bail!(
            "[store] url: instances of a function share no disk; use a database, or \"memory:\" with driver = \"cognito\", \
             whose identities are Amazon's to keep"
        ),
        (StoreUrl::Memory, Instances::Many) => Ok(Arc::new(MemoryStore::unshared())),
        // It is nowhere before, and gone afterwards.
        (StoreUrl::Memory, Instances::One) => Ok(Arc::new(MemoryStore::new())),
        (StoreUrl::Postgres(_) | StoreUrl::Dynamo(_), _) | (StoreUrl::Sqlite(_), Instances::One) => {
            Ok(daypass_store::open(url, open, &mut taking_over()).await?)
        }
    }
}

/// Tells how far an older audit trail is taken over, which can take a while.
pub fn taking_over() -> impl FnMut(u64, u64) + Send {
    const STEP: u64 = 100_000;
    let mut told = 0;
    move |done, total| {
        if done / STEP > told || (done == total && total > STEP) {
            told = done / STEP;
            telemetry::tell(&format!("Taking over the audit trail: {done} of {total} events."));
        }
    }
}

/// Where the configuration is, unless it is said: beside the program on Lambda, else in the working directory.
#[must_use]
pub fn default_config() -> PathBuf {
    let beside = || std::env::var_os("LAMBDA_TASK_ROOT").map(PathBuf::from).unwrap_or_default();
    config_of_environment().unwrap_or_else(|| beside().join("daypass.toml"))
}

/// The configuration that the environment names. An empty name is none.
#[must_use]
pub fn config_of_environment() -> Option<PathBuf> {
    std::env::var_os("DAYPASS_CONFIG").filter(|name| !name.is_empty()).map(PathBuf::from)
}
