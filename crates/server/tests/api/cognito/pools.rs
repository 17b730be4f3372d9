//! Pools and their roles.

use serde_json::{Value, json};

use super::UNKNOWN;
use crate::harness::{AUTHENTICATED_ROLE, DEVELOPER_PROVIDER, Daypass, GUEST_ROLE};

#[tokio::test]
async fn a_bare_pool_shows_no_member_that_was_never_set() {
    let daypass = Daypass::start().await;
    let input = json!({"IdentityPoolName": "bare", "AllowUnauthenticatedIdentities": false});
    let created = daypass.call("CreateIdentityPool", input).await;
    let expected = json!({"IdentityPoolId": created["IdentityPoolId"], "IdentityPoolName": "bare",
        "AllowUnauthenticatedIdentities": false, "IdentityPoolTags": {}});
    assert_eq!(created, expected);
}

#[tokio::test]
async fn a_pool_is_described_as_it_was_created() {
    let daypass = Daypass::start().await;
    let mut input = json!({
        "IdentityPoolName": "whole",
        "AllowUnauthenticatedIdentities": true,
        "AllowClassicFlow": false,
        "SupportedLoginProviders": {"graph.facebook.com": "7346241598935555"},
        "DeveloperProviderName": DEVELOPER_PROVIDER,
        "OpenIdConnectProviderARNs": ["arn:aws:iam::000000000000:oidc-provider/login.example.com"],
        "CognitoIdentityProviders": [{"ProviderName": "cognito-idp.us-east-1.amazonaws.com/us-east-1_a",
            "ClientId": "3n4b5urk1ft4fl3mg5e62d9ado", "ServerSideTokenCheck": false}],
        "IdentityPoolTags": {"team": "games"},
    });
    let created = daypass.call("CreateIdentityPool", input.clone()).await;
    input["IdentityPoolId"] = created["IdentityPoolId"].clone();
    assert_eq!(created, input);
    let id = json!({"IdentityPoolId": created["IdentityPoolId"]});
    assert_eq!(daypass.call("DescribeIdentityPool", id).await, created);
}

#[tokio::test]
async fn two_pools_may_have_one_name() {
    let daypass = Daypass::start().await;
    assert_ne!(daypass.guest_pool().await, daypass.guest_pool().await);
}

#[tokio::test]
async fn unknown_members_are_ignored_and_null_is_absent() {
    let daypass = Daypass::start().await;
    let input = json!({"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false,
        "AllowClassicFlow": null, "Colour": "red"});
    let created = daypass.call("CreateIdentityPool", input).await;
    assert!(created.get("AllowClassicFlow").is_none());
}

#[tokio::test]
async fn an_unknown_pool_is_not_found() {
    let daypass = Daypass::start().await;
    let input = json!({"IdentityPoolId": UNKNOWN, "MaxResults": 1, "Roles": {}, "IdentityId": UNKNOWN,
        "Logins": {DEVELOPER_PROVIDER: "42"}});
    let operations = [
        "DescribeIdentityPool",
        "GetIdentityPoolRoles",
        "SetIdentityPoolRoles",
        "ListIdentities",
        "LookupDeveloperIdentity",
        "GetOpenIdTokenForDeveloperIdentity",
        "GetId",
    ];
    for operation in operations {
        let answer = daypass.signed(operation, input.clone()).await;
        let message = format!("IdentityPool '{UNKNOWN}' not found.");
        answer.assert_exception("ResourceNotFoundException", &message);
    }
}

#[tokio::test]
async fn pools_are_listed_a_page_at_a_time() {
    let daypass = Daypass::start().await;
    for _ in 0..4 {
        daypass.guest_pool().await;
    }
    let mut names = Vec::new();
    let mut next_token = Value::Null;
    for _ in 0..3 {
        let input = json!({"MaxResults": 2, "NextToken": next_token});
        let page = daypass.call("ListIdentityPools", input).await;
        names.extend(page["IdentityPools"].as_array().unwrap().iter().map(|pool| {
            assert_eq!(pool.as_object().unwrap().len(), 2, "{pool}");
            pool["IdentityPoolName"].as_str().unwrap().to_owned()
        }));
        next_token = page["NextToken"].clone();
    }
    assert_eq!(next_token, Value::Null);
    names.sort();
    assert_eq!(names, ["guests", "guests", "guests", "guests", "test"]);
}

#[tokio::test]
async fn a_token_that_no_listing_gave_out_is_refused() {
    let daypass = Daypass::start().await;
    for token in ["x", "bm90IGFuIElE", "*"] {
        let answer = daypass.signed("ListIdentityPools", json!({"MaxResults": 2, "NextToken": token})).await;
        answer.assert_exception("InvalidParameterException", "Invalid NextToken.");
    }
}

#[tokio::test]
async fn the_configured_pool_has_its_role_from_the_start() {
    let daypass = Daypass::start().await;
    let roles = daypass.call("GetIdentityPoolRoles", json!({"IdentityPoolId": daypass.pool_id()})).await;
    let expected =
        json!({"IdentityPoolId": daypass.pool_id(), "Roles": {"authenticated": AUTHENTICATED_ROLE}});
    assert_eq!(roles, expected);
}

#[tokio::test]
async fn roles_are_replaced_as_a_whole_and_answered_with_nothing() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.guest_pool().await;
    let id = json!({"IdentityPoolId": pool_id});
    let facebook = json!({"IdentityPoolId": pool_id, "IdentityPoolName": "p", "AllowUnauthenticatedIdentities": true,
        "SupportedLoginProviders": {"graph.facebook.com": "7346241598935555"}});
    daypass.call("UpdateIdentityPool", facebook).await;
    assert_eq!(daypass.call("GetIdentityPoolRoles", id.clone()).await, id);

    let mapping = json!({"graph.facebook.com": {"Type": "Token", "AmbiguousRoleResolution": "Deny"}});
    let first = json!({"IdentityPoolId": pool_id, "Roles": {"authenticated": AUTHENTICATED_ROLE},
        "RoleMappings": mapping});
    let answer = daypass.signed("SetIdentityPoolRoles", first.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    assert_eq!(daypass.call("GetIdentityPoolRoles", id.clone()).await, first);

    let second = json!({"IdentityPoolId": pool_id, "Roles": {"unauthenticated": GUEST_ROLE}});
    daypass.call("SetIdentityPoolRoles", second.clone()).await;
    assert_eq!(daypass.call("GetIdentityPoolRoles", id).await, second);
}
