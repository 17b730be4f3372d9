//! One flight for those who ask for the same at the same moment: a client that gives up waiting and asks again,
//! or a page that asks twice.
//!
//! Only those who wait at the same moment share an answer. A flight belongs to all of them: when the one who began
//! it hangs up, the others carry it on.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

/// What several may wait for.
pub type Flight<T> = BoxFuture<'static, T>;

type Running<K, T> = HashMap<K, WeakShared<Flight<T>>>;

/// The flights under way, by what is asked for.
pub struct SingleFlight<K, T>(Mutex<Running<K, T>>);

impl<K, T> Default for SingleFlight<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, T: Clone> SingleFlight<K, T> {
    /// Waits for the flight that is under way, or for a new one.
    pub async fn join(&self, key: K, start: impl FnOnce() -> Flight<T>) -> T {
        let flight = self.find_or_start(&key, start);
        let seat = Seat { flights: self, key, flight: Some(flight.clone()) };
        let answer = flight.await;
        drop(seat);
        answer
    }

    fn find_or_start(&self, key: &K, start: impl FnOnce() -> Flight<T>) -> Shared<Flight<T>> {
        let mut running = self.running();
        if let Some(flight) = running.get(key).and_then(WeakShared::upgrade) {
            return flight;
        }
        let flight = start().shared();
        running.extend(flight.downgrade().map(|weak| (key.clone(), weak)));
        flight
    }
}

impl<K, T> SingleFlight<K, T> {
    /// No code that holds the lock can leave the map half written, so a poisoned lock is as good.
    fn running(&self) -> MutexGuard<'_, Running<K, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits. The last to leave, with an answer or without, takes the entry along.
struct Seat<'a, K: Eq + Hash, T> {
    flights: &'a SingleFlight<K, T>,
    key: K,
    flight: Option<Shared<Flight<T>>>,
}

impl<K: Eq + Hash, T> Drop for Seat<'_, K, T> {
    fn drop(&mut self) {
        self.flight = None;
        let mut running = self.flights.running();
        if running.get(&self.key).is_some_and(|weak| weak.upgrade().is_none()) {
            running.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::oneshot;
    use futures::future::{join, poll_immediate, ready};

    use super::*;

    #[tokio::test]
    async fn those_who_wait_at_the_same_moment_share_one_flight() {
        let (flights, (answer, asked)) = (SingleFlight::default(), oneshot::channel::<u8>());
        let first = flights.join("a", || asked.boxed());
        let second = flights.join("a", || unreachable!("the first one's flight is under way"));
        let both = async { assert_eq!(join(first, second).await, (Ok(1), Ok(1))) };
        join(both, async { answer.send(1).unwrap() }).await;
        assert_eq!(flights.join("a", || ready(Ok(2)).boxed()).await, Ok(2), "not for later ones");
        assert!(flights.running().is_empty());
    }

    #[tokio::test]
    async fn others_carry_on_what_the_first_one_gave_up() {
        let (flights, (answer, asked)) = (SingleFlight::default(), oneshot::channel::<u8>());
        let mut first = Box::pin(flights.join("a", || asked.boxed()));
        let mut second = Box::pin(flights.join("a", || unreachable!("it is under way")));
        assert!(poll_immediate(&mut first).await.is_none());
        assert!(poll_immediate(&mut second).await.is_none());
        drop(first);
        answer.send(1).unwrap();
        assert_eq!(second.await, Ok(1));
    }

    #[tokio::test]
    async fn what_everybody_gave_up_leaves_nothing_behind() {
        let flights: SingleFlight<_, ()> = SingleFlight::default();
        let mut only = Box::pin(flights.join("a", || futures::future::pending().boxed()));
        assert!(poll_immediate(&mut only).await.is_none());
        drop(only);
        assert!(flights.running().is_empty());
    }
}
