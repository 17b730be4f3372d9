//! The configuration: what an operator writes into `daypass.toml`. Unknown keys are refused, secrets come
//! by reference, and everything is checked before anything starts.

mod network;
mod pool;
mod urls;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daypass_core::credentials::role::{RoleDocument, RoleTrust};
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{IdentityPoolId, RoleName};
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::definition::{Definition, seconds};
use daypass_core::login::provider::load::DefinitionError;
use daypass_core::login::provider::{AppleKey, Identifier, Provider, ProvidersById};
use daypass_core::login::public::{OidcProvider, RegisteredProviders, RegistrationError, UserPool};
use daypass_core::token::openid_token::AUTHENTICATED;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

pub use self::network::NetworkConfig;
pub use self::pool::{Driver, EmbeddedConfig, PoolConfig, RegionConfig};
pub(crate) use self::urls::is_loopback;
use crate::foreign_sts::{CredentialsConfig, ForeignStsConfig};
use crate::origin::Proxies;
use crate::provider_http::AllowedHost;
use crate::secrets::{Interval, SecretError, SecretReference, Secrets};

/// The longest that a yes may be repeated without asking again, in seconds.
const MAX_CACHE: i64 = 300;

/// A whole configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The issuer of our tokens, where everybody reaches the server. No trailing slash.
    pub public_url: String,
    /// The root of all sealing: 32 bytes in base64. `daypass up` makes its own.
    master_key: Option<SecretReference>,
    /// Where everything is kept. `daypass up` keeps it in its directory.
    store: Option<StoreConfig>,
    /// The identity pool that logins lead to.
    pub pool: PoolConfig,
    /// Who may read the metrics.
    #[serde(default)]
    metrics: MetricsConfig,
    /// What of the network providers may be in, and who stands in front.
    #[serde(default)]
    pub network: NetworkConfig,
    /// How secrets that AWS keeps are handled.
    #[serde(default)]
    pub secrets: SecretsConfig,
    /// Who gives credentials to the people of the embedded pool.
    #[serde(default)]
    pub credentials: CredentialsConfig,
    /// The providers whose logins are accepted.
    #[serde(default, rename = "provider")]
    pub providers: Vec<ProviderConfig>,
    /// The OIDC providers that pools may accept logins of, each under its ARN.
    #[serde(default, rename = "oidc_provider")]
    pub oidc_providers: Vec<OidcProvider>,
    /// The Cognito user pools that are not where their names say.
    #[serde(default, rename = "user_pool")]
    pub user_pools: Vec<UserPool>,
    /// Who may call from where.
    #[serde(default, rename = "app")]
    pub apps: Vec<AppConfig>,
    /// The roles that a pool may give.
    #[serde(default, rename = "role")]
    pub roles: Vec<RoleConfig>,
}

/// How many processes serve one installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instances {
    /// This one.
    One,
    /// This one and others like it, which come and go.
    Many,
}

/// What a developer lays over the configuration that `daypass up` makes for itself: the same tables, and the
/// same rules. Paths in it start from where its file is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Additions {
    #[serde(default)]
    pool: PoolAdditions,
    #[serde(default)]
    network: NetworkConfig,
    secrets: Option<SecretsConfig>,
    credentials: Option<CredentialsConfig>,
    #[serde(default, rename = "provider")]
    providers: Vec<ProviderConfig>,
    #[serde(default, rename = "oidc_provider")]
    oidc_providers: Vec<OidcProvider>,
    #[serde(default, rename = "user_pool")]
    user_pools: Vec<UserPool>,
    #[serde(default, rename = "app")]
    apps: Vec<AppConfig>,
    #[serde(default, rename = "role")]
    roles: Vec<RoleConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PoolAdditions {
    role_mapping_rules: Option<usize>,
}

/// Where everything is kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreConfig {
    url: StoreUrl,
}

/// A store, as its URL names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUrl {
    /// `sqlite:FILE`
    Sqlite(PathBuf),
    /// `memory:`, gone with the process.
    Memory,
}

impl TryFrom<String> for StoreUrl {
    type Error = String;
    fn try_from(url: String) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", file)) if !file.is_empty() => Ok(Self::Sqlite(file.into())),
            Some(("memory", "")) => Ok(Self::Memory),
            _ => Err(format!("{url:?} names no store: write \"sqlite:FILE\" or \"memory:\"")),
        }
    }
}

/// Who may read the metrics: nobody, unless there is a token.
#[derive(Debug, Default, Deserialize)]
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

/// A role, by the files of its policies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleConfig {
    /// Its name, the last part of its ARN.
    pub name: RoleName,
    /// What its holders may do: an IAM policy.
    pub policy: PathBuf,
    /// Who may take it on: an IAM trust policy. Without one, whoever logged in at the configured pool and gets the
    /// role from it: as its default role, or by a role mapping.
    pub trust: Option<PathBuf>,
}

/// A provider, by a block of the catalogue and whatever the operator lays over it.
#[derive(Debug, Deserialize)]
pub struct ProviderConfig {
    /// Its name here, part of every developer user identifier.
    pub id: String,
    /// The block of the catalogue; `id` unless it is given.
    pub catalogue: Option<String>,
    /// Our client there.
    pub client_id: String,
    /// Other clients of the same app there.
    #[serde(default)]
    pub other_client_ids: Vec<String>,
    /// The number of the app, at providers that know it beside the client ID.
    pub app_id: Option<String>,
    /// That client's secret; at Apple, the private key.
    pub client_secret: SecretReference,
    /// What else Apple's client secret is made of.
    pub apple: Option<AppleConfig>,
    /// See [`Provider::accept_unbound_access_tokens`].
    #[serde(default)]
    pub accept_unbound_access_tokens: bool,
    /// See [`Provider::identifier`]; one provider at most may be bare.
    #[serde(default)]
    pub identifier: Identifier,
    /// See [`Provider::cache_verified`]; at most five minutes.
    #[serde(default, deserialize_with = "seconds::deserialize")]
    pub cache_verified: Option<i64>,
    /// Keys of the definition to replace.
    #[serde(flatten)]
    pub overrides: toml::Table,
    /// Where block and keys stand, for whoever has to correct them.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// What Apple's portal says about the key in `client_secret`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppleConfig {
    /// The developer team.
    pub team_id: String,
    /// The key.
    pub key_id: String,
}

/// An app that may call the broker.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// What the operator calls it.
    pub id: String,
    /// The origins that its pages are served from.
    pub origins: Vec<String>,
    /// The redirect URIs that its logins return to.
    pub redirect_uris: Vec<String>,
}

/// What is wrong with a configuration, and where.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, a missing key, a value of the wrong kind.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A mistake, and where it stands.
    #[error("{place}: {source}")]
    At {
        /// The line, with its file where there is one.
        place: String,
        /// The mistake.
        source: Box<ConfigError>,
    },
    /// A URL that tokens or browsers could not use.
    #[error("{key} = {value:?}: {cure}")]
    Url {
        /// Where it stands.
        key: &'static str,
        /// What stands there.
        value: String,
        /// What should.
        cure: &'static str,
    },
    /// Two providers with one ID would share their people.
    #[error("[[provider]] id = {0:?} stands there twice; each provider needs an ID of its own")]
    DuplicateProvider(String),
    /// Of two apps with one ID, nobody could say which one a code is for.
    #[error("[[app]] id = {0:?} stands there twice; each app needs an ID of its own")]
    DuplicateApp(String),
    /// An ID that could be mistaken for another one's with a longer external ID.
    #[error("[[provider]] id = {0:?}: use letters, digits, `-` and `_` only")]
    ProviderId(String),
    /// A token would work for long after it was revoked.
    #[error("[[provider]] id = {0:?}: cache_verified: at most 5m, because a revoked token works as long")]
    CacheVerified(String),
    /// Of two providers with bare identifiers, one could name the other one's people.
    #[error(
        "[[provider]] id = {id:?}: identifier = \"{{subject}}\" stands at {other:?} already, and one person could get \
         the other's account: leave it out here"
    )]
    SecondBareIdentifier {
        /// The provider.
        id: String,
        /// The one before it.
        other: String,
    },
    /// An external ID of several values holds a colon between them.
    #[error(
        "[[provider]] id = {0:?}: identifier = \"{{subject}}\" is not for a `subject` of several values: leave it out"
    )]
    JoinedBareIdentifier(String),
    /// A provider's block is not valid.
    #[error("[[provider]] id = {id:?}: {source}")]
    Provider {
        /// The provider.
        id: String,
        /// What is wrong with it.
        source: DefinitionError,
    },
    /// An OIDC provider or a user pool cannot be what its description says.
    #[error("[[{table}]] {name:?}: {source}")]
    Registration {
        /// The table.
        table: &'static str,
        /// The ARN or the name of the provider.
        name: String,
        /// What is wrong with it.
        source: RegistrationError,
    },
    /// Of two descriptions of one provider, nobody could say which one counts.
    #[error("[[{table}]] {name:?} stands there twice; describe each provider once")]
    DuplicateRegistration {
        /// The table.
        table: &'static str,
        /// What stands there twice.
        name: String,
    },
    /// A file of the configuration cannot be read.
    #[error("cannot read {file}: {source}", file = file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key is not there that production cannot do without.
    #[error("{key} is missing: {cure}")]
    Missing {
        /// The key.
        key: &'static str,
        /// What to write.
        cure: &'static str,
    },
    /// A table that only the embedded pool knows.
    #[error("{0} goes with driver = \"embedded\": with \"cognito\" it is Amazon's; leave it out")]
    OfTheEmbeddedPool(&'static str),
    /// A number is out of its bounds.
    #[error("[pool] role_mapping_rules = {0}: must be 1 to 400")]
    RoleMappingRules(usize),
    /// Credentials cannot come from where they are said to.
    #[error("[credentials] {0}")]
    Credentials(String),
    /// A secret cannot be had.
    #[error("{key}: {source}")]
    Secret {
        /// The key that refers to it.
        key: String,
        /// Why.
        source: SecretError,
    },
}

impl ConfigError {
    /// The key of the provider's block that has to be corrected, or a text that begins with it.
    fn about(&self) -> &str {
        match self {
            Self::ProviderId(_) | Self::DuplicateProvider(_) => "id",
            Self::CacheVerified(_) => "cache_verified",
            Self::SecondBareIdentifier { .. } | Self::JoinedBareIdentifier(_) => "identifier",
            Self::Secret { .. } => "client_secret",
            Self::Provider { source: DefinitionError::Invalid(text), .. } => text,
            Self::Provider { source: DefinitionError::Unknown { name, .. }, id } if name == id => "id",
            Self::Provider { source: DefinitionError::Unknown { .. }, .. } => "catalogue",
            _ => "",
        }
    }
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for the first mistake.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text)?;
        note_places(text, None, &mut config.providers)?;
        config.check()?;
        Ok(config)
    }

    /// Reads the file of an installation. Paths in it start from where it is.
    ///
    /// # Errors
    /// [`ConfigError::File`], or [`ConfigError`] for the first mistake, with its place.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = read_file(file)?;
        let mut config: Self = toml::from_str(&text)?;
        note_places(&text, Some(file), &mut config.providers)?;
        let base = file.parent().unwrap_or(Path::new(""));
        start_from(base, &mut config.providers, &mut config.roles);
        for reference in config.master_key.iter_mut().chain(&mut config.metrics.token) {
            reference.start_from(base);
        }
        if let Some(StoreConfig { url: StoreUrl::Sqlite(file) }) = &mut config.store {
            *file = base.join(&*file);
        }
        config.check()?;
        for role in &config.roles {
            read_file(&role.policy)?;
            role.trust.as_deref().map(read_file).transpose()?;
        }
        Ok(config)
    }

    /// Every secret that the configuration refers to.
    pub fn secret_references(&self) -> impl Iterator<Item = &SecretReference> {
        let providers = self.providers.iter().map(|provider| &provider.client_secret);
        providers.chain(self.master_key_reference()).chain(&self.metrics.token)
    }

    /// Where the root of all sealing is.
    #[must_use]
    pub fn master_key_reference(&self) -> Option<&SecretReference> {
        self.master_key.as_ref()
    }

    /// Where an installation keeps everything.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn store(&self) -> Result<&StoreUrl, ConfigError> {
        let cure = "write `[store]`, and below it `url = \"sqlite:daypass.db\"`";
        let store = self.store.as_ref().ok_or(ConfigError::Missing { key: "[store]", cure })?;
        Ok(&store.url)
    }

    /// The text of the root of all sealing.
    ///
    /// # Errors
    /// [`ConfigError::Missing`], or why its reference leads nowhere.
    pub fn read_master_key(&self, secrets: &Secrets) -> Result<Secret, ConfigError> {
        let cure = "write `master_key = { file = \"…\" }` above all tables, and into that file what `openssl rand \
                    -base64 32` prints";
        let key = self.master_key.as_ref().ok_or(ConfigError::Missing { key: "master_key", cure })?;
        secret(key, "master_key".into(), secrets)
    }

    /// The token that shows `/metrics`, if anything does.
    ///
    /// # Errors
    /// Why its reference leads nowhere.
    pub fn read_metrics_token(&self, secrets: &Secrets) -> Result<Option<Secret>, ConfigError> {
        let read = |token| secret(token, "[metrics] token".into(), secrets);
        self.metrics.token.as_ref().map(read).transpose()
    }

    /// Lays a developer's additions over this configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for the first mistake.
    pub fn add(&mut self, additions: Additions) -> Result<(), ConfigError> {
        if let Driver::Embedded(pool) = &mut self.pool.driver {
            pool.role_mapping_rules = additions.pool.role_mapping_rules.or(pool.role_mapping_rules);
        }
        self.network.add(additions.network);
        self.secrets = additions.secrets.unwrap_or_else(|| self.secrets.clone());
        self.credentials = additions.credentials.unwrap_or(std::mem::take(&mut self.credentials));
        self.providers.extend(additions.providers);
        self.oidc_providers.extend(additions.oidc_providers);
        self.user_pools.extend(additions.user_pools);
        self.apps.extend(additions.apps);
        self.roles.extend(additions.roles);
        self.check()
    }

    fn check(&self) -> Result<(), ConfigError> {
        urls::check_public_url(&self.public_url)?;
        self.check_driver()?;
        self.foreign_sts()?;
        self.check_registered()?;
        let mut ids = BTreeSet::new();
        for app in &self.apps {
            if !ids.insert(&app.id) {
                return Err(ConfigError::DuplicateApp(app.id.clone()));
            }
            for origin in &app.origins {
                urls::check_origin(origin, &self.public_url)?;
            }
            for uri in &app.redirect_uris {
                urls::check_redirect_uri(uri, &self.public_url)?;
            }
        }
        Ok(())
    }

    /// Who stands in front, and is believed.
    #[must_use]
    pub fn proxies(&self) -> Proxies {
        Proxies::new(self.network.trusted_proxies.clone(), &self.public_url)
    }

    /// The STS that credentials come from, if it is not our own.
    ///
    /// # Errors
    /// [`ConfigError::Credentials`].
    pub fn foreign_sts(&self) -> Result<Option<ForeignStsConfig>, ConfigError> {
        self.credentials.foreign(&self.network.allow_private).map_err(ConfigError::Credentials)
    }

    fn check_driver(&self) -> Result<(), ConfigError> {
        match &self.pool.driver {
            Driver::Embedded(pool) => match pool.role_mapping_rules {
                Some(rules) if !(1..=400).contains(&rules) => Err(ConfigError::RoleMappingRules(rules)),
                _ => Ok(()),
            },
            Driver::Cognito(_) => {
                let tables = [
                    ("[[role]]", self.roles.is_empty()),
                    ("[[oidc_provider]]", self.oidc_providers.is_empty()),
                    ("[[user_pool]]", self.user_pools.is_empty()),
                    ("[credentials]", self.foreign_sts()?.is_none()),
                ];
                let given = tables.into_iter().find(|(_, empty)| !empty);
                given.map_or(Ok(()), |(table, _)| Err(ConfigError::OfTheEmbeddedPool(table)))
            }
        }
    }

    /// The roles, their policies read. Those that name no trust policy are the configured pool's to give.
    ///
    /// # Errors
    /// [`ConfigError::File`].
    pub fn load_roles(&self, pool_id: &IdentityPoolId) -> Result<Vec<RoleDocument>, ConfigError> {
        self.roles.iter().map(|role| role.load(pool_id)).collect()
    }

    fn check_registered(&self) -> Result<(), ConfigError> {
        let mut seen = BTreeSet::new();
        for provider in &self.oidc_providers {
            let table = "oidc_provider";
            let refuse = |source| ConfigError::Registration { table, name: provider.arn.clone(), source };
            provider.check().map_err(refuse)?;
            if !seen.insert(provider.login_key()) {
                return Err(ConfigError::DuplicateRegistration { table, name: provider.issuer.clone() });
            }
        }
        for pool in &self.user_pools {
            let table = "user_pool";
            let refuse = |source| ConfigError::Registration { table, name: pool.name.clone(), source };
            pool.check().map_err(refuse)?;
            if !seen.insert(&pool.name) {
                return Err(ConfigError::DuplicateRegistration { table, name: pool.name.clone() });
            }
        }
        Ok(())
    }

    /// The OIDC providers and user pools whose logins pools may accept.
    #[must_use]
    pub fn registered_providers(&self) -> RegisteredProviders {
        RegisteredProviders::new(self.oidc_providers.clone(), self.user_pools.clone())
    }
}

impl Additions {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError::File`], or [`ConfigError::Toml`] with the place of the mistake.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = read_file(file)?;
        let mut additions: Self = toml::from_str(&text)?;
        note_places(&text, Some(file), &mut additions.providers)?;
        let base = file.parent().unwrap_or(Path::new(""));
        start_from(base, &mut additions.providers, &mut additions.roles);
        Ok(additions)
    }

    /// The providers as they stand in the file.
    #[must_use]
    pub fn providers(&self) -> &[ProviderConfig] {
        &self.providers
    }

    /// The private hosts that the file allows.
    #[must_use]
    pub fn allowed_private(&self) -> &[AllowedHost] {
        &self.network.allow_private
    }

    /// The names of the added roles.
    pub fn role_names(&self) -> impl Iterator<Item = &RoleName> {
        self.roles.iter().map(|role| &role.name)
    }
}

/// Where a provider's block stands, and each of its keys.
#[derive(Debug, Clone)]
pub struct Place {
    /// The name of the file, if there is one, and what separates it.
    file: String,
    block: usize,
    /// The lines of the keys, as `/profile/url`.
    keys: BTreeMap<String, usize>,
}

impl Place {
    /// The place of the key that a mistake begins with, as in `profile.url: …`, or that it calls unknown; of what is
    /// around it if that is not there.
    fn of(&self, mistake: &str) -> String {
        let (mut path, mut line) = (String::new(), self.block);
        let mut follow = |step: &str| {
            let deeper = format!("{path}/{step}");
            let found = self.keys.get(&deeper).copied();
            if let Some(found) = found {
                (path, line) = (deeper, found);
            }
            found
        };
        let _ =
            mistake.split(": ").flat_map(|part| part.split('.')).try_for_each(|step| follow(step).map(drop));
        let unknown = mistake.split("unknown field `").nth(1).and_then(|rest| rest.split('`').next());
        unknown.and_then(follow);
        format!("{}line {line}", self.file)
    }
}

/// Has relative paths start from where their configuration is.
fn start_from(base: &Path, providers: &mut [ProviderConfig], roles: &mut [RoleConfig]) {
    for provider in providers {
        provider.client_secret.start_from(base);
    }
    for role in roles {
        role.policy = base.join(&role.policy);
        role.trust = role.trust.take().map(|trust| base.join(trust));
    }
}

/// Notes at which line each provider's block begins, and its keys.
fn note_places(
    text: &str,
    file: Option<&Path>,
    providers: &mut [ProviderConfig],
) -> Result<(), toml::de::Error> {
    let document = DeTable::parse(text)?;
    let blocks = document.get_ref().get("provider").and_then(|blocks| blocks.get_ref().as_array());
    let file = file.map(|file| format!("{}, ", file.display())).unwrap_or_default();
    let line = |start| text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    for (provider, block) in providers.iter_mut().zip(blocks.into_iter().flatten()) {
        let mut keys = BTreeMap::new();
        note_keys(block.get_ref(), "", &line, &mut keys);
        provider.place = Some(Place { file: file.clone(), block: line(block.span().start), keys });
    }
    Ok(())
}

fn note_keys(
    value: &DeValue<'_>,
    path: &str,
    line: &impl Fn(usize) -> usize,
    into: &mut BTreeMap<String, usize>,
) {
    for (key, value) in value.as_table().into_iter().flatten() {
        let path = format!("{path}/{}", key.get_ref());
        note_keys(value.get_ref(), &path, line, into);
        into.insert(path, line(key.span().start));
    }
}

impl RoleConfig {
    fn load(&self, pool_id: &IdentityPoolId) -> Result<RoleDocument, ConfigError> {
        let trust = match &self.trust {
            Some(file) => RoleTrust::Policy(read_file(file)?),
            None => RoleTrust::Pool { pool_id: pool_id.clone(), amr: AUTHENTICATED },
        };
        Ok(RoleDocument {
            name: self.name.clone(),
            policy: read_file(&self.policy)?,
            max_session_duration: SignedDuration::from_hours(1),
            trust,
        })
    }
}

fn read_file(file: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(file).map_err(|source| ConfigError::File { file: file.to_owned(), source })
}

impl ProviderConfig {
    /// The provider, its definition complete and its secret read.
    ///
    /// # Errors
    /// [`ConfigError`] for the first mistake.
    pub fn load(&self, secrets: &Secrets) -> Result<Provider, ConfigError> {
        self.complete(secrets).map_err(|mistake| self.locate(mistake))
    }

    fn locate(&self, mistake: ConfigError) -> ConfigError {
        match &self.place {
            Some(place) => ConfigError::At { place: place.of(mistake.about()), source: Box::new(mistake) },
            None => mistake,
        }
    }

    fn complete(&self, secrets: &Secrets) -> Result<Provider, ConfigError> {
        let id = self.id.clone();
        if id.is_empty()
            || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        {
            return Err(ConfigError::ProviderId(id));
        }
        if self.cache_verified.is_some_and(|seconds| seconds > MAX_CACHE) {
            return Err(ConfigError::CacheVerified(id));
        }
        let block = self.catalogue.as_deref().unwrap_or(&self.id);
        let definition = Definition::from_catalogue(block, self.overrides.clone())
            .map_err(|source| ConfigError::Provider { id: id.clone(), source })?;
        definition
            .check_client(&self.client_id, &self.other_client_ids, self.app_id.as_deref())
            .map_err(|source| ConfigError::Provider { id: id.clone(), source })?;
        if self.identifier == Identifier::Bare && definition.joins_subject() {
            return Err(ConfigError::JoinedBareIdentifier(id));
        }
        Ok(Provider {
            client_id: self.client_id.clone(),
            other_client_ids: self.other_client_ids.clone(),
            app_id: self.app_id.clone(),
            client_secret: secret(
                &self.client_secret,
                format!("[[provider]] id = {id:?}: client_secret"),
                secrets,
            )?,
            apple: self.apple.clone().map(|AppleConfig { team_id, key_id }| AppleKey { team_id, key_id }),
            accept_unbound_access_tokens: self.accept_unbound_access_tokens,
            identifier: self.identifier,
            cache_verified: self.cache_verified.map(SignedDuration::from_secs),
            definition,
            id,
        })
    }
}

/// The providers, by ID, their definitions complete and their secrets read.
///
/// # Errors
/// [`ConfigError`] for the first mistake.
pub fn load_providers(configs: &[ProviderConfig], secrets: &Secrets) -> Result<ProvidersById, ConfigError> {
    let mut providers = BTreeMap::new();
    let mut bare: Option<&str> = None;
    for config in configs {
        let provider = Arc::new(config.load(secrets)?);
        if providers.insert(config.id.clone(), provider).is_some() {
            return Err(config.locate(ConfigError::DuplicateProvider(config.id.clone())));
        }
        if config.identifier == Identifier::Bare
            && let Some(other) = bare.replace(&config.id)
        {
            let (id, other) = (config.id.clone(), other.to_owned());
            return Err(config.locate(ConfigError::SecondBareIdentifier { id, other }));
        }
    }
    Ok(providers)
}

/// The secret that `key` of the configuration refers to.
fn secret(reference: &SecretReference, key: String, secrets: &Secrets) -> Result<Secret, ConfigError> {
    secrets.get(reference).map_err(|source| ConfigError::Secret { key, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        public_url = "https://login.example.com"
        [pool]
        name = "my-app"
        developer_provider = "login.example.com"
        region = "us-east-1"
        account_id = "000000000000"
        [[provider]]
        id = "snapchat"
        client_id = "ours"
        client_secret = { file = "SECRET" }
        [[app]]
        id = "web"
        origins = ["https://app.example.com"]
        redirect_uris = ["https://app.example.com/signed-in"]
    "#;

    /// Parses the good configuration with one change, its secret in a file.
    fn load(from: &str, to: &str) -> Result<BTreeMap<String, Arc<Provider>>, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2\n").unwrap();
        assert!(GOOD.contains(from));
        let text = GOOD.replace(from, to).replace("SECRET", file.path().to_str().unwrap());
        load_providers(&Config::parse(&text)?.providers, &Secrets::default())
    }

    fn complaint(from: &str, to: &str) -> String {
        load(from, to).unwrap_err().to_string()
    }

    #[test]
    fn a_provider_is_its_catalogue_block_and_the_operators_client() {
        let providers = load("", "").unwrap();
        let snapchat = &providers["snapchat"];
        assert_eq!(snapchat.definition.name, "Snapchat");
        assert_eq!(snapchat.client_secret, Secret::new("hunter2"));
        assert!(!snapchat.accept_unbound_access_tokens);
        assert_eq!(snapchat.cache_verified, None);
    }

    #[test]
    fn a_block_serves_under_another_id_with_other_endpoints() {
        let to = "id = \"snap-2\"\ncatalogue = \"snapchat\"\nprofile.url = \"http://127.0.0.1:1/v1/me\"";
        let providers = load("id = \"snapchat\"", to).unwrap();
        assert_eq!(
            providers["snap-2"].definition.profile.as_ref().unwrap().call.url.as_literal(),
            Some("http://127.0.0.1:1/v1/me")
        );
    }

    #[test]
    fn mistakes_are_refused_with_their_place() {
        assert!(complaint("id = \"web\"", "id = \"web\"\ncolour = 1").contains("colour"));
        assert!(
            complaint("id = \"snapchat\"", "id = \"snapchat\"\ncolour = 1")
                .contains("\"snapchat\": unknown field `colour`")
        );
        assert!(complaint("{ file = \"SECRET\" }", "\"hunter2\"").contains("client_secret"));
        assert!(
            complaint("id = \"snapchat\"", "id = \"snapchat\"\ncache_verified = \"6m\"")
                .contains("at most 5m")
        );
        assert!(
            complaint("id = \"snapchat\"", "id = \"snapchat\"\ncache_verified = \"6\"")
                .contains("no duration")
        );
        assert!(complaint("SECRET", "/nowhere/at/all").contains("cannot read /nowhere/at/all"));
        assert!(
            complaint("id = \"snapchat\"", "id = \"snap:chat\"\ncatalogue = \"snapchat\"")
                .contains("letters, digits")
        );
        assert!(
            complaint("https://login.example.com\"\n        [pool]", "https://login.example.com/\"\n[pool]")
                .contains("slash")
        );
        assert!(
            complaint("\"https://app.example.com\"", "\"https://app.example.com/x\"").contains("origins")
        );
        let again = "[[app]]\nid = \"web\"\norigins = []\nredirect_uris = []\n[[app]]\nid = \"web\"";
        assert!(complaint("[[app]]\n        id = \"web\"", again).contains("stands there twice"));
        assert!(complaint("\"https://app.example.com\"", "\"*\"").contains("must start with https://"));
    }

    #[test]
    fn one_provider_at_most_names_people_by_their_bare_ids() {
        let bare = "id = \"snapchat\"\nidentifier = \"{subject}\"";
        assert_eq!(load("", "").unwrap()["snapchat"].identifier, Identifier::Prefixed);
        assert_eq!(load("id = \"snapchat\"", bare).unwrap()["snapchat"].identifier, Identifier::Bare);
        let other = |id: &str| {
            format!(
                "{bare}\nclient_id = \"x\"\nclient_secret = {{ file = \"SECRET\" }}\n[[provider]]\n{id}\ncatalogue = \"discord\""
            )
        };
        let refused = complaint(
            "id = \"snapchat\"\n        client_id",
            &format!("{}\nclient_id", other("id = \"b\"\nidentifier = \"{subject}\"")),
        );
        assert!(
            refused.contains("id = \"b\": identifier = \"{subject}\" stands at \"snapchat\" already"),
            "{refused}"
        );
        let accepted = load(
            "id = \"snapchat\"\n        client_id",
            &format!("{}\nclient_id", other("id = \"b\"\nidentifier = \"{provider}:{subject}\"")),
        );
        assert_eq!(accepted.unwrap().len(), 2);
        let refused = complaint("id = \"snapchat\"", &bare.replace("snapchat", "slack"));
        assert!(refused.contains("several values"), "{refused}");
        for unknown in ["{provider}", "{subject}@{provider}", "", "bare"] {
            let refused = complaint("id = \"snapchat\"", &bare.replace("{subject}", unknown));
            assert!(refused.contains("`{provider}:{subject}` or `{subject}`"), "{refused}");
        }
    }

    #[test]
    fn tables_of_the_embedded_pool_are_not_for_amazons() {
        let pool = GOOD.split("[pool]").nth(1).unwrap().split("[[provider]]").next().unwrap();
        let cognito = "\ndriver = \"cognito\"\ndeveloper_provider = \"a\"\n[[pool.region]]\nregion = \"r\"\npool_id = \"r:0a\"\n";
        assert!(load(pool, cognito).is_ok());
        let role = "[[role]]\nname = \"a\"\npolicy = \"a.json\"\n";
        for (table, text) in [("role", role), ("oidc_provider", REGISTERED)] {
            let refused = complaint(pool, &format!("{cognito}{text}"));
            assert!(refused.contains(&format!("[[{table}]] goes with driver = \"embedded\"")), "{refused}");
        }
    }

    #[test]
    fn the_example_of_a_deployment_is_a_configuration() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sam/daypass.toml");
        let config = Config::read(&file).unwrap();
        assert_eq!(config.store().unwrap(), &StoreUrl::Memory);
        let Driver::Cognito(regions) = &config.pool.driver else { panic!("{config:?}") };
        assert_eq!(regions.len(), 1);
        assert!(config.secret_references().all(|secret| matches!(secret, SecretReference::Ssm(_))));
    }

    #[test]
    fn additions_are_laid_over_and_their_paths_start_at_their_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("more.toml");
        std::fs::write(dir.path().join("editor.json"), "{}").unwrap();
        let role = "[[role]]\nname = \"editor\"\npolicy = \"editor.json\"\n";
        std::fs::write(&file, format!("{REGISTERED}{role}[pool]\nrole_mapping_rules = 30\n[network]\nallow_private = [\"10.0.0.7\"]\n")).unwrap();
        let mut config = Config::parse(GOOD).unwrap();
        config.add(Additions::read(&file).unwrap()).unwrap();
        let Driver::Embedded(pool) = &config.pool.driver else { panic!("{config:?}") };
        assert_eq!(pool.role_mapping_rules, Some(30));
        assert_eq!(config.oidc_providers.len(), 1);
        assert_eq!(config.network.allow_private.len(), 1);
        let pool_id = IdentityPoolId::parse("us-east-1:aa").unwrap();
        let roles = config.load_roles(&pool_id).unwrap();
        assert_eq!((roles[0].name.as_str(), &*roles[0].policy), ("editor", "{}"));
        assert!(
            matches!(&roles[0].trust, RoleTrust::Pool { pool_id, .. } if pool_id.as_str() == "us-east-1:aa")
        );
    }

    #[test]
    fn additions_say_where_credentials_come_from() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("more.toml");
        let laid_over = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let mut config = Config::parse(GOOD).unwrap();
            config.add(Additions::read(&file).unwrap()).map(|()| config)
        };
        let network = "[network]\nallow_private = [\"store.internal\"]\n";
        let credentials = "[credentials]\nsource = \"sts\"\nurl = \"http://store.internal\"\n";
        let config = laid_over(&format!("{network}{credentials}")).unwrap();
        assert_eq!(config.foreign_sts().unwrap().unwrap().url, "http://store.internal/");
        assert_eq!(laid_over(network).unwrap().foreign_sts().unwrap(), None);
        let refused = laid_over(credentials).unwrap_err().to_string();
        assert!(refused.starts_with("[credentials] url = \"http://store.internal\": "), "{refused}");
    }

    #[test]
    fn mistakes_in_additions_are_refused_with_their_place() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("more.toml");
        let complaint = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let mut config = Config::parse(GOOD).unwrap();
            let added = Additions::read(&file).and_then(|additions| config.add(additions));
            added
                .and_then(|()| config.load_roles(&IdentityPoolId::parse("r:aa").unwrap()))
                .unwrap_err()
                .to_string()
        };
        assert!(complaint("colour = 1").contains("colour"));
        assert!(complaint("[pool]\nname = \"other\"").contains("name"), "the pool itself is not theirs");
        assert!(complaint("[pool]\nrole_mapping_rules = 401").contains("1 to 400"));
        assert!(complaint("[[role]]\nname = \"a\"\npolicy = \"gone.json\"").contains("gone.json"));
        assert!(complaint(&format!("{REGISTERED}{REGISTERED}")).contains("twice"));
        assert!(
            Additions::read(&dir.path().join("none.toml")).unwrap_err().to_string().contains("none.toml")
        );
    }

    #[test]
    fn a_mistake_in_a_provider_names_the_line_of_its_key_and_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("more.toml");
        let block = |id: &str, more: &str| {
            format!(
                "\n[[provider]]\nid = {id:?}\nclient_id = \"x\"\nclient_secret = {{ file = \"secret\" }}\n{more}"
            )
        };
        std::fs::write(dir.path().join("secret"), "hunter2").unwrap();
        for (first, second, line, cure) in [
            (block("snapchat", ""), block("b", ""), 8, "the catalogue has no provider"),
            (block("snapchat", ""), block("b", "catalogue = \"c\"\n"), 11, "the catalogue has no provider"),
            (block("snapchat", "profile.url = \"ftp://x\"\n"), block("b", ""), 6, "must begin with https://"),
            (block("snapchat", ""), block("snapchat", "# once more\n"), 8, "needs an ID of its own"),
            (block("snapchat", "pkce = \"never\"\n"), block("a b", ""), 9, "letters, digits"),
            (
                block("snapchat", "pkce = \"never\"\ncache_verified = \"6m\"\n"),
                String::new(),
                7,
                "at most 5m",
            ),
            (block("snapchat", "pkce = \"never\"\ncolour = 1\n"), String::new(), 7, "unknown field `colour`"),
            (block("snapchat", "scopes = []\npkce = \"maybe\"\n"), String::new(), 7, "pkce: unknown variant"),
            (
                block("snapchat", "[provider.profile]\nauth = \"none\"\nredirect = true\n"),
                String::new(),
                8,
                "unknown field `redirect`",
            ),
            (
                block("snapchat", "[provider.exchange]\nreads_id_token = true\nclient_auth = \"basic\"\n"),
                String::new(),
                7,
                "exchange.reads_id_token: needs",
            ),
            (
                block("snapchat", "pkce = \"never\"\n[provider.exchange]\ntake = { a = { at = \"a\" } }\n"),
                String::new(),
                8,
                "exchange.take.a.at: ",
            ),
            (block("snapchat", "profile.subject = []\n"), String::new(), 2, "subject: name at least one"),
        ] {
            std::fs::write(&file, format!("{first}{second}")).unwrap();
            let mut config = Config::parse(GOOD.split("[[provider]]").next().unwrap()).unwrap();
            config.add(Additions::read(&file).unwrap()).unwrap();
            let mistake = load_providers(&config.providers, &Secrets::default()).unwrap_err().to_string();
            assert!(mistake.starts_with(&format!("{}, line {line}: ", file.display())), "{mistake}");
            assert!(mistake.contains(cure), "{mistake}");
        }
    }

    #[test]
    fn two_providers_cannot_share_an_id() {
        let twice = "[[provider]]\nid = \"snapchat\"\nclient_id = \"x\"\nclient_secret = { file = \"SECRET\" }\n[[app]]";
        assert!(complaint("[[app]]", twice).contains("twice"));
    }

    const REGISTERED: &str = r#"
        [[oidc_provider]]
        arn = "arn:aws:iam::000000000000:oidc-provider/login.example.com/realm"
        issuer = "https://login.example.com/realm"
        audiences = ["ours"]
        [[user_pool]]
        name = "cognito-idp.us-east-1.amazonaws.com/us-east-1_local"
        issuer = "http://127.0.0.1:9229/us-east-1_local"
    "#;

    /// Parses the good configuration with registered providers, one change made in their description.
    fn register(from: &str, to: &str) -> Result<Config, ConfigError> {
        assert!(REGISTERED.contains(from));
        Config::parse(&format!("{GOOD}{}", REGISTERED.replace(from, to)))
    }

    #[test]
    fn oidc_providers_and_user_pools_are_read() {
        let config = register("", "").unwrap();
        assert_eq!(config.oidc_providers[0].login_key(), "login.example.com/realm");
        assert_eq!(config.user_pools[0].name, "cognito-idp.us-east-1.amazonaws.com/us-east-1_local");
    }

    #[test]
    fn a_provider_is_described_once() {
        let provider = REGISTERED.split("[[user_pool]]").next().unwrap();
        let again = provider.replace("000000000000", "111111111111");
        let complaint = register("[[user_pool]]", &format!("{again}[[user_pool]]")).unwrap_err().to_string();
        assert!(complaint.contains("[[oidc_provider]] \"https://login.example.com/realm\""), "{complaint}");
        let pool = REGISTERED.split("[[user_pool]]").last().unwrap();
        let complaint = register(pool, &format!("{pool}[[user_pool]]{pool}")).unwrap_err().to_string();
        assert!(complaint.contains("twice"), "{complaint}");
    }

    #[test]
    fn a_description_that_cannot_be_true_is_refused_with_its_place_and_the_cure() {
        for (from, to, place, cure) in [
            ("audiences = [\"ours\"]", "audiences = []", "oidc_provider", "1 to 100"),
            ("audiences = [\"ours\"]", "audiences = [\"\"]", "oidc_provider", "none of them empty"),
            ("\"https://login", "\"http://login", "oidc_provider", "issuer must start with https://"),
            ("com/realm\"\n        aud", "com/realm?a=b\"\n        aud", "oidc_provider", "query"),
            (
                "com/realm\"\n        issuer",
                "com/other\"\n        issuer",
                "oidc_provider",
                "arn must be arn:aws:iam",
            ),
            ("iam::000000000000", "iam::12", "oidc_provider", "arn must be arn:aws:iam"),
            ("issuer = \"http://127.0.0.1", "issuer = \"http://10.0.0.1", "user_pool", "issuer must start"),
            (
                "issuer = \"http://127.0.0.1",
                "issuer = \"http://127.0.0.1@evil",
                "user_pool",
                "issuer must start",
            ),
            ("us-east-1.amazonaws.com", "us-east-1.example.com", "user_pool", "name must be cognito-idp"),
            ("[[user_pool]]", "[[user_pool]]\njwks_uri = \"ftp://x\"", "user_pool", "jwks_uri must start"),
        ] {
            let complaint = register(from, to).unwrap_err().to_string();
            assert!(
                complaint.contains(&format!("[[{place}]]")) && complaint.contains(cure),
                "{to}: {complaint}"
            );
        }
        let complaint = register("[[user_pool]]", "colour = 1\n[[user_pool]]").unwrap_err().to_string();
        assert!(complaint.contains("colour"), "{complaint}");
    }
}
