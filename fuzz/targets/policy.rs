//! IAM policies and trust policies. What is taken is decided as the naive model decides it, a Deny wins over
//! everything beside it, and a trust policy gives its role to nobody without a token of a pool that it names.
//!
//! Input: JSON with `role` and `session`, each a list of policies, or `trust`, a policy; and the request:
//! `action`, `resource`, and `context`, an object of keys with lists of values. Or anything else, which is
//! taken for a policy.

#![no_main]

use daypass_core::iam::{
    COGNITO_IDENTITY, Context, Decision, Key, Policy, Request, TrustPolicy, TrustRequest, evaluate,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// The same model that core's tests ask. It is not asked about instants, which it reads in fewer ways.
#[expect(dead_code, reason = "core's tests ask it more than this target does")]
#[path = "../../crates/core/src/iam/tests/naive.rs"]
mod naive;

const AUD: &str = "cognito-identity.amazonaws.com:aud";

fuzz_target!(|input: &str| {
    let _ = (Policy::parse(input), TrustPolicy::parse(input));
    let Ok(input) = serde_json::from_str::<Value>(input) else { return };
    let values = values(&input["context"]);
    let Some(context) = context(&values) else { return };
    if let Ok(policy) = TrustPolicy::parse(&input["trust"].to_string()) {
        check_trust(&policy, &input["trust"], &values, &context);
    }
    let documents = |name: &str| input[name].as_array().cloned();
    let (role, session) = (documents("role").unwrap_or_default(), documents("session"));
    let compile = |documents: &[Value]| {
        documents.iter().map(|document| Policy::parse(&document.to_string())).collect::<Result<Vec<_>, _>>()
    };
    let Ok(policies) = compile(&role) else { return };
    let Ok(narrowed) = session.as_deref().map(compile).transpose() else { return };
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    let request = Request { action: text("action"), resource: text("resource"), context: &context };
    let decided = evaluate(&policies, narrowed.as_deref(), &request);

    let deny =
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}});
    let with_deny = [policies.as_slice(), &[Policy::parse(&deny.to_string()).unwrap()]].concat();
    assert_eq!(evaluate(&with_deny, narrowed.as_deref(), &request), Decision::ExplicitlyDenied);
    if narrowed.is_some() && decided == Decision::Allowed {
        assert_eq!(evaluate(&policies, None, &request), Decision::Allowed, "a session policy adds nothing");
    }
    if !has_dates(&input) && naive::is_answered(request.action) {
        let asked = naive::Asked { action: request.action, resource: request.resource, context: &values };
        assert_eq!(decided, as_decision(naive::decide(&role, session.as_deref(), &asked)));
    }
});

fn check_trust(policy: &TrustPolicy, document: &Value, values: &[(String, String)], context: &Context) {
    for tags_session in [false, true] {
        let request = TrustRequest { provider: COGNITO_IDENTITY, tags_session, context };
        let decided = policy.evaluate(&request);
        if decided == Decision::Allowed {
            let pools: Vec<_> = values.iter().filter(|(key, _)| key == AUD).collect();
            assert!(pools.iter().any(|(_, pool)| names(document, pool)), "{pools:?} {document}");
        }
        assert_eq!(policy.evaluate(&TrustRequest { provider: "other", ..request }), Decision::NotAllowed);
        if !has_dates(document) {
            assert_eq!(decided, as_decision(naive::trusts(document, tags_session, values)), "{document}");
        }
    }
}

/// Whether the text stands in the document as a value of its own.
fn names(document: &Value, text: &str) -> bool {
    match document {
        Value::Array(values) => values.iter().any(|value| names(value, text)),
        Value::Object(members) => members.values().any(|value| names(value, text)),
        Value::String(found) => found.replace("${$}", "$").replace("${*}", "*").replace("${?}", "?") == text,
        other => other.to_string() == text,
    }
}

fn has_dates(document: &Value) -> bool {
    document.to_string().contains("Date")
}

fn as_decision(says: naive::Says) -> Decision {
    match says {
        naive::Says::Allow => Decision::Allowed,
        naive::Says::Nothing => Decision::NotAllowed,
        naive::Says::Deny => Decision::ExplicitlyDenied,
    }
}

fn values(context: &Value) -> Vec<(String, String)> {
    let pairs = context.as_object().into_iter().flatten().flat_map(|(key, values)| {
        let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
        values.map(|value| (key.clone(), value.to_owned())).collect::<Vec<_>>()
    });
    pairs.collect()
}

fn context(values: &[(String, String)]) -> Option<Context> {
    values.iter().try_fold(Context::empty(), |context, (key, value)| Some(context.with(key_of(key)?, value)))
}

fn key_of(name: &str) -> Option<Key> {
    if let Some(tag) = name.strip_prefix("aws:PrincipalTag/") {
        return Some(Key::principal_tag(tag));
    }
    if let Some(tag) = name.strip_prefix("aws:RequestTag/") {
        return Some(Key::request_tag(tag));
    }
    Some(match name {
        AUD => Key::CognitoAud,
        "cognito-identity.amazonaws.com:sub" => Key::CognitoSub,
        "cognito-identity.amazonaws.com:amr" => Key::CognitoAmr,
        "aws:FederatedProvider" => Key::FederatedProvider,
        "aws:PrincipalArn" => Key::PrincipalArn,
        "aws:userid" => Key::UserId,
        "aws:SecureTransport" => Key::SecureTransport,
        "aws:SourceIp" => Key::SourceIp,
        "sts:RoleSessionName" => Key::RoleSessionName,
        "s3:prefix" => Key::S3Prefix,
        "s3:max-keys" => Key::S3MaxKeys,
        _ => return None,
    })
}
