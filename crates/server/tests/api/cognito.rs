//! The identity pool API: what each operation answers and refuses, in AWS's own words, because clients
//! compare them.

mod credentials;
mod deletion;
mod developer;
mod guests;
mod identities;
mod listing;
mod merging;
mod pools;
mod public_logins;
mod role_mappings;
mod tag_maps;
mod tags;
mod unlinking;
mod updates;
mod validation;

use crate::harness::{Daypass, cognito_request};
use http::Request;
use serde_json::json;

/// An identity and a pool that nobody has.
pub const UNKNOWN: &str = "us-east-1:00000000-0000-4000-8000-000000000000";

pub const LOGINS_DO_NOT_MATCH: &str =
    "Logins don't match. Please include at least one valid login for this identity or identity pool.";

#[tokio::test]
async fn a_success_is_compact_json_of_the_protocol() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.guest_pool().await;
    let answer = daypass.public("GetId", json!({"IdentityPoolId": pool_id})).await;
    assert_eq!(answer.header("content-type"), "application/x-amz-json-1.1");
    let identity_id = answer.json()["IdentityId"].as_str().unwrap().to_owned();
    assert_eq!(answer.body, format!(r#"{{"IdentityId":"{identity_id}"}}"#));
}

#[tokio::test]
async fn a_browser_on_any_page_may_call_and_read_the_error() {
    let daypass = Daypass::start().await;
    let mut request = cognito_request("GetId", &json!({"IdentityPoolId": daypass.pool_id()}));
    request.headers_mut().insert("origin", "https://anywhere.example".parse().unwrap());
    let answer = daypass.send(request).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let exposed = "x-amzn-requestid,x-amzn-errortype,x-amzn-errormessage,date,retry-after";
    assert_eq!(answer.header("access-control-expose-headers"), exposed);
}

/// What a browser asks before it calls from a page of another origin.
fn preflight(headers: &str) -> Request<String> {
    Request::options("/")
        .header("origin", "https://anywhere.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", headers)
        .body(String::new())
        .unwrap()
}

#[tokio::test]
async fn a_browser_that_asks_first_may_sign_and_send_what_the_aws_sdk_adds() {
    let daypass = Daypass::start().await;
    let asked = [
        "x-amz-target,content-type,amz-sdk-invocation-id,amz-sdk-request,x-amz-user-agent",
        "authorization,x-amz-date,x-amz-security-token,x-amz-content-sha256",
    ];
    for headers in asked {
        let answer = daypass.send(preflight(headers)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, "");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-methods"), "GET,POST,OPTIONS");
        assert_eq!(answer.header("access-control-allow-headers"), headers);
        assert_eq!(answer.header("access-control-max-age"), "172800");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_over_long_body_is_not_read() {
    let daypass = Daypass::start().await;
    let logins = json!({"graph.facebook.com": "x".repeat(576 * 1024)});
    let answer = daypass.public("GetId", json!({"IdentityPoolId": UNKNOWN, "Logins": logins})).await;
    assert_eq!(answer.status, 413, "{answer:?}");
}
