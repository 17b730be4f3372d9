//! What is kept of a key in a module.

use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::token::public_key::PublicKey;
use daypass_core::token::signer::KeptKey;
use serde::{Deserialize, Serialize};

/// What leads to the key, and what verifies what it signs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Its `CKA_ID`.
    pub(super) id: Vec<u8>,
    pub(super) public: PublicKey,
}

/// The same as JSON, which no private half in PKCS #8 begins like; bytes in base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    pkcs11_id: String,
    public: Public,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Public {
    Rsa { modulus: String, exponent: String },
    P256 { point: String },
}

impl Kept {
    pub(super) fn write(&self) -> KeptKey {
        let encoded = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        let public = match &self.public {
            PublicKey::Rsa { modulus, exponent } => {
                Public::Rsa { modulus: encoded(modulus), exponent: encoded(exponent) }
            }
            PublicKey::Ecdsa(point) => Public::P256 { point: encoded(point) },
        };
        let written = Written { pkcs11_id: encoded(&self.id), public };
        KeptKey::new(serde_json::to_vec(&written).expect("texts are plain data"))
    }

    pub(super) fn read(kept: &[u8]) -> Option<Self> {
        let Written { pkcs11_id, public } = serde_json::from_slice(kept).ok()?;
        let decoded = |text: String| BASE64_STANDARD.decode(text).ok();
        let public = match public {
            Public::Rsa { modulus, exponent } => PublicKey::of_rsa(&decoded(modulus)?, &decoded(exponent)?),
            Public::P256 { point } => PublicKey::of_point(&decoded(point)?),
        };
        Some(Self { id: decoded(pkcs11_id)?, public: public? })
    }
}

#[cfg(test)]
mod tests {
    use daypass_core::records::signing_algorithm::Algorithm;
    use daypass_core::token::local_keys::LocalKeys;
    use daypass_core::token::signer::KeyHolder;

    use super::*;

    #[test]
    fn what_is_kept_is_read_as_it_was_written_and_a_private_half_is_none_of_it() {
        for algorithm in [Algorithm::Rs512, Algorithm::Es256] {
            let private = LocalKeys::generate(algorithm);
            assert_eq!(Kept::read(&private), None);
            let public = LocalKeys.signer(algorithm, &private).unwrap().public_key().clone();
            let written = Kept { id: vec![0, 255], public: public.clone() }.write();
            assert_eq!(Kept::read(&written), Some(Kept { id: vec![0, 255], public }));
            assert_eq!(Kept::read(&written[1..]), None);
        }
    }
}
