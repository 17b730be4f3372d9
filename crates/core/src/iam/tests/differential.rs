//! The evaluator held against the naive model, on random policies of the kind that people have. The seed is
//! fixed; `PROPTEST_RNG_SEED=7 cargo test -p daypass-core differential` tries others.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value, json};

use super::naive::{self, Asked, Says};
use super::{document, policy};
use crate::iam::key::{Document, Key};
use crate::iam::{COGNITO_IDENTITY, Context, Decision, Policy, Request, TrustPolicy, TrustRequest, evaluate};

const ACTIONS: &[&str] =
    &["s3:GetObject", "s3:PutObject", "s3:ListBucket", "cognito-identity:GetId", "S3:getobject"];
const ACTION_PATTERNS: &[&str] = &[
    "*",
    "s3:*",
    "s3:Get*",
    "S3:PUTOBJECT",
    "s3:?etObject",
    "s3:*Object",
    "s3:ListBucket",
    "cognito-identity:*",
];
const RESOURCES: &[&str] = &[
    "*",
    "",
    "b/a",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/",
    "arn:aws:s3:::b/a",
    "arn:aws:s3:::b/red/a",
    "arn:aws:s3:::b/red*/a",
    "arn:aws:s3:::b/blue/a/b:c",
    "arn:aws:s3:::b/all/a",
    "arn:aws:s3:::b/*/a",
    "arn:aws:s3:::c/a",
    "arn:aws:cognito-identity:us-east-1:1:identitypool/us-east-1:pool",
];
const RESOURCE_PATTERNS: &[&str] = &[
    "*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::?/a*",
    "arn:aws:s3:::b/${*}/a",
    "arn:aws:s3:::b/${aws:PrincipalTag/team}/*",
    "arn:aws:s3:::b/${aws:PrincipalTag/team}*",
    "arn:aws:s3:::b/${aws:PrincipalTag/team, 'all'}/*",
    "arn:aws:s3:::${aws:PrincipalTag/team}/${aws:userid}",
    "arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*",
    "arn:*:*:*:*:*/us-east-1:pool",
    "arn:aws:cognito-identity:us-east-?:*:identitypool/${cognito-identity.amazonaws.com:aud}",
];

/// A condition key, and values that a request can have for it, such as make no sense among them.
type Known = (&'static str, &'static [&'static str]);
const BOTH: &[Known] = &[
    ("cognito-identity.amazonaws.com:sub", &["red", "me", "*"]),
    ("cognito-identity.amazonaws.com:aud", &["us-east-1:pool", "us-east-1:other", ""]),
    (
        "cognito-identity.amazonaws.com:amr",
        &["authenticated", "unauthenticated", "login.app", "login.app:red"],
    ),
    ("aws:FederatedProvider", &["cognito-identity.amazonaws.com"]),
    ("aws:CurrentTime", &["2026-11-23T08:30:00Z", "2026-11-23T09:30:00+01:00", "2027-01-01T00:00:00.5Z"]),
    ("aws:EpochTime", &["1795422600", "5", "0"]),
    ("aws:SecureTransport", &["true", "false", "perhaps"]),
    ("aws:SourceIp", &["10.1.2.3", "::ffff:10.1.2.3", "203.0.113.9", "2001:db8::1", "nowhere"]),
];
const IDENTITY: &[Known] = &[
    (
        "aws:PrincipalTag/team",
        &["red", "RED", "blue", "*", "", "${aws:userid}", "b/red", "5", "true", "red/a"],
    ),
    ("aws:PrincipalArn", &["arn:aws:iam::1:role/app", "arn:aws:iam::2:role/app-b", "role/app"]),
    ("aws:PrincipalType", &["AssumedRole", "User"]),
    ("aws:userid", &["AROA:me", "red", "a"]),
    (
        "cognito-identity:IdentityPoolArn",
        &["arn:aws:cognito-identity:us-east-1:1:identitypool/us-east-1:pool"],
    ),
    ("s3:prefix", &["", "red", "red/", "blue/a", "*", "r?d", "all"]),
    ("s3:delimiter", &["/", ""]),
    ("dynamodb:LeadingKeys", &[]),
    ("S3:X-Amz-Acl", &[]),
    ("s3:max-keys", &["5", "05.0", "-1", "1000", "1e3", "9007199254740993"]),
];
const TRUST: &[Known] = &[
    ("sts:ExternalId", &[]),
    ("aws:RequestTag/team", &["red", "blue", "*", ""]),
    ("sts:RoleSessionName", &["me", "authenticated", "red"]),
];

/// Operators, and operands that they can have.
const OPERATORS: &[(&[&str], &[&str])] = &[
    (
        &["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"],
        &[
            "red",
            "Red",
            "",
            "*",
            "${*}",
            "${aws:CurrentTime}",
            "${aws:PrincipalTag/team}",
            "authenticated",
            "RÉD",
        ],
    ),
    (
        &["StringLike", "StringNotLike"],
        &[
            "red",
            "r*",
            "r?d*",
            "*",
            "",
            "${?}",
            "r${?}d",
            "${$}{aws:userid}",
            "${aws:PrincipalTag/team}",
            "${aws:PrincipalTag/team}/*",
            "${aws:PrincipalTag/team, 'all'}*",
            "${cognito-identity.amazonaws.com:sub}/*",
            "*authenticated",
            "login.app*",
            "us-east-1:*",
        ],
    ),
    (
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        &["5", "-1", "5.00", "9007199254740992", "1000.5", "-0"],
    ),
    (
        &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        &[
            "2026-11-23T08:30:00Z",
            "2026-11-23",
            "2027-01-01T00:00:00Z",
            "1795422600",
            "2026-11-23T07:00:00-01:30",
        ],
    ),
    (&["Bool"], &["true", "false", "TRUE"]),
    (
        &["IpAddress", "NotIpAddress"],
        &["10.0.0.0/8", "10.1.2.3", "203.0.113.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0", "10.1.2.2/31"],
    ),
    (
        &["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"],
        &[
            "*",
            "arn:aws:iam::*:role/app*",
            "arn:aws:iam::1:role/${aws:PrincipalTag/team, 'app'}",
            "arn:*:*:*:*:*",
        ],
    ),
];

fn config(cases: u32) -> ProptestConfig {
    let config = ProptestConfig::with_cases(cases);
    match config.rng_seed {
        RngSeed::Random => ProptestConfig { rng_seed: RngSeed::Fixed(10), ..config },
        RngSeed::Fixed(_) => config,
    }
}

/// One line of a condition: operator, key, operands.
type Line = (String, &'static str, Value);

/// What variables of session keys stand in cannot stand in a trust policy.
fn line(document: Document) -> impl Strategy<Value = Line> {
    let own = if document == Document::Trust { TRUST } else { IDENTITY };
    let key = prop_oneof![2 => select(own), 1 => select(BOTH)].prop_map(|(key, _)| key);
    let compare = select(OPERATORS).prop_flat_map(|(operators, operands)| {
        (select(operators), subsequence(operands, 1..=operands.len().min(3)))
    });
    let shape = select(&["", "", "", "IfExists", "ForAnyValue:", "ForAllValues:"][..]);
    let null = select(&["true", "false", "True"][..]);
    prop_oneof![
        8 => (compare, shape, key.clone()).prop_map(move |((operator, operands), shape, key)| {
            let shape = if key.ends_with(":amr") && !shape.ends_with(':') { "ForAnyValue:" } else { shape };
            let operator = match shape {
                "IfExists" => format!("{operator}IfExists"),
                set => format!("{set}{operator}"),
            };
            let in_trust = |text: &str| {
                text.replace("aws:PrincipalTag", "aws:RequestTag").replace("aws:userid", "aws:EpochTime")
            };
            let operands: Vec<String> = match document {
                Document::Trust => operands.into_iter().map(in_trust).collect(),
                Document::Identity => operands.into_iter().map(str::to_owned).collect(),
            };
            (operator, key, one_or_many(&operands))
        }),
        1 => (null, key).prop_map(|(absent, key)| ("Null".to_owned(), key, json!(absent))),
    ]
}

fn one_or_many(texts: &[String]) -> Value {
    match texts {
        [one] => one.parse::<u32>().map_or(json!(one), |number| json!(number)),
        several => json!(several),
    }
}

/// The lines as a Condition. `ForAllValues:` in an Allow is not taken without the presence of its key, and no key that is never
/// filled in is in a Deny.
fn condition(mut lines: Vec<Line>, effect: &str) -> Map<String, Value> {
    let filled = |key: &str| !BOTH.iter().chain(IDENTITY).chain(TRUST).any(|known| *known == (key, &[]));
    lines.retain(|(_, key, _)| effect == "Allow" || filled(key));
    let mut condition = Map::new();
    let mut add = |operator: &str, key: &str, operands: Value| {
        let keys = condition.entry(operator).or_insert_with(|| json!({}));
        keys[key] = operands;
    };
    let present: Vec<_> = lines
        .iter()
        .filter(|(operator, ..)| operator.starts_with("ForAllValues:"))
        .map(|line| line.1)
        .collect();
    for (operator, key, operands) in lines {
        add(&operator, key, operands);
    }
    for key in present.into_iter().filter(|_| effect == "Allow") {
        add("Null", key, json!(false));
    }
    condition
}

fn statement() -> impl Strategy<Value = Value> {
    let actions = (select(&["Action", "Action", "NotAction"][..]), subsequence(ACTION_PATTERNS, 1..=3));
    let resources =
        (select(&["Resource", "Resource", "NotResource"][..]), subsequence(RESOURCE_PATTERNS, 1..=3));
    let lines = proptest::collection::vec(line(Document::Identity), 0..=3);
    let parts = (select(&["Allow", "Allow", "Deny"][..]), actions, resources, lines);
    parts.prop_map(|(effect, (action, actions), (resource, resources), lines)| {
        let mut statement = json!({"Effect": effect, action: actions, resource: resources});
        let condition = condition(lines, effect);
        if !condition.is_empty() {
            statement["Condition"] = condition.into();
        }
        statement
    })
}

/// Documents, each of a few statements.
fn documents(most: usize) -> impl Strategy<Value = Vec<Value>> {
    let document = proptest::collection::vec(statement(), 1..=3)
        .prop_map(|statements| serde_json::from_str(&document(&json!(statements))).expect("it is JSON"));
    proptest::collection::vec(document, 0..=most)
}

fn trust_document() -> impl Strategy<Value = Value> {
    let actions = subsequence(&["sts:AssumeRoleWithWebIdentity", "STS:tagSession"][..], 1..=2);
    let sound = proptest::bool::weighted(0.9);
    let lines = proptest::collection::vec(line(Document::Trust), 0..=2);
    let statement = (select(&["Allow", "Allow", "Deny"][..]), actions, sound, lines).prop_map(
        |(effect, actions, sound, lines)| {
            let mut condition = condition(lines, effect);
            if sound && effect == "Allow" {
                condition.entry("StringEquals").or_insert_with(|| json!({}))
                    ["cognito-identity.amazonaws.com:aud"] = json!(["us-east-1:pool"]);
                condition.entry("ForAnyValue:StringLike").or_insert_with(|| json!({}))
                    ["cognito-identity.amazonaws.com:amr"] = json!(["authenticated", "login.app*"]);
            }
            let mut statement =
                json!({"Effect": effect, "Principal": {"Federated": COGNITO_IDENTITY}, "Action": actions});
            if !condition.is_empty() {
                statement["Condition"] = condition.into();
            }
            statement
        },
    );
    proptest::collection::vec(statement, 1..=3)
        .prop_map(|statements| serde_json::from_str(&document(&json!(statements))).expect("it is JSON"))
}

/// What is known about a request: for most keys a value, for some none, for a few two.
fn context(own: &'static [Known]) -> impl Strategy<Value = Vec<(String, String)>> {
    let known: Vec<Known> =
        own.iter().chain(BOTH).filter(|(_, values)| !values.is_empty()).copied().collect();
    let values: Vec<_> = known
        .into_iter()
        .map(|(key, values)| {
            let value = || select(values).prop_map(move |value| (key.to_owned(), value.to_owned()));
            prop_oneof![
                2 => Just(Vec::new()),
                6 => proptest::collection::vec(value(), 1),
                1 => proptest::collection::vec(value(), 2),
            ]
        })
        .collect();
    values.prop_map(|values| values.concat())
}

fn known_context(values: &[(String, String)], document: Document) -> Context {
    values.iter().fold(Context::empty(), |context, (key, value)| {
        context.with(Key::parse(key, document).expect(key), value)
    })
}

fn as_decision(says: Says) -> Decision {
    match says {
        Says::Allow => Decision::Allowed,
        Says::Nothing => Decision::NotAllowed,
        Says::Deny => Decision::ExplicitlyDenied,
    }
}

fn compile(documents: &[Value]) -> Vec<Policy> {
    documents.iter().map(|document| Policy::parse(&document.to_string()).expect("it is a policy")).collect()
}

/// What evaluator and model say, who have to say the same.
#[track_caller]
pub(super) fn both(role: &[Value], session: Option<&[Value]>, asked: &Asked<'_>) -> Decision {
    let context = known_context(asked.context, Document::Identity);
    let request = Request { action: asked.action, resource: asked.resource, context: &context };
    let decided = evaluate(&compile(role), session.map(compile).as_deref(), &request);
    assert_eq!(decided, as_decision(naive::decide(role, session, asked)), "{asked:?} {role:?} {session:?}");
    decided
}

proptest! {
    #![proptest_config(config(12_000))]

    #[test]
    fn the_evaluator_decides_as_the_naive_model(
        role in documents(3),
        session in proptest::option::weighted(0.3, documents(2)),
        action in select(ACTIONS),
        resource in select(RESOURCES),
        context in context(IDENTITY),
    ) {
        let _ = both(&role, session.as_deref(), &Asked { action, resource, context: &context });
    }

    /// A single line beside an Allow of everything, so that nothing else covers up what it says.
    #[test]
    fn every_condition_holds_where_the_naive_model_says_so(
        line in line(Document::Identity),
        effect in select(&["Allow", "Deny"][..]),
        context in context(IDENTITY),
    ) {
        let mut one = json!({"Effect": effect, "Action": "*", "Resource": "*"});
        let condition = condition(vec![line], effect);
        prop_assume!(!condition.is_empty());
        one["Condition"] = condition.into();
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let statements = if effect == "Allow" { json!([one]) } else { json!([one, all]) };
        let role = [json!({"Version": "2012-10-17", "Statement": statements})];
        let asked = Asked { action: "s3:GetObject", resource: "arn:aws:s3:::b/a", context: &context };
        let _ = both(&role, None, &asked);
    }

    #[test]
    fn a_role_is_trusted_to_whom_the_naive_model_trusts_it(
        document in trust_document(),
        tags_session in any::<bool>(),
        values in context(TRUST),
    ) {
        let Ok(policy) = TrustPolicy::parse(&document.to_string()) else { return Ok(()) };
        let context = known_context(&values, Document::Trust);
        let request = TrustRequest { provider: COGNITO_IDENTITY, tags_session, context: &context };
        let decided = policy.evaluate(&request);
        prop_assert_eq!(decided, as_decision(naive::trusts(&document, tags_session, &values)));
        let elsewhere = TrustRequest { provider: "accounts.google.com", ..request };
        prop_assert_eq!(policy.evaluate(&elsewhere), Decision::NotAllowed);
        // Whatever else it says, it speaks of one pool, and of nobody who is a guest only.
        if decided == Decision::Allowed {
            let of = |name: &str| {
                let found = values.iter().filter(|(key, _)| key.ends_with(name));
                found.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
            };
            prop_assert_eq!(of(":aud"), ["us-east-1:pool"]);
            prop_assert!(of(":amr").iter().any(|login| *login != "unauthenticated"));
        }
    }
}

/// A tag that is no ARN is neither like an ARN nor unlike one, even of the widest pattern.
#[test]
fn what_is_no_arn_is_not_like_any_arn() {
    let tag = [("aws:PrincipalTag/team".to_owned(), "red".to_owned())];
    let asked = Asked { action: "s3:GetObject", resource: "arn:aws:s3:::b/a", context: &tag };
    for operator in ["ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"] {
        for pattern in ["*", "arn:*:*:*:*:*"] {
            let mut allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
            allow["Condition"] = json!({operator: {"aws:PrincipalTag/team": pattern}});
            let allow = json!({"Version": "2012-10-17", "Statement": allow});
            assert_eq!(both(&[allow], None, &asked), Decision::NotAllowed, "{operator} {pattern}");
        }
    }
}

/// The cases have to be such that policies can be told apart by them.
#[test]
fn every_pattern_of_the_cases_is_taken() {
    for pattern in RESOURCE_PATTERNS {
        policy(&json!({"Effect": "Allow", "Action": ACTION_PATTERNS, "Resource": pattern}));
    }
    for (text, expected) in [
        ("1970-01-02", Some((86_400, 0))),
        ("1795422600", Some((1_795_422_600, 0))),
        ("2026-11-23T08:30:00Z", Some((1_795_422_600, 0))),
        ("2026-11-23T09:30:00.5+01:00", Some((1_795_422_600, 500_000_000))),
        ("2024-02-29", Some((1_709_164_800, 0))),
        ("2026-02-29", None),
        ("2026", None),
    ] {
        assert_eq!(naive::instant(text), expected, "{text}");
    }
}
