//! Temporary credentials at the gate: they do what their role allows, while they last, and only whole.

use std::sync::Arc;

use daypass_core::ground::clock::{Clock, ManualClock, SignedDuration};
use daypass_core::ground::ids::{IdentityId, RoleName};
use daypass_core::store::RevocationTarget;
use serde_json::{Value, json};

use super::request;
use crate::harness::{AUTHENTICATED_ROLE, Answer, Credentials, DEVELOPER_PROVIDER, Daypass};

async fn session(daypass: &Daypass) -> (Credentials, Value) {
    let entered = daypass.enter("ada").await;
    (daypass.credentials(&entered).await, entered["identity_id"].clone())
}

async fn list_pools(daypass: &Daypass, credentials: &Credentials) -> Answer {
    daypass.signed_by(credentials, "ListIdentityPools", json!({"MaxResults": 1})).await
}

#[tokio::test]
async fn a_session_does_what_its_role_allows() {
    let daypass = Daypass::start().await;
    let (credentials, _) = session(&daypass).await;
    assert_eq!(list_pools(&daypass, &credentials).await.status, 200);

    let input = json!({"IdentityPoolName": "mine", "AllowUnauthenticatedIdentities": true});
    let answer = daypass.signed_by(&credentials, "CreateIdentityPool", input).await;
    answer.assert_code("AccessDeniedException");
    let message = "User: arn:aws:sts::000000000000:assumed-role/authenticated/CognitoIdentityCredentials is not \
                   authorized to perform: cognito-identity:CreateIdentityPool on resource: *";
    assert_eq!(answer.body, json!({"__type": "AccessDeniedException", "Message": message}).to_string());
}

#[tokio::test]
async fn the_refusal_names_the_pool_that_was_asked_for() {
    let daypass = Daypass::start().await;
    let (credentials, _) = session(&daypass).await;
    let input = json!({"IdentityPoolId": daypass.pool_id(), "MaxResults": 1});
    let answer = daypass.signed_by(&credentials, "ListIdentities", input).await;
    let arn = format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{}", daypass.pool_id());
    let message = answer.json()["Message"].as_str().unwrap().to_owned();
    assert!(message.ends_with(&format!("cognito-identity:ListIdentities on resource: {arn}")), "{message}");
}

#[tokio::test]
async fn an_expired_session_is_refused() {
    let daypass = Daypass::start().await;
    let (credentials, _) = session(&daypass).await;
    daypass.advance(SignedDuration::from_secs(3599));
    assert_eq!(list_pools(&daypass, &credentials).await.status, 200);
    daypass.advance(SignedDuration::from_secs(1));
    let message = "The security token included in the request is expired";
    list_pools(&daypass, &credentials).await.assert_exception("ExpiredTokenException", message);
}

async fn assert_revoked(target: fn(&Value) -> RevocationTarget) {
    let daypass = Daypass::start().await;
    let (credentials, identity_id) = session(&daypass).await;
    daypass.store.revoke_sessions(&target(&identity_id), daypass.clock.clone()).await.unwrap();
    list_pools(&daypass, &credentials).await.assert_code("ExpiredTokenException");

    daypass.advance(SignedDuration::from_millis(1));
    let (later, _) = session(&daypass).await;
    assert_eq!(list_pools(&daypass, &later).await.status, 200, "a login of the same second");
}

/// Somebody has their token traded while an operator revokes: the credentials are sealed after the instant of the
/// revocation, and end with it all the same, however the two fall.
#[tokio::test]
async fn credentials_end_with_the_token_that_they_were_made_from() {
    let daypass = Daypass::start().await;
    let entered = daypass.enter("ada").await;
    let id = IdentityId::parse(entered["identity_id"].as_str().unwrap()).unwrap();
    daypass.advance(SignedDuration::from_secs(1));
    let revoked_at = Arc::new(ManualClock::at(daypass.clock.now()));
    daypass.advance(SignedDuration::from_secs(1));
    let enhanced = daypass.credentials(&entered).await;
    let assumed = daypass.assume(&entered["token"], AUTHENTICATED_ROLE).await.sts_credentials();
    let (other, _) = session(&daypass).await;
    for credentials in [&enhanced, &assumed] {
        assert_eq!(list_pools(&daypass, credentials).await.status, 200);
    }
    daypass.store.revoke_sessions(&RevocationTarget::Identity(id), revoked_at).await.unwrap();
    for credentials in [&enhanced, &assumed] {
        list_pools(&daypass, credentials).await.assert_code("ExpiredTokenException");
    }
    assert_eq!(list_pools(&daypass, &other).await.status, 200, "a login after the revocation");
}

/// What a token would be refused for, credentials that were made of it are refused for.
#[tokio::test]
async fn credentials_end_with_the_login_and_with_the_identity_that_they_rest_on() {
    let daypass = Daypass::start().await;
    daypass.developer_token("ada at work").await;
    let entered = daypass.developer_token("ada").await;
    let merge = json!({"IdentityPoolId": daypass.pool_id(), "DeveloperProviderName": DEVELOPER_PROVIDER,
        "SourceUserIdentifier": "ada at work", "DestinationUserIdentifier": "ada"});
    let id = &daypass.call("MergeDeveloperIdentities", merge).await["IdentityId"];
    assert_eq!(*id, entered["IdentityId"]);
    let credentials = daypass.assume(&entered["Token"], AUTHENTICATED_ROLE).await.sts_credentials();
    assert_eq!(list_pools(&daypass, &credentials).await.status, 200);

    let unlink = json!({"IdentityPoolId": daypass.pool_id(), "IdentityId": id,
        "DeveloperProviderName": DEVELOPER_PROVIDER, "DeveloperUserIdentifier": "ada"});
    daypass.call("UnlinkDeveloperIdentity", unlink).await;
    list_pools(&daypass, &credentials).await.assert_code("ExpiredTokenException");

    let entered = daypass.developer_token("ada at work").await;
    let of_the_other_login = daypass.assume(&entered["Token"], AUTHENTICATED_ROLE).await.sts_credentials();
    assert_eq!(list_pools(&daypass, &of_the_other_login).await.status, 200);
    daypass.call("DeleteIdentities", json!({"IdentityIdsToDelete": [id]})).await;
    list_pools(&daypass, &of_the_other_login).await.assert_code("ExpiredTokenException");
}

#[tokio::test]
async fn a_revoked_session_is_refused_and_a_later_one_is_not() {
    assert_revoked(|id| RevocationTarget::Identity(IdentityId::parse(id.as_str().unwrap()).unwrap())).await;
    assert_revoked(|_| RevocationTarget::Role(RoleName::parse("authenticated").unwrap())).await;
}

#[tokio::test]
async fn parts_of_two_sessions_make_none() {
    let daypass = Daypass::start().await;
    let (ada, _) = session(&daypass).await;
    let grace = daypass.credentials(&daypass.enter("grace").await).await;

    let mixed = Credentials { session_token: grace.session_token.clone(), ..ada.clone() };
    list_pools(&daypass, &mixed).await.assert_code("UnrecognizedClientException");
    let mixed = Credentials { secret_access_key: grace.secret_access_key, ..ada.clone() };
    list_pools(&daypass, &mixed).await.assert_code("InvalidSignatureException");
    let bare = Credentials { session_token: None, ..ada.clone() };
    list_pools(&daypass, &bare).await.assert_code("UnrecognizedClientException");
    let of_developer = Credentials { session_token: ada.session_token, ..daypass.key.clone() };
    list_pools(&daypass, &of_developer).await.assert_code("UnrecognizedClientException");
}

#[tokio::test]
async fn a_session_token_that_was_not_signed_is_refused() {
    let daypass = Daypass::start().await;
    let (credentials, _) = session(&daypass).await;
    let token = credentials.session_token.clone().unwrap();
    let bare = Credentials { session_token: None, ..credentials };
    let mut request = daypass.signer(&bare).sign(request());
    request.headers_mut().insert("x-amz-security-token", token.parse().unwrap());
    let message = "'x-amz-security-token' must be among the SignedHeaders";
    daypass.send(request).await.assert_exception("IncompleteSignatureException", message);
}
