//! Events of Lambda. What is asked of the server is what the event says, and no route is reached by a path that
//! is only equal to it once it is decoded.
//!
//! Input: the event, and before it perhaps a `b` for a public URL with a path.

#![no_main]

use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use daypass_core::ground::clock::ManualClock;
use daypass_core::ground::random::SeededRandom;
use daypass_core::store::memory::MemoryStore;
use daypass_server::lambda::Function;
use fuzz_support::NOW;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tokio::runtime::Runtime;

/// Where it matters which way somebody came.
const ROUTES: [&str; 9] = [
    "/v1/exchange",
    "/v1/link",
    "/v1/providers",
    "/oauth2/token",
    "/login",
    "/login/google",
    "/login/google/callback",
    "/healthz",
    "/metrics",
];

static ASKED: Mutex<Option<(http::request::Parts, Bytes)>> = Mutex::new(None);
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap());
static FUNCTIONS: LazyLock<[Function; 2]> =
    LazyLock::new(|| ["https://login.fuzzed", "https://login.fuzzed/base"].map(function));

fn function(url: &str) -> Function {
    let router = Router::new().fallback(|request: Request| async {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        *ASKED.lock().unwrap() = Some((parts, body));
        "answered"
    });
    let (clock, random) = (Arc::new(ManualClock::at_second(NOW)), Arc::new(SeededRandom::new(1)));
    Function::new(router, url, clock, random, Arc::new(MemoryStore::new()))
}

fuzz_target!(|input: &[u8]| {
    let (event, function) = match input.strip_prefix(b"b") {
        Some(event) => (event, &FUNCTIONS[1]),
        None => (input, &FUNCTIONS[0]),
    };
    let answer = RUNTIME.block_on(function.answer(event, None));
    let answer: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
    assert!(answer["statusCode"].is_u64(), "{answer}");
    let Some((parts, body)) = ASKED.lock().unwrap().take() else { return };
    // What stands in members that do not matter need not be text.
    let Ok(event) = serde_json::from_slice::<Value>(event) else { return };
    let path = parts.uri.path();
    assert!(path.starts_with('/'), "{path}");
    if ROUTES.contains(&path) {
        let mut said = vec![&event["rawPath"], &event["path"], &event["requestContext"]["path"]].into_iter();
        assert!(said.any(|said| said.as_str().is_some_and(|said| said.ends_with(path))), "{path}: {event}");
    }
    let given = event["body"].as_str().unwrap_or_default();
    match event["isBase64Encoded"] {
        Value::Bool(true) => assert_eq!(Ok(&*body), BASE64_STANDARD.decode(given).as_deref(), "{event}"),
        _ => assert_eq!(body, given.as_bytes(), "{event}"),
    }
    let method = event["requestContext"]["http"]["method"].as_str().or(event["httpMethod"].as_str());
    assert_eq!(method, Some(parts.method.as_str()));
});
