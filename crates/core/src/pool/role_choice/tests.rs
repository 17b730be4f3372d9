//! Whose login gives which role.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::records::identity::RulesConfiguration;

const KEY: &str = "accounts.google.com";

/// The claims of a token, for any mapping key.
fn claims(claims: Value) -> Map<String, Value> {
    let Value::Object(claims) = claims else { panic!("claims are an object") };
    claims
}

fn rule(claim: &str, match_type: MatchType, value: &str, role: &str) -> MappingRule {
    MappingRule { claim: claim.into(), match_type, value: value.into(), role_arn: role.into() }
}

fn by_rules(rules: Vec<MappingRule>, ambiguous: AmbiguousRoleResolution) -> RoleMapping {
    RoleMapping {
        r#type: RoleMappingType::Rules,
        ambiguous_role_resolution: ambiguous,
        rules_configuration: Some(RulesConfiguration { rules }),
    }
}

fn by_token(ambiguous: AmbiguousRoleResolution) -> RoleMapping {
    RoleMapping {
        r#type: RoleMappingType::Token,
        ambiguous_role_resolution: ambiguous,
        rules_configuration: None,
    }
}

/// A pool with both default roles.
fn roles<const N: usize>(mappings: [(&str, RoleMapping); N]) -> PoolRoles {
    PoolRoles {
        authenticated: Some("default".to_owned()),
        unauthenticated: Some("guest".to_owned()),
        mappings: mappings.map(|(key, mapping)| (key.to_owned(), mapping)).into(),
    }
}

/// What a login of [`KEY`] with these claims gets.
fn choose(mapping: RoleMapping, said: Value, custom: Option<&str>) -> Result<String, PoolError> {
    let claims = claims(said);
    let asserted = [Asserted { mapping_key: KEY.to_owned(), claims: &claims }];
    for_person(&roles([(KEY, mapping)]), &asserted, custom)
}

fn assert_not_authorized(choice: Result<String, PoolError>, context: &str) {
    let error = choice.expect_err(context);
    assert!(matches!(error, PoolError::NotAuthorized(_)), "{context}: {error:?}");
}

fn assert_not_configured(choice: Result<String, PoolError>) {
    let error = choice.expect_err("a refusal");
    assert!(matches!(error, PoolError::NoUsableRole(_)), "{error:?}");
}

#[test]
fn which_claims_a_rule_matches() {
    use MatchType::{Contains, Equals, NotEqual, StartsWith};
    for (match_type, value, claim, expected) in [
        (Equals, "admin", json!("admin"), true),
        (Equals, "admin", json!("Admin"), false),
        (Equals, "admin", json!("admins"), false),
        (Equals, "*", json!("admin"), false),
        (Equals, "a*", json!("a*"), true),
        (Equals, "7", json!(7), true),
        (Equals, "true", json!(true), true),
        (Equals, "admin", json!(["admin"]), false),
        (Equals, "null", json!(null), false),
        (Equals, "{}", json!({}), false),
        (NotEqual, "admin", json!("user"), true),
        (NotEqual, "admin", json!("Admin"), true),
        (NotEqual, "admin", json!("admin"), false),
        (NotEqual, "true", json!(true), false),
        (NotEqual, "admin", json!(["user"]), false),
        (NotEqual, "admin", json!(null), false),
        (NotEqual, "admin", json!(""), false),
        (NotEqual, "admin", json!({"admin": 1}), false),
        (StartsWith, "ad", json!("admin"), true),
        (StartsWith, "admin", json!("admin"), true),
        (StartsWith, "min", json!("admin"), false),
        (StartsWith, "AD", json!("admin"), false),
        (StartsWith, "a?", json!("admin"), false),
        (StartsWith, "ad", json!(["admin"]), false),
        (Contains, "dmi", json!("admin"), true),
        (Contains, "DMI", json!("admin"), false),
        (Contains, "d*i", json!("admin"), false),
        (Contains, "admin", json!(["user", "admin"]), true),
        (Contains, "dmi", json!(["user", "admin"]), false),
        (Contains, "7", json!([7]), false),
        (Contains, "admin", json!([["admin"]]), false),
        (Contains, "admin", json!([]), false),
    ] {
        let rule = rule("groups", match_type, value, "role");
        let matched = matches(&rule, &claims(json!({"groups": claim, "other": "admin"})));
        assert_eq!(matched, expected, "{claim} {match_type:?} {value}");
    }
}

#[test]
fn a_claim_that_is_not_there_matches_nothing() {
    use MatchType::{Contains, Equals, NotEqual, StartsWith};
    for match_type in [Equals, Contains, StartsWith, NotEqual] {
        for value in ["admin", ""] {
            let rule = rule("groups", match_type, value, "role");
            assert!(!matches(&rule, &claims(json!({"Groups": "admin"}))), "{match_type:?} {value:?}");
        }
    }
}

#[test]
fn the_first_rule_that_matches_gives_the_role() {
    let rules = |order: [usize; 3]| {
        let rules = [
            rule("plan", MatchType::Equals, "free", "free"),
            rule("plan", MatchType::StartsWith, "p", "paying"),
            rule("plan", MatchType::Contains, "ro", "professional"),
        ];
        by_rules(order.map(|index| rules[index].clone()).into(), AmbiguousRoleResolution::Deny)
    };
    let said = || json!({"plan": "pro"});
    assert_eq!(choose(rules([0, 1, 2]), said(), None).unwrap(), "paying");
    assert_eq!(choose(rules([2, 1, 0]), said(), None).unwrap(), "professional");
    assert_eq!(choose(rules([2, 1, 0]), json!({"plan": "free"}), None).unwrap(), "free");
}

#[test]
fn where_no_rule_matches_the_default_role_or_none_is_given() {
    let rules = || vec![rule("plan", MatchType::Equals, "pro", "professional")];
    let otherwise = |resolution, custom| choose(by_rules(rules(), resolution), json!({}), custom);
    assert_eq!(otherwise(AmbiguousRoleResolution::AuthenticatedRole, None).unwrap(), "default");
    assert_not_authorized(otherwise(AmbiguousRoleResolution::Deny, None), "Deny");
    let no_rules =
        RoleMapping { rules_configuration: None, ..by_rules(vec![], AmbiguousRoleResolution::Deny) };
    assert_not_authorized(choose(no_rules, json!({"plan": "pro"}), None), "no rules");
}

#[test]
fn a_custom_role_is_one_that_a_matching_rule_gives() {
    let mapping = || {
        let rules = vec![
            rule("plan", MatchType::Equals, "pro", "reader"),
            rule("team", MatchType::Equals, "core", "writer"),
            rule("team", MatchType::Equals, "infra", "admin"),
            rule("plan", MatchType::Equals, "pro", "admin of one's own"),
        ];
        by_rules(rules, AmbiguousRoleResolution::AuthenticatedRole)
    };
    let choose = |custom| choose(mapping(), json!({"plan": "pro", "team": "core"}), Some(custom));
    assert_eq!(choose("reader").unwrap(), "reader");
    assert_eq!(choose("writer").unwrap(), "writer");
    for outside in ["admin", "default", "guest", "Reader", ""] {
        assert_not_authorized(choose(outside), outside);
    }
}

#[test]
fn a_token_gives_its_preferred_role() {
    let said = json!({"cognito:preferred_role": "reader", "cognito:roles": ["writer", "reader"]});
    for resolution in [AmbiguousRoleResolution::Deny, AmbiguousRoleResolution::AuthenticatedRole] {
        assert_eq!(choose(by_token(resolution), said.clone(), None).unwrap(), "reader");
    }
}

#[test]
fn a_token_without_a_preferred_role_gives_the_default_role_or_none() {
    for said in [
        json!({}),
        json!({"cognito:roles": ["writer", "reader"]}),
        json!({"cognito:preferred_role": ""}),
        json!({"cognito:preferred_role": null}),
        json!({"cognito:preferred_role": ["writer"]}),
    ] {
        let context = said.to_string();
        let choose = |resolution| choose(by_token(resolution), said.clone(), None);
        assert_eq!(choose(AmbiguousRoleResolution::AuthenticatedRole).unwrap(), "default", "{context}");
        assert_not_authorized(choose(AmbiguousRoleResolution::Deny), &context);
    }
}

#[test]
fn a_custom_role_is_one_of_those_in_the_token() {
    let choose =
        |said, custom| choose(by_token(AmbiguousRoleResolution::AuthenticatedRole), said, Some(custom));
    let said = || json!({"cognito:preferred_role": "reader", "cognito:roles": ["reader", "writer"]});
    assert_eq!(choose(said(), "writer").unwrap(), "writer");
    assert_eq!(choose(said(), "reader").unwrap(), "reader");
    for (said, custom) in [
        (said(), "admin"),
        (said(), "default"),
        (said(), "write"),
        (json!({}), "default"),
        (json!({"cognito:preferred_role": "reader"}), "reader"),
        (json!({"cognito:roles": "admin"}), "admin"),
        (json!({"cognito:roles": [["admin"]]}), "admin"),
        (json!({"cognito:roles": {"admin": true}}), "admin"),
    ] {
        let context = format!("{custom} of {said}");
        assert_not_authorized(choose(said, custom), &context);
    }
}

#[test]
fn without_a_mapping_the_default_role_is_the_only_one() {
    let other = roles([("another provider", by_token(AmbiguousRoleResolution::Deny))]);
    let said = claims(json!({"cognito:preferred_role": "admin", "cognito:roles": ["admin"]}));
    for asserted in [vec![], vec![Asserted { mapping_key: KEY.to_owned(), claims: &said }]] {
        for pool in [&roles([]), &other] {
            assert_eq!(for_person(pool, &asserted, None).unwrap(), "default");
            assert_eq!(for_person(pool, &asserted, Some("default")).unwrap(), "default");
            for custom in ["admin", "guest", ""] {
                assert_not_authorized(for_person(pool, &asserted, Some(custom)), custom);
            }
        }
    }
}

#[test]
fn the_first_provider_with_a_mapping_decides_with_its_own_claims() {
    let mapping =
        |role| by_rules(vec![rule("team", MatchType::Equals, "core", role)], AmbiguousRoleResolution::Deny);
    let pool = roles([("b", mapping("by b")), ("c", mapping("by c"))]);
    let [core, other] = [claims(json!({"team": "core"})), claims(json!({"team": "other"}))];
    let asserted = |said: [&'static str; 3]| -> Vec<Asserted<'_>> {
        let claims = said.map(|team| if team == "core" { &core } else { &other });
        let keys = ["a", "b", "c"].map(str::to_owned);
        keys.into_iter().zip(claims).map(|(mapping_key, claims)| Asserted { mapping_key, claims }).collect()
    };
    assert_eq!(for_person(&pool, &asserted(["other", "core", "core"]), None).unwrap(), "by b");
    assert_eq!(for_person(&pool, &asserted(["core", "core", "other"])[..2], None).unwrap(), "by b");
    assert_eq!(for_person(&pool, &asserted(["core", "other", "core"])[2..], None).unwrap(), "by c");
    assert_not_authorized(for_person(&pool, &asserted(["core", "other", "core"]), None), "b says no");
}

#[test]
fn a_default_role_that_is_not_set_is_the_pools_fault() {
    let without = |mappings: BTreeMap<String, RoleMapping>| PoolRoles { mappings, ..PoolRoles::default() };
    assert_not_configured(for_person(&without(BTreeMap::new()), &[], None));
    assert_not_configured(for_person(&without(BTreeMap::new()), &[], Some("admin")));
    assert_not_configured(for_guest(&without(BTreeMap::new()), None));

    let mapped = without([(KEY.to_owned(), by_token(AmbiguousRoleResolution::AuthenticatedRole))].into());
    let [none, some] = [claims(json!({})), claims(json!({"cognito:preferred_role": "reader"}))];
    let asserted = |claims| [Asserted { mapping_key: KEY.to_owned(), claims }];
    assert_not_configured(for_person(&mapped, &asserted(&none), None));
    assert_eq!(for_person(&mapped, &asserted(&some), None).unwrap(), "reader");
}

#[test]
fn a_guest_gets_the_role_for_guests_and_no_other() {
    let pool = roles([]);
    assert_eq!(for_guest(&pool, None).unwrap(), "guest");
    assert_eq!(for_guest(&pool, Some("guest")).unwrap(), "guest");
    for custom in ["default", "admin", ""] {
        assert_not_authorized(for_guest(&pool, Some(custom)), custom);
    }
    let no_guests = PoolRoles { unauthenticated: None, ..roles([]) };
    assert_not_configured(for_guest(&no_guests, Some("default")));
}
