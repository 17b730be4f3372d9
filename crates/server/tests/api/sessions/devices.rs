//! `/v1/sessions`, and `/oauth2/revoke`: one device is signed out, or all of them.

use daypass_core::ground::clock::SignedDuration;
use http::Method;
use serde_json::{Value, json};

use super::{ask, assert_over, gets_credentials, list, refresh, revoke, sign_in, sign_in_on};
use crate::harness::{Browser, Daypass, Wishes};

async fn end(daypass: &Daypass, id: &Value, session: &Value) -> u16 {
    let path = format!("/v1/sessions/{}", id.as_str().unwrap());
    ask(daypass, Method::DELETE, &path, session).await.status.as_u16()
}

/// Somebody else signs in.
pub(super) async fn another_person(daypass: &Daypass) -> Value {
    let (wishes, mut browser) = (Wishes::new(), Browser::new(daypass));
    let location = browser.start("snapchat", &wishes).await;
    let callback = browser.consent(&location, "grace", "allow").await;
    let back = browser.get(&callback).await.header("location").to_owned();
    let code = crate::harness::parameter(&back, "code");
    super::token(daypass, &wishes.form(&code)).await.json()
}

#[tokio::test]
async fn a_person_sees_their_devices_and_nobody_elses() {
    let daypass = Daypass::start().await;
    let phone = sign_in_on(&daypass, "Phone", &[]).await;
    daypass.advance(SignedDuration::from_mins(1));
    let laptop = sign_in_on(&daypass, "Laptop – Chrome", &[]).await;
    another_person(&daypass).await;
    let listed = list(&daypass, &phone).await;
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!((&listed[0]["device"], &listed[0]["current"]), (&"Laptop – Chrome".into(), &false.into()));
    let own = json!({
        "id": phone["session_id"], "current": true, "app": "shop", "provider": "snapchat", "device": "Phone",
        "created_at": listed[1]["created_at"], "last_used_at": listed[1]["created_at"],
        "expires_at": listed[1]["expires_at"],
    });
    assert_eq!(listed[1], own);
    assert_eq!(list(&daypass, &laptop).await[0]["current"], true);
    refresh(&daypass, &phone).await;
    assert_eq!(
        list(&daypass, &phone).await.len(),
        2,
        "a token that was replaced just now still shows who asks"
    );
}

#[tokio::test]
async fn one_device_is_signed_out_and_the_other_goes_on() {
    let daypass = Daypass::start().await;
    let (phone, laptop) =
        (sign_in_on(&daypass, "Phone", &[]).await, sign_in_on(&daypass, "Laptop", &[]).await);
    let credentials = daypass.credentials(&as_entered(&phone)).await;
    assert!(daypass.may_list_pools(&credentials).await);
    assert_eq!(end(&daypass, &phone["session_id"], &laptop).await, 204);
    assert_over(&daypass, &phone, "signed_out").await;
    assert!(!gets_credentials(&daypass, &phone).await);
    let refused = daypass.signed_by(&credentials, "ListIdentityPools", json!({"MaxResults": 1})).await;
    refused.assert_code("ExpiredTokenException");
    assert!(gets_credentials(&daypass, &laptop).await);
    let laptop = refresh(&daypass, &laptop).await;
    assert_eq!(list(&daypass, &laptop).await.len(), 1);
    // In the same second.
    let again = sign_in_on(&daypass, "Phone", &[]).await;
    assert!(gets_credentials(&daypass, &again).await);
    assert_eq!(list(&daypass, &again).await.len(), 2);
}

#[tokio::test]
async fn nobody_signs_out_somebody_elses_device() {
    let daypass = Daypass::start().await;
    let (ada, grace) = (sign_in(&daypass).await, another_person(&daypass).await);
    assert_eq!(end(&daypass, &ada["session_id"], &grace).await, 404);
    assert_eq!(end(&daypass, &json!("A".repeat(22)), &grace).await, 404);
    assert_eq!(end(&daypass, &json!("nonsense"), &grace).await, 404);
    refresh(&daypass, &ada).await;
}

#[tokio::test]
async fn everything_ends_everywhere_and_a_new_login_counts() {
    let daypass = Daypass::start().await;
    let (phone, laptop) = (sign_in(&daypass).await, sign_in(&daypass).await);
    let grace = another_person(&daypass).await;
    daypass.advance(SignedDuration::from_millis(1));
    let answer = ask(&daypass, Method::DELETE, "/v1/sessions", &phone).await;
    assert_eq!(answer.status, 204);
    for session in [&phone, &laptop] {
        assert_over(&daypass, session, "revoked").await;
        assert!(!gets_credentials(&daypass, session).await);
        let answer = ask(&daypass, Method::GET, "/v1/sessions", session).await;
        answer.assert_problem(401, "refresh_token_refused");
        assert_eq!(answer.json()["reason"], "revoked", "a page that lists devices learns why, too");
    }
    refresh(&daypass, &grace).await;
    daypass.advance(SignedDuration::from_millis(1));
    let again = sign_in(&daypass).await;
    assert!(gets_credentials(&daypass, &again).await);
    assert_eq!(list(&daypass, &refresh(&daypass, &again).await).await.len(), 1);
}

#[tokio::test]
async fn a_refresh_token_is_revoked_with_its_session_by_its_app() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let shown = session["refresh_token"].as_str().unwrap();
    for (client, token) in [("twin", shown), ("shop", "dpr_none"), ("shop", "of another server")] {
        assert_eq!(revoke(&daypass, client, token).await.status, 200);
    }
    let next = refresh(&daypass, &session).await;
    // Some clients send both, and stop at a refusal.
    assert_eq!(revoke(&daypass, "shop", session["access_token"].as_str().unwrap()).await.status, 200);
    assert!(gets_credentials(&daypass, &session).await);
    assert_eq!(revoke(&daypass, "nobody", shown).await.status, 401);
    assert_eq!(revoke(&daypass, "shop", "").await.status, 400);
    let answer = revoke(&daypass, "shop", shown).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    assert_over(&daypass, &next, "signed_out").await;
    assert!(!gets_credentials(&daypass, &next).await);
    assert_eq!(revoke(&daypass, "shop", shown).await.status, 200, "again");
    let ended = daypass.audit_events().into_iter().filter(|event| event["action"] == "sign_out");
    assert_eq!(ended.count(), 1);
}

#[tokio::test]
async fn who_shows_no_refresh_token_that_counts_hears_nothing() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let access_token = json!({"refresh_token": session["access_token"]});
    let second = refresh(&daypass, &session).await;
    refresh(&daypass, &second).await;
    for shown in [&access_token, &session, &json!({"refresh_token": "x"}), &json!({"refresh_token": ""})] {
        for (method, path) in [
            (Method::GET, "/v1/sessions".to_owned()),
            (Method::DELETE, "/v1/sessions".to_owned()),
            (Method::DELETE, format!("/v1/sessions/{}", session["session_id"].as_str().unwrap())),
        ] {
            ask(&daypass, method, &path, shown).await.assert_problem(401, "refresh_token_refused");
        }
    }
    daypass.get("/v1/sessions").await.assert_problem(401, "refresh_token_refused");
}

#[tokio::test]
async fn a_token_that_was_replaced_before_the_last_ends_the_session_wherever_it_is_shown() {
    let daypass = Daypass::start().await;
    let first = sign_in(&daypass).await;
    let second = refresh(&daypass, &first).await;
    let third = refresh(&daypass, &second).await;
    ask(&daypass, Method::GET, "/v1/sessions", &first).await.assert_problem(401, "refresh_token_refused");
    assert_over(&daypass, &third, "reused").await;
}

fn as_entered(session: &Value) -> Value {
    json!({"identity_id": session["identity_id"], "token": session["access_token"]})
}
