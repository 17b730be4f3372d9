//! Guests: GetId and GetOpenIdToken, and what is refused there.

use daypass_core::ground::clock::SignedDuration;
use serde_json::json;

use super::UNKNOWN;
use crate::harness::{DEVELOPER_PROVIDER, Daypass, claims};

#[tokio::test]
async fn every_call_makes_a_new_guest() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.guest_pool().await;
    assert_ne!(daypass.guest(&pool_id).await, daypass.guest(&pool_id).await);
}

#[tokio::test]
async fn a_pool_without_guests_takes_none() {
    let daypass = Daypass::start().await;
    let answer = daypass.public("GetId", json!({"IdentityPoolId": daypass.pool_id()})).await;
    let message = "Unauthenticated access is not supported for this identity pool.";
    answer.assert_exception("NotAuthorizedException", message);
    assert!(daypass.identities().await.is_empty());
}

#[tokio::test]
async fn logins_that_get_id_does_not_take() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.guest_pool().await;
    let refusals = [
        ("cognito-identity.amazonaws.com", "Invalid login token. Can't pass in a Cognito token."),
        (DEVELOPER_PROVIDER, "Invalid login token. Issuer doesn't match providerName"),
        ("graph.facebook.com", "Token is not from a supported provider of this identity pool."),
    ];
    for (provider, message) in refusals {
        let logins = json!({provider: "token"});
        let answer = daypass.public("GetId", json!({"IdentityPoolId": pool_id, "Logins": logins})).await;
        answer.assert_exception("NotAuthorizedException", message);

        let guest = daypass.guest(&pool_id).await;
        let answer = daypass.public("GetOpenIdToken", json!({"IdentityId": guest, "Logins": logins})).await;
        answer.assert_exception("NotAuthorizedException", message);
    }
}

#[tokio::test]
async fn a_guests_token_lives_ten_minutes() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.guest_pool().await;
    let guest = daypass.guest(&pool_id).await;
    let answer = daypass.public("GetOpenIdToken", json!({"IdentityId": guest})).await.json();
    assert_eq!(answer["IdentityId"], guest);
    let claims = claims(&answer["Token"]);
    assert_eq!(claims["amr"], json!(["unauthenticated"]));
    assert_eq!(claims["aud"], pool_id);
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 600);
}

#[tokio::test]
async fn an_unknown_identity_is_not_found() {
    let daypass = Daypass::start().await;
    for operation in ["GetOpenIdToken", "GetCredentialsForIdentity", "DescribeIdentity"] {
        let answer = daypass.signed(operation, json!({"IdentityId": UNKNOWN})).await;
        let message = format!("Identity '{UNKNOWN}' not found.");
        answer.assert_exception("ResourceNotFoundException", &message);
    }
}

#[tokio::test]
async fn nobody_is_the_guest_that_logged_in_meanwhile() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.guest_pool().await;
    let guest = daypass.guest(&pool_id).await;
    daypass.advance(SignedDuration::from_secs(1));
    let logins = json!({DEVELOPER_PROVIDER: "42"});
    let input = json!({"IdentityPoolId": pool_id, "IdentityId": guest, "Logins": logins});
    assert_eq!(daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await["IdentityId"], guest);
    for operation in ["GetOpenIdToken", "GetCredentialsForIdentity"] {
        let answer = daypass.public(operation, json!({"IdentityId": guest})).await;
        let message = format!("Access to Identity '{guest}' is forbidden.");
        answer.assert_exception("NotAuthorizedException", &message);
    }
}

#[tokio::test]
async fn a_pool_without_the_classic_flow_gives_guests_no_token() {
    let daypass = Daypass::start().await;
    let input = json!({"IdentityPoolName": "enhanced", "AllowUnauthenticatedIdentities": true,
        "AllowClassicFlow": false});
    let pool = daypass.call("CreateIdentityPool", input).await;
    let guest = daypass.guest(pool["IdentityPoolId"].as_str().unwrap()).await;
    let answer = daypass.public("GetOpenIdToken", json!({"IdentityId": guest})).await;
    let message = "Basic (classic) flow is not enabled, please use enhanced flow.";
    answer.assert_exception("InvalidParameterException", message);
}
