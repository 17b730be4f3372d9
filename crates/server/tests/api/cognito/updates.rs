//! UpdateIdentityPool, which replaces a pool's settings, and DeleteIdentityPool.

use daypass_core::login::public::testing::GOOGLE;
use futures::future::join_all;
use serde_json::{Value, json};

use super::UNKNOWN;
use crate::harness::{Answer, Backend, DEVELOPER_PROVIDER, Daypass, GOOGLE_APP, OIDC_ARN, USER_POOL};

/// A pool with every setting that Daypass honours.
async fn whole_pool(daypass: &Daypass) -> Value {
    let input = json!({
        "IdentityPoolName": "whole",
        "AllowUnauthenticatedIdentities": true,
        "AllowClassicFlow": false,
        "SupportedLoginProviders": {GOOGLE: GOOGLE_APP},
        "DeveloperProviderName": DEVELOPER_PROVIDER,
        "OpenIdConnectProviderARNs": [OIDC_ARN],
        "CognitoIdentityProviders": [{"ProviderName": USER_POOL, "ClientId": "client"}],
        "IdentityPoolTags": {"team": "games"},
    });
    daypass.call("CreateIdentityPool", input).await
}

/// The least that an update says.
fn bare(pool: &Value) -> Value {
    json!({"IdentityPoolId": pool["IdentityPoolId"], "IdentityPoolName": "bare",
        "AllowUnauthenticatedIdentities": false})
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

#[tokio::test]
async fn what_an_update_leaves_out_is_gone_but_for_tags_and_the_developer_provider() {
    let daypass = Daypass::start().await;
    let pool = whole_pool(&daypass).await;
    let mut expected = bare(&pool);
    expected["DeveloperProviderName"] = DEVELOPER_PROVIDER.into();
    expected["IdentityPoolTags"] = json!({"team": "games"});
    assert_eq!(daypass.call("UpdateIdentityPool", bare(&pool)).await, expected);
    let id = json!({"IdentityPoolId": pool["IdentityPoolId"]});
    assert_eq!(daypass.call("DescribeIdentityPool", id).await, expected);
}

#[tokio::test]
async fn an_update_answers_with_all_that_it_was_given() {
    let daypass = Daypass::start().await;
    let whole = whole_pool(&daypass).await;
    daypass.call("UpdateIdentityPool", bare(&whole)).await;
    assert_eq!(daypass.call("UpdateIdentityPool", whole.clone()).await, whole);
    let untagged = with(whole.clone(), "IdentityPoolTags", json!({}));
    assert_eq!(daypass.call("UpdateIdentityPool", untagged.clone()).await, untagged);
}

#[tokio::test]
async fn the_name_of_the_developer_provider_is_given_once() {
    let daypass = Daypass::start().await;
    let pool = daypass
        .call(
            "CreateIdentityPool",
            json!({"IdentityPoolName": "p",
        "AllowUnauthenticatedIdentities": false}),
        )
        .await;
    let named = with(bare(&pool), "DeveloperProviderName", DEVELOPER_PROVIDER.into());
    assert_eq!(daypass.call("UpdateIdentityPool", named).await["DeveloperProviderName"], DEVELOPER_PROVIDER);
    let renamed = with(bare(&pool), "DeveloperProviderName", "login.other".into());
    let message = "The developer provider name of an identity pool cannot be changed once it is set.";
    let answer = daypass.signed("UpdateIdentityPool", renamed).await;
    answer.assert_exception("InvalidParameterException", message);
}

#[tokio::test]
async fn what_daypass_cannot_verify_is_refused_and_changes_nothing() {
    let daypass = Daypass::start().await;
    let pool = whole_pool(&daypass).await;
    let saml = json!(["arn:aws:iam::000000000000:saml-provider/Company"]);
    let checked = json!([{"ProviderName": USER_POOL, "ClientId": "client", "ServerSideTokenCheck": true}]);
    for (member, value) in [("SamlProviderARNs", saml), ("CognitoIdentityProviders", checked)] {
        for operation in ["UpdateIdentityPool", "CreateIdentityPool"] {
            let answer = daypass.signed(operation, with(bare(&pool), member, value.clone())).await;
            answer.assert_code("InvalidParameterException");
            assert!(
                answer.body.contains(member.trim_start_matches("CognitoIdentityProviders")),
                "{answer:?}"
            );
        }
    }
    let id = json!({"IdentityPoolId": pool["IdentityPoolId"]});
    assert_eq!(daypass.call("DescribeIdentityPool", id).await, pool);
    let listed = daypass.call("ListIdentityPools", json!({"MaxResults": 60})).await;
    assert_eq!(listed["IdentityPools"].as_array().unwrap().len(), 2, "the refused ones were made: {listed}");
}

#[tokio::test]
async fn a_provider_at_which_nobody_can_ever_log_in_is_refused_and_changes_nothing() {
    let daypass = Daypass::start().await;
    let pool = whole_pool(&daypass).await;
    let user_pool = |name: &str| json!([{"ProviderName": name, "ClientId": "client"}]);
    let twice = json!([OIDC_ARN, OIDC_ARN.replace("000000000000", "111111111111")]);
    for (member, value, cure) in [
        (
            "CognitoIdentityProviders",
            user_pool("Google"),
            "Invalid Cognito Identity Provider: ProviderName is cognito-idp.",
        ),
        ("CognitoIdentityProviders", user_pool(&format!("https://{USER_POOL}")), "without https://"),
        ("CognitoIdentityProviders", json!([{"ProviderName": USER_POOL}]), "ClientId is an app client"),
        ("CognitoIdentityProviders", json!([{"ClientId": "client"}]), "Invalid Cognito Identity Provider"),
        ("SupportedLoginProviders", json!({"api.twitter.com": "key;secret"}), "takes accounts.google.com, "),
        (
            "SupportedLoginProviders",
            json!({"login.example.com": "app"}),
            "goes into OpenIdConnectProviderARNs",
        ),
        (
            "OpenIdConnectProviderARNs",
            json!(["https://login.example.com"]),
            "arn:aws:iam::ACCOUNT:oidc-provider/ISSUER",
        ),
        (
            "OpenIdConnectProviderARNs",
            json!([OIDC_ARN.replace("oidc", "saml")]),
            "not the ARN of an OpenID Connect",
        ),
        (
            "OpenIdConnectProviderARNs",
            twice,
            "Two of OpenIdConnectProviderARNs are of the issuer login.example.com",
        ),
        (
            "OpenIdConnectProviderARNs",
            json!([OIDC_ARN.replace("login.example.com", DEVELOPER_PROVIDER)]),
            "The developer provider cannot",
        ),
    ] {
        for operation in ["UpdateIdentityPool", "CreateIdentityPool"] {
            let input = with(bare(&pool), "DeveloperProviderName", DEVELOPER_PROVIDER.into());
            let answer = daypass.signed(operation, with(input, member, value.clone())).await;
            answer.assert_code("InvalidParameterException");
            assert!(answer.body.contains(cure), "{answer:?}");
        }
    }
    let id = json!({"IdentityPoolId": pool["IdentityPoolId"]});
    assert_eq!(daypass.call("DescribeIdentityPool", id).await, pool);
}

#[tokio::test]
async fn a_pool_that_says_nothing_about_the_classic_flow_has_it() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.guest_pool().await;
    let guest = daypass.guest(&pool_id).await;
    let update =
        with(bare(&json!({"IdentityPoolId": pool_id})), "AllowUnauthenticatedIdentities", true.into());
    for (allowed, status) in [(Value::Null, 200), (false.into(), 400), (true.into(), 200)] {
        let updated = daypass
            .call("UpdateIdentityPool", with(update.clone(), "AllowClassicFlow", allowed.clone()))
            .await;
        assert_eq!(updated["AllowClassicFlow"], allowed);
        let answer = daypass.public("GetOpenIdToken", json!({"IdentityId": guest})).await;
        assert_eq!(answer.status, status, "{allowed}: {answer:?}");
    }
}

#[tokio::test]
async fn of_updates_made_at_once_each_takes_hold_or_hears_that_it_came_too_late() {
    let daypass = Daypass::start().on(Backend::sqlite()).with_oidc_hosts(&[]).await;
    let pool = whole_pool(&daypass).await;
    let update = |number: u32| {
        let input = with(bare(&pool), "IdentityPoolName", format!("name {number}").into());
        daypass.signed("UpdateIdentityPool", input)
    };
    let mut late = 0;
    for round in 0..10 {
        let answers = join_all((0..8).map(|number| update(round * 8 + number))).await;
        let (done, stale): (Vec<Answer>, Vec<Answer>) =
            answers.into_iter().partition(|answer| answer.status == 200);
        for answer in &stale {
            let message = "The identity pool was changed by another request at the same time. \
                           Read it, and try again.";
            answer.assert_exception("ConcurrentModificationException", message);
        }
        let id = json!({"IdentityPoolId": pool["IdentityPoolId"]});
        let left = daypass.call("DescribeIdentityPool", id).await;
        assert!(done.iter().any(|answer| answer.json() == left), "{left} is nobody's");
        late += stale.len();
    }
    assert!(late > 0, "80 updates at once, and none came between another's reading and writing");
}

#[tokio::test]
async fn a_deleted_pool_takes_its_identities_and_the_worth_of_their_tokens_along() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    let id = json!({"IdentityPoolId": daypass.pool_id()});
    let answer = daypass.signed("DeleteIdentityPool", id.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));

    let gone = format!("IdentityPool '{}' not found.", daypass.pool_id());
    for operation in ["DeleteIdentityPool", "DescribeIdentityPool", "GetIdentityPoolRoles"] {
        let answer = daypass.signed(operation, id.clone()).await;
        answer.assert_exception("ResourceNotFoundException", &gone);
    }
    let entered = json!({"identity_id": token["IdentityId"], "token": token["Token"]});
    let nobody = format!("Identity '{}' not found.", token["IdentityId"].as_str().unwrap());
    let answer = daypass.get_credentials(&entered).await;
    answer.assert_exception("ResourceNotFoundException", &nobody);
    let answer = daypass.assume(&token["Token"], crate::harness::AUTHENTICATED_ROLE).await;
    answer.assert_sts_error(403, "AccessDenied");
}

#[tokio::test]
async fn an_unknown_pool_is_neither_updated_nor_deleted() {
    let daypass = Daypass::start().await;
    for operation in ["UpdateIdentityPool", "DeleteIdentityPool"] {
        let answer = daypass.signed(operation, bare(&json!({"IdentityPoolId": UNKNOWN}))).await;
        let message = format!("IdentityPool '{UNKNOWN}' not found.");
        answer.assert_exception("ResourceNotFoundException", &message);
    }
}
