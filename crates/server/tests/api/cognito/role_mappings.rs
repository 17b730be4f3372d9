//! SetIdentityPoolRoles: which role mappings a pool takes. What they decide is in
//! `public_logins/role_mapping.rs`.

use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::login::public::testing::GOOGLE;
use daypass_core::pool::resting_providers;
use serde_json::{Map, Value, json};

use crate::harness::{
    AUTHENTICATED_ROLE, Answer, DEVELOPER_PROVIDER, Daypass, GOOGLE_APP, OIDC, OIDC_ARN, OTHER_OIDC,
    USER_POOL, USER_POOL_CLIENT, oidc_arn,
};

async fn daypass() -> Daypass {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    daypass
}

fn rules(count: usize) -> Value {
    let rule = json!({"Claim": "group", "MatchType": "Equals", "Value": "x", "RoleARN": AUTHENTICATED_ROLE});
    json!({"Type": "Rules", "AmbiguousRoleResolution": "Deny",
        "RulesConfiguration": {"Rules": vec![rule; count]}})
}

async fn set(daypass: &Daypass, mappings: Value) -> Answer {
    let roles = json!({"authenticated": AUTHENTICATED_ROLE});
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Roles": roles, "RoleMappings": mappings});
    daypass.signed("SetIdentityPoolRoles", input).await
}

async fn mappings(daypass: &Daypass) -> Value {
    let roles = daypass.call("GetIdentityPoolRoles", json!({"IdentityPoolId": daypass.pool_id()})).await;
    roles["RoleMappings"].clone()
}

#[tokio::test]
async fn mappings_come_back_as_they_were_set_until_they_are_left_out() {
    let daypass = daypass().await;
    let both = json!({OIDC_ARN: rules(2), GOOGLE: {"Type": "Token", "AmbiguousRoleResolution": "Deny"}});
    assert_eq!(set(&daypass, both.clone()).await.status, 200);
    assert_eq!(mappings(&daypass).await, both);
    assert_eq!(set(&daypass, Value::Null).await.status, 200);
    assert_eq!(mappings(&daypass).await, Value::Null);
}

#[tokio::test]
async fn a_provider_has_twenty_five_rules_at_most() {
    let daypass = daypass().await;
    assert_eq!(set(&daypass, json!({OIDC_ARN: rules(25)})).await.status, 200);
    let answer = set(&daypass, json!({OIDC_ARN: rules(26)})).await;
    let message =
        format!("The role mapping of {OIDC_ARN:?} is invalid: it has 26 rules; at most 25 are allowed.");
    answer.assert_exception("InvalidParameterException", &message);
    assert_eq!(mappings(&daypass).await, json!({OIDC_ARN: rules(25)}));
    set(&daypass, json!({OIDC_ARN: rules(401)})).await.assert_code("ValidationException");
    set(&daypass, json!({OIDC_ARN: rules(0)})).await.assert_code("ValidationException");
}

#[tokio::test]
async fn a_mapping_that_decides_nothing_is_refused() {
    let daypass = daypass().await;
    let mut with_rules = rules(1);
    with_rules["Type"] = "Token".into();
    let mut unresolved = rules(1);
    unresolved.as_object_mut().unwrap().remove("AmbiguousRoleResolution");
    let refusals = [
        (json!({"Type": "Rules", "AmbiguousRoleResolution": "Deny"}), "RulesConfiguration is required"),
        (with_rules, "RulesConfiguration goes with the type Rules only"),
        (unresolved, "A role mapping needs AmbiguousRoleResolution: AuthenticatedRole or Deny."),
        (
            json!({"Type": "Token"}),
            "A role mapping needs AmbiguousRoleResolution: AuthenticatedRole or Deny.",
        ),
    ];
    for (mapping, message) in refusals {
        let answer = set(&daypass, json!({OIDC_ARN: mapping})).await;
        answer.assert_code("InvalidParameterException");
        assert!(answer.body.contains(message), "{answer:?}");
    }
    assert_eq!(mappings(&daypass).await, Value::Null);
}

#[tokio::test]
async fn ten_providers_have_mappings_at_most() {
    let daypass = Daypass::start().await;
    let arns: Vec<String> = (0..11).map(|number| oidc_arn(&format!("login{number}.example.com"))).collect();
    daypass.update_pool(json!({"OpenIdConnectProviderARNs": arns})).await;
    let of = |count: usize| -> Value {
        arns.iter().take(count).map(|arn| (arn.clone(), rules(1))).collect::<Map<_, _>>().into()
    };
    assert_eq!(set(&daypass, of(10)).await.status, 200);
    set(&daypass, of(11)).await.assert_code("ValidationException");
}

#[tokio::test]
async fn a_mapping_under_a_key_that_no_provider_of_the_pool_has_is_refused() {
    let daypass = daypass().await;
    daypass.update_pool(json!({"SupportedLoginProviders": {GOOGLE: GOOGLE_APP}})).await;
    let client = format!("{USER_POOL}:{USER_POOL_CLIENT}");
    assert_eq!(set(&daypass, json!({OIDC_ARN: rules(1)})).await.status, 200);
    let kept = mappings(&daypass).await;
    for key in [
        OIDC,
        &format!("https://{OIDC}"),
        &oidc_arn("login.elsewhere.example"),
        &OIDC_ARN.replace("000000000000", "111111111111"),
        USER_POOL,
        &format!("{USER_POOL}:another"),
        &format!("https://{client}"),
        "graph.facebook.com",
        "Google",
        "arn:aws:iam::000000000000:saml-provider/Company",
    ] {
        let answer = set(&daypass, json!({key: rules(1)})).await;
        answer.assert_code("InvalidParameterException");
        let message = format!(
            "({key}) is not a valid RoleMapping ProviderName or is not a configured provider. The pool has "
        );
        assert!(answer.body.contains(&message), "{answer:?}");
        assert!(answer.body.contains(OIDC_ARN) && answer.body.contains(&client), "no cure: {answer:?}");
        assert_eq!(mappings(&daypass).await, kept, "{key}");
    }
    for key in [OIDC_ARN, &oidc_arn(OTHER_OIDC), &client, GOOGLE, DEVELOPER_PROVIDER] {
        assert_eq!(set(&daypass, json!({key: rules(1)})).await.status, 200, "{key}");
    }
}

#[tokio::test]
async fn who_logs_in_at_a_provider_that_the_pool_had_once_passes_no_mapping_by() {
    let daypass = daypass().await;
    assert_eq!(set(&daypass, json!({OIDC_ARN: rules(1)})).await.status, 200);
    let logins = daypass.logins(&[(OIDC, "ada")]);
    let id = daypass.get_id(&logins).await;
    let input = json!({"IdentityId": id, "Logins": logins});
    daypass.update_pool(json!({"OpenIdConnectProviderARNs": []})).await;
    let pools = &daypass.embedded.pools;
    let pool = pools.describe_pool(&IdentityPoolId::parse(daypass.pool_id()).unwrap()).await.unwrap();
    assert_eq!(resting_providers(&pool), [OIDC_ARN], "which the log says");
    let answer = daypass.public("GetCredentialsForIdentity", input.clone()).await;
    let message = "Token is not from a supported provider of this identity pool.";
    answer.assert_exception("NotAuthorizedException", message);
    daypass.update_pool(json!({})).await;
    let answer = daypass.public("GetCredentialsForIdentity", input).await;
    let message = "The role mapping of this identity pool gives this login no role.";
    answer.assert_exception("NotAuthorizedException", message);
}
