//! What those who connect are given: time, and places.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// No answer takes longer: a request that hangs gives its place to the next.
pub(crate) const TIME_OF_A_REQUEST: Duration = Duration::from_secs(30);
/// More open files than a server of ours can use.
pub(super) const ENOUGH_FILES: u64 = 65_536;
/// More connections than a server of ours can use.
const ENOUGH_CONNECTIONS: usize = 8_192;
/// Descriptors that are no connection's: the store, the log, and what answers that the house is full.
const OTHER_FILES: u64 = 384;

/// What those who connect are given.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the headers of a request, from their first byte; on a new connection, from its beginning.
    pub head: Duration,
    /// For a connection on which nobody asks anything. A balancer that keeps connections has to give them up earlier, or
    /// it sends a request just when we hang up.
    pub idle: Duration,
    /// For whoever reads an answer to take some more of it.
    pub write: Duration,
    /// For the rest of a body that nobody wants, before the answer ends the connection under whoever sends it.
    pub rest: Duration,
    /// For what is under way at the end.
    pub drain: Duration,
    /// How many connections there may be.
    pub connections: usize,
    /// How many requests may be under way. Those that wait for a provider count.
    pub requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            write: Duration::from_secs(30),
            rest: Duration::from_secs(1),
            drain: TIME_OF_A_REQUEST + Duration::from_secs(5),
            connections: connections_for(getrlimit(Resource::Nofile).current),
            requests: 2_048,
        }
    }
}

/// How many connections may be open where so many files may: each can have one more to a provider behind it.
fn connections_for(files: Option<u64>) -> usize {
    let files = files.unwrap_or(ENOUGH_FILES);
    let half = usize::try_from(files.saturating_sub(OTHER_FILES) / 2).unwrap_or(ENOUGH_CONNECTIONS);
    half.clamp(16, ENOUGH_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_providers() {
        for (files, connections) in [(1_024, 320), (65_536, 8_192), (256, 16), (0, 16)] {
            assert_eq!(connections_for(Some(files)), connections, "{files}");
        }
        assert_eq!(connections_for(None), ENOUGH_CONNECTIONS);
    }
}
