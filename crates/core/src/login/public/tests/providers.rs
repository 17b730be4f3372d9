//! Whose logins a pool accepts, by which key, and what they are called.

use super::*;
use crate::login::plain_hosts::PlainHosts;
use crate::login::public::registered::is_user_pool_name;

#[tokio::test]
async fn an_oidc_login_bears_the_names_of_its_arn() {
    let login = World::new().oidc(json!({"plan": "gold"})).await.unwrap();
    assert_eq!(login.user(), "alice");
    assert_eq!(login.claims()["plan"], "gold");
    assert_eq!(login.default_tags(), tags("ours", "alice"));
    assert_eq!(names(&login), [OIDC, OIDC_ARN, OIDC_ARN, &format!("{OIDC_ARN}:OIDC:alice")]);
}

#[tokio::test]
async fn a_user_pool_login_bears_the_names_of_its_client() {
    let world = World::new();
    let login = world.user_pool(json!({"token_use": "id"})).await.unwrap();
    let expected =
        [USER_POOL, &format!("{USER_POOL}:client1"), USER_POOL, &format!("{USER_POOL}:CognitoSignIn:alice")];
    assert_eq!(names(&login), expected);
    assert_eq!(world.http.asked(), [format!("https://{USER_POOL}/.well-known/jwks.json")]);
    let other = world.user_pool(json!({"aud": "client2"})).await.unwrap();
    assert_eq!(other.mapping_key(), format!("{USER_POOL}:client2"));
}

#[tokio::test]
async fn a_user_pool_may_be_registered_elsewhere() {
    let world = World::new();
    let token = world.local_pool.id_token("alice", "client1", json!({}));
    assert_eq!(world.verify(LOCAL_POOL, &token).await.unwrap().provider(), LOCAL_POOL);
    let theirs = json!({"iss": format!("https://{LOCAL_POOL}")});
    let token = world.local_pool.id_token("alice", "client1", theirs);
    assert_eq!(world.verify(LOCAL_POOL, &token).await.unwrap_err(), PublicLoginError::IssuerMismatch);
}

#[tokio::test]
async fn google_and_apple_logins_are_for_the_app_of_the_pool() {
    let world = World::new();
    let token = world.google.id_token("1234", "google app", json!({"azp": "the phone's client"}));
    let login = world.verify(GOOGLE, &token).await.unwrap();
    assert_eq!(names(&login), [GOOGLE, GOOGLE, GOOGLE, "accounts.google.com:google app:1234"]);
    let bare = world.google.id_token("1234", "google app", json!({"iss": "accounts.google.com"}));
    assert!(world.verify(GOOGLE, &bare).await.is_ok(), "Google writes its issuer in two ways");
    let token = world.apple.id_token("001.abc", "apple app", json!({}));
    assert_eq!(world.verify(APPLE, &token).await.unwrap().user(), "001.abc");
    for (issuer, key, ours) in [(&world.google, GOOGLE, "google app"), (&world.apple, APPLE, "apple app")] {
        let others = issuer.id_token("1234", "another app", json!({"azp": ours}));
        assert_eq!(world.verify(key, &others).await.unwrap_err(), PublicLoginError::UnsupportedProvider);
        let both = issuer.id_token("1234", "", json!({"aud": [ours, "another app"]}));
        assert_eq!(world.verify(key, &both).await.unwrap_err(), PublicLoginError::UnsupportedProvider);
    }
}

#[tokio::test]
async fn google_as_an_oidc_provider_has_more_clients() {
    let mut world = World::new();
    let arn = "arn:aws:iam::000000000000:oidc-provider/accounts.google.com";
    let provider = OidcProvider {
        arn: arn.into(),
        issuer: "https://accounts.google.com".into(),
        jwks_uri: Some(world.google.jwks_url().into()),
        ..registered_oidc()
    };
    let registered = RegisteredProviders::new([provider], []);
    world.logins = PublicLogins::new(registered, world.engine.clone());
    world.settings.open_id_connect_provider_arns.push(arn.into());
    let by_arn = world.google.id_token("1234", "ours", json!({}));
    assert_eq!(world.verify(GOOGLE, &by_arn).await.unwrap().mapping_key(), arn);
    let by_app = world.google.id_token("1234", "google app", json!({}));
    assert_eq!(world.verify(GOOGLE, &by_app).await.unwrap().mapping_key(), GOOGLE);
    let nobodys = world.google.id_token("1234", "another app", json!({}));
    assert_eq!(world.verify(GOOGLE, &nobodys).await.unwrap_err(), PublicLoginError::UnsupportedProvider);
}

#[tokio::test]
async fn a_slash_at_the_end_of_an_issuer_is_not_part_of_the_key() {
    let clock = Arc::new(ManualClock::at_second(NOW));
    let issuer = Issuer::new("https://tenant.example.com/", clock.clone());
    let arn = "arn:aws:iam::000000000000:oidc-provider/tenant.example.com";
    let provider =
        OidcProvider { arn: arn.into(), issuer: "https://tenant.example.com/".into(), ..registered_oidc() };
    provider.check(&PlainHosts::default()).unwrap();
    let registered = RegisteredProviders::new([provider], []);
    let http = Arc::new(FakeHttp::new().with_issuer(&issuer));
    let logins = PublicLogins::new(registered, Arc::new(Engine::new(http, clock)));
    let settings =
        PoolSettings { open_id_connect_provider_arns: vec![arn.into()], ..PoolSettings::default() };
    let token = issuer.id_token("alice", "ours", json!({}));
    logins.verify_one(&settings, "tenant.example.com", &token).await.unwrap();
    let refusal = logins.verify_one(&settings, "tenant.example.com/", &token).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::UnsupportedProvider, "a provider has one name");
}

#[tokio::test]
async fn what_the_pool_does_not_accept_is_refused_without_a_question() {
    let mut world = World::new();
    let token = world.oidc.id_token("alice", "ours", json!({}));
    let unsupported = PublicLoginError::UnsupportedProvider;
    for key in ["", "login.app", "cognito-identity.amazonaws.com", "LOGIN.example.com/realm", OIDC_ARN] {
        assert_eq!(world.verify(key, &token).await.unwrap_err(), unsupported, "{key}");
    }
    world.settings = PoolSettings::default();
    for key in [OIDC, USER_POOL, LOCAL_POOL, GOOGLE, APPLE, FACEBOOK, AMAZON] {
        assert_eq!(world.verify(key, &token).await.unwrap_err(), unsupported, "{key}");
    }
    assert!(world.http.asked().is_empty());
}

#[tokio::test]
async fn an_arn_that_nobody_registered_accepts_nothing() {
    let mut world = World::new();
    let other = OIDC_ARN.replace("000000000000", "111111111111");
    world.settings.open_id_connect_provider_arns = vec![other];
    assert_eq!(world.oidc(json!({})).await.unwrap_err(), PublicLoginError::UnsupportedProvider);
}

#[tokio::test]
async fn a_name_that_is_no_user_pools_leads_nowhere() {
    let mut world = World::new();
    let token = world.user_pool.id_token("alice", "client1", json!({}));
    for name in [
        "evil.example.com/us-east-1_a",
        "cognito-idp.evil.example.com/us-east-1_a",
        "cognito-idp.x.amazonaws.com.evil.example.com/us-east-1_a",
        "cognito-idp.us-east-1.amazonaws.com/us-east-1_a/../b_c",
        "cognito-idp.us-east-1.amazonaws.com/us-east-1_a?b",
        "cognito-idp.us-east-1.amazonaws.com:444/us-east-1_a",
        "cognito-idp.evil/x.amazonaws.com/us-east-1_a",
        "cognito-idp.a@evil.amazonaws.com/us-east-1_a",
        "cognito-idp..amazonaws.com/us-east-1_a",
        "cognito-idp.us-east-1.amazonaws.com/us-east-1",
        "cognito-idp.us-east-1.amazonaws.com/_a",
    ] {
        world.settings.cognito_identity_providers = vec![client_of(name, "client1")];
        let refusal = world.verify(name, &token).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::UnsupportedProvider, "{name}");
    }
    assert!(world.http.asked().is_empty());
    assert!(is_user_pool_name("cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_a"));
}

#[tokio::test]
async fn a_check_that_cannot_be_made_is_not_left_out() {
    let mut world = World::new();
    world.settings.cognito_identity_providers[1].server_side_token_check = Some(true);
    let error = world.user_pool(json!({})).await.unwrap_err();
    assert!(matches!(error, PublicLoginError::Unverifiable(_)), "{error:?}");
    assert!(error.to_string().contains("ServerSideTokenCheck"));
}

#[tokio::test]
async fn what_cannot_be_verified_is_refused_in_words_that_say_so() {
    let mut world = World::new();
    let saml = "arn:aws:iam::000000000000:saml-provider/corp";
    world.settings.saml_provider_arns.push(saml.into());
    world.settings.supported_login_providers.insert("api.twitter.com".into(), "key;secret".into());
    for (key, word) in [("api.twitter.com", "Twitter"), ("www.digits.com", "Digits"), (saml, "SAML")] {
        let error = world.verify(key, &Secret::new("x")).await.unwrap_err();
        assert!(matches!(error, PublicLoginError::Unverifiable(_)), "{error:?}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn all_logins_are_verified_in_order_or_none() {
    let world = World::new();
    let mut logins = BTreeMap::from([
        (OIDC.to_owned(), world.oidc.id_token("alice", "ours", json!({}))),
        (GOOGLE.to_owned(), world.google.id_token("1234", "google app", json!({}))),
    ]);
    let verified = world.logins.verify(&world.settings, &logins).await.unwrap();
    let providers: Vec<_> = verified.iter().map(PublicLogin::provider).collect();
    assert_eq!(providers, [GOOGLE, OIDC]);
    logins.insert(APPLE.into(), Secret::new("not a token"));
    let refusal = world.logins.verify(&world.settings, &logins).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::Malformed);
}

#[tokio::test]
async fn nobody_is_asked_before_every_key_is_accepted() {
    let world = World::new();
    let logins = BTreeMap::from([
        (OIDC.to_owned(), world.oidc.id_token("alice", "ours", json!({}))),
        ("www.unknown.example".to_owned(), Secret::new("x")),
    ]);
    let refusal = world.logins.verify(&world.settings, &logins).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::UnsupportedProvider);
    assert!(world.http.asked().is_empty());
}
