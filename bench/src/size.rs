//! How much is measured.

use std::time::Duration;

/// Two sizes. The quick one shows that everything works, and its figures are not to be quoted.
pub(crate) struct Size {
    pub(crate) quick: bool,
    pub(crate) rounds: u32,
    pub(crate) requests_per_round: u32,
    pub(crate) signatures_per_round: u32,
    pub(crate) starts: u32,
    /// Of each process of a Lambda function, after the first.
    pub(crate) invocations: u32,
    pub(crate) exchanges: u32,
    /// Requests for each operation in each round.
    pub(crate) requests_per_operation: usize,
    /// The same beside shared stores, where each round waits for the trail, and rounds of those.
    pub(crate) requests_per_store: usize,
    pub(crate) store_rounds: u32,
    /// Those that are counted one by one, on the way to a store.
    pub(crate) counted_requests: usize,
    /// Those that are brought to a shared store.
    pub(crate) identities: usize,
    /// Proofs for the engine in each round.
    pub(crate) verifications: u32,
    /// How many people sign in at the same moment.
    pub(crate) people_at_once: usize,
    /// Those of which there are too many, and for how long.
    pub(crate) overload_requests: usize,
    pub(crate) overload_lasts: Duration,
    /// Rounds of each load with arrivals by a schedule, and the seconds of each.
    pub(crate) schedules: u32,
    pub(crate) schedule_seconds: f64,
    /// Requests to each emulator in each round, which some take seconds for.
    pub(crate) requests_per_emulator: usize,
    /// How many identities and events there are, in the end.
    pub(crate) crowd: usize,
}

pub(crate) const FULL: Size = Size {
    quick: false,
    rounds: 9,
    requests_per_round: 8_000,
    signatures_per_round: 8_000,
    starts: 15,
    invocations: 500,
    exchanges: 100_000,
    requests_per_operation: 2_000,
    requests_per_store: 1_500,
    store_rounds: 5,
    counted_requests: 25,
    identities: 1_000_000,
    verifications: 20_000,
    people_at_once: 1_000,
    overload_requests: 20_000,
    overload_lasts: Duration::from_mins(1),
    schedules: 5,
    schedule_seconds: 6.0,
    requests_per_emulator: 400,
    crowd: 1_000_000,
};

/// With `--large`: a crowd for which an hour and some gigabytes are needed.
pub(crate) const LARGE_CROWD: usize = 10_000_000;
/// A shared store gets some ten thousand in a second.
pub(crate) const LARGE_IDENTITIES: usize = 10_000_000;

pub(crate) const QUICK: Size = Size {
    quick: true,
    rounds: 3,
    requests_per_round: 500,
    signatures_per_round: 500,
    starts: 3,
    invocations: 20,
    exchanges: 1_000,
    requests_per_operation: 64,
    requests_per_store: 128,
    store_rounds: 1,
    counted_requests: 9,
    identities: 10_000,
    verifications: 500,
    people_at_once: 100,
    overload_requests: 2_000,
    overload_lasts: Duration::from_secs(1),
    schedules: 2,
    schedule_seconds: 0.5,
    requests_per_emulator: 40,
    crowd: 10_000,
};
