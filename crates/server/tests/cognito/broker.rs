//! Daypass in front of Amazon Cognito, whose part our own pool plays, on a port of its own for each Region.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use axum::Router;
use axum::body::Body;
use axum::http::header;
use axum::middleware;
use axum::response::Response;
use daypass_core::ground::clock::{Clock, ManualClock};
use daypass_core::ground::outbound::ProviderHttp;
use daypass_core::ground::random::SeededRandom;
use daypass_core::store::SharedStore;
use daypass_core::store::memory::MemoryStore;
use daypass_core::token::local_keys::LocalKeys;
use daypass_server::config::Config;
use daypass_server::installation::{App, Dependencies};
use daypass_server::listen::{Stop, listen};
use daypass_server::routes;
use daypass_server::secrets::{AwsSecrets, Secrets};
use http::Request;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::harness::reference::Asked;
use crate::harness::{Answer, CollectedEvents, Credentials, Daypass, exchange_request, master_keys, read};
use crate::harness::{configuration, secret_file};

/// A Region of Amazon's.
pub struct Amazon {
    pub daypass: Daypass,
    pub region: String,
    port: Port,
}

impl Amazon {
    pub async fn start(region: &str) -> Self {
        let daypass = Daypass::start().in_region(region).with_oidc_hosts(&[]).await;
        let port = Port::open(dated(routes::router(daypass.app.clone()), daypass.clock.clone())).await;
        Self { daypass, region: region.to_owned(), port }
    }

    /// A guest of the pool, which allows them from now on.
    pub async fn guest(&self) -> String {
        let (store, pool_id) = (&self.daypass.store, &self.daypass.embedded.pool_id);
        let mut pool = store.lookup_pool(pool_id).await.unwrap().unwrap();
        pool.settings.allow_unauthenticated_identities = true;
        store.replace_pool(&pool).await.unwrap();
        self.daypass.guest(self.daypass.pool_id()).await
    }

    /// The table of `[[pool.region]]`.
    pub fn table(&self) -> String {
        table(&self.region, self.daypass.pool_id(), self.port.address)
    }
}

/// Answers bear the time of a clock, as Amazon's bear that of Amazon's.
pub fn dated(router: Router, clock: Arc<ManualClock>) -> Router {
    router.layer(middleware::map_response(move |mut answer: Response| {
        let date = clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        answer.headers_mut().insert(header::DATE, date.parse().unwrap());
        async { answer }
    }))
}

/// The table of `[[pool.region]]` for a pool at an address.
pub fn table(region: &str, pool_id: &str, address: SocketAddr) -> String {
    format!(
        "[[pool.region]]\nregion = {region:?}\npool_id = {pool_id:?}\nendpoint_url = \"http://{address}\"\n"
    )
}

/// A port that answers until it is dropped.
pub struct Port {
    pub address: SocketAddr,
    _stop: watch::Sender<bool>,
}

impl Port {
    pub async fn open(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = Stop::channel();
        tokio::spawn(listen(listener, router, stopped));
        Self { address, _stop: stop }
    }
}

/// Daypass as the broker.
pub struct Broker {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    audit: Arc<CollectedEvents>,
    router: Router,
}

impl Broker {
    /// In front of Regions by their tables. People sign in at `home`'s sandbox, and its developer key is the
    /// broker's.
    pub async fn start(home: &Daypass, tables: &str) -> Self {
        Self::start_with(home, &home.key, tables).await
    }

    /// The same with another key.
    pub async fn start_with(home: &Daypass, key: &Credentials, tables: &str) -> Self {
        Self::wire(home.network.clone(), aws(key), tables).await
    }

    /// The same with what somebody hands out for a key.
    pub async fn start_trusting(
        home: &Daypass,
        credentials: impl ProvideCredentials + 'static,
        tables: &str,
    ) -> Self {
        let credentials = SharedCredentialsProvider::new(credentials);
        let aws = aws(&home.key).into_builder().credentials_provider(credentials).build();
        Self::wire(home.network.clone(), aws, tables).await
    }

    /// With a provider and an Amazon that answer without a network.
    pub async fn start_within(
        home: &Daypass,
        provider: Arc<dyn ProviderHttp>,
        amazon: InProcess,
        tables: &str,
    ) -> Self {
        Self::wire(provider, aws(&home.key).into_builder().http_client(amazon).build(), tables).await
    }

    async fn wire(http: Arc<dyn ProviderHttp>, aws: SdkConfig, tables: &str) -> Self {
        let config = config(tables);
        let clock = Arc::new(ManualClock::at_second(1_790_000_000));
        let store: SharedStore = Arc::new(MemoryStore::new());
        let audit = CollectedEvents::kept_in(store.clone());
        let dependencies = Dependencies {
            config,
            roles: Arc::new(|_| Ok(Vec::new())),
            store,
            master_keys: Arc::new(master_keys()),
            holder: Arc::new(LocalKeys),
            secrets: Secrets::default(),
            secret_store: Arc::new(AwsSecrets::new(clock.clone())),
            http,
            aws: Some(aws),
            audit_sink: audit.clone(),
            strangers: audit.clone(),
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(2)),
        };
        let app = Arc::new(App::wire(dependencies).await.unwrap());
        Self { router: routes::router(app.clone()), app, clock, audit }
    }

    /// Takes up a configuration with these tables, as a running server does at SIGHUP.
    pub async fn reread(&mut self, tables: &str) {
        self.app = Arc::new(
            self.app.by(config(tables), &Secrets::default(), Arc::new(master_keys())).await.unwrap(),
        );
        self.router = routes::router(self.app.clone());
    }

    pub async fn send(&self, request: Request<String>) -> Answer {
        let asked = Asked::of(&request);
        let answer = read(self.router.clone(), request.map(Body::from)).await;
        if let Some(asked) = asked {
            asked.check(&answer);
        }
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(String::new()).unwrap()).await
    }

    pub async fn exchange(&self, body: &Value) -> Answer {
        self.send(exchange_request(body.to_string())).await
    }

    pub fn audit_events(&self) -> Vec<Value> {
        self.audit.events()
    }
}

fn config(tables: &str) -> Config {
    configuration::config(&format!("driver = \"cognito\"\n{tables}"), secret_file(), &[], "")
}

/// An account at AWS with this key, and nothing from the environment.
fn aws(key: &Credentials) -> SdkConfig {
    let key = AwsCredentials::new(&key.access_key_id, &key.secret_access_key, None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(key))
        .build()
}

/// An Amazon that answers bodies with bodies, without a network, so that time can stand still meanwhile.
#[derive(Clone)]
pub struct InProcess(Arc<Answering>);

type Answering = dyn Fn(&Value) -> (u16, Value) + Send + Sync;

impl InProcess {
    pub fn new(answer: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let (status, answer) = (self.0)(&body);
        let status = status.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, answer.to_string().into())))
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
