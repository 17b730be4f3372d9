//! ID tokens. A login comes of one only if it is signed, and its claims say all that they must.
//!
//! Input: `s`, then header and claims as JSON, with a line feed between them, which are signed as they should be;
//! or anything else, which is taken for the token.

#![no_main]

use std::sync::{Arc, LazyLock};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::definition::Definition;
use daypass_core::login::provider::{Provider, UnverifiedProof};
use fuzz_support::{CLIENT_ID, CLIENT_SECRET, NOW, Replies, holds_the_secret, provider, verify};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const NONCE: &str = "the-nonce";
/// Its ID tokens are signed with the client's secret, so that a target can sign quickly.
static LINE: LazyLock<Arc<Provider>> =
    LazyLock::new(|| provider(Definition::of_catalogue("line").expect("it is in the catalogue")));

fuzz_target!(|input: &str| {
    if holds_the_secret(input.as_bytes()) {
        return;
    }
    let signed = input.strip_prefix('s').and_then(|rest| rest.split_once('\n'));
    let token = signed.map_or(input.to_owned(), |(header, claims)| sign(header, claims));
    let nonce = Some(Secret::new(NONCE));
    let proof = UnverifiedProof::IdToken { token: Secret::new(token), nonce };
    if verify(&LINE, proof, Replies::new([])).is_err() {
        return;
    }
    let (_, claims) = signed.expect("nobody but this target knows the key");
    let claims: Value = serde_json::from_str(claims).expect("what is no JSON says nothing");
    assert_eq!(claims["iss"], "https://access.line.me");
    assert_eq!(claims["nonce"], NONCE);
    let audiences = claims["aud"].as_array().cloned().unwrap_or_else(|| vec![claims["aud"].clone()]);
    assert!(audiences.contains(&CLIENT_ID.into()), "{claims}");
    // Also as text, as AWS takes it.
    let end = claims["exp"].as_f64().or_else(|| claims["exp"].as_str()?.parse().ok());
    assert!(end.is_some_and(|end| end > NOW as f64), "{claims}");
});

fn sign(header: &str, claims: &str) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, CLIENT_SECRET.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes())))
}
