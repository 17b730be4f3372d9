//! SetIdentityPoolRoles: which role mappings a pool takes. What they decide is in
//! `public_logins/role_mapping.rs`.

use daypass_core::login::public::testing::GOOGLE;
use serde_json::{Map, Value, json};

use crate::harness::{AUTHENTICATED_ROLE, Answer, Daypass, OIDC_ARN};

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
    let daypass = Daypass::start().await;
    let both = json!({OIDC_ARN: rules(2), GOOGLE: {"Type": "Token", "AmbiguousRoleResolution": "Deny"}});
    assert_eq!(set(&daypass, both.clone()).await.status, 200);
    assert_eq!(mappings(&daypass).await, both);
    assert_eq!(set(&daypass, Value::Null).await.status, 200);
    assert_eq!(mappings(&daypass).await, Value::Null);
}

#[tokio::test]
async fn a_provider_has_twenty_five_rules_at_most() {
    let daypass = Daypass::start().await;
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
    let daypass = Daypass::start().await;
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
    let of = |count: usize| -> Value {
        (0..count)
            .map(|number| (format!("login{number}.example.com"), rules(1)))
            .collect::<Map<_, _>>()
            .into()
    };
    assert_eq!(set(&daypass, of(10)).await.status, 200);
    set(&daypass, of(11)).await.assert_code("ValidationException");
}
