//! Which installation a command is about: that of `daypass up` in its directory, or that of `daypass serve` with its
//! configuration. The command works on the database beside the running server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{bail, ensure};
use clap::Args;
use daypass_core::audit::{AuditLines, AuditTrail};
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::ground::random::SystemRandom;
use daypass_core::ground::seal::MasterKey;
use daypass_core::records::identity::IdentityPool;
use daypass_core::store::SharedStore;
use daypass_store::SqliteStore;

use crate::config::{Config, Driver, EmbeddedConfig, StoreUrl};
use crate::secrets::{self, AwsSecrets, Secrets};
use crate::telemetry::{self, AuditOutput};
use crate::up::{self, home::Home};
use crate::wire;

/// Where the installation is.
#[derive(Debug, Args)]
pub struct Place {
    /// Where `daypass up` keeps its state
    #[arg(long, default_value = ".daypass", value_name = "DIR", conflicts_with = "installation")]
    dir: PathBuf,
    /// The configuration of `daypass serve`, for its installation
    #[arg(long, value_name = "FILE")]
    installation: Option<PathBuf>,
}

/// An installation that was found.
pub struct Installation {
    /// The file of its store.
    pub database: PathBuf,
    audit_lines: Arc<dyn AuditLines>,
    whose: Whose,
}

/// An installation's memory, opened.
pub struct Opened {
    /// Everything that it keeps.
    pub store: SharedStore,
    installation: Installation,
}

enum Whose {
    Up(Home),
    Serve(Box<Config>),
}

impl Place {
    /// Opens the installation.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn open(&self) -> anyhow::Result<Opened> {
        self.find()?.open()
    }

    /// Opens the installation, of which `serve` may be started later for the first time: its store is made then.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn open_or_make(&self) -> anyhow::Result<Opened> {
        self.find_with(Home::existing)?.open()
    }

    /// The installation with the store that it has. A wrong path makes none.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn find(&self) -> anyhow::Result<Installation> {
        let installation = self.find_with(Home::existing)?;
        ensure!(
            installation.database.exists(),
            "there is no store {}: start Daypass first, or name another --installation",
            installation.database.display()
        );
        Ok(installation)
    }

    /// The installation, whose store is to be replaced, or is lost.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn find_to_restore(&self) -> anyhow::Result<Installation> {
        self.find_with(Home::to_restore)
    }

    fn find_with(&self, home: fn(&Path) -> anyhow::Result<Home>) -> anyhow::Result<Installation> {
        let Some(file) = &self.installation else {
            let home = home(&self.dir)?;
            return Ok(Installation {
                database: home.database(),
                audit_lines: Arc::new(AuditOutput::new(home.audit_log()?)),
                whose: Whose::Up(home),
            });
        };
        let config = Config::read(file)?;
        let StoreUrl::Sqlite(database) = config.store()? else {
            bail!("{}: a store in memory can be seen by nobody but its own process", file.display())
        };
        Ok(Installation {
            database: database.clone(),
            audit_lines: Arc::new(AuditOutput::new(telemetry::stderr()?)),
            whose: Whose::Serve(Box::new(config)),
        })
    }
}

impl Installation {
    /// Opens its store.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn open(self) -> anyhow::Result<Opened> {
        Ok(Opened { store: Arc::new(SqliteStore::open(&self.database)?), installation: self })
    }

    /// An audit trail in a store of this installation.
    pub fn trail_in(&self, store: &SharedStore) -> Arc<AuditTrail> {
        Arc::new(AuditTrail::new(store.clone(), self.audit_lines.clone(), Arc::new(SystemClock)))
    }

    /// The root of all sealing.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn master_key(&self) -> anyhow::Result<MasterKey> {
        match &self.whose {
            Whose::Up(home) => home.master_key(),
            Whose::Serve(config) => {
                let store = AwsSecrets::new(Arc::new(SystemClock));
                let secrets =
                    Secrets::fetch(config.master_key_reference(), &store, secrets::AT_START).await?;
                Ok(config.master_key(&secrets)?)
            }
        }
    }
}

impl Opened {
    /// The audit trail, which hears of what the command does.
    pub fn trail(&self) -> Arc<AuditTrail> {
        self.installation.trail_in(&self.store)
    }

    /// The root of all sealing.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn master_key(&self) -> anyhow::Result<MasterKey> {
        self.installation.master_key().await
    }

    /// The pool that logins lead to, as the server finds it.
    ///
    /// # Errors
    /// The store's.
    pub async fn pool(&self) -> anyhow::Result<IdentityPool> {
        match &self.installation.whose {
            Whose::Up(_) => up::pool(&*self.store, &SystemRandom).await,
            Whose::Serve(config) => {
                let (embedded, provider) = (embedded(config)?, &config.pool.developer_provider);
                Ok(wire::configured_pool(&*self.store, embedded, provider, &SystemRandom).await?)
            }
        }
    }

    /// What policies call a pool.
    ///
    /// # Errors
    /// If the pools are Amazon's.
    pub fn pool_arn(&self, id: &IdentityPoolId) -> anyhow::Result<String> {
        match &self.installation.whose {
            Whose::Up(_) => Ok(up::pool_arn(id)),
            Whose::Serve(config) => {
                let EmbeddedConfig { region, account_id, .. } = embedded(config)?;
                Ok(format!("arn:aws:cognito-identity:{region}:{account_id}:identitypool/{id}"))
            }
        }
    }

    /// The roles that the installation has, beside those that a file brings to `daypass up`.
    pub fn role_names(&self) -> Vec<String> {
        match &self.installation.whose {
            Whose::Up(_) => up::ROLES.map(str::to_owned).into(),
            Whose::Serve(config) => config.roles.iter().map(|role| role.name.to_string()).collect(),
        }
    }
}

fn embedded(config: &Config) -> anyhow::Result<&EmbeddedConfig> {
    match &config.pool.driver {
        Driver::Embedded(pool) => Ok(pool),
        Driver::Cognito(_) => bail!("the pool is Amazon Cognito's, and so are its keys and roles: use IAM"),
    }
}
