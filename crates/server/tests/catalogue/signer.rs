//! Tokens, from the text of their claims: those of the provider, and those that somebody else would like to pass for them.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Value, json};

/// The ID of the provider's key.
pub const KEY_ID: &str = "key-1";

/// A key of the curve P-256.
pub struct Signer(EcdsaKeyPair);

impl Signer {
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// A token signed with this key, under a header of the caller's.
    pub fn sign_with_header(&self, header: &Value, claims: &str) -> String {
        let message = message(header, claims);
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    pub fn sign(&self, claims: &str) -> String {
        self.sign_with_header(&json!({"alg": "ES256", "kid": KEY_ID}), claims)
    }

    /// The public half as a JWK (RFC 7518 section 6.2.1).
    pub fn jwk(&self) -> Value {
        let point = self.point();
        let [x, y] = [&point[1..33], &point[33..]].map(|half| BASE64_URL_SAFE_NO_PAD.encode(half));
        json!({"kty": "EC", "crv": "P-256", "kid": KEY_ID, "use": "sig", "alg": "ES256", "x": x, "y": y})
    }

    /// The public half as whoever takes it for the key of an HMAC might spell it.
    pub fn public_spellings(&self) -> Vec<Vec<u8>> {
        let point = self.point().to_vec();
        let der = [SPKI_P256, &point].concat();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            BASE64_STANDARD.encode(&der)
        );
        vec![point, der, pem.into_bytes(), self.jwk().to_string().into_bytes(), Vec::new()]
    }

    /// The private half as Apple hands it out.
    pub fn pem(&self) -> String {
        let der = self.0.to_pkcs8v1().unwrap();
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(der.as_ref())
        )
    }

    pub fn point(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }
}

/// What stands before an uncompressed point of P-256 in a `SubjectPublicKeyInfo` (RFC 5480).
const SPKI_P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A token signed with HMAC (HS256).
pub fn hs256(key: &[u8], claims: &str) -> String {
    let message = message(&json!({"alg": "HS256", "kid": KEY_ID}), claims);
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

/// A token that nobody signed.
pub fn unsigned(alg: &str, claims: &str) -> String {
    format!("{}.", message(&json!({"alg": alg, "kid": KEY_ID}), claims))
}

fn message(header: &Value, claims: &str) -> String {
    let [header, claims] =
        [header.to_string(), claims.to_owned()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{claims}")
}
