//! Values that break the constraints of their shapes. Clients show these texts; none of them shows a token.

use serde_json::{Value, json};

use crate::harness::{DEVELOPER_PROVIDER, Daypass};

async fn assert_violates(operation: &str, input: Value, violation: &str) {
    let answer = Daypass::start().await.signed(operation, input).await;
    let message = format!("1 validation error detected: Value {violation}");
    answer.assert_exception("ValidationException", &message);
}

#[tokio::test]
async fn what_a_client_sent_ends_no_header_line() {
    let input = json!({"IdentityPoolName": "a\r\nSet-Cookie: é=1", "AllowUnauthenticatedIdentities": true});
    let violation = "'a\r\nSet-Cookie: é=1' at 'identityPoolName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w\\s+=,.@-]+";
    assert_violates("CreateIdentityPool", input, violation).await;
}

#[tokio::test]
async fn all_violations_are_told_at_once() {
    let input = json!({"IdentityPoolId": "", "MaxResults": 61, "NextToken": "a b"});
    let answer = Daypass::start().await.signed("ListIdentities", input).await;
    let message = r"4 validation errors detected: Value '' at 'identityPoolId' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'identityPoolId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+; Value '61' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 60; Value 'a b' at 'nextToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [\S]+";
    answer.assert_exception("ValidationException", message);
}

#[tokio::test]
async fn ids() {
    let pattern =
        r"failed to satisfy constraint: Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+";
    let violation = format!("'us-east-1' at 'identityPoolId' {pattern}");
    assert_violates("DescribeIdentityPool", json!({"IdentityPoolId": "us-east-1"}), &violation).await;
    let violation = format!("'us-east-1:0A' at 'identityId' {pattern}");
    assert_violates("DescribeIdentity", json!({"IdentityId": "us-east-1:0A"}), &violation).await;

    let long = format!("r:{}", "0".repeat(54));
    let violation = format!(
        "'{long}' at 'identityId' failed to satisfy constraint: Member must have length less than or equal to 55"
    );
    assert_violates("GetOpenIdToken", json!({"IdentityId": long}), &violation).await;
}

#[tokio::test]
async fn members_that_are_missing() {
    let required = [
        ("CreateIdentityPool", json!({"AllowUnauthenticatedIdentities": true}), "identityPoolName"),
        ("CreateIdentityPool", json!({"IdentityPoolName": "p"}), "allowUnauthenticatedIdentities"),
        ("DescribeIdentityPool", json!({}), "identityPoolId"),
        ("ListIdentityPools", json!({}), "maxResults"),
        ("ListIdentities", json!({"IdentityPoolId": "r:0"}), "maxResults"),
        ("DeleteIdentities", json!({}), "identityIdsToDelete"),
        ("SetIdentityPoolRoles", json!({"IdentityPoolId": "r:0"}), "roles"),
        ("GetId", json!({}), "identityPoolId"),
        ("GetOpenIdToken", json!({}), "identityId"),
        ("GetCredentialsForIdentity", json!({"IdentityId": null}), "identityId"),
        ("GetOpenIdTokenForDeveloperIdentity", json!({"IdentityPoolId": "r:0"}), "logins"),
        ("LookupDeveloperIdentity", json!({}), "identityPoolId"),
    ];
    for (operation, input, member) in required {
        let violation = format!("null at '{member}' failed to satisfy constraint: Member must not be null");
        assert_violates(operation, input, &violation).await;
    }
}

#[tokio::test]
async fn numbers() {
    for (results, constraint) in [
        (0, "greater than or equal to 1"),
        (61, "less than or equal to 60"),
        (-1, "greater than or equal to 1"),
    ] {
        let violation = format!(
            "'{results}' at 'maxResults' failed to satisfy constraint: Member must have value {constraint}"
        );
        assert_violates("ListIdentityPools", json!({"MaxResults": results}), &violation).await;
    }
    for (seconds, constraint) in [(0, "greater than or equal to 1"), (86_401, "less than or equal to 86400")]
    {
        let input =
            json!({"IdentityPoolId": "r:0", "Logins": {DEVELOPER_PROVIDER: "42"}, "TokenDuration": seconds});
        let violation = format!(
            "'{seconds}' at 'tokenDuration' failed to satisfy constraint: Member must have value {constraint}"
        );
        assert_violates("GetOpenIdTokenForDeveloperIdentity", input, &violation).await;
    }
}

#[tokio::test]
async fn names() {
    let input = json!({"IdentityPoolName": "a/b", "AllowUnauthenticatedIdentities": true});
    let violation = r"'a/b' at 'identityPoolName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w\s+=,.@-]+";
    assert_violates("CreateIdentityPool", input, violation).await;

    let input = json!({"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": true,
        "DeveloperProviderName": "login app"});
    let violation = r"'login app' at 'developerProviderName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w._-]+";
    assert_violates("CreateIdentityPool", input, violation).await;

    let roles = json!({"IdentityPoolId": "r:0", "Roles": {"admin": "arn:aws:iam::000000000000:role/x"}});
    let violation = "'{admin=arn:aws:iam::000000000000:role/x}' at 'roles' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: (un)?authenticated]";
    assert_violates("SetIdentityPoolRoles", roles, violation).await;
}

#[tokio::test]
async fn tokens_are_not_shown() {
    let secret = "hunter2".repeat(8_000);
    let logins = json!({"cognito-identity.amazonaws.com": secret});
    let violation = "'***' at 'logins' failed to satisfy constraint: Map value must satisfy constraint: \
        [Member must have length less than or equal to 50000, Member must have length greater than or equal to 1]";
    let input = json!({"IdentityId": "r:0", "Logins": logins});
    assert_violates("GetCredentialsForIdentity", input, violation).await;
}

#[tokio::test]
async fn tags() {
    let input = |tags: Value| json!({"IdentityPoolId": "r:0", "Logins": {DEVELOPER_PROVIDER: "42"}, "PrincipalTags": tags});
    let violation = "'{team=}' at 'principalTags' failed to satisfy constraint: Map value must satisfy constraint: \
        [Member must have length less than or equal to 256, Member must have length greater than or equal to 1]";
    assert_violates("GetOpenIdTokenForDeveloperIdentity", input(json!({"team": ""})), violation).await;
    let many: serde_json::Map<_, _> = (0..51).map(|n| (n.to_string(), json!("x"))).collect();
    let shown: Vec<String> = many.keys().map(|key| format!("{key}=x")).collect();
    let shown: String = format!("{{{}}}", shown.join(", ")).chars().take(256).collect();
    let violation = format!(
        "'{shown}…' at 'principalTags' failed to satisfy constraint: Member must have length less than or equal to 50"
    );
    assert_violates("GetOpenIdTokenForDeveloperIdentity", input(many.into()), &violation).await;
}

#[tokio::test]
async fn bodies_that_are_not_the_operations_input() {
    let daypass = Daypass::start().await;
    let answer = daypass.public("GetId", json!({"IdentityPoolId": ["hunter2"]})).await;
    answer.assert_code("SerializationException");
    assert!(!answer.body.contains("hunter2"), "{answer:?}");
    daypass.public("GetId", json!("hunter2")).await.assert_code("SerializationException");
}
