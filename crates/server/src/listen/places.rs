//! Who may connect, and who may ask.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Limits;
use crate::provider_http::is_public;

/// Connections beyond the limit, each good for one quick answer: that the server is alive, or that it is full.
const SPARE: usize = 256;
/// A spare connection has so long for each step.
const SPARE_TIME: Duration = Duration::from_secs(2);
/// One of the public internet may have the fourth part of all connections. Proxies and balancers are where people share
/// an address, and those are usually in the network around us.
const SHARE: usize = 4;

/// What there is, and what of it is taken.
pub(super) struct Places {
    connections: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    peers: Arc<Mutex<HashMap<IpAddr, usize>>>,
    share: usize,
}

/// A connection's place, until it is dropped.
pub(super) struct Place {
    _taken: OwnedSemaphorePermit,
    _peer: Option<PeerPlace>,
    is_spare: bool,
}

/// One more connection of somebody, until it is dropped.
struct PeerPlace {
    peers: Arc<Mutex<HashMap<IpAddr, usize>>>,
    peer: IpAddr,
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Self {
        let semaphore = |places| Arc::new(Semaphore::new(places));
        Self {
            connections: semaphore(limits.connections),
            spare: semaphore(SPARE.min(limits.connections)),
            requests: semaphore(limits.requests),
            peers: Arc::default(),
            share: (limits.connections / SHARE).max(1),
        }
    }

    /// A place for a connection; none, if its peer has enough of them or even the spare ones are taken.
    pub(super) fn connect(&self, peer: IpAddr) -> Option<Place> {
        let peer = match who(peer) {
            Some(peer) => Some(self.count(peer)?),
            None => None,
        };
        if let Ok(taken) = self.connections.clone().try_acquire_owned() {
            return Some(Place { _taken: taken, _peer: peer, is_spare: false });
        }
        let taken = self.spare.clone().try_acquire_owned().ok()?;
        Some(Place { _taken: taken, _peer: peer, is_spare: true })
    }

    /// A place for a request, if there is one now: who would have to wait is better off elsewhere, or later.
    pub(super) fn begin(&self) -> Option<OwnedSemaphorePermit> {
        self.requests.clone().try_acquire_owned().ok()
    }

    fn count(&self, peer: IpAddr) -> Option<PeerPlace> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let count = peers.entry(peer).or_default();
        if *count >= self.share {
            return None;
        }
        *count += 1;
        Some(PeerPlace { peers: self.peers.clone(), peer })
    }
}

impl Place {
    /// Whether only the shortest of answers may be given here.
    pub(super) fn is_spare(&self) -> bool {
        self.is_spare
    }

    pub(super) fn limits(&self, limits: Limits) -> Limits {
        if !self.is_spare {
            return limits;
        }
        let short = |limit: Duration| limit.min(SPARE_TIME);
        Limits { head: short(limits.head), idle: short(limits.idle), write: short(limits.write), ..limits }
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = peers.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                peers.remove(&self.peer);
            }
        }
    }
}

/// Whose connections are counted: of the public internet, an address, or the /64 that a customer gets of IPv6.
fn who(peer: IpAddr) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    if !is_public(peer) {
        return None;
    }
    Some(match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize) -> Places {
        Places::new(&Limits { connections, requests: 1, ..Limits::default() })
    }

    fn connect(places: &Places, peer: &str) -> Option<Place> {
        places.connect(peer.parse().unwrap())
    }

    #[test]
    fn one_peer_of_the_internet_does_not_take_every_place() {
        let places = places(8);
        for peers in [["8.8.8.8", "8.8.8.8"], ["2a00:1:2:3::1", "2a00:1:2:3::2"]] {
            let held = peers.map(|peer| connect(&places, peer).unwrap());
            assert!(connect(&places, peers[0]).is_none());
            drop(held);
            assert!(connect(&places, peers[0]).is_some(), "what is given back is free again");
        }
        assert!(places.peers.lock().unwrap().is_empty(), "nobody who left is remembered");
    }

    #[test]
    fn a_proxy_beside_us_takes_as_many_as_it_needs() {
        for peer in ["127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3", "fd00::1"] {
            let places = places(8);
            let held: Vec<_> = (0..8).map(|_| connect(&places, peer).unwrap()).collect();
            assert!(held.iter().all(|place| !place.is_spare()), "{peer}");
        }
    }

    #[test]
    fn a_full_house_has_spare_places_and_they_end_too() {
        let places = places(2);
        let held: Vec<_> = std::iter::from_fn(|| connect(&places, "127.0.0.1")).take(9).collect();
        assert_eq!(held.iter().map(Place::is_spare).collect::<Vec<_>>(), [false, false, true, true]);
        assert_eq!(held[2].limits(Limits::default()).head, SPARE_TIME);
        assert_eq!(held[0].limits(Limits::default()).head, Limits::default().head);
    }

    #[test]
    fn a_request_has_a_place_or_none() {
        let places = places(2);
        let held = places.begin();
        assert!(held.is_some() && places.begin().is_none());
        drop(held);
        assert!(places.begin().is_some());
    }
}
