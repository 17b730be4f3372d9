//! UnlinkDeveloperIdentity, by the rules of docs/reference/cognito-identity.md, 4.7.

use serde_json::{Value, json};

use super::UNKNOWN;
use crate::harness::{Answer, DEVELOPER_PROVIDER, Daypass, OIDC};

async fn unlink(daypass: &Daypass, id: &Value, user: &str) -> Answer {
    let input = json!({"IdentityPoolId": daypass.pool_id(), "IdentityId": id,
        "DeveloperProviderName": DEVELOPER_PROVIDER, "DeveloperUserIdentifier": user});
    daypass.signed("UnlinkDeveloperIdentity", input).await
}

#[tokio::test]
async fn an_unlinked_user_is_free_and_leads_to_a_new_identity() {
    let daypass = Daypass::start().await;
    let id = daypass.developer_token("ada").await["IdentityId"].clone();
    let answer = unlink(&daypass, &id, "ada").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    let again = daypass.developer_token("ada").await["IdentityId"].clone();
    assert_ne!(again, id);
    assert_eq!(daypass.enabled_identities().await.len(), 2, "the orphan is still there");
}

#[tokio::test]
async fn an_orphan_is_nobodys_and_no_guest_either() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    let id = daypass.developer_token("ada").await["IdentityId"].clone();
    unlink(&daypass, &id, "ada").await;
    assert_eq!(daypass.describe(&id).await.get("Logins"), None);
    for operation in ["GetOpenIdToken", "GetCredentialsForIdentity"] {
        daypass.public(operation, json!({"IdentityId": id})).await.assert_code("NotAuthorizedException");
        let logins = daypass.logins(&[(OIDC, "ada")]);
        let answer = daypass.public(operation, json!({"IdentityId": id, "Logins": logins})).await;
        answer.assert_exception("NotAuthorizedException", super::LOGINS_DO_NOT_MATCH);
    }
}

#[tokio::test]
async fn the_other_logins_stay() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    let mut logins = daypass.logins(&[(OIDC, "ada")]);
    logins[DEVELOPER_PROVIDER] = "ada".into();
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
    let id = daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await["IdentityId"].clone();
    unlink(&daypass, &id, "ada").await;
    assert_eq!(daypass.describe(&id).await["Logins"], json!([OIDC]));
    assert_eq!(daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await, id);
}

#[tokio::test]
async fn users_who_are_not_linked_to_the_identity() {
    let daypass = Daypass::start().await;
    let ada = daypass.developer_token("ada").await["IdentityId"].clone();
    daypass.developer_token("grace").await;
    let answer = unlink(&daypass, &ada, "nobody").await;
    answer.assert_exception("ResourceNotFoundException", "Developer user identifier not found.");
    let message = "The developer user identifier belongs to another identity.";
    unlink(&daypass, &ada, "grace").await.assert_exception("ResourceConflictException", message);
    let message = format!("Identity '{UNKNOWN}' not found.");
    let answer = unlink(&daypass, &json!(UNKNOWN), "ada").await;
    answer.assert_exception("ResourceNotFoundException", &message);
    assert_eq!(daypass.developer_token("ada").await["IdentityId"], ada);
}

#[tokio::test]
async fn an_identity_of_another_pool_keeps_its_user() {
    let daypass = Daypass::start().await;
    let id = daypass.developer_token("ada").await["IdentityId"].clone();
    let other = daypass.guest_pool().await;
    let input = json!({"IdentityPoolId": other, "IdentityId": id,
        "DeveloperProviderName": DEVELOPER_PROVIDER, "DeveloperUserIdentifier": "ada"});
    let answer = daypass.signed("UnlinkDeveloperIdentity", input).await;
    answer.assert_code("ResourceNotFoundException");
    assert_eq!(daypass.developer_token("ada").await["IdentityId"], id);
}
