//! Public keys as issuers publish them (RFC 7517, RFC 7518 section 6), and what they verify.

use std::sync::Arc;

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, EcdsaVerificationAlgorithm,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters,
    UnparsedPublicKey,
};
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The algorithms that a token may be signed with (RFC 7518 section 3.1): those that AWS takes. There is
/// no `none` and no HMAC, so a public key can never be taken for a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
}

impl Algorithm {
    /// The algorithm of this name in a header.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            _ => return None,
        })
    }
}

/// Somebody's public key.
#[derive(Debug)]
pub enum PublicKey {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa(PublicKeyComponents<Vec<u8>>),
    /// A point on a curve.
    Ec {
        /// The one algorithm that goes with the curve.
        algorithm: Algorithm,
        /// Uncompressed, as in SEC 1 section 2.3.3.
        point: Vec<u8>,
    },
}

impl PublicKey {
    /// Whether this key made `signature` over `message` with this algorithm. An algorithm that is not for
    /// this kind of key verifies nothing, and neither does an RSA key of less than 2048 bits.
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(components) => rsa_parameters(algorithm)
                .is_some_and(|parameters| components.verify(parameters, message, signature).is_ok()),
            Self::Ec { algorithm: own, point } => {
                algorithm == *own
                    && ec_parameters(algorithm).is_some_and(|parameters| {
                        UnparsedPublicKey::new(parameters, point).verify(message, signature).is_ok()
                    })
            }
        }
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => None,
    }
}

fn ec_parameters(algorithm: Algorithm) -> Option<&'static EcdsaVerificationAlgorithm> {
    match algorithm {
        Algorithm::Es256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Some(&ECDSA_P384_SHA384_FIXED),
        Algorithm::Es512 => Some(&ECDSA_P521_SHA512_FIXED),
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => None,
    }
}

/// The keys of one issuer that may verify signatures, in the order in which they were published.
#[derive(Debug)]
pub(super) struct KeySet(Vec<(Option<String>, Arc<PublicKey>)>);

impl KeySet {
    /// The rules of AWS: of two keys with one ID the later counts, and a token without a key ID can only
    /// mean the one key of a set of one.
    pub(super) fn find(&self, key_id: Option<&str>) -> Option<Arc<PublicKey>> {
        match (key_id, &self.0[..]) {
            (None, [(_, only)]) => Some(only.clone()),
            (None, _) => None,
            (Some(_), keys) => {
                keys.iter().rev().find(|(known, _)| known.as_deref() == key_id).map(|(_, key)| key.clone())
            }
        }
    }
}

/// Reads a JWK set. Keys that cannot be read or are not for signatures are left out: a set may hold
/// anything, and the rest of it is still good (RFC 7517 section 5).
impl<'de> Deserialize<'de> for KeySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct JwkSet {
            keys: Vec<Value>,
        }
        let set = JwkSet::deserialize(deserializer)?;
        Ok(Self(set.keys.into_iter().filter_map(|jwk| read(serde_json::from_value(jwk).ok()?)).collect()))
    }
}

#[derive(Deserialize)]
struct Jwk {
    kid: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Value>,
    #[serde(flatten)]
    material: Material,
}

#[derive(Deserialize)]
#[serde(tag = "kty")]
enum Material {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Ec { crv: String, x: String, y: String },
}

/// AWS takes a key with any `key_ops` for one that is not for signatures; its own `alg` decides nothing.
fn read(jwk: Jwk) -> Option<(Option<String>, Arc<PublicKey>)> {
    if jwk.key_ops.is_some() || jwk.r#use.is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let key = match jwk.material {
        Material::Rsa { n, e } => {
            PublicKey::Rsa(PublicKeyComponents { n: unsigned_integer(&n)?, e: unsigned_integer(&e)? })
        }
        Material::Ec { crv, x, y } => ec_key(&crv, &x, &y)?,
    };
    Some((jwk.kid, Arc::new(key)))
}

fn ec_key(curve: &str, x: &str, y: &str) -> Option<PublicKey> {
    let (algorithm, coordinate_bytes) = match curve {
        "P-256" => (Algorithm::Es256, 32),
        "P-384" => (Algorithm::Es384, 48),
        "P-521" => (Algorithm::Es512, 66),
        _ => return None,
    };
    let (x, y) = (BASE64URL.decode(x).ok()?, BASE64URL.decode(y).ok()?);
    let whole = x.len() == coordinate_bytes && y.len() == coordinate_bytes;
    whole.then(|| PublicKey::Ec { algorithm, point: [&[UNCOMPRESSED], &x[..], &y[..]].concat() })
}

/// The first byte of an uncompressed point.
const UNCOMPRESSED: u8 = 4;

/// Without the leading zeros that some issuers write although they must not (RFC 7518 section 2).
fn unsigned_integer(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64URL.decode(text).ok()?;
    let start = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[start..].to_vec())
}

/// Some issuers pad, although they must not.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
