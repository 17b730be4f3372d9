//! Looking at identities: DescribeIdentity, ListIdentities, LookupDeveloperIdentity.

use daypass_core::ground::clock::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{DEVELOPER_PROVIDER, Daypass};

#[tokio::test]
async fn a_guest_is_described_without_logins() {
    let daypass = Daypass::start().await;
    daypass.advance(SignedDuration::from_millis(77));
    let guest = daypass.guest(&daypass.guest_pool().await).await;
    let described = daypass.call("DescribeIdentity", json!({"IdentityId": guest})).await;
    let expected = json!({"IdentityId": guest, "CreationDate": 1_790_000_000.077,
        "LastModifiedDate": 1_790_000_000.077});
    assert_eq!(described, expected);
}

#[tokio::test]
async fn a_login_is_described_by_the_name_of_its_provider_alone() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    let described = daypass.call("DescribeIdentity", json!({"IdentityId": token["IdentityId"]})).await;
    let expected = json!({"IdentityId": token["IdentityId"], "Logins": [DEVELOPER_PROVIDER],
        "CreationDate": 1_790_000_000.0, "LastModifiedDate": 1_790_000_000.0});
    assert_eq!(described, expected);
}

#[tokio::test]
async fn linking_a_login_changes_the_date_of_the_last_change() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.guest_pool().await;
    let guest = daypass.guest(&pool_id).await;
    daypass.advance(SignedDuration::from_secs(5));
    let logins = json!({DEVELOPER_PROVIDER: "42"});
    let input = json!({"IdentityPoolId": pool_id, "IdentityId": guest, "Logins": logins});
    daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await;
    let described = daypass.call("DescribeIdentity", json!({"IdentityId": guest})).await;
    assert_eq!(described["CreationDate"], 1_790_000_000.0);
    assert_eq!(described["LastModifiedDate"], 1_790_000_005.0);
}

#[tokio::test]
async fn identities_are_listed_a_page_at_a_time() {
    let daypass = Daypass::start().await;
    let mut expected = Vec::new();
    for user in ["a", "b", "c", "d", "e"] {
        expected.push(daypass.developer_token(user).await["IdentityId"].clone());
    }
    let mut found = Vec::new();
    let mut next_token = Value::Null;
    for _ in 0..3 {
        let input = json!({"IdentityPoolId": daypass.pool_id(), "MaxResults": 2, "NextToken": next_token});
        let page = daypass.call("ListIdentities", input).await;
        assert_eq!(page["IdentityPoolId"], daypass.pool_id());
        let identities = page["Identities"].as_array().unwrap();
        found.extend(identities.iter().map(|identity| identity["IdentityId"].clone()));
        next_token = page["NextToken"].clone();
    }
    assert_eq!(next_token, Value::Null);
    expected.sort_by_key(Value::to_string);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_identities_of_one_pool_are_not_those_of_another() {
    let daypass = Daypass::start().await;
    daypass.developer_token("42").await;
    let other = daypass.guest_pool().await;
    let input = json!({"IdentityPoolId": other, "MaxResults": 60, "HideDisabled": true});
    let listed = daypass.call("ListIdentities", input).await;
    assert_eq!(listed, json!({"IdentityPoolId": other, "Identities": []}));
}

async fn look_up(daypass: &Daypass, members: Value) -> crate::harness::Answer {
    let mut input = members;
    input["IdentityPoolId"] = daypass.pool_id().into();
    daypass.signed("LookupDeveloperIdentity", input).await
}

#[tokio::test]
async fn a_user_and_an_identity_lead_to_each_other() {
    let daypass = Daypass::start().await;
    let id = daypass.developer_token("42").await["IdentityId"].clone();
    let expected = json!({"IdentityId": id, "DeveloperUserIdentifierList": ["42"]});
    for members in [
        json!({"DeveloperUserIdentifier": "42"}),
        json!({"IdentityId": id}),
        json!({"DeveloperUserIdentifier": "42", "IdentityId": id}),
    ] {
        assert_eq!(look_up(&daypass, members).await.json(), expected);
    }
}

#[tokio::test]
async fn a_user_and_somebody_elses_identity_conflict() {
    let daypass = Daypass::start().await;
    let (ada, _) = (daypass.developer_token("ada").await, daypass.developer_token("grace").await);
    let both = json!({"DeveloperUserIdentifier": "grace", "IdentityId": ada["IdentityId"]});
    let message = "The developer user identifier belongs to another identity.";
    look_up(&daypass, both).await.assert_exception("ResourceConflictException", message);
}

#[tokio::test]
async fn a_lookup_needs_something_to_look_for() {
    let daypass = Daypass::start().await;
    let message = "Either IdentityId or DeveloperUserIdentifier must be provided.";
    look_up(&daypass, json!({})).await.assert_exception("InvalidParameterException", message);
}

#[tokio::test]
async fn an_unknown_user_is_not_found_and_not_made() {
    let daypass = Daypass::start().await;
    let answer = look_up(&daypass, json!({"DeveloperUserIdentifier": "nobody"})).await;
    answer.assert_exception("ResourceNotFoundException", "Developer user identifier not found.");
    assert!(daypass.identities().await.is_empty());
}
