//! Trust policies: which ones cannot be constructed, and whom the others let in.

use serde_json::{Value, json};

use super::{ALLOWED, DENIED, NOT_ALLOWED, document, identity};
use crate::iam::{COGNITO_IDENTITY, Context, Decision, Key, TrustPolicy, TrustRequest};

const AUD: &str = "cognito-identity.amazonaws.com:aud";
const AMR: &str = "cognito-identity.amazonaws.com:amr";

fn trust_statement() -> Value {
    json!({
        "Effect": "Allow",
        "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": sound_condition()
    })
}

fn sound_condition() -> Value {
    json!({
        "StringEquals": {AUD: "us-east-1:pool"},
        "ForAnyValue:StringLike": {AMR: "authenticated"}
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut statement = trust_statement();
    statement[member] = value;
    statement
}

fn parse(statements: &Value) -> Result<TrustPolicy, String> {
    TrustPolicy::parse(&document(statements)).map_err(|error| error.to_string())
}

fn refusal(statements: &Value) -> String {
    parse(statements).expect_err(&statements.to_string())
}

fn assume(statements: &Value, context: &Context, tags_session: bool) -> Decision {
    let request = TrustRequest { provider: COGNITO_IDENTITY, tags_session, context };
    parse(statements).unwrap().evaluate(&request)
}

#[test]
fn people_of_the_pool_may_take_on_the_role() {
    assert_eq!(assume(&trust_statement(), &identity("me"), false), ALLOWED);
}

#[test]
fn guests_other_pools_and_other_providers_may_not() {
    let guest = Context::empty().with_cognito("me", "us-east-1:pool", ["unauthenticated"]);
    let stranger = Context::empty().with_cognito("me", "us-east-1:other", ["authenticated"]);
    let no_logins = Context::empty().with_cognito("me", "us-east-1:pool", Vec::<String>::new());
    for context in [guest, stranger, no_logins, Context::empty()] {
        assert_eq!(assume(&trust_statement(), &context, false), NOT_ALLOWED);
    }
    let person = identity("me");
    for provider in ["", "*", "accounts.google.com", "COGNITO-IDENTITY.amazonaws.com"] {
        let request = TrustRequest { provider, tags_session: false, context: &person };
        assert_eq!(parse(&trust_statement()).unwrap().evaluate(&request), NOT_ALLOWED, "{provider}");
    }
}

#[test]
fn a_token_with_tags_needs_leave_to_tag_the_session() {
    let person = identity("me");
    assert_eq!(assume(&trust_statement(), &person, true), NOT_ALLOWED);
    let both = with("Action", json!(["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]));
    assert_eq!(assume(&both, &person, true), ALLOWED);
    assert_eq!(assume(&both, &person, false), ALLOWED);
    let tagging_only = with("Action", json!("sts:TagSession"));
    assert_eq!(assume(&tagging_only, &person, true), NOT_ALLOWED);
    assert_eq!(assume(&tagging_only, &person, false), NOT_ALLOWED);
}

#[test]
fn tags_can_be_a_condition() {
    let mut statement = with("Action", json!(["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]));
    statement["Condition"]["StringLike"] = json!({"aws:RequestTag/team": "r*"});
    let tagged = |value: &str| identity("me").with(Key::request_tag("Team"), value);
    assert_eq!(assume(&statement, &tagged("red"), true), ALLOWED);
    assert_eq!(assume(&statement, &tagged("blue"), true), NOT_ALLOWED);
    assert_eq!(assume(&statement, &identity("me"), true), NOT_ALLOWED);
}

#[test]
fn an_explicit_deny_wins() {
    let mut deny = with("Effect", json!("Deny"));
    deny["Condition"] = json!({"StringEquals": {"cognito-identity.amazonaws.com:sub": "me"}});
    for statements in [json!([deny, trust_statement()]), json!([trust_statement(), deny])] {
        assert_eq!(assume(&statements, &identity("me"), false), DENIED);
        assert_eq!(assume(&statements, &identity("you"), false), ALLOWED);
    }
    let mut no_tags = with("Effect", json!("Deny"));
    no_tags["Action"] = json!("sts:TagSession");
    let both = with("Action", json!(["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]));
    assert_eq!(assume(&json!([both, no_tags]), &identity("me"), true), DENIED);
    assert_eq!(assume(&json!([both, no_tags]), &identity("me"), false), ALLOWED);
}

#[test]
fn a_policy_that_does_not_check_the_pool_is_refused() {
    let amr = json!({AMR: "authenticated"});
    for check in [
        json!({}),
        json!({"StringEquals": {AUD: ""}}),
        json!({"StringEquals": {AUD: "*"}}),
        json!({"StringEquals": {AUD: ["us-east-1:pool", "us-east-1:*"]}}),
        json!({"StringEquals": {AUD: ["us-east-1:pool", "${cognito-identity.amazonaws.com:aud}"]}}),
        json!({"StringLike": {AUD: "us-east-1:*"}}),
        json!({"ForAnyValue:StringLike": {AUD: ["us-east-1:pool", "us-east-1:poo?"]}}),
        json!({"StringLikeIfExists": {AUD: "us-east-1:pool"}}),
        json!({"StringEqualsIfExists": {AUD: "us-east-1:pool"}}),
        json!({"StringNotEquals": {AUD: "us-east-1:pool"}}),
        json!({"StringEqualsIgnoreCase": {AUD: "us-east-1:pool"}}),
        json!({"Null": {AUD: "false"}}),
        json!({"ForAllValues:StringNotLike": {AUD: "us-east-1:pool"}, "Null": {AUD: "false"}}),
        json!({"StringEquals": {"cognito-identity.amazonaws.com:sub": "us-east-1:pool"}}),
    ] {
        let mut condition = check.clone();
        condition["ForAnyValue:StringLike"] = amr.clone();
        let refusal = refusal(&with("Condition", condition));
        assert!(
            refusal.starts_with("statement 1: allows the role without checking the identity pool"),
            "{check}"
        );
    }
}

#[test]
fn a_policy_that_does_not_check_the_kind_of_login_is_refused() {
    for check in [
        json!({}),
        json!({"ForAnyValue:StringLike": {AMR: "*"}}),
        json!({"ForAnyValue:StringLike": {AMR: "?*"}}),
        json!({"ForAnyValue:StringLike": {AMR: "*authenticated"}}),
        json!({"ForAnyValue:StringLike": {AMR: ["authenticated", "*"]}}),
        json!({"ForAnyValue:StringLike": {AMR: ""}}),
        json!({"ForAnyValue:StringLike": {AMR: ["authenticated", "${sts:RoleSessionName}"]}}),
        json!({"ForAnyValue:StringEquals": {AMR: "${sts:RoleSessionName}"}}),
        json!({"ForAnyValue:StringEquals": {"sts:RoleSessionName": "authenticated"}}),
        json!({"ForAnyValue:StringNotEquals": {AMR: "unauthenticated"}}),
        json!({"ForAnyValue:StringEqualsIgnoreCase": {AMR: "authenticated"}}),
        json!({"ForAllValues:StringLike": {AMR: ["authenticated", "*"]}, "Null": {AMR: "false"}}),
        json!({"ForAllValues:StringNotLike": {AMR: "unauthenticated"}, "Null": {AMR: "false"}}),
        json!({"Null": {AMR: "false"}}),
    ] {
        let mut condition = check.clone();
        condition["StringEquals"] = json!({AUD: "us-east-1:pool"});
        let refusal = refusal(&with("Condition", condition));
        assert!(
            refusal.starts_with("statement 1: allows the role without checking the kind of login"),
            "{check}"
        );
    }
}

#[test]
fn every_allow_has_to_check() {
    let refusal = refusal(&json!([trust_statement(), with("Condition", json!({"Null": {AUD: "false"}}))]));
    assert!(refusal.starts_with("statement 2: allows the role without checking"), "{refusal}");
    let mut unconditional = trust_statement();
    unconditional.as_object_mut().unwrap().remove("Condition");
    assert!(parse(&unconditional).is_err());
}

#[test]
fn for_all_values_alone_is_no_check() {
    for key in [AUD, AMR] {
        for null in [json!({}), json!({"Null": {key: "true"}}), json!({"Null": {"aws:EpochTime": "false"}})] {
            let mut condition = sound_condition();
            condition.as_object_mut().unwrap().retain(|_, keys| keys.get(key).is_none());
            condition["ForAllValues:StringLike"] = json!({key: ["authenticated", "us-east-1:pool"]});
            condition.as_object_mut().unwrap().extend(null.as_object().unwrap().clone());
            assert!(
                refusal(&with("Condition", condition))
                    .contains("ForAllValues: holds for a request without the key")
            );
        }
    }
}

/// Whatever a login has among its methods has to be named, and there has to be one.
#[test]
fn all_methods_of_a_login_can_be_asked_for() {
    let statement = with(
        "Condition",
        json!({
            "ForAnyValue:StringLike": {AUD: "us-east-1:pool"},
            "ForAllValues:StringLike": {AMR: ["authenticated", "login.app", "login.app:*"]},
            "Null": {AMR: "false"}
        }),
    );
    let by =
        |methods: &[&str]| Context::empty().with_cognito("me", "us-east-1:pool", methods.iter().copied());
    assert_eq!(assume(&statement, &by(&["authenticated", "login.app", "login.app:pool:42"]), false), ALLOWED);
    for methods in [&["authenticated", "login.app", "google"][..], &["unauthenticated"], &[]] {
        assert_eq!(assume(&statement, &by(methods), false), NOT_ALLOWED, "{methods:?}");
    }
    let elsewhere = Context::empty().with_cognito("me", "us-east-1:other", ["authenticated"]);
    assert_eq!(assume(&statement, &elsewhere, false), NOT_ALLOWED);
}

#[test]
fn sound_checks_are_taken() {
    for aud in [
        json!({"StringLike": {AUD: "us-east-1:pool"}}),
        json!({"ForAnyValue:StringLike": {AUD: ["us-east-1:pool", "us-east-1:other"]}}),
        json!({"ForAnyValue:StringEquals": {AUD: "us-east-1:pool"}}),
        json!({"ForAllValues:StringEquals": {AUD: "us-east-1:pool"}, "Null": {AUD: "false"}}),
    ] {
        let mut condition = aud.clone();
        condition["ForAnyValue:StringEquals"][AMR] = json!("authenticated");
        let statement = with("Condition", condition);
        assert_eq!(assume(&statement, &identity("me"), false), ALLOWED, "{aud}");
        let elsewhere = Context::empty().with_cognito("me", "us-east-1:elsewhere", ["authenticated"]);
        assert_eq!(assume(&statement, &elsewhere, false), NOT_ALLOWED, "{aud}");
    }
    for amr in [
        json!({"ForAnyValue:StringEquals": {AMR: "authenticated"}}),
        json!({"ForAnyValue:StringLike": {AMR: "login.example.com:us-east-1:pool:*"}}),
        json!({"ForAnyValue:StringLike": {AMR: ["unauthenticated", "authenticated"]}}),
    ] {
        let mut condition = amr.clone();
        condition["StringEquals"] = json!({AUD: ["us-east-1:pool", "us-east-1:other"]});
        parse(&with("Condition", condition)).unwrap();
    }
}

#[test]
fn who_and_what_a_trust_policy_may_name() {
    for principal in [
        json!("*"),
        json!({}),
        json!({"AWS": "*"}),
        json!({"Federated": "*"}),
        json!({"Federated": []}),
        json!({"Federated": COGNITO_IDENTITY, "AWS": "*"}),
        json!({"Federated": COGNITO_IDENTITY, "Group": "a"}),
        json!([COGNITO_IDENTITY]),
        json!(COGNITO_IDENTITY),
    ] {
        let refusal = refusal(&with("Principal", principal.clone()));
        assert!(refusal.starts_with("statement 1, Principal: "), "{principal}: {refusal}");
    }
    for action in ["*", "sts:*", "sts:AssumeRole", "sts:AssumeRole*", "s3:GetObject", ""] {
        let refusal = refusal(&with("Action", json!(action)));
        assert!(refusal.starts_with("statement 1, Action: "), "{action}: {refusal}");
    }
    for member in ["Resource", "NotResource", "NotAction", "NotPrincipal"] {
        let refusal = refusal(&with(member, json!("*")));
        assert!(refusal.starts_with(&format!("statement 1: unknown member \"{member}\"")), "{refusal}");
    }
    parse(&with("Action", json!("STS:assumerolewithwebidentity"))).unwrap();
}

/// AWS's roles are often open to services and accounts as well, which never come here.
#[test]
fn statements_about_others_are_taken_and_let_nobody_in() {
    let others = [
        json!({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}),
        json!({"AWS": "arn:aws:iam::111111111111:root"}),
        json!({"Federated": "accounts.google.com"}),
        json!({"Federated": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"}),
    ];
    for principal in others {
        let other = json!({"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"],
            "Condition": {"StringEquals": {"sts:ExternalId": "x", "token.actions.githubusercontent.com:aud": "y"}}});
        for statements in [json!([other, trust_statement()]), json!([trust_statement(), other])] {
            assert_eq!(assume(&statements, &identity("me"), false), ALLOWED);
            let stranger = Context::empty().with_cognito("me", "us-east-1:other", ["authenticated"]);
            assert_eq!(assume(&statements, &stranger, false), NOT_ALLOWED);
        }
        let refusal = refusal(&other);
        assert!(refusal.contains("no statement is about whoever comes here"), "{refusal}");
    }
    let both =
        with("Principal", json!({"Federated": [COGNITO_IDENTITY, "accounts.google.com"], "Service": "a"}));
    assert_eq!(assume(&both, &identity("me"), false), ALLOWED);
    let mut nobody = with("Effect", json!("Deny"));
    nobody.as_object_mut().unwrap().remove("Condition");
    for principal in [json!("*"), json!({"AWS": "*"}), json!({"AWS": ["1", "*"]})] {
        nobody["Principal"] = principal;
        assert_eq!(assume(&json!([trust_statement(), nobody]), &identity("me"), false), DENIED);
    }
}

#[test]
fn a_trust_policy_that_asks_for_what_is_never_known_lets_nobody_in() {
    let mut condition = sound_condition();
    condition["StringNotEquals"] = json!({"accounts.google.com:aud": "x"});
    let statement = with("Condition", condition.clone());
    assert_eq!(assume(&statement, &identity("me"), false), NOT_ALLOWED);
    assert!(parse(&statement).unwrap().unfilled_keys().contains("accounts.google.com:aud"));
    let mut deny = with("Condition", condition);
    deny["Effect"] = "Deny".into();
    assert!(refusal(&json!([trust_statement(), deny])).contains("denies by \"accounts.google.com:aud\""));
}

#[test]
fn a_key_that_has_no_value_yet_is_refused() {
    let mut condition = sound_condition();
    condition["StringEquals"]["aws:PrincipalTag/team"] = json!("red");
    let refusal = refusal(&with("Condition", condition));
    assert!(refusal.contains("has no value in a policy of this kind; known here are"), "{refusal}");
}
