//! `[tokens.pkcs11]`: the hardware security module that the keys that sign tokens are in.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ConfigError;
use super::secret;
use crate::pkcs11::Place;
use crate::secrets::{Placed, SecretReference, Secrets};

/// Where the keys are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11Config {
    module: PathBuf,
    token: String,
    pin: SecretReference,
}

const PIN: &str = "[tokens.pkcs11] pin";

impl Pkcs11Config {
    /// Has relative paths start from where the configuration is.
    pub(super) fn start_from(&mut self, base: &Path) {
        self.module = base.join(&self.module);
        self.pin.start_from(base);
    }

    /// The PIN, and where that is said.
    pub(super) fn placed_pin(&self) -> Placed<'_> {
        Placed { key: PIN.to_owned(), reference: &self.pin }
    }

    /// The same, with the PIN.
    ///
    /// # Errors
    /// [`ConfigError`], if its reference leads nowhere.
    pub fn place(&self, secrets: &Secrets) -> Result<Place, ConfigError> {
        let pin = secret(&self.pin, PIN, secrets)?;
        Ok(Place { module: self.module.clone(), token: self.token.clone(), pin })
    }
}
