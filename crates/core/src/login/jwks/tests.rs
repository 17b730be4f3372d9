//! Issuers that rotate keys, lie, fall silent, and clients that hang up.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom as AwsLcRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, KeyPair as _,
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use futures::channel::oneshot;
use http::Response;
use serde_json::{Value, json};

use super::*;
use crate::ground::clock::ManualClock;
use crate::ground::outbound::ProviderHttpError;
use crate::login::public::testing::{FakeHttp, Issuer};

const ISSUER: &str = "https://login.example.com";

struct World {
    clock: Arc<ManualClock>,
    issuer: Arc<Issuer>,
    http: Arc<FakeHttp>,
    cache: JwksCache,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at_second(1_700_000_000));
        let issuer = Issuer::new(ISSUER, clock.clone());
        let http = Arc::new(FakeHttp::new().with_issuer(&issuer));
        let cache = JwksCache::new(http.clone(), clock.clone());
        Self { clock, issuer, http, cache }
    }

    fn direct(&self) -> KeySource {
        KeySource::JwkSet(self.issuer.jwks_url().to_owned())
    }

    async fn find(&self, key_id: &str) -> Result<Arc<PublicKey>, JwksError> {
        self.cache.find(&self.direct(), &aws(Some(key_id))).await.map(first)
    }

    fn fetches(&self) -> usize {
        self.http.asked().len()
    }

    /// What a discovery document leads to.
    async fn discover(&self, issuer: &str, metadata: &Value) -> Result<Arc<PublicKey>, JwksError> {
        self.http.answer(&format!("{issuer}/.well-known/openid-configuration"), 200, metadata.to_string());
        let source = KeySource::Discovery { issuer: issuer.to_owned() };
        self.cache.find(&source, &aws(Some("key-0"))).await.map(first)
    }
}

/// What a token of a pool says of its key.
fn aws(key_id: Option<&str>) -> Wanted<'_> {
    Wanted { key_id, algorithm: Algorithm::Es256, rules: Rules::Aws }
}

fn first(keys: Vec<Arc<PublicKey>>) -> Arc<PublicKey> {
    keys.into_iter().next().unwrap()
}

fn unavailable(result: Result<Arc<PublicKey>, JwksError>) -> String {
    match result {
        Err(JwksError::Unavailable(reason)) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

/// What was found in the place of what is configured.
fn found(result: Result<Arc<PublicKey>, JwksError>) -> String {
    match result {
        Err(JwksError::NotAsDefined(reason)) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn fresh_keys_are_used_without_a_question() {
    let world = World::new();
    world.find("key-0").await.unwrap();
    world.clock.advance(FRESH - seconds(1));
    world.find("key-0").await.unwrap();
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn older_keys_are_fetched_again_and_a_withdrawn_one_is_gone() {
    let world = World::new();
    world.find("key-0").await.unwrap();
    world.issuer.rotate();
    world.clock.advance(FRESH);
    assert_eq!(world.find("key-0").await.unwrap_err(), JwksError::UnknownKey);
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_at_a_limited_rate() {
    let world = World::new();
    world.find("key-0").await.unwrap();
    world.issuer.rotate();
    world.clock.advance(REFETCH_PAUSE);
    world.find("key-1").await.unwrap();
    assert_eq!(world.fetches(), 2);
    for _ in 0..10 {
        assert_eq!(world.find("forged").await.unwrap_err(), JwksError::UnknownKey);
    }
    assert_eq!(world.fetches(), 2, "no fetch so soon after the last one");
    world.clock.advance(REFETCH_PAUSE);
    assert_eq!(world.find("forged").await.unwrap_err(), JwksError::UnknownKey);
    assert_eq!(world.fetches(), 3);
}

#[tokio::test]
async fn the_last_keys_serve_a_day_while_their_issuer_is_silent() {
    let world = World::new();
    world.find("key-0").await.unwrap();
    world.http.time_out(world.issuer.jwks_url());
    world.clock.advance(USABLE - seconds(1));
    world.find("key-0").await.unwrap();
    assert!(unavailable(world.find("key-1").await).contains("timed out"), "nobody can say it is unknown");
    world.clock.advance(seconds(1));
    assert!(unavailable(world.find("key-0").await).contains("timed out"));
}

#[tokio::test]
async fn a_failure_is_remembered_briefly() {
    let world = World::new();
    world.http.answer(world.issuer.jwks_url(), 503, "");
    assert!(unavailable(world.find("key-0").await).contains("status 503"));
    world.http.restore(world.issuer.jwks_url());
    assert!(unavailable(world.find("key-0").await).contains("status 503"));
    assert_eq!(world.fetches(), 1);
    world.clock.advance(RETRY_PAUSE);
    world.find("key-0").await.unwrap();
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_key_young() {
    let world = World::new();
    world.find("key-0").await.unwrap();
    world.issuer.rotate();
    world.clock.advance(seconds(-3600));
    assert_eq!(world.find("key-0").await.unwrap_err(), JwksError::UnknownKey);
}

/// A network that lets requests through when it is told to.
struct Gate {
    inner: Arc<FakeHttp>,
    closed: Mutex<Option<oneshot::Receiver<()>>>,
}

#[async_trait]
impl ProviderHttp for Gate {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        let closed = self.closed.lock().unwrap().take();
        if let Some(opened) = closed {
            opened.await.unwrap();
        }
        self.inner.send(request).await
    }
}

fn gated() -> (World, oneshot::Sender<()>) {
    let world = World::new();
    let (open, closed) = oneshot::channel();
    let gate = Gate { inner: world.http.clone(), closed: Mutex::new(Some(closed)) };
    let cache = JwksCache::new(Arc::new(gate), world.clock.clone());
    (World { cache, ..world }, open)
}

#[tokio::test]
async fn concurrent_questions_share_one_fetch() {
    let (world, open) = gated();
    let opening = async { open.send(()).unwrap() };
    let (first, second, ()) = tokio::join!(world.find("key-0"), world.find("key-0"), opening);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_abandons_no_fetch() {
    let (world, open) = gated();
    {
        let mut impatient = pin!(world.find("key-0"));
        poll_fn(|context| {
            assert!(impatient.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    open.send(()).unwrap();
    world.find("key-0").await.unwrap();
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn keys_are_known_by_the_time_at_which_they_were_asked_for() {
    let (world, open) = gated();
    let late = async {
        world.clock.advance(USABLE);
        open.send(()).unwrap();
    };
    let (found, ()) = tokio::join!(world.find("key-0"), late);
    assert!(unavailable(found).contains("too late"));
    world.find("key-0").await.unwrap();
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn an_issuers_metadata_lead_to_its_keys() {
    let world = World::new();
    let source = KeySource::Discovery { issuer: ISSUER.to_owned() };
    world.cache.find(&source, &aws(Some("key-0"))).await.unwrap();
    assert_eq!(world.http.asked(), [world.issuer.discovery_url(), world.issuer.jwks_url().to_owned()]);
}

#[tokio::test]
async fn metadata_of_another_issuer_are_refused() {
    let world = World::new();
    for other in ["https://login.example.com/", "https://LOGIN.example.com", "https://evil.example.com"] {
        let metadata = json!({"issuer": other, "jwks_uri": world.issuer.jwks_url()});
        world.clock.advance(RETRY_PAUSE);
        let told = found(world.discover(ISSUER, &metadata).await);
        assert!(told.contains(&format!("{other:?}")) && told.contains(&format!("{ISSUER:?}")), "{told}");
    }
}

#[tokio::test]
async fn metadata_cannot_lead_from_tls_to_plain_text() {
    let world = World::new();
    for url in ["http://login.example.com/keys", "file:///etc/passwd", "//login.example.com/keys"] {
        let metadata = json!({"issuer": ISSUER, "jwks_uri": url});
        world.clock.advance(RETRY_PAUSE);
        let told = found(world.discover(ISSUER, &metadata).await);
        assert!(told.contains("not https") && told.contains(url), "{told}");
    }
    assert!(world.http.asked().iter().all(|url| *url == world.issuer.discovery_url()));
}

#[tokio::test]
async fn an_issuer_without_tls_may_have_keys_without_tls() {
    let world = World::new();
    let keys = "http://127.0.0.1:9000/keys";
    world.http.answer(keys, 200, json!({"keys": [world.issuer.jwk()]}).to_string());
    let metadata = json!({"issuer": "http://127.0.0.1:9000", "jwks_uri": keys});
    world.discover("http://127.0.0.1:9000", &metadata).await.unwrap();
}

#[tokio::test]
async fn what_is_no_jwk_set_is_a_failure() {
    let world = World::new();
    for body in ["", "<html>", "[]", "{}", r#"{"keys": {}}"#] {
        world.clock.advance(RETRY_PAUSE);
        world.http.answer(world.issuer.jwks_url(), 200, body);
        assert!(found(world.find("key-0").await).contains("cannot be read"), "{body}");
    }
}

#[tokio::test]
async fn a_lasting_mistake_is_no_outage() {
    let world = World::new();
    for (status, is_outage) in
        [(301, false), (403, false), (404, false), (410, false), (429, true), (503, true)]
    {
        world.clock.advance(RETRY_PAUSE);
        world.http.answer(world.issuer.jwks_url(), status, "");
        let result = world.find("key-0").await;
        let told = if is_outage { unavailable(result) } else { found(result) };
        assert!(told.contains(&format!("status {status}")), "{told}");
    }
}

#[tokio::test]
async fn an_issuers_words_are_quoted_no_longer_than_a_line_can_bear() {
    let world = World::new();
    let metadata = json!({"issuer": format!("é\n{}", "x".repeat(10_000)), "jwks_uri": "https://a"});
    let told = found(world.discover(ISSUER, &metadata).await);
    assert!(told.len() < 500 && !told.contains('\n'), "{told}");
}

/// Whether a set of these keys has one for this key ID.
fn finds(keys: &Value, key_id: Option<&str>) -> bool {
    let set: KeySet = serde_json::from_value(json!({"keys": keys})).unwrap();
    set.find(&aws(key_id)).is_some()
}

#[test]
fn every_curve_verifies_its_own_algorithm_only() {
    for (curve, coordinate, signing, algorithm) in [
        ("P-256", 32, &ECDSA_P256_SHA256_FIXED_SIGNING, Algorithm::Es256),
        ("P-384", 48, &ECDSA_P384_SHA384_FIXED_SIGNING, Algorithm::Es384),
        ("P-521", 66, &ECDSA_P521_SHA512_FIXED_SIGNING, Algorithm::Es512),
    ] {
        let pair = EcdsaKeyPair::generate(signing).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(coordinate);
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let keys = json!({"keys": [{"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)}]});
        let set: KeySet = serde_json::from_value(keys).unwrap();
        let key = first(set.find(&aws(None)).unwrap());
        let signature = pair.sign(&AwsLcRandom::new(), b"message").unwrap();
        for other in [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::Rs256] {
            assert_eq!(key.verifies(other, b"message", signature.as_ref()), other == algorithm, "{curve}");
        }
        assert!(!key.verifies(algorithm, b"another", signature.as_ref()));
    }
}

/// A key of RSA keeps what makes it ready to verify.
#[test]
fn a_key_of_rsa_verifies_by_each_algorithm_whichever_was_first_and_nothing_that_it_did_not_sign() {
    use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding};
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let n = encode(pair.public_key().modulus().big_endian_without_leading_zero());
    let e = encode(pair.public_key().exponent().big_endian_without_leading_zero());
    let set: KeySet = serde_json::from_value(json!({"keys": [{"kty": "RSA", "n": n, "e": e}]})).unwrap();
    let key = first(set.find(&aws(None)).unwrap());
    let sign = |encoding: &'static dyn RsaEncoding| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &AwsLcRandom::new(), b"message", &mut signature).unwrap();
        signature
    };
    let signatures = [
        (Algorithm::Rs256, sign(&RSA_PKCS1_SHA256)),
        (Algorithm::Rs512, sign(&RSA_PKCS1_SHA512)),
        (Algorithm::Ps256, sign(&RSA_PSS_SHA256)),
    ];
    assert!(!key.verifies(Algorithm::Rs512, b"another", &signatures[1].1), "nor does it keep anything then");
    for _ in 0..2 {
        for (algorithm, signature) in &signatures {
            for (other, _) in &signatures {
                assert_eq!(key.verifies(*other, b"message", signature), other == algorithm, "{other:?}");
            }
            assert!(!key.verifies(*algorithm, b"another", signature));
            assert!(!key.verifies(Algorithm::Es256, b"message", signature));
        }
    }
}

/// The issuer's key with some members replaced, or taken away by `null`.
fn jwk(changes: &Value) -> Value {
    let issuer = Issuer::new(ISSUER, Arc::new(ManualClock::at_second(0)));
    let mut jwk = issuer.jwk();
    let members = jwk.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    jwk
}

#[test]
fn keys_for_other_purposes_and_unusable_ones_are_left_out() {
    assert!(finds(&json!([jwk(&json!({}))]), Some("key-0")));
    assert!(finds(&json!([jwk(&json!({"use": null, "alg": null}))]), Some("key-0")));
    for changes in [
        json!({"use": "enc"}),
        json!({"key_ops": ["verify"]}),
        json!({"kty": "oct", "k": "c2VjcmV0"}),
        json!({"kty": "OKP"}),
        json!({"crv": "secp256k1"}),
        json!({"crv": "P-384"}),
        json!({"x": "AAAA"}),
        json!({"y": null}),
        json!({"x": "+/+/"}),
        json!({"kty": "RSA", "n": "AAAA", "e": "AQAB"}),
    ] {
        assert!(!finds(&json!([jwk(&changes), {"kty": 1}, null]), Some("key-0")), "{changes}");
    }
}

#[test]
fn a_token_without_key_id_means_the_only_key() {
    assert!(finds(&json!([jwk(&json!({"kid": null}))]), None));
    assert!(finds(&json!([jwk(&json!({}))]), None));
    assert!(!finds(&json!([jwk(&json!({})), jwk(&json!({"kid": "key-1"}))]), None));
    assert!(!finds(&json!([jwk(&json!({"kid": null}))]), Some("key-0")), "a named key has that name");
}

#[test]
fn of_two_keys_with_one_id_the_later_counts() {
    let (earlier, later) = (jwk(&json!({})), jwk(&json!({})));
    let last: KeySet = serde_json::from_value(json!({"keys": [later.clone()]})).unwrap();
    let both: KeySet = serde_json::from_value(json!({"keys": [earlier, later]})).unwrap();
    let point = |set: &KeySet| match &*first(set.find(&aws(Some("key-0"))).unwrap()) {
        PublicKey::Ec { point, .. } => point.clone(),
        PublicKey::Rsa(_) | PublicKey::Ed25519(_) => panic!("an EC key"),
    };
    assert_eq!(point(&both), point(&last));
}
