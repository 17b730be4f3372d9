//! A configuration that is taken up while everything runs: what counts from then on, and what is not lost by it.

use bytes::Bytes;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::IdentityId;
use daypass_core::store::RevocationTarget;
use daypass_server::config::Config;
use http::{Request, Response};
use serde_json::json;

use crate::harness::{
    APP_REDIRECT_URI, AUTHENTICATED_ROLE, BrokenAnswer, Browser, Daypass, PROFILE, Wishes, allow, claims,
    parameter,
};

const APP: &str = "[[app]]\nid = \"new\"\norigins = [\"https://new.example\"]\nredirect_uris = [\"https://new.example/in\"]\n";
const TELEGRAM: &str = "[[provider]]\nid = \"telegram-widget\"\nclient_id = \"123456\"\n\
                        client_secret = { env = \"CARGO_PKG_NAME\" }\n";

async fn provider_ids(daypass: &Daypass) -> Vec<String> {
    let listed = daypass.get("/v1/providers").await.json();
    let listed = listed["providers"].as_array().unwrap().clone();
    listed.iter().map(|provider| provider["id"].as_str().unwrap().to_owned()).collect()
}

async fn may_call(daypass: &Daypass, origin: &str) -> bool {
    let request = Request::get("/v1/providers").header("origin", origin).body(String::new()).unwrap();
    daypass.send(request).await.header("access-control-allow-origin") == origin
}

#[tokio::test]
async fn providers_and_apps_count_from_then_on() {
    let mut daypass = Daypass::start().await;
    assert!(
        !may_call(&daypass, "https://new.example").await && may_call(&daypass, "https://shop.example").await
    );
    let ada = daypass.enter("ada").await["identity_id"].clone();
    let take_away = |config: &mut Config| {
        config.apps.retain(|app| app.id != "shop");
        config.providers.retain(|provider| provider.id != "snapchat-token");
    };
    daypass.reread(take_away, &format!("{APP}{TELEGRAM}")).await.unwrap();
    assert_eq!(provider_ids(&daypass).await, ["snapchat", "telegram-widget"]);
    assert!(
        may_call(&daypass, "https://new.example").await && !may_call(&daypass, "https://shop.example").await
    );
    let gone = daypass.exchange(&json!({"provider": "snapchat-token", "access_token": "x"})).await;
    gone.assert_problem(400, "unknown_provider");
    let query = Wishes::new().query();
    assert_eq!(daypass.get(&format!("/login?{query}")).await.status, 400, "the app is gone");
    assert_eq!(daypass.enter("ada").await["identity_id"], ada, "people are who they were");
}

#[tokio::test]
async fn a_login_that_was_under_way_ends_and_its_code_counts_once() {
    let mut daypass = Daypass::start().await;
    let wishes = Wishes::new();
    let (callback, cookies) = {
        let mut browser = Browser::new(&daypass);
        (browser.come_back(&wishes).await, browser.cookies)
    };
    daypass.reread(|_| {}, APP).await.unwrap();
    let mut browser = Browser { daypass: &daypass, cookies };
    let answer = browser.get(&callback).await;
    let location = answer.header("location").to_owned();
    assert!(location.starts_with(APP_REDIRECT_URI), "{answer:?}");
    let redemption = wishes.redemption(&parameter(&location, "code"));
    daypass.reread(|_| {}, "").await.unwrap();
    assert_eq!(daypass.exchange(&redemption).await.status, 200);
    daypass.reread(|_| {}, APP).await.unwrap();
    daypass.exchange(&redemption).await.assert_problem(401, "login_code_refused");
}

#[tokio::test]
async fn a_code_of_an_app_or_a_provider_that_was_taken_away_is_refused() {
    let without_apps = |config: &mut Config| config.apps.retain(|app| app.id == "playground");
    let without_provider =
        |config: &mut Config| config.providers.retain(|provider| provider.id != "snapchat");
    for edit in [without_apps as fn(&mut Config), without_provider] {
        let mut daypass = Daypass::start().await;
        let wishes = Wishes::new();
        let code = Browser::new(&daypass).sign_in(&wishes).await;
        daypass.reread(edit, "").await.unwrap();
        daypass.exchange(&wishes.redemption(&code)).await.assert_problem(401, "login_code_refused");
    }
}

#[tokio::test]
async fn a_login_that_was_answered_before_is_not_answered_again() {
    let mut daypass = Daypass::start().await;
    let wishes = Wishes::new();
    let (callback, cookies) = {
        let mut browser = Browser::new(&daypass);
        let callback = browser.come_back(&wishes).await;
        let cookies = browser.cookies.clone();
        assert_eq!(browser.get(&callback).await.status, 303);
        (callback, cookies)
    };
    daypass.reread(|_| {}, "").await.unwrap();
    let again = Browser { daypass: &daypass, cookies }.get(&callback).await;
    assert!(again.body.contains("login_not_found"), "{again:?}");
}

#[tokio::test]
async fn a_refusal_that_is_remembered_is_not_asked_for_again() {
    let mut daypass = Daypass::start().await;
    let made_up = json!({"provider": "snapchat-token", "access_token": "made-up"});
    daypass.exchange(&made_up).await.assert_problem(401, "proof_refused");
    // Whoever asks the provider from now on hears something else.
    let answer = || Ok(Response::builder().status(503).body(Bytes::new()).unwrap());
    daypass.provider.break_with(BrokenAnswer { path: PROFILE, answer });
    daypass.reread(|_| {}, APP).await.unwrap();
    daypass.exchange(&made_up).await.assert_problem(401, "proof_refused");
    daypass.advance(SignedDuration::from_secs(5));
    daypass.exchange(&made_up).await.assert_problem(503, "provider_unavailable");
}

#[tokio::test]
async fn tokens_and_sessions_go_on_and_what_was_revoked_stays_so() {
    let mut daypass = Daypass::start().await;
    let (ada, grace) = (daypass.enter("ada").await, daypass.enter("grace").await);
    let (credentials, of_grace) = (daypass.credentials(&ada).await, daypass.credentials(&grace).await);
    let keys = daypass.get("/.well-known/jwks.json").await.body;
    let of_grace_id = IdentityId::parse(grace["identity_id"].as_str().unwrap()).unwrap();
    daypass.advance(SignedDuration::from_secs(1));
    let target = RevocationTarget::Identity(of_grace_id);
    daypass.store.revoke_sessions(&target, daypass.clock.clone()).await.unwrap();
    daypass.reread(|_| {}, APP).await.unwrap();
    assert_eq!(daypass.get("/.well-known/jwks.json").await.body, keys);
    assert!(daypass.may_list_pools(&credentials).await);
    let refused = daypass.signed_by(&of_grace, "ListIdentityPools", json!({"MaxResults": 1})).await;
    assert_ne!(refused.status, 200, "{refused:?}");
    assert_eq!(daypass.get_credentials(&ada).await.status, 200, "a token from before is believed");
    assert_eq!(claims(&ada["token"])["iss"], claims(&daypass.enter("ada").await["token"])["iss"]);
}

#[tokio::test]
async fn a_role_that_is_taken_away_opens_nothing_any_more_and_one_that_is_added_does() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.json");
    std::fs::write(&policy, allow("cognito-identity:ListIdentityPools")).unwrap();
    let role = format!("[[role]]\nname = \"people\"\npolicy = {policy:?}\n");
    let mut daypass = Daypass::start().with_tables(&role).await;
    let people = AUTHENTICATED_ROLE.replace("authenticated", "people");
    let roles = json!({"IdentityPoolId": daypass.pool_id(), "Roles": {"authenticated": people}});
    daypass.call("SetIdentityPoolRoles", roles).await;
    let ada = daypass.enter("ada").await;
    let credentials = daypass.credentials(&ada).await;
    assert!(daypass.may_list_pools(&credentials).await);
    daypass.reread(|_| {}, "").await.unwrap();
    assert!(!daypass.may_list_pools(&credentials).await, "the role is gone, and its sessions with it");
    daypass.get_credentials(&ada).await.assert_code("InvalidIdentityPoolConfigurationException");
    daypass.reread(|_| {}, &role).await.unwrap();
    assert!(daypass.may_list_pools(&credentials).await);
    assert_eq!(daypass.get_credentials(&ada).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_wired_changes_nothing() {
    let mut daypass = Daypass::start().await;
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.json");
    std::fs::write(&policy, allow("s3:GetObject")).unwrap();
    // The file was sound when it was read; what it leads to is not.
    let role = format!("[[role]]\nname = \"people\"\npolicy = {policy:?}\n{APP}");
    let twin = |config: &mut Config| config.roles.push(config.roles[0].clone());
    let refused = daypass.reread(twin, &role).await.unwrap_err().to_string();
    assert!(refused.contains("two roles with the name people"), "{refused}");
    assert!(!may_call(&daypass, "https://new.example").await);
    daypass.enter("ada").await;
}
