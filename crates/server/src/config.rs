//! The configuration: what an operator writes into `daypass.toml`. Unknown keys are refused, secrets come by reference,
//! and everything is checked before anything starts: whoever has made mistakes hears of all of them at once.

mod actor;
mod app;
mod audit;
pub mod development;
mod document;
mod export;
mod file;
mod grammar;
mod kept_pool;
mod limits;
mod master_key;
mod mistakes;
mod network;
mod pkcs11;
mod pool;
mod provider;
mod reading;
#[cfg(test)]
mod reference;
mod registered;
mod reread;
mod role;
mod schema;
mod steps;
mod store;
#[cfg(test)]
mod tests;
mod tokens;
mod traces;
mod urls;

use std::path::Path;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::credentials::role::RoleDocument;
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::ground::master_keys::{MasterKey, MasterKeys};
use daypass_core::ground::seal::MasterKeyId;
use daypass_core::ground::secret::Secret;
use daypass_core::login::public::{OidcProvider, RegisteredProviders, UserPool};
use daypass_core::token::id_token::IdTokenSubject;
use daypass_store::StoreUrl;
use serde::Deserialize;

pub use self::actor::ActorConfig;
pub use self::app::AppConfig;
pub use self::audit::{AuditConfig, Destination};
use self::document::Document;
pub use self::export::{Beginning, ExportConfig, ReceiverConfig};
pub use self::file::ConfigFile;
pub use self::kept_pool::first_role;
pub use self::limits::{LIMITED_OPERATIONS, LimitsConfig, OperationName, Rate};
pub use self::master_key::MasterKeyReference;
pub use self::mistakes::{ConfigError, Mistake};
pub use self::network::NetworkConfig;
pub use self::pkcs11::Pkcs11Config;
pub use self::pool::{Driver, EmbeddedConfig, PoolConfig, RegionConfig};
pub use self::provider::{AppleConfig, ProviderConfig, load_providers};
use self::reading::Reading;
pub use self::role::{Givers, RoleConfig};
pub(crate) use self::schema::schema;
use self::store::StoreConfig;
pub use self::tokens::TokensConfig;
pub use self::traces::TracesConfig;
pub(crate) use self::urls::{is_loopback, origin_of};
use crate::foreign_sts::{CredentialsConfig, ForeignStsConfig};
use crate::origin::Proxies;
use crate::secrets::{Interval, Placed, SecretReference, Secrets};
use crate::telemetry::{Format, Level};

/// A whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The issuer of our tokens, where everybody reaches the server. No trailing slash.
    pub public_url: String,
    /// The root of all sealing: 32 bytes in base64. `daypass up` makes its own.
    master_key: Option<MasterKeyReference>,
    /// Those beside it, which only open.
    other_master_keys: Vec<MasterKeyReference>,
    /// Where everything is kept. `daypass up` keeps it in its directory.
    store: Option<StoreConfig>,
    /// The identity pool that logins lead to.
    pub pool: PoolConfig,
    /// Who may read the metrics.
    metrics: MetricsConfig,
    /// Who gets traces, if anybody does.
    pub traces: Option<TracesConfig>,
    /// What of the network providers may be in, and who stands in front.
    pub network: NetworkConfig,
    /// How often somebody may ask.
    pub limits: LimitsConfig,
    /// How secrets that AWS keeps are handled.
    pub secrets: SecretsConfig,
    /// What the log has.
    pub log: LogConfig,
    /// What the audit trail has.
    pub audit: AuditConfig,
    /// What apps learn of people by ID tokens.
    pub openid: OpenIdConfig,
    /// What signs tokens.
    pub tokens: TokensConfig,
    /// The STS that credentials come from, if it is not our own.
    pub foreign_sts: Option<ForeignStsConfig>,
    /// The providers whose logins are accepted.
    pub providers: Vec<ProviderConfig>,
    /// The OIDC providers that pools may accept logins of, each under its ARN.
    pub oidc_providers: Vec<OidcProvider>,
    /// The Cognito user pools that are not where their names say.
    pub user_pools: Vec<UserPool>,
    /// Who may call from where.
    pub apps: Vec<AppConfig>,
    /// Who may act for people.
    pub actors: Vec<ActorConfig>,
    /// The roles that a pool may give.
    pub roles: Vec<RoleConfig>,
    /// What was read.
    written: Arc<Document>,
    /// Whether `daypass up` decided it: then no line of a file names the pool.
    is_of_up: bool,
}

/// How many processes serve one installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instances {
    /// This one.
    One,
    /// This one and others like it, which come and go.
    Many,
}

/// Who may read the metrics: nobody, unless there is a token.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsConfig {
    token: Option<SecretReference>,
}

/// How secrets that AWS keeps are handled.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsConfig {
    /// How old they may become before they are fetched again.
    #[serde(default)]
    pub refresh: Interval,
}

/// What the log has.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// From where up.
    #[serde(default)]
    pub level: Level,
    /// How lines are written.
    #[serde(default)]
    pub format: Format,
}

/// What apps learn of people by ID tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenIdConfig {
    /// Whom `sub` names.
    pub subject: IdTokenSubject,
}

/// Tables that only the embedded pool knows.
const OF_THE_EMBEDDED_POOL: [&str; 4] = ["role", "oidc_provider", "user_pool", "credentials"];

/// Keys of other tables that are about that pool, or its API.
const OF_THE_EMBEDDED_POOL_IN: [(&str, &str); 4] =
    [("tokens", "algorithm"), ("tokens", "pools"), ("limits", "access_key"), ("limits", "operations")];

const AMAZONS: &str = "goes with driver = \"embedded\": with \"cognito\" it is Amazon's; leave it out";

impl Config {
    /// Reads a text of our own, in which paths start from the working directory.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::of(Document::parse(text, None)?, Path::new(""))
    }

    /// What a document says, in which paths start from `base`.
    fn of(document: Document, base: &Path) -> Result<Self, ConfigError> {
        let mut reading = Reading::of(&document);
        let public_url = reading.get::<String>("public_url");
        let pool = reading.get::<PoolConfig>("pool");
        let network: NetworkConfig = reading.get("network").unwrap_or_default();
        let limits = reading.get("limits");
        let plain = network.plain_hosts(public_url.as_deref());
        let (oidc_providers, user_pools) = registered::read(&mut reading, &plain);
        if let Some(PoolConfig { driver: Driver::Cognito(_), .. }) = &pool {
            for table in OF_THE_EMBEDDED_POOL.into_iter().filter(|table| document.table.contains_key(*table))
            {
                reading.refuse(&[table.to_owned()], AMAZONS);
            }
            for (table, key) in OF_THE_EMBEDDED_POOL_IN {
                let has = document.table.get(table).and_then(toml::Value::as_table);
                if has.is_some_and(|table| table.contains_key(key)) {
                    reading.refuse(&[table.to_owned(), key.to_owned()], AMAZONS);
                }
            }
        }
        let mut master_key: Option<MasterKeyReference> = reading.get("master_key");
        let mut other_master_keys: Vec<MasterKeyReference> =
            reading.get("other_master_keys").unwrap_or_default();
        let mut metrics: MetricsConfig = reading.get("metrics").unwrap_or_default();
        let mut store: Option<StoreConfig> = reading.get("store");
        let master_keys = master_key.iter_mut().chain(&mut other_master_keys).map(|key| &mut key.0);
        for reference in master_keys.chain(&mut metrics.token) {
            reference.start_from(base);
        }
        if let Some(store) = &mut store {
            store.settle(base);
        }
        if let Some((key, cure)) = store.as_ref().and_then(StoreConfig::mistake) {
            reading.refuse(&["store".to_owned(), key.to_owned()], cure);
        }
        let (foreign_sts, secrets) = (foreign_sts(&mut reading, &network), reading.get("secrets"));
        let (log, openid) = (reading.get("log"), reading.get("openid"));
        let traces = traces::read(&mut reading, &network, base);
        let url = store.as_ref().map(|store| store.url.clone());
        // In front of Amazon Cognito nothing may have to be stored. `up` has a store that no file names.
        let is_amazons = pool.as_ref().is_some_and(|pool| matches!(pool.driver, Driver::Cognito(_)));
        let url = url.or_else(|| (!is_amazons).then(|| StoreUrl::Sqlite(base.join("daypass.db"))));
        let audit = audit::read(&mut reading, url.as_ref(), &network, base);
        let mut tokens: TokensConfig = reading.get("tokens").unwrap_or_default();
        if let Some(pkcs11) = &mut tokens.pkcs11 {
            pkcs11.start_from(base);
        }
        if let Some((key, cure)) = tokens.mistake() {
            reading.refuse(&["tokens".to_owned(), key.to_owned()], cure);
        }
        let apps = app::read(&mut reading, public_url.as_deref());
        let providers = provider::read(&mut reading, base, &plain);
        let roles = role::read(&mut reading, base);
        let tags_name_actors = pool.as_ref().is_none_or(|pool| pool.principal_tags.name_actors());
        let beside = actor::Beside { providers: &providers, apps: &apps, tags_name_actors };
        let actors = actor::read(&mut reading, &beside);
        reading.finish()?;
        let missing = |key| Mistake::elsewhere(grammar::missing_key(key));
        Ok(Self {
            public_url: public_url.ok_or_else(|| missing("public_url"))?,
            pool: pool.ok_or_else(|| missing("pool"))?,
            secrets: secrets.unwrap_or_default(),
            log: log.unwrap_or_default(),
            audit,
            openid: openid.unwrap_or_default(),
            tokens,
            master_key,
            other_master_keys,
            store,
            metrics,
            traces,
            network,
            limits: limits.unwrap_or_default(),
            foreign_sts,
            providers,
            oidc_providers,
            user_pools,
            apps,
            actors,
            roles,
            written: Arc::new(document),
            is_of_up: false,
        })
    }

    /// Where audit events are kept.
    #[must_use]
    pub fn audit_destination(&self) -> Destination {
        self.audit.destination(self.store.as_ref().map(|store| &store.url))
    }

    /// Every secret that the configuration refers to, and where.
    pub fn placed_secrets(&self) -> impl Iterator<Item = Placed<'_>> {
        let providers = self.providers.iter().filter_map(ProviderConfig::placed_secret);
        let token = self.metrics.token.as_ref();
        let token = token.map(|reference| Placed { key: "[metrics] token".to_owned(), reference });
        let exports = self.audit.exports.iter().flat_map(ExportConfig::placed_secrets);
        let exports = exports.chain(self.traces.iter().flat_map(TracesConfig::placed_secrets));
        let keys = self.placed_master_keys().chain(self.placed_pin());
        let keys = keys.chain(self.placed_store_password());
        providers.chain(keys).chain(token).chain(exports)
    }

    /// Where the password of the store is, if it has one, and where that is said.
    #[must_use]
    pub fn placed_store_password(&self) -> Option<Placed<'_>> {
        self.store.as_ref().and_then(StoreConfig::placed_password)
    }

    /// Where the PIN of an HSM is, if there is one, and where that is said.
    #[must_use]
    pub fn placed_pin(&self) -> Option<Placed<'_>> {
        self.tokens.pkcs11.as_ref().map(Pkcs11Config::placed_pin)
    }

    /// Where the roots of all sealing are, the current one first, and where that is said.
    pub fn placed_master_keys(&self) -> impl Iterator<Item = Placed<'_>> {
        let current = self.master_key.iter().map(|key| ("master_key", &key.0));
        let others = self.other_master_keys.iter().map(|key| ("other_master_keys", &key.0));
        current.chain(others).map(|(key, reference)| Placed { key: key.to_owned(), reference })
    }

    /// Every secret that the configuration refers to.
    pub fn secret_references(&self) -> impl Iterator<Item = &SecretReference> {
        self.placed_secrets().map(|placed| placed.reference)
    }

    /// Where an installation keeps everything.
    ///
    /// # Errors
    /// [`ConfigError`], if that is not said.
    pub fn store(&self) -> Result<&StoreUrl, ConfigError> {
        Ok(&self.store_config()?.url)
    }

    /// Whether a start makes it, and brings an older one to the version of the program.
    #[must_use]
    pub fn migrates_store(&self) -> bool {
        self.store.as_ref().is_none_or(StoreConfig::migrates)
    }

    /// The same, with what it takes to be let in.
    ///
    /// # Errors
    /// [`ConfigError`], if that is not said, or the reference of the password leads nowhere.
    pub fn opening_url(&self, secrets: &Secrets) -> Result<StoreUrl, ConfigError> {
        let store = self.store_config()?;
        let password = store.placed_password();
        let password = password.map(|placed| secret(placed.reference, &placed.key, secrets)).transpose()?;
        Ok(store.opening_url(password.as_ref()))
    }

    fn store_config(&self) -> Result<&StoreConfig, ConfigError> {
        Ok(self.store.as_ref().ok_or_else(|| Mistake::elsewhere(grammar::missing_key("store")))?)
    }

    /// The roots of all sealing.
    ///
    /// # Errors
    /// [`ConfigError`], if it is not said where the current one is, and for each whose reference leads nowhere, or where no
    /// key is.
    pub fn master_keys(&self, secrets: &Secrets) -> Result<MasterKeys, ConfigError> {
        let missing = || Mistake::elsewhere(grammar::missing_key("master_key"));
        let mut placed = self.placed_master_keys();
        let current = placed.next().filter(|_| self.master_key.is_some()).ok_or_else(missing)?;
        let (mut others, mut mistakes) = (Vec::new(), Vec::new());
        for read in placed.map(|placed| master_key(&placed, secrets)) {
            match read {
                Ok(key) => others.push(key),
                Err(error) => mistakes.extend(error.into_mistakes()),
            }
        }
        let current = ConfigError::unless(mistakes, master_key(&current, secrets))?;
        Ok(MasterKeys::new(current, others))
    }

    /// Which master key is where, as the configuration says it, the current one first.
    ///
    /// # Errors
    /// Those of [`master_keys`](Self::master_keys).
    pub fn master_key_places(&self, secrets: &Secrets) -> Result<Vec<(MasterKeyId, String)>, ConfigError> {
        let place =
            |placed: Placed<'_>| Ok((master_key(&placed, secrets)?.id(), placed.reference.to_string()));
        self.placed_master_keys().map(place).collect()
    }

    /// The token that shows `/metrics`, if anything does.
    ///
    /// # Errors
    /// Why its reference leads nowhere.
    pub fn read_metrics_token(&self, secrets: &Secrets) -> Result<Option<Secret>, ConfigError> {
        self.metrics.token.as_ref().map(|token| secret(token, "[metrics] token", secrets)).transpose()
    }

    /// Whether every secret can be had, and is what it has to be.
    ///
    /// # Errors
    /// [`ConfigError`], with every secret that cannot.
    pub fn check_secrets(&self, secrets: &Secrets) -> Result<(), ConfigError> {
        let mut mistakes = load_providers(&self.providers, secrets).err().into_iter().collect::<Vec<_>>();
        mistakes.extend(self.master_key.as_ref().and_then(|_| self.master_keys(secrets).err()));
        mistakes.extend(self.store.as_ref().and_then(|_| self.opening_url(secrets).err()));
        mistakes.extend(self.read_metrics_token(secrets).err());
        mistakes.extend(self.audit.exports.iter().filter_map(|export| export.receiver(secrets).err()));
        mistakes.extend(self.traces.as_ref().and_then(|traces| traces.collector(secrets).err()));
        mistakes.extend(self.tokens.pkcs11.as_ref().and_then(|pkcs11| pkcs11.place(secrets).err()));
        ConfigError::unless_empty(mistakes.into_iter().flat_map(ConfigError::into_mistakes).collect())
    }

    /// Who stands in front, and is believed.
    #[must_use]
    pub fn proxies(&self) -> Proxies {
        Proxies::new(self.network.trusted_proxies.clone(), &self.public_url)
    }

    /// The roles, their policies read. Those that name no trust policy are the configured pool's to give.
    ///
    /// # Errors
    /// [`ConfigError`], if a file cannot be read any more.
    pub fn load_roles(&self, pool_id: &IdentityPoolId) -> Result<Vec<RoleDocument>, ConfigError> {
        self.roles.iter().map(|role| role.load(pool_id)).collect()
    }

    /// The OIDC providers and user pools whose logins pools may accept.
    #[must_use]
    pub fn registered_providers(&self) -> RegisteredProviders {
        RegisteredProviders::new(self.oidc_providers.clone(), self.user_pools.clone())
    }
}

fn foreign_sts(reading: &mut Reading<'_>, network: &NetworkConfig) -> Option<ForeignStsConfig> {
    let credentials: CredentialsConfig = reading.get("credentials")?;
    let refuse = |cure: String| reading.refuse(&["credentials".to_owned()], &cure);
    credentials.foreign(&network.allow_private).map_err(refuse).ok()?
}

fn master_key(placed: &Placed<'_>, secrets: &Secrets) -> Result<MasterKey, ConfigError> {
    let text = secret(placed.reference, &placed.key, secrets)?;
    let no_key = || {
        let key = &placed.key;
        Mistake::elsewhere(format!(
            "{key}: this is not the base64 of 32 bytes; `openssl rand -base64 32` makes a key, which every instance has to \
             be given, and which has to be kept: what it sealed cannot be opened without it"
        ))
    };
    Ok(parse_master_key(&text).ok_or_else(no_key)?)
}

/// Reads a master key as it is kept: 32 bytes in base64.
pub(crate) fn parse_master_key(text: &Secret) -> Option<MasterKey> {
    let bytes = BASE64_STANDARD.decode(text.expose()).ok()?;
    Some(MasterKey::new(bytes.try_into().ok()?))
}

/// The secret that `key` of the configuration refers to.
fn secret(reference: &SecretReference, key: &str, secrets: &Secrets) -> Result<Secret, ConfigError> {
    secrets.get(reference).map_err(|error| Mistake::elsewhere(format!("{key}: {error}")).into())
}
