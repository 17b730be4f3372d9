//! Identity providers for tests: an [`Issuer`] has a key and signs ID tokens, a [`FakeHttp`] stands for
//! the network on which issuers publish their keys and other providers answer.
//!
//! ```text
//! let issuer = Issuer::new("https://login.example.com", clock.clone());
//! let http = FakeHttp::new().with_issuer(&issuer);
//! let token = issuer.id_token("alice", "our client", json!({}));
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use ::http::{Request, Response};
use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom as AwsLcRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::ground::clock::Clock;
use crate::ground::outbound::{ProviderHttp, ProviderHttpError};
use crate::ground::secret::Secret;

/// Google's key in `Logins`.
pub const GOOGLE: &str = "accounts.google.com";
/// Apple's key in `Logins`.
pub const APPLE: &str = "appleid.apple.com";
/// Facebook's key in `Logins`.
pub const FACEBOOK: &str = "graph.facebook.com";
/// Login with Amazon's key in `Logins`.
pub const AMAZON: &str = "www.amazon.com";

/// An identity provider with one P-256 key.
pub struct Issuer {
    url: String,
    jwks_url: String,
    clock: Arc<dyn Clock>,
    /// The key, and how many there were before it.
    key: Mutex<(usize, EcdsaKeyPair)>,
}

impl Issuer {
    /// An issuer with this `iss`, whose keys are at `/.well-known/jwks.json` under it. It is an OIDC
    /// provider, or a Cognito user pool if the URL is one of a user pool.
    #[must_use]
    pub fn new(issuer: &str, clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::with_keys_at(issuer, &format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/')), clock)
    }

    /// Google in our test world.
    #[must_use]
    pub fn google(clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::with_keys_at("https://accounts.google.com", "https://www.googleapis.com/oauth2/v3/certs", clock)
    }

    /// Apple in our test world.
    #[must_use]
    pub fn apple(clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::with_keys_at("https://appleid.apple.com", "https://appleid.apple.com/auth/keys", clock)
    }

    /// An issuer whose keys are elsewhere.
    #[must_use]
    pub fn with_keys_at(issuer: &str, jwks_url: &str, clock: Arc<dyn Clock>) -> Arc<Self> {
        let (url, jwks_url) = (issuer.to_owned(), jwks_url.to_owned());
        Arc::new(Self { url, jwks_url, clock, key: Mutex::new((0, generate())) })
    }

    /// Its `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.url
    }

    /// Where its keys are.
    #[must_use]
    pub fn jwks_url(&self) -> &str {
        &self.jwks_url
    }

    /// Where its metadata are.
    #[must_use]
    pub fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.url.trim_end_matches('/'))
    }

    /// An ID token issued now that lives for an hour. The members of `extra` are laid over its claims; a
    /// `null` takes a claim away.
    #[must_use]
    pub fn id_token(&self, subject: &str, audience: &str, extra: Value) -> Secret {
        let now = self.clock.now().as_second();
        let mut claims = json!({
            "iss": self.url, "sub": subject, "aud": audience, "iat": now, "exp": now + 3600,
        });
        let (Some(members), Value::Object(extra)) = (claims.as_object_mut(), extra) else {
            panic!("extra claims are an object");
        };
        members.extend(extra);
        members.retain(|_, value| !value.is_null());
        self.sign(&claims.to_string())
    }

    /// A token with whatever payload.
    #[must_use]
    pub fn sign(&self, payload: &str) -> Secret {
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.key_id()});
        self.sign_with_header(&header.to_string(), payload)
    }

    /// A token with whatever header, signed by the issuer's key.
    #[must_use]
    pub fn sign_with_header(&self, header: &str, payload: &str) -> Secret {
        jws(header, payload, |message| {
            self.key().1.sign(&AwsLcRandom::new(), message).expect("a whole key signs").as_ref().to_vec()
        })
    }

    /// Withdraws the key and makes another, with another ID.
    pub fn rotate(&self) {
        let mut key = self.key();
        *key = (key.0 + 1, generate());
    }

    /// The ID of the key.
    #[must_use]
    pub fn key_id(&self) -> String {
        format!("key-{}", self.key().0)
    }

    /// The key as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let key_id = self.key_id();
        let point = self.key().1.public_key().as_ref().to_vec();
        let coordinate = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": key_id,
            "x": coordinate(&point[1..33]), "y": coordinate(&point[33..]),
        })
    }

    fn key(&self) -> MutexGuard<'_, (usize, EcdsaKeyPair)> {
        self.key.lock().expect("no thread panics while it holds the key")
    }

    /// What the issuer answers under its own addresses.
    fn answer(&self, url: &str) -> Option<Value> {
        if url == self.jwks_url {
            return Some(json!({"keys": [self.jwk()]}));
        }
        (url == self.discovery_url()).then(|| json!({"issuer": self.url, "jwks_uri": self.jwks_url}))
    }
}

fn generate() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("aws-lc makes a key or aborts")
}

/// A JWS in compact form.
#[must_use]
pub fn jws(header: &str, payload: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Secret {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let message = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
    let signature = encode(&sign(message.as_bytes()));
    Secret::new(format!("{message}.{signature}"))
}

type Answer = Result<(u16, String), ProviderHttpError>;
type AnswerMaker = Box<dyn Fn() -> Answer + Send + Sync>;

/// A network with nobody on it but who was put there. Anybody else is unreachable.
#[derive(Default)]
pub struct FakeHttp {
    issuers: Mutex<Vec<Arc<Issuer>>>,
    answers: Mutex<BTreeMap<String, AnswerMaker>>,
    asked: Mutex<Vec<String>>,
    otherwise: Option<Arc<dyn ProviderHttp>>,
}

impl FakeHttp {
    /// An empty network.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an issuer on it.
    #[must_use]
    pub fn with_issuer(self, issuer: &Arc<Issuer>) -> Self {
        self.add_issuer(issuer);
        self
    }

    /// Puts an issuer on a network that is already in use.
    pub fn add_issuer(&self, issuer: &Arc<Issuer>) {
        lock(&self.issuers).push(issuer.clone());
    }

    /// Leads every request that nobody here answers into another network.
    #[must_use]
    pub fn or(mut self, otherwise: Arc<dyn ProviderHttp>) -> Self {
        self.otherwise = Some(otherwise);
        self
    }

    /// Answers a URL from now on, also in the place of an issuer.
    pub fn answer(&self, url: &str, status: u16, body: impl Into<String>) {
        let body = body.into();
        self.answer_by(url, move || Ok((status, body.clone())));
    }

    /// Lets every request to a URL run into its time limit from now on.
    pub fn time_out(&self, url: &str) {
        self.answer_by(url, || Err(ProviderHttpError::TimedOut));
    }

    fn answer_by(&self, url: &str, make: impl Fn() -> Answer + Send + Sync + 'static) {
        lock(&self.answers).insert(url.to_owned(), Box::new(make));
    }

    /// Takes back what [`answer`](Self::answer) or [`time_out`](Self::time_out) said of a URL.
    pub fn restore(&self, url: &str) {
        lock(&self.answers).remove(url);
    }

    /// The URLs that were asked, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }

    fn find(&self, url: &str) -> Option<Answer> {
        if let Some(make) = lock(&self.answers).get(url) {
            return Some(make());
        }
        let answer = lock(&self.issuers).iter().find_map(|issuer| issuer.answer(url))?;
        Some(Ok((200, answer.to_string())))
    }
}

#[async_trait]
impl ProviderHttp for FakeHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        let url = request.uri().to_string();
        lock(&self.asked).push(url.clone());
        match (self.find(&url), &self.otherwise) {
            (Some(answer), _) => {
                let (status, body) = answer?;
                let answer = Response::builder().status(status).body(Bytes::from(body));
                Ok(answer.expect("a test answers with a valid status"))
            }
            (None, Some(otherwise)) => otherwise.send(request).await,
            (None, None) => Err(ProviderHttpError::Unreachable("nobody is there".into())),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panics while it holds the network")
}
