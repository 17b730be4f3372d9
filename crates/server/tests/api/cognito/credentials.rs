//! GetCredentialsForIdentity: which token opens which identity, and what a pool must have set up.

use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::store::transfer::PoolImport;
use serde_json::{Value, json};

use super::LOGINS_DO_NOT_MATCH;
use crate::harness::{AUTHENTICATED_ROLE, Answer, DEVELOPER_PROVIDER, Daypass, GUEST_ROLE};

const MISCONFIGURED: &str = "Invalid identity pool configuration. Check assigned IAM roles for this pool.";

async fn ask(daypass: &Daypass, identity_id: &Value, token: &Value) -> Answer {
    let logins = json!({"cognito-identity.amazonaws.com": token});
    let input = json!({"IdentityId": identity_id, "Logins": logins});
    daypass.public("GetCredentialsForIdentity", input).await
}

#[tokio::test]
async fn a_token_becomes_credentials_of_an_hour() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    let body = ask(&daypass, &token["IdentityId"], &token["Token"]).await.json();
    assert_eq!(body["IdentityId"], token["IdentityId"]);
    let credentials = body["Credentials"].as_object().unwrap();
    let members: Vec<&str> = credentials.keys().map(String::as_str).collect();
    assert_eq!(members, ["AccessKeyId", "SecretKey", "SessionToken", "Expiration"]);
    assert_eq!(credentials["Expiration"], 1_790_003_600);
    assert!(credentials["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
}

#[tokio::test]
async fn an_expired_token() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    daypass.advance(SignedDuration::from_secs(899));
    assert_eq!(ask(&daypass, &token["IdentityId"], &token["Token"]).await.status, 200);
    daypass.advance(SignedDuration::from_secs(1));
    let message = "Invalid login token. Token expired: 1790000900 >= 1790000900";
    let answer = ask(&daypass, &token["IdentityId"], &token["Token"]).await;
    answer.assert_exception("NotAuthorizedException", message);
}

#[tokio::test]
async fn a_token_of_somebody_else() {
    let daypass = Daypass::start().await;
    let (ada, grace) = (daypass.developer_token("ada").await, daypass.developer_token("grace").await);
    let answer = ask(&daypass, &ada["IdentityId"], &grace["Token"]).await;
    answer.assert_exception("NotAuthorizedException", LOGINS_DO_NOT_MATCH);
}

/// An import can bring an ID into another pool than it was in.
#[tokio::test]
async fn a_token_of_the_pool_that_the_identity_was_in_before() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    let id = IdentityId::parse(token["IdentityId"].as_str().unwrap()).unwrap();
    let mut record = daypass.store.lookup_identity_with_logins(&id).await.unwrap().unwrap();
    let mut pool = daypass.store.lookup_pool(&record.identity.pool_id).await.unwrap().unwrap();
    assert!(daypass.store.delete_pool(&pool.id).await.unwrap());
    pool.id = IdentityPoolId::parse("us-east-1:0e1f").unwrap();
    record.identity.pool_id = pool.id.clone();
    let records = Box::new([Ok(record)].into_iter());
    daypass.store.import_pool(PoolImport::new(pool, None, records)).await.unwrap();
    let answer = ask(&daypass, &token["IdentityId"], &token["Token"]).await;
    answer.assert_exception("NotAuthorizedException", LOGINS_DO_NOT_MATCH);
}

#[tokio::test]
async fn texts_that_are_no_token_of_ours() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    let text = token["Token"].as_str().unwrap();
    let (message, signature) = text.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let tampered = format!("{message}.{first}{}", &signature[1..]);
    let refusals = [
        (tampered.as_str(), "Invalid login token. Couldn't verify signed token."),
        ("not a token", "Invalid login token. Not a Cognito token."),
        (message, "Invalid login token. Not a Cognito token."),
    ];
    for (token_text, message) in refusals {
        let answer = ask(&daypass, &token["IdentityId"], &json!(token_text)).await;
        answer.assert_exception("NotAuthorizedException", message);
    }
}

#[tokio::test]
async fn the_developer_provider_is_no_public_one() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    let logins = json!({DEVELOPER_PROVIDER: "42"});
    let input = json!({"IdentityId": token["IdentityId"], "Logins": logins});
    let answer = daypass.public("GetCredentialsForIdentity", input).await;
    answer.assert_exception("InvalidParameterException", "Please provide a valid public provider.");
}

#[tokio::test]
async fn the_identity_id_alone_opens_nobodys_identity() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    let answer =
        daypass.public("GetCredentialsForIdentity", json!({"IdentityId": token["IdentityId"]})).await;
    let id = token["IdentityId"].as_str().unwrap();
    answer.assert_exception("NotAuthorizedException", &format!("Access to Identity '{id}' is forbidden."));
}

#[tokio::test]
async fn a_login_beside_the_token_is_not_passed_over() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    let logins = json!({"cognito-identity.amazonaws.com": token["Token"], "graph.facebook.com": "x"});
    let input = json!({"IdentityId": token["IdentityId"], "Logins": logins});
    let message = "Token is not from a supported provider of this identity pool.";
    let answer = daypass.public("GetCredentialsForIdentity", input).await;
    answer.assert_exception("NotAuthorizedException", message);
}

#[tokio::test]
async fn a_custom_role_is_the_pools_own_or_refused() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    let logins = json!({"cognito-identity.amazonaws.com": token["Token"]});
    let mut input =
        json!({"IdentityId": token["IdentityId"], "Logins": logins, "CustomRoleArn": AUTHENTICATED_ROLE});
    assert_eq!(daypass.public("GetCredentialsForIdentity", input.clone()).await.status, 200);
    input["CustomRoleArn"] = GUEST_ROLE.into();
    daypass.public("GetCredentialsForIdentity", input).await.assert_code("NotAuthorizedException");
}

#[tokio::test]
async fn a_pool_without_a_role_gives_no_credentials() {
    let daypass = Daypass::start().await;
    let guest = daypass.guest(&daypass.guest_pool().await).await;
    let answer = daypass.public("GetCredentialsForIdentity", json!({"IdentityId": guest})).await;
    answer.assert_exception("InvalidIdentityPoolConfigurationException", MISCONFIGURED);
}

#[tokio::test]
async fn a_role_that_does_not_exist_or_does_not_trust_the_pool_gives_no_credentials() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.guest_pool().await;
    let guest = daypass.guest(&pool_id).await;
    for role in [GUEST_ROLE, AUTHENTICATED_ROLE, "arn:aws:iam::000000000000:role/none"] {
        let roles = json!({"IdentityPoolId": pool_id, "Roles": {"unauthenticated": role}});
        daypass.call("SetIdentityPoolRoles", roles).await;
        let answer = daypass.public("GetCredentialsForIdentity", json!({"IdentityId": guest})).await;
        answer.assert_exception("InvalidIdentityPoolConfigurationException", MISCONFIGURED);
    }
}

#[tokio::test]
async fn roles_that_a_pool_gives_and_that_are_not_there_are_found() {
    let daypass = Daypass::start().await;
    let missing = async || {
        let pool = daypass.store.lookup_pool(&daypass.embedded.pool_id).await.unwrap().unwrap();
        let missing = daypass.embedded.pools.roles_that_are_missing(&pool);
        missing.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(missing().await, [""; 0]);
    let none = AUTHENTICATED_ROLE.replace("authenticated", "none");
    let roles = json!({"authenticated": none, "unauthenticated": none.replace("none", "of-guests")});
    daypass.call("SetIdentityPoolRoles", json!({"IdentityPoolId": daypass.pool_id(), "Roles": roles})).await;
    assert_eq!(missing().await, [none], "guests are not let in, so theirs is given to nobody");
}
