//! Apple's client secret: no secret at all but a JWT, made anew for each request and signed with a key that
//! Apple knows the other half of.

use aws_lc_rs::rand::SystemRandom as AwsLcRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::json;

use super::error::ProofError;
use crate::ground::clock::Timestamp;
use crate::ground::secret::Secret;

const AUDIENCE: &str = "https://appleid.apple.com";
/// Seconds; Apple takes up to six months, and it is used at once.
const LIFE: i64 = 300;

/// The operator's names for the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppleKey {
    /// The developer team, ten characters.
    pub team_id: String,
    /// The key, ten characters.
    pub key_id: String,
}

/// Whether a secret is a key that Apple hands out.
#[must_use]
pub fn is_apple_key(pem: &Secret) -> bool {
    read(pem).is_some()
}

fn read(pem: &Secret) -> Option<EcdsaKeyPair> {
    let text: String =
        pem.expose().lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let der = BASE64_STANDARD.decode(text).ok()?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()
}

/// Makes the secret of one request. `pem` is the `.p8` file that Apple's portal hands out once.
pub(super) fn client_secret(
    key: &AppleKey,
    client_id: &str,
    pem: &Secret,
    now: Timestamp,
) -> Result<Secret, ProofError> {
    let unusable = || ProofError::Misconfigured("client_secret is no PKCS #8 key of the curve P-256".into());
    let pair = read(pem).ok_or_else(unusable)?;
    let header = json!({"alg": "ES256", "kid": key.key_id});
    let issued_at = now.as_second();
    let claims = json!({"iss": key.team_id, "iat": issued_at, "exp": issued_at + LIFE, "aud": AUDIENCE, "sub": client_id});
    let [header, claims] = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let signature = pair.sign(&AwsLcRandom::new(), message.as_bytes()).map_err(|_| unusable())?;
    Ok(Secret::new(format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, KeyPair, UnparsedPublicKey};

    use super::*;

    #[test]
    fn the_secret_is_a_token_that_the_key_signed() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = BASE64_STANDARD.encode(pair.to_pkcs8v1().unwrap().as_ref());
        let pem = Secret::new(format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n"));
        let key = AppleKey { team_id: "TEAM123456".into(), key_id: "KEY1234567".into() };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let secret = client_secret(&key, "com.example.app", &pem, now).unwrap();
        let (message, signature) = secret.expose().rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
        public.verify(message.as_bytes(), &signature).unwrap();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(message.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        let expected = json!({"iss": "TEAM123456", "iat": 1_800_000_000, "exp": 1_800_000_300,
            "aud": "https://appleid.apple.com", "sub": "com.example.app"});
        assert_eq!(claims, expected);
    }

    #[test]
    fn something_else_than_a_key_is_the_operators_mistake() {
        let key = AppleKey { team_id: "T".into(), key_id: "K".into() };
        let made = client_secret(&key, "c", &Secret::new("hunter2"), Timestamp::UNIX_EPOCH);
        assert!(matches!(made, Err(ProofError::Misconfigured(text)) if !text.contains("hunter2")));
    }
}
