//! Policies as they stand in AWS's own pages, with what everybody expects of them.

use serde_json::{Value, json};

use super::differential::both;
use super::naive::Asked;
use super::{ALLOWED, DENIED, NOT_ALLOWED};
use crate::iam::Decision;

fn document(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[track_caller]
fn expect(role: &Value, (action, resource): (&str, &str), known: &[(&str, &str)], expected: Decision) {
    let context: Vec<_> = known.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let asked = Asked { action, resource, context: &context };
    assert_eq!(both(std::slice::from_ref(role), None, &asked), expected, "{action} {resource} {known:?}");
}

const SUB: &str = "cognito-identity.amazonaws.com:sub";

/// IAM User Guide, "Amazon S3: Allows Amazon Cognito users to access objects in their bucket".
#[test]
fn each_person_reaches_their_own_folder() {
    let role = document(&json!([
        {
            "Sid": "ListYourObjects", "Effect": "Allow", "Action": "s3:ListBucket",
            "Resource": ["arn:aws:s3:::bucket-name"],
            "Condition": {"StringLike": {"s3:prefix": ["cognito/app/${cognito-identity.amazonaws.com:sub}/*"]}}
        },
        {
            "Sid": "ReadWriteDeleteYourObjects", "Effect": "Allow",
            "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            "Resource": ["arn:aws:s3:::bucket-name/cognito/app/${cognito-identity.amazonaws.com:sub}/*"]
        }
    ]));
    let mine = ("s3:GetObject", "arn:aws:s3:::bucket-name/cognito/app/us-east-1:me/cat.jpg");
    let list = ("s3:ListBucket", "arn:aws:s3:::bucket-name");
    expect(&role, mine, &[(SUB, "us-east-1:me")], ALLOWED);
    expect(&role, mine, &[(SUB, "us-east-1:you")], NOT_ALLOWED);
    expect(&role, mine, &[(SUB, "*")], NOT_ALLOWED);
    expect(&role, mine, &[], NOT_ALLOWED);
    expect(&role, list, &[(SUB, "us-east-1:me"), ("s3:prefix", "cognito/app/us-east-1:me/")], ALLOWED);
    expect(&role, list, &[(SUB, "us-east-1:me"), ("s3:prefix", "cognito/app/")], NOT_ALLOWED);
    expect(&role, list, &[(SUB, "us-east-1:me")], NOT_ALLOWED);
}

/// IAM User Guide, "AWS: Denies access to AWS based on the source IP", without the services that act for others.
#[test]
fn nobody_comes_from_outside_the_networks() {
    let role = document(&json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]}}
        }
    ]));
    let get = ("s3:GetObject", "arn:aws:s3:::b/a");
    expect(&role, get, &[("aws:SourceIp", "203.0.113.9")], ALLOWED);
    expect(&role, get, &[("aws:SourceIp", "::ffff:203.0.113.9")], ALLOWED);
    expect(&role, get, &[("aws:SourceIp", "198.51.100.1")], DENIED);
    expect(&role, get, &[("aws:SourceIp", "2001:db8::1")], DENIED);
    expect(&role, get, &[], DENIED);
}

/// Amazon S3 User Guide, "Security best practices": refuse what does not come over TLS.
#[test]
fn nothing_goes_without_tls() {
    let deny = |operator: &str| {
        document(&json!([
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {
                "Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
                "Condition": {operator: {"aws:SecureTransport": "false"}}
            }
        ]))
    };
    let get = ("s3:GetObject", "arn:aws:s3:::b/a");
    for operator in ["Bool", "BoolIfExists"] {
        expect(&deny(operator), get, &[("aws:SecureTransport", "false")], DENIED);
        expect(&deny(operator), get, &[("aws:SecureTransport", "true")], ALLOWED);
    }
    expect(&deny("Bool"), get, &[], ALLOWED);
    expect(&deny("BoolIfExists"), get, &[], DENIED);
}

/// IAM User Guide, "AWS: Allows access based on date and time".
#[test]
fn a_right_begins_and_ends() {
    let role = document(&json!({
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
        "Condition": {
            "DateGreaterThan": {"aws:CurrentTime": "2026-04-01T00:00:00Z"},
            "DateLessThan": {"aws:CurrentTime": "2026-06-30T23:59:59Z"}
        }
    }));
    let get = ("s3:GetObject", "arn:aws:s3:::b/a");
    for (now, expected) in [
        ("2026-04-01T00:00:00Z", NOT_ALLOWED),
        ("2026-04-01T00:00:01Z", ALLOWED),
        ("2026-06-30T23:59:58Z", ALLOWED),
        ("2026-06-30T23:59:59Z", NOT_ALLOWED),
    ] {
        expect(&role, get, &[("aws:CurrentTime", now)], expected);
    }
}

/// IAM User Guide, "IAM JSON policy elements: NotAction" and "NotResource".
#[test]
fn everything_but_what_is_named() {
    let role = document(&json!([
        {"Effect": "Allow", "NotAction": ["cognito-identity:*", "sts:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::pub", "arn:aws:s3:::pub/*"]}
    ]));
    expect(&role, ("s3:GetObject", "arn:aws:s3:::pub/a"), &[], ALLOWED);
    expect(&role, ("s3:GetObject", "arn:aws:s3:::private/a"), &[], DENIED);
    expect(&role, ("s3:GetObject", "*"), &[], DENIED);
    expect(&role, ("cognito-identity:DescribeIdentity", "*"), &[], NOT_ALLOWED);
    expect(&role, ("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:1:table/t"), &[], ALLOWED);
}

/// IAM User Guide, "What is ABAC for AWS?": the team's own, and for those without a team what is for all.
#[test]
fn tags_decide() {
    let role = document(&json!([
        {
            "Effect": "Allow", "Action": "s3:*",
            "Resource": "arn:aws:s3:::teams/${aws:PrincipalTag/team, 'everybody'}/*"
        },
        {
            "Effect": "Deny", "Action": ["s3:Put*", "s3:Delete*"], "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalTag/level": ["editor", "owner"]}}
        }
    ]));
    let (team, level) = ("aws:PrincipalTag/team", "aws:PrincipalTag/level");
    let (get, put) =
        (("s3:GetObject", "arn:aws:s3:::teams/red/a"), ("s3:PutObject", "arn:aws:s3:::teams/red/a"));
    expect(&role, get, &[(team, "red")], ALLOWED);
    expect(&role, get, &[(team, "blue")], NOT_ALLOWED);
    expect(&role, get, &[(team, "re*")], NOT_ALLOWED);
    expect(&role, ("s3:GetObject", "arn:aws:s3:::teams/everybody/a"), &[], ALLOWED);
    expect(&role, put, &[(team, "red"), (level, "owner")], ALLOWED);
    expect(&role, put, &[(team, "red"), (level, "reader")], DENIED);
    expect(&role, put, &[(team, "red")], DENIED);
}
