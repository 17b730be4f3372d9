//! What a device has of it: a session as any other.

use daypass_core::ground::clock::SignedDuration;
use daypass_core::token::dpop::testing::ClientKey;
use http::Request;
use serde_json::Value;

use super::{Person, assert_told, begin, begin_with, form, question, redeem, start};
use crate::harness::{Daypass, SERVER, claims};

pub(super) async fn refresh(daypass: &Daypass, session: &Value) -> crate::harness::Answer {
    let shown = session["refresh_token"].as_str().unwrap();
    let members = [("grant_type", "refresh_token"), ("client_id", "tv"), ("refresh_token", shown)];
    daypass.send(form("/oauth2/token", &members)).await
}

#[tokio::test]
async fn a_session_has_the_device_and_the_scope_that_the_device_began_with() {
    let daypass = start().await;
    let wishes = [("client_id", "tv"), ("device", "Kitchen <tv>"), ("scope", "openid profile email")];
    let begun = begin_with(&daypass, &wishes).await.json();
    let mut person = Person::new(&daypass);
    let page = person.sign_in(&begun).await;
    let signed_in_at = daypass.app.clock.now().as_second();
    daypass.advance(SignedDuration::from_secs(70));
    person.decide(&page, "allow").await;
    let mut members = question(&begun, "tv");
    members.extend([("credentials", "true"), ("device", "another"), ("scope", "")]);
    let answer = daypass.send(form("/oauth2/token", &members)).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    let session = answer.json();
    assert_eq!(session["scope"], "openid profile offline_access");
    assert_eq!(session["credentials"]["expires_in"], 3600);
    assert_eq!(session["refresh_expires_in"], 30 * 24 * 3600, "as a program's");
    let token = claims(&session["id_token"]);
    assert_eq!(
        (&token["aud"], &token["auth_time"], &token["name"]),
        (&"tv".into(), &signed_in_at.into(), &"Ada".into())
    );

    let bearer = format!("Bearer {}", session["refresh_token"].as_str().unwrap());
    let listed = Request::get("/v1/sessions").header("authorization", bearer).body(String::new()).unwrap();
    let listed = daypass.send(listed).await.json();
    assert_eq!(
        (&listed["sessions"][0]["device"], &listed["sessions"][0]["app"]),
        (&"Kitchen <tv>".into(), &"tv".into())
    );
    assert_eq!(refresh(&daypass, &session).await.status, 200);
}

#[tokio::test]
async fn a_device_with_a_key_has_a_token_that_is_bound_to_it() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let key = ClientKey::new();
    let mut asked = 0;
    let mut ask = async || {
        asked += 1;
        let now = daypass.app.clock.now().as_second();
        let proof = key.prove("POST", &format!("{SERVER}/oauth2/token"), &asked.to_string(), now);
        let mut request = form("/oauth2/token", &question(&begun, "tv"));
        request.headers_mut().insert("dpop", proof.parse().unwrap());
        daypass.send(request).await
    };
    assert_told(&ask().await, "authorization_pending");
    Person::new(&daypass).allow(&begun).await;
    let answer = ask().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_told(&refresh(&daypass, &answer.json()).await, "invalid_dpop_proof");
}

#[tokio::test]
async fn a_page_that_shows_a_code_has_its_session_in_a_cookie_if_its_app_has() {
    const ORIGIN: &str = "http://127.0.0.1:3000";
    let app = format!(
        "[[app]]\nid = \"tv\"\norigins = [{ORIGIN:?}]\nredirect_uris = []\nsession_cookie = true\n\
         device_authorization = true\n"
    );
    let daypass = Daypass::start().with_tables(&app).await;
    let begun = begin(&daypass).await;
    Person::new(&daypass).allow(&begun).await;
    let from_page = |named: bool| {
        let mut request = form("/oauth2/token", &question(&begun, "tv"));
        request.headers_mut().insert("origin", ORIGIN.parse().unwrap());
        if named {
            request.headers_mut().insert("daypass-app", "tv".parse().unwrap());
        }
        daypass.send(request)
    };
    let elsewhere = from_page(false).await;
    assert_eq!(elsewhere.json()["code"], "session_cookie", "{elsewhere:?}");
    let answer = from_page(true).await;
    assert_eq!((answer.status.as_u16(), answer.json().get("refresh_token")), (200, None), "{answer:?}");
    assert!(answer.header("set-cookie").starts_with("daypass-session-tv=dpr_"), "{answer:?}");
}

#[tokio::test]
async fn a_page_of_another_app_has_nothing_of_it() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    Person::new(&daypass).allow(&begun).await;
    let mut request = form("/oauth2/token", &question(&begun, "tv"));
    request.headers_mut().insert("origin", "https://shop.example".parse().unwrap());
    assert_eq!(daypass.send(request).await.status, 403);
    redeem(&daypass, &begun).await;
}

#[tokio::test]
async fn a_guest_of_the_device_is_upgraded() {
    let daypass = start().await;
    let guest = daypass.former_guest().await;
    let begun = begin(&daypass).await;
    Person::new(&daypass).allow(&begun).await;
    let mut members = question(&begun, "tv");
    members.push(("identity_id", &guest));
    let answer = daypass.send(form("/oauth2/token", &members)).await;
    assert_eq!(answer.json()["identity_id"], guest, "{answer:?}");
}
