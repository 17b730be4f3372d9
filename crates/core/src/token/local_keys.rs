//! Key pairs in this process: what is kept of them is the private half itself (PKCS #8), sealed.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom as AwsLcRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

use super::public_key::PublicKey;
use super::signer::{Held, KeptKey, KeyHolder, NotReady, Signer, SignerError};
use crate::records::signing_algorithm::Algorithm;

/// The key pairs of this process.
#[derive(Debug, Clone, Copy)]
pub struct LocalKeys;

struct LocalSigner {
    pair: Pair,
    public_key: PublicKey,
}

enum Pair {
    Rsa(rsa::KeyPair),
    Ecdsa(EcdsaKeyPair),
}

impl LocalKeys {
    /// A new key pair.
    #[must_use]
    pub fn generate(algorithm: Algorithm) -> KeptKey {
        new_pkcs8(algorithm).expect("aws-lc makes a key or aborts")
    }
}

#[async_trait]
impl KeyHolder for LocalKeys {
    async fn make(&self, _: &str, algorithm: Algorithm) -> Result<KeptKey, SignerError> {
        Ok(Self::generate(algorithm))
    }

    async fn ready(&self) -> Result<(), NotReady> {
        Ok(())
    }

    fn signer(&self, algorithm: Algorithm, kept: &[u8]) -> Result<Arc<dyn Signer>, SignerError> {
        let pair = Pair::of_pkcs8(algorithm, kept);
        let pair = pair.map_err(|_| SignerError(format!("this is no private key for {algorithm}; it may be in an HSM, which [tokens.pkcs11] has to name")))?;
        let public_key = pair.public_key();
        Ok(Arc::new(LocalSigner { pair, public_key }))
    }
}

#[async_trait]
impl Signer for LocalSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn held(&self) -> Held {
        Held::Store
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.pair.sign(message).expect("a whole key pair signs any message"))
    }
}

fn new_pkcs8(algorithm: Algorithm) -> Result<KeptKey, Unspecified> {
    let pkcs8 = match algorithm {
        Algorithm::Rs512 => rsa::KeyPair::generate(KeySize::Rsa2048)?.as_der()?.as_ref().to_vec(),
        Algorithm::Es256 => {
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec()
        }
    };
    Ok(KeptKey::new(pkcs8))
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

    fn public_key(&self) -> PublicKey {
        match self {
            Self::Rsa(pair) => {
                let key = pair.public_key();
                PublicKey::Rsa {
                    modulus: key.modulus().big_endian_without_leading_zero().to_vec(),
                    exponent: key.exponent().big_endian_without_leading_zero().to_vec(),
                }
            }
            Self::Ecdsa(pair) => PublicKey::Ecdsa(pair.public_key().as_ref().to_vec()),
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
}
