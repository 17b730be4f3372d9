//! One verification for identical proofs. A client that gives up waiting and asks again, or a page that asks
//! twice, shows the provider its proof once: a code that is redeemed twice is refused, and many providers then
//! revoke what it was redeemed for.
//!
//! Only those who wait at the same moment share an answer. A verification belongs to all of them: when the one
//! who began it hangs up, the others carry it on.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{self, SHA256};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::{ProofError, Provider, UnverifiedProof, VerifiedLogin};
use crate::secret::Secret;

/// The same for the same proof at the same provider. Nothing of the proof can be read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ProofKey([u8; 32]);

impl ProofKey {
    /// The key of everything that a verification depends on.
    pub(super) fn of(provider: &Provider, proof: &UnverifiedProof) -> Self {
        let mut parts = Parts(digest::Context::new(&SHA256));
        parts.text(&provider.id);
        parts.text(&proof.kind().to_string());
        match proof {
            UnverifiedProof::Code { code, code_verifier, redirect_uri, nonce, callback } => {
                parts.text(code.expose());
                parts.optional(code_verifier.as_ref());
                parts.text(redirect_uri);
                parts.optional(nonce.as_ref());
                for (name, value) in callback {
                    parts.text(name);
                    parts.text(value.expose());
                }
            }
            UnverifiedProof::AccessToken(token) => parts.text(token.expose()),
            UnverifiedProof::IdToken { token, nonce } => {
                parts.text(token.expose());
                parts.optional(nonce.as_ref());
            }
            UnverifiedProof::SignedFields { fields, redirect_uri } => {
                parts.text(redirect_uri);
                for (name, value) in fields {
                    parts.text(name);
                    parts.text(value);
                }
            }
        }
        let mut key = [0; 32];
        key.copy_from_slice(parts.0.finish().as_ref());
        Self(key)
    }

    #[cfg(test)]
    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Each part goes in with its length, so that no two proofs run together to one text.
struct Parts(digest::Context);

impl Parts {
    fn text(&mut self, text: &str) {
        self.0.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&Secret>) {
        self.0.update(&[u8::from(text.is_some())]);
        self.text(text.map(Secret::expose).unwrap_or_default());
    }
}

/// A verification that several may wait for.
pub(super) type Verification = BoxFuture<'static, Result<VerifiedLogin, ProofError>>;

/// The verifications under way.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<ProofKey, WeakShared<Verification>>>);

impl Flights {
    /// Waits for the verification of this proof that is under way, or for a new one.
    pub(super) async fn join(
        &self,
        key: ProofKey,
        start: impl FnOnce() -> Verification,
    ) -> Result<VerifiedLogin, ProofError> {
        let flight = self.find_or_start(key, start);
        let seat = Seat { flights: self, key, flight: Some(flight.clone()) };
        let answer = flight.await;
        drop(seat);
        answer
    }

    fn find_or_start(&self, key: ProofKey, start: impl FnOnce() -> Verification) -> Shared<Verification> {
        let mut running = self.running();
        if let Some(flight) = running.get(&key).and_then(WeakShared::upgrade) {
            return flight;
        }
        let flight = start().shared();
        running.extend(flight.downgrade().map(|weak| (key, weak)));
        flight
    }

    /// No code that holds the lock can leave the map half written, so a poisoned lock is as good.
    fn running(&self) -> MutexGuard<'_, HashMap<ProofKey, WeakShared<Verification>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits. The last to leave, with an answer or without, takes the entry along.
struct Seat<'a> {
    flights: &'a Flights,
    key: ProofKey,
    flight: Option<Shared<Verification>>,
}

impl Drop for Seat<'_> {
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
    use std::collections::BTreeMap;

    use futures::channel::oneshot;
    use futures::future::{join, poll_immediate};

    use super::*;

    fn key(byte: u8) -> ProofKey {
        ProofKey::from_bytes([byte; 32])
    }

    fn refused() -> Verification {
        futures::future::ready(Err(ProofError::Refused)).boxed()
    }

    #[tokio::test]
    async fn those_who_wait_at_the_same_moment_share_one_verification() {
        let (flights, (answer, asked)) = (Flights::default(), oneshot::channel::<()>());
        let first = flights.join(key(1), || asked.map(|_| Err(ProofError::TwoPeople)).boxed());
        let second = flights.join(key(1), || unreachable!("the first one's verification is under way"));
        let both = async {
            let (first, second) = join(first, second).await;
            assert!(matches!((first, second), (Err(ProofError::TwoPeople), Err(ProofError::TwoPeople))));
        };
        join(both, async { answer.send(()).unwrap() }).await;
        assert!(
            matches!(flights.join(key(1), refused).await, Err(ProofError::Refused)),
            "not for later ones"
        );
        assert!(flights.running().is_empty());
    }

    #[tokio::test]
    async fn others_carry_on_what_the_first_one_gave_up() {
        let (flights, (answer, asked)) = (Flights::default(), oneshot::channel::<()>());
        let mut first = Box::pin(flights.join(key(1), || asked.map(|_| Err(ProofError::TwoPeople)).boxed()));
        let mut second = Box::pin(flights.join(key(1), || unreachable!("it is under way")));
        assert!(poll_immediate(&mut first).await.is_none());
        assert!(poll_immediate(&mut second).await.is_none());
        drop(first);
        answer.send(()).unwrap();
        assert!(matches!(second.await, Err(ProofError::TwoPeople)));
    }

    #[tokio::test]
    async fn what_everybody_gave_up_leaves_nothing_behind() {
        let flights = Flights::default();
        let mut only = Box::pin(flights.join(key(1), || futures::future::pending().boxed()));
        assert!(poll_immediate(&mut only).await.is_none());
        drop(only);
        assert!(flights.running().is_empty());
    }

    fn code(code: &str, verifier: Option<&str>, nonce: Option<&str>) -> UnverifiedProof {
        UnverifiedProof::Code {
            code: Secret::new(code),
            code_verifier: verifier.map(Secret::new),
            redirect_uri: "https://app.example.com/".into(),
            nonce: nonce.map(Secret::new),
            callback: BTreeMap::new(),
        }
    }

    #[test]
    fn proofs_that_differ_anywhere_are_verified_apart() {
        let (here, mut there) = (super::super::tests::snapchat(true), super::super::tests::snapchat(true));
        there.id = "snapchat-2".into();
        let keys = [
            ProofKey::of(&here, &code("a", Some("b"), None)),
            ProofKey::of(&here, &code("a", None, Some("b"))),
            ProofKey::of(&here, &code("ab", Some(""), None)),
            ProofKey::of(&here, &code("ab", None, None)),
            ProofKey::of(&here, &UnverifiedProof::AccessToken(Secret::new("a"))),
            ProofKey::of(&there, &UnverifiedProof::AccessToken(Secret::new("a"))),
            ProofKey::of(&here, &UnverifiedProof::IdToken { token: Secret::new("a"), nonce: None }),
        ];
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key), "{i}");
        }
        assert_eq!(keys[0], ProofKey::of(&here, &code("a", Some("b"), None)));
    }
}
