//! Conditions: each operator on values that match, do not match, are absent, or make no sense.

use serde_json::{Value, json};

use super::{ALLOWED, DENIED, NOT_ALLOWED, get, identity, policy};
use crate::iam::{Context, Decision, Key, Origin};

const OBJECT: &str = "arn:aws:s3:::b/x";

/// What an Allow under this condition says.
fn allow(condition: &Value, context: &Context) -> Decision {
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    get(&policy(&statement), OBJECT, context)
}

/// What an Allow of everything with a Deny under this condition says.
fn deny(condition: &Value, context: &Context) -> Decision {
    let statements = json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    ]);
    get(&policy(&statements), OBJECT, context)
}

fn tag(value: &str) -> Context {
    Context::empty().with(Key::principal_tag("t"), value)
}

/// The tag `t` compared by an operator.
fn compare(operator: &str, operand: &Value) -> Value {
    json!({operator: {"aws:PrincipalTag/t": operand}})
}

fn assert_holds(operator: &str, operand: &str, value: &str) {
    let condition = compare(operator, &json!(operand));
    assert_eq!(allow(&condition, &tag(value)), ALLOWED, "{operator} {operand} {value}");
    assert_eq!(deny(&condition, &tag(value)), DENIED, "{operator} {operand} {value}");
}

fn assert_fails(operator: &str, operand: &str, value: &str) {
    let condition = compare(operator, &json!(operand));
    assert_eq!(allow(&condition, &tag(value)), NOT_ALLOWED, "{operator} {operand} {value}");
    assert_eq!(deny(&condition, &tag(value)), ALLOWED, "{operator} {operand} {value}");
}

/// An operator holds on the one value and fails on the other, and its negation does the opposite.
fn assert_tells_apart(operator: &str, negation: &str, operand: &str, same: &str, other: &str) {
    assert_holds(operator, operand, same);
    assert_fails(operator, operand, other);
    assert_holds(negation, operand, other);
    assert_fails(negation, operand, same);
}

#[test]
fn operators_with_a_negation() {
    assert_tells_apart("StringEquals", "StringNotEquals", "Red", "Red", "red");
    assert_tells_apart("StringEquals", "StringNotEquals", "r*", "r*", "red");
    assert_tells_apart("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "RÉD", "réd", "redd");
    assert_tells_apart("StringLike", "StringNotLike", "r?d*", "redder", "Red");
    assert_tells_apart("StringLike", "StringNotLike", "a${*}", "a*", "ab");
    assert_tells_apart("NumericEquals", "NumericNotEquals", "10", "10.0", "10.000000000000000001");
    assert_tells_apart("DateEquals", "DateNotEquals", "2026-11-23", "2026-11-23T00:00:00Z", "2026-11-24");
    assert_tells_apart("IpAddress", "NotIpAddress", "203.0.113.0/24", "203.0.113.9", "203.0.114.9");
    assert_tells_apart("IpAddress", "NotIpAddress", "2001:db8::/32", "2001:db8::1", "10.0.0.1");
    for (like, unlike) in [("ArnLike", "ArnNotLike"), ("ArnEquals", "ArnNotEquals")] {
        let pattern = "arn:aws:iam::*:role/app-*";
        assert_tells_apart(like, unlike, pattern, "arn:aws:iam::1:role/app-x", "arn:aws:iam::1:role/x");
    }
}

#[test]
fn operators_of_order() {
    for (prefix, low, middle, high) in
        [("Numeric", "-2", "10", "10.5"), ("Date", "2026-11-22", "2026-11-23", "2026-11-23T00:00:01Z")]
    {
        let order = |relation: &str, holds: [bool; 3]| {
            for (value, holds) in [low, middle, high].into_iter().zip(holds) {
                let operator = format!("{prefix}{relation}");
                if holds {
                    assert_holds(&operator, middle, value);
                } else {
                    assert_fails(&operator, middle, value);
                }
            }
        };
        order("LessThan", [true, false, false]);
        order("LessThanEquals", [true, true, false]);
        order("GreaterThan", [false, false, true]);
        order("GreaterThanEquals", [false, true, true]);
    }
}

#[test]
fn booleans() {
    assert_holds("Bool", "true", "True");
    assert_fails("Bool", "false", "true");
    let plain = json!({"Bool": {"aws:SecureTransport": false}});
    assert_eq!(deny(&plain, &Context::empty().with(Key::SecureTransport, "false")), DENIED);
    assert_eq!(deny(&plain, &Context::empty().with(Key::SecureTransport, "true")), ALLOWED);
}

#[test]
fn an_origin_that_is_not_known_opens_nothing_and_escapes_no_deny() {
    let time = "2026-11-23T08:30:00Z".parse().unwrap();
    let context = Context::new(&crate::iam::Arrival { time, origin: Origin::default() });
    for condition in [
        json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        json!({"IpAddressIfExists": {"aws:SourceIp": "10.0.0.0/8"}}),
        json!({"ForAnyValue:IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        json!({"Null": {"aws:SourceIp": "true"}}),
        json!({"Null": {"aws:SourceIp": "false"}}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
        json!({"Bool": {"aws:SecureTransport": "false"}}),
        json!({"BoolIfExists": {"aws:SecureTransport": "false"}}),
        json!({"StringEquals": {"aws:CurrentTime": "${aws:SourceIp, '2026-11-23T08:30:00Z'}"}}),
    ] {
        assert_eq!(allow(&condition, &context), NOT_ALLOWED, "{condition}");
        assert_eq!(deny(&condition, &context), DENIED, "{condition}");
    }
}

#[test]
fn time_and_address_come_from_the_arrival() {
    let arrival = crate::iam::Arrival {
        time: "2026-11-23T08:30:00Z".parse().unwrap(),
        origin: Origin { source_ip: Some("::ffff:10.1.2.3".parse().unwrap()), secure_transport: Some(true) },
    };
    let context = Context::new(&arrival);
    for condition in [
        json!({"DateLessThan": {"aws:CurrentTime": "2026-11-23T08:30:01Z"}}),
        json!({"DateGreaterThanEquals": {"aws:EpochTime": "2026-11-23T08:30:00Z"}}),
        json!({"NumericLessThanEquals": {"aws:EpochTime": 1_795_422_600}}),
        json!({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "10.0.0.0/8"]}}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
    ] {
        assert_eq!(allow(&condition, &context), ALLOWED, "{condition}");
    }
    assert_eq!(
        allow(&json!({"DateLessThan": {"aws:CurrentTime": "2026-11-23T08:30:00Z"}}), &context),
        NOT_ALLOWED
    );
}

#[test]
fn several_values_are_alternatives_and_for_a_negated_operator_none_may_match() {
    let colours = json!(["red", "blue"]);
    assert_eq!(allow(&compare("StringEquals", &colours), &tag("blue")), ALLOWED);
    assert_eq!(allow(&compare("StringEquals", &colours), &tag("green")), NOT_ALLOWED);
    assert_eq!(allow(&compare("StringNotEquals", &colours), &tag("blue")), NOT_ALLOWED);
    assert_eq!(allow(&compare("StringNotEquals", &colours), &tag("green")), ALLOWED);
}

#[test]
fn several_keys_and_operators_must_all_hold() {
    let condition = json!({
        "StringEquals": {"aws:PrincipalTag/t": "red", "aws:userid": "me"},
        "Bool": {"aws:SecureTransport": "true"}
    });
    let all = tag("red").with(Key::UserId, "me").with(Key::SecureTransport, "true");
    assert_eq!(allow(&condition, &all), ALLOWED);
    assert_eq!(allow(&condition, &tag("red").with(Key::UserId, "me")), NOT_ALLOWED);
    assert_eq!(
        allow(&condition, &tag("red").with(Key::UserId, "you").with(Key::SecureTransport, "true")),
        NOT_ALLOWED
    );
}

/// As in IAM: a condition on an absent key fails, unless it is negated or says `IfExists`.
#[test]
fn an_absent_key_is_an_answer() {
    for (operator, operand, holds) in [
        ("StringEquals", "a", false),
        ("StringLike", "*", false),
        ("NumericLessThan", "5", false),
        ("DateGreaterThan", "2026-11-23", false),
        ("Bool", "false", false),
        ("IpAddress", "0.0.0.0/0", false),
        ("ArnLike", "*", false),
        ("ForAnyValue:StringLike", "*", false),
        ("ForAnyValue:StringNotEquals", "a", false),
        ("StringNotEquals", "a", true),
        ("StringNotLike", "*", true),
        ("NotIpAddress", "0.0.0.0/0", true),
        ("ArnNotLike", "*", true),
        ("StringEqualsIfExists", "a", true),
        ("BoolIfExists", "true", true),
        ("NumericLessThanIfExists", "5", true),
    ] {
        let condition = compare(operator, &json!(operand));
        let (when_allow, when_deny) = if holds { (ALLOWED, DENIED) } else { (NOT_ALLOWED, ALLOWED) };
        assert_eq!(allow(&condition, &Context::empty()), when_allow, "{operator}");
        assert_eq!(deny(&condition, &Context::empty()), when_deny, "{operator}");
    }
}

#[test]
fn if_exists_still_compares_what_exists() {
    assert_holds("StringEqualsIfExists", "red", "red");
    assert_fails("StringEqualsIfExists", "red", "blue");
}

#[test]
fn null_asks_for_absence() {
    for (value, absent, present) in [("true", ALLOWED, NOT_ALLOWED), ("false", NOT_ALLOWED, ALLOWED)] {
        assert_eq!(allow(&compare("Null", &json!(value)), &Context::empty()), absent);
        assert_eq!(allow(&compare("Null", &json!(value)), &tag("red")), present);
    }
    let no_logins = Context::empty().with_all::<String>(Key::CognitoAmr, []);
    assert_eq!(allow(&json!({"Null": {"cognito-identity.amazonaws.com:amr": true}}), &no_logins), ALLOWED);
}

/// What a value that cannot be read would compare to is unknown, so it neither allows nor escapes.
#[test]
fn a_value_that_makes_no_sense_allows_nothing_and_escapes_no_deny() {
    for (operator, operand) in [
        ("NumericLessThan", "5"),
        ("NumericNotEquals", "5"),
        ("DateLessThan", "2026-11-23"),
        ("DateNotEquals", "2026-11-23"),
        ("Bool", "true"),
        ("IpAddress", "0.0.0.0/0"),
        ("NotIpAddress", "10.0.0.0/8"),
        ("ArnLike", "arn:aws:iam::*:role/*"),
        ("ArnNotLike", "arn:aws:iam::*:role/*"),
    ] {
        for value in ["", "nonsense", "1e3", "*"] {
            let condition = compare(operator, &json!(operand));
            assert_eq!(allow(&condition, &tag(value)), NOT_ALLOWED, "{operator} {value}");
            assert_eq!(deny(&condition, &tag(value)), DENIED, "{operator} {value}");
        }
    }
}

#[test]
fn two_values_where_one_belongs_allow_nothing_and_escape_no_deny() {
    let twice = tag("red").with(Key::principal_tag("T"), "blue");
    for operator in ["StringEquals", "StringNotEquals", "StringLikeIfExists"] {
        for operand in ["red", "blue", "green", "*"] {
            let condition = compare(operator, &json!(operand));
            assert_eq!(allow(&condition, &twice), NOT_ALLOWED, "{operator} {operand}");
            assert_eq!(deny(&condition, &twice), DENIED, "{operator} {operand}");
        }
    }
}

fn amr(operator: &str, operand: &Value) -> Value {
    json!({operator: {"cognito-identity.amazonaws.com:amr": operand}})
}

#[test]
fn for_any_value_wants_one_value_that_passes() {
    let person = identity("me");
    assert_eq!(allow(&amr("ForAnyValue:StringEquals", &json!("login.app")), &person), ALLOWED);
    assert_eq!(allow(&amr("ForAnyValue:StringLike", &json!(["x", "login.*"])), &person), ALLOWED);
    assert_eq!(allow(&amr("ForAnyValue:StringEquals", &json!("login.other")), &person), NOT_ALLOWED);
    assert_eq!(allow(&amr("ForAnyValue:StringNotEquals", &json!("login.app")), &person), ALLOWED);
    let both = json!(["login.app", "authenticated"]);
    assert_eq!(allow(&amr("ForAnyValue:StringNotEquals", &both), &person), NOT_ALLOWED);
}

#[test]
fn for_all_values_wants_every_value_to_pass() {
    let person = identity("me");
    let present = |mut condition: Value| {
        condition["Null"] = json!({"cognito-identity.amazonaws.com:amr": "false"});
        condition
    };
    let both = json!(["login.app", "authenticated", "more"]);
    assert_eq!(allow(&present(amr("ForAllValues:StringEquals", &both)), &person), ALLOWED);
    assert_eq!(allow(&present(amr("ForAllValues:StringLike", &json!("login.*"))), &person), NOT_ALLOWED);
    assert_eq!(allow(&present(amr("ForAllValues:StringNotEquals", &json!("guest"))), &person), ALLOWED);
    assert_eq!(
        allow(&present(amr("ForAllValues:StringNotEquals", &json!("login.app"))), &person),
        NOT_ALLOWED
    );
    assert_eq!(allow(&present(amr("ForAllValues:StringEquals", &both)), &Context::empty()), NOT_ALLOWED);
}

/// The vacuous truth that is refused in an Allow is on the safe side in a Deny.
#[test]
fn for_all_values_of_an_absent_key_denies() {
    assert_eq!(deny(&amr("ForAllValues:StringEquals", &json!("guest")), &Context::empty()), DENIED);
}
