//! An installation for production, as `daypass serve` and Lambda run it: wired from a configuration file, with
//! nothing in it that is for development.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::random::SystemRandom;
use daypass_core::store::SharedStore;
use daypass_core::store::memory::MemoryStore;
use daypass_store::SqliteStore;

pub use crate::config::Instances;
use crate::config::{Config, StoreUrl};
use crate::provider_http::{Limits, Reach, ReqwestHttp};
use crate::secrets::{self, AwsSecrets, Secrets};
use crate::telemetry::{self, AuditOutput};
use crate::warnings;
use crate::wire::{App, Ingredients};

/// Wires the installation of a configuration file.
///
/// # Errors
/// In words for the operator, with the cure.
pub async fn wire(file: &Path, instances: Instances) -> anyhow::Result<Arc<App>> {
    let config = Config::read(file)?;
    // Whatever can be wrong comes before the store is opened, which makes it.
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let secret_store = Arc::new(AwsSecrets::new(clock.clone()));
    let secrets = Secrets::fetch(config.secret_references(), &*secret_store, secrets::AT_START).await?;
    config.check_secrets(&secrets)?;
    warnings::log(warnings::of_production(&config, instances));
    let reach = Reach::with(config.network.allow_private.iter().cloned());
    let app = App::wire(Ingredients {
        store: open_store(config.store()?, instances)?,
        master_key: config.master_key(&secrets)?,
        secrets,
        secret_store,
        http: Arc::new(ReqwestHttp::new(Limits::default(), reach, clock.clone(), random.clone())?),
        aws: None,
        audit_lines: Arc::new(AuditOutput::new(telemetry::stdout()?)),
        playground: None,
        roles: |_| Vec::new(),
        config,
        clock,
        random,
    });
    Ok(Arc::new(app.await?))
}

fn open_store(url: &StoreUrl, instances: Instances) -> anyhow::Result<SharedStore> {
    Ok(match (url, instances) {
        (StoreUrl::Sqlite(file), Instances::One) => Arc::new(SqliteStore::open(file)?),
        (StoreUrl::Sqlite(_), Instances::Many) => bail!(
            "[store] url: instances of a function share no disk; use \"memory:\" with driver = \"cognito\", whose \
             identities are Amazon's to keep"
        ),
        (StoreUrl::Memory, Instances::One) => Arc::new(MemoryStore::new()),
        (StoreUrl::Memory, Instances::Many) => Arc::new(MemoryStore::of_one_among_many()),
    })
}

/// Where the configuration is, unless somebody says: beside the program on Lambda, else in the working directory.
#[must_use]
pub fn default_config() -> PathBuf {
    let named = std::env::var_os("DAYPASS_CONFIG").map(PathBuf::from);
    let beside = || std::env::var_os("LAMBDA_TASK_ROOT").map(PathBuf::from).unwrap_or_default();
    named.unwrap_or_else(|| beside().join("daypass.toml"))
}
