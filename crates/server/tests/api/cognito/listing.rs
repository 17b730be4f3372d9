//! ListIdentities, ListIdentityPools and LookupDeveloperIdentity, a page at a time: pages of every size show
//! everything once, and the last one says that it is the last.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{BACKENDS, Backend, DEVELOPER_PROVIDER, Daypass};

/// Everything that a listing shows, read in pages of one size.
async fn pages(daypass: &Daypass, operation: &str, mut input: Value, list: &str, size: usize) -> Vec<Value> {
    let mut found = Vec::new();
    input["MaxResults"] = size.into();
    loop {
        let page = daypass.call(operation, input.clone()).await;
        let items = page[list].as_array().unwrap();
        found.extend(items.iter().cloned());
        let Some(next) = page.get("NextToken") else { return found };
        assert_eq!(items.len(), size, "a page that is not the last is full");
        input["NextToken"] = next.clone();
    }
}

/// How many pages of a size there are for so many items.
async fn assert_each_once(
    daypass: &Daypass,
    operation: &str,
    input: Value,
    list: &str,
    expected: &BTreeSet<String>,
) {
    for size in (1..=expected.len() + 1).chain([60]) {
        let found = pages(daypass, operation, input.clone(), list, size).await;
        let distinct: BTreeSet<String> = found.iter().map(Value::to_string).collect();
        assert_eq!(found.len(), distinct.len(), "pages of {size} repeat something");
        assert_eq!(distinct, *expected, "pages of {size} skip something");
    }
}

/// A pool with ten identities, four of which were merged into others.
async fn populated(backend: Backend) -> Daypass {
    let daypass = Daypass::start().on(backend).with_oidc_hosts(&[]).await;
    for number in 0..10 {
        daypass.developer_token(&format!("user {number}")).await;
    }
    for number in 0..4 {
        let input = json!({"IdentityPoolId": daypass.pool_id(), "DeveloperProviderName": DEVELOPER_PROVIDER,
            "SourceUserIdentifier": format!("user {number}"), "DestinationUserIdentifier": "user 9"});
        daypass.call("MergeDeveloperIdentities", input).await;
    }
    daypass
}

#[tokio::test]
async fn identities_are_listed_each_once_whatever_the_page() {
    for backend in BACKENDS {
        let daypass = populated(backend()).await;
        for (hide_disabled, count) in [(json!(false), 10), (Value::Null, 10), (json!(true), 6)] {
            let input = json!({"IdentityPoolId": daypass.pool_id(), "HideDisabled": hide_disabled});
            let whole = pages(&daypass, "ListIdentities", input.clone(), "Identities", 60).await;
            assert_eq!(whole.len(), count);
            let expected = whole.iter().map(Value::to_string).collect();
            assert_each_once(&daypass, "ListIdentities", input, "Identities", &expected).await;
        }
    }
}

#[tokio::test]
async fn a_disabled_identity_is_listed_without_logins_unless_it_is_to_be_hidden() {
    let daypass = populated(Backend::memory()).await;
    let input = json!({"IdentityPoolId": daypass.pool_id()});
    let all = pages(&daypass, "ListIdentities", input, "Identities", 60).await;
    let (with, without): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|identity| identity.get("Logins").is_some());
    assert_eq!(without.len(), 4);
    let shown: BTreeSet<String> = with.iter().map(|identity| identity["IdentityId"].to_string()).collect();
    let enabled = daypass.enabled_identities().await;
    assert_eq!(enabled.iter().map(Value::to_string).collect::<BTreeSet<_>>(), shown);
}

#[tokio::test]
async fn a_listing_goes_on_where_it_was_though_its_last_identity_is_gone() {
    let daypass = populated(Backend::memory()).await;
    let mut input = json!({"IdentityPoolId": daypass.pool_id(), "MaxResults": 3});
    let page = daypass.call("ListIdentities", input.clone()).await;
    let seen = page["Identities"].as_array().unwrap();
    let last = &seen[2]["IdentityId"];
    daypass.call("DeleteIdentities", json!({"IdentityIdsToDelete": [last]})).await;
    input["NextToken"] = page["NextToken"].clone();
    input["MaxResults"] = 60.into();
    let rest = daypass.call("ListIdentities", input).await;
    assert_eq!(rest["Identities"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn a_token_of_one_listing_is_none_of_another() {
    let daypass = populated(Backend::memory()).await;
    let (pool, other) = (daypass.pool_id(), daypass.guest_pool().await);
    let lookup = |user: &str| json!({"IdentityPoolId": pool, "DeveloperUserIdentifier": user});
    let listings = [
        ("ListIdentityPools", json!({})),
        ("ListIdentities", json!({"IdentityPoolId": pool})),
        ("ListIdentities", json!({"IdentityPoolId": other})),
        ("LookupDeveloperIdentity", lookup("user 9")),
        ("LookupDeveloperIdentity", lookup("user 5")),
    ];
    let mut tokens = Vec::new();
    for (giver, (operation, input)) in listings.iter().enumerate() {
        let mut input = input.clone();
        input["MaxResults"] = 1.into();
        let page = daypass.call(operation, input).await;
        tokens.extend(page.get("NextToken").map(|token| (giver, token.clone())));
    }
    assert_eq!(tokens.iter().map(|(giver, _)| *giver).collect::<Vec<_>>(), [0, 1, 3]);
    for (giver, token) in tokens {
        for (taker, (operation, input)) in listings.iter().enumerate() {
            let mut input = input.clone();
            (input["MaxResults"], input["NextToken"]) = (1.into(), token.clone());
            let answer = daypass.signed(operation, input).await;
            if taker == giver {
                assert_eq!(answer.status, 200, "{answer:?}");
            } else {
                answer.assert_exception("InvalidParameterException", "Invalid NextToken.");
            }
        }
    }
}

#[tokio::test]
async fn pools_are_listed_each_once_whatever_the_page() {
    for backend in BACKENDS {
        let daypass = Daypass::start().on(backend()).with_oidc_hosts(&[]).await;
        for _ in 0..6 {
            daypass.guest_pool().await;
        }
        let whole = pages(&daypass, "ListIdentityPools", json!({}), "IdentityPools", 60).await;
        assert_eq!(whole.len(), 7);
        let expected = whole.iter().map(Value::to_string).collect();
        assert_each_once(&daypass, "ListIdentityPools", json!({}), "IdentityPools", &expected).await;
    }
}

#[tokio::test]
async fn the_users_of_an_identity_are_listed_each_once_whatever_the_page() {
    for backend in BACKENDS {
        let daypass = populated(backend()).await;
        let expected = [0, 1, 2, 3, 9].map(|number| json!(format!("user {number}")).to_string()).into();
        let input = json!({"IdentityPoolId": daypass.pool_id(), "DeveloperUserIdentifier": "user 2"});
        let list = "DeveloperUserIdentifierList";
        assert_each_once(&daypass, "LookupDeveloperIdentity", input, list, &expected).await;
    }
}
