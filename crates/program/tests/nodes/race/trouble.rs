//! What befalls nodes and their database.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use daypass_core::ground::random::SeededRandom;

use super::clients::below;
use crate::database::execute;
use crate::nodes::pause;
use crate::postgres::Cluster;
use crate::server::{Installation, Output, Server};

/// Whoever was paused goes on with what it had read before.
const LONGEST_PAUSE_MS: u16 = 3_000;

pub struct Troubled<'a> {
    installation: &'a Installation,
    cluster: Cluster,
    nodes: [Server; 3],
    random: SeededRandom,
    pub troubles: usize,
}

impl<'a> Troubled<'a> {
    pub fn start(installation: &'a Installation, cluster: Cluster, seed: u64) -> Self {
        let nodes = [(); 3].map(|()| installation.serve(Output::Null));
        Self { installation, cluster, nodes, random: SeededRandom::new(!seed), troubles: 0 }
    }

    pub fn addresses(&self) -> [SocketAddr; 3] {
        self.nodes.each_ref().map(|node| node.address)
    }

    /// Each in its turn.
    pub fn get_into_trouble(&mut self, addresses: &Mutex<[SocketAddr; 3]>, is_losing: &AtomicBool) {
        let node = usize::from(below(&self.random, 3));
        match self.troubles % 4 {
            0 => {
                self.nodes[node].kill();
                // It would say what it misses, and not start.
                is_losing.store(false, Ordering::Relaxed);
                self.nodes[node] = self.installation.serve(Output::Null);
                is_losing.store(true, Ordering::Relaxed);
                addresses.lock().unwrap()[node] = self.nodes[node].address;
            }
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
            _ => {
                self.cluster.crash();
                pause(Duration::from_millis(200));
                self.cluster.restart();
            }
        }
        self.troubles += 1;
    }
}
