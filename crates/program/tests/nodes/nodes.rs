//! An installation that several servers serve.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::asking::Backend;
use crate::server::{Done, Installation, Output, Server};

/// So late does what one node has read before count at it, at most (`items/remembered.rs`).
pub const BOUND: Duration = Duration::from_secs(2);

/// Two servers, and what they have in common.
pub struct Nodes {
    pub installation: Installation,
    pub one: Server,
    pub two: Server,
}

impl Nodes {
    pub fn new(store: &str) -> Self {
        Self::of(Installation::new(store))
    }

    /// Both begin at once. Of a new store, both want to make what is not there.
    pub fn of(installation: Installation) -> Self {
        let [one, two] = [(); 2].map(|()| installation.begin(Output::Null));
        Self { one: one.ready(), two: two.ready(), installation }
    }

    pub fn both(&self) -> [&Server; 2] {
        [&self.one, &self.two]
    }

    /// A command that does what it is told.
    pub fn run(&self, arguments: &[&str]) -> String {
        let Done { success, stdout, stderr } = self.installation.run(arguments);
        assert!(success, "{arguments:?}: {stderr}");
        stdout
    }

    /// Whoever may do everything. It counts at a node at once that was not asked before.
    pub fn backend(&self) -> Backend {
        Backend::of(&self.run(&["key", "create", "backend", "--preset", "admin"]))
    }
}

/// Asks until something is so. What is asked when the bound is over has to be so.
#[track_caller]
pub fn within_the_bound(is_so: impl Fn() -> bool) {
    let since = Instant::now();
    loop {
        let asked = since.elapsed();
        if is_so() {
            return;
        }
        assert!(asked < BOUND, "it is not so after {asked:?}");
    }
}

/// The IDs of the keys that a node publishes.
pub fn published(node: &Server) -> Vec<String> {
    let (status, set) = node.get("/.well-known/jwks.json");
    assert_eq!(status, 200, "{set}");
    let id = |key: &Value| key["kid"].as_str().unwrap().to_owned();
    set["keys"].as_array().unwrap().iter().map(id).collect()
}

#[expect(clippy::disallowed_methods, reason = "other processes get on by the clock on the wall")]
pub fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// How many identities each pool has.
pub fn numbers_of_identities(installation: &Installation) -> Vec<usize> {
    let listed = installation.run(&["pool", "list"]);
    assert!(listed.success, "{listed:?}");
    let rows = listed.stdout.lines().skip(1);
    rows.map(|row| row.split_whitespace().nth(1).unwrap().parse().unwrap()).collect()
}
