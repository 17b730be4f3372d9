//! How an installation under test starts: `Daypass::start().await`, and what else a test says in between.

use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use daypass_core::ground::clock::{Clock, ManualClock};
use daypass_core::ground::ids::UserName;
use daypass_core::ground::outbound::ProviderHttp;
use daypass_core::ground::random::SeededRandom;
use daypass_core::ground::secret::Secret;
use daypass_core::records::signing_algorithm::Algorithm;
use daypass_core::store::StoredSigningKey;
use daypass_core::token::local_keys::LocalKeys;
use daypass_core::token::signer::KeyHolder;
use daypass_core::token::signing_key::{self, SigningKey};
use daypass_development::playground::Playground;
use daypass_development::sandbox::{self, Client, SandboxConfig};
use daypass_server::config::Config;
use daypass_server::installation::{App, Dependencies, Embedded, WireError};
use daypass_server::routes::{self, Pages};
use daypass_server::secrets::{AwsSecrets, Secrets};
use tempfile::NamedTempFile;
use tokio::sync::OnceCell;

use super::configuration::{config, roles};
use super::provider::Provider;
use super::public::{Issuers, OIDC, OTHER_OIDC};
use super::{
    Backend, CLIENT_SECRET, CollectedEvents, Credentials, Daypass, FarSts, IDP, REDIRECT_URI, REGION, SERVER,
    master_keys,
};

/// Making an RSA key takes longer than everything else in a test, so they share one.
static SIGNING_KEY: OnceCell<StoredSigningKey> = OnceCell::const_new();

impl Daypass {
    /// An installation in memory, whose pools may accept two OIDC providers, unless a test says otherwise.
    pub fn start() -> Start {
        let oidc_hosts = vec![OIDC.into(), OTHER_OIDC.into()];
        let (backend, holder) = (Backend::memory(), Arc::new(LocalKeys));
        Start { region: REGION.into(), backend, holder, oidc_hosts, tables: String::new() }
    }
}

/// An installation that is about to start: awaiting it gives the [`Daypass`].
#[must_use = "nothing starts before it is awaited"]
pub struct Start {
    region: String,
    backend: Backend,
    holder: Arc<dyn KeyHolder>,
    oidc_hosts: Vec<String>,
    tables: String,
}

impl Start {
    /// On another store.
    pub fn on(self, backend: Backend) -> Self {
        Self { backend, ..self }
    }

    /// With signing keys that somebody else holds.
    #[allow(dead_code, reason = "only the tests of signers do so")]
    pub fn held_by(self, holder: Arc<dyn KeyHolder>) -> Self {
        Self { holder, ..self }
    }

    /// In another Region.
    #[allow(dead_code, reason = "only the tests of the driver for Cognito have several")]
    pub fn in_region(self, region: &str) -> Self {
        Self { region: region.into(), ..self }
    }

    /// With these OIDC providers, and no others, for pools to accept.
    pub fn with_oidc_hosts(self, hosts: &[&str]) -> Self {
        Self { oidc_hosts: hosts.iter().map(ToString::to_string).collect(), ..self }
    }

    /// With more tables in its configuration.
    pub fn with_tables(self, tables: &str) -> Self {
        Self { tables: self.tables + tables, ..self }
    }

    async fn run(self) -> Daypass {
        let clock = Arc::new(ManualClock::at_second(1_790_000_000));
        let random = Arc::new(SeededRandom::new(1));
        let store = self.backend.store();
        let audit = CollectedEvents::kept_in(store.clone());
        store.add_signing_key(signing_key(&clock).await, &[]).await.unwrap();
        let sandbox = sandbox(&clock, &random);
        let provider = Arc::new(Provider::new(sandbox.clone()));
        let hosts: Vec<&str> = self.oidc_hosts.iter().map(String::as_str).collect();
        let issuers = Issuers::new(&hosts, &clock);
        let far_sts = Arc::new(FarSts::new(clock.clone(), provider.clone()));
        let network = Arc::new(issuers.network().or(far_sts.clone()));
        let config = config_of(&self.region, &hosts, &self.tables);
        let dependencies = self.dependencies(config, &network, &audit, &clock, &random);
        let app = Arc::new(App::wire(dependencies).await.unwrap());
        let embedded = app.embedded.clone().unwrap();
        Daypass {
            router: routes::router_with(app.clone(), playground(&embedded)),
            app,
            key: developer_key(&embedded).await,
            embedded,
            store,
            clock,
            provider,
            network,
            far_sts,
            audit,
            sandbox,
            random,
            issuers,
            refusals: Mutex::default(),
            caller: Mutex::default(),
            _backend: self.backend,
        }
    }

    fn dependencies(
        &self,
        config: Config,
        network: &Arc<impl ProviderHttp + 'static>,
        audit: &Arc<CollectedEvents>,
        clock: &Arc<ManualClock>,
        random: &Arc<SeededRandom>,
    ) -> Dependencies {
        Dependencies {
            config,
            roles: Arc::new(|pool_id| Ok(roles(pool_id))),
            store: self.backend.store(),
            master_keys: Arc::new(master_keys()),
            holder: self.holder.clone(),
            secrets: Secrets::default(),
            secret_store: Arc::new(AwsSecrets::new(clock.clone())),
            http: network.clone(),
            aws: None,
            audit_sink: audit.clone(),
            strangers: audit.clone(),
            clock: clock.clone(),
            random: random.clone(),
        }
    }
}

impl Daypass {
    /// Takes up another configuration, as a running server does at SIGHUP, edited by hand and with more tables.
    #[allow(dead_code, reason = "only the tests of rereading do so")]
    pub async fn reread(&mut self, edit: impl FnOnce(&mut Config), tables: &str) -> Result<(), WireError> {
        let mut config = config_of(REGION, &[OIDC, OTHER_OIDC], tables);
        edit(&mut config);
        let app = Arc::new(self.app.by(config, &Secrets::default(), Arc::new(master_keys())).await?);
        self.embedded = app.embedded.clone().unwrap();
        self.router = routes::router_with(app.clone(), playground(&self.embedded));
        self.app = app;
        Ok(())
    }
}

fn config_of(region: &str, oidc_hosts: &[&str], tables: &str) -> Config {
    let pool = format!("name = \"test\"\nregion = {region:?}\naccount_id = \"000000000000\"");
    config(&pool, secret_file(), oidc_hosts, tables)
}

/// The file of our client's secret, which lives as long as the tests.
pub fn secret_file() -> &'static Path {
    static FILE: LazyLock<NamedTempFile> = LazyLock::new(|| {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), CLIENT_SECRET).unwrap();
        file
    });
    FILE.path()
}

impl IntoFuture for Start {
    type Output = Daypass;
    type IntoFuture = Pin<Box<dyn Future<Output = Daypass> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// The playground, as `up` has it.
fn playground(embedded: &Arc<Embedded>) -> Pages {
    let playground = Playground {
        embedded: embedded.clone(),
        server_url: SERVER.into(),
        s3_url: "http://127.0.0.1:9401".into(),
        bucket: "daypass-demo".into(),
        sandbox_url: IDP.into(),
    };
    playground.pages()
}

/// The provider at which people sign in.
fn sandbox(clock: &Arc<ManualClock>, random: &Arc<SeededRandom>) -> Router {
    let callback = |provider: &str| format!("{SERVER}/login/{provider}/callback");
    let redirect_uris = vec![REDIRECT_URI.into(), callback("snapchat"), callback("snapchat-token")];
    let our_client = Client::daypass_demo(Secret::new(CLIENT_SECRET), redirect_uris);
    sandbox::router(SandboxConfig { public_url: IDP.into(), our_client }, clock.clone(), random.clone())
}

/// The developer's access key.
async fn developer_key(embedded: &Embedded) -> Credentials {
    let name = UserName::parse("test").unwrap();
    let (key, secret) = embedded.access_keys.find_or_create(&name).await.unwrap().unwrap();
    Credentials::of_developer(key.id.as_str(), secret.expose())
}

async fn signing_key(clock: &ManualClock) -> &'static StoredSigningKey {
    let key = SIGNING_KEY.get_or_init(|| async {
        let (now, random) = (clock.now(), SeededRandom::new(9));
        let (key_id, sealer) = (format!("{REGION}1"), signing_key::sealer(&master_keys()));
        SigningKey::generate(key_id, Algorithm::Rs512, [now, now], &sealer, &random)
    });
    key.await
}
