//! Sessions of people who signed in: `/oauth2/token`, `/oauth2/revoke`, `/oauth2/authorize` and `/v1/sessions`.

mod acting;
mod authorize;
mod between;
mod cookie;
mod devices;
mod dpop;
mod exchange;
mod id_token;
mod link;
mod refresh;
mod standing;
mod upstream;

use http::{Method, Request};
use serde_json::Value;

use crate::harness::{Answer, Browser, Daypass, Wishes};

/// The form of a request to an endpoint.
fn form(path: &str, members: &[(&str, &str)]) -> Request<String> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    request.body(body).unwrap()
}

async fn token(daypass: &Daypass, members: &[(&str, &str)]) -> Answer {
    daypass.send(form("/oauth2/token", members)).await
}

/// Somebody signs in by the hosted login, on a device of this name.
async fn sign_in_on(daypass: &Daypass, device: &str, more: &[(&str, &str)]) -> Value {
    let wishes = Wishes::new();
    let code = Browser::new(daypass).sign_in(&wishes).await;
    let mut members = wishes.form(&code);
    members.push(("device", device));
    members.extend(more);
    let answer = token(daypass, &members).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn sign_in(daypass: &Daypass) -> Value {
    sign_in_on(daypass, "", &[]).await
}

async fn refresh_with(daypass: &Daypass, session: &Value, more: &[(&str, &str)]) -> Answer {
    let mut members = vec![
        ("grant_type", "refresh_token"),
        ("client_id", "shop"),
        ("refresh_token", session["refresh_token"].as_str().unwrap()),
    ];
    members.extend(more);
    token(daypass, &members).await
}

/// Goes on with a session that goes on.
async fn refresh(daypass: &Daypass, session: &Value) -> Value {
    let answer = refresh_with(daypass, session, &[]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Asserts that a session does not go on, and why.
async fn assert_over(daypass: &Daypass, session: &Value, reason: &str) {
    let answer = refresh_with(daypass, session, &[]).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let told = answer.json();
    assert_eq!((&told["error"], &told["reason"]), (&"invalid_grant".into(), &reason.into()), "{told}");
    assert_eq!(told["code"], "refresh_token_refused");
}

async fn revoke(daypass: &Daypass, client: &str, token: &str) -> Answer {
    daypass.send(form("/oauth2/revoke", &[("client_id", client), ("token", token)])).await
}

/// Asks `/v1/sessions` with what a device has.
async fn ask(daypass: &Daypass, method: Method, path: &str, session: &Value) -> Answer {
    let bearer = format!("Bearer {}", session["refresh_token"].as_str().unwrap());
    let request = Request::builder().method(method).uri(path).header("authorization", bearer);
    daypass.send(request.body(String::new()).unwrap()).await
}

async fn list(daypass: &Daypass, session: &Value) -> Vec<Value> {
    let answer = ask(daypass, Method::GET, "/v1/sessions", session).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    answer.json()["sessions"].as_array().unwrap().clone()
}

/// Whether the token of a session gets credentials.
async fn gets_credentials(daypass: &Daypass, session: &Value) -> bool {
    let entered =
        serde_json::json!({"identity_id": session["identity_id"], "token": session["access_token"]});
    daypass.get_credentials(&entered).await.status == 200
}
