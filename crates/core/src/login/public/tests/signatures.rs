//! Signatures, and what can be read in two ways.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom as AwsLcRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, RsaEncoding};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};

use super::*;
use crate::ground::clock::SignedDuration;
use crate::login::public::testing::jws;

#[tokio::test]
async fn a_signature_must_be_the_issuers() {
    let world = World::new();
    let impostor = Issuer::new(world.oidc.issuer(), world.clock.clone());
    let forged = impostor.id_token("alice", "ours", json!({}));
    assert_eq!(world.verify(OIDC, &forged).await.unwrap_err(), PublicLoginError::BadSignature);

    let (good, other) =
        (world.oidc.id_token("alice", "ours", json!({})), world.oidc.id_token("root", "ours", json!({})));
    let (message, _) = other.expose().rsplit_once('.').unwrap();
    let (_, signature) = good.expose().rsplit_once('.').unwrap();
    let spliced = Secret::new(format!("{message}.{signature}"));
    assert_eq!(world.verify(OIDC, &spliced).await.unwrap_err(), PublicLoginError::BadSignature);
    let unsigned = Secret::new(format!("{message}."));
    assert_eq!(world.verify(OIDC, &unsigned).await.unwrap_err(), PublicLoginError::BadSignature);
}

fn claims() -> String {
    json!({"iss": format!("https://{OIDC}"), "sub": "alice", "aud": "ours", "iat": NOW, "exp": NOW + 60})
        .to_string()
}

#[tokio::test]
async fn only_the_algorithms_of_public_keys_are_known() {
    let world = World::new();
    for algorithm in ["none", "None", "HS256", "HS512", "PS256", "EdDSA", "es256", "ES256K", ""] {
        let header = json!({"alg": algorithm, "kid": world.oidc.key_id()}).to_string();
        let token = world.oidc.sign_with_header(&header, &claims());
        assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::Malformed, "{algorithm}");
    }
    let hmac = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA256,
        world.oidc.jwk()["x"].as_str().unwrap().as_bytes(),
    );
    let header = json!({"alg": "HS256", "kid": world.oidc.key_id()}).to_string();
    let token = jws(&header, &claims(), |message| aws_lc_rs::hmac::sign(&hmac, message).as_ref().to_vec());
    assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::Malformed);
    assert!(world.http.asked().is_empty());
}

/// One key for all tests: making one takes a while.
fn rsa() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

fn rsa_jwk() -> Value {
    let public = rsa().public_key();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "RSA", "kid": "rsa",
        "n": encode(public.modulus().big_endian_without_leading_zero()),
        "e": encode(public.exponent().big_endian_without_leading_zero()),
    })
}

fn rsa_token(algorithm: &str, key_id: &str, encoding: &'static dyn RsaEncoding) -> Secret {
    let header = json!({"alg": algorithm, "kid": key_id}).to_string();
    jws(&header, &claims(), |message| {
        let mut signature = vec![0; rsa().public_modulus_len()];
        rsa().sign(encoding, &AwsLcRandom::new(), message, &mut signature).unwrap();
        signature
    })
}

/// A world whose OIDC provider has an RSA key beside its EC key.
fn world_with_rsa() -> World {
    let world = World::new();
    let keys = json!({"keys": [world.oidc.jwk(), rsa_jwk()]}).to_string();
    world.http.answer(world.oidc.jwks_url(), 200, keys);
    world
}

#[tokio::test]
async fn rsa_signatures_of_every_length_are_verified() {
    let world = world_with_rsa();
    world.verify(OIDC, &rsa_token("RS256", "rsa", &signature::RSA_PKCS1_SHA256)).await.unwrap();
    world.verify(OIDC, &rsa_token("RS384", "rsa", &signature::RSA_PKCS1_SHA384)).await.unwrap();
    world.verify(OIDC, &rsa_token("RS512", "rsa", &signature::RSA_PKCS1_SHA512)).await.unwrap();
}

#[tokio::test]
async fn an_algorithm_must_fit_the_key_and_the_signature() {
    let world = world_with_rsa();
    let header = json!({"alg": "ES256", "kid": "rsa"}).to_string();
    for token in [
        rsa_token("RS256", &world.oidc.key_id(), &signature::RSA_PKCS1_SHA256),
        rsa_token("RS256", "rsa", &signature::RSA_PKCS1_SHA512),
        rsa_token("RS256", "rsa", &signature::RSA_PSS_SHA256),
        rsa_token("ES256", "rsa", &signature::RSA_PKCS1_SHA256),
        rsa_token("ES384", &world.oidc.key_id(), &signature::RSA_PKCS1_SHA384),
        world.oidc.sign_with_header(&header, &claims()),
    ] {
        assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::BadSignature);
    }
}

#[tokio::test]
async fn what_is_no_jwt_is_refused_without_a_question() {
    let world = World::new();
    let good = world.oidc.id_token("alice", "ours", json!({}));
    let good = good.expose();
    for text in [
        "",
        ".",
        "..",
        "a.b.c",
        "not a token",
        &format!("{good}.x"),
        &format!("x.{good}"),
        &format!("{good}="),
        &format!(" {good}"),
        &good.replace('.', ":"),
        &"a".repeat(50_001),
    ] {
        let refusal = world.verify(OIDC, &Secret::new(text)).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::Malformed, "{text}");
    }
    assert!(world.http.asked().is_empty());
}

#[tokio::test]
async fn an_oversized_token_is_refused_whatever_it_says() {
    let world = World::new();
    world.oidc(json!({"groups": "x".repeat(30_000)})).await.unwrap();
    let refusal = world.oidc(json!({"groups": "x".repeat(40_000)})).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::Malformed);
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused() {
    let world = World::new();
    let twice = claims().replacen('{', r#"{"sub": "root", "#, 1);
    let token = world.oidc.sign(&twice);
    assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::Malformed);
    let kid = world.oidc.key_id();
    for header in [
        format!(r#"{{"alg": "ES256", "alg": "ES256", "kid": "{kid}"}}"#),
        format!(r#"{{"alg": "ES256", "kid": "{kid}", "crit": ["b64"], "b64": false}}"#),
    ] {
        let token = world.oidc.sign_with_header(&header, &claims());
        assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::Malformed, "{header}");
    }
}

#[tokio::test]
async fn a_token_of_another_type_is_no_id_token() {
    let world = World::new();
    let kid = world.oidc.key_id();
    let of_type = |typ: &str| format!(r#"{{"alg": "ES256", "kid": "{kid}", "typ": "{typ}"}}"#);
    for typ in ["JWT", "jwt", "application/jwt"] {
        let token = world.oidc.sign_with_header(&of_type(typ), &claims());
        world.verify(OIDC, &token).await.unwrap();
    }
    for typ in ["at+jwt", "application/at+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "JWS", ""] {
        let token = world.oidc.sign_with_header(&of_type(typ), &claims());
        assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::Malformed, "{typ}");
    }
    let event = claims().replacen(
        '{',
        r#"{"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "#,
        1,
    );
    assert_eq!(world.verify(OIDC, &world.oidc.sign(&event)).await.unwrap_err(), PublicLoginError::Malformed);
}

#[tokio::test]
async fn a_rotated_key_is_found() {
    let world = World::new();
    let old = world.oidc.id_token("alice", "ours", json!({}));
    world.verify(OIDC, &old).await.unwrap();
    world.oidc.rotate();
    world.clock.advance(SignedDuration::from_secs(30));
    world.oidc(json!({})).await.unwrap();
    assert_eq!(world.verify(OIDC, &old).await.unwrap_err(), PublicLoginError::BadSignature);
}

#[tokio::test]
async fn an_issuer_whose_address_is_gone_is_the_operators_to_mend() {
    for status in [301, 404, 410] {
        let world = World::new();
        world.http.answer(&world.oidc.discovery_url(), status, "");
        let error = world.oidc(json!({})).await.unwrap_err();
        assert!(
            matches!(&error, PublicLoginError::NotAsDefined { provider, reason }
                if provider == OIDC && reason.contains(&world.oidc.discovery_url())),
            "{status}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_silent_issuer_is_no_verdict_about_the_token() {
    let world = World::new();
    world.http.time_out(&world.oidc.discovery_url());
    let error = world.oidc(json!({})).await.unwrap_err();
    assert!(
        matches!(&error, PublicLoginError::Unavailable { provider, .. } if provider == OIDC),
        "{error:?}"
    );
}
