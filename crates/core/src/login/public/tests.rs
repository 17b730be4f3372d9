//! Good tokens, and the ways in which bad ones pretend to be good.

mod access_tokens;
mod claims;
mod definition;
mod providers;
mod shared;
mod signatures;

use serde_json::json;

use super::testing::{AMAZON, APPLE, FACEBOOK, FakeHttp, GOOGLE, Issuer};
use super::*;
use crate::ground::clock::ManualClock;
use crate::records::identity::CognitoIdentityProvider;

const NOW: i64 = 1_700_000_000;
const OIDC: &str = "login.example.com/realm";
const OIDC_ARN: &str = "arn:aws:iam::000000000000:oidc-provider/login.example.com/realm";
const USER_POOL: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_Abc123";
const LOCAL_POOL: &str = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_local";

struct World {
    clock: Arc<ManualClock>,
    oidc: Arc<Issuer>,
    user_pool: Arc<Issuer>,
    local_pool: Arc<Issuer>,
    google: Arc<Issuer>,
    apple: Arc<Issuer>,
    http: Arc<FakeHttp>,
    settings: PoolSettings,
    engine: Arc<Engine>,
    logins: PublicLogins,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at_second(NOW));
        let oidc = Issuer::new(&format!("https://{OIDC}"), clock.clone());
        let user_pool = Issuer::new(&format!("https://{USER_POOL}"), clock.clone());
        let local_pool = Issuer::new("http://127.0.0.1:9229/eu-west-1_local", clock.clone());
        let (google, apple) = (Issuer::google(clock.clone()), Issuer::apple(clock.clone()));
        let issuers = [&oidc, &user_pool, &local_pool, &google, &apple];
        let http = Arc::new(issuers.into_iter().fold(FakeHttp::new(), FakeHttp::with_issuer));
        let registered = RegisteredProviders::new([registered_oidc()], [registered_local_pool()]);
        let engine = Arc::new(Engine::new(http.clone(), clock.clone()));
        let logins = PublicLogins::new(registered, engine.clone());
        let settings = settings();
        Self { clock, oidc, user_pool, local_pool, google, apple, http, settings, engine, logins }
    }

    async fn verify(&self, key: &str, token: &Secret) -> Result<PublicLogin, PublicLoginError> {
        self.logins.verify_one(&self.settings, key, token).await
    }

    async fn oidc(&self, extra: Value) -> Result<PublicLogin, PublicLoginError> {
        self.verify(OIDC, &self.oidc.id_token("alice", "ours", extra)).await
    }

    async fn user_pool(&self, extra: Value) -> Result<PublicLogin, PublicLoginError> {
        self.verify(USER_POOL, &self.user_pool.id_token("alice", "client1", extra)).await
    }
}

fn registered_oidc() -> OidcProvider {
    OidcProvider {
        arn: OIDC_ARN.into(),
        issuer: format!("https://{OIDC}"),
        audiences: ["ours".into(), "also ours".into()].into(),
        jwks_uri: None,
    }
}

fn registered_local_pool() -> UserPool {
    UserPool {
        name: LOCAL_POOL.into(),
        issuer: "http://127.0.0.1:9229/eu-west-1_local".into(),
        jwks_uri: None,
    }
}

fn client_of(user_pool: &str, client_id: &str) -> CognitoIdentityProvider {
    CognitoIdentityProvider {
        provider_name: Some(user_pool.into()),
        client_id: Some(client_id.into()),
        server_side_token_check: None,
    }
}

fn settings() -> PoolSettings {
    let apps = [(GOOGLE, "google app"), (APPLE, "apple app"), (FACEBOOK, "42"), (AMAZON, "amzn1.app")];
    PoolSettings {
        open_id_connect_provider_arns: vec![OIDC_ARN.into()],
        cognito_identity_providers: vec![
            client_of(USER_POOL, "client1"),
            client_of(USER_POOL, "client2"),
            client_of(LOCAL_POOL, "client1"),
        ],
        supported_login_providers: apps.map(|(key, app)| (key.to_owned(), app.to_owned())).into(),
        ..PoolSettings::default()
    }
}

fn names(login: &PublicLogin) -> [String; 4] {
    [login.provider().into(), login.mapping_key(), login.tag_map_key().into(), login.amr_entry()]
}

fn tags(client: &str, username: &str) -> BTreeMap<String, String> {
    [("client", client), ("username", username)].map(|(key, value)| (key.into(), value.into())).into()
}
