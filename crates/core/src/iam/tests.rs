//! The evaluator seen from outside: a policy, a request, a decision. First come the traps that other
//! evaluators fell into.

mod conditions;
mod differential;
mod documents;
mod known;
mod naive;
mod properties;
mod trust;
mod variables;

use serde_json::{Value, json};

use super::{Context, Decision, Key, Policy, Request, evaluate};

const ALLOWED: Decision = Decision::Allowed;
const NOT_ALLOWED: Decision = Decision::NotAllowed;
const DENIED: Decision = Decision::ExplicitlyDenied;

const SUB: &str = "us-east-1:0f3c1a52-1111-4c5e-9d57-0a6f2f9b7c01";

fn policy(statements: &Value) -> Policy {
    Policy::parse(&document(statements)).unwrap()
}

fn document(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// A statement about every action on one resource.
fn statement(effect: &str, resource: &str) -> Value {
    json!({"Effect": effect, "Action": "*", "Resource": resource})
}

fn ask(policy: &Policy, action: &str, resource: &str, context: &Context) -> Decision {
    evaluate(std::slice::from_ref(policy), None, &Request { action, resource, context })
}

fn get(policy: &Policy, resource: &str, context: &Context) -> Decision {
    ask(policy, "s3:GetObject", resource, context)
}

fn identity(sub: &str) -> Context {
    Context::empty().with_cognito(sub, "us-east-1:pool", ["authenticated", "login.app"])
}

#[test]
fn an_explicit_deny_wins_wherever_it_stands() {
    let (allow, deny) = (statement("Allow", "*"), statement("Deny", "arn:aws:s3:::b/secret"));
    for statements in [json!([allow, deny]), json!([deny, allow]), json!([allow, deny, allow])] {
        let policy = policy(&statements);
        assert_eq!(get(&policy, "arn:aws:s3:::b/secret", &Context::empty()), DENIED);
        assert_eq!(get(&policy, "arn:aws:s3:::b/other", &Context::empty()), ALLOWED);
    }
}

#[test]
fn an_explicit_deny_in_one_policy_wins_over_all_others() {
    let (allow, deny) = (policy(&statement("Allow", "*")), policy(&statement("Deny", "*")));
    let context = Context::empty();
    let request = Request { action: "s3:GetObject", resource: "arn:aws:s3:::b/x", context: &context };
    assert_eq!(evaluate(&[allow.clone(), deny.clone()], None, &request), DENIED);
    assert_eq!(evaluate(&[deny.clone(), allow.clone()], None, &request), DENIED);
    assert_eq!(
        evaluate(std::slice::from_ref(&allow), Some(&[allow.clone(), deny.clone()]), &request),
        DENIED
    );
    assert_eq!(evaluate(&[deny], Some(&[allow]), &request), DENIED);
}

#[test]
fn without_a_statement_nothing_is_allowed() {
    let context = Context::empty();
    let request = Request { action: "s3:GetObject", resource: "arn:aws:s3:::b/x", context: &context };
    assert_eq!(evaluate(&[], None, &request), NOT_ALLOWED);
}

#[test]
fn session_policies_take_rights_away_and_add_none() {
    let role = [policy(&statement("Allow", "arn:aws:s3:::b/*"))];
    let narrow = policy(&statement("Allow", "arn:aws:s3:::b/mine/*"));
    let wide = policy(&statement("Allow", "*"));
    let context = Context::empty();
    let decide = |session: Option<&[Policy]>, resource| {
        evaluate(&role, session, &Request { action: "s3:GetObject", resource, context: &context })
    };
    assert_eq!(decide(None, "arn:aws:s3:::b/x"), ALLOWED);
    assert_eq!(decide(Some(&[]), "arn:aws:s3:::b/x"), NOT_ALLOWED);
    assert_eq!(decide(Some(std::slice::from_ref(&narrow)), "arn:aws:s3:::b/x"), NOT_ALLOWED);
    assert_eq!(decide(Some(std::slice::from_ref(&narrow)), "arn:aws:s3:::b/mine/x"), ALLOWED);
    assert_eq!(decide(Some(&[narrow, wide.clone()]), "arn:aws:s3:::b/x"), ALLOWED, "their union counts");
    assert_eq!(decide(Some(&[wide]), "arn:aws:s3:::other/x"), NOT_ALLOWED);
}

#[test]
fn actions_match_without_regard_to_case() {
    let policy = policy(&json!({"Effect": "Allow", "Action": ["s3:get*", "S3:PutObjec?"], "Resource": "*"}));
    let asks = |action| ask(&policy, action, "arn:aws:s3:::b/x", &Context::empty());
    assert_eq!(asks("s3:GetObject"), ALLOWED);
    assert_eq!(asks("S3:GETOBJECTACL"), ALLOWED);
    assert_eq!(asks("s3:PutObject"), ALLOWED);
    for action in ["s3:PutObjectAcl", "s3:PutObjec", "sts:GetObject", "GetObject", "s3:"] {
        assert_eq!(asks(action), NOT_ALLOWED, "{action}");
    }
}

#[test]
fn resources_match_with_regard_to_case() {
    let policy = policy(&statement("Allow", "arn:aws:s3:::b/Mine/*"));
    assert_eq!(get(&policy, "arn:aws:s3:::b/Mine/a/b:c", &Context::empty()), ALLOWED);
    assert_eq!(get(&policy, "arn:aws:s3:::b/mine/a", &Context::empty()), NOT_ALLOWED);
    assert_eq!(get(&policy, "arn:aws:s3:::b/Mine", &Context::empty()), NOT_ALLOWED);
}

#[test]
fn not_action_and_not_resource_mean_everything_else() {
    let others = policy(&json!({"Effect": "Allow", "NotAction": ["s3:Delete*", "sts:*"], "Resource": "*"}));
    assert_eq!(ask(&others, "s3:GetObject", "arn:aws:s3:::b/x", &Context::empty()), ALLOWED);
    assert_eq!(ask(&others, "s3:DeleteObject", "arn:aws:s3:::b/x", &Context::empty()), NOT_ALLOWED);

    let elsewhere = policy(
        &json!({"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}),
    );
    assert_eq!(get(&elsewhere, "arn:aws:s3:::c/x", &Context::empty()), ALLOWED);
    assert_eq!(get(&elsewhere, "arn:aws:s3:::b/x", &Context::empty()), NOT_ALLOWED);
}

/// A gate that names no real resource gets no further than a policy for all resources.
#[test]
fn a_resource_that_is_no_arn_is_never_outside_of_anything() {
    let everywhere = policy(&statement("Allow", "*"));
    let outside = policy(&json!({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*"}));
    let denied = policy(&json!([statement("Allow", "*"), statement("Deny", "arn:aws:s3:::b/*")]));
    for resource in ["", "b/x", "arn:aws:s3"] {
        assert_eq!(get(&everywhere, resource, &Context::empty()), ALLOWED, "{resource}");
        assert_eq!(get(&outside, resource, &Context::empty()), NOT_ALLOWED, "{resource}");
        assert_eq!(get(&denied, resource, &Context::empty()), DENIED, "{resource}");
    }
}

/// What a person may do who has a folder of their own, and nothing but that.
#[test]
fn a_role_confines_each_person_to_their_own_prefix() {
    let role = policy(&json!([
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": "arn:aws:s3:::demo/${cognito-identity.amazonaws.com:sub}/*"
        },
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::demo",
            "Condition": {"StringLike": {"s3:prefix": [
                "${cognito-identity.amazonaws.com:sub}/",
                "${cognito-identity.amazonaws.com:sub}/*"
            ]}}
        }
    ]));
    let me = identity(SUB);
    assert_eq!(get(&role, &format!("arn:aws:s3:::demo/{SUB}/cat.jpg"), &me), ALLOWED);
    for key in ["", "cat.jpg", "us-east-1:somebody/cat.jpg", SUB, &format!("{SUB}x/cat.jpg")] {
        assert_eq!(get(&role, &format!("arn:aws:s3:::demo/{key}"), &me), NOT_ALLOWED, "{key}");
    }
    let list = |prefix: &str| {
        ask(&role, "s3:ListBucket", "arn:aws:s3:::demo", &me.clone().with(Key::S3Prefix, prefix))
    };
    assert_eq!(list(&format!("{SUB}/")), ALLOWED);
    assert_eq!(list(&format!("{SUB}/2026/")), ALLOWED);
    for prefix in ["", SUB, "*", &format!("{SUB}x/"), &format!("x/{SUB}/")] {
        assert_eq!(list(prefix), NOT_ALLOWED, "{prefix}");
    }
    assert_eq!(ask(&role, "s3:ListBucket", "arn:aws:s3:::demo", &me), NOT_ALLOWED, "without a prefix");
    assert_eq!(ask(&role, "s3:DeleteBucket", "arn:aws:s3:::demo", &me), NOT_ALLOWED);
}
