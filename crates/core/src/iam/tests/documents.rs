//! What is refused when a document is read, and what the refusal says.

use serde_json::{Value, json};

use super::{document, statement};
use crate::iam::Policy;

fn refusal(document: &str) -> String {
    Policy::parse(document).expect_err(document).to_string()
}

/// The refusal of a statement that is sound but for these members.
fn refusal_with(changes: &Value) -> String {
    let mut statement = statement("Allow", "*");
    for (name, value) in changes.as_object().unwrap() {
        statement[name] = value.clone();
    }
    refusal(&document(&json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}, statement])))
}

#[test]
fn documents_that_are_sound_are_taken() {
    for text in [
        document(&statement("Allow", "*")),
        document(&json!([statement("Deny", "*")])),
        json!({
            "Version": "2012-10-17", "Id": "mine",
            "Statement": [{
                "Sid": "One", "Effect": "Allow", "NotAction": "s3:Delete*",
                "NotResource": "arn:aws:s3:::b", "Condition": {"Bool": {"aws:SecureTransport": true}}
            }]
        })
        .to_string(),
    ] {
        Policy::parse(&text).unwrap();
    }
}

#[test]
fn the_version_must_be_the_one_with_variables() {
    for version in ["2008-10-17", "", "2026-01-01", "2012-10-17 "] {
        let text = json!({"Version": version, "Statement": statement("Allow", "*")}).to_string();
        assert!(refusal(&text).contains("write \"2012-10-17\", which has policy variables"));
    }
    let without = json!({"Statement": statement("Allow", "*")}).to_string();
    assert_eq!(refusal(&without), "document: has no Version; add it");
}

#[test]
fn a_document_of_the_wrong_shape_is_refused() {
    for text in ["", "null", "[]", "\"*\"", "{", "{}", r#"{"Version":"2012-10-17"}"#, "\u{feff}{}"] {
        refusal(text);
    }
    for statements in [json!([]), json!("*"), json!([[]]), json!(["*"]), json!({})] {
        refusal(&document(&statements));
    }
    let more = json!({"Version": "2012-10-17", "Statement": statement("Allow", "*"), "statement": []});
    assert_eq!(
        refusal(&more.to_string()),
        "document: unknown member \"statement\"; known here are Version, Id, Statement"
    );
}

#[test]
fn a_member_that_stands_twice_is_refused() {
    let text = r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    assert_eq!(
        refusal(text),
        "document: cannot be read: \"Effect\" stands twice in one object; keep one at line 2 column 35"
    );
}

#[test]
fn a_document_beyond_the_limit_is_refused() {
    let padded = |length| format!("{:<length$}", document(&statement("Allow", "*")));
    assert!(Policy::parse(&padded(10_240)).is_ok());
    assert_eq!(refusal(&padded(10_241)), "document: longer than 10240 characters; split it");
    refusal(&"[".repeat(10_000));
}

#[test]
fn refusals_name_the_statement_and_the_member() {
    for (changes, place) in [
        (json!({"Effect": "allow"}), "statement 2: Effect is neither"),
        (json!({"Effect": ["Allow"]}), "statement 2: Effect is neither"),
        (json!({"Action": []}), "statement 2, Action: the list is empty"),
        (json!({"Action": {"a": "b"}}), "statement 2, Action: must be a string or a list"),
        (json!({"Action": "GetObject"}), "statement 2, Action: \"GetObject\" is no action"),
        (json!({"Action": "s3:${aws:userid}"}), "statement 2, Action: \"s3:${aws:userid}\" is no action"),
        (json!({"Action": "s*:GetObject"}), "statement 2, Action: "),
        (json!({"NotAction": "s3:*"}), "statement 2: has Action and NotAction; keep one"),
        (json!({"NotResource": "*"}), "statement 2: has Resource and NotResource; keep one"),
        (json!({"Resource": ["*", "bucket/*"]}), "statement 2, Resource: \"bucket/*\" is neither"),
        (
            json!({"Resource": "arn:aws:s3:::b/${aws:username}/*"}),
            "statement 2, Resource.variable ${aws:username}: unknown key \"aws:username\"",
        ),
        (json!({"Resource": "arn:aws:s3:::b/${aws:userid"}), "statement 2, Resource: `${` without its `}`"),
        (json!({"Sid": 7, "Effect": "x"}), "statement 2: Effect"),
        (json!({"Sid": {}}), "statement 2, Sid: must be a JSON string"),
        (json!({"Principal": "*"}), "statement 2: Principal does not belong here"),
        (json!({"NotPrincipal": "*"}), "statement 2: NotPrincipal does not belong here"),
        (json!({"Conditions": {}}), "statement 2: unknown member \"Conditions\""),
    ] {
        let refusal = refusal_with(&changes);
        assert!(refusal.starts_with(place), "{changes}: {refusal}");
    }
}

#[test]
fn refusals_name_the_line_of_the_condition() {
    for (condition, place) in [
        (json!([]), "statement 2, Condition: must be a JSON object"),
        (json!({}), "statement 2, Condition: is empty and would check nothing"),
        (json!({"StringLike": {}}), "statement 2, Condition.StringLike: is empty"),
        (json!({"StringLik": {"s3:prefix": "a"}}), "statement 2, Condition.StringLik: unknown operator"),
        (json!({"StringLike": {"s3:prefx": "a"}}), "statement 2, Condition.StringLike.s3:prefx: unknown key"),
        (
            json!({"StringLike": {"s3:prefix": []}}),
            "statement 2, Condition.StringLike.s3:prefix: the list is empty",
        ),
        (
            json!({"StringLike": {"s3:prefix": [["a"]]}}),
            "statement 2, Condition.StringLike.s3:prefix: must be",
        ),
        (
            json!({"StringLike": {"s3:prefix": "${aws:username}"}}),
            "statement 2, Condition.StringLike.s3:prefix.variable ${aws:username}: unknown key",
        ),
        (
            json!({"StringLike": {"s3:prefix": "a", "S3:Prefix": "b"}}),
            "statement 2, Condition.StringLike.S3:Prefix: stands there twice",
        ),
        (
            json!({"NumericEquals": {"s3:max-keys": "${aws:EpochTime}"}}),
            "statement 2, Condition.NumericEquals.s3:max-keys: \"${aws:EpochTime}\" is not a decimal number",
        ),
        (
            json!({"Null": {"s3:prefix": "maybe"}}),
            "statement 2, Condition.Null.s3:prefix: Null takes one value",
        ),
        (
            json!({"Null": {"s3:prefix": ["true", "false"]}}),
            "statement 2, Condition.Null.s3:prefix: Null takes",
        ),
        (
            json!({"StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}}),
            "statement 2, Condition.StringLike.cognito-identity.amazonaws.com:amr: the key has several values",
        ),
    ] {
        let refusal = refusal_with(&json!({"Condition": condition}));
        assert!(refusal.starts_with(place), "{condition}: {refusal}");
    }
}

#[test]
fn an_allow_must_not_lean_on_for_all_values_alone() {
    let lonely = json!({"ForAllValues:StringEquals": {"aws:PrincipalTag/t": "red"}});
    let other_key = json!({
        "ForAllValues:StringEquals": {"aws:PrincipalTag/t": "red"}, "Null": {"aws:PrincipalTag/u": "false"}
    });
    let absent = json!({
        "ForAllValues:StringEquals": {"aws:PrincipalTag/t": "red"}, "Null": {"aws:PrincipalTag/t": "true"}
    });
    for condition in [lonely.clone(), other_key, absent] {
        let refusal = refusal_with(&json!({"Condition": condition}));
        assert!(refusal.starts_with("statement 2, Condition: ForAllValues: holds for a request without"));
    }
    let present = json!({
        "ForAllValues:StringEquals": {"aws:PrincipalTag/t": "red"}, "Null": {"AWS:principaltag/T": "false"}
    });
    for (effect, condition) in [("Allow", present), ("Deny", lonely)] {
        let mut statement = statement(effect, "*");
        statement["Condition"] = condition;
        Policy::parse(&document(&statement)).unwrap();
    }
}
