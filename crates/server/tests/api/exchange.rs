//! `POST /v1/exchange`: a login in, an identity and its token out, or nothing at all.

mod faults;
mod links;
mod origins;
mod proofs;
mod requests;
mod upgrades;

use serde_json::{Value, json};

use crate::harness::{DEVELOPER_PROVIDER, Daypass, IDP, SERVER, claims};

#[tokio::test]
async fn a_login_becomes_an_identity_and_its_token() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    let answer = daypass.exchange(&login.proof()).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    let expected = json!({
        "identity_id": body["identity_id"],
        "token": body["token"],
        "expires_at": "2026-09-21T14:28:20Z",
        "identity_pool_id": daypass.pool_id(),
        "region": "us-east-1",
        "provider": "snapchat",
        "user": {"name": "Ada", "avatar": format!("{IDP}/avatars/ada.svg")},
    });
    assert_eq!(body, expected);
    assert_eq!(daypass.identities().await[0]["IdentityId"], body["identity_id"]);
}

#[tokio::test]
async fn the_token_says_who_vouched_for_whom() {
    let daypass = Daypass::start().await;
    let entered = daypass.enter("ada").await;
    let pool_id = daypass.pool_id();
    let user = "snapchat:6Wb4xAG6hQwofI5BVIXN7lap+SdaluC/4JjlCAe2kPs=";
    let expected = json!({
        "sub": entered["identity_id"],
        "aud": pool_id,
        "amr": ["authenticated", DEVELOPER_PROVIDER, format!("{DEVELOPER_PROVIDER}:{pool_id}:{user}")],
        "iss": SERVER,
        "https://cognito-identity.amazonaws.com/identity-pool-arn":
            format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{pool_id}"),
        "exp": 1_790_000_900,
        "iat": 1_790_000_000,
        "iat_ms": 1_790_000_000_000_i64,
    });
    // Compared as text: the order of the members is part of the form.
    assert_eq!(claims(&entered["token"]).to_string(), expected.to_string());
}

#[tokio::test]
async fn the_same_person_gets_the_same_identity_and_others_get_another() {
    let daypass = Daypass::start().await;
    let (ada, grace) = (daypass.enter("ada").await, daypass.enter("grace").await);
    let ada_again = daypass.enter("ada").await;
    assert_eq!(ada["identity_id"], ada_again["identity_id"]);
    assert_ne!(ada["identity_id"], grace["identity_id"]);
    assert_eq!(daypass.identities().await.len(), 2);
}

#[tokio::test]
async fn credentials_come_along_on_request_and_work() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    let body = daypass.exchange(&login.proof_with("credentials", true)).await.json();
    let credentials = &body["credentials"];
    assert_eq!(credentials["expiration"], "2026-09-21T15:13:20Z");

    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    let credentials = crate::harness::Credentials {
        access_key_id: text("access_key_id"),
        secret_access_key: text("secret_access_key"),
        session_token: Some(text("session_token")),
    };
    let listed = daypass.signed_by(&credentials, "ListIdentityPools", json!({"MaxResults": 1})).await;
    assert_eq!(listed.status, 200, "{listed:?}");
}

#[tokio::test]
async fn a_token_lives_as_long_as_was_asked_within_the_limit() {
    let daypass = Daypass::start().await;
    for seconds in [1, 3_600] {
        let login = daypass.sign_in("ada").await;
        let body = daypass.exchange(&login.proof_with("token_duration", seconds)).await.json();
        assert_eq!(lifetime(&body), seconds);
    }
    for seconds in [i64::MIN, -1, 0, 86_401, i64::MAX] {
        let login = daypass.sign_in("ada").await;
        let answer = daypass.exchange(&login.proof_with("token_duration", seconds)).await;
        answer.assert_problem(400, "malformed_request");
    }
}

#[tokio::test]
async fn a_longer_token_than_the_operator_allows_is_refused_and_spends_no_proof() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    for seconds in [3_601, 86_400] {
        let answer = daypass.exchange(&login.proof_with("token_duration", seconds)).await;
        answer.assert_problem(400, "token_duration_too_long");
        assert!(answer.body.contains("3600 seconds"), "{answer:?}");
        let link = link_with(&login.proof_with("token_duration", seconds), &login.proof());
        daypass.send(link).await.assert_problem(400, "token_duration_too_long");
    }
    assert_eq!(lifetime(&daypass.exchange(&login.proof()).await.json()), 900);
}

#[tokio::test]
async fn a_region_that_the_pool_is_not_in_is_refused_and_spends_no_proof() {
    let daypass = Daypass::start().await;
    let (login, other) = (daypass.sign_in("ada").await, daypass.sign_in("grace").await);
    let elsewhere = login.proof_with("region", "eu-west-9");
    daypass.exchange(&elsewhere).await.assert_problem(400, "unknown_region");
    daypass.send(link_with(&elsewhere, &other.proof())).await.assert_problem(400, "unknown_region");
    let ada = daypass.exchange(&login.proof_with("region", "us-east-1")).await.json();
    let grace = daypass.exchange(&other.proof()).await.json();
    assert_ne!(ada["identity_id"], grace["identity_id"], "nothing was linked");
}

/// A request that links the login of another proof.
fn link_with(request: &Value, first: &Value) -> http::Request<String> {
    let mut request = request.clone();
    request["first"] = first.clone();
    let post = http::Request::post("/v1/link").header("content-type", "application/json");
    post.body(request.to_string()).unwrap()
}

fn lifetime(body: &Value) -> i64 {
    let claims = claims(&body["token"]);
    claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
}
