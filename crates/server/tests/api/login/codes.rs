//! One-time codes at `/v1/exchange` and `/oauth2/token`: once, within a minute, by the app they were made for.

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_core::broker::login_code::Binding;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::{Provider, UnverifiedProof};
use futures::future::join_all;
use http::Request;
use serde_json::{Value, json};

use crate::harness::{APP_REDIRECT_URI, Answer, Browser, Daypass, Wishes, claims, exchange_request};

async fn sign_in(daypass: &Daypass) -> (Wishes, String) {
    let wishes = Wishes::new();
    let code = Browser::new(daypass).sign_in(&wishes).await;
    (wishes, code)
}

async fn token(daypass: &Daypass, form: &[(&str, &str)]) -> Answer {
    daypass.send(token_request(form)).await
}

fn token_request(form: &[(&str, &str)]) -> Request<String> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = Request::post("/oauth2/token").header("content-type", "application/x-www-form-urlencoded");
    request.body(body).unwrap()
}

#[track_caller]
fn assert_oauth_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str()),
        (status, Some(error)),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.json()["error_description"].is_string());
}

#[tokio::test]
async fn an_app_that_speaks_oauth_gets_its_token() {
    let daypass = Daypass::start().await;
    let (wishes, code) = sign_in(&daypass).await;
    let answer = token(&daypass, &wishes.form(&code)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    let expected = json!({
        "access_token": body["access_token"],
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": "offline_access",
        "refresh_token": body["refresh_token"],
        "refresh_expires_in": 604_800,
        "session_id": body["session_id"],
        "identity_id": body["identity_id"],
        "identity_pool_id": daypass.pool_id(),
        "region": "us-east-1",
        "provider": "snapchat",
        "user": {"name": "Ada", "avatar": "http://127.0.0.1:9402/avatars/ada.svg"},
    });
    assert_eq!(body, expected);
    assert_eq!(claims(&body["access_token"])["sub"], body["identity_id"]);
    let entered = json!({"identity_id": body["identity_id"], "token": body["access_token"]});
    assert_eq!(daypass.get_credentials(&entered).await.status, 200);
}

#[tokio::test]
async fn a_code_brings_credentials_if_the_app_asks_for_them() {
    let daypass = Daypass::start().await;
    let (wishes, code) = sign_in(&daypass).await;
    let mut body = wishes.redemption(&code);
    body["credentials"] = true.into();
    let answer = daypass.exchange(&body).await.json();
    assert!(answer["credentials"]["session_token"].is_string(), "{answer}");
}

#[tokio::test]
async fn a_code_counts_once() {
    let daypass = Daypass::start().await;
    let (wishes, code) = sign_in(&daypass).await;
    assert_eq!(daypass.exchange(&wishes.redemption(&code)).await.status, 200);
    daypass.exchange(&wishes.redemption(&code)).await.assert_problem(401, "login_code_refused");
    let answer = token(&daypass, &wishes.form(&code)).await;
    assert_oauth_error(&answer, 400, "invalid_grant");
    assert_eq!(answer.json()["code"], "login_code_refused");
}

/// Whoever came first may have been a thief.
#[tokio::test]
async fn a_code_that_is_shown_again_ends_the_session_that_it_began() {
    for again in ["/oauth2/token", "/v1/exchange", "another verifier", "another app"] {
        let daypass = Daypass::start().await;
        let (wishes, code) = sign_in(&daypass).await;
        let began = token(&daypass, &wishes.form(&code)).await.json();
        let mut shown = wishes.redemption(&code);
        match again {
            "another verifier" => shown["code_verifier"] = "w".repeat(43).into(),
            "another app" => shown["app"] = "twin".into(),
            _ => {}
        }
        let answer = match again {
            "/oauth2/token" => token(&daypass, &wishes.form(&code)).await,
            _ => daypass.exchange(&shown).await,
        };
        assert_eq!(answer.json()["code"], "login_code_refused", "{again}");
        let refused = refresh(&daypass, &wishes, &began).await;
        assert_oauth_error(&refused, 400, "invalid_grant");
        assert_eq!(refused.json()["reason"], "reused", "{again}");
        let entered = json!({"identity_id": began["identity_id"], "token": began["access_token"]});
        daypass.get_credentials(&entered).await.assert_code("NotAuthorizedException");
        let ended = |event: &&Value| event["action"] == "sign_out" && event["reason"] == "reused";
        assert_eq!(daypass.audit_events().iter().filter(ended).count(), 1, "{again}");
    }
}

/// Codes are in the history of browsers, and in logs.
#[tokio::test]
async fn a_code_that_is_too_old_to_count_ends_nobodys_session() {
    let daypass = Daypass::start().await;
    let (wishes, code) = sign_in(&daypass).await;
    let began = token(&daypass, &wishes.form(&code)).await.json();
    daypass.advance(SignedDuration::from_secs(61));
    daypass.exchange(&wishes.redemption(&code)).await.assert_problem(401, "login_code_refused");
    assert_eq!(refresh(&daypass, &wishes, &began).await.status, 200);
}

async fn refresh(daypass: &Daypass, wishes: &Wishes, began: &Value) -> Answer {
    let refresh_token = began["refresh_token"].as_str().unwrap();
    let (grant, app) = (("grant_type", "refresh_token"), ("client_id", &*wishes.members["app"]));
    token(daypass, &[grant, app, ("refresh_token", refresh_token)]).await
}

#[tokio::test]
async fn of_sixteen_who_redeem_one_code_at_once_one_gets_the_token() {
    let daypass = Daypass::start().await;
    let (wishes, code) = sign_in(&daypass).await;
    let racers = (0..16).map(|number| {
        let request = if number % 2 == 0 {
            exchange_request(wishes.redemption(&code).to_string())
        } else {
            token_request(&wishes.form(&code))
        };
        daypass.send(request)
    });
    let answers = join_all(racers).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let daypass = Daypass::start().await;
    let (wishes, code) = sign_in(&daypass).await;
    daypass.advance(SignedDuration::from_millis(59_999));
    assert_eq!(daypass.exchange(&wishes.redemption(&code)).await.status, 200);
    let (wishes, code) = sign_in(&daypass).await;
    daypass.advance(SignedDuration::from_secs(60));
    daypass.exchange(&wishes.redemption(&code)).await.assert_problem(401, "login_code_refused");
}

#[tokio::test]
async fn whoever_shows_a_code_with_anything_else_spends_it() {
    for (member, value) in [
        ("code_verifier", "w".repeat(43)),
        ("app", "twin".into()),
        ("app", "nobody".into()),
        ("redirect_uri", "https://shop.example/?page=in".into()),
        ("redirect_uri", format!("{APP_REDIRECT_URI}/")),
    ] {
        let daypass = Daypass::start().await;
        let (wishes, code) = sign_in(&daypass).await;
        let mut stolen = wishes.redemption(&code);
        stolen[member] = value.into();
        daypass.exchange(&stolen).await.assert_problem(401, "login_code_refused");
        daypass.exchange(&wishes.redemption(&code)).await.assert_problem(401, "login_code_refused");
        assert!(daypass.identities().await.is_empty(), "{member}");
    }
}

#[tokio::test]
async fn the_token_endpoint_holds_a_code_to_its_app_as_well() {
    for (member, value) in [("client_id", "twin"), ("code_verifier", &*"w".repeat(43)), ("redirect_uri", "x")]
    {
        let daypass = Daypass::start().await;
        let (wishes, code) = sign_in(&daypass).await;
        let mut form = wishes.form(&code);
        form.iter_mut().filter(|(name, _)| *name == member).for_each(|field| field.1 = value);
        assert_oauth_error(&token(&daypass, &form).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_malformed_redemption_spends_nothing() {
    let daypass = Daypass::start().await;
    let (wishes, code) = sign_in(&daypass).await;
    for member in ["app", "redirect_uri", "code_verifier"] {
        let mut body = wishes.redemption(&code);
        body.as_object_mut().unwrap().remove(member);
        daypass.exchange(&body).await.assert_problem(400, "malformed_request");
    }
    for member in ["provider", "access_token", "id_token", "code", "nonce"] {
        let mut body = wishes.redemption(&code);
        body[member] = Value::from("x");
        daypass.exchange(&body).await.assert_problem(400, "malformed_request");
    }
    for member in ["grant_type", "client_id", "redirect_uri", "code_verifier", "code"] {
        let form: Vec<_> = wishes.form(&code).into_iter().filter(|(name, _)| *name != member).collect();
        assert_oauth_error(&token(&daypass, &form).await, 400, "invalid_request");
    }
    let mut twice = wishes.form(&code);
    twice.push(("client_id", "shop"));
    assert_oauth_error(&token(&daypass, &twice).await, 400, "invalid_request");
    assert_eq!(daypass.exchange(&wishes.redemption(&code)).await.status, 200);
}

#[tokio::test]
async fn the_token_endpoint_takes_forms_of_one_kind() {
    let daypass = Daypass::start().await;
    let answer = token(&daypass, &[("grant_type", "password")]).await;
    assert_oauth_error(&answer, 400, "unsupported_grant_type");
    let json = Request::post("/oauth2/token").header("content-type", "application/json").body("{}".into());
    assert_oauth_error(&daypass.send(json.unwrap()).await, 400, "invalid_request");
    assert_oauth_error(&token(&daypass, &[("x", &"y".repeat(66_000))]).await, 413, "invalid_request");
    let mut foreign = token_request(&[]);
    foreign.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    assert_oauth_error(&daypass.send(foreign).await, 403, "invalid_request");
}

#[tokio::test]
async fn a_code_of_a_provider_that_was_taken_away_meanwhile_is_refused() {
    let daypass = Daypass::start().await;
    let broker = &daypass.app.broker;
    let wishes = Wishes::new();
    let binding = Binding {
        app: &wishes.members["app"],
        redirect_uri: Some(&wishes.members["redirect_uri"]),
        code_challenge: &wishes.members["code_challenge"],
    };
    for (id, status) in [("snapchat", 200), ("taken-away", 401)] {
        let provider = Provider { id: id.into(), ..(*broker.providers.get("snapchat").unwrap()).clone() };
        let login = daypass.sign_in("ada").await;
        let proof = UnverifiedProof::Code {
            code: Secret::new(login.code),
            code_verifier: Some(Secret::new(login.code_verifier)),
            redirect_uri: login.redirect_uri,
            nonce: None,
            callback: BTreeMap::new(),
        };
        let verified = broker.engine.verify(&Arc::new(provider), proof).await.unwrap();
        let code = broker.login_codes.issue(&verified, binding, Default::default(), None).await.unwrap();
        let answer = daypass.exchange(&wishes.redemption(code.expose())).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let refused = daypass.audit_events().pop().unwrap();
    assert_eq!((&refused["provider"], &refused["outcome"]), (&json!("taken-away"), &json!("refused")));
}

#[tokio::test]
async fn a_provider_code_is_no_login_code() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    let wishes = Wishes::new();
    daypass.exchange(&wishes.redemption(&login.code)).await.assert_problem(401, "login_code_refused");
}
