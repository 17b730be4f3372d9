//! Policy variables: what is put in is text, and what is missing never opens anything.

use serde_json::{Value, json};

use super::{ALLOWED, DENIED, NOT_ALLOWED, SUB, ask, get, identity, policy, statement};
use crate::iam::{Context, Decision, Key};

const MINE: &str = "arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*";
const TEAM: &str = "arn:aws:s3:::b/${aws:PrincipalTag/team}/*";

fn team(value: &str) -> Context {
    Context::empty().with(Key::principal_tag("team"), value)
}

/// What an Allow of everything and this statement say about an object.
fn beside_an_allow(statement: &Value, resource: &str, context: &Context) -> Decision {
    get(&policy(&json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, statement])), resource, context)
}

fn under_condition(effect: &str, operator: &str, value: &str) -> Value {
    json!({
        "Effect": effect, "Action": "*", "Resource": "*",
        "Condition": {operator: {"s3:prefix": value}}
    })
}

#[test]
fn a_wildcard_in_a_value_opens_nothing() {
    let policy = policy(&json!([statement("Allow", MINE), statement("Allow", TEAM)]));
    for value in ["*", "?", "**", "u*", "${aws:PrincipalTag/team}", "${*}"] {
        for context in [identity(value), team(value)] {
            assert_eq!(get(&policy, "arn:aws:s3:::b/us/x", &context), NOT_ALLOWED, "{value}");
            assert_eq!(get(&policy, "arn:aws:s3:::b/u/x", &context), NOT_ALLOWED, "{value}");
            assert_eq!(get(&policy, &format!("arn:aws:s3:::b/{value}/x"), &context), ALLOWED, "{value}");
        }
    }
}

#[test]
fn a_wildcard_in_a_value_opens_no_condition_either() {
    let condition = |operator: &str| {
        policy(&json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {operator: {"s3:prefix": "${aws:PrincipalTag/team}"}}
        }))
    };
    for operator in ["StringLike", "StringEquals", "StringEqualsIgnoreCase"] {
        let policy = condition(operator);
        let with_prefix = |team_value: &str, prefix| {
            ask(&policy, "s3:ListBucket", "arn:aws:s3:::b", &team(team_value).with(Key::S3Prefix, prefix))
        };
        assert_eq!(with_prefix("red", "red"), ALLOWED, "{operator}");
        assert_eq!(with_prefix("red", "blue"), NOT_ALLOWED, "{operator}");
        assert_eq!(with_prefix("*", "blue"), NOT_ALLOWED, "{operator}");
        assert_eq!(with_prefix("*", "*"), ALLOWED, "{operator}");
    }
}

#[test]
fn a_missing_or_empty_value_opens_nothing() {
    for resource in
        [MINE, TEAM, "arn:aws:s3:::b/${aws:PrincipalTag/team}*", "arn:aws:s3:::${aws:PrincipalTag/team}*"]
    {
        let policy = policy(&statement("Allow", resource));
        for context in [Context::empty(), team(""), identity("")] {
            for object in ["b/", "b//x", "b/x", "b/x/y", "b/${aws:PrincipalTag/team}/x"] {
                let resource = format!("arn:aws:s3:::{object}");
                assert_eq!(get(&policy, &resource, &context), NOT_ALLOWED, "{resource}");
            }
        }
    }
}

#[test]
fn a_missing_value_leaves_other_resources_of_the_statement_alone() {
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": [MINE, "arn:aws:s3:::b/public/*"]});
    assert_eq!(get(&policy(&statement), "arn:aws:s3:::b/public/x", &Context::empty()), ALLOWED);
}

#[test]
fn a_missing_value_in_not_resource_does_not_make_everything_else() {
    let elsewhere = policy(&json!({"Effect": "Allow", "Action": "*", "NotResource": TEAM}));
    assert_eq!(get(&elsewhere, "arn:aws:s3:::b/blue/x", &team("red")), ALLOWED);
    assert_eq!(get(&elsewhere, "arn:aws:s3:::b/red/x", &team("red")), NOT_ALLOWED);
    assert_eq!(get(&elsewhere, "arn:aws:s3:::b/red/x", &Context::empty()), NOT_ALLOWED);
    // No team at all could own this one.
    assert_eq!(get(&elsewhere, "arn:aws:s3:::other/x", &Context::empty()), ALLOWED);
}

#[test]
fn a_deny_takes_hold_wherever_the_missing_value_could_have_made_it() {
    let deny = statement("Deny", TEAM);
    assert_eq!(beside_an_allow(&deny, "arn:aws:s3:::b/red/x", &team("red")), DENIED);
    assert_eq!(beside_an_allow(&deny, "arn:aws:s3:::b/red/x", &team("blue")), ALLOWED);
    assert_eq!(beside_an_allow(&deny, "arn:aws:s3:::b/red/x", &Context::empty()), DENIED);
    assert_eq!(beside_an_allow(&deny, "arn:aws:s3:::other/x", &Context::empty()), ALLOWED);

    let deny_elsewhere = json!({"Effect": "Deny", "Action": "*", "NotResource": TEAM});
    assert_eq!(beside_an_allow(&deny_elsewhere, "arn:aws:s3:::b/red/x", &team("red")), ALLOWED);
    assert_eq!(beside_an_allow(&deny_elsewhere, "arn:aws:s3:::b/red/x", &Context::empty()), DENIED);
    assert_eq!(beside_an_allow(&deny_elsewhere, "arn:aws:s3:::other/x", &Context::empty()), DENIED);
}

#[test]
fn a_missing_value_in_a_negated_condition_is_no_match_and_no_mismatch() {
    let blue = Context::empty().with(Key::S3Prefix, "blue");
    for operator in ["StringNotEquals", "StringNotLike", "StringNotEqualsIgnoreCase", "StringNotLikeIfExists"]
    {
        let allow = policy(&under_condition("Allow", operator, "${aws:PrincipalTag/team}"));
        let deny = under_condition("Deny", operator, "${aws:PrincipalTag/team}");
        assert_eq!(get(&allow, "arn:aws:s3:::b/x", &blue), NOT_ALLOWED, "{operator}");
        assert_eq!(beside_an_allow(&deny, "arn:aws:s3:::b/x", &blue), DENIED, "{operator}");
    }
    for operator in ["StringEquals", "StringLike", "StringEqualsIgnoreCase", "StringLikeIfExists"] {
        let allow = policy(&under_condition("Allow", operator, "${aws:PrincipalTag/team}"));
        let deny = under_condition("Deny", operator, "${aws:PrincipalTag/team}");
        assert_eq!(get(&allow, "arn:aws:s3:::b/x", &blue), NOT_ALLOWED, "{operator}");
        assert_eq!(beside_an_allow(&deny, "arn:aws:s3:::b/x", &blue), DENIED, "{operator}");
    }
}

#[test]
fn a_default_stands_in_for_a_missing_value() {
    let policy = policy(&statement("Allow", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'all'}/*"));
    assert_eq!(get(&policy, "arn:aws:s3:::b/all/x", &Context::empty()), ALLOWED);
    assert_eq!(get(&policy, "arn:aws:s3:::b/red/x", &team("red")), ALLOWED);
    assert_eq!(get(&policy, "arn:aws:s3:::b/all/x", &team("red")), NOT_ALLOWED);
    assert_eq!(get(&policy, "arn:aws:s3:::b/red/x", &Context::empty()), NOT_ALLOWED);
}

#[test]
fn tags_whose_names_differ_in_case_only_name_nobody() {
    let policy = policy(&statement("Allow", TEAM));
    let both = team("red").with(Key::principal_tag("Team"), "blue");
    assert_eq!(get(&policy, "arn:aws:s3:::b/red/x", &both), NOT_ALLOWED);
    assert_eq!(get(&policy, "arn:aws:s3:::b/blue/x", &both), NOT_ALLOWED);
}

#[test]
fn variables_are_named_without_regard_to_case() {
    let policy = policy(&statement("Allow", "arn:aws:s3:::b/${COGNITO-identity.amazonaws.com:SUB}/*"));
    assert_eq!(get(&policy, &format!("arn:aws:s3:::b/{SUB}/x"), &identity(SUB)), ALLOWED);
}
