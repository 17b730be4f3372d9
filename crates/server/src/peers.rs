//! How much of something each address has, so that none has all of it. Only addresses of the public internet are counted:
//! a proxy or balancer of the operator's own network is where people share an address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::provider_http::is_public;

/// What each has.
#[derive(Debug, Default, Clone)]
pub(crate) struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One more of somebody's, until it is dropped.
#[derive(Debug)]
pub(crate) struct PeerPlace {
    peers: Peers,
    /// None of whom nothing is counted.
    whose: Option<IpAddr>,
}

impl Peers {
    /// One more for whoever is at an address; none, if they have so many already.
    pub(crate) fn take(&self, address: IpAddr, at_most: usize) -> Option<PeerPlace> {
        let whose = share_of(address);
        if let Some(whose) = whose {
            let mut counts = self.counts();
            let count = counts.entry(whose).or_default();
            if *count >= at_most {
                return None;
            }
            *count += 1;
        }
        Some(PeerPlace { peers: self.clone(), whose })
    }

    /// No code that holds the lock can leave the map half written, so a poisoned lock is as good.
    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let Some(whose) = self.whose else { return };
        let mut counts = self.peers.counts();
        if let Some(count) = counts.get_mut(&whose) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&whose);
            }
        }
    }
}

/// Under what an address is counted: itself, or the /64 that a customer gets of IPv6.
pub(crate) fn share_of(address: IpAddr) -> Option<IpAddr> {
    let address = address.to_canonical();
    if !is_public(address) {
        return None;
    }
    Some(match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(peers: &Peers, address: &str) -> Option<PeerPlace> {
        peers.take(address.parse().unwrap(), 2)
    }

    #[test]
    fn one_address_of_the_internet_has_its_share() {
        let peers = Peers::default();
        for addresses in [["8.8.8.8", "::ffff:8.8.8.8"], ["2a00:1:2:3::1", "2a00:1:2:3::2"]] {
            let held = addresses.map(|address| take(&peers, address).unwrap());
            assert!(take(&peers, addresses[0]).is_none());
            assert!(take(&peers, "9.9.9.9").is_some());
            drop(held);
            assert!(take(&peers, addresses[0]).is_some(), "what is given back is free again");
        }
        assert!(peers.counts().is_empty(), "nobody who left is remembered");
    }

    #[test]
    fn a_network_of_ones_own_is_not_counted() {
        for address in ["127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3", "fd00::1"] {
            let peers = Peers::default();
            let held: Vec<_> = (0..8).map_while(|_| take(&peers, address)).collect();
            assert_eq!(held.len(), 8, "{address}");
        }
    }
}
