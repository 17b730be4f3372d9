//! An installation for production, as `daypass serve` and Lambda run it: wired from a configuration file, with
//! nothing in it that is for development.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::random::SystemRandom;
use daypass_core::ground::seal::MasterKey;
use daypass_core::ground::secret::Secret;
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
    let config = Config::read(file).with_context(|| format!("{} cannot be used", file.display()))?;
    check_public_url(&config.public_url)?;
    // Whatever can be wrong comes before the store is opened, which makes it.
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let secret_store = Arc::new(AwsSecrets::new(clock.clone()));
    let secrets = Secrets::fetch(config.secret_references(), &*secret_store, secrets::AT_START).await?;
    let master_key = master_key(&config, &secrets)?;
    warnings::log(warnings::of_production(&config, instances));
    let reach = Reach::with(config.network.allow_private.iter().cloned());
    let app = App::wire(Ingredients {
        store: open_store(config.store()?, instances)?,
        master_key,
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

/// The login page's cookies live only where the browser believes the address, and codes travel to it.
fn check_public_url(url: &str) -> anyhow::Result<()> {
    let development = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    ensure!(
        url.starts_with("https://") || development.iter().any(|local| url.starts_with(local)),
        "public_url = {url:?}: people sign in there, so it must start with https:// (let a proxy or a load balancer \
         end TLS in front of Daypass)"
    );
    Ok(())
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

/// The root of all sealing.
///
/// # Errors
/// If it is not there, or no key.
pub(crate) fn master_key(config: &Config, secrets: &Secrets) -> anyhow::Result<MasterKey> {
    let text = config.read_master_key(secrets)?;
    parse_master_key(&text).context(
        "master_key: this is not the base64 of 32 bytes; `openssl rand -base64 32` makes a key, which every \
         instance has to be given, and which has to be kept: what it sealed cannot be opened without it",
    )
}

/// Reads a master key as it is kept: 32 bytes in base64.
pub(crate) fn parse_master_key(text: &Secret) -> Option<MasterKey> {
    let bytes = BASE64_STANDARD.decode(text.expose()).ok()?;
    Some(MasterKey::new(bytes.try_into().ok()?))
}

/// Where the configuration is, unless somebody says: beside the program on Lambda, else in the working directory.
#[must_use]
pub fn default_config() -> PathBuf {
    let named = std::env::var_os("DAYPASS_CONFIG").map(PathBuf::from);
    let beside = || std::env::var_os("LAMBDA_TASK_ROOT").map(PathBuf::from).unwrap_or_default();
    named.unwrap_or_else(|| beside().join("daypass.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_sign_in_over_tls() {
        for good in ["https://login.example.com", "http://127.0.0.1:9400", "http://localhost:80"] {
            assert!(check_public_url(good).is_ok(), "{good}");
        }
        for bad in
            ["http://login.example.com", "http://127.0.0.1.evil.example", "http://localhost.evil.example:1"]
        {
            assert!(check_public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_master_key_is_32_bytes() {
        let key = |length: usize| Secret::new(BASE64_STANDARD.encode(vec![7; length]));
        assert_eq!(parse_master_key(&key(32)).unwrap().expose(), &[7; 32]);
        for length in [0, 16, 31, 33] {
            assert!(parse_master_key(&key(length)).is_none(), "{length}");
        }
        assert!(parse_master_key(&Secret::new("no base64!")).is_none());
    }
}
