//! A device begins.

use daypass_core::ground::clock::SignedDuration;
use serde_json::json;

use super::{APPS, GRANT, assert_told, begin, begin_with, form, poll, question, start};
use crate::harness::{Backend, Daypass, SERVER};

#[tokio::test]
async fn a_device_gets_two_codes_and_the_address_of_the_page() {
    let daypass = start().await;
    let answer = begin_with(&daypass, &[("client_id", "tv")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    let (begun, page) = (answer.json(), format!("{SERVER}/device"));
    let code = begun["user_code"].as_str().unwrap();
    assert_eq!((code.len(), code.find('-')), (9, Some(4)), "{code}");
    assert_eq!(begun["device_code"].as_str().unwrap().len(), 68);
    for (member, expected) in [
        ("verification_uri", json!(page)),
        ("verification_uri_complete", json!(format!("{page}?user_code={code}"))),
        ("expires_in", json!(600)),
        ("interval", json!(5)),
    ] {
        assert_eq!(begun[member], expected, "{member}");
    }
    let other = begin(&daypass).await;
    for member in ["user_code", "device_code"] {
        assert_ne!(begun[member], other[member], "{member}");
    }
}

#[tokio::test]
async fn only_apps_for_devices_begin() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    assert_told(&begin_with(&daypass, &[("client_id", "shop")]).await, "unauthorized_client");
    let elsewhere = daypass.send(form("/oauth2/token", &question(&begun, "shop"))).await;
    assert_told(&elsewhere, "unauthorized_client");
    assert_told(&begin_with(&daypass, &[]).await, "invalid_request");
    let unknown = begin_with(&daypass, &[("client_id", "nobody")]).await;
    assert_eq!((unknown.status.as_u16(), unknown.json()["error"].as_str()), (401, Some("invalid_client")));
    let long = "d".repeat(101);
    for device in ["two\nlines", &long] {
        assert_told(
            &begin_with(&daypass, &[("client_id", "tv"), ("device", device)]).await,
            "invalid_request",
        );
    }
}

#[tokio::test]
async fn an_app_that_signs_nobody_in_on_devices_any_more_leaves_nothing_to_ask_for() {
    let mut daypass = start().await;
    let begun = begin(&daypass).await;
    daypass.reread(|config| config.apps.retain(|app| app.id != "tv"), APPS).await.unwrap();
    let answer = super::Person::new(&daypass).enter(begun["user_code"].as_str().unwrap()).await;
    super::assert_page(&answer, 404, "user_code_unknown");
    let gone = |config: &mut daypass_server::config::Config| {
        config.apps.iter_mut().for_each(|app| app.device_authorization = false);
    };
    daypass.reread(gone, APPS).await.unwrap();
    assert_told(&poll(&daypass, &begun).await, "unauthorized_client");
}

#[tokio::test]
async fn the_metadata_name_the_endpoint_where_an_app_has_it() {
    const DOCUMENT: &str = "/.well-known/oauth-authorization-server";
    let with = start().await.get(DOCUMENT).await.json();
    assert_eq!(with["device_authorization_endpoint"], format!("{SERVER}/oauth2/device_authorization"));
    assert!(with["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)), "{with}");
    let without = Daypass::start().await.get(DOCUMENT).await.json();
    assert_eq!(without.get("device_authorization_endpoint"), None);
    assert!(!without["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)), "{without}");
}

#[tokio::test]
async fn pages_of_others_begin_nothing() {
    let daypass = start().await;
    for origin in ["https://evil.example", "https://shop.example"] {
        let mut request = form("/oauth2/device_authorization", &[("client_id", "tv")]);
        request.headers_mut().insert("origin", origin.parse().unwrap());
        assert_eq!(daypass.send(request).await.status, 403, "{origin}");
    }
}

#[tokio::test]
async fn one_address_begins_only_so_often() {
    let daypass = start().await;
    daypass.called_from("8.8.8.8", "tv");
    for _ in 0..30 {
        begin(&daypass).await;
    }
    let refused = begin_with(&daypass, &[("client_id", "tv")]).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "60"), "{refused:?}");
    daypass.called_from("9.9.9.9", "tv");
    begin(&daypass).await;
    daypass.advance(SignedDuration::from_mins(1));
    daypass.called_from("8.8.8.8", "tv");
    begin(&daypass).await;
}

/// Who reads the store can neither type the code of somebody's device nor ask in its name.
#[tokio::test]
async fn neither_code_is_in_the_store() {
    let backend = Backend::sqlite();
    let database = backend.connection();
    let daypass = Daypass::start().on(backend).with_tables(APPS).await;
    let begun = begin(&daypass).await;
    super::Person::new(&daypass).allow(&begun).await;
    let written: String = database
        .query_row(
            "SELECT json_group_array(quote(id) || device_code_hash || login_code) FROM device_authorization",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let device_code = begun["device_code"].as_str().unwrap();
    let user_code = begun["user_code"].as_str().unwrap().replace('-', "");
    assert!(!written.contains(&user_code) && !written.contains(&device_code[26..]), "{written}");
    let path = database.path().unwrap().to_owned();
    for file in [path.clone(), format!("{path}-wal")] {
        let bytes = std::fs::read(&file).unwrap();
        for code in [&*user_code, &device_code[26..]] {
            assert!(!bytes.windows(code.len()).any(|found| found == code.as_bytes()), "{file}");
        }
    }
}
