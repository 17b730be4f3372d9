//! Snapchat's definition against answers that a provider, or somebody in its place, might give.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use ::http::{Request, Response, StatusCode};
use async_trait::async_trait;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use bytes::Bytes;
use serde_json::{Value, json};

use super::definition::{Definition, ProofKind};
use super::engine::REFUSAL_LASTS;
use super::*;
use crate::ground::clock::ManualClock;
use crate::ground::clock::SignedDuration;
use crate::ground::outbound::{AskedProvider, Repeatable};
use crate::ground::outbound::{ProviderHttp, ProviderHttpError};
use crate::ground::secret::Secret;

/// Answers each request in turn with what was prepared, and remembers the requests.
#[derive(Default)]
struct Scripted {
    answers: Mutex<Vec<Answer>>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Arc::new(Self { answers: Mutex::new(answers), requests: Mutex::default() })
    }
}

/// What an engine with this script makes of a proof.
async fn verify(
    provider: &Provider,
    proof: UnverifiedProof,
    http: &Arc<Scripted>,
) -> Result<VerifiedLogin, ProofError> {
    let clock = Arc::new(ManualClock::at_second(1_800_000_000));
    Engine::new(http.clone(), clock).verify(&Arc::new(provider.clone()), proof).await
}

#[async_trait]
impl ProviderHttp for Scripted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        self.requests.lock().unwrap().push(request);
        tokio::task::yield_now().await;
        let (status, body) = self.answers.lock().unwrap().pop().expect("no more requests than answers")?;
        Ok(Response::builder().status(status).body(Bytes::from(body)).unwrap())
    }
}

pub(super) fn snapchat(accept_unbound_access_tokens: bool) -> Provider {
    Provider {
        id: "snapchat".into(),
        definition: Arc::new(Definition::from_catalogue("snapchat", toml::Table::new()).unwrap()),
        client_id: "our client".into(),
        other_client_ids: Vec::new(),
        app_id: None,
        client_secret: Some(Secret::new("s3cret+/")),
        apple: None,
        catalogue: Some("snapchat".into()),
        only_actors: false,
        accept_unbound_access_tokens,
        identifier: Identifier::Prefixed,
        cache_verified: None,
        recheck: crate::login::provider::RECHECK,
    }
}

fn code() -> UnverifiedProof {
    UnverifiedProof::Code {
        code: Secret::new("the code&more"),
        code_verifier: Some(Secret::new("the-verifier")),
        redirect_uri: "https://app.example.com/signed-in".into(),
        nonce: None,
        callback: BTreeMap::new(),
    }
}

fn access_token() -> UnverifiedProof {
    UnverifiedProof::AccessToken(Secret::new("token"))
}

type Answer = Result<(u16, String), ProviderHttpError>;

#[expect(clippy::unnecessary_wraps, reason = "stands beside answers that are errors")]
fn ok(body: &Value) -> Answer {
    Ok((200, body.to_string()))
}

fn me(me: &Value) -> Answer {
    ok(&json!({"data": {"me": me}}))
}

/// What becomes of a bare token when the profile query is answered so.
async fn verdict(answer: Answer) -> Result<VerifiedLogin, ProofError> {
    verify(&snapchat(true), access_token(), &Scripted::new([answer])).await
}

/// What becomes of a code when its redemption is answered so.
async fn redemption(answer: Answer) -> ProofError {
    let http = Scripted::new([answer]);
    let error = verify(&snapchat(false), code(), &http).await.unwrap_err();
    assert_eq!(http.requests.lock().unwrap().len(), 1, "nothing is asked after a failed redemption");
    error
}

#[tokio::test]
async fn a_code_is_redeemed_with_our_secret_and_the_profile_read_with_its_token() {
    let profile =
        json!({"externalId": "aB+/9w==", "displayName": "Ada", "bitmoji": {"avatar": "https://a.example/1"}});
    let http = Scripted::new([ok(&json!({"access_token": "fresh"})), me(&profile)]);
    let login = verify(&snapchat(false), code(), &http).await.unwrap();

    assert_eq!(login.developer_user_identifier(), "snapchat:aB+/9w==");
    assert_eq!(login.user().name.as_deref(), Some("Ada"));
    assert_eq!(login.user().avatar.as_deref(), Some("https://a.example/1"));

    let requests = http.requests.lock().unwrap();
    assert_eq!(requests[0].uri(), "https://accounts.snapchat.com/accounts/oauth2/token");
    let basic = BASE64_STANDARD.encode("our%20client:s3cret%2B%2F");
    assert_eq!(requests[0].headers()["authorization"], format!("Basic {basic}"));
    assert_eq!(
        requests[0].body(),
        "grant_type=authorization_code&code=the%20code%26more\
         &redirect_uri=https%3A%2F%2Fapp.example.com%2Fsigned-in&code_verifier=the-verifier"
    );
    assert_eq!(requests[1].uri(), "https://kit.snapchat.com/v1/me");
    assert_eq!(requests[1].headers()["authorization"], "Bearer fresh");
    assert_eq!(requests[1].body(), r#"{"query":"{me{externalId displayName bitmoji{avatar id}}}"}"#);
}

#[tokio::test]
async fn a_code_of_a_public_client_is_redeemed_with_its_id_and_verifier() {
    let none = toml::toml! { exchange.client_auth = "none" };
    let definition = Arc::new(Definition::from_catalogue("snapchat", none).unwrap());
    let provider = Provider { definition, client_secret: None, ..snapchat(false) };
    let http = Scripted::new([ok(&json!({"access_token": "fresh"})), me(&json!({"externalId": "a"}))]);
    verify(&provider, code(), &http).await.unwrap();
    let requests = http.requests.lock().unwrap();
    assert!(!requests[0].headers().contains_key("authorization"));
    let body = String::from_utf8_lossy(requests[0].body());
    assert!(body.ends_with("&code_verifier=the-verifier&client_id=our%20client"), "{body}");
}

#[tokio::test]
async fn what_everybody_else_can_read_is_read() {
    let profile = json!({"data": {"me": {"externalId": "a"}}}).to_string();
    let token = json!({"access_token": "fresh"}).to_string();
    for (status, mark) in [(200, ""), (201, ""), (203, ""), (200, "\u{feff}"), (201, "\u{feff}")] {
        let answers = [Ok((status, format!("{mark}{token}"))), Ok((status, format!("{mark}{profile}")))];
        let login = verify(&snapchat(false), code(), &Scripted::new(answers)).await.unwrap();
        assert_eq!(login.developer_user_identifier(), "snapchat:a", "{status} {mark:?}");
    }
}

#[tokio::test]
async fn the_claims_of_a_signed_answer_are_the_answer() {
    let claims = BASE64_URL_SAFE_NO_PAD.encode(json!({"data": {"me": {"externalId": "a"}}}).to_string());
    let answered = async |profile: String| {
        let http = Scripted::new([ok(&json!({"access_token": "fresh"})), Ok((200, profile))]);
        verify(&snapchat(false), code(), &http)
            .await
            .map(|login| login.developer_user_identifier().to_owned())
    };
    assert_eq!(answered(format!("e30.{claims}.c2ln\n")).await.unwrap(), "snapchat:a");
    for bad in [String::new(), claims.clone(), format!("e30.{claims}"), "e30.e30.x".into(), "a.%%%.c".into()]
    {
        assert!(answered(bad.clone()).await.is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_secret_that_is_missing_is_never_an_empty_one() {
    let provider = Provider { client_secret: None, ..snapchat(false) };
    let http = Scripted::new([]);
    assert!(matches!(
        verify(&provider, code(), &http).await,
        Err(ProofError::Refused | ProofError::Misconfigured(_))
    ));
    assert!(http.requests.lock().unwrap().is_empty(), "nothing is asked");
}

#[tokio::test]
async fn a_bare_access_token_is_refused_without_asking_anybody() {
    let http = Scripted::new([]);
    let provider = snapchat(false);
    assert!(matches!(verify(&provider, access_token(), &http).await, Err(ProofError::UnboundAccessToken)));
    assert_eq!(provider.accepted_proofs(), [ProofKind::Code]);
    assert!(!provider.takes_unbound_tokens() && snapchat(true).takes_unbound_tokens());
}

#[tokio::test]
async fn a_code_of_a_flow_with_pkce_is_refused_without_its_verifier() {
    let UnverifiedProof::Code { code, redirect_uri, nonce, callback, .. } = code() else {
        unreachable!("it is a code")
    };
    let proof = UnverifiedProof::Code { code_verifier: None, code, redirect_uri, nonce, callback };
    let refused = verify(&snapchat(false), proof, &Scripted::new([])).await;
    assert!(matches!(refused, Err(ProofError::VerifierMissing)));
}

#[tokio::test]
async fn a_code_of_a_flow_without_pkce_is_refused_without_the_nonce_of_its_id_token() {
    let definition = Definition::from_catalogue("slack", toml::Table::new()).unwrap();
    let provider = Provider { definition: definition.into(), ..snapchat(false) };
    let refused = verify(&provider, code(), &Scripted::new([])).await;
    assert!(matches!(refused, Err(ProofError::NonceMissing)), "{refused:?}");
}

#[tokio::test]
async fn a_redemption_may_never_be_sent_twice_and_a_question_may() {
    let http = Scripted::new([ok(&json!({"access_token": "fresh"})), me(&json!({"externalId": "x"}))]);
    verify(&snapchat(false), code(), &http).await.unwrap();
    let requests = http.requests.lock().unwrap();
    let repeatable = |request: &Request<Bytes>| request.extensions().get::<Repeatable>().is_some();
    assert_eq!(requests.iter().map(repeatable).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn whoever_sends_sees_which_provider_is_asked() {
    let http = Scripted::new([ok(&json!({"access_token": "fresh"})), me(&json!({"externalId": "x"}))]);
    verify(&snapchat(false), code(), &http).await.unwrap();
    let requests = http.requests.lock().unwrap();
    let asked = |request: &Request<Bytes>| request.extensions().get::<AskedProvider>().cloned();
    let asked: Vec<_> = requests.iter().map(asked).collect();
    assert_eq!(asked, vec![Some(AskedProvider("snapchat".into())); 2]);
}

#[tokio::test]
async fn a_code_that_is_shown_twice_at_once_is_redeemed_once_and_signs_both_in() {
    let http = Scripted::new([ok(&json!({"access_token": "fresh"})), me(&json!({"externalId": "x"}))]);
    let engine = Engine::new(http.clone(), Arc::new(ManualClock::at_second(1_800_000_000)));
    let provider = Arc::new(snapchat(false));
    let (first, second) =
        futures::future::join(engine.verify(&provider, code()), engine.verify(&provider, code())).await;
    assert_eq!(first.unwrap().developer_user_identifier(), second.unwrap().developer_user_identifier());
}

#[tokio::test]
async fn a_clear_no_is_repeated_for_a_moment_without_asking_again() {
    let no = || Ok((401, String::new()));
    let http = Scripted::new([no(), me(&json!({"externalId": "x"}))]);
    let clock = Arc::new(ManualClock::at_second(1_800_000_000));
    let (engine, provider) = (Engine::new(http.clone(), clock.clone()), Arc::new(snapchat(true)));
    for _ in 0..2 {
        assert!(matches!(engine.verify(&provider, access_token()).await, Err(ProofError::Refused)));
    }
    assert_eq!(http.requests.lock().unwrap().len(), 1);
    clock.advance(REFUSAL_LASTS);
    engine.verify(&provider, access_token()).await.unwrap();
}

#[tokio::test]
async fn trouble_of_the_provider_is_not_remembered() {
    let http = Scripted::new([Ok((503, String::new())), me(&json!({"externalId": "x"}))]);
    let engine = Engine::new(http.clone(), Arc::new(ManualClock::at_second(1_800_000_000)));
    let provider = Arc::new(snapchat(true));
    assert!(matches!(engine.verify(&provider, access_token()).await, Err(ProofError::Unavailable(_))));
    engine.verify(&provider, access_token()).await.unwrap();
}

#[tokio::test]
async fn a_yes_is_repeated_only_for_as_long_as_the_operator_says() {
    for (cache_verified, asked) in [(None, [1, 2, 3]), (Some(SignedDuration::from_secs(30)), [1, 1, 2])] {
        let yes = || me(&json!({"externalId": "x"}));
        let http = Scripted::new([yes(), yes(), yes()]);
        let clock = Arc::new(ManualClock::at_second(1_800_000_000));
        let engine = Engine::new(http.clone(), clock.clone());
        let provider = Arc::new(Provider { cache_verified, ..snapchat(true) });
        for (asked, pause) in asked.into_iter().zip([29, 1, 0]) {
            engine.verify(&provider, access_token()).await.unwrap();
            assert_eq!(http.requests.lock().unwrap().len(), asked, "{cache_verified:?}");
            clock.advance(SignedDuration::from_secs(pause));
        }
    }
}

#[tokio::test]
async fn what_is_remembered_of_a_provider_counts_until_the_operator_changes_it() {
    let yes = || me(&json!({"externalId": "x"}));
    let http = Scripted::new([yes(), yes(), Ok((401, String::new())), yes()]);
    let engine = Engine::new(http.clone(), Arc::new(ManualClock::at_second(1_800_000_000)));
    let before = Provider { cache_verified: Some(SignedDuration::from_mins(5)), ..snapchat(true) };
    let renamed = Provider { identifier: Identifier::Bare, ..before.clone() };
    let other_secret = Provider { client_secret: Some(Secret::new("another")), ..before.clone() };
    // Each is read anew, as a configuration is; one that reads as before is the same.
    for (provider, asked) in [(&before, 1), (&before, 1), (&renamed, 2)] {
        engine.verify(&Arc::new(provider.clone()), access_token()).await.unwrap();
        assert_eq!(http.requests.lock().unwrap().len(), asked);
    }
    for _ in 0..2 {
        engine.verify(&Arc::new(other_secret.clone()), access_token()).await.unwrap_err();
        assert_eq!(http.requests.lock().unwrap().len(), 3, "a no is remembered, too");
    }
}

#[tokio::test]
async fn a_code_is_redeemed_anew_however_long_a_yes_is_remembered() {
    let http = Scripted::new([
        ok(&json!({"access_token": "fresh"})),
        me(&json!({"externalId": "x"})),
        Ok((400, json!({"error": "invalid_grant"}).to_string())),
    ]);
    let engine = Engine::new(http.clone(), Arc::new(ManualClock::at_second(1_800_000_000)));
    let provider = Provider { cache_verified: Some(SignedDuration::from_secs(30)), ..snapchat(false) };
    let provider = Arc::new(provider);
    engine.verify(&provider, code()).await.unwrap();
    assert!(matches!(engine.verify(&provider, code()).await, Err(ProofError::Refused)));
}

#[tokio::test]
async fn the_operators_word_admits_a_bare_access_token() {
    let login = verdict(me(&json!({"externalId": "x"}))).await.unwrap();
    assert_eq!(login.developer_user_identifier(), "snapchat:x");
    assert_eq!(login.user(), &DisplayUser::default());
}

#[tokio::test]
async fn a_kind_that_the_definition_leaves_out_is_refused() {
    let mut provider = snapchat(true);
    Arc::make_mut(&mut provider.definition).accept = vec![ProofKind::Code];
    let refused = verify(&provider, access_token(), &Scripted::new([])).await;
    assert!(matches!(refused, Err(ProofError::KindNotAccepted(ProofKind::AccessToken))));
}

#[tokio::test]
async fn errors_inside_status_200_are_no_login_even_beside_a_profile() {
    let answer = json!({
        "errors": [{"message": "no", "extensions": {"code": "UNAUTHORIZED_USER"}}],
        "data": {"me": {"externalId": "x"}}
    });
    let error = verdict(ok(&answer)).await.unwrap_err();
    assert!(matches!(&error, ProofError::ReportedErrors { code: Some(code) } if code == "UNAUTHORIZED_USER"));

    for errors in [json!([{}]), json!("text"), json!({"message": "x"}), json!(true)] {
        let answer = json!({"errors": errors, "data": {"me": {"externalId": "x"}}});
        assert!(
            matches!(verdict(ok(&answer)).await, Err(ProofError::ReportedErrors { code: None })),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_providers_own_words_do_not_reach_our_error() {
    let answer = json!({"errors": [{"message": "secret", "extensions": {"code": "a b\n<script>"}}]});
    let error = verdict(ok(&answer)).await.unwrap_err();
    assert_eq!(error.to_string(), "the provider answered with an error");
}

#[tokio::test]
async fn an_error_code_that_holds_what_we_showed_is_not_repeated() {
    for code in ["token", "bad-token-here"] {
        let answer = json!({"errors": [{"extensions": {"code": code}}]});
        let error = verdict(ok(&answer)).await.unwrap_err();
        assert!(matches!(error, ProofError::ReportedErrors { code: None }), "{code}");
    }
}

#[tokio::test]
async fn empty_or_null_errors_are_no_errors() {
    for errors in [json!([]), Value::Null] {
        let answer = json!({"errors": errors, "data": {"me": {"externalId": "x"}}});
        verdict(ok(&answer)).await.unwrap();
    }
}

#[tokio::test]
async fn a_bare_identifier_is_the_external_id_alone_or_no_login() {
    let provider = Provider { identifier: Identifier::Bare, ..snapchat(true) };
    let bare = |id: &str| {
        let http = Scripted::new([me(&json!({"externalId": id}))]);
        let provider = provider.clone();
        async move { verify(&provider, access_token(), &http).await }
    };
    assert_eq!(bare("aB+/9w==").await.unwrap().developer_user_identifier(), "aB+/9w==");
    assert!(matches!(bare("discord:1").await, Err(ProofError::SubjectAmbiguous)));
}

#[tokio::test]
async fn an_absent_empty_or_odd_external_id_is_no_login() {
    let long = "x".repeat(513);
    for profile in [
        json!({}),
        json!({"displayName": "Ada"}),
        json!({"externalId": null}),
        json!({"externalId": ""}),
        json!({"externalId": 7}),
        json!({"externalId": true}),
        json!({"externalId": ["x"]}),
        json!({"externalId": "a\nb"}),
        json!({"externalId": "a\u{0}"}),
        json!({"externalId": long}),
        Value::Null,
    ] {
        assert!(matches!(verdict(me(&profile)).await, Err(ProofError::SubjectMissing)), "{profile}");
    }
    assert!(matches!(verdict(ok(&json!({}))).await, Err(ProofError::SubjectMissing)));
}

#[tokio::test]
async fn what_is_wrong_with_the_profile_call_is_told_apart() {
    let text = |status: u16| Ok((status, "Unauthorized".to_owned()));
    assert!(matches!(verdict(text(401)).await, Err(ProofError::Refused)));
    assert!(matches!(verdict(text(403)).await, Err(ProofError::Refused)));
    assert!(matches!(verdict(text(429)).await, Err(ProofError::Unavailable(_))));
    assert!(matches!(verdict(text(500)).await, Err(ProofError::Unavailable(_))));
    assert!(matches!(verdict(text(503)).await, Err(ProofError::Unavailable(_))));
    assert!(matches!(verdict(text(200)).await, Err(ProofError::AnswerMalformed(_))));
    assert!(matches!(verdict(text(204)).await, Err(ProofError::AnswerMalformed(_))));
    for status in [301, 302, 404, 410] {
        let error = verdict(text(status)).await.unwrap_err();
        assert!(matches!(&error, ProofError::NotAsDefined(_)), "{error:?}");
        assert!(error.to_string().ends_with(&format!("/v1/me answers with status {status}")), "{error}");
    }
    assert!(matches!(verdict(Err(ProviderHttpError::TimedOut)).await, Err(ProofError::TimedOut)));
    assert!(matches!(
        verdict(Err(ProviderHttpError::AnswerTooLarge { limit: 1, status: StatusCode::OK })).await,
        Err(ProofError::AnswerTooLarge)
    ));
    assert!(matches!(verdict(Err(ProviderHttpError::Resting)).await, Err(ProofError::Unavailable(_))));
    let private = Err(ProviderHttpError::PrivateAddress { host: "10.0.0.1".into() });
    assert!(matches!(verdict(private).await, Err(ProofError::Misconfigured(_))));
    let unreachable = Err(ProviderHttpError::Unreachable("refused".into()));
    assert!(matches!(verdict(unreachable).await, Err(ProofError::Unavailable(_))));
}

#[tokio::test]
async fn what_is_wrong_with_a_redemption_is_told_apart() {
    let error = |status: u16, error: &str| Ok((status, json!({"error": error}).to_string()));
    assert!(matches!(redemption(error(400, "invalid_grant")).await, ProofError::Refused));
    assert!(matches!(redemption(error(400, "invalid_request")).await, ProofError::Refused));
    assert!(matches!(redemption(error(401, "invalid_client")).await, ProofError::Misconfigured(_)));
    assert!(matches!(redemption(error(400, "unauthorized_client")).await, ProofError::Misconfigured(_)));
    assert!(matches!(redemption(error(429, "slow_down")).await, ProofError::Unavailable(_)));
    assert!(matches!(redemption(error(502, "")).await, ProofError::Unavailable(_)));
    assert!(matches!(redemption(Ok((401, "no".into()))).await, ProofError::Refused));
    for status in [302, 404, 410] {
        let error = redemption(Ok((status, String::new()))).await;
        assert!(matches!(&error, ProofError::NotAsDefined(_)), "{error:?}");
    }
    assert!(matches!(redemption(error(404, "invalid_grant")).await, ProofError::Refused));
    assert!(matches!(redemption(Ok((200, "<html>".into()))).await, ProofError::AnswerMalformed(_)));
    assert!(matches!(redemption(ok(&json!({"access_token": ""}))).await, ProofError::AnswerMalformed(_)));
    assert!(matches!(redemption(ok(&json!({"access_token": 7}))).await, ProofError::AnswerMalformed(_)));
    assert!(matches!(redemption(Err(ProviderHttpError::TimedOut)).await, ProofError::TimedOut));
}

#[tokio::test]
async fn a_token_that_cannot_stand_in_a_header_is_refused() {
    let token = UnverifiedProof::AccessToken(Secret::new("a\r\nHost: evil"));
    let http = Scripted::new([]);
    assert!(matches!(verify(&snapchat(true), token, &http).await, Err(ProofError::Refused)));
}

#[tokio::test]
async fn names_and_pictures_that_a_screen_cannot_show_are_left_out() {
    let profile =
        json!({"externalId": "x", "displayName": "a\u{7}b", "bitmoji": {"avatar": "javascript:alert(1)"}});
    assert_eq!(verdict(me(&profile)).await.unwrap().user(), &DisplayUser::default());
}

#[test]
fn debug_shows_neither_secret_nor_proof() {
    let shown = format!("{:?} {:?} {:?}", snapchat(true), code(), access_token());
    for secret in ["s3cret", "the code", "the-verifier", "\"token\""] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
