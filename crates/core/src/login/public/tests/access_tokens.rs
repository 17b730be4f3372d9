//! Access tokens, about which the provider is asked: whose, and of which app.

use super::*;
use crate::ground::clock::SignedDuration;

const TOKEN: &str = "EAAB+secret&token=/";
const ENCODED: &str = "EAAB%2Bsecret%26token%3D%2F";

fn facebook_urls() -> [String; 2] {
    ["app?access_token=", "me?fields=id&access_token="]
        .map(|path| format!("https://graph.facebook.com/{path}{ENCODED}"))
}

fn amazon_url() -> String {
    format!("https://api.amazon.com/auth/o2/tokeninfo?access_token={ENCODED}")
}

/// What becomes of the token when no earlier refusal is remembered any more.
async fn access_token(world: &World, key: &str) -> Result<PublicLogin, PublicLoginError> {
    world.clock.advance(SignedDuration::from_secs(5));
    world.verify(key, &Secret::new(TOKEN)).await
}

#[tokio::test]
async fn facebook_says_whose_token_it_is_and_which_apps() {
    let world = World::new();
    let [app, me] = facebook_urls();
    world.http.answer(&app, 200, r#"{"id": "42", "name": "Ours"}"#);
    world.http.answer(&me, 200, r#"{"id": "1001"}"#);
    let login = access_token(&world, FACEBOOK).await.unwrap();
    assert_eq!(names(&login), [FACEBOOK, FACEBOOK, FACEBOOK, "graph.facebook.com:42:1001"]);
    assert_eq!(login.default_tags(), tags("42", "1001"));

    for other in [r#"{"id": "43"}"#, r#"{"id": 42}"#, r#"{"ids": ["42"]}"#] {
        world.http.answer(&app, 200, other);
        let refusal = access_token(&world, FACEBOOK).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::UnsupportedProvider, "{other}");
    }
    assert_eq!(world.http.asked().last(), Some(&app), "nobody's profile is asked for another app's token");
}

#[tokio::test]
async fn amazon_says_whose_token_it_is_and_which_apps() {
    let world = World::new();
    let answer = |aud: &str| json!({"aud": aud, "user_id": "amzn1.account.A", "exp": 3600}).to_string();
    world.http.answer(&amazon_url(), 200, answer("amzn1.app"));
    let login = access_token(&world, AMAZON).await.unwrap();
    assert_eq!(names(&login), [AMAZON, AMAZON, AMAZON, "www.amazon.com:amzn1.app:amzn1.account.A"]);
    assert_eq!(login.default_tags(), tags("amzn1.app", "amzn1.account.A"));
    world.http.answer(&amazon_url(), 200, answer("amzn1.other"));
    let refusal = access_token(&world, AMAZON).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::UnsupportedProvider);
}

#[tokio::test]
async fn a_refused_access_token_differs_from_a_provider_out_of_order() {
    let world = World::new();
    let [app, me] = facebook_urls();
    for (key, url) in [(FACEBOOK, &app), (AMAZON, &amazon_url())] {
        for status in [400, 401, 403] {
            world.http.answer(url, status, "{}");
            assert_eq!(access_token(&world, key).await.unwrap_err(), PublicLoginError::Refused, "{status}");
        }
        for status in [302, 404, 410] {
            world.http.answer(url, status, "{}");
            let error = access_token(&world, key).await.unwrap_err();
            assert!(
                matches!(&error, PublicLoginError::NotAsDefined { reason, .. }
                    if reason.contains(&status.to_string()) && !reason.contains("EAAB")),
                "{status}: {error:?}"
            );
        }
        for (status, body) in [(429, "{}"), (500, "{}"), (503, ""), (200, "<html>"), (200, "[]")] {
            world.http.answer(url, status, body);
            let error = access_token(&world, key).await.unwrap_err();
            assert!(matches!(error, PublicLoginError::Unavailable { .. }), "{status}: {error:?}");
        }
        world.http.time_out(url);
        let error = access_token(&world, key).await.unwrap_err();
        assert!(matches!(error, PublicLoginError::Unavailable { .. }), "{error:?}");
    }
    world.http.answer(&app, 200, r#"{"id": "42"}"#);
    for body in ["{}", r#"{"id": ""}"#, r#"{"id": 7}"#] {
        world.http.answer(&me, 200, body);
        let error = access_token(&world, FACEBOOK).await.unwrap_err();
        assert!(matches!(error, PublicLoginError::Unavailable { .. }), "{body}: {error:?}");
    }
}

#[tokio::test]
async fn an_access_token_of_no_plausible_size_is_not_sent_anywhere() {
    let world = World::new();
    for token in [String::new(), "x".repeat(4097)] {
        for key in [FACEBOOK, AMAZON] {
            let refusal = world.verify(key, &Secret::new(token.clone())).await.unwrap_err();
            assert_eq!(refusal, PublicLoginError::Refused);
        }
    }
    assert!(world.http.asked().is_empty());
}

#[tokio::test]
async fn no_error_repeats_a_token() {
    let world = World::new();
    let good = world.oidc.id_token("alice-secret", "ours", json!({"exp": NOW - 9000}));
    let (_, signature) = good.expose().rsplit_once('.').unwrap();
    for (key, token) in [
        (OIDC, good.expose()),
        (OIDC, &good.expose()[1..]),
        (USER_POOL, good.expose()),
        (FACEBOOK, TOKEN),
        (AMAZON, TOKEN),
    ] {
        let error = world.verify(key, &Secret::new(token)).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        for secret in [TOKEN, ENCODED, signature, "alice-secret", "EAAB"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
