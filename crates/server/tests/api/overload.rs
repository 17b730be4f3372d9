//! Requests for which the listener has no place, each refused in the form of its route, and what whoever asks for the
//! server's health hears while it ends.

use axum::extract::Request;
use daypass_server::listen::{NoPlace, Stop};
use http::{HeaderMap, Method};
use serde_json::json;

use crate::harness::{Answer, Daypass, SERVER, cognito_request, exchange_request, sts_request};
use crate::s3::{S3, request};

const SHOP: &str = "https://shop.example";

fn without_place<B>(mut request: http::Request<B>) -> http::Request<B> {
    request.extensions_mut().insert(NoPlace);
    request
}

fn get(path: &str) -> http::Request<String> {
    Request::get(path).body(()).unwrap().map(|()| String::new())
}

fn form(path: &str, body: &str) -> http::Request<String> {
    let form = ("content-type", "application/x-www-form-urlencoded");
    http::Request::post(path).header(form.0, form.1).body(body.to_owned()).unwrap()
}

/// A refusal, at whose headers SDKs and pages look.
#[track_caller]
fn assert_busy(answer: &Answer, media_type: &str) {
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (503, media_type), "{answer:?}");
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=8).contains(&seconds), "{answer:?}");
}

#[tokio::test]
async fn a_request_without_a_place_is_refused_in_the_form_of_its_route() {
    let daypass = Daypass::start().await;
    let busy = |request| daypass.send(without_place(request));
    for request in
        [exchange_request("{}".into()), get("/v1/providers"), get("/metrics"), get("/.well-known/jwks.json")]
    {
        let answer = busy(request).await;
        assert_busy(&answer, "application/problem+json");
        answer.assert_problem(503, "server_busy");
    }
    let answer = busy(cognito_request("GetId", &json!({}))).await;
    assert_busy(&answer, "application/x-amz-json-1.1");
    assert_eq!(answer.json()["__type"], "ServiceUnavailableException");
    assert_eq!(answer.header("x-amzn-errortype"), "ServiceUnavailableException:");

    for request in [
        sts_request(&[("Action", "GetCallerIdentity")]),
        get("/?Action=GetCallerIdentity&Version=2011-06-15"),
    ] {
        let answer = busy(request).await;
        assert_busy(&answer, "text/xml");
        assert_eq!(answer.element("Code"), "ServiceUnavailable");
    }

    let answer = busy(form("/oauth2/token", "grant_type=authorization_code")).await;
    assert_busy(&answer, "application/json");
    assert!(answer.json()["error"].is_string(), "{answer:?}");

    for path in ["/login", "/login/snapchat", "/login/snapchat/callback?state=a"] {
        let answer = busy(get(path)).await;
        assert_busy(&answer, "text/html; charset=utf-8");
        assert!(
            answer.body.contains("server_busy") && answer.body.contains("try again in a minute"),
            "{answer:?}"
        );
        assert!(!answer.header("content-security-policy").is_empty(), "it is hardened as every page");
    }
    let text = daypass.app.metrics.text();
    assert!(text.contains("daypass_requests_refused_early_total 11\n"), "{text}");
    assert_eq!(daypass.get("/v1/providers").await.status, 200, "and nobody else is refused");
}

#[tokio::test]
async fn s3_says_it_in_xml() {
    let s3 = S3::start().await;
    let put = request("PUT", "/bucket/a", "text");
    let answer = s3.send(without_place(put)).await;
    assert_busy(&answer, "application/xml");
    assert_eq!(answer.element("Code"), "SlowDown");
    let mut from_page = request("GET", "/bucket/a", "");
    from_page.headers_mut().insert("origin", SERVER.parse().unwrap());
    let headers = s3.send(without_place(from_page)).await.headers;
    assert_readable(&headers, SERVER);
    let exposed = headers["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.split(',').any(|name| name == "date"), "by it the AWS SDK corrects its clock: {exposed}");
}

#[track_caller]
fn assert_readable(headers: &HeaderMap, origin: &str) {
    assert_eq!(headers["access-control-allow-origin"], origin, "{headers:?}");
    let exposed = headers["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.split(',').any(|name| name == "retry-after"), "{exposed}");
}

#[tokio::test]
async fn a_page_that_may_read_answers_may_read_the_refusal() {
    let daypass = Daypass::start().await;
    let from = |origin: &str, mut request: http::Request<String>| {
        request.headers_mut().insert("origin", origin.parse().unwrap());
        daypass.send(without_place(request))
    };
    let of_apps = || [exchange_request("{}".into()), get("/v1/providers"), form("/oauth2/token", "")];
    for request in of_apps() {
        let answer = from(SHOP, request).await;
        assert_eq!(answer.status, 503);
        assert_readable(&answer.headers, SHOP);
    }
    for request in of_apps() {
        let answer = from("https://evil.example", request).await;
        assert_eq!(answer.status, 503);
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{answer:?}");
    }
    let of_everybody = [cognito_request("GetId", &json!({})), get("/.well-known/jwks.json")];
    for request in of_everybody {
        assert_readable(&from("https://anybody.example", request).await.headers, "*");
    }
    let mut preflight =
        http::Request::builder().method(Method::OPTIONS).uri("/v1/exchange").body(String::new()).unwrap();
    preflight.headers_mut().insert("access-control-request-method", "POST".parse().unwrap());
    let answer = from(SHOP, preflight).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("access-control-allow-origin")),
        (200, SHOP),
        "{answer:?}"
    );
}

#[tokio::test]
async fn whoever_asks_for_life_is_answered_without_a_place_and_while_the_server_ends() {
    let daypass = Daypass::start().await;
    let (end, stop) = Stop::channel();
    let ask = |path: &str| {
        let mut request = without_place(get(path));
        request.extensions_mut().insert(stop.clone());
        daypass.send(request)
    };
    for path in ["/healthz", "/readyz"] {
        assert_eq!(ask(path).await.status, 200, "{path}");
    }
    end.send(true).unwrap();
    assert_eq!(ask("/healthz").await.status, 200, "it lives, and answers what is under way");
    ask("/readyz").await.assert_problem(503, "not_ready");
}
