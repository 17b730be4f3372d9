//! What befalls nodes and their database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::random::SeededRandom;

use super::addresses::Addresses;
use super::published::{ids, key_set_at_last};
use super::scene::below;
use crate::database::execute;
use crate::keys::age_keys;
use crate::nodes::pause;
use crate::postgres::Cluster;
use crate::server::{Installation, Output, Server};

/// Whoever was paused goes on with what it had read before.
const LONGEST_PAUSE_MS: u16 = 3_000;

/// The shortest time for which a key is published before it signs.
const PUBLISHED: (&str, SignedDuration) = ("15m", SignedDuration::from_mins(15));
/// Tokens are believed for 26 hours after the turn of their key.
const MOST_TURNS: usize = 90;

/// So often a command is tried that the database's lost answers and crashes may end.
const ATTEMPTS: usize = 20;

pub struct Troubled<'a> {
    installation: &'a Installation,
    cluster: Cluster,
    /// Past everything that may go wrong.
    store: &'a str,
    nodes: [Server; 3],
    addresses: &'a Addresses,
    is_losing: &'a AtomicBool,
    random: SeededRandom,
    pub troubles: usize,
    /// When quarters of an hour were over, by the keys.
    pub quarters: Vec<Instant>,
}

impl<'a> Troubled<'a> {
    pub fn new(
        (installation, store): (&'a Installation, &'a str),
        (cluster, is_losing): (Cluster, &'a AtomicBool),
        (nodes, addresses): ([Server; 3], &'a Addresses),
        seed: u64,
    ) -> Self {
        let random = SeededRandom::new(!seed);
        let (troubles, quarters) = (0, Vec::new());
        Self { installation, cluster, store, nodes, addresses, is_losing, random, troubles, quarters }
    }

    /// Each in its turn.
    pub fn get_into_trouble(&mut self) {
        let node = usize::from(below(&self.random, 3));
        match self.troubles % 5 {
            0 => self.kill(node),
            1 => {
                self.nodes[node].signal("STOP");
                let milliseconds = below(&self.random, LONGEST_PAUSE_MS);
                pause(Duration::from_millis(milliseconds.into()));
                self.nodes[node].signal("CONT");
            }
            2 => execute(
                &self.cluster.folder,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'daypass'",
            ),
            3 => {
                self.cluster.crash();
                pause(Duration::from_millis(200));
                self.cluster.restart();
            }
            _ if self.quarters.len() < MOST_TURNS => self.rotate(node),
            _ => {}
        }
        self.troubles += 1;
    }

    fn kill(&mut self, node: usize) {
        self.addresses.set(node, None);
        self.nodes[node].kill();
        // It would say what it misses, and not start.
        self.is_losing.store(false, Ordering::Relaxed);
        self.nodes[node] = self.installation.serve(Output::Null);
        self.is_losing.store(true, Ordering::Relaxed);
        self.addresses.set(node, Some(self.nodes[node].address));
    }

    /// A new key signs after a quarter of an hour. That passes by the instants of the keys alone, and not before every node knows the
    /// key: within ten minutes each one has looked, or does nothing. Here those look that begin anew.
    fn rotate(&mut self, node: usize) {
        let new = self.rotate_twice_at_once();
        for node in 0..self.nodes.len() {
            if !self.publishes(node, &new) {
                self.kill(node);
                assert!(self.publishes(node, &new), "{new} is not published");
            }
        }
        self.nodes.iter().for_each(|node| node.signal("STOP"));
        // Nobody sees keys that are half aged.
        age_keys(self.store, PUBLISHED.1);
        self.quarters.push(Instant::now());
        self.nodes.iter().for_each(|node| node.signal("CONT"));
        // It signs with the new one, while the others go on with the old one until they look.
        self.kill(node);
    }

    fn publishes(&self, node: usize, key: &str) -> bool {
        ids(&key_set_at_last(self.nodes[node].address)).contains(key)
    }

    fn rotate_twice_at_once(&self) -> String {
        let rotate = || {
            let mut attempts = (0..ATTEMPTS).map(|_| {
                let done = self.installation.run(&["key", "rotate-signing", "--publish", PUBLISHED.0]);
                if done.success {
                    Some(done.stdout.trim().to_owned())
                } else {
                    published_already(&done.stderr)
                }
            });
            attempts.find_map(|key| key).expect("a key that is published")
        };
        let [one, two] = thread::scope(|scope| {
            let rotating = [(); 2].map(|()| scope.spawn(rotate));
            rotating.map(|rotating| rotating.join().unwrap())
        });
        assert_eq!(one, two, "two rotations at once made two keys");
        one
    }
}

/// The key of somebody else who was first, or of one who was not answered.
fn published_already(refused: &str) -> Option<String> {
    let (before, _) = refused.split_once(" is published already")?;
    before.rsplit(' ').next().map(str::to_owned)
}
