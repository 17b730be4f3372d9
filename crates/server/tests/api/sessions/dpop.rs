//! Refresh tokens that are bound to a key (RFC 9449 section 5).

use daypass_core::ground::clock::SignedDuration;
use daypass_core::token::dpop::testing::{ClientKey, hash};
use http::{Method, Request};
use serde_json::{Value, json};

use super::form;
use crate::harness::{Answer, Browser, Daypass, SERVER, Wishes};

const TOKEN: &str = "http://127.0.0.1:9400/oauth2/token";

async fn token(daypass: &Daypass, members: &[(&str, &str)], proof: Option<&str>) -> Answer {
    let mut request = form("/oauth2/token", members);
    if let Some(proof) = proof {
        request.headers_mut().insert("dpop", proof.parse().unwrap());
    }
    daypass.send(request).await
}

/// A proof for the token endpoint, of now.
fn prove(daypass: &Daypass, key: &ClientKey, jti: &str) -> String {
    key.prove("POST", TOKEN, jti, daypass.app.clock.now().as_second())
}

async fn sign_in(daypass: &Daypass, key: &ClientKey) -> Value {
    let wishes = Wishes::new();
    let code = Browser::new(daypass).sign_in(&wishes).await;
    let answer = token(daypass, &wishes.form(&code), Some(&prove(daypass, key, "first"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn refresh(daypass: &Daypass, session: &Value, proof: Option<&str>) -> Answer {
    let shown = session["refresh_token"].as_str().unwrap();
    let members = [("grant_type", "refresh_token"), ("client_id", "shop"), ("refresh_token", shown)];
    token(daypass, &members, proof).await
}

#[track_caller]
fn assert_refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (400, Some(error)), "{answer:?}");
}

#[tokio::test]
async fn who_holds_the_key_goes_on_with_one_token() {
    let daypass = Daypass::start().await;
    let key = ClientKey::new();
    let session = sign_in(&daypass, &key).await;
    assert_eq!(session["token_type"], "Bearer");
    for number in 0..5 {
        daypass.advance(SignedDuration::from_hours(24));
        let proof = prove(&daypass, &key, &number.to_string());
        let next = refresh(&daypass, &session, Some(&proof)).await.json();
        assert_eq!(
            (&next["refresh_token"], &next["refresh_expires_in"]),
            (&session["refresh_token"], &604_800.into())
        );
    }
}

#[tokio::test]
async fn who_has_a_copy_and_not_the_key_gets_nothing_and_ends_nothing() {
    let daypass = Daypass::start().await;
    let (key, other) = (ClientKey::new(), ClientKey::new());
    let session = sign_in(&daypass, &key).await;
    let now = daypass.app.clock.now().as_second();
    let elsewhere = key.prove("POST", "https://evil.example/oauth2/token", "a", now);
    let another_method = key.prove("GET", TOKEN, "b", now);
    for proof in
        [None, Some(prove(&daypass, &other, "c")), Some(elsewhere), Some(another_method), Some("x".into())]
    {
        assert_refused(&refresh(&daypass, &session, proof.as_deref()).await, "invalid_dpop_proof");
    }
    let proof = prove(&daypass, &key, "d");
    assert_eq!(refresh(&daypass, &session, Some(&proof)).await.status, 200);
    assert_refused(&refresh(&daypass, &session, Some(&proof)).await, "invalid_dpop_proof");
    let mut twice = form(
        "/oauth2/token",
        &[("grant_type", "refresh_token"), ("client_id", "shop"), ("refresh_token", "x")],
    );
    for jti in ["e", "f"] {
        twice.headers_mut().append("dpop", prove(&daypass, &key, jti).parse().unwrap());
    }
    assert_refused(&daypass.send(twice).await, "invalid_dpop_proof");
}

#[tokio::test]
async fn a_clock_that_is_off_is_mended_by_a_nonce() {
    let daypass = Daypass::start().await;
    let key = ClientKey::new();
    let session = sign_in(&daypass, &key).await;
    let off = daypass.app.clock.now().as_second() - 3600;
    let refused = refresh(&daypass, &session, Some(&key.prove("POST", TOKEN, "a", off))).await;
    assert_refused(&refused, "use_dpop_nonce");
    let claims =
        json!({"htm": "POST", "htu": TOKEN, "jti": "b", "iat": off, "nonce": refused.header("dpop-nonce")});
    let answer = refresh(&daypass, &session, Some(&key.sign(&key.header(), &claims))).await;
    assert_eq!((answer.status.as_u16(), answer.header("dpop-nonce")), (200, ""), "{answer:?}");
}

#[tokio::test]
async fn a_proof_that_proves_nothing_spends_no_code() {
    let daypass = Daypass::start().await;
    let wishes = Wishes::new();
    let code = Browser::new(&daypass).sign_in(&wishes).await;
    assert_refused(&token(&daypass, &wishes.form(&code), Some("x")).await, "invalid_dpop_proof");
    assert_eq!(token(&daypass, &wishes.form(&code), None).await.status, 200);
}

#[tokio::test]
async fn devices_are_asked_about_with_the_key_too() {
    let daypass = Daypass::start().await;
    let key = ClientKey::new();
    let session = sign_in(&daypass, &key).await;
    let shown = session["refresh_token"].as_str().unwrap();
    let ask = async |scheme: &str, ath: Option<String>, jti: &str| {
        let request = Request::builder().method(Method::GET).uri("/v1/sessions");
        let mut request = request.header("authorization", format!("{scheme} {shown}"));
        if let Some(ath) = ath {
            let claims = json!({"htm": "GET", "htu": format!("{SERVER}/v1/sessions"), "jti": jti,
                "iat": daypass.app.clock.now().as_second(), "ath": ath});
            request = request.header("dpop", key.sign(&key.header(), &claims));
        }
        daypass.send(request.body(String::new()).unwrap()).await
    };
    ask("Bearer", None, "").await.assert_problem(400, "invalid_dpop_proof");
    ask("DPoP", Some(hash("another token")), "a").await.assert_problem(400, "invalid_dpop_proof");
    assert_eq!(ask("DPoP", Some(hash(shown)), "b").await.status, 200);
    assert_eq!(ask("Bearer", Some(hash(shown)), "c").await.status, 200);
}

#[tokio::test]
async fn a_token_that_is_bound_to_no_key_needs_none() {
    let daypass = Daypass::start().await;
    let session = super::sign_in(&daypass).await;
    let answer = refresh(&daypass, &session, Some(&prove(&daypass, &ClientKey::new(), "a"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_ne!(answer.json()["refresh_token"], session["refresh_token"]);
}

/// Clients send no proof there, and whoever finds a copy should be able to end it.
#[tokio::test]
async fn a_copy_without_the_key_can_be_revoked() {
    let daypass = Daypass::start().await;
    let key = ClientKey::new();
    let session = sign_in(&daypass, &key).await;
    let answer = super::revoke(&daypass, "shop", session["refresh_token"].as_str().unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let over = refresh(&daypass, &session, Some(&prove(&daypass, &key, "a"))).await;
    assert_eq!(over.json()["reason"], "signed_out");
}
