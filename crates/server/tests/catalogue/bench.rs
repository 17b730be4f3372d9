//! One entry of the catalogue, its provider and the engine, put together.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use daypass_core::ground::clock::{ManualClock, SignedDuration};
use daypass_core::ground::random::SeededRandom;
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::definition::{
    Binding, Definition, IdTokenKeys, NonceMode, ProofKind, SignedFieldsKey,
};
use daypass_core::login::provider::{
    AppleKey, AuthorizeRequest, Engine, Identifier, ProofError, Provider, UnverifiedProof, VerifiedLogin,
};
use daypass_server::provider_http::{Limits, Reach, ReqwestHttp};
use serde_json::{Map, Value, json};

use crate::fixture::{Fixture, Reply};
use crate::server::{Script, Seen, Server, Step, keys_url};
use crate::signer::{Signer, hs256};

pub const NOW: i64 = 1_800_000_000;
/// Characters that mean something in a URL, a form and JSON: whatever carries them has to encode them.
pub const CODE: &str = "the/code&of=this+login";
pub const TOKEN: &str = "the/token&of=this+person";
pub const VERIFIER: &str = "the-verifier-of-this-browser";
pub const NONCE: &str = "the-nonce-of-this-login";
pub const REDIRECT_URI: &str = "https://app.example.com/signed-in";

static HTTP: LazyLock<Arc<ReqwestHttp>> = LazyLock::new(|| {
    let loopback = Reach::with(["127.0.0.1".to_owned().try_into().unwrap()]);
    let (clock, random) = (Arc::new(ManualClock::at_second(NOW)), Arc::new(SeededRandom::new(1)));
    // This far end needs no time to recover.
    let limits = Limits { pause: Duration::ZERO, ..Limits::default() };
    Arc::new(ReqwestHttp::new(limits, loopback, clock, random).unwrap())
});

/// How often the engine was asked something about an entry.
#[derive(Clone, Default)]
pub struct Questions(Arc<AtomicUsize>);

impl Questions {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// The block of an entry with the variables that its fixture gives.
pub fn definition(name: &str, fixture: &Fixture) -> Definition {
    let variables = fixture.client.variables.iter();
    let value = |value: &String| toml::Table::from_iter([("value".to_owned(), value.clone().into())]);
    let variables: toml::Table =
        variables.map(|(name, text)| (name.clone(), toml::Value::Table(value(text)))).collect();
    let overrides = (!variables.is_empty()).then(|| ("variables".to_owned(), variables.into()));
    Definition::from_catalogue(name, overrides.into_iter().collect()).unwrap()
}

/// An entry on the bench.
pub struct Bench {
    pub name: &'static str,
    pub fixture: Fixture,
    pub provider: Arc<Provider>,
    pub server: Server,
    pub clock: Arc<ManualClock>,
    /// The key of the provider's ID tokens.
    pub signer: Signer,
    /// The other half of our client secret, at Apple.
    pub apple: Signer,
    pub questions: Questions,
}

impl Bench {
    pub async fn new(name: &'static str) -> Self {
        let fixture = Fixture::load(name).unwrap();
        let definition = definition(name, &fixture);
        let apple = Signer::new();
        let client = fixture.client.clone();
        let names = || AppleKey { team_id: "TEAM123456".into(), key_id: "KEY1234567".into() };
        let provider = Provider {
            id: name.into(),
            client_secret: Some(Secret::new(if client.apple { apple.pem() } else { client.secret })),
            client_id: client.id,
            other_client_ids: client.other_client_ids,
            app_id: client.app_id,
            apple: client.apple.then(names),
            catalogue: None,
            only_actors: false,
            accept_unbound_access_tokens: false,
            identifier: Identifier::Prefixed,
            cache_verified: None,
            recheck: daypass_core::login::provider::RECHECK,
            definition: definition.into(),
        };
        let server = Server::start(&provider.definition).await;
        let clock = Arc::new(ManualClock::at_second(NOW));
        let provider = Arc::new(provider);
        let (signer, questions) = (Signer::new(), Questions::default());
        let bench = Self { name, fixture, provider, server, clock, signer, apple, questions };
        bench.be_honest();
        bench
    }

    pub fn definition(&self) -> &Definition {
        &self.provider.definition
    }

    pub fn accepts(&self, kind: ProofKind) -> bool {
        self.definition().accept.contains(&kind)
    }

    /// Whether a proof of this kind can sign somebody in as things stand.
    pub fn takes(&self, kind: ProofKind) -> bool {
        self.provider.accepted_proofs().contains(&kind)
    }

    /// The kinds of proof for which the engine takes a step.
    pub fn kinds_that_ask(&self, step: Step) -> Vec<ProofKind> {
        let code = match step {
            Step::Exchange => true,
            Step::Profile => !self.reads_id_token(),
            Step::Binding | Step::Discovery | Step::Keys | Step::Assertion => false,
        };
        let token = matches!(step, Step::Profile) || step == Step::Binding && self.has_binding_call();
        let wanted = [(code, ProofKind::Code), (token, ProofKind::AccessToken)];
        wanted.into_iter().filter(|(asks, kind)| *asks && self.takes(*kind)).map(|it| it.1).collect()
    }

    /// Whether any proof takes the engine through one of these steps.
    pub fn asks_at(&self, steps: &[Step]) -> bool {
        steps.iter().any(|step| !self.kinds_that_ask(*step).is_empty())
    }

    pub fn reads_id_token(&self) -> bool {
        self.definition().exchange.as_ref().is_some_and(|exchange| exchange.reads_id_token)
    }

    /// The provider answers as it does to a good proof of ours.
    pub fn be_honest(&self) {
        self.server.say(self.honest());
    }

    /// The provider answers as it does to what it issued to another client: the profile is anybody's to ask.
    pub fn be_asked_by_a_thief(&self) {
        let mut script = self.honest();
        let stolen = self.fixture.stolen.clone();
        script.replies.extend(stolen.exchange.map(|reply| (Step::Exchange, reply)));
        script.replies.extend(stolen.binding.map(|reply| (Step::Binding, reply)));
        script.replies.extend(stolen.profile.map(|reply| (Step::Profile, reply)));
        self.server.say(script);
    }

    /// The secret of our client.
    pub fn secret(&self) -> &str {
        self.provider.client_secret.as_ref().map(Secret::expose).unwrap_or_default()
    }

    /// A token answer that brings this ID token where the definition looks for one.
    pub fn with_id_token(&self, reply: &Reply, id_token: Option<String>) -> Reply {
        let mut reply = reply.clone();
        let at = self.definition().exchange.as_ref().map(|exchange| exchange.id_token.as_str());
        let name = at.unwrap_or_default().trim_start_matches('/');
        if let (Some(id_token), Some(body)) = (id_token, reply.body.as_object_mut()) {
            body.insert(name.to_owned(), id_token.into());
        }
        reply
    }

    fn honest(&self) -> Script {
        let mut replies = HashMap::new();
        replies.extend(self.fixture.binding.clone().map(|reply| (Step::Binding, reply)));
        replies.extend(self.fixture.profile.clone().map(|reply| (Step::Profile, reply)));
        if let Some(exchange) = &self.fixture.exchange {
            let id_token = self.reads_id_token().then(|| self.id_token());
            replies.insert(Step::Exchange, self.with_id_token(exchange, id_token));
        }
        if let Some(IdTokenKeys::Discovery(issuer)) = self.definition().id_token.as_ref().map(|it| &it.keys) {
            let issuer = issuer.as_literal().unwrap();
            let document = json!({"issuer": issuer, "jwks_uri": keys_url(issuer)});
            replies.insert(Step::Discovery, Reply::new(200, document));
        }
        replies.insert(Step::Keys, Reply::new(200, json!({"keys": [self.signer.jwk()]})));
        let asserted = self.definition().openid2.is_some().then(|| self.signed_fields());
        Script::new(replies, asserted)
    }

    /// The claims of a good ID token.
    pub fn claims(&self) -> Map<String, Value> {
        let definition = self.definition().id_token.as_ref().unwrap();
        let own = self.fixture.id_token.clone().unwrap();
        let mut claims = Map::new();
        claims.insert("iss".into(), with_claims(&definition.issuers[0], &own).into());
        claims.insert("aud".into(), self.provider.client_id.clone().into());
        claims.insert("iat".into(), NOW.into());
        claims.insert("exp".into(), (NOW + 600).into());
        if definition.nonce != NonceMode::None {
            claims.insert("nonce".into(), NONCE.into());
        }
        claims.extend(own);
        claims
    }

    pub fn id_token(&self) -> String {
        self.sign(&self.claims())
    }

    pub fn sign(&self, claims: &Map<String, Value>) -> String {
        self.sign_text(&text(claims))
    }

    /// Signs as the provider does.
    pub fn sign_text(&self, claims: &str) -> String {
        match self.definition().id_token.as_ref().unwrap().keys {
            IdTokenKeys::ClientSecret => hs256(self.secret().as_bytes(), claims),
            IdTokenKeys::Discovery(_) | IdTokenKeys::Jwks(_) | IdTokenKeys::JwksOrClientSecret(_) => {
                self.signer.sign(claims)
            }
        }
    }

    /// Good signed fields, or a good assertion.
    pub fn signed_fields(&self) -> BTreeMap<String, String> {
        let mut fields = self.fixture.signed_fields.clone().unwrap();
        if let Some(openid) = &self.definition().openid2 {
            let endpoint = openid.endpoint.as_literal().unwrap();
            let return_to = format!("{REDIRECT_URI}?state=the-state");
            for (name, value) in [
                ("ns", "http://specs.openid.net/auth/2.0"),
                ("mode", "id_res"),
                ("op_endpoint", endpoint),
                ("return_to", &return_to),
                ("response_nonce", "2027-01-15T08:00:00Zunique"),
                ("assoc_handle", "1234567890"),
                ("signed", "signed,op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle"),
                ("sig", "bm90IG91cnMgdG8gY2hlY2s="),
            ] {
                fields.insert(format!("openid.{name}"), value.to_owned());
            }
            fields.insert("state".into(), "the-state".into());
            return fields;
        }
        let definition = self.definition().signed_fields.as_ref().unwrap();
        fields.insert(definition.signed_at.clone(), NOW.to_string());
        self.sign_fields(&fields, self.secret())
    }

    /// Signs fields as the provider does for the client of this secret.
    pub fn sign_fields(&self, fields: &BTreeMap<String, String>, secret: &str) -> BTreeMap<String, String> {
        let definition = self.definition().signed_fields.as_ref().unwrap();
        let mut fields = fields.clone();
        fields.remove(&definition.signature);
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let hashed = digest::digest(&digest::SHA256, secret.as_bytes());
        let key = match definition.key {
            SignedFieldsKey::Secret => secret.as_bytes(),
            SignedFieldsKey::Sha256OfSecret => hashed.as_ref(),
        };
        let message = lines.join(&definition.joiner);
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
        fields.insert(definition.signature.clone(), hex(signature.as_ref()));
        fields
    }

    /// A good proof of this kind.
    pub fn proof(&self, kind: ProofKind) -> UnverifiedProof {
        match kind {
            ProofKind::Code => self.code(CODE),
            ProofKind::AccessToken => UnverifiedProof::AccessToken(Secret::new(TOKEN)),
            ProofKind::IdToken => id_token_proof(&self.id_token()),
            ProofKind::SignedFields => signed_fields_proof(self.signed_fields()),
        }
    }

    /// A code, with everything that may come along and something that may not.
    pub fn code(&self, code: &str) -> UnverifiedProof {
        let invited = self.definition().exchange.iter().flat_map(|exchange| &exchange.callback);
        let mut callback: BTreeMap<String, Secret> =
            invited.map(|name| (name.clone(), Secret::new(format!("the {name}")))).collect();
        callback.insert("uninvited".into(), Secret::new("guest"));
        UnverifiedProof::Code {
            code: Secret::new(code),
            code_verifier: Some(Secret::new(VERIFIER)),
            redirect_uri: REDIRECT_URI.into(),
            nonce: Some(Secret::new(NONCE)),
            callback,
        }
    }

    /// Has the engine verify a proof. Whatever comes of it, no request may go where the definition does not
    /// point, and no error may repeat what was shown.
    pub async fn verify(&self, proof: UnverifiedProof) -> (Result<VerifiedLogin, ProofError>, Vec<Seen>) {
        self.questions.count();
        let secrets = self.secrets(&proof);
        self.server.take_seen();
        let engine = Engine::new(self.server.client(HTTP.clone()), self.clock.clone());
        let verdict = engine.verify(&self.provider, proof).await;
        let seen = self.server.take_seen();
        for request in &seen {
            assert!(request.step.is_some(), "nobody is there: {} {}", request.origin, request.uri.path());
        }
        if let Err(error) = &verdict {
            let shown = format!("{error} {error:?}");
            for secret in secrets {
                assert!(!shown.contains(&secret), "an error repeats a secret: {shown}");
            }
        }
        (verdict, seen)
    }

    /// Where the engine sends a browser to start a flow.
    pub fn authorization_url(&self, request: &AuthorizeRequest<'_>) -> Option<String> {
        self.questions.count();
        self.provider.authorization_url(request)
    }

    /// Asserts that no login comes of a proof.
    pub async fn refuses(&self, proof: UnverifiedProof, why: &str) -> ProofError {
        match self.verify(proof).await.0 {
            Ok(login) => panic!("a login as {} by {why}", login.developer_user_identifier()),
            Err(error) => error,
        }
    }

    fn secrets(&self, proof: &UnverifiedProof) -> Vec<String> {
        let shown = match proof {
            UnverifiedProof::Code { code, .. } => vec![code.expose(), VERIFIER, NONCE],
            UnverifiedProof::AccessToken(token) | UnverifiedProof::IdToken { token, .. } => {
                vec![token.expose()]
            }
            UnverifiedProof::SignedFields { fields, .. } => fields.values().map(String::as_str).collect(),
        };
        let issued = self.issued_token();
        let all = shown.into_iter().chain(issued.as_deref()).chain([self.secret()]);
        all.filter(|secret| secret.len() >= 8).map(str::to_owned).collect()
    }

    /// The access token that the token endpoint issues for a good code.
    pub fn issued_token(&self) -> Option<String> {
        let exchange = self.definition().exchange.as_ref()?;
        let reply = self.fixture.exchange.as_ref()?;
        match &reply.body {
            Value::String(text) => {
                let name = exchange.access_token.as_str().trim_start_matches('/');
                let mut pairs = form_urlencoded::parse(text.as_bytes());
                pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
            }
            body => body.pointer(exchange.access_token.as_str())?.as_str().map(str::to_owned),
        }
    }

    /// Whether bare access tokens are told apart by a call of their own.
    pub fn has_binding_call(&self) -> bool {
        matches!(self.definition().binding, Binding::Endpoint(_) | Binding::ClientAuthEndpoint(_))
    }

    /// Lets time pass at our end.
    pub fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

/// Claims as they are signed.
pub fn text(claims: &Map<String, Value>) -> String {
    Value::Object(claims.clone()).to_string()
}

pub fn id_token_proof(token: &str) -> UnverifiedProof {
    UnverifiedProof::IdToken { token: Secret::new(token), nonce: Some(Secret::new(NONCE)) }
}

pub fn signed_fields_proof(fields: BTreeMap<String, String>) -> UnverifiedProof {
    UnverifiedProof::SignedFields { fields, redirect_uri: REDIRECT_URI.into() }
}

/// The name of an error's variant.
pub fn variant(error: &ProofError) -> String {
    let shown = format!("{error:?}");
    shown.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn with_claims(issuer: &str, claims: &Map<String, Value>) -> String {
    let Some((before, rest)) = issuer.split_once("{claim:") else { return issuer.to_owned() };
    let (name, after) = rest.split_once('}').unwrap();
    format!("{before}{}{after}", claims[name].as_str().unwrap())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
