//! A key that signs tokens. It lies in the store, what leads to its private half sealed under the master key.

use std::fmt;
use std::sync::Arc;

use super::public_key::{PublicKey, Verifier};
use super::signer::{Held, KeptKey, KeyHolder, Signer, SignerError};
use crate::ground::clock::Timestamp;
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::Random;
use crate::ground::seal::{Sealer, WrongMasterKey};
use crate::records::signing_algorithm::Algorithm;
use crate::store::{StoreError, StoredSigningKey};

/// What a key signs to be tried: no token is like it.
const TRIAL: &[u8] = b"daypass tries a signing key";

/// Why the signing keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored key was sealed under a master key that is not there.
    #[error("signing key {0} does not open: {1}")]
    WrongMasterKey(String, #[source] WrongMasterKey),
    /// What was sealed leads to no key of the algorithm.
    #[error("signing key {0} cannot be used: {1}")]
    Damaged(String, #[source] SignerError),
    /// A new key was not made.
    #[error("a signing key cannot be made: {0}")]
    NotMade(#[from] SignerError),
}

impl From<SigningKeyError> for StoreError {
    fn from(error: SigningKeyError) -> Self {
        match error {
            SigningKeyError::Store(error) => error,
            SigningKeyError::WrongMasterKey(..) | SigningKeyError::Damaged(..) => Self::Corrupt(error.into()),
            SigningKeyError::NotMade(error) => error.into(),
        }
    }
}

/// One key.
pub struct SigningKey {
    key_id: String,
    signer: Arc<dyn Signer>,
    verifier: Option<Verifier>,
    created_at: Timestamp,
    signs_from: Timestamp,
}

/// What seals the private halves.
#[must_use]
pub fn sealer(master_keys: &MasterKeys) -> Sealer {
    master_keys.sealer("signing key")
}

impl SigningKey {
    /// Has a key made, and seals what leads to it. It has signed: a key that is published is one that can.
    ///
    /// # Errors
    /// [`SignerError`], if there is no key.
    pub async fn make(
        key_id: String,
        algorithm: Algorithm,
        instants: [Timestamp; 2],
        holder: &dyn KeyHolder,
        (sealer, random): (&Sealer, &dyn Random),
    ) -> Result<StoredSigningKey, SignerError> {
        let kept = holder.make(&key_id, algorithm).await?;
        try_out(&*holder.signer(algorithm, &kept)?).await?;
        Ok(sealed(key_id, algorithm, instants, &kept, (sealer, random)))
    }

    /// A new key of this process, sealed.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn generate(
        key_id: String,
        algorithm: Algorithm,
        instants: [Timestamp; 2],
        sealer: &Sealer,
        random: &dyn Random,
    ) -> StoredSigningKey {
        let kept = super::local_keys::LocalKeys::generate(algorithm);
        sealed(key_id, algorithm, instants, &kept, (sealer, random))
    }

    /// Opens a key that is stored.
    ///
    /// # Errors
    /// [`SigningKeyError::WrongMasterKey`], or [`SigningKeyError::Damaged`].
    pub fn open(
        stored: &StoredSigningKey,
        sealer: &Sealer,
        holder: &dyn KeyHolder,
    ) -> Result<Self, SigningKeyError> {
        let key_id = stored.key_id.clone();
        let Ok(kept) = sealer.open(key_id.as_bytes(), &stored.sealed_private_key) else {
            return Err(SigningKeyError::WrongMasterKey(key_id, (&stored.sealed_private_key).into()));
        };
        match holder.signer(stored.algorithm, &kept) {
            Ok(signer) => {
                let StoredSigningKey { created_at, signs_from, .. } = *stored;
                let verifier = signer.public_key().verifier();
                Ok(Self { key_id, signer, verifier, created_at, signs_from })
            }
            Err(error) => Err(SigningKeyError::Damaged(key_id, error)),
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
        self.public_key().algorithm()
    }

    /// When it was made and published, by the clock of whoever did.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it signs, if no later one does.
    #[must_use]
    pub fn signs_from(&self) -> Timestamp {
        self.signs_from
    }

    /// Signs a message.
    ///
    /// # Errors
    /// [`SignerError`], if whoever holds the key does not answer.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.signer.sign(message).await
    }

    /// Where the private half is.
    #[must_use]
    pub fn held(&self) -> Held {
        self.signer.held()
    }

    /// Sees whether it signs now.
    ///
    /// # Errors
    /// [`SignerError`], if it does not.
    pub async fn try_out(&self) -> Result<(), SignerError> {
        let tried = try_out(&*self.signer).await;
        tried.map_err(|SignerError(why)| {
            SignerError(format!("signing key {} does not sign: {why}", self.key_id))
        })
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    /// Whether it made `signature` over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.as_ref().is_some_and(|verifier| verifier.verifies(message, signature))
    }
}

async fn try_out(signer: &dyn Signer) -> Result<(), SignerError> {
    let signature = signer.sign(TRIAL).await?;
    if signer.public_key().verifies(TRIAL, &signature) {
        return Ok(());
    }
    Err(SignerError("what it signs is not verified by its public half".into()))
}

fn sealed(
    key_id: String,
    algorithm: Algorithm,
    [created_at, signs_from]: [Timestamp; 2],
    kept: &KeptKey,
    (sealer, random): (&Sealer, &dyn Random),
) -> StoredSigningKey {
    let sealed_private_key = sealer.seal(key_id.as_bytes(), kept, random);
    StoredSigningKey { key_id, algorithm, sealed_private_key, created_at, signs_from }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
