use async_trait::async_trait;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, header};
use axum::routing::{any, get};
use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::audit::{AuditAction, AuditEvent, AuditOutcome};
use daypass_core::ground::clock::ManualClock;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::ground::random::SystemRandom;
use daypass_core::records::identity::{IdentityPool, PoolRoles, PoolSettings};
use daypass_core::store::items::engine::Engine as _;
use daypass_core::store::items::memory::MemoryEngine;
use daypass_core::store::items::{ItemStore, Pace};
use daypass_core::store::memory::MemoryStore;
use serde_json::{Value, json};

use super::*;
use crate::origin::Peer;

/// A function whose every path tells what was asked.
fn function(base: &str) -> Function {
    let router = Router::new()
        .route("/bytes", get(|| async { [0xff, 0x00, 0x80] }))
        .route("/slow", get(std::future::pending::<()>))
        .route("/cookies", get(cookies))
        .fallback(any(tell));
    let url = format!("https://login.example.com{base}");
    function_of(router, &url, Arc::new(ManualClock::at_second(NOW)), Arc::new(MemoryStore::new()))
}

const NOW: i64 = 1_700_000_000;

fn function_of(router: Router, url: &str, clock: Arc<ManualClock>, store: SharedStore) -> Function {
    Function::new(router, url, clock, Arc::new(SystemRandom), store)
}

/// Others get on meanwhile.
struct Yielding;

#[async_trait]
impl Pace for Yielding {
    async fn pause(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

/// Nobody else does it for a function, and what it takes is paid for.
#[tokio::test]
async fn the_store_is_kept_up_after_an_answer_and_not_after_each() {
    let (engine, clock) = (Arc::new(MemoryEngine::default()), Arc::new(ManualClock::at_second(NOW)));
    let store = ItemStore::new(engine.clone(), clock.clone(), Arc::new(SystemRandom), Arc::new(Yielding));
    let store: SharedStore = Arc::new(store);
    let function = function_of(Router::new(), "https://login.example.com", clock.clone(), store.clone());
    let (soon, late) =
        (clock.now() + SignedDuration::from_secs(1), clock.now() + SignedDuration::from_secs(30));
    let blocks = async || engine.page(b"trail", None, usize::MAX).await.unwrap().len();
    let mut expected = 0;
    for (later, deadline, kept_up) in
        [(0, Some(soon), false), (0, Some(late), true), (9, Some(late), false), (1, None, true)]
    {
        let request = RequestId::generate(clock.now(), &SystemRandom);
        let event = AuditEvent::plain(clock.now(), request, AuditAction::Token, AuditOutcome::Allowed);
        store.add_audit_event(&event).await.unwrap();
        clock.advance(SignedDuration::from_secs(later));
        function.keep_store_up(deadline).await;
        expected += usize::from(kept_up);
        assert_eq!(blocks().await, expected, "{later} s later, {deadline:?}");
    }
}

/// The function of the case above, and nobody else, is there to do it.
#[tokio::test]
async fn what_a_deleted_pool_left_behind_goes_after_answers() {
    let (engine, clock) = (Arc::new(MemoryEngine::default()), Arc::new(ManualClock::at_second(NOW)));
    let store = ItemStore::new(engine.clone(), clock.clone(), Arc::new(SystemRandom), Arc::new(Yielding));
    let store: SharedStore = Arc::new(store);
    let function = function_of(Router::new(), "https://login.example.com", clock.clone(), store.clone());
    let pool_id = IdentityPoolId::parse("us-east-1:01").unwrap();
    let pool = IdentityPool::new(pool_id.clone(), PoolSettings::default(), PoolRoles::default());
    store.add_pool(&pool).await.unwrap();
    let guests = 30;
    for number in 0..guests {
        let id = IdentityId::parse(format!("us-east-1:{number:08}")).unwrap();
        assert!(store.add_guest(&pool_id, &id, clock.now()).await.unwrap());
    }
    assert!(store.delete_pool(&pool_id).await.unwrap());
    let left = async || {
        let items = engine.scan(None, usize::MAX).await.unwrap();
        items.iter().filter(|item| item.key.partition.starts_with(b"i:")).count()
    };
    assert_eq!(left().await, guests);
    function.keep_store_up(Some(clock.now() + SignedDuration::from_secs(1))).await;
    assert_eq!(left().await, guests, "there was no time");
    for _ in 0..2 {
        assert!(left().await > 0);
        function.keep_store_up(None).await;
        clock.advance(SignedDuration::from_secs(10));
    }
    assert_eq!(left().await, 0);
}

async fn tell(request: Request) -> String {
    let (parts, body) = request.into_parts();
    let caller = parts.extensions.get::<Peer>().filter(|peer| peer.over_tls).map(|peer| peer.address);
    let headers = |name: &HeaderName| {
        let values = parts.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned());
        values.collect::<Vec<_>>()
    };
    let told = json!({
        "method": parts.method.as_str(),
        "uri": parts.uri.to_string(),
        "caller": caller,
        "headers": parts.headers.keys().map(|name| (name.to_string(), headers(name))).collect::<Vec<_>>(),
        "body": BASE64_STANDARD.encode(to_bytes(body, usize::MAX).await.unwrap()),
    });
    told.to_string()
}

async fn cookies() -> (HeaderMap, &'static str) {
    let mut headers = HeaderMap::new();
    for cookie in ["a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT", "b=2"] {
        headers.append(header::SET_COOKIE, cookie.parse().unwrap());
    }
    for vary in ["origin", "accept"] {
        headers.append(header::VARY, vary.parse().unwrap());
    }
    (headers, "cookies")
}

async fn answer_at(base: &str, event: &Value) -> Value {
    let answer = function(base).answer(event.to_string().as_bytes(), None).await;
    serde_json::from_slice(&answer).unwrap()
}

/// What the function was asked, according to itself.
async fn asked_at(base: &str, event: &Value) -> Value {
    let answer = answer_at(base, event).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

async fn asked(event: &Value) -> Value {
    asked_at("", event).await
}

fn http_api(path: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"host": "login.example.com"},
        "requestContext": {
            "stage": "$default",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7"},
        },
        "isBase64Encoded": false,
    })
}

fn rest_api(path: &str) -> Value {
    json!({
        "resource": "/{proxy+}", "path": path, "httpMethod": "GET", "body": null, "isBase64Encoded": false,
        "headers": {"Host": "login.example.com"}, "multiValueHeaders": {"Host": ["login.example.com"]},
        "queryStringParameters": null, "multiValueQueryStringParameters": null,
        "pathParameters": {"proxy": path.trim_start_matches('/')}, "stageVariables": null,
        "requestContext": {"stage": "prod", "path": format!("/prod{path}"), "identity": {"sourceIp": "192.0.2.7"}},
    })
}

fn load_balancer(path: &str) -> Value {
    json!({
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:0:targetgroup/a/b"}},
        "httpMethod": "GET", "path": path, "queryStringParameters": {}, "headers": {"host": "login.example.com"},
        "body": "", "isBase64Encoded": false,
    })
}

/// An event with some members replaced.
fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    match event.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => event[pointer.trim_start_matches('/')] = value,
    }
    event
}

fn header<'a>(told: &'a Value, name: &str) -> &'a Value {
    let headers = told["headers"].as_array().unwrap();
    headers.iter().find(|header| header[0] == name).map_or(&Value::Null, |header| &header[1])
}

#[tokio::test]
async fn every_source_of_events_reaches_the_same_route() {
    for event in [http_api("/v1/exchange"), rest_api("/v1/exchange"), load_balancer("/v1/exchange")] {
        let told = asked(&event).await;
        assert_eq!((&told["method"], &told["uri"]), (&json!("GET"), &json!("/v1/exchange")), "{event}");
        assert_eq!(header(&told, "host"), &json!(["login.example.com"]));
    }
}

#[tokio::test]
async fn neither_stage_nor_base_path_reaches_the_routes() {
    let staged = with(http_api("/prod/v1/exchange"), "/requestContext/stage", json!("prod"));
    assert_eq!(asked_at("/prod", &staged).await["uri"], "/v1/exchange");
    assert_eq!(asked_at("/prod", &rest_api("/v1/exchange")).await["uri"], "/v1/exchange");
    let mapped = with(rest_api("/v1/v1/exchange"), "/requestContext/path", json!("/v1/v1/exchange"));
    assert_eq!(asked_at("/v1", &mapped).await["uri"], "/v1/exchange");
    assert_eq!(asked_at("/auth", &load_balancer("/auth/v1/exchange")).await["uri"], "/v1/exchange");
    assert_eq!(asked_at("/auth", &http_api("/auth/")).await["uri"], "/");
    let staged = with(http_api("/login/login/style.css"), "/requestContext/stage", json!("login"));
    assert_eq!(asked_at("/login", &staged).await["uri"], "/login/style.css");
}

#[tokio::test]
async fn a_path_is_not_decoded_and_cannot_become_a_host_or_a_query() {
    for (path, uri) in [
        ("/login/%2e%2e/x", "/login/%2e%2e/x"),
        ("/a%252fb", "/a%252fb"),
        ("/a b/é?x=1#y", "/a%20b/%C3%A9%3Fx=1%23y"),
        ("//evil.example/x", "//evil.example/x"),
        ("https://evil.example/x", "/https://evil.example/x"),
        ("", "/"),
    ] {
        assert_eq!(asked(&http_api(path)).await["uri"], uri, "{path}");
        assert_eq!(asked(&load_balancer(path)).await["uri"], uri, "{path}");
    }
}

#[tokio::test]
async fn a_query_is_what_was_sent() {
    let raw = with(http_api("/login"), "/rawQueryString", json!("state=a%26b&state=2&x=%C3%A9+y"));
    assert_eq!(asked(&raw).await["uri"], "/login?state=a%26b&state=2&x=%C3%A9+y");
    let several = json!({"state": ["a&b", "2"], "x": ["é y"]});
    let decoded = with(rest_api("/login"), "/multiValueQueryStringParameters", several);
    assert_eq!(asked(&decoded).await["uri"], "/login?state=a%26b&state=2&x=%C3%A9+y");
    let one_each =
        with(load_balancer("/login"), "/queryStringParameters", json!({"state": "a%26b", "x": "%C3%A9"}));
    assert_eq!(asked(&one_each).await["uri"], "/login?state=a%26b&x=%C3%A9");
    let several = json!({"state": ["a%26b", "2"]});
    let several = with(load_balancer("/login"), "/multiValueQueryStringParameters", several);
    assert_eq!(asked(&several).await["uri"], "/login?state=a%26b&state=2");
}

#[tokio::test]
async fn bodies_arrive_as_they_were_sent() {
    for (body, base64, sent) in [
        (json!("{\"a\":1}"), false, "{\"a\":1}".as_bytes()),
        (json!("AP+A"), true, &[0x00, 0xff, 0x80]),
        (json!("AP+A"), false, b"AP+A"),
        (Value::Null, false, b""),
    ] {
        for event in [http_api("/"), rest_api("/x"), load_balancer("/")] {
            let event = with(with(event, "/body", body.clone()), "/isBase64Encoded", json!(base64));
            assert_eq!(asked(&event).await["body"], BASE64_STANDARD.encode(sent), "{event}");
        }
    }
}

#[tokio::test]
async fn a_header_keeps_all_its_values_and_cookies_are_one_header() {
    let several = json!({"Accept": ["a", "b"], "Cookie": ["c=1; d=2"]});
    for event in [
        with(rest_api("/x"), "/multiValueHeaders", several.clone()),
        with(load_balancer("/"), "/multiValueHeaders", several),
    ] {
        let told = asked(&event).await;
        assert_eq!(header(&told, "accept"), &json!(["a", "b"]));
        assert_eq!(header(&told, "cookie"), &json!(["c=1; d=2"]));
    }
    let told = asked(&with(http_api("/"), "/cookies", json!(["c=1", "d=2"]))).await;
    assert_eq!(header(&told, "cookie"), &json!(["c=1; d=2"]));
}

#[tokio::test]
async fn no_header_says_where_a_request_comes_from() {
    let forged = json!({"x-forwarded-for": "198.51.100.1", "forwarded": "for=198.51.100.1", "x-real-ip": "198.51.100.1"});
    for (event, caller) in [
        (http_api("/"), json!("192.0.2.7")),
        (with(rest_api("/x"), "/multiValueHeaders", Value::Null), json!("192.0.2.7")),
        (load_balancer("/"), Value::Null),
        (with(http_api("/"), "/requestContext/http/sourceIp", json!("2001:db8::7")), json!("2001:db8::7")),
    ] {
        assert_eq!(asked(&with(event, "/headers", forged.clone())).await["caller"], caller);
    }
}

#[tokio::test]
async fn each_source_gets_all_values_in_its_own_members() {
    let cookies = json!(["a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT", "b=2"]);
    let told = answer_at("", &http_api("/cookies")).await;
    assert_eq!((&told["cookies"], &told["headers"]["vary"]), (&cookies, &json!("origin, accept")));
    assert!(told["headers"].get("set-cookie").is_none() && told.get("multiValueHeaders").is_none());

    let multi = with(load_balancer("/cookies"), "/multiValueHeaders", json!({"host": ["login.example.com"]}));
    for event in [rest_api("/cookies"), multi.clone()] {
        let told = answer_at("", &event).await;
        assert_eq!(told["multiValueHeaders"]["set-cookie"], cookies);
        assert_eq!(told["multiValueHeaders"]["vary"], json!(["origin", "accept"]));
        assert!(told.get("headers").is_none() && told.get("cookies").is_none());
    }
    let told = answer_at("", &load_balancer("/cookies")).await;
    assert_eq!(
        (&told["headers"]["set-cookie"], &told["statusDescription"]),
        (&json!("b=2"), &json!("200 OK"))
    );
    assert_eq!(answer_at("", &multi).await["statusDescription"], "200 OK");
}

#[tokio::test]
async fn what_is_no_text_goes_back_as_base64() {
    for event in [http_api("/bytes"), rest_api("/bytes"), load_balancer("/bytes")] {
        let told = answer_at("", &event).await;
        assert_eq!((&told["body"], &told["isBase64Encoded"]), (&json!("/wCA"), &json!(true)));
        let told = answer_at("", &with(event, "/rawPath", json!("/text"))).await;
        assert_eq!(told["statusCode"], 200);
    }
}

fn more_headers_than_a_map_takes(value: &Value) -> Value {
    (0..40_000).map(|number| (format!("x-{number}"), value.clone())).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test]
async fn an_event_that_is_no_request_is_refused_in_words_that_repeat_nothing() {
    let secret = "hunter2";
    for event in [
        json!({}),
        json!([]),
        json!({"Records": [secret]}),
        json!({"requestContext": {"stage": secret}}),
        with(http_api("/"), "/requestContext/http/method", json!(format!("{secret} {secret}"))),
        with(http_api("/"), "/httpMethod", json!("GET")),
        with(http_api("/"), "/headers", json!({"a b": secret})),
        with(http_api("/"), "/headers", json!({"a": format!("{secret}\r\nb: c")})),
        with(http_api("/"), "/headers", more_headers_than_a_map_takes(&json!(""))),
        with(rest_api("/"), "/multiValueHeaders", more_headers_than_a_map_takes(&json!([""]))),
        with(with(http_api("/"), "/body", json!(format!("!{secret}"))), "/isBase64Encoded", json!(true)),
        with(rest_api("/"), "/path", json!({"a": secret})),
    ] {
        let told = answer_at("", &event).await;
        assert_eq!(told["statusCode"], 400, "{event}");
        assert_eq!(told["headers"]["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_str(told["body"].as_str().unwrap()).unwrap();
        assert_eq!(problem["code"], "malformed_request");
        assert!(!told.to_string().contains(secret), "{told}");
    }
    let told: Value = serde_json::from_slice(&function("").answer(b"no JSON", None).await).unwrap();
    assert_eq!(told["statusCode"], 400);
}

#[tokio::test]
async fn who_takes_too_long_is_told_before_lambda_ends_them() {
    let function = function("");
    let event = rest_api("/slow").to_string();
    for left in [100, 0, -1_000] {
        let deadline = function.clock.now() + SignedDuration::from_millis(left);
        let answer = function.answer(event.as_bytes(), Some(deadline)).await;
        let told: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(told["statusCode"], 503);
        assert_eq!(told["multiValueHeaders"]["content-type"], json!(["application/problem+json"]));
    }
}

#[test]
fn a_request_has_most_of_the_time_that_lambda_leaves() {
    let function = function("");
    let time_for = |left| function.time_for(Some(function.clock.now() + SignedDuration::from_millis(left)));
    assert_eq!(time_for(10_000), Duration::from_millis(9_500));
    assert_eq!(time_for(400), Duration::from_millis(300));
    assert_eq!(time_for(-400), Duration::ZERO);
}
