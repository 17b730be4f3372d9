//! Where secrets come from: a file, the environment, AWS Systems Manager Parameter Store or AWS Secrets Manager; a master key
//! may be wrapped there by AWS KMS. AWS is asked once before anything starts, and again when a request finds that the answers
//! are old.

mod aws;
mod aws_json;
mod kms;
mod refresh;
mod shown;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use daypass_core::ground::secret::Secret;
use serde::Deserialize;
use toml::Value;

pub use self::aws::AwsSecrets;
pub use self::kms::KmsKey;
pub use self::refresh::{Interval, Refresher, keep_fresh};

/// What fetching all secrets may take at the start, for which Lambda gives a function ten seconds.
pub const AT_START: Duration = Duration::from_secs(8);

/// Where a secret is kept: never in the configuration itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretReference {
    /// A file that holds nothing else. White space around the secret is left out.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A parameter of AWS Systems Manager Parameter Store, by its name or its ARN.
    Ssm(String),
    /// A secret of AWS Secrets Manager, by its name or its ARN; after a `#`, the key of a secret that is JSON.
    SecretsManager(String),
    /// A master key in base64 that AWS KMS wrapped.
    #[serde(skip)]
    Wrapped {
        /// Where the wrapped key is, which is no secret.
        at: Box<Self>,
        /// What it is wrapped under.
        kms: KmsKey,
    },
}

impl SecretReference {
    /// Has the relative path of a file start from where its configuration is.
    pub(crate) fn start_from(&mut self, base: &Path) {
        match self {
            Self::File(file) => *file = base.join(&*file),
            Self::Wrapped { at, .. } => at.start_from(base),
            Self::Env(_) | Self::Ssm(_) | Self::SecretsManager(_) => {}
        }
    }

    fn is_remote(&self) -> bool {
        matches!(self, Self::Ssm(_) | Self::SecretsManager(_) | Self::Wrapped { .. })
    }
}

/// A reference, and the key of the configuration that it stands at. Whatever goes wrong is told with the key: at a name,
/// somebody may have typed the secret itself.
#[derive(Debug, Clone)]
pub struct Placed<'a> {
    /// The key, with its table.
    pub key: String,
    /// The reference.
    pub reference: &'a SecretReference,
}

/// As it stands in the configuration.
impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{{ file = {} }}", Value::from(&*file.to_string_lossy())),
            Self::Env(variable) => write!(f, "{{ env = {} }}", Value::from(&**variable)),
            Self::Ssm(name) => write!(f, "{{ ssm = {} }}", Value::from(&**name)),
            Self::SecretsManager(name) => write!(f, "{{ secrets_manager = {} }}", Value::from(&**name)),
            Self::Wrapped { at, kms } => {
                let at = at.to_string();
                write!(f, "{}, kms = \"{kms}\" }}", at.trim_end_matches(" }"))
            }
        }
    }
}

/// What is to be said of the files among these references that everybody can read.
pub fn exposures<'a>(references: impl IntoIterator<Item = &'a SecretReference>) -> Vec<String> {
    let files = references.into_iter().filter_map(|reference| match reference {
        SecretReference::File(file) => Some(file),
        SecretReference::Env(_)
        | SecretReference::Ssm(_)
        | SecretReference::SecretsManager(_)
        | SecretReference::Wrapped { .. } => None,
    });
    files.filter_map(|file| exposure(file)).collect()
}

/// What is to be said of the file of a secret that everybody can read.
pub(crate) fn exposure(file: &Path) -> Option<String> {
    exposure_of(file, "a secret")
}

/// What is to be said of a file that everybody can read. A group may: systemd lets a service have its credentials that
/// way (an access control list shows as the rights of the group), and so does Kubernetes (`fsGroup`).
pub(crate) fn exposure_of(file: &Path, what: &str) -> Option<String> {
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    (mode & 0o007 != 0).then(|| {
        format!(
            "{file} holds {what}, and every user of this machine can get at it (mode {:03o}): `chmod 600 {file}`",
            mode & 0o777,
            file = file.display()
        )
    })
}

/// Why a secret cannot be had. No message repeats a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read {file}: {source}; {cure}", file = shown::path(file), cure = cure_of_file(file))]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds nothing, which anybody could show.
    #[error("{file} is empty", file = .0.display())]
    Empty(PathBuf),
    /// The environment does not have it.
    #[error("the environment variable {variable} is not set; {CURE}", variable = shown::variable(.0))]
    Variable(String),
    /// It was not among those that were fetched.
    #[error("it was not fetched from AWS")]
    NotFetched,
}

const CURE: &str = "the configuration says where a secret is, and never the secret itself";

/// Where systemd has copies of credentials for a service (systemd.exec, `LoadCredential=`).
const OF_SYSTEMD: &str = "/run/credentials";

fn cure_of_file(file: &Path) -> &'static str {
    if file.starts_with(OF_SYSTEMD) {
        "systemd has it there only while the service runs: name a configuration that leads to the original (docs/self-host.md, \
         \"Commands while it is stopped\")"
    } else {
        CURE
    }
}

/// Why secrets could not be fetched, one sentence for each, with the cure.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct FetchError(Vec<String>);

/// Fetches secrets from where somebody else keeps them.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// Reads one secret.
    ///
    /// # Errors
    /// In words for the operator, without the reference: the caller names the key that it stands at.
    async fn read(&self, reference: &SecretReference) -> Result<Secret, String>;
}

/// The secrets that had to be fetched, and the way to all others.
#[derive(Debug, Default)]
pub struct Secrets(BTreeMap<SecretReference, Secret>);

impl Secrets {
    /// Fetches what these references need to have fetched, all of it at the same time. Nobody is asked for nothing.
    ///
    /// # Errors
    /// [`FetchError`], which names the key of every reference that failed.
    pub async fn fetch<'a>(
        references: impl IntoIterator<Item = Placed<'a>>,
        store: &dyn SecretStore,
        within: Duration,
    ) -> Result<Self, FetchError> {
        let read = async |(reference, keys): (&SecretReference, Vec<String>)| {
            let read = tokio::time::timeout(within, store.read(reference)).await;
            let read = read.unwrap_or_else(|_| {
                Err(format!("AWS did not answer within {within:?}; {}", aws_json::NO_WAY))
            });
            read.map(|secret| (reference.clone(), secret))
                .map_err(|error| format!("{}: {error}", keys.join(" and ")))
        };
        let mut secrets = BTreeMap::new();
        let mut errors = Vec::new();
        for read in futures::future::join_all(remote(references).into_iter().map(read)).await {
            match read {
                Ok((reference, secret)) => drop(secrets.insert(reference, secret)),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Self(secrets)) } else { Err(FetchError(errors)) }
    }

    /// The secret.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn get(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        match reference {
            SecretReference::File(file) => match std::fs::read_to_string(file) {
                Ok(text) if text.trim().is_empty() => Err(SecretError::Empty(file.clone())),
                Ok(text) => Ok(Secret::new(text.trim())),
                Err(source) => Err(SecretError::File { file: file.clone(), source }),
            },
            SecretReference::Env(variable) => match std::env::var(variable) {
                Ok(text) if !text.trim().is_empty() => Ok(Secret::new(text.trim())),
                _ => Err(SecretError::Variable(variable.clone())),
            },
            SecretReference::Ssm(_)
            | SecretReference::SecretsManager(_)
            | SecretReference::Wrapped { .. } => {
                self.0.get(reference).cloned().ok_or(SecretError::NotFetched)
            }
        }
    }

    /// Whether any had to be fetched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What has to be fetched, each once, and the keys that want it.
fn remote<'a>(
    references: impl IntoIterator<Item = Placed<'a>>,
) -> BTreeMap<&'a SecretReference, Vec<String>> {
    let mut wanted = BTreeMap::<_, Vec<_>>::new();
    for Placed { key, reference } in references.into_iter().filter(|placed| placed.reference.is_remote()) {
        wanted.entry(reference).or_default().push(key);
    }
    wanted
}
