//! SetPrincipalTagAttributeMap and GetPrincipalTagAttributeMap. What the maps do is in
//! `public_logins/principal_tags.rs`.

use serde_json::{Value, json};

use super::UNKNOWN;
use crate::harness::{Answer, DEVELOPER_PROVIDER, Daypass, OIDC, OIDC_ARN, USER_POOL, USER_POOL_CLIENT};

async fn daypass() -> Daypass {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    daypass
}

async fn set(daypass: &Daypass, members: Value) -> Answer {
    let mut input = json!({"IdentityPoolId": daypass.pool_id(), "IdentityProviderName": OIDC_ARN});
    input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    daypass.signed("SetPrincipalTagAttributeMap", input).await
}

async fn get(daypass: &Daypass, provider: &str) -> Value {
    let input = json!({"IdentityPoolId": daypass.pool_id(), "IdentityProviderName": provider});
    daypass.call("GetPrincipalTagAttributeMap", input).await
}

fn map_of(daypass: &Daypass, provider: &str, use_defaults: bool, tags: &Value) -> Value {
    json!({"IdentityPoolId": daypass.pool_id(), "IdentityProviderName": provider,
        "UseDefaults": use_defaults, "PrincipalTags": tags})
}

#[tokio::test]
async fn a_provider_that_never_got_a_map_makes_no_tags() {
    let daypass = Daypass::start().await;
    assert_eq!(get(&daypass, OIDC_ARN).await, map_of(&daypass, OIDC_ARN, false, &json!({})));
}

#[tokio::test]
async fn a_map_is_answered_as_it_was_set_and_replaced_as_a_whole() {
    let daypass = daypass().await;
    let first = map_of(&daypass, OIDC_ARN, false, &json!({"department": "dept", "level": "lvl"}));
    assert_eq!(set(&daypass, first.clone()).await.json(), first);
    assert_eq!(get(&daypass, OIDC_ARN).await, first);
    let second = map_of(&daypass, OIDC_ARN, true, &json!({}));
    assert_eq!(set(&daypass, json!({"UseDefaults": true})).await.json(), second);
    assert_eq!(get(&daypass, OIDC_ARN).await, second);
    assert_eq!(get(&daypass, USER_POOL).await, map_of(&daypass, USER_POOL, false, &json!({})));
}

#[tokio::test]
async fn keys_and_claims_have_four_hundred_and_sixty_bytes_together() {
    let daypass = daypass().await;
    let tags = |bytes: usize| json!({"PrincipalTags": {"k": "c".repeat(200), "l": "ü".repeat(100), "m": "d".repeat(bytes)}});
    assert_eq!(set(&daypass, tags(57)).await.status, 200);
    let kept = get(&daypass, OIDC_ARN).await;
    let message = "Tag keys and claims have 461 bytes together; at most 460 are allowed.";
    set(&daypass, tags(58)).await.assert_exception("InvalidParameterException", message);
    assert_eq!(get(&daypass, OIDC_ARN).await, kept);
}

#[tokio::test]
async fn keys_that_sts_would_not_take_are_not_kept() {
    let daypass = daypass().await;
    for tags in [json!({"team*": "t"}), json!({"a\"b": "t"}), json!({"Team": "t", "team": "u"})] {
        let answer = set(&daypass, json!({"PrincipalTags": tags})).await;
        answer.assert_code("InvalidParameterException");
    }
    assert_eq!(get(&daypass, OIDC_ARN).await["PrincipalTags"], json!({}));
}

#[tokio::test]
async fn an_unknown_pool_has_no_maps() {
    let daypass = Daypass::start().await;
    for operation in ["SetPrincipalTagAttributeMap", "GetPrincipalTagAttributeMap"] {
        let input = json!({"IdentityPoolId": UNKNOWN, "IdentityProviderName": OIDC_ARN});
        let message = format!("IdentityPool '{UNKNOWN}' not found.");
        daypass.signed(operation, input).await.assert_exception("ResourceNotFoundException", &message);
    }
}

#[tokio::test]
async fn a_map_for_whoever_is_none_of_the_pools_public_providers_is_refused() {
    let daypass = daypass().await;
    let client = format!("{USER_POOL}:{USER_POOL_CLIENT}");
    for provider in [OIDC, &format!("https://{OIDC}"), &client, "Google", DEVELOPER_PROVIDER] {
        let answer =
            set(&daypass, json!({"IdentityProviderName": provider, "PrincipalTags": {"a": "b"}})).await;
        answer.assert_code("InvalidParameterException");
        let cure =
            if provider == DEVELOPER_PROVIDER { "GetOpenIdTokenForDeveloperIdentity" } else { OIDC_ARN };
        assert!(answer.body.contains(cure), "{answer:?}");
        assert_eq!(get(&daypass, provider).await["PrincipalTags"], json!({}), "{provider}");
    }
    assert_eq!(set(&daypass, json!({"IdentityProviderName": USER_POOL})).await.status, 200);
}

#[tokio::test]
async fn what_an_update_of_the_pool_left_behind_can_be_undone() {
    let daypass = daypass().await;
    let tags = json!({"PrincipalTags": {"a": "b"}});
    assert_eq!(set(&daypass, tags.clone()).await.status, 200);
    daypass.update_pool(json!({"OpenIdConnectProviderARNs": []})).await;
    set(&daypass, tags).await.assert_code("InvalidParameterException");
    assert_eq!(set(&daypass, json!({"UseDefaults": true})).await.status, 200);
    assert_eq!(get(&daypass, OIDC_ARN).await["PrincipalTags"], json!({}));
}
