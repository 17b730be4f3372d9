//! Who may connect, and who may ask.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;
use super::terms::Terms;
use crate::metrics::{Held, ListenMetrics};
use crate::origin::Proxies;
use crate::peers::{PeerPlace, Peers};

/// Connections beyond the limit, each good for one quick answer: that the server is alive, or that it is full.
const SPARE: usize = 256;
/// A spare connection has so long for each step.
const SPARE_TIME: Duration = Duration::from_secs(2);
/// One of the public internet may have the fourth part of all connections, and of the requests under way: a provider that
/// is slow keeps each request for long, and its places are everybody's. Proxies and balancers are where people share
/// an address; those are in the network around us, or the configuration trusts them.
const SHARE: usize = 4;

/// What there is, and what of it is taken.
pub(super) struct Places {
    connections: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    peers: Peers,
    askers: Peers,
    proxies: Proxies,
    limits: Limits,
    counted: ListenMetrics,
}

/// A connection's place, until it is dropped.
pub(super) struct Place {
    _taken: OwnedSemaphorePermit,
    _peer: Option<PeerPlace>,
    _counted: Held,
    is_spare: bool,
}

/// A request's place, until it is dropped.
pub(super) struct RequestPlace {
    _taken: OwnedSemaphorePermit,
    _asker: Option<PeerPlace>,
    _counted: Held,
}

impl Places {
    pub(super) fn new(terms: Terms) -> Self {
        let Terms { limits, proxies, counted } = terms;
        let semaphore = |places| Arc::new(Semaphore::new(places));
        counted.limits(limits.connections, limits.requests);
        Self {
            connections: semaphore(limits.connections),
            spare: semaphore(SPARE.min(limits.connections)),
            requests: semaphore(limits.requests),
            peers: Peers::default(),
            askers: Peers::default(),
            proxies,
            limits,
            counted,
        }
    }

    /// A place for a connection; none, if its peer has enough of them or even the spare ones are taken.
    pub(super) fn connect(&self, peer: IpAddr) -> Option<Place> {
        let share = share(self.limits.connections);
        let peer = if self.proxies.trusts(peer) { None } else { Some(self.peers.take(peer, share)?) };
        let (taken, is_spare) = match self.connections.clone().try_acquire_owned() {
            Ok(taken) => (taken, false),
            Err(_) => (self.spare.clone().try_acquire_owned().ok()?, true),
        };
        Some(Place { _taken: taken, _peer: peer, _counted: self.counted.connection(), is_spare })
    }

    /// A place for a request, if there is one now: who would have to wait is better off elsewhere, or later.
    pub(super) fn begin<B>(&self, request: &Request<B>) -> Option<RequestPlace> {
        let origin = self.proxies.origin(request.extensions(), request.headers());
        let asker = match origin.source_ip {
            Some(address) => Some(self.askers.take(address, share(self.limits.requests))?),
            None => None,
        };
        let taken = self.requests.clone().try_acquire_owned().ok()?;
        Some(RequestPlace { _taken: taken, _asker: asker, _counted: self.counted.request() })
    }
}

/// So many requests under way are no crowd.
const FEW: usize = 32;

impl Places {
    /// Whether those who ask could be why everything is late. Where they are few it is the machine that others load, and a
    /// refusal would help nobody.
    pub(super) fn are_many_under_way(&self) -> bool {
        self.limits.requests.saturating_sub(self.requests.available_permits()) >= FEW
    }
}

fn share(places: usize) -> usize {
    (places / SHARE).max(1)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Peer;

    fn places(connections: usize) -> Places {
        places_for(connections, 1)
    }

    fn places_for(connections: usize, requests: usize) -> Places {
        let trusted = vec!["203.0.113.0/24".to_owned().try_into().unwrap()];
        let proxies = Proxies::new(trusted, "https://login.example.com");
        let limits = Limits { connections, requests, ..Limits::default() };
        Places::new(Terms { limits, proxies, ..Terms::default() })
    }

    fn connect(places: &Places, peer: &str) -> Option<Place> {
        places.connect(peer.parse().unwrap())
    }

    #[test]
    fn a_few_requests_are_no_crowd() {
        let places = places_for(8, 2 * FEW);
        let begin = || places.begin(&Request::new(())).unwrap();
        let mut held: Vec<_> = (1..FEW).map(|_| begin()).collect();
        assert!(!places.are_many_under_way());
        held.push(begin());
        assert!(places.are_many_under_way());
        held.pop();
        assert!(!places.are_many_under_way());
    }

    #[test]
    fn one_peer_of_the_internet_does_not_take_every_place() {
        let places = places(8);
        let held = ["8.8.8.8"; 2].map(|peer| connect(&places, peer).unwrap());
        assert!(connect(&places, "8.8.8.8").is_none());
        assert!(connect(&places, "9.9.9.9").is_some());
        drop(held);
        assert!(connect(&places, "8.8.8.8").is_some());
    }

    #[test]
    fn a_proxy_beside_us_takes_as_many_as_it_needs() {
        let places = places(8);
        let held: Vec<_> = (0..8).map(|_| connect(&places, "10.1.2.3").unwrap()).collect();
        assert!(held.iter().all(|place| !place.is_spare()));
    }

    #[test]
    fn a_proxy_that_is_trusted_takes_as_many_as_it_needs_wherever_it_is() {
        for (peer, whole) in [("203.0.113.9", 8), ("::ffff:203.0.113.9", 8), ("8.8.8.8", 2)] {
            let places = places(8);
            let held: Vec<_> = (0..8).map_while(|_| connect(&places, peer)).collect();
            assert_eq!(held.iter().filter(|place| !place.is_spare()).count(), whole, "{peer}");
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

    fn ask(places: &Places, peer: &str, forwarded_for: &str) -> Option<RequestPlace> {
        let mut request = Request::get("/").header("x-forwarded-for", forwarded_for).body(()).unwrap();
        request.extensions_mut().insert(Peer { address: peer.parse().unwrap(), over_tls: false });
        places.begin(&request)
    }

    #[test]
    fn a_request_has_a_place_or_none() {
        let places = places_for(8, 1);
        let held = ask(&places, "10.1.2.3", "");
        assert!(held.is_some() && ask(&places, "10.1.2.3", "").is_none());
        drop(held);
        assert!(ask(&places, "10.1.2.3", "").is_some());
    }

    #[test]
    fn one_caller_does_not_have_every_request_under_way_by_whatever_proxy_they_come() {
        let places = places_for(8, 8);
        let proxy = "203.0.113.7";
        let held = [0; 2].map(|_| ask(&places, proxy, "8.8.8.8").unwrap());
        assert!(ask(&places, proxy, "8.8.8.8").is_none());
        assert!(
            ask(&places, proxy, "9.9.9.9, 8.8.8.8").is_none(),
            "what they write themselves is not believed"
        );
        assert!(ask(&places, proxy, "9.9.9.9").is_some());
        drop(held);
        assert!(ask(&places, proxy, "8.8.8.8").is_some());
    }
}
