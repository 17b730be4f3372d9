//! Those who are being served, and what each of them may take at once. What a person asks for is cheap for the person
//! and may be dear for a quota that everybody shares: whoever asks for much waits behind themselves, and
//! beyond a few is sent away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many different requests of one person are served at once. Devices that wake together ask for the same, which is
/// one request.
const AT_ONCE: usize = 4;

/// Everybody who is being served.
#[derive(Default, Clone)]
pub(crate) struct Crowd(Arc<Mutex<HashMap<String, Member>>>);

#[derive(Default)]
struct Member {
    served: usize,
    /// Handed on in the order in which it was asked for.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// One request of somebody that is being served, until it is dropped.
pub(crate) struct Presence {
    name: String,
    turn: Arc<tokio::sync::Mutex<()>>,
    crowd: Crowd,
}

impl Crowd {
    /// A place for one more request of somebody; none, if enough of theirs are being served.
    pub(crate) fn enter(&self, name: &str) -> Option<Presence> {
        let mut members = self.members();
        let member = members.entry(name.to_owned()).or_default();
        if member.served == AT_ONCE {
            return None;
        }
        member.served += 1;
        Some(Presence { name: name.to_owned(), turn: member.turn.clone(), crowd: self.clone() })
    }

    /// No code that holds the lock can leave the map half written, so a poisoned lock is as good.
    fn members(&self) -> MutexGuard<'_, HashMap<String, Member>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Presence {
    /// Waits until no other request of the same person stands in the queue. Where everybody holds this while they stand
    /// there, the queue goes round among persons.
    pub(crate) async fn alone(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut members = self.crowd.members();
        if let Some(member) = members.get_mut(&self.name) {
            member.served -= 1;
            if member.served == 0 {
                members.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::poll_immediate;

    use super::*;

    #[test]
    fn one_person_has_a_few_places_and_the_others_have_theirs() {
        let crowd = Crowd::default();
        let mut served: Vec<_> = std::iter::from_fn(|| crowd.enter("ada")).take(9).collect();
        assert_eq!(served.len(), AT_ONCE);
        assert!(crowd.enter("grace").is_some());
        served.pop();
        assert!(crowd.enter("ada").is_some(), "what is given back is free again");
        drop(served);
        assert!(crowd.members().is_empty(), "nobody who left is remembered");
    }

    #[tokio::test]
    async fn only_requests_of_the_same_person_wait_for_each_other() {
        let crowd = Crowd::default();
        let [first, second, other] = ["ada", "ada", "grace"].map(|name| crowd.enter(name).unwrap());
        let alone = first.alone().await;
        assert!(poll_immediate(second.alone()).await.is_none());
        assert!(poll_immediate(other.alone()).await.is_some());
        drop(alone);
        assert!(poll_immediate(second.alone()).await.is_some());
    }
}
