//! Bodies that are not requests. Whatever is wrong with one, the answer repeats none of its values: they may
//! be secrets that landed in the wrong place.

use http::Request;
use serde_json::{Value, json};

use crate::harness::{Daypass, Login, exchange_request};

/// Stands in every malformed body, and may stand in no answer.
const VALUE: &str = "hunter2-hunter2-hunter2-hunter2-hunter2-hunter2";

fn proof() -> Value {
    let redirect_uri = "http://127.0.0.1:9400/".into();
    Login { code: VALUE.into(), code_verifier: VALUE.into(), redirect_uri }.proof()
}

async fn assert_malformed(body: String, detail: &str) {
    let daypass = Daypass::start().await;
    let answer = daypass.exchange_text(body).await;
    answer.assert_problem(400, "malformed_request");
    assert_eq!(answer.json()["detail"], detail);
    assert!(!answer.body.contains("hunter2"), "{answer:?}");
}

async fn assert_change_is_malformed(member: &str, value: Value, detail: &str) {
    let mut body = proof();
    body[member] = value;
    assert_malformed(body.to_string(), detail).await;
}

async fn assert_lack_is_malformed(member: &str, detail: &str) {
    let mut body = proof();
    body.as_object_mut().unwrap().shift_remove(member);
    assert_malformed(body.to_string(), detail).await;
}

const ONE_PROOF: &str = "send exactly one proof: access_token; id_token, perhaps with nonce; code with redirect_uri and \
                         code_verifier; or signed_fields with redirect_uri";
const VERIFIER: &str = "code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~";

#[tokio::test]
async fn two_proofs() {
    assert_change_is_malformed("access_token", VALUE.into(), ONE_PROOF).await;
    assert_change_is_malformed("id_token", VALUE.into(), ONE_PROOF).await;
    assert_change_is_malformed("signed_fields", json!({"id": VALUE}), ONE_PROOF).await;
}

#[tokio::test]
async fn what_belongs_to_another_proof() {
    for member in ["code_verifier", "redirect_uri", "nonce"] {
        let body = json!({"provider": VALUE, "access_token": VALUE, member: VALUE});
        assert_malformed(body.to_string(), ONE_PROOF).await;
    }
    for body in
        [json!({"id_token": VALUE, "callback": {"a": VALUE}}), json!({"signed_fields": {"id": VALUE}})]
    {
        let mut body = body;
        body["provider"] = VALUE.into();
        assert_malformed(body.to_string(), ONE_PROOF).await;
    }
}

#[tokio::test]
async fn a_code_of_a_flow_with_pkce_without_its_verifier() {
    let mut body = proof();
    body["provider"] = "snapchat".into();
    body.as_object_mut().unwrap().shift_remove("code_verifier");
    let detail = "This provider's codes come with the code_verifier whose challenge started the login.";
    assert_malformed(body.to_string(), detail).await;
}

#[tokio::test]
async fn no_proof() {
    assert_malformed(json!({"provider": VALUE}).to_string(), ONE_PROOF).await;
}

#[tokio::test]
async fn half_a_proof_or_an_empty_one() {
    assert_lack_is_malformed("code", ONE_PROOF).await;
    assert_lack_is_malformed("redirect_uri", ONE_PROOF).await;
    assert_change_is_malformed("code", "".into(), ONE_PROOF).await;
    assert_malformed(json!({"provider": VALUE, "access_token": ""}).to_string(), ONE_PROOF).await;
}

#[tokio::test]
async fn a_verifier_that_is_none() {
    for verifier in ["hunter2".to_owned(), format!("{VALUE} {VALUE}"), format!("{VALUE}ü"), VALUE.repeat(3)]
    {
        assert_change_is_malformed("code_verifier", verifier.into(), VERIFIER).await;
    }
}

#[tokio::test]
async fn members_that_do_not_exist_are_named() {
    let mut body = proof();
    body["colour"] = VALUE.into();
    let daypass = Daypass::start().await;
    let answer = daypass.exchange(&body).await;
    answer.assert_problem(400, "malformed_request");
    assert!(answer.body.contains("unknown field `colour`"), "{answer:?}");
    assert!(!answer.body.contains("hunter2"), "{answer:?}");
}

/// Those that exist are named as well: the ones that this path takes.
#[tokio::test]
async fn nobody_is_sent_to_a_member_that_goes_elsewhere() {
    let daypass = Daypass::start().await;
    for (path, here, not_here) in [
        ("/v1/exchange", ["`provider`", "`identity_id`", "`scope`"], ["`first`", "`refresh_token`"]),
        ("/v1/link", ["`provider`", "`first`", "`refresh_token`"], ["`identity_id`", "`scope`"]),
    ] {
        let request =
            Request::post(path).header("content-type", "application/json").body(r#"{"colour":1}"#.to_owned());
        let answer = daypass.send(request.unwrap()).await;
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        let (_, members) = detail.split_once("unknown field `colour`, expected one of ").unwrap();
        for member in here {
            assert!(members.contains(member), "{path}: {detail}");
        }
        for member in not_here {
            assert!(!members.contains(member), "{path}: {detail}");
        }
    }
}

#[tokio::test]
async fn no_provider_is_named() {
    let daypass = Daypass::start().await;
    let answer = daypass.exchange_text(json!({"access_token": VALUE}).to_string()).await;
    answer.assert_problem(400, "malformed_request");
    assert!(answer.body.contains("missing field `provider`"), "{answer:?}");
}

#[tokio::test]
async fn members_of_the_wrong_type() {
    let wrong = [("code", json!([VALUE])), ("credentials", json!(VALUE)), ("token_duration", json!(1.5))];
    for (member, value) in wrong {
        let mut body = proof();
        body[member] = value;
        let answer = Daypass::start().await.exchange(&body).await;
        answer.assert_problem(400, "malformed_request");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("a member has the wrong type, at line 1 column "), "{detail}");
        assert!(!answer.body.contains("hunter2"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_identity_id_that_is_none() {
    let detail = r"identity_id: an identity ID must match [\w-]+:[0-9a-f-]+";
    assert_change_is_malformed("identity_id", VALUE.into(), detail).await;
}

#[tokio::test]
async fn texts_that_are_not_json() {
    assert_malformed(VALUE.into(), "the body is not valid JSON, at line 1 column 1").await;
    assert_malformed(String::new(), "the body is not valid JSON, at line 1 column 0").await;
}

#[tokio::test]
async fn other_content_types_are_refused_before_the_body_is_read() {
    let daypass = Daypass::start().await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let request = Request::post("/v1/exchange").header("content-type", content_type);
        let answer = daypass.send(request.body(proof().to_string()).unwrap()).await;
        answer.assert_problem(415, "unsupported_media_type");
    }
    let answer = daypass.send(Request::post("/v1/exchange").body(proof().to_string()).unwrap()).await;
    answer.assert_problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_a_longer_one_is_not() {
    let daypass = Daypass::start().await;
    let body = json!({"provider": "nobody", "access_token": "x"}).to_string();
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    daypass.exchange_text(padded(64 * 1024)).await.assert_problem(400, "unknown_provider");
    daypass.exchange_text(padded(64 * 1024 + 1)).await.assert_problem(413, "body_too_large");
}

impl Daypass {
    async fn exchange_text(&self, body: String) -> crate::harness::Answer {
        self.send(exchange_request(body)).await
    }
}
