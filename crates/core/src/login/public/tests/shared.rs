//! What pools share with each other and with the broker, and what they must not.

use ::http::{Request, Response};
use async_trait::async_trait;
use bytes::Bytes;

use super::*;
use crate::ground::clock::SignedDuration;
use crate::ground::outbound::{ProviderHttp, ProviderHttpError};

const TOKEN: &str = "EAAB";
const APP_URL: &str = "https://graph.facebook.com/app?access_token=EAAB";
const ME_URL: &str = "https://graph.facebook.com/me?fields=id&access_token=EAAB";
const TOKEN_INFO_URL: &str = "https://api.amazon.com/auth/o2/tokeninfo?access_token=EAAB";
const PROFILE_URL: &str = "https://api.amazon.com/user/profile";

/// A provider of the catalogue as the broker has it.
fn of_broker(name: &str, id: &str, client_id: &str) -> Arc<Provider> {
    Arc::new(Provider {
        id: id.into(),
        definition: Arc::new(Definition::from_catalogue(name, toml::Table::new()).unwrap()),
        client_id: client_id.into(),
        other_client_ids: Vec::new(),
        app_id: None,
        client_secret: Some(Secret::new("s3cret")),
        apple: None,
        catalogue: None,
        only_actors: false,
        accept_unbound_access_tokens: false,
        identifier: Identifier::Prefixed,
        cache_verified: Some(SignedDuration::from_secs(60)),
        recheck: crate::login::provider::RECHECK,
    })
}

fn id_token(token: &Secret) -> UnverifiedProof {
    UnverifiedProof::IdToken { token: token.clone(), nonce: None }
}

fn access_token() -> UnverifiedProof {
    UnverifiedProof::AccessToken(Secret::new(TOKEN))
}

/// The settings of a pool that takes Facebook's logins for one app.
fn pool_of_app(app_id: &str) -> PoolSettings {
    PoolSettings {
        supported_login_providers: [(FACEBOOK.to_owned(), app_id.to_owned())].into(),
        ..PoolSettings::default()
    }
}

fn facebook_answers(world: &World) {
    world.http.answer(APP_URL, 200, r#"{"id": "42"}"#);
    world.http.answer(ME_URL, 200, r#"{"id": "1001"}"#);
}

#[tokio::test]
async fn keys_of_an_issuer_are_fetched_once_for_broker_and_pools() {
    let world = World::new();
    let google = of_broker("google", "google", "the broker's");
    let token = world.google.id_token("1234", "the broker's", json!({}));
    world.engine.verify(&google, id_token(&token)).await.unwrap();
    let token = world.google.id_token("1234", "google app", json!({}));
    world.verify(GOOGLE, &token).await.unwrap();
    assert_eq!(world.http.asked(), [world.google.jwks_url()]);
}

#[tokio::test]
async fn an_id_token_for_the_broker_is_none_for_a_pool_and_the_other_way_round() {
    let world = World::new();
    // Even where an operator calls the provider as pools do.
    let google = of_broker("google", GOOGLE, "the broker's");
    let brokers = world.google.id_token("1234", "the broker's", json!({}));
    let pools = world.google.id_token("1234", "google app", json!({}));
    for _ in 0..2 {
        world.engine.verify(&google, id_token(&brokers)).await.unwrap();
        assert_eq!(world.verify(GOOGLE, &brokers).await.unwrap_err(), PublicLoginError::UnsupportedProvider);
        world.verify(GOOGLE, &pools).await.unwrap();
        let refused = world.engine.verify(&google, id_token(&pools)).await;
        assert!(matches!(refused, Err(ProofError::AnotherClient)));
    }
}

#[tokio::test]
async fn an_id_token_that_a_pool_took_does_not_spare_the_broker_its_nonce() {
    let world = World::new();
    let google = of_broker("google", GOOGLE, "google app");
    let token = world.google.id_token("1234", "google app", json!({"nonce": "of another login"}));
    world.verify(GOOGLE, &token).await.unwrap();
    let refused = world.engine.verify(&google, id_token(&token)).await;
    assert!(matches!(refused, Err(ProofError::NonceMissing)));
}

#[tokio::test]
async fn a_yes_that_the_broker_remembers_is_none_for_a_pool() {
    let world = World::new();
    let amazon = of_broker("amazon", AMAZON, "the broker's");
    world.http.answer(TOKEN_INFO_URL, 200, r#"{"aud": "the broker's", "user_id": "amzn1.account.A"}"#);
    world.http.answer(PROFILE_URL, 200, r#"{"user_id": "amzn1.account.A"}"#);
    for _ in 0..2 {
        world.engine.verify(&amazon, access_token()).await.unwrap();
        let refusal = world.verify(AMAZON, &Secret::new(TOKEN)).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::UnsupportedProvider);
    }
    assert_eq!(
        world.http.asked(),
        [TOKEN_INFO_URL, PROFILE_URL, TOKEN_INFO_URL],
        "both answers are remembered"
    );
}

#[tokio::test]
async fn what_the_broker_is_refused_a_pool_of_the_same_client_asks_itself() {
    let world = World::new();
    let amazon = of_broker("amazon", AMAZON, "amzn1.app");
    world.http.answer(TOKEN_INFO_URL, 200, r#"{"aud": "amzn1.app", "user_id": "amzn1.account.A"}"#);
    world.http.answer(PROFILE_URL, 403, "{}");
    assert!(matches!(world.engine.verify(&amazon, access_token()).await, Err(ProofError::Refused)));
    world.verify(AMAZON, &Secret::new(TOKEN)).await.unwrap();
}

#[tokio::test]
async fn a_refusal_counts_for_the_clients_of_one_pool_alone() {
    let world = World::new();
    facebook_answers(&world);
    let token = Secret::new(TOKEN);
    let theirs = world.logins.verify_one(&pool_of_app("43"), FACEBOOK, &token).await;
    assert_eq!(theirs.unwrap_err(), PublicLoginError::UnsupportedProvider);
    let ours = world.logins.verify_one(&pool_of_app("42"), FACEBOOK, &token).await.unwrap();
    assert_eq!(ours.default_tags(), tags("42", "1001"));
    let theirs = world.logins.verify_one(&pool_of_app("43"), FACEBOOK, &token).await;
    assert_eq!(theirs.unwrap_err(), PublicLoginError::UnsupportedProvider, "nor does a yes");
}

#[tokio::test]
async fn an_id_token_refused_by_one_pool_is_taken_by_another_that_names_its_client() {
    let world = World::new();
    let token = world.user_pool.id_token("alice", "client3", json!({}));
    let pool = |client: &str| PoolSettings {
        cognito_identity_providers: vec![client_of(USER_POOL, client)],
        ..PoolSettings::default()
    };
    let refusal = world.verify(USER_POOL, &token).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::UnsupportedProvider);
    let login = world.logins.verify_one(&pool("client3"), USER_POOL, &token).await.unwrap();
    assert_eq!(login.mapping_key(), format!("{USER_POOL}:client3"));
    let refusal = world.logins.verify_one(&pool("client1"), USER_POOL, &token).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::UnsupportedProvider);
}

#[tokio::test]
async fn a_clear_no_is_remembered_for_a_moment_and_a_yes_is_not() {
    let world = World::new();
    world.http.answer(APP_URL, 400, "{}");
    let token = Secret::new(TOKEN);
    for _ in 0..3 {
        assert_eq!(world.verify(FACEBOOK, &token).await.unwrap_err(), PublicLoginError::Refused);
    }
    assert_eq!(world.http.asked(), [APP_URL]);
    facebook_answers(&world);
    world.clock.advance(SignedDuration::from_secs(4));
    assert_eq!(world.verify(FACEBOOK, &token).await.unwrap_err(), PublicLoginError::Refused);
    world.clock.advance(SignedDuration::from_secs(1));
    world.verify(FACEBOOK, &token).await.unwrap();
    world.http.answer(APP_URL, 400, "{}");
    assert_eq!(
        world.verify(FACEBOOK, &token).await.unwrap_err(),
        PublicLoginError::Refused,
        "it was revoked"
    );
}

#[tokio::test]
async fn a_provider_out_of_order_is_asked_again_at_once() {
    let world = World::new();
    world.http.answer(APP_URL, 503, "");
    let token = Secret::new(TOKEN);
    let error = world.verify(FACEBOOK, &token).await.unwrap_err();
    assert!(matches!(error, PublicLoginError::Unavailable { .. }), "{error:?}");
    facebook_answers(&world);
    world.verify(FACEBOOK, &token).await.unwrap();
}

/// A network that lets others go first.
struct Yielding(Arc<FakeHttp>);

#[async_trait]
impl ProviderHttp for Yielding {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        tokio::task::yield_now().await;
        self.0.send(request).await
    }
}

#[tokio::test]
async fn one_token_at_one_moment_is_asked_about_once_for_each_app() {
    let world = World::new();
    facebook_answers(&world);
    let engine = Engine::new(Arc::new(Yielding(world.http.clone())), world.clock.clone());
    let logins = PublicLogins::new(RegisteredProviders::default(), Arc::new(engine));
    let (token, ours, theirs) = (Secret::new(TOKEN), pool_of_app("42"), pool_of_app("43"));
    let (first, second, other) = tokio::join!(
        logins.verify_one(&ours, FACEBOOK, &token),
        logins.verify_one(&ours, FACEBOOK, &token),
        logins.verify_one(&theirs, FACEBOOK, &token),
    );
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(other.unwrap_err(), PublicLoginError::UnsupportedProvider);
    let mut asked = world.http.asked();
    asked.sort();
    assert_eq!(asked, [APP_URL, APP_URL, ME_URL]);
}
