//! Where the nodes are.

use std::net::SocketAddr;
use std::sync::Mutex;

/// Nowhere, while one is killed: whoever has its port then is a stranger.
pub struct Addresses(Mutex<[Option<SocketAddr>; 3]>);

impl Addresses {
    pub fn new(addresses: [SocketAddr; 3]) -> Self {
        Self(Mutex::new(addresses.map(Some)))
    }

    pub fn of(&self, node: usize) -> Option<SocketAddr> {
        self.0.lock().unwrap()[node]
    }

    pub fn all(&self) -> Vec<SocketAddr> {
        self.0.lock().unwrap().iter().copied().flatten().collect()
    }

    pub fn set(&self, node: usize, address: Option<SocketAddr>) {
        self.0.lock().unwrap()[node] = address;
    }

    /// Whether an answer that has come from there is a node's.
    pub fn has(&self, address: SocketAddr) -> bool {
        self.all().contains(&address)
    }
}
