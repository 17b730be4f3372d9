//! `[[provider]]`: the providers whose logins are accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::secret::Secret;
use daypass_core::login::plain_hosts::PlainHosts;
use daypass_core::login::provider::catalogue;
use daypass_core::login::provider::definition::{ClientAuthentication, Definition, ProofKind, seconds};
use daypass_core::login::provider::load::{self, DefinitionError};
use daypass_core::login::provider::{AppleKey, Identifier, Provider, ProvidersById, RECHECK, is_apple_key};
use serde::Deserialize;

use super::document::Place;
use super::grammar::{DEFINITION, faults};
use super::mistakes::{ConfigError, Mistake};
use super::reading::Reading;
use crate::secrets::{Placed, SecretReference, Secrets};

/// The longest that a yes may be repeated without asking again, in seconds.
const MAX_CACHE: i64 = 300;

const NO_SECRET: &str = "client_secret: missing: say where it is, by { file = \"…\" } or { env = \"…\" }; codes of a \
                         client that has none are redeemed with exchange.client_auth = \"none\"";

/// A provider, by a block of the catalogue and whatever the operator lays over it.
#[derive(Debug, Clone, Deserialize)]
pub struct ProviderConfig {
    /// Its name here, part of every developer user identifier.
    pub id: String,
    /// The block of the catalogue; `id` unless it is given.
    pub catalogue: Option<String>,
    /// Our client there; empty where there are no clients.
    #[serde(default)]
    pub client_id: String,
    /// Other clients of the same app there.
    #[serde(default)]
    pub other_client_ids: Vec<String>,
    /// The number of the app, at providers that know it beside the client ID.
    pub app_id: Option<String>,
    /// That client's secret; at Apple, the private key.
    pub client_secret: Option<SecretReference>,
    /// What else Apple's client secret is made of.
    pub apple: Option<AppleConfig>,
    /// See [`Provider::accept_unbound_access_tokens`].
    #[serde(default)]
    pub accept_unbound_access_tokens: bool,
    /// Whether the sign-in page does not offer it. Whoever names it can use it.
    #[serde(default)]
    pub hidden: bool,
    /// Whether it vouches for actors alone, and nobody signs in by it.
    #[serde(default)]
    pub only_actors: bool,
    /// See [`Provider::identifier`]; one provider at most may be bare.
    #[serde(default)]
    pub identifier: Identifier,
    /// See [`Provider::cache_verified`]; at most five minutes.
    #[serde(default, deserialize_with = "seconds::deserialize")]
    pub cache_verified: Option<i64>,
    /// See [`Provider::recheck`].
    #[serde(default, deserialize_with = "seconds::deserialize")]
    recheck: Option<i64>,
    /// Keys of the definition to replace.
    #[serde(flatten)]
    pub overrides: toml::Table,
    /// What of it may be asked without TLS.
    #[serde(skip)]
    plain_hosts: PlainHosts,
    /// Where the block stands, for whoever has to correct it.
    #[serde(skip)]
    place: Option<Place>,
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

/// Reads the providers. The files of their secrets start from `base`.
pub(super) fn read(reading: &mut Reading<'_>, base: &Path, plain: &PlainHosts) -> Vec<ProviderConfig> {
    let providers = reading.each::<ProviderConfig>("provider").into_iter();
    let mut providers: Vec<ProviderConfig> = providers
        .map(|at| ProviderConfig { place: Some(at.place), plain_hosts: plain.clone(), ..at.value })
        .collect();
    for provider in &mut providers {
        if let Some(secret) = &mut provider.client_secret {
            secret.start_from(base);
        }
    }
    reading.note(providers.iter().flat_map(ProviderConfig::mistakes));
    reading.note(mistakes_between(&providers));
    providers
}

/// Two providers with one ID would share their people; of two with bare identifiers, one could name the other's.
fn mistakes_between(providers: &[ProviderConfig]) -> Vec<Mistake> {
    let (mut mistakes, mut ids, mut bare) = (Vec::new(), BTreeSet::new(), None::<&str>);
    for provider in providers {
        if !ids.insert(&provider.id) {
            mistakes.push(provider.mistake("id: stands there twice; each provider needs an ID of its own"));
        }
        if provider.identifier != Identifier::Bare {
            continue;
        }
        if let Some(other) = bare.replace(&provider.id) {
            mistakes.push(provider.mistake(&format!(
                "identifier: \"{{subject}}\" stands at {other:?} already, and one person could get the other's account: \
                 leave it out here"
            )));
        }
    }
    mistakes
}

impl ProviderConfig {
    /// Its secret, if it has one, and where the configuration says so.
    #[must_use]
    pub fn placed_secret(&self) -> Option<Placed<'_>> {
        let key = || self.mistake("client_secret").to_string();
        self.client_secret.as_ref().map(|reference| Placed { key: key(), reference })
    }

    /// Whether it signs ID tokens. Of a definition with a mistake nobody knows.
    pub(super) fn takes_id_tokens(&self) -> bool {
        self.definition().map_or(true, |definition| definition.id_token.is_some())
    }

    /// The provider, its definition complete and its secret read.
    ///
    /// # Errors
    /// [`ConfigError`], for whatever is wrong with it.
    pub fn load(&self, secrets: &Secrets) -> Result<Provider, ConfigError> {
        ConfigError::unless_empty(self.mistakes())?;
        let secret = self.client_secret.as_ref().map(|reference| secrets.get(reference)).transpose();
        let secret = secret.map_err(|error| self.mistake(&format!("client_secret: {error}")))?;
        let definition = self.definition().map_err(|error| self.mistake(&error.to_string()))?;
        self.check_apple(&definition, secret.as_ref())?;
        Ok(Provider {
            id: self.id.clone(),
            client_id: self.client_id.clone(),
            other_client_ids: self.other_client_ids.clone(),
            app_id: self.app_id.clone(),
            catalogue: catalogue::find(self.block()).map(|_| self.block().to_owned()),
            only_actors: self.only_actors,
            client_secret: secret,
            apple: self.apple.clone().map(|AppleConfig { team_id, key_id }| AppleKey { team_id, key_id }),
            accept_unbound_access_tokens: self.accept_unbound_access_tokens,
            identifier: self.identifier,
            cache_verified: self.cache_verified.map(SignedDuration::from_secs),
            recheck: self.recheck.map_or(RECHECK, SignedDuration::from_secs),
            definition: definition.into(),
        })
    }

    /// Apple's secret is a key, and what it is made of has to be there before the first login asks for it.
    fn check_apple(&self, definition: &Definition, secret: Option<&Secret>) -> Result<(), Mistake> {
        let exchange = definition.exchange.as_ref().filter(|_| definition.accept.contains(&ProofKind::Code));
        if exchange.is_none_or(|exchange| exchange.client_auth != ClientAuthentication::AppleJwt) {
            return Ok(());
        }
        if self.apple.is_none() {
            return Err(self.mistake(
                "apple: missing: { team_id = \"…\", key_id = \"…\" }, as Apple's portal names them",
            ));
        }
        if !secret.is_some_and(is_apple_key) {
            return Err(self.mistake(
                "client_secret: is no key of Sign in with Apple: it has to be the .p8 file, as it was downloaded",
            ));
        }
        Ok(())
    }

    /// The block of the catalogue that it begins with.
    #[must_use]
    pub fn block(&self) -> &str {
        self.catalogue.as_deref().unwrap_or(&self.id)
    }

    /// What it is, whatever its secret is.
    ///
    /// # Errors
    /// [`DefinitionError`], which no configuration that was read has.
    pub fn definition(&self) -> Result<Definition, DefinitionError> {
        Definition::from_catalogue_beside(self.block(), self.overrides.clone(), &self.plain_hosts)
    }

    /// What is wrong with it, whatever its secret is.
    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        // A colon could make it another one's with a longer external ID.
        if self.id.is_empty() || !self.id.bytes().all(allowed) {
            mistakes.push(self.mistake("id: use letters, digits, `-` and `_` only"));
        }
        if self.cache_verified.is_some_and(|seconds| seconds > MAX_CACHE) {
            mistakes.push(self.mistake("cache_verified: at most 5m, because a revoked token works as long"));
        }
        match self.definition() {
            Ok(definition) => mistakes.extend(self.mistakes_beside(&definition)),
            Err(error) => mistakes.extend(self.mistakes_of_definition(&error)),
        }
        mistakes
    }

    fn mistakes_beside(&self, definition: &Definition) -> Vec<Mistake> {
        let client = definition.check_client(&self.client_id, &self.other_client_ids, self.app_id.as_deref());
        let joined = self.identifier == Identifier::Bare && definition.joins_subject();
        let joined = joined.then(|| {
            self.mistake("identifier: \"{subject}\" is not for a `subject` of several values: leave it out")
        });
        let secret = definition.needs_client_secret() && self.client_secret.is_none();
        let secret = secret.then(|| self.mistake(NO_SECRET));
        client
            .err()
            .map(|error| self.mistake(&error.to_string()))
            .into_iter()
            .chain(joined)
            .chain(secret)
            .collect()
    }

    /// What the vocabulary shows to be wrong is all told; what contradicts itself, the first of it.
    fn mistakes_of_definition(&self, error: &DefinitionError) -> Vec<Mistake> {
        let first = || match error {
            DefinitionError::Unknown { .. } if self.catalogue.is_none() => {
                self.mistake(&format!("id: {error}"))
            }
            DefinitionError::Unknown { .. } => self.mistake(&format!("catalogue: {error}")),
            DefinitionError::Invalid(text) => self.mistake(text),
        };
        let whole = load::laid_over_catalogue(self.block(), self.overrides.clone()).ok();
        let faults = whole.map(|whole| faults(&DEFINITION, &whole)).unwrap_or_default();
        if faults.is_empty() {
            return vec![first()];
        }
        faults.iter().map(|(steps, cure)| self.mistake(&format!("{}: {cure}", steps.join(".")))).collect()
    }

    /// A mistake whose text begins with the key that it is about.
    pub(super) fn mistake(&self, text: &str) -> Mistake {
        match &self.place {
            Some(place) => place.mistake_below(text),
            None => Mistake::elsewhere(format!("[[provider]] id = {:?}: {text}", self.id)),
        }
    }
}

/// The providers, by ID, their definitions complete and their secrets read.
///
/// # Errors
/// [`ConfigError`] for all mistakes.
pub fn load_providers(configs: &[ProviderConfig], secrets: &Secrets) -> Result<ProvidersById, ConfigError> {
    let (mut providers, mut mistakes) = (BTreeMap::new(), mistakes_between(configs));
    for config in configs {
        match config.load(secrets) {
            Ok(provider) => drop(providers.insert(config.id.clone(), Arc::new(provider))),
            Err(error) => mistakes.extend(error.into_mistakes()),
        }
    }
    ConfigError::unless_empty(mistakes)?;
    Ok(providers)
}
