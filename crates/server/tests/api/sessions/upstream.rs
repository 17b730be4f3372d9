//! A session asks its provider again from time to time, where that gave a refresh token. The sandbox replaces its refresh
//! tokens, and takes one that is shown twice for a stolen one.

use bytes::Bytes;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::outbound::ProviderHttpError;
use futures::future::join_all;
use http::Response;
use serde_json::json;

use super::{assert_over, gets_credentials, refresh, sign_in};
use crate::harness::{BrokenAnswer, Daypass, TOKEN};

type Answer = Result<Response<Bytes>, ProviderHttpError>;

fn answer(status: u16, body: &'static str) -> Response<Bytes> {
    Response::builder().status(status).body(body.into()).unwrap()
}

const TOOK_IT_BACK: fn() -> Answer = || Ok(answer(400, r#"{"error":"invalid_grant"}"#));

fn breaks(daypass: &Daypass, answer: fn() -> Answer) {
    daypass.provider.break_with(BrokenAnswer { path: TOKEN, answer });
}

#[tokio::test]
async fn who_took_it_back_at_the_provider_is_signed_out_here() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    breaks(&daypass, TOOK_IT_BACK);
    daypass.advance(SignedDuration::from_hours(23));
    let session = refresh(&daypass, &session).await;
    daypass.advance(SignedDuration::from_hours(1));
    assert_over(&daypass, &session, "upstream").await;
    let told: Vec<_> = daypass.audit_events().split_off(daypass.audit_events().len() - 2);
    let told: Vec<_> =
        told.iter().map(|event| (&event["action"], &event["outcome"], &event["reason"])).collect();
    let (ended, refused) = (json!("sign_out"), json!("refresh"));
    let (allowed, no, reason) = (json!("allowed"), json!("refused"), json!("upstream"));
    assert_eq!(told, [(&ended, &allowed, &reason), (&refused, &no, &reason)]);
    assert_over(&daypass, &session, "upstream").await;
    assert!(!gets_credentials(&daypass, &session).await);
}

#[tokio::test]
async fn a_session_goes_on_for_weeks_with_the_providers_next_refresh_tokens() {
    let daypass = Daypass::start().await;
    let mut session = sign_in(&daypass).await;
    for _ in 0..20 {
        daypass.advance(SignedDuration::from_hours(25));
        session = refresh(&daypass, &session).await;
    }
}

#[tokio::test]
async fn of_sixteen_tabs_one_asks_the_provider() {
    let daypass = Daypass::start().await;
    let mut session = sign_in(&daypass).await;
    for _ in 0..5 {
        daypass.advance(SignedDuration::from_hours(25));
        let answers = join_all((0..16).map(|_| refresh(&daypass, &session))).await;
        session = answers.into_iter().next_back().unwrap();
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_or_says_something_else_signs_nobody_out() {
    for broken in [
        (|| Err(ProviderHttpError::TimedOut)) as fn() -> Answer,
        || Ok(answer(503, "")),
        || Ok(answer(500, "oops")),
        || Ok(answer(400, r#"{"error":"invalid_request"}"#)),
        || Ok(answer(401, r#"{"error":"invalid_client"}"#)),
        || Ok(answer(404, "gone")),
    ] {
        let daypass = Daypass::start().await;
        let session = sign_in(&daypass).await;
        breaks(&daypass, broken);
        daypass.advance(SignedDuration::from_hours(25));
        let session = refresh(&daypass, &session).await;
        breaks(&daypass, TOOK_IT_BACK);
        daypass.advance(SignedDuration::from_mins(9));
        let session = refresh(&daypass, &session).await;
        daypass.advance(SignedDuration::from_mins(1));
        assert_over(&daypass, &session, "upstream").await;
    }
}

/// The sandbox takes the token that it was asked with for spent.
#[tokio::test]
async fn what_the_provider_gave_is_kept_though_the_refresh_comes_to_nothing() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    daypass.advance(SignedDuration::from_hours(25));
    let roles = json!({"IdentityPoolId": daypass.pool_id(), "Roles": {}});
    daypass.call("SetIdentityPoolRoles", roles).await;
    let refused = super::refresh_with(&daypass, &session, &[("credentials", "true")]).await;
    assert_eq!(refused.status, 500, "{refused:?}");
    let session = refresh(&daypass, &session).await;
    daypass.advance(SignedDuration::from_hours(25));
    refresh(&daypass, &session).await;
}

#[tokio::test]
async fn a_provider_that_the_operator_took_away_has_no_sessions() {
    let mut daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    daypass.reread(|config| config.providers.retain(|it| it.id != "snapchat"), "").await.unwrap();
    assert_over(&daypass, &session, "revoked").await;
}
