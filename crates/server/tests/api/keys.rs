//! Developer access keys: what their policies allow, and how they come and go.

use daypass_core::credentials::access_key::ALLOW_ALL;
use daypass_core::ground::ids::{AccessKeyId, UserName};
use serde_json::{Value, json};

use crate::harness::{Answer, Credentials, DEVELOPER_PROVIDER, Daypass};

const ARN_OF_POOLS: &str = "arn:aws:cognito-identity:us-east-1:000000000000:identitypool";

fn name() -> UserName {
    UserName::parse("reports").unwrap()
}

/// A key whose policy has these statements.
async fn key(daypass: &Daypass, statements: Value) -> Credentials {
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let (key, secret) = daypass.embedded.access_keys.create(&name(), &policy).await.unwrap();
    Credentials::of_developer(key.id.as_str(), secret.expose())
}

/// A key that may do everything in the configured pool and nothing elsewhere.
async fn key_of_one_pool(daypass: &Daypass) -> Credentials {
    key(
        daypass,
        json!([{"Effect": "Allow", "Action": "cognito-identity:*", "Resource": arn(daypass.pool_id())}]),
    )
    .await
}

fn arn(pool_id: &str) -> String {
    format!("{ARN_OF_POOLS}/{pool_id}")
}

fn assert_denied(answer: &Answer, operation: &str, resource: &str) {
    let message = format!(
        "User: arn:aws:iam::000000000000:user/reports is not authorized to perform: \
         cognito-identity:{operation} on resource: {resource}"
    );
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.json(), json!({"__type": "AccessDeniedException", "Message": message}));
}

fn id_of(credentials: &Credentials) -> AccessKeyId {
    AccessKeyId::parse(&credentials.access_key_id).unwrap()
}

fn describe(pool_id: &str) -> Value {
    json!({"IdentityPoolId": pool_id})
}

#[tokio::test]
async fn a_key_of_one_pool_is_refused_at_another() {
    let daypass = Daypass::start().await;
    let (key, other) = (key_of_one_pool(&daypass).await, daypass.guest_pool().await);
    let answer = daypass.signed_by(&key, "DescribeIdentityPool", describe(daypass.pool_id())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = daypass.signed_by(&key, "DescribeIdentityPool", describe(&other)).await;
    assert_denied(&answer, "DescribeIdentityPool", &arn(&other));
    let logins = json!({DEVELOPER_PROVIDER: "42"});
    let input = json!({"IdentityPoolId": other, "Logins": logins});
    let answer = daypass.signed_by(&key, "GetOpenIdTokenForDeveloperIdentity", input).await;
    assert_denied(&answer, "GetOpenIdTokenForDeveloperIdentity", &arn(&other));
}

#[tokio::test]
async fn operations_about_no_pool_need_a_policy_for_everything() {
    let daypass = Daypass::start().await;
    let key = key_of_one_pool(&daypass).await;
    let answer = daypass.signed_by(&key, "ListIdentityPools", json!({"MaxResults": 1})).await;
    assert_denied(&answer, "ListIdentityPools", "*");
    let input = json!({"IdentityPoolName": "mine", "AllowUnauthenticatedIdentities": false});
    let answer = daypass.signed_by(&key, "CreateIdentityPool", input).await;
    assert_denied(&answer, "CreateIdentityPool", "*");
}

#[tokio::test]
async fn a_key_does_what_its_actions_name_and_nothing_else() {
    let daypass = Daypass::start().await;
    let actions =
        ["cognito-identity:GetOpenIdTokenForDeveloperIdentity", "cognito-identity:LookupDeveloperIdentity"];
    let key = key(&daypass, json!([{"Effect": "Allow", "Action": actions, "Resource": "*"}])).await;
    let logins = json!({DEVELOPER_PROVIDER: "42"});
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
    let answer = daypass.signed_by(&key, "GetOpenIdTokenForDeveloperIdentity", input).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = daypass.signed_by(&key, "DescribeIdentityPool", describe(daypass.pool_id())).await;
    assert_denied(&answer, "DescribeIdentityPool", &arn(daypass.pool_id()));
}

#[tokio::test]
async fn a_deny_wins_over_every_allow() {
    let daypass = Daypass::start().await;
    let other = daypass.guest_pool().await;
    let statements = json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "cognito-identity:Describe*", "Resource": arn(&other)},
    ]);
    let key = key(&daypass, statements).await;
    let answer = daypass.signed_by(&key, "DescribeIdentityPool", describe(&other)).await;
    assert_denied(&answer, "DescribeIdentityPool", &arn(&other));
    for (operation, input) in [
        ("DescribeIdentityPool", describe(daypass.pool_id())),
        ("ListIdentityPools", json!({"MaxResults": 1})),
    ] {
        let answer = daypass.signed_by(&key, operation, input).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn an_identity_is_described_by_whoever_may_in_its_own_pool() {
    let daypass = Daypass::start().await;
    let (key, other) = (key_of_one_pool(&daypass).await, daypass.guest_pool().await);
    let (mine, theirs) = (daypass.former_guest().await, daypass.guest(&other).await);
    let answer = daypass.signed_by(&key, "DescribeIdentity", json!({"IdentityId": mine})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = daypass.signed_by(&key, "DescribeIdentity", json!({"IdentityId": theirs})).await;
    assert_denied(&answer, "DescribeIdentity", &arn(&other));
    let answer = daypass.signed_by(&key, "DescribeIdentity", json!({"IdentityId": "us-east-1:0a"})).await;
    assert_denied(&answer, "DescribeIdentity", "*");
}

#[tokio::test]
async fn identities_are_deleted_by_whoever_may_in_the_pool_of_each() {
    let daypass = Daypass::start().await;
    let (key, other) = (key_of_one_pool(&daypass).await, daypass.guest_pool().await);
    let (mine, theirs) = (daypass.former_guest().await, daypass.guest(&other).await);
    let answer =
        daypass.signed_by(&key, "DeleteIdentities", json!({"IdentityIdsToDelete": [mine, theirs]})).await;
    assert_denied(&answer, "DeleteIdentities", &arn(&other));
    for ids in [json!([]), json!(["us-east-1:0a"]), json!([7]), json!(vec![&mine; 61]), json!(mine)] {
        let answer = daypass.signed_by(&key, "DeleteIdentities", json!({"IdentityIdsToDelete": ids})).await;
        assert_denied(&answer, "DeleteIdentities", "*");
    }
}

#[tokio::test]
async fn a_member_that_the_operation_does_not_read_lends_no_pool() {
    let daypass = Daypass::start().await;
    let (key, other) = (key_of_one_pool(&daypass).await, daypass.guest_pool().await);
    let theirs = daypass.guest(&other).await;
    let mine = daypass.pool_id();
    for (operation, input, resource) in [
        ("ListIdentityPools", json!({"MaxResults": 1, "IdentityPoolId": mine}), "*"),
        (
            "CreateIdentityPool",
            json!({"IdentityPoolName": "x", "AllowUnauthenticatedIdentities": true, "IdentityPoolId": mine}),
            "*",
        ),
        ("DescribeIdentity", json!({"IdentityId": theirs, "IdentityPoolId": mine}), arn(&other).as_str()),
        (
            "DeleteIdentities",
            json!({"IdentityIdsToDelete": [theirs], "IdentityPoolId": mine}),
            arn(&other).as_str(),
        ),
        ("TagResource", json!({"ResourceArn": arn(&other), "IdentityPoolId": mine}), arn(&other).as_str()),
        ("DescribeIdentityPool", json!({"IdentityPoolId": other, "ResourceArn": arn(mine)}), &arn(&other)),
    ] {
        assert_denied(&daypass.signed_by(&key, operation, input).await, operation, resource);
    }
}

#[tokio::test]
async fn tags_are_about_the_pool_that_the_arn_names() {
    let daypass = Daypass::start().await;
    let (key, mine) = (key_of_one_pool(&daypass).await, daypass.pool_id());
    for operation in ["TagResource", "UntagResource", "ListTagsForResource"] {
        let answer = daypass.signed_by(&key, operation, json!({"ResourceArn": arn(mine)})).await;
        assert!(!answer.body.contains("AccessDeniedException"), "{answer:?}");
        let foreign = arn(mine).replace("000000000000", "111111111111");
        for wrong in [json!(mine), json!(foreign), json!(format!("{}/{mine}", arn(mine))), json!(null)] {
            let answer = daypass.signed_by(&key, operation, json!({"ResourceArn": wrong})).await;
            assert_denied(&answer, operation, "*");
        }
    }
}

#[tokio::test]
async fn a_policy_can_ask_for_the_pool_by_condition() {
    let daypass = Daypass::start().await;
    let other = daypass.guest_pool().await;
    let condition = json!({"ArnEquals": {"cognito-identity:IdentityPoolArn": arn(daypass.pool_id())}});
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    let key = key(&daypass, json!([statement])).await;
    for (operation, input, denied) in [
        ("DescribeIdentityPool", describe(daypass.pool_id()), None),
        ("DescribeIdentityPool", describe(&other), Some(arn(&other))),
        ("DescribeIdentity", json!({"IdentityId": daypass.former_guest().await}), None),
        ("DescribeIdentity", json!({"IdentityId": daypass.guest(&other).await}), Some(arn(&other))),
        ("ListIdentityPools", json!({"MaxResults": 1}), Some("*".into())),
    ] {
        let answer = daypass.signed_by(&key, operation, input).await;
        match denied {
            Some(resource) => assert_denied(&answer, operation, &resource),
            None => assert_eq!(answer.status, 200, "{answer:?}"),
        }
    }
}

#[tokio::test]
async fn a_pool_id_that_is_none_is_not_repeated() {
    let daypass = Daypass::start().await;
    let key = key_of_one_pool(&daypass).await;
    for id in [json!("*"), json!("us-east-1:<b>"), json!(7), json!(null)] {
        let answer = daypass.signed_by(&key, "DescribeIdentityPool", json!({"IdentityPoolId": id})).await;
        assert_denied(&answer, "DescribeIdentityPool", "*");
    }
}

async fn assert_accepted(daypass: &Daypass, key: &Credentials) {
    let answer = daypass.signed_by(key, "DescribeIdentityPool", describe(daypass.pool_id())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn assert_unknown(daypass: &Daypass, key: &Credentials) {
    let answer = daypass.signed_by(key, "DescribeIdentityPool", describe(daypass.pool_id())).await;
    let message = "The security token included in the request is invalid.";
    answer.assert_exception("UnrecognizedClientException", message);
}

#[tokio::test]
async fn a_disabled_key_is_refused_like_an_unknown_one_until_it_is_enabled_again() {
    let daypass = Daypass::start().await;
    let key = key_of_one_pool(&daypass).await;
    assert_accepted(&daypass, &key).await;
    daypass.embedded.access_keys.set_enabled(&id_of(&key), false).await.unwrap();
    assert_unknown(&daypass, &key).await;
    daypass.embedded.access_keys.set_enabled(&id_of(&key), true).await.unwrap();
    assert_accepted(&daypass, &key).await;
}

#[tokio::test]
async fn a_rotated_key_works_beside_the_old_one_and_after_it() {
    let daypass = Daypass::start().await;
    let (keys, old) = (&daypass.embedded.access_keys, key_of_one_pool(&daypass).await);
    let (new, secret) = keys.rotate(&name()).await.unwrap();
    let new = Credentials::of_developer(new.id.as_str(), secret.expose());
    assert_accepted(&daypass, &old).await;
    assert_accepted(&daypass, &new).await;
    keys.rotate(&name()).await.unwrap_err();

    keys.set_enabled(&id_of(&old), false).await.unwrap();
    keys.delete(&id_of(&old)).await.unwrap();
    assert_unknown(&daypass, &old).await;
    assert_accepted(&daypass, &new).await;
    let answer = daypass.signed_by(&new, "ListIdentityPools", json!({"MaxResults": 1})).await;
    assert_denied(&answer, "ListIdentityPools", "*");
}

#[tokio::test]
async fn a_policy_with_a_mistake_makes_no_key() {
    let daypass = Daypass::start().await;
    let policy = ALLOW_ALL.replace("\"*\"}", "\"pool/*\"}");
    let error = daypass.embedded.access_keys.create(&name(), &policy).await.unwrap_err().to_string();
    assert!(
        error.starts_with("the policy is refused: statement 1, Resource: \"pool/*\" is neither"),
        "{error}"
    );
    daypass.embedded.access_keys.create(&name(), ALLOW_ALL).await.unwrap();
}
