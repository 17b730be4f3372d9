//! What is refused when a document is read, and what the refusal says.

use serde_json::{Value, json};

use super::{ALLOWED, NOT_ALLOWED, document, get, statement};
use crate::iam::{Context, Policy, Request, evaluate};

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
    let cure = "write \"2012-10-17\", which has policy variables";
    for version in ["", "2026-01-01", "2012-10-17 "] {
        let text = json!({"Version": version, "Statement": statement("Allow", "*")}).to_string();
        assert!(refusal(&text).contains(cure), "{version}");
    }
    // Where they would be plain text, a policy that looks confined would not be.
    let confined = statement("Allow", "arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*");
    let asking = json!({"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"StringLike": {"s3:prefix": "${cognito-identity.amazonaws.com:sub}/*"}}});
    for statement in [confined, asking] {
        for text in
            [json!({"Statement": statement}), json!({"Version": "2008-10-17", "Statement": statement})]
        {
            assert!(refusal(&text.to_string()).contains(cure), "{text}");
        }
    }
}

#[test]
fn a_document_without_a_version_is_of_the_old_one() {
    for text in [
        json!({"Statement": statement("Allow", "*")}),
        json!({"Version": "2008-10-17", "Statement": statement("Allow", "arn:aws:s3:::b/*")}),
    ] {
        let object = "arn:aws:s3:::b/x";
        let policy = Policy::parse(&text.to_string()).unwrap();
        assert_eq!(get(&policy, object, &Context::empty()), ALLOWED, "{text}");
    }
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
    let of = |length: usize, space: &str| {
        let text =
            json!({"Version": "2012-10-17", "Id": "", "Statement": statement("Allow", "*")}).to_string();
        let rest = length - text.len();
        text.replacen("\"Id\":\"\"", &format!("{space}\"Id\":{space}\"{}\"", "x".repeat(rest)), 1)
    };
    let refused = "document: longer than 10240 characters, white space aside; split it";
    for space in ["", " ", "\r\n\t", &" ".repeat(40_000)] {
        assert!(Policy::parse(&of(10_240, space)).is_ok());
        assert_eq!(refusal(&of(10_241, space)), refused);
    }
    assert_eq!(refusal(&of(1_000, &" ".repeat(70_000))), refused, "nobody reads without an end");
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
            json!({"Resource": "arn:aws:s3:::b/${aws:usernme}/*"}),
            "statement 2, Resource.variable ${aws:usernme}: unknown key \"aws:usernme\"",
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
            json!({"StringLike": {"s3:prefix": "${aws:usernme}"}}),
            "statement 2, Condition.StringLike.s3:prefix.variable ${aws:usernme}: unknown key",
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

/// What the policy says about reading an object, and about an item of a table.
fn said(policy: &Policy) -> [crate::iam::Decision; 2] {
    let asked = [
        ("s3:GetObject", "arn:aws:s3:::b/me/x"),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:1:table/t"),
    ];
    asked.map(|(action, resource)| {
        let context = &super::identity("me");
        evaluate(std::slice::from_ref(policy), None, &Request { action, resource, context })
    })
}

/// Amazon DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control", beside a statement about S3.
#[test]
fn what_a_policy_says_of_other_services_is_taken_and_never_asked() {
    for condition in [
        json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${cognito-identity.amazonaws.com:sub}"]}}),
        json!({"ForAllValues:StringLikeIfExists": {"aws:TagKeys": "${aws:username}"}, "BinaryEquals": {"a:b": "QQ=="}}),
        json!({"Null": {"aws:RequestTag/a": true}}),
    ] {
        for effect in ["Allow", "Deny"] {
            let item = json!({"Sid": "Items", "Effect": effect, "Action": ["dynamodb:GetItem", "DynamoDB:*"],
                "Resource": "arn:aws:dynamodb:*:*:table/${www.amazon.com:user_id}", "Condition": condition});
            let object = statement("Allow", "arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*");
            let policy = Policy::parse(&document(&json!([object, item]))).unwrap();
            let [object, item] = said(&policy);
            assert_eq!(object, ALLOWED, "{effect} {condition}");
            assert_ne!(item, ALLOWED, "{effect} {condition}");
            assert!(policy.unfilled_keys().is_empty());
        }
    }
    for broken in [
        json!({"Resource": "table/t"}),
        json!({"Condition": []}),
        json!({"Condition": {"StringEquals": "a"}}),
        json!({"Condition": {"StringEquals": {"a:b": {}}}}),
        json!({"Conditions": {}}),
        json!({"Effect": "allow"}),
        json!({"Sid": []}),
    ] {
        let mut changes = json!({"Action": "dynamodb:GetItem"});
        changes.as_object_mut().unwrap().extend(broken.as_object().unwrap().clone());
        assert!(refusal_with(&changes).starts_with("statement 2"), "{broken}");
    }
}

#[test]
fn a_key_that_is_never_filled_in_lets_nobody_in_and_denies_nothing_by_chance() {
    for (condition, key) in [
        (json!({"StringEquals": {"s3:x-amz-acl": "private"}}), "s3:x-amz-acl"),
        (json!({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}), "aws:requestedregion"),
        (json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": true}}), "aws:multifactorauthpresent"),
        (json!({"Null": {"s3:ExistingObjectTag/secret": true}}), "s3:existingobjecttag/secret"),
        (json!({"Null": {"s3:ExistingObjectTag/secret": false}}), "s3:existingobjecttag/secret"),
        (json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "me"}}), "dynamodb:leadingkeys"),
        (json!({"StringEquals": {"aws:RequestTag/team": "red"}}), "aws:requesttag/team"),
        (json!({"StringEquals": {"s3:prefix": ["${aws:username}"]}}), "aws:username"),
        (json!({"StringLike": {"s3:prefix": ["${aws:username, 'a'}*"]}}), "aws:username"),
    ] {
        let mut asking = json!({"Effect": "Allow", "Action": ["s3:*", "dynamodb:*"], "Resource": "*"});
        asking["Condition"] = condition.clone();
        let policy = Policy::parse(&document(&asking)).unwrap();
        assert_eq!(said(&policy), [NOT_ALLOWED; 2], "{condition}");
        assert_eq!(policy.unfilled_keys().into_iter().collect::<Vec<_>>(), [key]);
        asking["Effect"] = "Deny".into();
        for actions in
            [json!({"Action": "*"}), json!({"Action": ["iam:PassRole"]}), json!({"NotAction": "dynamodb:*"})]
        {
            let mut denying = asking.clone();
            denying.as_object_mut().unwrap().remove("Action");
            denying.as_object_mut().unwrap().extend(actions.as_object().unwrap().clone());
            let refusal = refusal(&document(&denying));
            assert!(refusal.starts_with(&format!("statement 1: denies by {key:?}")), "{refusal}");
        }
    }
    let blind = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}/*"});
    assert!(refusal(&document(&blind)).contains("denies by \"aws:username\""));
}
