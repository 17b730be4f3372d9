//! A provider for `Logins` is a block of the catalogue and no code: these two are nowhere but here.

use super::*;

const CHAT: &str = r#"
    name     = "Chat"
    register = "Ask."
    id_scope = "app"
    accept   = ["code", "access_token"]
    [authorize]
    url = "https://chat.example/authorize"
    [exchange]
    url         = "https://chat.example/token"
    client_auth = "parameters"
    [profile]
    url     = "https://chat.example/me"
    subject = { at = "/id" }
    [binding]
    kind   = "client_auth_endpoint"
    url    = "https://chat.example/inspect?t={token}&s={client_secret}"
    auth   = "none"
    client = { at = "/app" }
    [public]
    key    = "chat.example"
    accept = ["access_token"]
    [public.binding]
    kind   = "endpoint"
    url    = "https://chat.example/app"
    client = { at = "/app" }
"#;

const MAIL: &str = r#"
    name     = "Mail"
    register = "Ask."
    id_scope = "app"
    accept   = ["id_token"]
    [id_token]
    issuers = ["https://mail.example"]
    keys    = { discovery = "https://mail.example" }
    subject = { at = "/sub" }
    [binding]
    kind = "id_token"
    [public]
    key = "mail.example"
"#;

/// A world in which every pool knows the two, and ours takes their logins for its own apps.
fn world() -> World {
    let mut world = World::new();
    for (block, key) in [(CHAT, "chat.example"), (MAIL, "mail.example")] {
        world.logins.social.extend(social::read(block).unwrap());
        world.settings.supported_login_providers.insert(key.into(), "77".into());
    }
    world
}

#[tokio::test]
async fn a_block_is_all_that_a_provider_of_access_tokens_needs() {
    let world = world();
    let token = Secret::new("of ada");
    world.http.answer("https://chat.example/app", 200, r#"{"app": "77"}"#);
    world.http.answer("https://chat.example/me", 200, r#"{"id": "ada", "plan": "gold"}"#);
    let login = world.verify("chat.example", &token).await.unwrap();
    assert_eq!(names(&login), ["chat.example", "chat.example", "chat.example", "chat.example:77:ada"]);
    assert_eq!(login.claims()["plan"], "gold");
    assert_eq!(login.default_tags(), tags("77", "ada"));
    for other in [r#"{"app": "78"}"#, r#"{"app": 77}"#, "{}"] {
        world.http.answer("https://chat.example/app", 200, other);
        world.clock.advance(crate::ground::clock::SignedDuration::from_secs(5));
        let refusal = world.verify("chat.example", &token).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::UnsupportedProvider, "{other}");
    }
}

#[tokio::test]
async fn a_block_is_all_that_a_provider_of_id_tokens_needs() {
    let world = world();
    let issuer = Issuer::new("https://mail.example", world.clock.clone());
    world.http.add_issuer(&issuer);
    let login = world.verify("mail.example", &issuer.id_token("ada", "77", json!({}))).await.unwrap();
    assert_eq!(names(&login), ["mail.example", "mail.example", "mail.example", "mail.example:77:ada"]);
    for (claims, refusal) in [
        (json!({"aud": "78"}), PublicLoginError::UnsupportedProvider),
        (json!({"aud": ["77", "78"]}), PublicLoginError::UnsupportedProvider),
        (json!({"exp": NOW - 300}), PublicLoginError::Expired { now: NOW, expired_at: NOW - 300 }),
        (json!({"iss": "https://chat.example"}), PublicLoginError::IssuerMismatch),
    ] {
        let token = issuer.id_token("ada", "77", claims);
        assert_eq!(world.verify("mail.example", &token).await.unwrap_err(), refusal);
    }
}

#[tokio::test]
async fn a_pool_that_names_no_app_of_it_takes_none_of_its_logins() {
    let mut world = world();
    for app_id in [None, Some("")] {
        world.settings.supported_login_providers.remove("mail.example");
        world.settings.supported_login_providers.extend(app_id.map(|it| ("mail.example".into(), it.into())));
        let issuer = Issuer::new("https://mail.example", world.clock.clone());
        for audience in ["77", ""] {
            let token = issuer.id_token("ada", audience, json!({}));
            let refusal = world.verify("mail.example", &token).await.unwrap_err();
            assert_eq!(refusal, PublicLoginError::UnsupportedProvider);
        }
    }
    assert!(world.http.asked().is_empty());
}
