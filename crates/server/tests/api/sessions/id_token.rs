//! Daypass as an OpenID provider: an ordinary ID token for the app, which a pool may trust like any other.

use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::secret::Secret;
use serde_json::{Value, json};

use super::{exchange, refresh, refresh_with, token};
use crate::harness::{Browser, Daypass, SERVER, Wishes, claims};

/// Somebody signs in at an app that asks for this scope.
async fn sign_in(daypass: &Daypass, scope: &str) -> Value {
    let wishes = Wishes::new().with("scope", scope).with("nonce", "the app's own");
    let code = Browser::new(daypass).sign_in(&wishes).await;
    daypass.advance(SignedDuration::from_secs(5));
    let answer = token(daypass, &wishes.form(&code)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn an_app_that_asks_for_it_gets_an_id_token() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass, "openid profile email").await;
    assert_eq!(session["scope"], "openid profile offline_access");
    let said = claims(&session["id_token"]);
    let expected = json!({
        "iss": SERVER, "aud": "shop", "sub": session["identity_id"], "nonce": "the app's own", "idp": "snapchat",
        "sid": session["session_id"], "iat": said["iat"], "exp": said["iat"].as_i64().unwrap() + 900,
        "auth_time": said["iat"].as_i64().unwrap() - 5,
        "name": "Ada", "picture": "http://127.0.0.1:9402/avatars/ada.svg",
    });
    assert_eq!(said, expected);
}

#[tokio::test]
async fn who_does_not_ask_gets_none() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass, "profile").await;
    assert_eq!((&session["id_token"], &session["scope"]), (&Value::Null, &"profile offline_access".into()));
    let without_profile = claims(&sign_in(&daypass, "openid").await["id_token"]);
    assert_eq!((&without_profile["name"], &without_profile["picture"]), (&Value::Null, &Value::Null));
}

/// OpenID Connect Core 1.0, section 12.2.
#[tokio::test]
async fn a_refresh_brings_the_same_said_anew() {
    let daypass = Daypass::start().await;
    let first = sign_in(&daypass, "openid").await;
    daypass.advance(SignedDuration::from_hours(1));
    let second = refresh(&daypass, &first).await;
    let (before, after) = (claims(&first["id_token"]), claims(&second["id_token"]));
    for member in ["iss", "aud", "sub", "sid", "idp", "auth_time"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    assert_eq!(after["nonce"], Value::Null);
    assert_eq!(after["iat"].as_i64().unwrap(), before["iat"].as_i64().unwrap() + 3600);
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_and_not_for_more() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass, "openid").await;
    let wider = refresh_with(&daypass, &session, &[("scope", "openid profile")]).await;
    assert_eq!((wider.status.as_u16(), &wider.json()["error"]), (400, &"invalid_scope".into()));
    let less = refresh_with(&daypass, &session, &[("scope", "offline_access")]).await.json();
    assert_eq!((&less["id_token"], &less["scope"]), (&Value::Null, &"offline_access".into()));
    assert_ne!(refresh(&daypass, &less).await["id_token"], Value::Null);
}

#[tokio::test]
async fn a_token_exchange_asks_for_it_too() {
    let daypass = Daypass::start().await;
    let subject = exchange::subject_token(&daypass).await;
    let members = [
        ("grant_type", exchange::GRANT),
        ("client_id", "shop"),
        ("subject_token", &*subject),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_issuer", "snapchat-token"),
        ("scope", "openid"),
    ];
    let session = token(&daypass, &members).await.json();
    let said = claims(&session["id_token"]);
    assert_eq!(
        (&said["auth_time"], &said["nonce"], &said["idp"]),
        (&Value::Null, &Value::Null, &"snapchat-token".into())
    );
}

#[tokio::test]
async fn an_operator_says_whom_sub_names() {
    let daypass = Daypass::start().with_tables("[openid]\nsubject = \"login\"\n").await;
    let session = sign_in(&daypass, "openid").await;
    let subject = claims(&session["id_token"])["sub"].as_str().unwrap().to_owned();
    assert!(subject.starts_with("snapchat:"), "{subject}");
}

#[tokio::test]
async fn an_id_token_is_no_token_of_the_pool_and_the_other_way_round() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass, "openid").await;
    let entered = json!({"identity_id": session["identity_id"], "token": session["id_token"]});
    let answer = daypass.get_credentials(&entered).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let answer = daypass.assume(&session["id_token"], crate::harness::AUTHENTICATED_ROLE).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let tokens = daypass.app.tokens.as_ref().unwrap();
    let is_of_a_pool = |token: &Value| tokens.is_of_a_pool(&Secret::new(token.as_str().unwrap()));
    assert!(is_of_a_pool(&session["access_token"]) && !is_of_a_pool(&session["id_token"]));
}

/// Our pool takes it as the ID token of an OpenID Connect provider, which we are.
#[tokio::test]
async fn a_pool_that_trusts_us_takes_it_as_a_public_login() {
    let arn = "arn:aws:iam::000000000000:oidc-provider/127.0.0.1:9400";
    let table = format!(
        "[[oidc_provider]]\narn = \"{arn}\"\nissuer = \"{SERVER}\"\naudiences = [\"shop\"]\n\
         jwks_uri = \"{SERVER}/.well-known/jwks.json\"\n"
    );
    let daypass = Daypass::start().with_tables(&table).await;
    let keys = daypass.get("/.well-known/jwks.json").await.body;
    daypass.network.answer(&format!("{SERVER}/.well-known/jwks.json"), 200, keys);
    daypass.update_pool(json!({"OpenIdConnectProviderARNs": [arn]})).await;
    daypass.set_roles(json!({})).await;
    let session = sign_in(&daypass, "openid").await;
    let logins = json!({"127.0.0.1:9400": session["id_token"]});
    let id = daypass.get_id(&logins).await;
    let answer =
        daypass.public("GetCredentialsForIdentity", json!({"IdentityId": id, "Logins": logins})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_ne!(id, session["identity_id"], "the same person is somebody else by this way");
    let of_the_pool = json!({"127.0.0.1:9400": session["access_token"]});
    let refused =
        daypass.public("GetId", json!({"IdentityPoolId": daypass.pool_id(), "Logins": of_the_pool})).await;
    assert_eq!(refused.status, 400, "{refused:?}");
}

#[tokio::test]
async fn an_exchange_brings_one_on_request() {
    let daypass = Daypass::start().await;
    let with = |proof: Value, more: Value| {
        let mut body = proof;
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let asked = json!({"app": "shop", "scope": "openid profile", "token_duration": 3600});
    let answer = daypass.exchange(&with(daypass.sign_in("ada").await.proof(), asked)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let entered = answer.json();
    let said = claims(&entered["id_token"]);
    let expected = json!({
        "iss": SERVER, "aud": "shop", "sub": entered["identity_id"], "idp": "snapchat",
        "iat": said["iat"], "exp": said["iat"].as_i64().unwrap() + 900,
        "name": "Ada", "picture": "http://127.0.0.1:9402/avatars/ada.svg",
    });
    assert_eq!(said, expected);
    let short = json!({"app": "shop", "scope": "openid", "token_duration": 60});
    let entered = daypass.exchange(&with(daypass.sign_in("ada").await.proof(), short)).await.json();
    let said = claims(&entered["id_token"]);
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 60, "no longer than the token");
    assert_eq!(daypass.enter("ada").await["id_token"], Value::Null);

    for bad in [
        json!({"scope": "openid"}),
        json!({"app": "shop", "scope": "profile"}),
        json!({"app": "nobody", "scope": "openid"}),
        json!({"app": "shop"}),
    ] {
        let proof = daypass.sign_in("ada").await.proof();
        daypass.exchange(&with(proof.clone(), bad)).await.assert_problem(400, "malformed_request");
        assert_eq!(daypass.exchange(&proof).await.status, 200, "nothing was spent");
    }
    let wishes = Wishes::new().with("scope", "openid");
    let code = Browser::new(&daypass).sign_in(&wishes).await;
    let with_code = with(wishes.redemption(&code), json!({"scope": "openid"}));
    daypass.exchange(&with_code).await.assert_problem(400, "malformed_request");
    let mut link = with(daypass.sign_in("grace").await.proof(), json!({"app": "shop", "scope": "openid"}));
    link["first"] = daypass.sign_in("ada").await.proof();
    let request = http::Request::post("/v1/link").header("content-type", "application/json");
    let answer = daypass.send(request.body(link.to_string()).unwrap()).await;
    answer.assert_problem(400, "malformed_request");
}
