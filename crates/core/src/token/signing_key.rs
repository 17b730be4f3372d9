//! A key that signs tokens. It lies in the store, the private half sealed under the master key.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom as AwsLcRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Serialize;

use crate::ground::clock::Timestamp;
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::Random;
use crate::ground::seal::{Sealer, WrongMasterKey};
use crate::records::signing_algorithm::Algorithm;
use crate::store::{StoreError, StoredSigningKey};

/// Why the signing keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored key was sealed under a master key that is not there.
    #[error("signing key {0} does not open: {1}")]
    WrongMasterKey(String, #[source] WrongMasterKey),
    /// What was sealed is not a key of the algorithm.
    #[error("signing key {0} is damaged")]
    Damaged(String),
}

impl From<SigningKeyError> for StoreError {
    fn from(error: SigningKeyError) -> Self {
        match error {
            SigningKeyError::Store(error) => error,
            SigningKeyError::WrongMasterKey(..) | SigningKeyError::Damaged(_) => Self::Corrupt(error.into()),
        }
    }
}

/// One key pair.
pub struct SigningKey {
    key_id: String,
    pair: Pair,
    signs_from: Timestamp,
}

enum Pair {
    Rsa(rsa::KeyPair),
    Ecdsa(EcdsaKeyPair),
}

/// A public key as a JWK (RFC 7517 section 4).
#[derive(Debug, Serialize)]
pub struct Jwk {
    kty: &'static str,
    alg: &'static str,
    r#use: &'static str,
    kid: String,
    #[serde(flatten)]
    public: PublicKey,
}

/// The members that are the key (RFC 7518 sections 6.2.1 and 6.3.1).
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum PublicKey {
    Rsa { n: String, e: String },
    Ec { crv: &'static str, x: String, y: String },
}

/// What seals the private halves.
#[must_use]
pub fn sealer(master_keys: &MasterKeys) -> Sealer {
    master_keys.sealer("signing key")
}

impl SigningKey {
    /// A new key, sealed.
    #[must_use]
    pub fn generate(
        key_id: String,
        algorithm: Algorithm,
        [created_at, signs_from]: [Timestamp; 2],
        sealer: &Sealer,
        random: &dyn Random,
    ) -> StoredSigningKey {
        let pkcs8 = new_pkcs8(algorithm).expect("aws-lc makes a key or aborts");
        StoredSigningKey {
            sealed_private_key: sealer.seal(key_id.as_bytes(), &pkcs8, random),
            key_id,
            algorithm,
            created_at,
            signs_from,
        }
    }

    /// Opens a key that is stored.
    ///
    /// # Errors
    /// [`SigningKeyError::WrongMasterKey`], or [`SigningKeyError::Damaged`].
    pub fn open(stored: &StoredSigningKey, sealer: &Sealer) -> Result<Self, SigningKeyError> {
        let key_id = stored.key_id.clone();
        let Ok(pkcs8) = sealer.open(key_id.as_bytes(), &stored.sealed_private_key) else {
            return Err(SigningKeyError::WrongMasterKey(key_id, (&stored.sealed_private_key).into()));
        };
        match Pair::of_pkcs8(stored.algorithm, &pkcs8) {
            Ok(pair) => Ok(Self { key_id, pair, signs_from: stored.signs_from }),
            Err(_) => Err(SigningKeyError::Damaged(key_id)),
        }
    }

    /// The `kid` of its tokens.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Rsa(_) => Algorithm::Rs512,
            Pair::Ecdsa(_) => Algorithm::Es256,
        }
    }

    /// When it signs, if no later one does.
    #[must_use]
    pub fn signs_from(&self) -> Timestamp {
        self.signs_from
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).expect("a whole key pair signs any message")
    }

    /// Whether this key made `signature` over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.pair.verify(message, signature).is_ok()
    }

    /// The public half (RFC 7517).
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        let kty = match self.pair {
            Pair::Rsa(_) => "RSA",
            Pair::Ecdsa(_) => "EC",
        };
        let (alg, kid) = (self.algorithm().name(), self.key_id.clone());
        Jwk { kty, alg, r#use: "sig", kid, public: self.pair.public() }
    }
}

fn new_pkcs8(algorithm: Algorithm) -> Result<zeroize::Zeroizing<Vec<u8>>, Unspecified> {
    let pkcs8 = match algorithm {
        Algorithm::Rs512 => rsa::KeyPair::generate(KeySize::Rsa2048)?.as_der()?.as_ref().to_vec(),
        Algorithm::Es256 => {
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec()
        }
    };
    Ok(zeroize::Zeroizing::new(pkcs8))
}

impl Pair {
    fn of_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, KeyRejected> {
        match algorithm {
            Algorithm::Rs512 => rsa::KeyPair::from_pkcs8(pkcs8).map(Self::Rsa),
            Algorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Self::Ecdsa)
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA512, &AwsLcRandom::new(), message, &mut signature)?;
                Ok(signature)
            }
            Self::Ecdsa(pair) => Ok(pair.sign(&AwsLcRandom::new(), message)?.as_ref().to_vec()),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Unspecified> {
        match self {
            Self::Rsa(pair) => {
                UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA512, pair.public_key())
                    .verify(message, signature)
            }
            Self::Ecdsa(pair) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key()).verify(message, signature)
            }
        }
    }

    fn public(&self) -> PublicKey {
        let encoded = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(pair) => {
                let public = pair.public_key();
                PublicKey::Rsa {
                    n: encoded(public.modulus().big_endian_without_leading_zero()),
                    e: encoded(public.exponent().big_endian_without_leading_zero()),
                }
            }
            Self::Ecdsa(pair) => {
                // An uncompressed point: 4, and both coordinates in 32 bytes each (SEC 1, section 2.3.3).
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                PublicKey::Ec { crv: "P-256", x: encoded(x), y: encoded(y) }
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
