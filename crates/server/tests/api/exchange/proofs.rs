//! Proofs that are none: spent, stolen, of another app, of nobody. After each, nothing is stored.

use daypass_core::ground::clock::SignedDuration;
use daypass_development::sandbox::{Client, Scope};
use serde_json::{Value, json};

use crate::harness::{Answer, Daypass, EXTERNAL_ID, ours};

async fn refuse(daypass: &Daypass, body: &Value, status: u16, code: &str) {
    daypass.exchange(body).await.assert_problem(status, code);
    assert!(daypass.identities().await.is_empty(), "{body}");
}

fn bare(provider: &str, access_token: &str) -> Value {
    json!({"provider": provider, "access_token": access_token})
}

#[tokio::test]
async fn an_unknown_provider() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    refuse(&daypass, &login.proof_with("provider", "Snapchat"), 400, "unknown_provider").await;
}

#[tokio::test]
async fn a_redirect_uri_that_no_app_registered() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    for uri in ["http://127.0.0.1:9400", "http://127.0.0.1:9400/?a", "https://evil.example/"] {
        refuse(&daypass, &login.proof_with("redirect_uri", uri), 400, "redirect_uri_not_registered").await;
    }
    // The provider was never asked, so the code is as good as before.
    assert_eq!(daypass.exchange(&login.proof()).await.status, 200);
}

#[tokio::test]
async fn a_spent_code() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    assert_eq!(daypass.exchange(&login.proof()).await.status, 200);
    daypass.exchange(&login.proof()).await.assert_problem(401, "proof_refused");
}

#[tokio::test]
async fn an_expired_code() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    daypass.advance(SignedDuration::from_mins(10));
    refuse(&daypass, &login.proof(), 401, "proof_refused").await;
}

#[tokio::test]
async fn a_code_without_the_browser_that_asked_for_it() {
    let daypass = Daypass::start().await;
    let (victim, thief) = (daypass.sign_in("ada").await, daypass.sign_in("grace").await);
    let stolen = thief.proof_with("code", victim.code.clone());
    refuse(&daypass, &stolen, 401, "proof_refused").await;
}

#[tokio::test]
async fn a_code_of_another_company() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in_to(&Client::other_games(), "ada", EXTERNAL_ID).await;
    refuse(&daypass, &login.proof(), 400, "redirect_uri_not_registered").await;
    let dressed_up = login.proof_with("redirect_uri", ours().redirect_uris[0].clone());
    refuse(&daypass, &dressed_up, 401, "proof_refused").await;
}

#[tokio::test]
async fn a_bare_access_token_is_refused_unless_the_operator_said_otherwise() {
    let daypass = Daypass::start().await;
    let token = daypass.access_token(&ours(), "ada").await;
    refuse(&daypass, &bare("snapchat", &token), 401, "unbound_access_token").await;

    let answer = daypass.exchange(&bare("snapchat-token", &token)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn another_companys_token_never_enters_the_strict_provider() {
    let daypass = Daypass::start().await;
    let stolen = daypass.access_token(&Client::other_games(), "ada").await;
    refuse(&daypass, &bare("snapchat", &stolen), 401, "unbound_access_token").await;
}

#[tokio::test]
async fn two_providers_share_no_people() {
    let daypass = Daypass::start().await;
    let by_code = daypass.enter("ada").await;
    let token = daypass.access_token(&ours(), "ada").await;
    let by_token = daypass.exchange(&bare("snapchat-token", &token)).await.json();
    assert_ne!(by_code["identity_id"], by_token["identity_id"]);
}

#[tokio::test]
async fn an_access_token_that_is_unknown_or_no_header_could_carry() {
    let daypass = Daypass::start().await;
    for token in ["unknown", "a\nb", "ü\u{0}"] {
        refuse(&daypass, &bare("snapchat-token", token), 401, "proof_refused").await;
    }
}

#[tokio::test]
async fn an_expired_access_token() {
    let daypass = Daypass::start().await;
    let token = daypass.access_token(&ours(), "ada").await;
    daypass.advance(SignedDuration::from_hours(1));
    refuse(&daypass, &bare("snapchat-token", &token), 401, "proof_refused").await;
}

#[tokio::test]
async fn a_person_who_keeps_their_external_id_to_themselves() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in_to(&ours(), "ada", &[Scope::DisplayName]).await;
    refuse(&daypass, &login.proof(), 401, "subject_missing").await;
}

#[tokio::test]
async fn a_person_who_shares_the_external_id_alone_has_no_name() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in_to(&ours(), "ada", EXTERNAL_ID).await;
    let answer: Answer = daypass.exchange(&login.proof()).await;
    assert_eq!(answer.json()["user"], json!({}));
}

#[tokio::test]
async fn a_person_whom_the_provider_answers_with_an_error() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("oscar").await;
    refuse(&daypass, &login.proof(), 401, "provider_reported_error").await;
}
