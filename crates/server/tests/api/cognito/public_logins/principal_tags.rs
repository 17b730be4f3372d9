//! Attributes for access control: from a claim of the login to a tag in our token, to a session tag, to a policy
//! that asks for it (docs/reference/cognito-identity.md, 4.11).

use serde_json::{Map, Value, json};

use super::{daypass, get_credentials, get_open_id_token};
use crate::harness::{
    Answer, CLIENT, Credentials, DEVELOPER_PROVIDER, Daypass, OIDC, OIDC_ARN, USER_POOL, USER_POOL_CLIENT,
    claims,
};

const ENGINEERS: &str = "arn:aws:iam::000000000000:role/engineers";
const UNTAGGED: &str = "arn:aws:iam::000000000000:role/untagged";
const MISCONFIGURED: &str = "Invalid identity pool configuration. Check assigned IAM roles for this pool.";

async fn map(daypass: &Daypass, provider: &str, members: Value) {
    let mut input = json!({"IdentityPoolId": daypass.pool_id(), "IdentityProviderName": provider});
    input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    daypass.call("SetPrincipalTagAttributeMap", input).await;
}

async fn set_role(daypass: &Daypass, role_arn: &str) {
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Roles": {"authenticated": role_arn}});
    daypass.call("SetIdentityPoolRoles", input).await;
}

/// What GetOpenIdToken puts into the token of somebody with these claims.
async fn tags(daypass: &Daypass, provider: &str, claims_of_login: Value) -> Value {
    let logins = json!({provider: daypass.id_token_with(provider, "ada", claims_of_login)});
    let id = daypass.get_id(&logins).await;
    let answer = get_open_id_token(daypass, &id, &logins).await.json();
    claims(&answer["Token"])["https://aws.amazon.com/tags"]["principal_tags"].clone()
}

/// The credentials by the enhanced flow of somebody in a department.
async fn credentials(daypass: &Daypass, department: Value) -> Answer {
    let logins = json!({OIDC: daypass.id_token_with(OIDC, "ada", json!({"dept": department}))});
    let id = daypass.get_id(&logins).await;
    get_credentials(daypass, &id, &logins).await
}

fn of_sts(answer: &Answer) -> Credentials {
    assert_eq!(answer.status, 200, "{answer:?}");
    Credentials {
        access_key_id: answer.element("AccessKeyId").into(),
        secret_access_key: answer.element("SecretAccessKey").into(),
        session_token: Some(answer.element("SessionToken").into()),
    }
}

#[tokio::test]
async fn claims_become_tags_and_claims_that_are_missing_become_none() {
    let daypass = daypass().await;
    map(&daypass, OIDC_ARN, json!({"PrincipalTags": {"department": "dept", "level": "lvl", "x": "none"}}))
        .await;
    let found = tags(&daypass, OIDC, json!({"dept": "engineering", "lvl": 3})).await;
    assert_eq!(found, json!({"department": ["engineering"], "level": ["3"]}));
    assert_eq!(tags(&daypass, OIDC, json!({"dept": ["two", "values"]})).await, Value::Null);
    assert_eq!(tags(&daypass, USER_POOL, json!({"dept": "engineering"})).await, Value::Null);
}

#[tokio::test]
async fn the_default_map_names_the_client_and_the_person() {
    let daypass = daypass().await;
    for (provider, name, client) in [(OIDC, OIDC_ARN, CLIENT), (USER_POOL, USER_POOL, USER_POOL_CLIENT)] {
        map(&daypass, name, json!({"UseDefaults": true, "PrincipalTags": {"department": "dept"}})).await;
        let found = tags(&daypass, provider, json!({"dept": "engineering"})).await;
        assert_eq!(found, json!({"client": [client], "username": ["ada"]}));
    }
}

#[tokio::test]
async fn a_policy_asks_for_the_tag_that_the_provider_gave() {
    let daypass = daypass().await;
    map(&daypass, OIDC_ARN, json!({"PrincipalTags": {"department": "dept"}})).await;
    set_role(&daypass, ENGINEERS).await;
    for (department, allowed) in [(json!("engineering"), true), (json!("sales"), false), (Value::Null, false)]
    {
        let enhanced = credentials(&daypass, department.clone()).await.credentials();
        assert_eq!(daypass.may_list_pools(&enhanced).await, allowed, "{department} by the enhanced flow");

        let logins = json!({OIDC: daypass.id_token_with(OIDC, "ada", json!({"dept": department}))});
        let id = daypass.get_id(&logins).await;
        let token = get_open_id_token(&daypass, &id, &logins).await.json()["Token"].clone();
        let classic = of_sts(&daypass.assume(&token, ENGINEERS).await);
        assert_eq!(daypass.may_list_pools(&classic).await, allowed, "{department} by the classic flow");
    }
}

#[tokio::test]
async fn the_developers_tags_are_session_tags_too() {
    let daypass = daypass().await;
    set_role(&daypass, ENGINEERS).await;
    for (department, allowed) in [("engineering", true), ("sales", false)] {
        let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": {DEVELOPER_PROVIDER: "ada"},
            "PrincipalTags": {"department": department}});
        let token = daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await;
        let entered = json!({"identity_id": token["IdentityId"], "token": token["Token"]});
        let credentials = daypass.credentials(&entered).await;
        assert_eq!(daypass.may_list_pools(&credentials).await, allowed, "{department}");
    }
}

#[tokio::test]
async fn a_role_that_does_not_let_sessions_be_tagged_takes_no_tagged_token() {
    let daypass = daypass().await;
    set_role(&daypass, UNTAGGED).await;
    assert_eq!(credentials(&daypass, json!("engineering")).await.status, 200, "nothing maps the claim yet");
    map(&daypass, OIDC_ARN, json!({"PrincipalTags": {"department": "dept"}})).await;
    let answer = credentials(&daypass, json!("engineering")).await;
    answer.assert_exception("InvalidIdentityPoolConfigurationException", MISCONFIGURED);
    assert_eq!(credentials(&daypass, Value::Null).await.status, 200, "this token has no tags");

    let logins = json!({OIDC: daypass.id_token_with(OIDC, "ada", json!({"dept": "engineering"}))});
    let id = daypass.get_id(&logins).await;
    let token = get_open_id_token(&daypass, &id, &logins).await.json()["Token"].clone();
    daypass.assume(&token, UNTAGGED).await.assert_sts_error(403, "AccessDenied");
}

#[tokio::test]
async fn tags_that_no_session_could_carry() {
    let daypass = daypass().await;
    let tags: Map<_, _> = (0..50).map(|number| (format!("tag{number}"), json!("x".repeat(256)))).collect();
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": {DEVELOPER_PROVIDER: "ada"},
        "PrincipalTags": tags});
    let token = daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await;
    let answer = daypass.assume(&token["Token"], crate::harness::AUTHENTICATED_ROLE).await;
    answer.assert_sts_error(400, "PackedPolicyTooLarge");
    let entered = json!({"identity_id": token["IdentityId"], "token": token["Token"]});
    let answer = daypass.get_credentials(&entered).await;
    answer.assert_exception("InvalidIdentityPoolConfigurationException", MISCONFIGURED);
}

#[tokio::test]
async fn claims_that_no_tag_can_hold_are_refused_and_link_nothing() {
    let daypass = daypass().await;
    map(&daypass, OIDC_ARN, json!({"PrincipalTags": {"department": "dept"}})).await;
    let guest: Value = daypass.guest(daypass.pool_id()).await.into();
    for department in ["*".to_owned(), "eng?neering".to_owned(), "x".repeat(257)] {
        let logins = json!({OIDC: daypass.id_token_with(OIDC, "ada", json!({"dept": department}))});
        for answer in [
            get_open_id_token(&daypass, &guest, &logins).await,
            get_credentials(&daypass, &guest, &logins).await,
        ] {
            answer.assert_code("InvalidParameterException");
            assert!(!answer.body.contains(&department), "{answer:?}");
        }
    }
    assert_eq!(daypass.describe(&guest).await.get("Logins"), None);
}
