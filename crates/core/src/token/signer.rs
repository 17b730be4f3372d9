//! Who signs tokens. A private half may lie where nobody can read it, so a signer shows its public half and signs, and that
//! is all.

use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::public_key::PublicKey;
use crate::records::signing_algorithm::Algorithm;
use crate::store::StoreError;

/// Why a key was not made, or did not sign, for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SignerError(pub String);

/// Why keys can neither be made nor signed with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// Whoever holds them does not take what opens it: to show that again does harm.
    #[error(transparent)]
    Refused(SignerError),
    /// It may be ready later.
    #[error(transparent)]
    Away(#[from] SignerError),
}

/// Without a signature nothing can be granted, as without the store.
impl From<SignerError> for StoreError {
    fn from(error: SignerError) -> Self {
        Self::Unavailable(error.into())
    }
}

/// What is kept of a key pair, sealed: the private half, or what leads to it.
pub type KeptKey = Zeroizing<Vec<u8>>;

/// Where a private half is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// In the store, sealed, and in this process.
    Store,
    /// In a module that shows it to nobody.
    Hsm,
}

/// One key pair, wherever its private half is.
#[async_trait]
pub trait Signer: Send + Sync {
    /// Its public half, by which signatures are verified.
    fn public_key(&self) -> &PublicKey;

    /// Where its private half is.
    fn held(&self) -> Held;

    /// Signs a message, with the algorithm of the key: PKCS #1 v1.5 for RSA, the two numbers of 32 bytes each for P-256
    /// (RFC 7518 sections 3.3 and 3.4). It may take long; no thread of the runtime waits meanwhile for anybody else.
    ///
    /// # Errors
    /// [`SignerError`], if whoever holds the key does not answer.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError>;
}

/// Where key pairs are made and held: this process, or a module that shows no private half.
#[async_trait]
pub trait KeyHolder: Send + Sync {
    /// Makes a key pair, which is to be called so. What it answers is kept sealed, and is enough for
    /// [`signer`](Self::signer).
    ///
    /// # Errors
    /// [`SignerError`].
    async fn make(&self, key_id: &str, algorithm: Algorithm) -> Result<KeptKey, SignerError>;

    /// Whether keys can be made and signed with now. A start asks.
    ///
    /// # Errors
    /// [`NotReady`], with the cure.
    async fn ready(&self) -> Result<(), NotReady>;

    /// The signer of a key pair that was made here, or by this process before. Nobody is asked for that.
    ///
    /// # Errors
    /// [`SignerError`], if what was kept leads to no key pair of the algorithm.
    fn signer(&self, algorithm: Algorithm, kept: &[u8]) -> Result<Arc<dyn Signer>, SignerError>;
}
