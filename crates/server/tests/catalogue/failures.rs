//! What providers say when something is wrong, and what then becomes of a proof.

use serde_json::{Value, json};

use crate::bench::{Bench, TOKEN, variant};
use crate::entries::for_entries_that;
use crate::fixture::{FailingStep, Reply};
use crate::server::Step;

/// The steps at which a provider answers about one proof.
const STEPS: [Step; 3] = [Step::Exchange, Step::Binding, Step::Profile];

fn asks(bench: &Bench) -> bool {
    bench.asks_at(&STEPS)
}

#[test]
fn every_documented_failure_becomes_the_error_that_it_is() {
    let concerned = |bench: &Bench| asks(bench) || !bench.fixture.failures.is_empty();
    for_entries_that(concerned, |bench| async move {
        for failure in &bench.fixture.failures {
            let step = match failure.step {
                FailingStep::Exchange => Step::Exchange,
                FailingStep::Binding => Step::Binding,
                FailingStep::Profile => Step::Profile,
            };
            let kinds = bench.kinds_that_ask(step);
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
    for_entries_that(asks, |bench| async move {
        for step in STEPS {
            for (status, body, error) in [
                (500, json!("<h1>Oops</h1>"), "Unavailable"),
                (503, json!({"error": "temporarily_unavailable"}), "Unavailable"),
                (429, json!({"error": "slow_down"}), "Unavailable"),
                (302, json!(""), "NotAsDefined"),
                (410, json!(""), "NotAsDefined"),
                (200, json!("x".repeat(70_000)), "AnswerTooLarge"),
            ] {
                for kind in bench.kinds_that_ask(step) {
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
    for_entries_that(asks, |bench| async move {
        for step in STEPS {
            for body in ["", "null", "true", "7", "[]", "{}", "\"text\"", "{\"id\":", "<html>", "\u{feff}{}"]
            {
                for kind in bench.kinds_that_ask(step) {
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
    for_entries_that(asks, |bench| async move {
        let secret = bench.secret().to_owned();
        let all = json!({"code": TOKEN, "message": secret, "extensions": {"code": secret}});
        for step in STEPS {
            for status in [200, 400, 401, 500] {
                for body in [
                    json!({"error": TOKEN, "error_description": secret, "errors": [all]}),
                    json!({"error": all, "errcode": TOKEN, "errors": [{"message": TOKEN}]}),
                    Value::String(format!("error={TOKEN}&error_description={secret}")),
                ] {
                    for kind in bench.kinds_that_ask(step) {
                        bench.be_honest();
                        bench.server.reply(step, Reply::new(status, body.clone()));
                        bench.refuses(bench.proof(kind), &format!("{step:?} answered {status} {body}")).await;
                    }
                }
            }
        }
    });
}
