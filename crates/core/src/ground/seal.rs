//! Sealing: what leaves our hands but must come back unread and unchanged. Session tokens travel
//! sealed, private keys and developer secrets lie sealed in the store.
//!
//! One master key, from which each purpose derives a key of its own (HKDF-SHA-256, RFC 5869), so that a
//! sealed value of one purpose never opens as another. The cipher is AES-256-GCM-SIV (RFC 8452): a nonce
//! drawn twice by accident reveals no more than that two values were equal.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::ground::random::Random;

/// Bytes that only the sealer of their purpose can open: version, nonce, ciphertext, tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed(pub Vec<u8>);

/// The value was sealed under another key, for another purpose or context, or was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open under this key")]
pub struct CannotOpen;

const VERSION: u8 = 1;

/// The root of all sealing: 32 random bytes that the operator keeps.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Wraps key material.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self::new(random.bytes())
    }

    /// The key material, to be written where only the operator can read.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this is that key.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }

    /// The sealer of one purpose.
    #[must_use]
    pub fn sealer(&self, purpose: &'static str) -> Sealer {
        let info = [purpose.as_bytes()];
        let root = self.root();
        let key = root.expand(&info, &AES_256_GCM_SIV).expect("a cipher key is shorter than HKDF's limit");
        Sealer { key: LessSafeKey::new(UnboundKey::from(key)) }
    }

    /// The key that authenticates what everybody may read, for one purpose (HMAC-SHA-256, RFC 2104).
    #[must_use]
    pub fn authenticator(&self, purpose: &'static str) -> hmac::Key {
        let info = [purpose.as_bytes()];
        let root = self.root();
        let key = root.expand(&info, hmac::HMAC_SHA256).expect("a hash is shorter than HKDF's limit");
        hmac::Key::from(key)
    }

    /// Bytes that only this key leads to, for one purpose.
    #[must_use]
    pub fn seed(&self, purpose: &'static str) -> Zeroizing<[u8; 32]> {
        struct Length;
        impl hkdf::KeyType for Length {
            fn len(&self) -> usize {
                32
            }
        }
        let info = [purpose.as_bytes()];
        let root = self.root();
        let key = root.expand(&info, Length).expect("a seed is shorter than HKDF's limit");
        let mut seed = Zeroizing::new([0; 32]);
        key.fill(&mut *seed).expect("the length is the one that was asked for");
        seed
    }

    fn root(&self) -> hkdf::Prk {
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"daypass").extract(&*self.0)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Seals and opens values of one purpose.
pub struct Sealer {
    key: LessSafeKey,
}

impl Sealer {
    /// Seals `plain`. It opens again only with the same `context`, which is not part of the result.
    #[must_use]
    pub fn seal(&self, context: &[u8], plain: &[u8], random: &dyn Random) -> Sealed {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut body = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut body)
            .expect("a value in memory is shorter than the cipher's limit");
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Sealed(sealed)
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// [`CannotOpen`], whatever the reason: an attacker learns nothing from which check failed.
    pub fn open(&self, context: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let (&version, rest) = sealed.0.split_first().ok_or(CannotOpen)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(CannotOpen)?;
        if version != VERSION {
            return Err(CannotOpen);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CannotOpen)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length =
            self.key.open_in_place(nonce, Aad::from(context), &mut body).map_err(|_| CannotOpen)?.len();
        body.truncate(length);
        Ok(body)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::random::SeededRandom;

    #[test]
    fn a_sealed_value_opens_only_with_its_key_purpose_and_context() {
        let random = SeededRandom::new(1);
        let master = MasterKey::generate(&random);
        let sealed = master.sealer("a").seal(b"context", b"secret", &random);

        assert_eq!(&**master.sealer("a").open(b"context", &sealed).unwrap(), b"secret");
        assert_eq!(master.sealer("b").open(b"context", &sealed), Err(CannotOpen));
        assert_eq!(master.sealer("a").open(b"other", &sealed), Err(CannotOpen));
        let other = MasterKey::generate(&random);
        assert_eq!(other.sealer("a").open(b"context", &sealed), Err(CannotOpen));
        assert!(!other.is(&master) && master.is(&MasterKey::new(*master.expose())));
    }

    #[test]
    fn every_single_changed_or_missing_byte_is_noticed() {
        let random = SeededRandom::new(2);
        let sealer = MasterKey::generate(&random).sealer("a");
        let sealed = sealer.seal(b"", b"secret", &random);
        for at in 0..sealed.0.len() {
            let mut changed = sealed.clone();
            changed.0[at] ^= 1;
            assert_eq!(sealer.open(b"", &changed), Err(CannotOpen), "byte {at}");
            assert_eq!(sealer.open(b"", &Sealed(sealed.0[..at].to_vec())), Err(CannotOpen), "cut at {at}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let master = MasterKey::new([0x41; 32]);
        assert_eq!(format!("{master:?} {:?}", master.sealer("a")), "MasterKey(…) Sealer(…)");
    }
}
