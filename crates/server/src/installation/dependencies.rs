//! What an installation is wired of, and why it may not be.

use std::sync::Arc;

use aws_config::SdkConfig;
use daypass_core::audit::Strangers;
use daypass_core::credentials::role::{RoleDocument, RoleError};
use daypass_core::ground::clock::Clock;
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::ground::master_keys::MasterKeys;
use daypass_core::ground::outbound::ProviderHttp;
use daypass_core::ground::random::Random;
use daypass_core::store::{AuditSink, SharedStore, StoreError};
use daypass_core::token::signer::{KeyHolder, SignerError};
use daypass_core::token::signing_key::SigningKeyError;

use crate::config::{Config, ConfigError};
use crate::export::ExportError;
use crate::secrets::{SecretStore, Secrets};
use crate::traces::TracesError;

/// What an installation consists of before it is wired together.
pub struct Dependencies {
    /// What the operator decided.
    pub config: Config,
    /// Roles besides the configured ones; they name the pool, whose ID is known only when the store was asked.
    pub roles: RolesBeside,
    /// Where everything is kept.
    pub store: SharedStore,
    /// The roots of all sealing.
    pub master_keys: Arc<MasterKeys>,
    /// Makes the keys that sign tokens, and holds them.
    pub holder: Arc<dyn KeyHolder>,
    /// The secrets that the configuration refers to.
    pub secrets: Secrets,
    /// Where they were fetched, and are fetched again.
    pub secret_store: Arc<dyn SecretStore>,
    /// The way to the providers.
    pub http: Arc<dyn ProviderHttp>,
    /// The account and the settings at AWS, where the pool is there; those of the environment if it is `None`.
    pub aws: Option<SdkConfig>,
    /// The one place where audit events are kept.
    pub audit_sink: Arc<dyn AuditSink>,
    /// Hears of refusals of people who proved nothing.
    pub strangers: Arc<dyn Strangers>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws IDs, keys and nonces.
    pub random: Arc<dyn Random>,
}

/// Roles besides the configured ones, as they are now, for the pool of the configuration.
pub type RolesBeside = Arc<dyn Fn(&IdentityPoolId) -> Result<Vec<RoleDocument>, ConfigError> + Send + Sync>;

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
    /// A key in use does not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The audit trail cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Nobody can be sent traces.
    #[error(transparent)]
    Traces(#[from] TracesError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
