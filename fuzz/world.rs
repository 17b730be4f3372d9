//! An installation in memory, which targets ask as strangers do, and what signs requests to it.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use daypass_core::audit::{AuditEvent, Strangers};
use daypass_core::credentials::access_key::ALLOW_ALL;
use daypass_core::credentials::role::{RoleDocument, RoleTrust};
use daypass_core::ground::clock::{Clock, SignedDuration};
use daypass_core::ground::ids::{IdentityPoolId, RoleName, UserName};
use daypass_core::ground::master_keys::MasterKey;
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError};
use daypass_core::ground::random::SeededRandom;
use daypass_core::store::memory::MemoryStore;
use daypass_core::store::{AuditSink, StoreError};
use daypass_core::token::local_keys::LocalKeys;
use daypass_development::s3;
use daypass_server::config::Config;
use daypass_server::installation::{App, Dependencies, Embedded};
use daypass_server::registered_origins::RegisteredOrigins;
use daypass_server::routes;
use daypass_server::secrets::{AwsSecrets, Secrets};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

pub const REGION: &str = "us-east-1";
pub const DEVELOPER_PROVIDER: &str = "login.fuzzed";
pub const ROLE_ARN: &str = "arn:aws:iam::000000000000:role/authenticated";

/// An installation.
pub struct World {
    pub embedded: Arc<Embedded>,
    /// A developer whose policy is the target's.
    pub key: Key,
    router: Router,
    origins: RegisteredOrigins,
    runtime: Runtime,
}

/// A developer access key.
#[derive(Clone)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

impl World {
    pub fn new(clock: Arc<dyn Clock>, policy: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = format!(
            "public_url = \"https://login.fuzzed\"\n[pool]\nname = \"fuzzed\"\nregion = {REGION:?}\n\
             account_id = \"000000000000\"\ndeveloper_provider = {DEVELOPER_PROVIDER:?}\n"
        );
        let dependencies = Dependencies {
            config: Config::parse(&config).unwrap(),
            roles: Arc::new(|pool_id| Ok(roles(pool_id))),
            store: Arc::new(MemoryStore::new()),
            master_keys: Arc::new(MasterKey::new([7; 32]).into()),
            holder: Arc::new(LocalKeys),
            secrets: Secrets::default(),
            secret_store: Arc::new(AwsSecrets::new(clock.clone())),
            http: Arc::new(Nobody),
            aws: None,
            audit_sink: Arc::new(Nobody),
            strangers: Arc::new(Nobody),
            clock,
            random: Arc::new(SeededRandom::new(1)),
        };
        let (app, key) = runtime.block_on(async {
            let app = Arc::new(App::wire(dependencies).await.unwrap());
            let keys = &app.embedded.as_ref().unwrap().access_keys;
            let (key, secret) = keys.create(&UserName::parse("fuzzed").unwrap(), policy).await.unwrap();
            (app, Key { id: key.id.to_string(), secret: secret.expose().to_owned() })
        });
        let embedded = app.embedded.clone().unwrap();
        let origins = app.origins.clone();
        Self { router: routes::router(app), origins, embedded, key, runtime }
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Asks the server.
    pub fn ask(&self, request: Request<Vec<u8>>) -> Response<Bytes> {
        self.ask_of(&self.router, request)
    }

    pub fn ask_of(&self, router: &Router, request: Request<Vec<u8>>) -> Response<Bytes> {
        self.block_on(async {
            let response = router.clone().oneshot(request.map(Body::from)).await.unwrap();
            let (parts, body) = response.into_parts();
            // A body that breaks off is an error of whoever asked, or of a file that is gone.
            Response::from_parts(parts, to_bytes(body, usize::MAX).await.unwrap_or_default())
        })
    }

    /// S3 over the buckets in a folder.
    pub fn s3(&self, root: &Path) -> Router {
        let random = Arc::new(SeededRandom::new(1));
        let objects = s3::Objects::in_folder(root, self.embedded.clock.clone(), random).unwrap();
        objects.router(&self.embedded, &self.origins)
    }

    /// Another developer, who may do everything.
    pub fn owner(&self) -> Key {
        self.block_on(async {
            let keys = &self.embedded.access_keys;
            let (key, secret) = keys.create(&UserName::parse("owner").unwrap(), ALLOW_ALL).await.unwrap();
            Key { id: key.id.to_string(), secret: secret.expose().to_owned() }
        })
    }

    /// Signs a request by another key, if it can be signed.
    pub fn sign_by(&self, key: &Key, request: Request<Vec<u8>>, service: &str) -> Option<Request<Vec<u8>>> {
        let now = self.embedded.clock.now().into();
        sign_at(request, key, service, now, SignatureLocation::Headers, None)
    }

    /// An operation of the identity pool API that has to succeed.
    pub fn call(&self, operation: &str, input: &Value) -> Value {
        let request = Request::post("/")
            .header("host", "login.fuzzed")
            .header("x-amz-target", format!("AWSCognitoIdentityService.{operation}"))
            .body(input.to_string().into_bytes())
            .unwrap();
        let answer = self.ask(self.sign(request, "cognito-identity").expect("it can be signed"));
        serde_json::from_slice(answer.body()).unwrap_or_else(|_| panic!("{answer:?}"))
    }

    /// Somebody with a login: their identity and their OpenID token.
    pub fn somebody(&self) -> (String, String) {
        let logins = json!({DEVELOPER_PROVIDER: "somebody"});
        let input = json!({"IdentityPoolId": self.embedded.pool_id, "Logins": logins});
        let token = self.call("GetOpenIdTokenForDeveloperIdentity", &input);
        let text = |name: &str| token[name].as_str().unwrap().to_owned();
        (text("IdentityId"), text("Token"))
    }

    /// Signs a request in its header, if it can be signed.
    pub fn sign(&self, request: Request<Vec<u8>>, service: &str) -> Option<Request<Vec<u8>>> {
        let now = self.embedded.clock.now().into();
        sign_at(request, &self.key, service, now, SignatureLocation::Headers, None)
    }

    /// Signs a request in its query, if it can be signed.
    pub fn presign(&self, request: Request<Vec<u8>>, service: &str) -> Option<Request<Vec<u8>>> {
        let now = self.embedded.clock.now().into();
        sign_at(request, &self.key, service, now, SignatureLocation::QueryParams, None)
    }

    /// Signs a request over what it says of its body, instead of its hash.
    pub fn sign_over(
        &self,
        request: Request<Vec<u8>>,
        service: &str,
        said: &str,
    ) -> Option<Request<Vec<u8>>> {
        let now = self.embedded.clock.now().into();
        sign_at(request, &self.key, service, now, SignatureLocation::Headers, Some(said))
    }
}

fn sign_at(
    mut request: Request<Vec<u8>>,
    key: &Key,
    service: &str,
    now: SystemTime,
    location: SignatureLocation,
    said: Option<&str>,
) -> Option<Request<Vec<u8>>> {
    let mut settings = SigningSettings::default();
    settings.signature_location = location;
    settings.expires_in = Some(Duration::from_secs(300));
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = Credentials::new(&key.id, &key.secret, None, None, "fuzzed").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(service)
        .time(now)
        .settings(settings)
        .build()
        .ok()?
        .into();
    let body = request.body().clone();
    let body = match said {
        Some(said) => SignableBody::Precomputed(said.to_owned()),
        None => SignableBody::Bytes(&body),
    };
    let headers = request.headers().iter().map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let headers: Vec<(&str, &str)> = headers.collect::<Option<_>>()?;
    let signable =
        SignableRequest::new(request.method().as_str(), request.uri().to_string(), headers.into_iter(), body);
    let (instructions, _) = sign(signable.ok()?, &params).ok()?.into_parts();
    for (name, value) in instructions.headers() {
        request.headers_mut().insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value.parse().ok()?);
    }
    if !instructions.params().is_empty() {
        let uri = request.uri();
        let mut query = uri.query().unwrap_or_default().to_owned();
        for (name, value) in instructions.params() {
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            query = format!("{query}{}{name}={encoded}", if query.is_empty() { "" } else { "&" });
        }
        *request.uri_mut() = format!("{}?{query}", uri.path()).parse().ok()?;
    }
    Some(request)
}

/// A request as it stands on the wire: a line, headers, an empty line, the body. `None` where a server would
/// not get that far.
pub fn request(input: &[u8]) -> Option<Request<Vec<u8>>> {
    let mut lines = input.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, path) = first.split_once(' ')?;
    let mut length = first.len() + 1;
    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() =
        path.parse::<Uri>().ok().filter(|uri| path.starts_with('/') && uri.host().is_none())?;
    for line in lines {
        length += line.len() + 1;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        request.headers_mut().append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
    }
    *request.body_mut() = input.get(length..).unwrap_or_default().to_owned();
    Some(request)
}

fn roles(pool_id: &IdentityPoolId) -> Vec<RoleDocument> {
    vec![RoleDocument {
        name: RoleName::parse("authenticated").unwrap(),
        trust: RoleTrust::Pool { pool_id: pool_id.clone(), amr: "authenticated" },
        policy: daypass_core::credentials::access_key::ALLOW_ALL.into(),
        max_session_duration: SignedDuration::from_hours(1),
    }]
}

/// Whom nobody reaches, and who keeps nothing.
struct Nobody;

#[async_trait]
impl ProviderHttp for Nobody {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        Err(ProviderHttpError::TimedOut)
    }
}

#[async_trait]
impl AuditSink for Nobody {
    async fn add_audit_events(&self, _: &[AuditEvent]) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Strangers for Nobody {
    fn refused(&self, _: &AuditEvent, _: bool) {}
}

/// Never prints what it holds.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.id)
    }
}
