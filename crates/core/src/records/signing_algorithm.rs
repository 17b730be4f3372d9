//! How tokens are signed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a key signs. It is the key's, and never what the header of a token says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 section 3.3), as Cognito's: whoever takes Cognito's tokens takes it.
    #[default]
    #[serde(rename = "RS512")]
    Rs512,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4). It signs several times as fast.
    #[serde(rename = "ES256")]
    Es256,
}

impl Algorithm {
    /// Every one of them.
    pub const ALL: [Self; 2] = [Self::Rs512, Self::Es256];

    /// Its name (RFC 7518 section 3.1).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
