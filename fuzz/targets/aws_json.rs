//! Bodies of the identity pool API, for every operation: what an operation takes is checked before it is
//! believed, and nobody asks a signed one without a signature.
//!
//! Input: a byte for the operation, `s` for a signature, and the body. In it `POOL`, `IDENTITY` and `TOKEN`
//! stand for those of somebody.

#![no_main]

use std::cell::RefCell;
use std::sync::Arc;

use daypass_core::credentials::access_key::ALLOW_ALL;
use daypass_core::ground::clock::ManualClock;
use daypass_server::routes::aws::{Access, model};
use fuzz_support::NOW;
use fuzz_support::world::World;
use http::Request;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// An installation, somebody in it, and how many more inputs it is for: what they make must not add up.
struct State {
    world: World,
    identity: String,
    token: String,
    left: usize,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(fresh());
}

fn fresh() -> State {
    let world = World::new(Arc::new(ManualClock::at_second(NOW)), ALLOW_ALL);
    let (identity, token) = world.somebody();
    State { world, identity, token, left: 2_000 }
}

fuzz_target!(|input: &[u8]| {
    let [operation, signed, body @ ..] = input else { return };
    STATE.with_borrow_mut(|state| {
        if state.left == 0 {
            *state = fresh();
        }
        state.left -= 1;
        let operation = &model::OPERATIONS[usize::from(*operation) % model::OPERATIONS.len()];
        let body = String::from_utf8_lossy(body)
            .replace("POOL", state.world.embedded.pool_id.as_str())
            .replace("IDENTITY", &state.identity)
            .replace("TOKEN", &state.token);
        let request = Request::post("/")
            .header("host", "login.fuzzed")
            .header("x-amz-target", format!("AWSCognitoIdentityService.{}", operation.name))
            .body(body.into_bytes())
            .unwrap();
        let signed = *signed == b's';
        let request = if signed { state.world.sign(request, "cognito-identity").unwrap() } else { request };
        let answer = state.world.ask(request);
        let (status, said) = (answer.status().as_u16(), String::from_utf8_lossy(answer.body()));
        assert!(status < 500, "{}: {status} {said}", operation.name);
        let json: Option<Value> = serde_json::from_str(&said).ok();
        if status == 200 {
            assert!(json.is_some() || said.is_empty(), "{}: {said}", operation.name);
            assert!(signed || operation.access == Access::Public, "{} is not public", operation.name);
            return;
        }
        let code = json.as_ref().and_then(|json| json["__type"].as_str()).unwrap_or_default();
        assert!(!code.is_empty(), "{}: {status} {said}", operation.name);
        assert!(!said.contains(&state.token) && !said.contains(&state.world.key.secret), "{said}");
        if !signed && operation.access == Access::Signed {
            assert_eq!(code, "MissingAuthenticationTokenException");
        }
    });
});
