//! `/oauth2/authorize` and the metadata: the hosted login under the standard's names.

use crate::harness::{APP_REDIRECT_URI, Answer, Browser, Daypass, SERVER, Wishes, parameter};

/// An address of the endpoint: that of the usual wishes, but for these members; one without a value is left out.
fn address(other: &[(&str, &str)]) -> String {
    let wishes = Wishes::new();
    let mut members = vec![
        ("response_type", "code"),
        ("client_id", "shop"),
        ("redirect_uri", APP_REDIRECT_URI),
        ("state", "the app's & own"),
        ("code_challenge", &wishes.members["code_challenge"]),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in other {
        members.retain(|(known, _)| known != name);
        members.push((name, value));
    }
    members.retain(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&members).finish();
    format!("/oauth2/authorize?{query}")
}

fn assert_told(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 303, "{answer:?}");
    let back = answer.header("location");
    assert!(back.starts_with(&format!("{APP_REDIRECT_URI}?error=")), "{back}");
    assert_eq!(parameter(back, "error"), error, "{back}");
    assert_eq!((parameter(back, "state"), parameter(back, "iss")), ("the app's & own".into(), SERVER.into()));
    assert!(!parameter(back, "error_description").is_empty());
}

#[tokio::test]
async fn a_login_begins_by_the_standards_names_and_ends_in_a_session() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let answer = browser.get(&address(&[("provider", "snapchat"), ("scope", "openid")])).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let start = answer.header("location").to_owned();
    assert!(start.starts_with("/login/snapchat?"), "{start}");
    let location = browser.get(&start).await.header("location").to_owned();
    let callback = browser.consent(&location, "ada", "allow").await;
    let back = browser.get(&callback).await.header("location").to_owned();
    assert_eq!(
        (parameter(&back, "state"), parameter(&back, "iss")),
        ("the app's & own".into(), SERVER.into())
    );
    let code = parameter(&back, "code");
    let answer = super::token(&daypass, &Wishes::new().form(&code)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn without_a_provider_the_person_chooses() {
    let daypass = Daypass::start().await;
    let answer = daypass.get(&address(&[])).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("referrer-policy")),
        (200, "no-referrer"),
        "{answer:?}"
    );
    assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{answer:?}");
    assert!(answer.body.contains("/login/snapchat?"), "{answer:?}");
}

#[tokio::test]
async fn the_app_is_told_what_is_wrong_if_it_is_known_where_it_is() {
    let daypass = Daypass::start().await;
    for (member, value, error) in [
        ("response_type", "", "unsupported_response_type"),
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("provider", "nobody", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("prompt", "none", "login_required"),
        ("prompt", "login", "invalid_request"),
        ("prompt", "consent login", "invalid_request"),
        ("max_age", "0", "invalid_request"),
        ("dpop_jkt", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", "invalid_request"),
        ("request", "e30.e30.", "request_not_supported"),
        ("request_uri", "https://evil.example", "request_not_supported"),
    ] {
        assert_told(&daypass.get(&address(&[(member, value)])).await, error);
    }
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_the_apps() {
    let daypass = Daypass::start().await;
    for (member, value) in [
        ("client_id", ""),
        ("client_id", "nobody"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/signed-in"),
    ] {
        for mistake in [("response_type", "code"), ("response_type", "token")] {
            let answer = daypass.get(&address(&[(member, value), mistake])).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""), "{answer:?}");
            assert!(answer.body.contains("<html"), "{answer:?}");
        }
    }
    let twice = format!("{}&client_id=shop", address(&[]));
    assert_eq!(daypass.get(&twice).await.status, 400);
}

#[tokio::test]
async fn the_metadata_name_what_is_there() {
    let daypass = Daypass::start().await;
    let document = daypass.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(document["issuer"], SERVER);
    for (member, status) in
        [("authorization_endpoint", 400), ("token_endpoint", 405), ("revocation_endpoint", 405)]
    {
        let path = document[member].as_str().unwrap().strip_prefix(SERVER).unwrap();
        assert_eq!(daypass.get(path).await.status, status, "{member}");
    }
    let grants: Vec<_> = document["grant_types_supported"].as_array().unwrap().clone();
    for grant in &grants {
        let answer = super::token(&daypass, &[("grant_type", grant.as_str().unwrap())]).await;
        assert_eq!(answer.json()["error"], "invalid_request", "{grant}");
    }
    assert_eq!(grants.len(), 3);
    let openid = daypass.get("/.well-known/openid-configuration").await.json();
    for (member, value) in document.as_object().unwrap() {
        assert_eq!(&openid[member], value, "{member}");
    }
    // A client that is told nothing believes RS256 alone.
    let algorithms = &document["id_token_signing_alg_values_supported"];
    assert_eq!(algorithms, &serde_json::json!(["RS512"]));
}
