//! Text that must not be seen: it is wiped from memory when dropped, and what prints it shows a
//! placeholder.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::ground::random::Random;

/// A secret string: a client secret, a secret access key, a token on its way through.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// A new secret access key: 40 characters of base64, as AWS's are.
    #[must_use]
    pub fn generate_access_key(random: &dyn Random) -> Self {
        use base64::prelude::{BASE64_STANDARD, Engine};
        Self::new(BASE64_STANDARD.encode(random.bytes::<30>()))
    }

    /// The secret itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::random::SeededRandom;

    #[test]
    fn debug_shows_a_placeholder() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }

    #[test]
    fn generated_secret_access_keys_have_forty_characters() {
        assert_eq!(Secret::generate_access_key(&SeededRandom::new(1)).expose().len(), 40);
    }
}
