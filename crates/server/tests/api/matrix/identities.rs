//! The right to be an identity: every door that gives its token, joins something to it or takes something from it.

use daypass_core::ground::clock::SignedDuration;
use http::Request;
use serde_json::{Value, json};

use super::assert_refused;
use crate::harness::{APP_REDIRECT_URI, Answer, Browser, DEVELOPER_PROVIDER, Daypass, OIDC, SERVER, Wishes};

pub const DOORS: &[&str] = &[
    "aws GetId",
    "aws GetOpenIdToken",
    "aws UnlinkIdentity",
    "DELETE /v1/sessions",
    "DELETE /v1/sessions/{id}",
    "GET /login/{provider}/callback",
    "GET /v1/sessions",
    "POST /device",
    "POST /device/decision",
    "POST /login/{provider}/callback",
    "POST /oauth2/device_authorization",
    "POST /oauth2/revoke",
    "POST /oauth2/token",
    "POST /v1/exchange",
    "POST /v1/link",
];

/// Where no app is registered.
const ELSEWHERE: &str = "https://evil.example";

pub async fn post(daypass: &Daypass, path: &str, origin: Option<&str>, body: &Value) -> Answer {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    daypass.send(request.body(body.to_string()).unwrap()).await
}

async fn token(daypass: &Daypass, origin: Option<&str>, form: &[(&str, &str)]) -> Answer {
    let mut request =
        Request::post("/oauth2/token").header("content-type", "application/x-www-form-urlencoded");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    daypass.send(request.body(form).unwrap()).await
}

#[tokio::test]
async fn no_operation_takes_a_caller_for_somebody_else() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    let ada = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    let of_developer = daypass.developer_token("ada").await;
    let guest = json!(daypass.guest(&daypass.guest_pool().await).await);
    let expired = daypass.logins(&[(OIDC, "ada")]);
    daypass.advance(SignedDuration::from_hours(2));
    let grace = daypass.logins(&[(OIDC, "grace")]);
    daypass.get_id(&grace).await;
    let before = daypass.describe(&ada).await;
    let ours = json!({"cognito-identity.amazonaws.com": of_developer["Token"]});
    for (who, id, logins) in [
        ("nobody", &ada, Value::Null),
        ("nobody", &of_developer["IdentityId"], Value::Null),
        ("somebody else", &ada, grace.clone()),
        ("somebody else", &of_developer["IdentityId"], grace.clone()),
        ("somebody with an old ID token", &ada, expired),
        ("somebody with an old token of ours", &of_developer["IdentityId"], ours.clone()),
        ("another identity", &ada, ours),
        ("a developer without a signature", &of_developer["IdentityId"], json!({DEVELOPER_PROVIDER: "ada"})),
        ("somebody with a login as a guest elsewhere", &guest, json!({OIDC: "garbage"})),
    ] {
        let mut input = json!({"IdentityId": id, "Logins": logins});
        for operation in ["GetOpenIdToken", "GetCredentialsForIdentity"] {
            assert_refused(&daypass.public(operation, input.clone()).await, who, operation);
        }
        input["LoginsToRemove"] = json!([OIDC]);
        assert_refused(&daypass.public("UnlinkIdentity", input).await, who, "UnlinkIdentity");
        if !logins.is_null() && logins != grace {
            let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
            assert_refused(&daypass.public("GetId", input).await, who, "GetId");
        }
    }
    assert_eq!(daypass.describe(&ada).await, before);
}

/// Guests are nobody where a pool takes none.
#[tokio::test]
async fn a_pool_that_takes_no_guests_makes_none() {
    let daypass = Daypass::start().await;
    let answer = daypass.public("GetId", json!({"IdentityPoolId": daypass.pool_id()})).await;
    assert_refused(&answer, "a guest", "GetId");
    let id = daypass.former_guest().await;
    for operation in ["GetOpenIdToken", "GetCredentialsForIdentity"] {
        let answer = daypass.public(operation, json!({"IdentityId": id})).await;
        assert_refused(&answer, "a former guest", operation);
    }
}

/// Pages of nobody's app, and identities of others: with a login that is good, and stays good.
#[tokio::test]
async fn the_broker_gives_nobody_an_identity_that_is_not_theirs() {
    let daypass = Daypass::start().await;
    let ada = daypass.enter("ada").await["identity_id"].clone();
    let elsewhere = daypass.guest(&daypass.guest_pool().await).await;
    let grace = daypass.sign_in("grace").await;
    for origin in [ELSEWHERE, "null"] {
        let answer = post(&daypass, "/v1/exchange", Some(origin), &grace.proof()).await;
        assert_refused(&answer, origin, "POST /v1/exchange");
        let mut link = grace.proof();
        link["first"] = daypass.sign_in("alan").await.proof();
        let answer = post(&daypass, "/v1/link", Some(origin), &link).await;
        assert_refused(&answer, origin, "POST /v1/link");
    }
    assert_eq!(daypass.identities().await.len(), 1, "and nothing came of it");
    for (who, id) in [("somebody else", ada.clone()), ("somebody of another pool", elsewhere.into())] {
        let proof = daypass.sign_in("zoe").await.proof_with("identity_id", id);
        assert_refused(&post(&daypass, "/v1/exchange", None, &proof).await, who, "POST /v1/exchange");
    }
    assert_eq!(daypass.enter("ada").await["identity_id"], ada);
}

/// A code of the hosted login is its app's, its browser's and its moment's.
#[tokio::test]
async fn a_code_of_the_hosted_login_is_for_nobody_else() {
    let verifier = "w".repeat(43);
    for (who, member, value) in [
        ("another app", "client_id", "twin"),
        ("nobody's app", "client_id", "nobody"),
        ("who has seen the code", "code_verifier", verifier.as_str()),
        ("another address", "redirect_uri", "https://shop.example/?page=in"),
    ] {
        let daypass = Daypass::start().await;
        let wishes = Wishes::new();
        let code = Browser::new(&daypass).sign_in(&wishes).await;
        let mut form = wishes.form(&code);
        form.iter_mut().filter(|(name, _)| *name == member).for_each(|field| field.1 = value);
        assert_refused(&token(&daypass, None, &form).await, who, "POST /oauth2/token");
        let code = Browser::new(&daypass).sign_in(&wishes).await;
        let mut body = wishes.redemption(&code);
        body[if member == "client_id" { "app" } else { member }] = value.into();
        assert_refused(&post(&daypass, "/v1/exchange", None, &body).await, who, "POST /v1/exchange");
        assert!(daypass.identities().await.is_empty(), "{who}");
    }
    let daypass = Daypass::start().await;
    let wishes = Wishes::new();
    let code = Browser::new(&daypass).sign_in(&wishes).await;
    let form = wishes.form(&code);
    assert_refused(&token(&daypass, Some(ELSEWHERE), &form).await, "another page", "POST /oauth2/token");
    assert_eq!(token(&daypass, None, &form).await.status, 200);
    assert_refused(&token(&daypass, None, &form).await, "who comes second", "POST /oauth2/token");
    let late = Browser::new(&daypass).sign_in(&wishes).await;
    daypass.advance(SignedDuration::from_mins(1));
    assert_refused(&token(&daypass, None, &wishes.form(&late)).await, "who is late", "POST /oauth2/token");
}

/// A device has the login of whoever let it, by a page of ours.
#[tokio::test]
async fn a_device_has_nobodys_login_who_did_not_let_it() {
    const BEGIN: &str = "/oauth2/device_authorization";
    const APP: &str = "[[app]]\nid = \"tv\"\norigins = []\nredirect_uris = []\ndevice_authorization = true\n";
    let daypass = Daypass::start().with_tables(APP).await;
    let send = async |path: &str, origin: Option<&str>, members: &[(&str, &str)]| {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        daypass.send(request.body(body).unwrap()).await
    };
    for (who, client, origin) in [
        ("nobody's app", "nobody", None),
        ("an app without devices", "shop", None),
        ("another page", "tv", Some(ELSEWHERE)),
    ] {
        assert_refused(
            &send(BEGIN, origin, &[("client_id", client)]).await,
            who,
            "POST /oauth2/device_authorization",
        );
    }
    let begun = send(BEGIN, None, &[("client_id", "tv")]).await.json();
    let [user_code, device_code] = ["user_code", "device_code"].map(|code| begun[code].as_str().unwrap());
    for (who, origin, code) in [
        ("nobody", None, user_code),
        ("another page", Some(ELSEWHERE), user_code),
        ("a page of an app", Some("https://shop.example"), user_code),
        ("who guesses", Some(SERVER), "BBBB-BBBB"),
    ] {
        assert_refused(&send("/device", origin, &[("user_code", code)]).await, who, "POST /device");
        let decision = [("question", device_code), ("verdict", "allow")];
        assert_refused(&send("/device/decision", origin, &decision).await, who, "POST /device/decision");
    }
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let ask = [("grant_type", grant), ("client_id", "tv"), ("device_code", device_code)];
    assert_refused(&token(&daypass, None, &ask).await, "a device that nobody let", "POST /oauth2/token");
    assert!(daypass.identities().await.is_empty());
}

/// An answer of a provider ends the login of the browser that began it.
#[tokio::test]
async fn an_answer_of_a_provider_ends_nobody_elses_login() {
    let daypass = Daypass::start().await;
    let (mut ada, mut other) = (Browser::new(&daypass), Browser::new(&daypass));
    let callback = ada.come_back(&Wishes::new()).await;
    other.start("snapchat", &Wishes::new()).await;
    let (path, query) = callback.split_once('?').unwrap();
    let form = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(query.to_owned()).unwrap();
    let answers = [
        ("another browser", "GET", other.get(&callback).await),
        ("nobody", "GET", daypass.get(&callback).await),
        ("nobody", "POST", daypass.send(form).await),
    ];
    for (who, method, answer) in answers {
        assert_refused(&answer, who, method);
        assert!(!answer.header("location").starts_with(APP_REDIRECT_URI), "{who}: {answer:?}");
    }
    let answer = ada.get(&callback).await;
    assert!(answer.header("location").starts_with(APP_REDIRECT_URI), "{answer:?}");
}

/// A session is of whoever has its refresh token, at its app, and of a page of an app.
#[tokio::test]
async fn a_session_is_nobody_elses() {
    let daypass = Daypass::start().await;
    let sign_in = async || {
        let wishes = Wishes::new();
        let code = Browser::new(&daypass).sign_in(&wishes).await;
        token(&daypass, None, &wishes.form(&code)).await.json()
    };
    let (ada, guest) = (sign_in().await, json!({"refresh_token": "dpr_none"}));
    let ended = sign_in().await;
    let shown = |session: &Value| session["refresh_token"].as_str().unwrap().to_owned();
    let revoked = Request::post("/oauth2/revoke").header("content-type", "application/x-www-form-urlencoded");
    let revoked = revoked.body(format!("client_id=shop&token={}", shown(&ended))).unwrap();
    assert_eq!(daypass.send(revoked).await.status, 200);
    let of_ada = format!("/v1/sessions/{}", ada["session_id"].as_str().unwrap());
    for (who, session, origin) in [
        ("nobody", &guest, None),
        ("who is signed out", &ended, None),
        ("another page", &ada, Some(ELSEWHERE)),
    ] {
        for (method, path) in [("GET", "/v1/sessions"), ("DELETE", "/v1/sessions"), ("DELETE", &*of_ada)] {
            let bearer = format!("Bearer {}", shown(session));
            let request = Request::builder().method(method).uri(path).header("authorization", bearer);
            let request =
                origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
            let answer = daypass.send(request.body(String::new()).unwrap()).await;
            assert_refused(&answer, who, &format!("{method} {path}"));
        }
        let refresh_token = shown(session);
        let form =
            [("grant_type", "refresh_token"), ("client_id", "shop"), ("refresh_token", &*refresh_token)];
        assert_refused(&token(&daypass, origin, &form).await, who, "POST /oauth2/token");
    }
    let refresh_token = shown(&ada);
    let form = [("grant_type", "refresh_token"), ("client_id", "shop"), ("refresh_token", &*refresh_token)];
    assert_eq!(token(&daypass, None, &form).await.status, 200, "and nothing of it ended the session");
}
