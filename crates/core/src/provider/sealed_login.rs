//! Verified logins on their way through a store: sealed, so that nobody but us can have made one.

use serde::{Deserialize, Serialize};

use super::{DisplayUser, VerifiedLogin};
use crate::random::Random;
use crate::seal::{CannotOpen, MasterKey, Sealed, Sealer};

/// Seals verified logins, and opens them again in the same context only.
#[derive(Debug)]
pub struct LoginSealer(Sealer);

#[derive(Serialize, Deserialize)]
struct Contents {
    provider: String,
    external_id: String,
    name: Option<String>,
    avatar: Option<String>,
}

impl LoginSealer {
    /// The sealer of all nodes with this master key.
    #[must_use]
    pub fn new(master_key: &MasterKey) -> Self {
        Self(master_key.sealer("verified login"))
    }

    /// Seals a login. What must not be shown twice was the proof's affair, and stays behind.
    #[must_use]
    pub fn seal(&self, context: &[u8], login: &VerifiedLogin, random: &dyn Random) -> Sealed {
        let contents = Contents {
            provider: login.provider.clone(),
            external_id: login.external_id.clone(),
            name: login.user.name.clone(),
            avatar: login.user.avatar.clone(),
        };
        let plain = serde_json::to_vec(&contents).expect("a login is plain data");
        self.0.seal(context, &plain, random)
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// [`CannotOpen`], whatever the reason.
    pub fn open(&self, context: &[u8], sealed: &Sealed) -> Result<VerifiedLogin, CannotOpen> {
        let plain = self.0.open(context, sealed)?;
        let contents: Contents = serde_json::from_slice(&plain).map_err(|_| CannotOpen)?;
        Ok(VerifiedLogin {
            provider: contents.provider,
            external_id: contents.external_id,
            user: DisplayUser { name: contents.name, avatar: contents.avatar },
            use_once: None,
        })
    }
}
