//! The trace of a request, as a collector gets it that listens on this machine.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::harness::{Backend, Daypass};

/// What a collector got.
type Got = Arc<Mutex<Vec<String>>>;

async fn collector() -> (String, Got) {
    let got = Got::default();
    let taking = got.clone();
    let take = move |body: Bytes| async move {
        taking.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
        "{}"
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, got)
}

async fn traced(ratio: &str) -> (Daypass, Got) {
    let (url, got) = collector().await;
    let table = format!("[traces]\nurl = {url:?}\nratio = {ratio}\n");
    let daypass = Daypass::start().on(Backend::sqlite()).with_tables(&table).await;
    daypass.app.start_traces();
    (daypass, got)
}

#[tokio::test]
async fn a_login_is_a_trace_of_its_parts_and_none_says_whose_it_is() {
    let (daypass, got) = traced("1").await;
    let login = daypass.sign_in("ada").await;
    let (proof, answer) = (login.proof(), daypass.exchange(&login.proof()).await);
    daypass.get("/login?user=ada&state=s3cret").await;
    daypass.app.traces.as_ref().unwrap().flush().await;
    let text = got.lock().unwrap().join("\n");
    let spans: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .flat_map(|it| it["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone())
        .collect();
    let exchange = spans.iter().find(|span| span["name"] == "POST /v1/exchange").unwrap();
    let parts = spans.iter().filter(|span| span["parentSpanId"] == exchange["spanId"]);
    let names: Vec<&str> = parts.map(|span| span["name"].as_str().unwrap()).collect();
    for name in ["provider call", "store read", "store commit", "sign", "audit append"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let answer = answer.json();
    let told = |value: &Value| value.as_str().unwrap().to_owned();
    let secrets = [told(&proof["code"]), told(&answer["identity_id"]), told(&answer["token"])];
    for secret in secrets.iter().map(String::as_str).chain(["s3cret", "user=ada"]) {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn what_is_not_wanted_is_not_sent_and_nobody_outside_can_want_it() {
    let (daypass, got) = traced("0").await;
    let request = http::Request::get("/v1/providers")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    daypass.called_from("203.0.113.9", "curl/8");
    daypass.send(request.body(String::new()).unwrap()).await;
    daypass.get("/healthz").await;
    daypass.app.traces.as_ref().unwrap().flush().await;
    assert!(got.lock().unwrap().is_empty());
}
