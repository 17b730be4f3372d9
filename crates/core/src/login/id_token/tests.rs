//! Tokens of the broker's own providers, by the specifications. What AWS takes less of is tested beside the pools
//! (`public/tests`).

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair as _, RsaEncoding};
use serde_json::json;

use super::*;
use crate::ground::clock::ManualClock;
use crate::login::public::testing::{FakeHttp, Issuer, jws};

const ISSUER: &str = "https://login.example.com";
const NOW: i64 = 1_700_000_000;

struct World {
    issuer: Arc<Issuer>,
    http: Arc<FakeHttp>,
    verifier: Verifier,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at_second(NOW));
        let issuer = Issuer::new(ISSUER, clock.clone());
        let http = Arc::new(FakeHttp::new().with_issuer(&issuer));
        let verifier = Verifier::new(JwksCache::new(http.clone(), clock.clone()), clock);
        Self { issuer, http, verifier }
    }

    /// One whose issuer publishes these keys.
    fn with_keys(keys: &Value) -> Self {
        let world = Self::new();
        world.publish(keys);
        world
    }

    fn publish(&self, keys: &Value) {
        self.http.answer(self.issuer.jwks_url(), 200, json!({"keys": keys}).to_string());
    }

    fn published(&self) -> Keys<'static> {
        Keys::Published(KeySource::JwkSet(self.issuer.jwks_url().to_owned()))
    }

    async fn verify_by(&self, keys: Keys<'_>, token: &Secret) -> Result<Verified, IdTokenError> {
        let expected = Expectation {
            issuers: &[ISSUER.to_owned()],
            keys,
            audience: Audience { clients: vec!["ours"], rule: AudienceRule::OneOf },
            expiry_grace: SignedDuration::ZERO,
            nonce: Nonce::Absent,
            max_age: None,
            claims: &BTreeMap::new(),
            rules: Rules::Specifications,
        };
        self.verifier.verify(&expected, token).await
    }

    async fn verify(&self, token: &Secret) -> Result<(), IdTokenError> {
        self.verify_by(self.published(), token).await.map(drop)
    }

    async fn claims(&self, claims: Value) -> Result<(), IdTokenError> {
        self.verify(&self.issuer.id_token("alice", "ours", claims)).await
    }

    /// The issuer's key with some members replaced, or taken away by `null`.
    fn jwk(&self, changes: Value) -> Value {
        let mut jwk = self.issuer.jwk();
        let (members, Value::Object(changes)) = (jwk.as_object_mut().unwrap(), changes) else { panic!() };
        members.extend(changes);
        members.retain(|_, value| !value.is_null());
        jwk
    }
}

fn claims() -> String {
    json!({"iss": ISSUER, "sub": "alice", "aud": "ours", "iat": NOW, "exp": NOW + 60}).to_string()
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// One key for all tests: making one takes a while.
fn rsa() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

fn rsa_jwk() -> Value {
    let public = rsa().public_key();
    let n = encode(public.modulus().big_endian_without_leading_zero());
    json!({"kty": "RSA", "n": n, "e": encode(public.exponent().big_endian_without_leading_zero())})
}

fn rsa_token(header: &Value, encoding: &'static dyn RsaEncoding) -> Secret {
    jws(&header.to_string(), &claims(), |message| {
        let mut signature = vec![0; rsa().public_modulus_len()];
        rsa().sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    })
}

#[tokio::test]
async fn a_key_that_says_that_it_verifies_does_so() {
    let world = World::new();
    for (operations, good) in [
        (json!(["verify"]), true),
        (json!(["sign", "verify"]), true),
        (json!(["sign"]), false),
        (json!(["encrypt"]), false),
        (json!([]), false),
        (json!("verify"), false),
    ] {
        let world = World { issuer: world.issuer.clone(), ..World::new() };
        world.publish(&json!([world.jwk(json!({"key_ops": operations, "ext": true}))]));
        let verdict = world.claims(json!({})).await;
        assert_eq!(verdict, if good { Ok(()) } else { Err(IdTokenError::UnknownKey) }, "{operations}");
    }
}

#[tokio::test]
async fn instants_may_have_fractions() {
    let world = World::new();
    for good in [
        json!({"exp": 1_700_000_001.811}),
        json!({"exp": 1_700_003_600.0}),
        json!({"exp": 1.7e9 + 1.0}),
        json!({"iat": 1_699_999_999.5, "nbf": 1_699_999_999.25}),
        json!({"exp": "1700003600"}),
    ] {
        assert_eq!(world.claims(good.clone()).await, Ok(()), "{good}");
    }
    let over = world.claims(json!({"exp": 1_700_000_000.9})).await;
    assert_eq!(
        over,
        Err(IdTokenError::Expired { now: NOW, expired_at: NOW }),
        "no longer than what was meant"
    );
    for (bad, claim) in [
        (json!({"exp": 1e300}), "exp"),
        (json!({"exp": -0.5}), "exp"),
        (json!({"exp": "1700003600.5"}), "exp"),
        (json!({"exp": true}), "exp"),
        (json!({"exp": [1_700_003_600]}), "exp"),
        (json!({"iat": {}}), "iat"),
        (json!({"nbf": "soon"}), "nbf"),
        (json!({"aud": 7}), "aud"),
        (json!({"aud": ["ours", 7]}), "aud"),
        (json!({"azp": 7}), "azp"),
        (json!({"iss": 7}), "iss"),
        (json!({"sub": {}}), "sub"),
    ] {
        assert_eq!(world.claims(bad.clone()).await, Err(IdTokenError::ClaimType(claim)), "{bad}");
    }
}

#[tokio::test]
async fn a_key_id_is_a_hint() {
    let world = World::new();
    let unnamed = world.jwk(json!({"kid": null}));
    world.publish(&json!([rsa_jwk(), unnamed]));
    assert_eq!(
        world.claims(json!({})).await,
        Ok(()),
        "the token names a key, and none of the set has a name"
    );

    let other = Issuer::new(ISSUER, Arc::new(ManualClock::at_second(NOW)));
    let certification = json!([
        rsa_jwk(),
        world.jwk(json!({"kid": "1", "use": "enc"})),
        other.jwk(),
        world.jwk(json!({"kid": "2"})),
    ]);
    let of_four = World { issuer: world.issuer.clone(), ..World::with_keys(&certification) };
    of_four.publish(&certification);
    let nameless = of_four.issuer.sign_with_header(&json!({"alg": "ES256"}).to_string(), &claims());
    assert_eq!(of_four.verify(&nameless).await, Ok(()), "the token names none, and several fit");
    let rsa = rsa_token(&json!({"alg": "RS256"}), &signature::RSA_PKCS1_SHA256);
    assert_eq!(of_four.verify(&rsa).await, Ok(()));
}

#[tokio::test]
async fn a_key_that_is_named_is_no_other() {
    let world = World::new();
    let other = Issuer::new(ISSUER, Arc::new(ManualClock::at_second(NOW)));
    let both = json!([other.jwk(), world.jwk(json!({"kid": "another"}))]);
    world.publish(&both);
    let token = world.issuer.id_token("alice", "ours", json!({}));
    assert_eq!(world.verify(&token).await, Err(IdTokenError::BadSignature), "key-0 is the other issuer's");
    let named = json!([world.jwk(json!({"kid": "another"}))]);
    let world = World { issuer: world.issuer.clone(), ..World::with_keys(&named) };
    world.publish(&named);
    assert_eq!(
        world.verify(&token).await,
        Err(IdTokenError::UnknownKey),
        "all keys have names, and none has this"
    );
}

#[tokio::test]
async fn algorithms_of_the_specifications_are_verified() {
    let world = World::with_keys(&json!([rsa_jwk()]));
    let encodings: [(&str, &'static dyn RsaEncoding); 4] = [
        ("PS256", &signature::RSA_PSS_SHA256),
        ("PS384", &signature::RSA_PSS_SHA384),
        ("PS512", &signature::RSA_PSS_SHA512),
        ("RS256", &signature::RSA_PKCS1_SHA256),
    ];
    for (name, encoding) in encodings {
        let token = rsa_token(&json!({"alg": name}), encoding);
        assert_eq!(world.verify(&token).await, Ok(()), "{name}");
        let another = if name == "RS256" { "PS256" } else { "RS256" };
        let token = rsa_token(&json!({"alg": another}), encoding);
        assert_eq!(world.verify(&token).await, Err(IdTokenError::BadSignature), "{name} as {another}");
    }

    let pair = Ed25519KeyPair::generate().unwrap();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": encode(pair.public_key().as_ref())});
    let world = World::with_keys(&json!([rsa_jwk(), jwk]));
    for name in ["EdDSA", "Ed25519"] {
        let header = json!({"alg": name, "kid": "ed"}).to_string();
        let token = jws(&header, &claims(), |message| pair.sign(message).as_ref().to_vec());
        assert_eq!(world.verify(&token).await, Ok(()), "{name}");
        let forged = jws(&header, &claims(), |_| pair.sign(b"another message").as_ref().to_vec());
        assert_eq!(world.verify(&forged).await, Err(IdTokenError::BadSignature), "{name}");
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_taken_is_named_if_it_has_a_name() {
    let world = World::new();
    for (name, told) in [
        ("none", "none"),
        ("HS256", "HS256"),
        ("ES256K", "ES256K"),
        ("", "an algorithm without a name"),
        ("<script>", "an algorithm without a name"),
        ("a-very-long-name-of-nothing", "an algorithm without a name"),
    ] {
        let token = world.issuer.sign_with_header(&json!({"alg": name}).to_string(), &claims());
        assert_eq!(world.verify(&token).await, Err(IdTokenError::AlgorithmNotTaken(told.into())), "{name}");
    }
    assert!(world.http.asked().is_empty());
}

#[tokio::test]
async fn a_secret_verifies_hs256_alone_and_a_published_key_everything_else() {
    let world = World::new();
    let secret = Secret::new("our secret");
    let both = || Keys::Both(KeySource::JwkSet(world.issuer.jwks_url().to_owned()), &secret);
    let signed_by = |secret: &[u8], alg: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let header = json!({"alg": alg, "kid": "key-0"}).to_string();
        jws(&header, &claims(), |message| hmac::sign(&key, message).as_ref().to_vec())
    };
    let of_the_web = signed_by(b"our secret", "HS256");
    let of_a_phone = world.issuer.id_token("alice", "ours", json!({}));
    for token in [&of_the_web, &of_a_phone] {
        assert!(world.verify_by(both(), token).await.is_ok());
    }
    let x = world.issuer.jwk()["x"].as_str().unwrap().to_owned();
    for forged in [
        signed_by(x.as_bytes(), "HS256"),
        signed_by(&BASE64_URL_SAFE_NO_PAD.decode(&x).unwrap(), "HS256"),
        signed_by(world.issuer.jwk().to_string().as_bytes(), "HS256"),
        signed_by(b"", "HS256"),
        signed_by(b"our secret", "ES256"),
        world.issuer.sign_with_header(r#"{"alg": "HS256", "kid": "key-0"}"#, &claims()),
    ] {
        assert_eq!(world.verify_by(both(), &forged).await.err(), Some(IdTokenError::BadSignature));
    }
    let by_secret = Keys::Shared(&secret);
    let refused = world.verify_by(by_secret, &of_a_phone).await.err();
    assert_eq!(refused, Some(IdTokenError::AlgorithmNotTaken("ES256".into())));
}
