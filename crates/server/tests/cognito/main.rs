//! `driver = "cognito"`, over the wire: against our own pool, which speaks Amazon's API, and against an endpoint
//! that has every fault that a Region can have.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

#[path = "../api"]
mod api {
    #[allow(dead_code, unused_imports, reason = "the tests of the API use the rest of it")]
    pub mod harness;
}
mod broker;
mod crowd;
mod exchange;
mod faults;
mod guests;
mod linking;
mod metrics;
mod readiness;
mod regions;
mod repetition;
mod sessions;
mod tags;

use api::harness;
