//! Providers that are down, slow, broken or hostile: each its own answer, and nothing is stored.

use bytes::Bytes;
use daypass_core::ground::outbound::ProviderHttpError;
use http::{Response, StatusCode};

use crate::harness::{BrokenAnswer, Daypass, PROFILE, TOKEN};

type Received = Result<Response<Bytes>, ProviderHttpError>;

#[expect(clippy::unnecessary_wraps, reason = "it stands where a provider may give no answer at all")]
fn answer(status: u16, body: &'static str) -> Received {
    Ok(Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap())
}

struct Refusal {
    status: u16,
    code: &'static str,
    retry_after: &'static str,
}

const TIMEOUT: Refusal = Refusal { status: 503, code: "provider_timeout", retry_after: "5" };
const UNAVAILABLE: Refusal = Refusal { status: 503, code: "provider_unavailable", retry_after: "5" };
const TOO_LARGE: Refusal = Refusal { status: 502, code: "provider_answer_too_large", retry_after: "" };
const MALFORMED: Refusal = Refusal { status: 502, code: "provider_answer_malformed", retry_after: "" };
const NOT_AS_DEFINED: Refusal = Refusal { status: 502, code: "provider_not_as_defined", retry_after: "" };
const REFUSED: Refusal = Refusal { status: 401, code: "proof_refused", retry_after: "" };
const REPORTED: Refusal = Refusal { status: 401, code: "provider_reported_error", retry_after: "" };
const NO_SUBJECT: Refusal = Refusal { status: 401, code: "subject_missing", retry_after: "" };
const MISCONFIGURED: Refusal = Refusal { status: 500, code: "provider_misconfigured", retry_after: "" };

/// What a provider said that must not reach anybody.
const INTERNAL: &str = "internal-words-of-the-provider";

async fn assert_refused(path: &'static str, answer: fn() -> Received, refusal: Refusal) {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    daypass.provider.break_with(BrokenAnswer { path, answer });

    let refused = daypass.exchange(&login.proof()).await;
    refused.assert_problem(refusal.status, refusal.code);
    assert_eq!(refused.header("retry-after"), refusal.retry_after);
    assert!(!refused.body.contains(INTERNAL), "{refused:?}");
    assert!(daypass.identities().await.is_empty());

    daypass.provider.mend();
    daypass.enter("ada").await;
}

async fn assert_refused_at_both(answer: fn() -> Received, refusal: fn() -> Refusal) {
    assert_refused(TOKEN, answer, refusal()).await;
    assert_refused(PROFILE, answer, refusal()).await;
}

#[tokio::test]
async fn no_answer_in_time() {
    assert_refused_at_both(|| Err(ProviderHttpError::TimedOut), || TIMEOUT).await;
}

#[tokio::test]
async fn no_connection() {
    assert_refused_at_both(|| Err(ProviderHttpError::Unreachable(INTERNAL.into())), || UNAVAILABLE).await;
}

#[tokio::test]
async fn out_of_order_or_too_busy() {
    assert_refused_at_both(|| answer(500, INTERNAL), || UNAVAILABLE).await;
    assert_refused_at_both(|| answer(503, INTERNAL), || UNAVAILABLE).await;
    assert_refused_at_both(|| answer(429, INTERNAL), || UNAVAILABLE).await;
}

#[tokio::test]
async fn an_over_long_answer() {
    assert_refused_at_both(
        || Err(ProviderHttpError::AnswerTooLarge { limit: 65_536, status: StatusCode::OK }),
        || TOO_LARGE,
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_is_not_json() {
    assert_refused_at_both(|| answer(200, "<html>internal-words-of-the-provider</html>"), || MALFORMED).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let redirect = || {
        let response = Response::builder().status(302).header("location", "https://evil.example/");
        Ok(response.body(Bytes::new()).unwrap())
    };
    assert_refused_at_both(redirect, || NOT_AS_DEFINED).await;
    assert_refused_at_both(|| answer(410, INTERNAL), || NOT_AS_DEFINED).await;
}

#[tokio::test]
async fn a_refusal_in_plain_text() {
    assert_refused_at_both(|| answer(401, INTERNAL), || REFUSED).await;
}

#[tokio::test]
async fn errors_inside_a_success() {
    let errors = || answer(200, r#"{"data":{"me":{"externalId":"x"}},"errors":[{"message":"no"}]}"#);
    assert_refused(PROFILE, errors, REPORTED).await;
}

#[tokio::test]
async fn an_external_id_that_is_none() {
    assert_refused(PROFILE, || answer(200, r#"{"data":{"me":{"externalId":""}}}"#), NO_SUBJECT).await;
    assert_refused(PROFILE, || answer(200, r#"{"data":{"me":{"externalId":7}}}"#), NO_SUBJECT).await;
    assert_refused(PROFILE, || answer(200, r#"{"data":{"me":{"externalId":null}}}"#), NO_SUBJECT).await;
    assert_refused(PROFILE, || answer(200, r#"{"data":{"me":{"externalId":"a\nb"}}}"#), NO_SUBJECT).await;
    assert_refused(PROFILE, || answer(200, "{}"), NO_SUBJECT).await;
}

#[tokio::test]
async fn a_token_answer_without_a_token() {
    assert_refused(TOKEN, || answer(200, r#"{"token_type":"Bearer"}"#), MALFORMED).await;
    assert_refused(TOKEN, || answer(200, r#"{"access_token":""}"#), MALFORMED).await;
}

#[tokio::test]
async fn a_client_that_the_provider_does_not_know() {
    assert_refused(TOKEN, || answer(401, r#"{"error":"invalid_client"}"#), MISCONFIGURED).await;
}
