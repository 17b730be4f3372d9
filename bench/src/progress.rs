//! What is being done, for whoever waits: on stderr, as stdout has the figures.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

static STARTED: OnceLock<Instant> = OnceLock::new();

/// How long the program runs, from the first question on.
pub(crate) fn so_far() -> Duration {
    STARTED.get_or_init(Instant::now).elapsed()
}

pub(crate) fn say(what: &str) {
    eprintln!("==> [{:6.0} s] {what}", so_far().as_secs_f64());
}
