//! What `deploy/` has IAM allow, asked of our own engine. `policies.json` holds the policies of the SAM templates and of
//! the Terraform module, filled in, each with calls that it has to allow and calls that it has to deny;
//! `tests/deploy` writes it (`cargo xtask gen`), and compares it with the templates.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use daypass_core::iam::{
    Arrival, Context, Decision, Key, Origin, Policy, Request, TrustPolicy, TrustRequest, evaluate,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    operations: BTreeMap<String, Vec<String>>,
    policies: Vec<PolicyCase>,
    trust_policies: Vec<TrustCase>,
    with_kms_via_service: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyCase {
    name: String,
    policy: Value,
    allowed: Vec<Call>,
    denied: Vec<Call>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    #[serde(default)]
    actions: Vec<String>,
    /// Every operation of this service but those in `but`.
    every: Option<String>,
    #[serde(default)]
    but: Vec<String>,
    resources: Vec<String>,
    sub: Option<String>,
    prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustCase {
    name: String,
    policy: Value,
    admitted: Vec<Token>,
    refused: Vec<Token>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    provider: String,
    aud: String,
    amr: Vec<String>,
    tags: bool,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("policies.json")).unwrap()
}

fn arrival() -> Context {
    Context::new(&Arrival {
        time: "2026-11-25T12:00:00Z".parse().unwrap(),
        origin: Origin { source_ip: None, secure_transport: Some(true) },
    })
}

impl Call {
    fn actions<'a>(&'a self, cases: &'a Cases) -> Vec<&'a str> {
        let every = self.every.iter().flat_map(|service| &cases.operations[service]);
        let asked = every.filter(|operation| !self.but.contains(operation)).chain(&self.actions);
        asked.map(String::as_str).collect()
    }

    fn context(&self) -> Context {
        let context = arrival().with_all(Key::S3Prefix, self.prefix.as_deref());
        match &self.sub {
            Some(sub) => {
                context.with_cognito(sub, "us-east-1:11111111-1111-4111-8111-111111111111", ["authenticated"])
            }
            None => context,
        }
    }

    /// Asks about each action and each resource, and answers how many that were.
    fn expect(&self, wanted: bool, case: &PolicyCase, cases: &Cases) -> usize {
        let policy = [Policy::parse(&case.policy.to_string()).unwrap()];
        let context = self.context();
        let mut asked = 0;
        for action in self.actions(cases) {
            for resource in &self.resources {
                let decision = evaluate(&policy, None, &Request { action, resource, context: &context });
                assert_eq!(decision == Decision::Allowed, wanted, "{}: {action} {resource}", case.name);
                asked += 1;
            }
        }
        asked
    }
}

#[test]
fn each_role_may_do_what_it_has_to_and_nothing_else() {
    let cases = cases();
    assert_eq!(cases.policies.len(), 10);
    for case in &cases.policies {
        let ask = |calls: &[Call], wanted| -> usize {
            calls.iter().map(|call| call.expect(wanted, case, &cases)).sum()
        };
        let (allowed, denied) = (ask(&case.allowed, true), ask(&case.denied, false));
        assert!(allowed >= 6 && denied > 500, "{}: only {allowed} and {denied} were asked", case.name);
    }
}

#[test]
fn the_role_of_people_is_for_those_who_signed_in_at_this_pool() {
    let cases = cases();
    assert_eq!(cases.trust_policies.len(), 3);
    for case in &cases.trust_policies {
        let policy = TrustPolicy::parse(&case.policy.to_string()).unwrap();
        for (tokens, wanted) in [(&case.admitted, true), (&case.refused, false)] {
            assert!(!tokens.is_empty());
            for token in tokens {
                let context = arrival().with_cognito("us-east-1:person", &token.aud, &token.amr);
                let request =
                    TrustRequest { provider: &token.provider, tags_session: token.tags, context: &context };
                let admitted = policy.evaluate(&request) == Decision::Allowed;
                assert_eq!(admitted, wanted, "{}: {token:?}", case.name);
            }
        }
    }
}

/// The one statement of which the engine knows nothing for certain; it is asserted word by word where the file is made.
#[test]
fn a_key_of_another_service_opens_nothing() {
    let cases = cases();
    assert_eq!(cases.with_kms_via_service.len(), 2);
    for policy in cases.with_kms_via_service {
        let text = policy.to_string();
        assert!(text.contains("kms:ViaService"));
        let (policy, context) = (Policy::parse(&text).unwrap(), arrival());
        let key = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-4111-8111-111111111111";
        let request = Request { action: "kms:Decrypt", resource: key, context: &context };
        assert_eq!(evaluate(&[policy], None, &request), Decision::NotAllowed);
    }
}
