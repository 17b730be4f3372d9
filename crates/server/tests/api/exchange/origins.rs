//! Which pages may call: those of registered apps, and nobody else's, whether or not their browser asks.

use http::Request;

use crate::harness::{Answer, Daypass, SERVER, exchange_request};

async fn exchange_from(daypass: &Daypass, origin: &str) -> Answer {
    let login = daypass.sign_in("ada").await;
    let mut request = exchange_request(login.proof().to_string());
    request.headers_mut().insert("origin", origin.parse().unwrap());
    daypass.send(request).await
}

async fn preflight(daypass: &Daypass, origin: &str) -> Answer {
    let request = Request::options("/v1/exchange")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,authorization,dpop,daypass-app");
    daypass.send(request.body(String::new()).unwrap()).await
}

#[tokio::test]
async fn the_page_of_a_registered_app_may_read_the_answer() {
    let daypass = Daypass::start().await;
    let answer = exchange_from(&daypass, SERVER).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), SERVER);
    assert_eq!(
        answer.header("access-control-expose-headers"),
        "x-amzn-requestid,retry-after,date,dpop-nonce"
    );
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
}

#[tokio::test]
async fn the_page_of_a_registered_app_may_read_a_refusal() {
    let daypass = Daypass::start().await;
    let mut request = exchange_request("{}".into());
    request.headers_mut().insert("origin", SERVER.parse().unwrap());
    let answer = daypass.send(request).await;
    answer.assert_problem(400, "malformed_request");
    assert_eq!(answer.header("access-control-allow-origin"), SERVER);
}

#[tokio::test]
async fn other_pages_are_turned_away_with_their_login_unspent() {
    let daypass = Daypass::start().await;
    let others = [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:9400.evil.example",
        "HTTP://127.0.0.1:9400",
    ];
    for origin in others {
        let answer = exchange_from(&daypass, origin).await;
        answer.assert_problem(403, "origin_not_allowed");
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{answer:?}");
    }
    assert!(daypass.identities().await.is_empty());
}

#[tokio::test]
async fn a_browser_that_asks_first_is_told_what_the_apps_page_may_send() {
    let daypass = Daypass::start().await;
    let answer = preflight(&daypass, SERVER).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), SERVER);
    assert_eq!(answer.header("access-control-allow-methods"), "GET,POST,DELETE");
    assert_eq!(answer.header("access-control-allow-headers"), "content-type,authorization,dpop,daypass-app");
    assert_eq!(answer.header("access-control-max-age"), "600");

    let answer = preflight(&daypass, "https://evil.example").await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"), "{answer:?}");
}
