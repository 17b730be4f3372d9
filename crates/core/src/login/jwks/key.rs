//! Public keys as issuers publish them (RFC 7517, RFC 7518 section 6), and what they verify.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, UnparsedPublicKey,
};
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Whose rules decide where AWS's are narrower than the specifications'. What a token has to say is the same for both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rules {
    /// Those of RFC 7515 to 7519 and of OpenID Connect: of a provider whose logins the broker takes.
    #[default]
    Specifications,
    /// Those of AWS, for tokens that clients show to a pool (docs/reference/cognito-identity.md, 9.1).
    Aws,
}

/// The algorithms that a token may be signed with (RFC 7518 section 3.1, RFC 8037 section 3.1). There is
/// no `none` and no HMAC, so a public key can never be taken for a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519.
    Ed25519,
}

impl Algorithm {
    /// The algorithm of this name in a header, if it is taken by these rules.
    #[must_use]
    pub fn parse(name: &str, rules: Rules) -> Option<Self> {
        let algorithm = Self::named(name)?;
        (rules == Rules::Specifications || algorithm.is_taken_by_aws()).then_some(algorithm)
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            // RFC 9864 has a name for the one curve of EdDSA that everybody has.
            "EdDSA" | "Ed25519" => Self::Ed25519,
            _ => return None,
        })
    }

    fn is_taken_by_aws(self) -> bool {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Es256 | Self::Es384 | Self::Es512 => true,
            Self::Ps256 | Self::Ps384 | Self::Ps512 | Self::Ed25519 => false,
        }
    }
}

/// What a token says of the key that signed it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The key's ID, where the token has one.
    pub key_id: Option<&'a str>,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The rules by which a key is chosen.
    pub rules: Rules,
}

/// Somebody's public key.
#[derive(Debug)]
pub enum PublicKey {
    /// Of RSA.
    Rsa(RsaKey),
    /// A point on a curve.
    Ec {
        /// The one algorithm that goes with the curve.
        algorithm: Algorithm,
        /// Uncompressed, as in SEC 1 section 2.3.3.
        point: Vec<u8>,
    },
    /// A point on the curve of Ed25519 (RFC 8037).
    Ed25519(Vec<u8>),
}

/// A public key of RSA.
#[derive(Debug)]
pub struct RsaKey {
    /// Modulus and exponent, big-endian without leading zeros.
    components: PublicKeyComponents<Vec<u8>>,
    /// The same, ready to verify by the algorithm by which it first did: to make it so takes about as long as to verify.
    ready: OnceLock<(Algorithm, ParsedPublicKey)>,
}

impl RsaKey {
    fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let Some(parameters) = rsa_parameters(algorithm) else { return false };
        if let Some((_, key)) = self.ready.get().filter(|(of, _)| *of == algorithm) {
            return key.verify_sig(message, signature).is_ok();
        }
        let verified = self.components.verify(parameters, message, signature).is_ok();
        // Whoever sends what nobody signed has no say in what is kept.
        if verified && let Ok(key) = self.components.to_parsed_public_key(parameters) {
            self.ready.get_or_init(|| (algorithm, key));
        }
        verified
    }
}

impl PublicKey {
    /// Whether this key made `signature` over `message` with this algorithm. An algorithm that is not for
    /// this kind of key verifies nothing, and neither does an RSA key of less than 2048 bits.
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(key) => key.verifies(algorithm, message, signature),
            Self::Ec { algorithm: own, point } => {
                algorithm == *own
                    && ec_parameters(algorithm).is_some_and(|parameters| {
                        UnparsedPublicKey::new(parameters, point).verify(message, signature).is_ok()
                    })
            }
            Self::Ed25519(point) => {
                algorithm == Algorithm::Ed25519
                    && UnparsedPublicKey::new(&ED25519, point).verify(message, signature).is_ok()
            }
        }
    }

    /// Whether a key of this kind makes signatures of this algorithm.
    fn is_for(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa(_) => rsa_parameters(algorithm).is_some(),
            Self::Ec { algorithm: own, .. } => algorithm == *own,
            Self::Ed25519(_) => algorithm == Algorithm::Ed25519,
        }
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 | Algorithm::Ed25519 => None,
    }
}

fn ec_parameters(algorithm: Algorithm) -> Option<&'static EcdsaVerificationAlgorithm> {
    match algorithm {
        Algorithm::Es256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Some(&ECDSA_P384_SHA384_FIXED),
        Algorithm::Es512 => Some(&ECDSA_P521_SHA512_FIXED),
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::Ed25519 => None,
    }
}

/// How many keys are tried for one token. A set with more that fit is none that somebody means.
const MAX_TRIED: usize = 16;

/// The keys of one issuer that may verify signatures, in the order in which they were published.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Published>);

/// A key, as it was published.
#[derive(Debug)]
struct Published {
    id: Option<String>,
    /// What it is for, in its own words.
    algorithm: Option<String>,
    /// Whether it says which operations it is for. AWS takes any word of that for another purpose.
    names_operations: bool,
    key: Arc<PublicKey>,
}

impl KeySet {
    /// The keys that may have signed a token; `None` if there is none.
    pub(super) fn find(&self, wanted: &Wanted<'_>) -> Option<Vec<Arc<PublicKey>>> {
        let found = match wanted.rules {
            Rules::Aws => self.only_as_aws(wanted.key_id).into_iter().collect(),
            Rules::Specifications => self.all_that_fit(wanted),
        };
        Some(found).filter(|found: &Vec<_>| !found.is_empty())
    }

    /// The rules of AWS: of two keys with one ID the later counts, and a token without a key ID can only
    /// mean the one key of a set of one.
    fn only_as_aws(&self, key_id: Option<&str>) -> Option<Arc<PublicKey>> {
        let is_other =
            |known: &Published| known.names_operations || matches!(*known.key, PublicKey::Ed25519(_));
        let mut keys = self.0.iter().filter(|known| !is_other(known));
        let found = match key_id {
            None => keys.next().filter(|_| keys.next().is_none()),
            Some(_) => keys.rfind(|known| known.id.as_deref() == key_id),
        };
        found.map(|found| found.key.clone())
    }

    /// A key ID is a hint (RFC 7515 section 4.1.4), needed only where several keys fit (OpenID Connect Core 1.0 section
    /// 10.1): a key that has none may be the one that a token names, and a token that names none may be any key's.
    fn all_that_fit(&self, wanted: &Wanted<'_>) -> Vec<Arc<PublicKey>> {
        let fits = |known: &&Published| known.key.is_for(wanted.algorithm);
        let fitting = || self.0.iter().filter(fits);
        let says_so = |known: &&Published| {
            let named = known.algorithm.as_deref().map(Algorithm::named);
            named.is_none_or(|named| named == Some(wanted.algorithm))
        };
        let some: Vec<&Published> = if wanted.key_id.is_none() {
            fitting().filter(says_so).collect()
        } else if fitting().any(|known| known.id.as_deref() == wanted.key_id) {
            fitting().filter(|known| known.id.as_deref() == wanted.key_id).collect()
        } else {
            fitting().filter(|known| known.id.is_none()).collect()
        };
        some.into_iter().take(MAX_TRIED).map(|known| known.key.clone()).collect()
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
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
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
    #[serde(rename = "OKP")]
    Okp { crv: String, x: String },
}

/// Leaves out what is for another purpose (RFC 7517 sections 4.2 and 4.3).
fn read(jwk: Jwk) -> Option<Published> {
    let verifies = |operations: &Vec<String>| operations.iter().any(|operation| operation == "verify");
    if !jwk.key_ops.as_ref().is_none_or(verifies) || jwk.r#use.is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let key = match jwk.material {
        Material::Rsa { n, e } => {
            let components = PublicKeyComponents { n: unsigned_integer(&n)?, e: unsigned_integer(&e)? };
            PublicKey::Rsa(RsaKey { components, ready: OnceLock::new() })
        }
        Material::Ec { crv, x, y } => ec_key(&crv, &x, &y)?,
        Material::Okp { crv, x } => {
            let point = BASE64URL.decode(x).ok().filter(|point| crv == "Ed25519" && point.len() == 32);
            PublicKey::Ed25519(point?)
        }
    };
    Some(Published {
        id: jwk.kid,
        algorithm: jwk.alg,
        names_operations: jwk.key_ops.is_some(),
        key: Arc::new(key),
    })
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
