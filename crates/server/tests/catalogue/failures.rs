//! What providers say when something is wrong, and what then becomes of a proof.

use daypass_core::login::provider::definition::ProofKind;
use serde_json::{Value, json};

use crate::bench::{Bench, TOKEN, for_each_entry, variant};
use crate::fixture::{FailingStep, Reply};
use crate::server::Step;

/// The kinds of proof for which a step is asked.
fn kinds(bench: &Bench, step: Step) -> Vec<ProofKind> {
    let code = match step {
        Step::Exchange => true,
        Step::Profile => !bench.reads_id_token(),
        Step::Binding | Step::Discovery | Step::Keys | Step::Assertion => false,
    };
    let token = matches!(step, Step::Profile) || step == Step::Binding && bench.has_binding_call();
    let wanted = [(code, ProofKind::Code), (token, ProofKind::AccessToken)];
    let accepted = bench.provider.accepted_proofs();
    wanted.into_iter().filter(|(asks, kind)| *asks && accepted.contains(kind)).map(|it| it.1).collect()
}

#[test]
fn every_documented_failure_becomes_the_error_that_it_is() {
    for_each_entry(|bench| async move {
        for failure in &bench.fixture.failures {
            let step = match failure.step {
                FailingStep::Exchange => Step::Exchange,
                FailingStep::Binding => Step::Binding,
                FailingStep::Profile => Step::Profile,
            };
            let kinds = kinds(&bench, step);
            assert!(!kinds.is_empty(), "nothing asks for the step of {failure:?}");
            for kind in kinds {
                bench.be_honest();
                bench.server.reply(step, Reply::new(failure.status, failure.body.clone()));
                let error = bench.refuses(bench.proof(kind), &format!("{failure:?}")).await;
                assert_eq!(variant(&error), failure.error, "{kind}, {failure:?}: {error}");
            }
        }
    });
}

#[test]
fn a_provider_that_is_out_of_order_is_no_verdict_about_the_proof() {
    for_each_entry(|bench| async move {
        for step in [Step::Exchange, Step::Binding, Step::Profile] {
            for (status, body, error) in [
                (500, json!("<h1>Oops</h1>"), "Unavailable"),
                (503, json!({"error": "temporarily_unavailable"}), "Unavailable"),
                (429, json!({"error": "slow_down"}), "Unavailable"),
                (302, json!(""), "AnswerMalformed"),
                (200, json!("x".repeat(70_000)), "AnswerTooLarge"),
            ] {
                for kind in kinds(&bench, step) {
                    bench.be_honest();
                    bench.server.reply(step, Reply::new(status, body.clone()));
                    let found = bench.refuses(bench.proof(kind), &format!("status {status}")).await;
                    assert_eq!(variant(&found), error, "{kind}, {step:?}, {status}");
                }
            }
        }
    });
}

#[test]
fn an_answer_that_is_not_one_signs_nobody_in() {
    for_each_entry(|bench| async move {
        for step in [Step::Exchange, Step::Binding, Step::Profile] {
            for body in ["", "null", "true", "7", "[]", "{}", "\"text\"", "{\"id\":", "<html>", "\u{feff}{}"]
            {
                for kind in kinds(&bench, step) {
                    bench.be_honest();
                    bench.server.reply(step, Reply::new(200, body));
                    bench.refuses(bench.proof(kind), &format!("{step:?} answered {body:?}")).await;
                }
            }
        }
    });
}

/// The bench asserts of every error that it repeats nothing; here a provider does its best to make it.
#[test]
fn a_provider_that_repeats_our_secrets_does_not_get_them_into_an_error() {
    for_each_entry(|bench| async move {
        let secret = bench.provider.client_secret.expose().to_owned();
        let all = json!({"code": TOKEN, "message": secret, "extensions": {"code": secret}});
        for step in [Step::Exchange, Step::Binding, Step::Profile] {
            for status in [200, 400, 401, 500] {
                for body in [
                    json!({"error": TOKEN, "error_description": secret, "errors": [all]}),
                    json!({"error": all, "errcode": TOKEN, "errors": [{"message": TOKEN}]}),
                    Value::String(format!("error={TOKEN}&error_description={secret}")),
                ] {
                    for kind in kinds(&bench, step) {
                        bench.be_honest();
                        bench.server.reply(step, Reply::new(status, body.clone()));
                        bench.refuses(bench.proof(kind), &format!("{step:?} answered {status} {body}")).await;
                    }
                }
            }
        }
    });
}
