//! The keys that sign our OpenID tokens. They live in the store, the private half sealed under the
//! master key, so that every node signs with the same key and a restart changes nothing.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom as AwsLcRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, UnparsedPublicKey};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Serialize;

use crate::ground::clock::Clock;
use crate::ground::ids::Region;
use crate::ground::random::Random;
use crate::ground::seal::{MasterKey, Sealer};
use crate::store::{Keys, StoreError, StoredSigningKey};

/// The algorithm of every key: RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 section 3.3), as Cognito's.
pub const ALGORITHM: &str = "RS512";

/// Why the signing keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored key was sealed under another master key.
    #[error(
        "signing key {0} does not open: the master key is not the one it was sealed under; bring that one back from where \
         you keep a copy"
    )]
    WrongMasterKey(String),
    /// What was sealed is not a key.
    #[error("signing key {0} is damaged")]
    Damaged(String),
}

/// All keys whose signatures we stand by; the newest one signs.
#[derive(Debug)]
pub struct SigningKeys(Vec<SigningKey>);

impl SigningKeys {
    /// Opens the keys in the store, making the first one if there is none.
    ///
    /// # Errors
    /// [`SigningKeyError`], above all a master key that does not fit the store.
    pub async fn load(
        store: &dyn Keys,
        master_key: &MasterKey,
        region: &Region,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Self, SigningKeyError> {
        let mut stored = store.list_signing_keys().await?;
        if stored.is_empty() {
            let candidate = generate(&sealer(master_key), region, clock, random);
            stored = store.list_or_add_signing_keys(&candidate).await?;
        }
        Self::open(&stored, master_key)
    }

    /// Opens keys that are stored.
    ///
    /// # Errors
    /// [`SigningKeyError`], above all a master key that does not fit them.
    pub fn open(stored: &[StoredSigningKey], master_key: &MasterKey) -> Result<Self, SigningKeyError> {
        let sealer = sealer(master_key);
        stored.iter().map(|key| SigningKey::open(key, &sealer)).collect::<Result<_, _>>().map(Self)
    }

    /// The key that signs.
    #[must_use]
    pub fn active(&self) -> &SigningKey {
        self.0.last().expect("load makes a key where there is none")
    }

    /// The key with this `kid`.
    #[must_use]
    pub fn find(&self, key_id: &str) -> Option<&SigningKey> {
        self.0.iter().find(|key| key.key_id == key_id)
    }

    /// The public halves as a JWK set (RFC 7517 section 5).
    #[must_use]
    pub fn jwk_set(&self) -> JwkSet {
        JwkSet { keys: self.0.iter().map(SigningKey::jwk).collect() }
    }
}

fn sealer(master_key: &MasterKey) -> Sealer {
    master_key.sealer("signing key")
}

/// A JWK set (RFC 7517 section 5).
#[derive(Debug, Serialize)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

/// An RSA public key as a JWK (RFC 7518 section 6.3.1).
#[derive(Debug, Serialize)]
struct Jwk {
    kty: &'static str,
    alg: &'static str,
    r#use: &'static str,
    kid: String,
    n: String,
    e: String,
}

/// One key pair.
pub struct SigningKey {
    key_id: String,
    pair: KeyPair,
}

impl SigningKey {
    fn open(stored: &StoredSigningKey, sealer: &Sealer) -> Result<Self, SigningKeyError> {
        let key_id = stored.key_id.clone();
        let Ok(pkcs8) = sealer.open(key_id.as_bytes(), &stored.sealed_private_key) else {
            return Err(SigningKeyError::WrongMasterKey(key_id));
        };
        match KeyPair::from_pkcs8(&pkcs8) {
            Ok(pair) => Ok(Self { key_id, pair }),
            Err(_) => Err(SigningKeyError::Damaged(key_id)),
        }
    }

    /// The `kid` of its tokens.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&signature::RSA_PKCS1_SHA512, &AwsLcRandom::new(), message, &mut signature)
            .expect("a whole key pair signs any message");
        signature
    }

    /// Whether this key made `signature` over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA512, self.pair.public_key())
            .verify(message, signature)
            .is_ok()
    }

    fn jwk(&self) -> Jwk {
        let public = self.pair.public_key();
        Jwk {
            kty: "RSA",
            alg: ALGORITHM,
            r#use: "sig",
            kid: self.key_id.clone(),
            n: BASE64_URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            e: BASE64_URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// A first key. Its ID is the Region and a serial number, as Cognito's are.
fn generate(sealer: &Sealer, region: &Region, clock: &dyn Clock, random: &dyn Random) -> StoredSigningKey {
    let key_id = format!("{region}1");
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("aws-lc makes a key or aborts");
    let pkcs8 = pair.as_der().expect("a whole key pair has an encoding");
    StoredSigningKey {
        sealed_private_key: sealer.seal(key_id.as_bytes(), pkcs8.as_ref(), random),
        key_id,
        created_at: clock.now(),
    }
}
