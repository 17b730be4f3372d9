//! Which entries of the catalogue a test is about, and whether each of them was put to it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

use daypass_core::login::provider::catalogue;
use futures::FutureExt;
use tokio::runtime::Runtime;

use crate::bench::Bench;

/// One runtime for all tests, so that they can share the HTTP client and its connections.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Runs a test with every entry of the catalogue, on the terms of [`for_entries_that`].
pub fn for_each_entry<F: Future<Output = ()>>(test: impl Fn(Bench) -> F) {
    for_entries_that(|_| true, test);
}

/// Runs a test with the entries that it is about, and names all that fail it. What an entry says decides whether it
/// is one of them. There has to be one, and each has to ask the engine: an entry that the test lets pass by itself,
/// or whose loops turn out to be empty, is not tried, and fails.
pub fn for_entries_that<F: Future<Output = ()>>(
    concerned: impl Fn(&Bench) -> bool,
    test: impl Fn(Bench) -> F,
) {
    let (mut expected, mut failed) = (0, Vec::new());
    RUNTIME.block_on(async {
        for name in catalogue::names() {
            let bench = Bench::new(name).await;
            if concerned(&bench) {
                expected += 1;
                failed.extend(try_entry(bench, &test).await.err().map(|why| format!("{name}: {why}")));
            }
        }
    });
    let all = catalogue::names().len();
    assert!(expected > 0, "none of the {all} entries of the catalogue is what this test is about");
    assert!(failed.is_empty(), "{} of {expected} entries:\n{}", failed.len(), failed.join("\n"));
}

/// Why an entry fails, if it does.
async fn try_entry<F: Future<Output = ()>>(bench: Bench, test: impl Fn(Bench) -> F) -> Result<(), String> {
    let questions = bench.questions.clone();
    let run = async { test(bench).await };
    AssertUnwindSafe(run).catch_unwind().await.map_err(|panic| words(&*panic))?;
    if questions.none() { Err("the test asked the engine nothing".into()) } else { Ok(()) }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

#[test]
#[should_panic(expected = "none of the")]
fn a_test_that_is_about_no_entry_fails() {
    for_entries_that(|_| false, |_| async {});
}

#[test]
#[should_panic(expected = "the test asked the engine nothing")]
fn a_test_that_lets_an_entry_pass_untried_fails() {
    for_each_entry(|_| async {});
}
