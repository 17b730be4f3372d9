//! What must hold for every policy and every request, tried on thousands of random ones.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::{ask, document, get, identity, policy, statement};
use crate::iam::{Context, Decision, Key, Policy, Request, TrustPolicy, evaluate};

const ACTIONS: &[&str] = &["s3:GetObject", "s3:PutObject", "s3:Get*", "*"];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b/a/*",
    "arn:aws:s3:::c/?",
    "arn:aws:s3:::b/${aws:PrincipalTag/t}/*",
    "arn:aws:s3:::b/${aws:PrincipalTag/t}*",
    "arn:aws:s3:::${aws:PrincipalTag/t}/${aws:userid}",
];
const CONDITIONS: &[&str] = &[
    r#"{"Null": {"s3:delimiter": "true"}}"#,
    r#"{"StringEquals": {"s3:prefix": "a"}}"#,
    r#"{"StringNotLike": {"s3:prefix": ["b*", "${aws:PrincipalTag/t}"]}}"#,
    r#"{"StringLikeIfExists": {"s3:prefix": "${aws:PrincipalTag/t}*"}}"#,
    r#"{"NumericLessThan": {"s3:max-keys": "5"}}"#,
];

/// Values for `t` and `s3:prefix`: short ones that often meet, and text that wants to be a pattern.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        select(&["", "a", "b", "*", "?", "a/a", "${aws:userid}"][..]).prop_map(str::to_owned),
        "[ab*?/${}:]{1,4}",
    ]
}

fn resource() -> impl Strategy<Value = String> {
    "[bc]/[ab*?/:]{0,4}".prop_map(|key| format!("arn:aws:s3:::{key}"))
}

fn effect() -> impl Strategy<Value = &'static str> {
    select(&["Allow", "Deny"][..])
}

fn unconditional_statement() -> impl Strategy<Value = Value> {
    let actions = (select(&["Action", "NotAction"][..]), subsequence(ACTIONS, 1..=2));
    let resources = (select(&["Resource", "NotResource"][..]), subsequence(RESOURCES, 1..=3));
    (effect(), actions, resources).prop_map(|(effect, (action, actions), (resource, resources))| {
        json!({"Effect": effect, action: actions, resource: resources})
    })
}

fn any_statement() -> impl Strategy<Value = Value> {
    (unconditional_statement(), proptest::option::of(select(CONDITIONS))).prop_map(
        |(mut statement, condition)| {
            if let Some(condition) = condition {
                statement["Condition"] = serde_json::from_str(condition).unwrap();
            }
            statement
        },
    )
}

fn statements() -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(any_statement(), 1..5)
}

fn context() -> impl Strategy<Value = Context> {
    let values = || proptest::option::of(value());
    (values(), values(), proptest::option::of("[0-9x]")).prop_map(|(tag, prefix, max_keys)| {
        Context::empty()
            .with_all(Key::principal_tag("t"), tag)
            .with_all(Key::S3Prefix, prefix)
            .with_all(Key::S3MaxKeys, max_keys)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whatever_the_sub_nothing_outside_its_prefix_is_allowed(
        sub in prop_oneof![value(), "\\PC{0,6}"],
        key in prop_oneof!["[ab*?/${}:]{0,8}", "\\PC{0,8}"],
        extra in "[ab/]{0,3}",
    ) {
        let policy = policy(&statement("Allow", "arn:aws:s3:::bucket/${cognito-identity.amazonaws.com:sub}/*"));
        let mine = format!("arn:aws:s3:::bucket/{sub}/");
        for resource in [
            format!("arn:aws:s3:::bucket/{key}"),
            format!("arn:aws:s3:::{key}"),
            format!("{mine}{key}"),
            format!("arn:aws:s3:::bucket/{sub}{extra}"),
        ] {
            let inside = !sub.is_empty() && resource.starts_with(&mine);
            let allowed = get(&policy, &resource, &identity(&sub)) == Decision::Allowed;
            prop_assert_eq!(allowed, inside, "{}", resource);
        }
    }

    #[test]
    fn whatever_the_tag_nothing_outside_its_prefix_is_allowed(
        tag in value(),
        key in "[ab*?/${}:]{0,8}",
    ) {
        let policy = policy(&statement("Allow", "arn:aws:s3:::bucket/${aws:PrincipalTag/t}/*"));
        let context = Context::empty().with(Key::principal_tag("t"), tag.as_str());
        let inside = !tag.is_empty() && key.starts_with(&format!("{tag}/"));
        let allowed = get(&policy, &format!("arn:aws:s3:::bucket/{key}"), &context) == Decision::Allowed;
        prop_assert_eq!(allowed, inside);
    }

    #[test]
    fn one_more_deny_never_turns_a_refusal_into_leave(
        statements in statements(),
        mut deny in any_statement(),
        at in 0_usize..5,
        resource in resource(),
        context in context(),
    ) {
        deny["Effect"] = json!("Deny");
        let before = get(&policy(&json!(statements)), &resource, &context);
        let mut more = statements;
        more.insert(at.min(more.len()), deny);
        let after = get(&policy(&json!(more)), &resource, &context);
        prop_assert!(after >= before, "{:?} became {:?}", before, after);
    }

    #[test]
    fn the_order_of_statements_and_policies_never_matters(
        (statements, shuffled) in statements()
            .prop_flat_map(|statements| (Just(statements.clone()), Just(statements).prop_shuffle())),
        resource in resource(),
        context in context(),
    ) {
        let expected = get(&policy(&json!(statements)), &resource, &context);
        prop_assert_eq!(get(&policy(&json!(shuffled)), &resource, &context), expected);
        let apart: Vec<Policy> = shuffled.iter().map(policy).collect();
        let request = Request { action: "s3:GetObject", resource: &resource, context: &context };
        prop_assert_eq!(evaluate(&apart, None, &request), expected);
    }

    #[test]
    fn a_session_policy_never_adds_a_right(
        role in statements(),
        session in statements(),
        resource in resource(),
        context in context(),
    ) {
        let role = [policy(&json!(role))];
        let request = Request { action: "s3:GetObject", resource: &resource, context: &context };
        let alone = evaluate(&role, None, &request);
        prop_assert!(evaluate(&role, Some(&[policy(&json!(session))]), &request) >= alone);
    }

    /// What is allowed without a value for the variable is allowed with every value of it.
    #[test]
    fn a_missing_value_never_opens_what_some_value_would_close(
        statements in proptest::collection::vec(unconditional_statement(), 1..5),
        tag in value().prop_filter("an empty value is a missing one", |tag| !tag.is_empty()),
        action in select(&["s3:GetObject", "s3:DeleteObject"][..]),
        resource in resource(),
    ) {
        let policy = policy(&json!(statements));
        let with_tag = Context::empty().with(Key::principal_tag("t"), tag);
        if ask(&policy, action, &resource, &Context::empty()) == Decision::Allowed {
            prop_assert_eq!(ask(&policy, action, &resource, &with_tag), Decision::Allowed);
        }
    }

    #[test]
    fn no_text_makes_the_parsers_stumble(text in "\\PC{0,40}", inner in "[\\[\\]{}\",:a${} *]{0,60}") {
        for text in [text.clone(), document(&json!([statement("Allow", &text)])), inner] {
            let _ = Policy::parse(&text);
            let _ = TrustPolicy::parse(&text);
        }
    }
}
