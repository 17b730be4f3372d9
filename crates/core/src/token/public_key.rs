//! The public half of a key that signs tokens: what verifiers are shown, and what we verify by ourselves.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Serialize;

use crate::records::signing_algorithm::Algorithm;

/// The length of an uncompressed point on P-256: 4, and both coordinates in 32 bytes each (SEC 1, section 2.3.3).
const POINT: usize = 65;

/// The shortest modulus, in bytes.
const MODULUS: usize = 256;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Of RSA, both numbers big-endian and without zeros in front.
    Rsa {
        /// 2,048 bits at least.
        modulus: Vec<u8>,
        /// 65,537, usually.
        exponent: Vec<u8>,
    },
    /// A point on P-256, uncompressed.
    Ecdsa(Vec<u8>),
}

/// A public key that is ready to verify. To make it so takes about as long as to verify once.
#[derive(Debug, Clone)]
pub struct Verifier(ParsedPublicKey);

impl Verifier {
    /// Whether its key made `signature` over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// A public key as a JWK (RFC 7517 section 4).
#[derive(Debug, Serialize)]
pub struct Jwk {
    kty: &'static str,
    alg: &'static str,
    r#use: &'static str,
    kid: String,
    #[serde(flatten)]
    members: Members,
}

/// The members that are the key (RFC 7518 sections 6.2.1 and 6.3.1).
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Members {
    Rsa { n: String, e: String },
    Ec { crv: &'static str, x: String, y: String },
}

impl PublicKey {
    /// One of RSA, by modulus and exponent, big-endian; nothing, if the modulus is too short to be trusted.
    #[must_use]
    pub fn of_rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let [modulus, exponent] = [modulus, exponent].map(|number| {
            let zeros = number.iter().take_while(|byte| **byte == 0).count();
            number[zeros..].to_vec()
        });
        (modulus.len() >= MODULUS && !exponent.is_empty()).then_some(Self::Rsa { modulus, exponent })
    }

    /// A point on P-256; nothing, if it is not of the form of one.
    #[must_use]
    pub fn of_point(point: &[u8]) -> Option<Self> {
        (point.len() == POINT && point.first() == Some(&4)).then(|| Self::Ecdsa(point.to_vec()))
    }

    /// How its key signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs512,
            Self::Ecdsa(_) => Algorithm::Es256,
        }
    }

    /// The same, ready to verify; nothing, if it is no key.
    #[must_use]
    pub fn verifier(&self) -> Option<Verifier> {
        let key = match self {
            Self::Rsa { modulus: n, exponent: e } => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA512)
            }
            Self::Ecdsa(point) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point),
        };
        key.ok().map(Verifier)
    }

    /// Whether its key made `signature` over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier().is_some_and(|verifier| verifier.verifies(message, signature))
    }

    /// The same as verifiers are shown it, under the ID of its key.
    #[must_use]
    pub fn jwk(&self, key_id: &str) -> Jwk {
        let kty = match self {
            Self::Rsa { .. } => "RSA",
            Self::Ecdsa(_) => "EC",
        };
        let (alg, kid) = (self.algorithm().name(), key_id.to_owned());
        Jwk { kty, alg, r#use: "sig", kid, members: self.members() }
    }

    fn members(&self) -> Members {
        let encoded = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa { modulus, exponent } => Members::Rsa { n: encoded(modulus), e: encoded(exponent) },
            Self::Ecdsa(point) => {
                let (x, y) = point[1..].split_at(32);
                Members::Ec { crv: "P-256", x: encoded(x), y: encoded(y) }
            }
        }
    }
}
