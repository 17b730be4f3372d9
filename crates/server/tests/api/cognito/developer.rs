//! GetOpenIdTokenForDeveloperIdentity, by the rules of docs/reference/cognito-identity.md, 4.3.

use serde_json::{Value, json};

use super::{LOGINS_DO_NOT_MATCH, UNKNOWN};
use crate::harness::{Answer, DEVELOPER_PROVIDER, Daypass, claims};

const OPERATION: &str = "GetOpenIdTokenForDeveloperIdentity";

async fn ask(daypass: &Daypass, user: &str, members: &Value) -> Answer {
    let mut input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": {DEVELOPER_PROVIDER: user}});
    let members = members.as_object().unwrap().clone();
    input.as_object_mut().unwrap().extend(members);
    daypass.signed(OPERATION, input).await
}

#[tokio::test]
async fn one_user_has_one_identity_and_any_name() {
    let daypass = Daypass::start().await;
    let mut identities = Vec::new();
    for user in ["42", "someone@example.com", "did:test:1", "Zoë Đặng", " ", "SOMEONE@example.com"] {
        let (first, second) = (daypass.developer_token(user).await, daypass.developer_token(user).await);
        assert_eq!(first["IdentityId"], second["IdentityId"]);
        let amr = claims(&first["Token"])["amr"].clone();
        let entry = format!("{DEVELOPER_PROVIDER}:{}:{user}", daypass.pool_id());
        assert_eq!(amr, json!(["authenticated", DEVELOPER_PROVIDER, entry]));
        identities.push(first["IdentityId"].to_string());
    }
    identities.sort();
    identities.dedup();
    assert_eq!(identities.len(), 6);
}

#[tokio::test]
async fn a_token_lives_as_long_as_was_asked_and_fifteen_minutes_by_default() {
    let daypass = Daypass::start().await;
    for (members, lifetime) in
        [(json!({}), 900), (json!({"TokenDuration": 1}), 1), (json!({"TokenDuration": 86_400}), 86_400)]
    {
        let claims = claims(&ask(&daypass, "42", &members).await.json()["Token"]);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), lifetime);
        assert!(claims.get("https://aws.amazon.com/tags").is_none());
    }
}

#[tokio::test]
async fn another_provider_is_not_the_developers() {
    let daypass = Daypass::start().await;
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": {"login.other": "42"}});
    let message = "This identity pool does not support the specified developer provider";
    daypass.signed(OPERATION, input).await.assert_exception("InvalidParameterException", message);
}

#[tokio::test]
async fn a_pool_without_a_developer_provider_has_none() {
    let daypass = Daypass::start().await;
    let input = json!({"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false});
    let pool = daypass.call("CreateIdentityPool", input).await;
    let logins = json!({DEVELOPER_PROVIDER: "42"});
    let input = json!({"IdentityPoolId": pool["IdentityPoolId"], "Logins": logins});
    let message = "This identity pool does not support the specified developer provider";
    daypass.signed(OPERATION, input).await.assert_exception("InvalidParameterException", message);
}

#[tokio::test]
async fn public_logins_beside_the_developers_are_not_believed() {
    let daypass = Daypass::start().await;
    let logins = json!({DEVELOPER_PROVIDER: "42", "graph.facebook.com": "token"});
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
    let message = "Token is not from a supported provider of this identity pool.";
    daypass.signed(OPERATION, input).await.assert_exception("NotAuthorizedException", message);
    assert!(daypass.identities().await.is_empty());
}

#[tokio::test]
async fn a_user_of_one_identity_is_not_linked_to_another() {
    let daypass = Daypass::start().await;
    let (ada, grace) = (daypass.developer_token("ada").await, daypass.developer_token("grace").await);
    let answer = ask(&daypass, "ada", &json!({"IdentityId": grace["IdentityId"]})).await;
    let message = "This developer user identifier is already registered with Cognito.";
    answer.assert_exception("DeveloperUserAlreadyRegisteredException", message);
    let same = ask(&daypass, "ada", &json!({"IdentityId": ada["IdentityId"]})).await;
    assert_eq!(same.json()["IdentityId"], ada["IdentityId"]);
}

#[tokio::test]
async fn a_new_user_is_not_linked_to_somebodys_identity() {
    let daypass = Daypass::start().await;
    let ada = daypass.developer_token("ada").await;
    let answer = ask(&daypass, "grace", &json!({"IdentityId": ada["IdentityId"]})).await;
    answer.assert_exception("NotAuthorizedException", LOGINS_DO_NOT_MATCH);
}

#[tokio::test]
async fn an_identity_that_nobody_has_is_not_found() {
    let daypass = Daypass::start().await;
    let answer = ask(&daypass, "42", &json!({"IdentityId": UNKNOWN})).await;
    let message = format!("Identity '{UNKNOWN}' not found.");
    answer.assert_exception("ResourceNotFoundException", &message);
}

#[tokio::test]
async fn an_identity_of_another_pool_is_not_found() {
    let daypass = Daypass::start().await;
    let guest = daypass.guest(&daypass.guest_pool().await).await;
    let answer = ask(&daypass, "42", &json!({"IdentityId": guest})).await;
    answer.assert_exception("ResourceNotFoundException", &format!("Identity '{guest}' not found."));
}

#[tokio::test]
async fn a_user_identifier_has_at_most_1024_characters() {
    let daypass = Daypass::start().await;
    assert_eq!(ask(&daypass, &"ü".repeat(1024), &json!({})).await.status, 200);
    let message = "A developer user identifier has at most 1024 characters.";
    let answer = ask(&daypass, &"ü".repeat(1025), &json!({})).await;
    answer.assert_exception("InvalidParameterException", message);
}

#[tokio::test]
async fn principal_tags_stand_in_the_token() {
    let daypass = Daypass::start().await;
    let tags = json!({"PrincipalTags": {"team": "red", "Level Ünd": "a_b.c:d/e=f+g-h@i 1"}});
    let claims = claims(&ask(&daypass, "42", &tags).await.json()["Token"]);
    let expected = json!({"principal_tags": {"team": ["red"], "Level Ünd": ["a_b.c:d/e=f+g-h@i 1"]}});
    assert_eq!(claims["https://aws.amazon.com/tags"], expected);
}

#[tokio::test]
async fn tags_that_could_mean_something_in_a_policy_are_refused() {
    let daypass = Daypass::start().await;
    for (key, value) in [("team", "*"), ("team", "r?d"), ("team", "${aws:userid}"), ("te*m", "red")] {
        let answer = ask(&daypass, "42", &json!({"PrincipalTags": {key: value}})).await;
        let message =
            format!("The principal tag {key:?} may hold only letters, digits, spaces and _ . : / = + - @");
        answer.assert_exception("InvalidParameterException", &message);
    }
    assert!(daypass.identities().await.is_empty());
}

#[tokio::test]
async fn tag_keys_that_differ_in_case_only_are_refused() {
    let daypass = Daypass::start().await;
    let answer = ask(&daypass, "42", &json!({"PrincipalTags": {"team": "red", "Team": "blue"}})).await;
    let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    answer.assert_exception("InvalidParameterException", message);
}
