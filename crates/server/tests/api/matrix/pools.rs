//! The right to administer a pool and to vouch for people in it: every signed operation, and GetCallerIdentity,
//! which tells whose credentials are shown.

use daypass_server::routes::aws::{Access, model};
use serde_json::{Value, json};

use super::{assert_code, assert_refused, without_permission, without_standing};
use crate::harness::{
    AUTHENTICATED_ROLE, DEVELOPER_PROVIDER, Daypass, OIDC_ARN, cognito_request, sts_request,
};

pub const DOORS: &[&str] = &[
    "aws CreateIdentityPool",
    "aws DeleteIdentities",
    "aws DeleteIdentityPool",
    "aws DescribeIdentity",
    "aws DescribeIdentityPool",
    "aws GetIdentityPoolRoles",
    "aws GetOpenIdTokenForDeveloperIdentity",
    "aws GetPrincipalTagAttributeMap",
    "aws ListIdentities",
    "aws ListIdentityPools",
    "aws ListTagsForResource",
    "aws LookupDeveloperIdentity",
    "aws MergeDeveloperIdentities",
    "aws SetIdentityPoolRoles",
    "aws SetPrincipalTagAttributeMap",
    "aws TagResource",
    "aws UnlinkDeveloperIdentity",
    "aws UntagResource",
    "aws UpdateIdentityPool",
    "sts GetCallerIdentity",
];

/// What the roles of these tests allow, so that it shows whether a session counts at all.
const ALLOWED_TO_SESSIONS: &str = "ListIdentityPools";

/// A sound request of every operation, in an order in which all of them succeed.
async fn requests(daypass: &Daypass) -> Vec<(&'static str, Value)> {
    let (pool, spare) = (json!(daypass.pool_id()), daypass.guest_pool().await);
    daypass.accept_public_logins().await;
    let ada = daypass.developer_token("ada").await["IdentityId"].clone();
    daypass.developer_token("grace").await;
    let arn = format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{}", daypass.pool_id());
    let provider = json!({"IdentityPoolId": pool, "IdentityProviderName": OIDC_ARN});
    vec![
        ("CreateIdentityPool", json!({"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false})),
        ("DescribeIdentityPool", json!({"IdentityPoolId": pool})),
        ("DescribeIdentity", json!({"IdentityId": ada})),
        ("ListIdentities", json!({"IdentityPoolId": pool, "MaxResults": 1})),
        ("ListIdentityPools", json!({"MaxResults": 1})),
        ("GetIdentityPoolRoles", json!({"IdentityPoolId": pool})),
        (
            "SetIdentityPoolRoles",
            json!({"IdentityPoolId": pool, "Roles": {"authenticated": AUTHENTICATED_ROLE}}),
        ),
        ("GetPrincipalTagAttributeMap", provider.clone()),
        ("SetPrincipalTagAttributeMap", provider),
        ("TagResource", json!({"ResourceArn": arn, "Tags": {"a": "b"}})),
        ("ListTagsForResource", json!({"ResourceArn": arn})),
        ("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a"]})),
        (
            "GetOpenIdTokenForDeveloperIdentity",
            json!({"IdentityPoolId": pool, "Logins": {DEVELOPER_PROVIDER: "ada"}}),
        ),
        ("LookupDeveloperIdentity", json!({"IdentityPoolId": pool, "DeveloperUserIdentifier": "ada"})),
        (
            "MergeDeveloperIdentities",
            json!({"IdentityPoolId": pool, "DeveloperProviderName": DEVELOPER_PROVIDER,
                "SourceUserIdentifier": "grace", "DestinationUserIdentifier": "ada"}),
        ),
        (
            "UnlinkDeveloperIdentity",
            json!({"IdentityPoolId": pool, "DeveloperProviderName": DEVELOPER_PROVIDER, "IdentityId": ada,
                "DeveloperUserIdentifier": "grace"}),
        ),
        ("DeleteIdentities", json!({"IdentityIdsToDelete": [ada]})),
        (
            "UpdateIdentityPool",
            json!({"IdentityPoolId": pool, "IdentityPoolName": "q", "AllowUnauthenticatedIdentities": false}),
        ),
        ("DeleteIdentityPool", json!({"IdentityPoolId": spare})),
    ]
}

/// All that the operations could have changed.
async fn everything(daypass: &Daypass) -> Vec<Value> {
    let pools = daypass.call("ListIdentityPools", json!({"MaxResults": 60})).await;
    let mut found = vec![daypass.identities().await.into(), pools.clone()];
    for pool in pools["IdentityPools"].as_array().unwrap() {
        let pool = json!({"IdentityPoolId": pool["IdentityPoolId"]});
        for operation in ["DescribeIdentityPool", "GetIdentityPoolRoles"] {
            found.push(daypass.call(operation, pool.clone()).await);
        }
    }
    found
}

#[tokio::test]
async fn no_signed_operation_is_done_for_who_has_no_right_to_it() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    let (no_standing, no_permission) = (without_standing(&daypass).await, without_permission(&daypass).await);
    let requests = requests(&daypass).await;
    let signed = model::OPERATIONS.iter().filter(|operation| operation.access == Access::Signed);
    let mut names: Vec<_> = requests.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(names, signed.map(|operation| operation.name).collect::<Vec<_>>());

    let before = everything(&daypass).await;
    for (operation, input) in &requests {
        let with_permission = no_permission.iter().filter(|_| *operation != ALLOWED_TO_SESSIONS);
        for asker in no_standing.iter().chain(with_permission) {
            let request = asker.sign(&daypass, "cognito-identity", cognito_request(operation, input));
            assert_code(&daypass.send(request).await, asker.code, asker.who, operation);
        }
    }
    assert_eq!(everything(&daypass).await, before, "a refused request changes nothing");

    for (operation, input) in requests {
        daypass.call(operation, input).await;
    }
}

#[tokio::test]
async fn nobody_is_told_whose_credentials_they_are_but_who_has_them() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    for asker in without_standing(&daypass).await {
        let request = sts_request(&[("Action", "GetCallerIdentity")]);
        let answer = daypass.send(asker.sign(&daypass, "sts", request)).await;
        assert_refused(&answer, asker.who, "GetCallerIdentity");
        assert!(!answer.body.contains("arn:"), "{}: {answer:?}", asker.who);
    }
}

/// A session that may do everything is over when it is over.
#[tokio::test]
async fn no_signed_operation_is_done_for_a_session_that_is_over() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    let (session, _) = super::almighty(&daypass).await;
    let requests = requests(&daypass).await;
    daypass.advance(daypass_core::ground::clock::SignedDuration::from_hours(1));
    for (operation, input) in requests {
        let answer = daypass.signed_by(&session, operation, input).await;
        assert_code(&answer, "ExpiredTokenException", "a session that is over", operation);
    }
}
