//! Somebody who is signed in links another login to theirs.

use http::{Method, Request};
use serde_json::{Value, json};

use super::{ask, assert_over, refresh, sign_in};
use crate::harness::{Answer, Daypass, claims};

async fn link(daypass: &Daypass, first: Value, second: &Value) -> Answer {
    let mut body = second.clone();
    body["first"] = first;
    let request = Request::post("/v1/link").header("content-type", "application/json");
    daypass.send(request.body(body.to_string()).unwrap()).await
}

#[tokio::test]
async fn a_session_stands_for_its_login() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let first = json!({"refresh_token": session["refresh_token"]});
    let grace = daypass.sign_in("grace").await;
    let answer = link(&daypass, first, &grace.proof()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["identity_id"], session["identity_id"]);
    assert_eq!(daypass.enter("grace").await["identity_id"], session["identity_id"]);
    // It was not spent.
    daypass.advance(daypass_core::ground::clock::SignedDuration::from_mins(1));
    refresh(&daypass, &session).await;
}

#[tokio::test]
async fn a_page_of_another_app_neither_links_nor_sees_anything() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let authorization = format!("Bearer {}", session["refresh_token"].as_str().unwrap());
    for (origin, status) in [("https://twin.example", 403), ("https://shop.example", 200)] {
        let mut body = daypass.sign_in("grace").await.proof();
        body["first"] = json!({"refresh_token": session["refresh_token"]});
        let request = Request::post("/v1/link").header("content-type", "application/json");
        let linked = daypass.send(request.header("origin", origin).body(body.to_string()).unwrap()).await;
        let request = Request::get("/v1/sessions").header("authorization", &authorization);
        let listed = daypass.send(request.header("origin", origin).body(String::new()).unwrap()).await;
        assert_eq!([linked.status, listed.status].map(|status| status.as_u16()), [status; 2], "{origin}");
    }
    let mut body = daypass.sign_in("grace").await.proof();
    body["first"] =
        json!({"login_code": "x", "app": "shop", "redirect_uri": "x", "code_verifier": "v".repeat(43)});
    let request = Request::post("/v1/link").header("content-type", "application/json");
    let request = request.header("origin", "https://twin.example").body(body.to_string()).unwrap();
    assert_eq!(daypass.send(request).await.status, 403);
}

#[tokio::test]
async fn what_is_issued_by_a_session_ends_with_it() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let first = json!({"refresh_token": session["refresh_token"]});
    let linked = link(&daypass, first, &daypass.sign_in("grace").await.proof()).await.json();
    assert_eq!(claims(&linked["token"])["sid"], session["session_id"]);
    assert_eq!(daypass.get_credentials(&linked).await.status, 200);
    super::revoke(&daypass, "shop", session["refresh_token"].as_str().unwrap()).await;
    assert_ne!(daypass.get_credentials(&linked).await.status, 200);
}

#[tokio::test]
async fn a_session_that_is_over_or_is_none_links_nothing() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let ended = sign_in(&daypass).await;
    ask(
        &daypass,
        Method::DELETE,
        &format!("/v1/sessions/{}", ended["session_id"].as_str().unwrap()),
        &session,
    )
    .await;
    assert_over(&daypass, &ended, "signed_out").await;
    for first in [&ended["refresh_token"], &session["access_token"], &json!("x")] {
        let grace = daypass.sign_in("grace").await;
        let answer = link(&daypass, json!({"refresh_token": first}), &grace.proof()).await;
        answer.assert_problem(401, "refresh_token_refused");
    }
    let grace = daypass.sign_in("grace").await;
    let with_more = json!({"refresh_token": session["refresh_token"], "provider": "snapchat"});
    link(&daypass, with_more, &grace.proof()).await.assert_problem(400, "malformed_request");
    let mut second = grace.proof();
    second["refresh_token"] = session["refresh_token"].clone();
    let first = daypass.sign_in("ada").await.proof();
    link(&daypass, first, &second).await.assert_problem(400, "malformed_request");
    assert_ne!(daypass.enter("grace").await["identity_id"], session["identity_id"]);
}

#[tokio::test]
async fn a_login_that_was_unlinked_links_nothing_by_its_session() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    super::standing::unlink(&daypass, &session).await;
    let grace = daypass.sign_in("grace").await;
    let first = json!({"refresh_token": session["refresh_token"]});
    link(&daypass, first, &grace.proof()).await.assert_problem(401, "refresh_token_refused");
    assert_eq!(daypass.identities().await.len(), 1);
}

#[tokio::test]
async fn a_token_that_was_replaced_a_while_ago_links_nothing() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let next = refresh(&daypass, &session).await;
    daypass.advance(daypass_core::ground::clock::SignedDuration::from_mins(1));
    let grace = daypass.sign_in("grace").await;
    let first = json!({"refresh_token": session["refresh_token"]});
    let refused = link(&daypass, first, &grace.proof()).await;
    refused.assert_problem(401, "refresh_token_refused");
    assert_eq!(refused.json()["reason"], "replaced");
    refresh(&daypass, &next).await;
}
