//! MergeDeveloperIdentities, by the rules of docs/reference/cognito-identity.md, 4.6, and
//! LookupDeveloperIdentity afterwards.

use daypass_core::ground::clock::SignedDuration;
use serde_json::{Value, json};

use super::UNKNOWN;
use crate::harness::{AUTHENTICATED_ROLE, Answer, DEVELOPER_PROVIDER, Daypass, OIDC, OTHER_OIDC};

const TWO_USERS: &str = "The identity is already linked to another login of the same provider.";

async fn merge(daypass: &Daypass, source: &str, destination: &str) -> Answer {
    let input = json!({"IdentityPoolId": daypass.pool_id(), "DeveloperProviderName": DEVELOPER_PROVIDER,
        "SourceUserIdentifier": source, "DestinationUserIdentifier": destination});
    daypass.signed("MergeDeveloperIdentities", input).await
}

/// A developer user with public logins besides.
async fn person(daypass: &Daypass, user: &str, public: &[(&str, &str)]) -> Value {
    let mut logins = daypass.logins(public);
    logins[DEVELOPER_PROVIDER] = user.into();
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
    daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await
}

async fn look_up(daypass: &Daypass, members: Value) -> Answer {
    let mut input = members;
    input["IdentityPoolId"] = daypass.pool_id().into();
    daypass.signed("LookupDeveloperIdentity", input).await
}

#[track_caller]
fn assert_forbidden(answer: &Answer, id: &Value) {
    let message = format!("Access to Identity '{}' is forbidden.", id.as_str().unwrap());
    answer.assert_exception("NotAuthorizedException", &message);
}

#[tokio::test]
async fn both_users_and_all_their_logins_lead_to_the_destination() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    let source = person(&daypass, "ada", &[(OIDC, "ada")]).await["IdentityId"].clone();
    let destination = person(&daypass, "countess", &[(OTHER_OIDC, "ada")]).await["IdentityId"].clone();
    let answer = merge(&daypass, "ada", "countess").await;
    assert_eq!(answer.json(), json!({"IdentityId": destination}));

    for user in ["ada", "countess"] {
        assert_eq!(daypass.developer_token(user).await["IdentityId"], destination);
    }
    for provider in [OIDC, OTHER_OIDC] {
        assert_eq!(daypass.get_id(&daypass.logins(&[(provider, "ada")])).await, destination);
    }
    let logins = json!([OTHER_OIDC, DEVELOPER_PROVIDER, OIDC]);
    assert_eq!(daypass.describe(&destination).await["Logins"], logins);
    assert_eq!(daypass.describe(&source).await.get("Logins"), None);
    assert_eq!(daypass.enabled_identities().await, [destination]);
}

#[tokio::test]
async fn lookups_after_a_merge_find_the_destination_and_all_its_users() {
    let daypass = Daypass::start().await;
    let source = daypass.developer_token("ada").await["IdentityId"].clone();
    let destination = daypass.developer_token("countess").await["IdentityId"].clone();
    merge(&daypass, "ada", "countess").await;
    let both = json!({"IdentityId": destination, "DeveloperUserIdentifierList": ["ada", "countess"]});
    for members in [
        json!({"DeveloperUserIdentifier": "ada"}),
        json!({"DeveloperUserIdentifier": "countess"}),
        json!({"IdentityId": destination}),
    ] {
        assert_eq!(look_up(&daypass, members).await.json(), both);
    }
    let nobody = json!({"IdentityId": source, "DeveloperUserIdentifierList": []});
    assert_eq!(look_up(&daypass, json!({"IdentityId": source})).await.json(), nobody);
    let conflict = json!({"IdentityId": source, "DeveloperUserIdentifier": "ada"});
    look_up(&daypass, conflict).await.assert_code("ResourceConflictException");
}

#[tokio::test]
async fn the_source_is_disabled_and_tokens_from_before_give_it_nothing() {
    let daypass = Daypass::start().await;
    let source = daypass.developer_token("ada").await;
    daypass.developer_token("countess").await;
    merge(&daypass, "ada", "countess").await;
    let id = &source["IdentityId"];
    let entered = json!({"identity_id": id, "token": source["Token"]});
    assert_forbidden(&daypass.get_credentials(&entered).await, id);
    for operation in ["GetOpenIdToken", "GetCredentialsForIdentity"] {
        assert_forbidden(&daypass.public(operation, json!({"IdentityId": id})).await, id);
    }
    let answer = daypass.assume(&source["Token"], AUTHENTICATED_ROLE).await;
    answer.assert_sts_error(403, "AccessDenied");
    let logins = json!({DEVELOPER_PROVIDER: "countess"});
    let input = json!({"IdentityPoolId": daypass.pool_id(), "IdentityId": id, "Logins": logins});
    assert_forbidden(&daypass.signed("GetOpenIdTokenForDeveloperIdentity", input).await, id);
}

#[tokio::test]
async fn a_merge_made_again_changes_nothing() {
    let daypass = Daypass::start().await;
    daypass.developer_token("ada").await;
    let destination = daypass.developer_token("countess").await["IdentityId"].clone();
    merge(&daypass, "ada", "countess").await;
    let described = daypass.describe(&destination).await;
    daypass.advance(SignedDuration::from_secs(5));
    for (source, destination_user) in [("ada", "countess"), ("countess", "ada"), ("ada", "ada")] {
        let answer = merge(&daypass, source, destination_user).await;
        assert_eq!(answer.json()["IdentityId"], destination);
    }
    assert_eq!(daypass.describe(&destination).await, described);
}

#[tokio::test]
async fn two_users_of_one_public_provider_are_not_merged() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    person(&daypass, "ada", &[(OIDC, "ada")]).await;
    person(&daypass, "grace", &[(OIDC, "grace")]).await;
    let answer = merge(&daypass, "ada", "grace").await;
    answer.assert_exception("ResourceConflictException", TWO_USERS);
    assert_eq!(daypass.enabled_identities().await.len(), 2);
}

#[tokio::test]
async fn an_identity_has_twenty_logins_at_most() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    let user = |number: usize| format!("user {number}");
    person(&daypass, &user(0), &[(OIDC, "ada")]).await;
    for number in 1..20 {
        daypass.developer_token(&user(number)).await;
        let status = merge(&daypass, &user(number), &user(0)).await.status;
        assert_eq!(status, if number < 19 { 200 } else { 400 }, "login {}", number + 2);
    }
    let message = "An identity has at most 20 linked logins.";
    merge(&daypass, &user(19), &user(0)).await.assert_exception("InvalidParameterException", message);

    let mut logins = daypass.logins(&[(OIDC, "ada"), (OTHER_OIDC, "ada")]);
    let id = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    let public = json!({"IdentityId": id, "Logins": logins});
    let answer = daypass.public("GetOpenIdToken", public).await;
    answer.assert_exception("InvalidParameterException", message);
    logins.as_object_mut().unwrap().remove(OTHER_OIDC);
    logins[DEVELOPER_PROVIDER] = "user 20".into();
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
    let answer = daypass.signed("GetOpenIdTokenForDeveloperIdentity", input).await;
    answer.assert_exception("InvalidParameterException", message);
    assert_eq!(look_up(&daypass, json!({"DeveloperUserIdentifier": "user 20"})).await.status, 400);
}

#[tokio::test]
async fn users_and_pools_that_nobody_knows_are_not_found() {
    let daypass = Daypass::start().await;
    daypass.developer_token("ada").await;
    for (source, destination) in [("ada", "nobody"), ("nobody", "ada")] {
        let answer = merge(&daypass, source, destination).await;
        answer.assert_exception("ResourceNotFoundException", "Developer user identifier not found.");
    }
    let mut input = json!({"IdentityPoolId": UNKNOWN, "DeveloperProviderName": DEVELOPER_PROVIDER,
        "SourceUserIdentifier": "ada", "DestinationUserIdentifier": "ada"});
    let answer = daypass.signed("MergeDeveloperIdentities", input.clone()).await;
    answer.assert_exception("ResourceNotFoundException", &format!("IdentityPool '{UNKNOWN}' not found."));
    input["IdentityPoolId"] = daypass.pool_id().into();
    input["DeveloperProviderName"] = "login.other".into();
    let message = "This identity pool does not support the specified developer provider";
    let answer = daypass.signed("MergeDeveloperIdentities", input).await;
    answer.assert_exception("InvalidParameterException", message);
}

#[tokio::test]
async fn users_of_another_pool_are_not_merged() {
    let daypass = Daypass::start().await;
    daypass.developer_token("ada").await;
    let other = daypass.guest_pool().await;
    let input = json!({"IdentityPoolId": other, "Logins": {DEVELOPER_PROVIDER: "grace"}});
    daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await;
    merge(&daypass, "ada", "grace").await.assert_code("ResourceNotFoundException");
}
