//! An installation as `daypass up` wires it, with every part that a test has to move in the test's hand: the
//! clock, the randomness, the store, the providers and the audit events.

mod answer;
mod backend;
mod browser;
pub mod configuration;
mod far_sts;
mod people;
mod provider;
mod public;
pub mod reference;
pub mod schema;
mod signer;
mod start;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::audit::{AuditEvent, Strangers};
use daypass_core::ground::clock::{Clock, ManualClock, SignedDuration};
use daypass_core::ground::ids::IdentityId;
use daypass_core::ground::master_keys::{MasterKey, MasterKeys};
use daypass_core::ground::random::{Random, SeededRandom};
use daypass_core::login::public::testing::FakeHttp;
use daypass_core::store::{AuditSink, SharedStore, StoreError};
use daypass_server::installation::{App, Embedded};
use daypass_server::origin::Peer;
use http::{HeaderValue, Request};
use serde_json::{Value, json};

pub use self::answer::Answer;
pub use self::answer::read;
pub use self::backend::{BACKENDS, Backend, items_over};
pub use self::browser::{APP_REDIRECT_URI, Browser, Wishes, parameter};
pub use self::far_sts::{FAR_STS, FarSts};
pub use self::people::{EXTERNAL_ID, Login, ours};
pub use self::provider::{BrokenAnswer, PROFILE, Provider, TOKEN};
use self::public::Issuers;
pub use self::public::{
    CLIENT, FACEBOOK_APP, GOOGLE_APP, OIDC, OIDC_ARN, OTHER_OIDC, USER_POOL, USER_POOL_CLIENT, oidc_arn,
};
use self::reference::Asked;
pub use self::signer::{Credentials, Signer};
#[allow(unused_imports, reason = "only the tests of the driver for Cognito have brokers")]
pub use self::start::secret_file;

pub const SERVER: &str = "http://127.0.0.1:9400";
pub const IDP: &str = "http://127.0.0.1:9402";
pub const HOST: &str = "127.0.0.1:9400";
pub const REDIRECT_URI: &str = "http://127.0.0.1:9400/";
pub const REGION: &str = "us-east-1";
pub const DEVELOPER_PROVIDER: &str = "login.daypass.local";
pub const AUTHENTICATED_ROLE: &str = "arn:aws:iam::000000000000:role/authenticated";
pub const GUEST_ROLE: &str = "arn:aws:iam::000000000000:role/unauthenticated";
pub const CLIENT_SECRET: &str = "the-secret-of-our-client-at-the-provider";

/// An installation under test.
pub struct Daypass {
    pub app: Arc<App>,
    pub embedded: Arc<Embedded>,
    pub store: SharedStore,
    pub clock: Arc<ManualClock>,
    pub provider: Arc<Provider>,
    pub network: Arc<FakeHttp>,
    pub far_sts: Arc<FarSts>,
    pub key: Credentials,
    audit: Arc<CollectedEvents>,
    router: Router,
    sandbox: Router,
    random: Arc<SeededRandom>,
    issuers: Issuers,
    refusals: Mutex<Vec<String>>,
    caller: Mutex<Option<(Peer, &'static str)>>,
    _backend: Backend,
}

/// Keeps events as an installation does, and collects them with those of strangers: whoever looks for a decision finds it
/// here, whatever was proved.
pub struct CollectedEvents {
    store: SharedStore,
    collected: Mutex<Vec<AuditEvent>>,
}

impl CollectedEvents {
    pub fn kept_in(store: SharedStore) -> Arc<Self> {
        Arc::new(Self { store, collected: Mutex::default() })
    }

    pub fn events(&self) -> Vec<Value> {
        let events = self.collected.lock().unwrap();
        events.iter().map(|event| serde_json::to_value(event).unwrap()).collect()
    }
}

#[async_trait]
impl AuditSink for CollectedEvents {
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.store.add_audit_events(events).await?;
        self.collected.lock().unwrap().extend_from_slice(events);
        Ok(())
    }
}

impl Strangers for CollectedEvents {
    fn refused(&self, event: &AuditEvent, _: bool) {
        self.collected.lock().unwrap().push(event.clone());
    }
}

impl Daypass {
    pub fn pool_id(&self) -> &str {
        self.embedded.pool_id.as_str()
    }

    pub fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// From now on, requests come from this address and from a program of this name.
    pub fn called_from(&self, address: &str, user_agent: &'static str) {
        let peer = Peer { address: address.parse().unwrap(), over_tls: false };
        *self.caller.lock().unwrap() = Some((peer, user_agent));
    }

    /// Every answer has to name its request, and to be as the reference says; those that refuse are kept.
    pub async fn send(&self, mut request: Request<String>) -> Answer {
        if let Some((peer, user_agent)) = *self.caller.lock().unwrap() {
            request.extensions_mut().insert(peer);
            request
                .headers_mut()
                .insert("user-agent", HeaderValue::from_bytes(user_agent.as_bytes()).unwrap());
        }
        let asked = Asked::of(&request);
        let answer = read(self.router.clone(), request.map(Body::from)).await;
        if let Some(asked) = asked {
            asked.check(&answer);
        }
        let id = answer.header("x-amzn-requestid");
        assert_eq!(id.len(), 36, "{answer:?}");
        if answer.status.as_u16() >= 400 {
            self.refusals.lock().unwrap().push(format!("{:?} {}", answer.headers, answer.body));
        }
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(String::new()).unwrap()).await
    }

    /// `POST /v1/exchange`.
    pub async fn exchange(&self, body: &Value) -> Answer {
        self.send(exchange_request(body.to_string())).await
    }

    /// Has somebody sign in and exchanges the login.
    pub async fn enter(&self, person: &str) -> Value {
        let login = self.sign_in(person).await;
        let answer = self.exchange(&login.proof()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// An operation of the identity pool API without a signature.
    pub async fn public(&self, operation: &str, input: Value) -> Answer {
        self.send(cognito_request(operation, &input)).await
    }

    /// An operation signed with the developer access key.
    pub async fn signed(&self, operation: &str, input: Value) -> Answer {
        self.signed_by(&self.key, operation, input).await
    }

    pub async fn signed_by(&self, credentials: &Credentials, operation: &str, input: Value) -> Answer {
        self.send(self.signer(credentials).sign(cognito_request(operation, &input))).await
    }

    /// Signs for the identity pool API, at the time that the clock shows.
    pub fn signer<'a>(&self, credentials: &'a Credentials) -> Signer<'a> {
        Signer { credentials, service: "cognito-identity", region: REGION, at: self.clock.now() }
    }

    /// An operation that has to succeed.
    pub async fn call(&self, operation: &str, input: Value) -> Value {
        let answer = self.signed(operation, input).await;
        assert_eq!(answer.status, 200, "{operation}: {answer:?}");
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// A token for a person whom the developer's backend vouches for.
    pub async fn developer_token(&self, user: &str) -> Value {
        let logins = json!({DEVELOPER_PROVIDER: user});
        let input = json!({"IdentityPoolId": self.pool_id(), "Logins": logins});
        self.call("GetOpenIdTokenForDeveloperIdentity", input).await
    }

    /// A pool for guests, with both roles.
    pub async fn guest_pool(&self) -> String {
        let input = json!({"IdentityPoolName": "guests", "AllowUnauthenticatedIdentities": true,
            "DeveloperProviderName": DEVELOPER_PROVIDER});
        let pool = self.call("CreateIdentityPool", input).await;
        pool["IdentityPoolId"].as_str().unwrap().to_owned()
    }

    /// A guest of a pool.
    pub async fn guest(&self, pool_id: &str) -> String {
        let answer = self.public("GetId", json!({"IdentityPoolId": pool_id})).await;
        answer.json()["IdentityId"].as_str().unwrap().to_owned()
    }

    /// A guest of the configured pool, from a time when it took guests.
    pub async fn former_guest(&self) -> String {
        let id = IdentityId::generate(&self.embedded.pools.region, self.random());
        assert!(self.store.add_guest(&self.embedded.pool_id, &id, self.clock.now()).await.unwrap());
        id.to_string()
    }

    /// Everybody in the configured pool.
    pub async fn identities(&self) -> Vec<Value> {
        let input = json!({"IdentityPoolId": self.pool_id(), "MaxResults": 60});
        let listed = self.call("ListIdentities", input).await;
        listed["Identities"].as_array().unwrap().clone()
    }

    /// An STS action without a signature.
    pub async fn sts(&self, members: &[(&str, &str)]) -> Answer {
        self.send(sts_request(members)).await
    }

    /// AssumeRoleWithWebIdentity.
    pub async fn assume(&self, token: &Value, role_arn: &str) -> Answer {
        let members = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("RoleArn", role_arn),
            ("RoleSessionName", "sess"),
            ("WebIdentityToken", token.as_str().unwrap()),
        ];
        self.sts(&members).await
    }

    /// GetCallerIdentity: the ARN of whoever has these credentials.
    pub async fn caller_arn(&self, credentials: &Credentials) -> String {
        let signer = Signer { service: "sts", ..self.signer(credentials) };
        let answer = self.send(signer.sign(sts_request(&[("Action", "GetCallerIdentity")]))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.element("Arn").to_owned()
    }

    /// Whether these credentials may list pools, which is all that the roles allow.
    pub async fn may_list_pools(&self, credentials: &Credentials) -> bool {
        let answer = self.signed_by(credentials, "ListIdentityPools", json!({"MaxResults": 1})).await;
        if answer.status != 200 {
            answer.assert_code("AccessDeniedException");
        }
        answer.status == 200
    }

    /// Credentials of the enhanced flow.
    pub async fn credentials(&self, entered: &Value) -> Credentials {
        self.get_credentials(entered).await.credentials()
    }

    /// GetCredentialsForIdentity with the outcome of an exchange.
    pub async fn get_credentials(&self, entered: &Value) -> Answer {
        let logins = json!({"cognito-identity.amazonaws.com": entered["token"]});
        let input = json!({"IdentityId": entered["identity_id"], "Logins": logins});
        self.public("GetCredentialsForIdentity", input).await
    }

    pub fn audit_events(&self) -> Vec<Value> {
        self.audit.events()
    }

    /// Headers and bodies of all refusals so far.
    pub fn refusals(&self) -> Vec<String> {
        self.refusals.lock().unwrap().clone()
    }
}

pub fn exchange_request(body: String) -> Request<String> {
    Request::post("/v1/exchange").header("content-type", "application/json").body(body).unwrap()
}

pub fn cognito_request(operation: &str, input: &Value) -> Request<String> {
    Request::post("/")
        .header("host", HOST)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSCognitoIdentityService.{operation}"))
        .body(input.to_string())
        .unwrap()
}

pub fn sts_request(members: &[(&str, &str)]) -> Request<String> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Version", "2011-06-15").extend_pairs(members);
    Request::post("/")
        .header("host", HOST)
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(form.finish())
        .unwrap()
}

pub fn master_keys() -> MasterKeys {
    MasterKey::new([7; 32]).into()
}

/// A policy that allows one action everywhere.
pub fn allow(action: &str) -> String {
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// What a token says. Nothing is verified.
pub fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
