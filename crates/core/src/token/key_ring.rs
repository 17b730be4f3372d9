//! The signing keys of an installation, which all its nodes share by the store. A new key is published first, signs when
//! verifiers have had time to learn of it, and is believed until nothing lives any more that it signed. Every node reads
//! the keys again from time to time; by which the instants in the store are all that it takes for all of them to change
//! over together.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use futures::lock::Mutex;

use super::key_set::{JwkSet, KeySet, KeyState};
use super::signer::{Held, KeyHolder, SignerError};
use super::signing_key::{SigningKey, SigningKeyError, sealer};
use crate::ground::clock::{Clock, SignedDuration, Timestamp};
use crate::ground::ids::Region;
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::Random;
use crate::records::signing_algorithm::Algorithm;
use crate::store::{Keys, StoreError, StoredSigningKey};

/// So old may be what was read before somebody reads it again.
const FRESH: SignedDuration = SignedDuration::from_mins(1);
/// And so old before everybody waits for it: a key is published for longer than this before it signs.
const STALE: SignedDuration = SignedDuration::from_mins(10);

/// So often a key is made anew whose ID another one took.
const ATTEMPTS: usize = 8;

/// So long after a key is believed no more it is deleted,
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// and when it was found so many times in a row, which takes half a day. A clock that is a year ahead for less takes nothing
/// from those that are right.
const FOUND_OVER: usize = 12 * 60;

/// The shortest time between publishing a key and signing with it. Verifiers may keep a set of keys for five minutes, nodes for
/// ten.
pub const MIN_PUBLISHED_FOR: SignedDuration = SignedDuration::from_mins(15);
/// The longest: a successor that is published cannot be taken back.
pub const MAX_PUBLISHED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The usual one.
pub const PUBLISHED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// When keys take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// How long a key signs; without, until somebody rotates it.
    pub every: Option<SignedDuration>,
    /// How long a key is published before it signs, [`MIN_PUBLISHED_FOR`] at least.
    pub publish: SignedDuration,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { every: None, publish: PUBLISHED_FOR }
    }
}

/// How far a key in use is in its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// What it signs with.
    pub algorithm: Algorithm,
    /// For how long it has signed.
    pub age: SignedDuration,
    /// When its successor signs, if one is published.
    pub next_in: Option<SignedDuration>,
    /// For how long a key is to sign, if that was decided.
    pub rotation: Option<SignedDuration>,
}

/// What a ring is made of.
pub struct Materials {
    /// Keeps the keys.
    pub store: Arc<dyn Keys>,
    /// Seal the private halves.
    pub master_keys: Arc<MasterKeys>,
    /// Makes the keys, and holds them.
    pub holder: Arc<dyn KeyHolder>,
    /// What the IDs of the keys begin with.
    pub region: Region,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws nonces.
    pub random: Arc<dyn Random>,
}

/// The signing keys of an installation.
pub struct KeyRing {
    with: Materials,
    algorithms: Vec<Algorithm>,
    rotation: Rotation,
    read: RwLock<Read>,
    reading: Mutex<()>,
    /// Who makes keys: it may take long, and nobody who reads waits for it.
    turning: Mutex<()>,
    /// How many times in a row a key was found to be over.
    found_over: std::sync::Mutex<BTreeMap<String, usize>>,
}

/// What was read, and when.
#[derive(Clone)]
struct Read {
    keys: Arc<KeySet>,
    at: Timestamp,
}

/// A key that was made to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Its ID.
    pub key_id: String,
    /// When it signs.
    pub signs_from: Timestamp,
    /// Whether it is there because of this rotation, and not of another one that was first.
    pub by_us: bool,
}

impl KeyRing {
    /// Reads the keys. A first one of each algorithm is made if there is none: it signs at once, since nobody knows of another.
    ///
    /// # Errors
    /// [`SigningKeyError`], above all a master key that does not fit the store.
    pub async fn load(
        with: Materials,
        algorithms: &[Algorithm],
        rotation: Rotation,
    ) -> Result<Self, SigningKeyError> {
        let mut stored = with.store.list_signing_keys().await?;
        for algorithm in algorithms {
            // Whoever makes the first key of another algorithm at the same moment may take the ID.
            for _ in 0..ATTEMPTS {
                if stored.iter().any(|key| key.algorithm == *algorithm) {
                    break;
                }
                let now = with.clock.now();
                let first = candidate(&with, &stored, *algorithm, [now, now]).await?;
                stored = with.store.add_signing_key(&first, &[]).await?;
            }
            if !stored.iter().any(|key| key.algorithm == *algorithm) {
                return Err(StoreError::Unavailable("the first signing key could not be kept".into()).into());
            }
        }
        let at = with.clock.now();
        let keys = Arc::new(KeySet::open(&stored, &with.master_keys, &*with.holder)?);
        let (read, reading, turning) = (RwLock::new(Read { keys, at }), Mutex::new(()), Mutex::new(()));
        let (algorithms, found_over) = (algorithms.to_vec(), std::sync::Mutex::default());
        Ok(Self { with, algorithms, rotation, read, reading, turning, found_over })
    }

    /// Sees that what is known of the keys is not too old to sign or to believe by. Whoever signs or verifies asks before.
    ///
    /// # Errors
    /// [`SigningKeyError`], if the keys could not be read for so long that others may sign with one that is not known here.
    pub async fn keep_up(&self) -> Result<(), SigningKeyError> {
        if self.is_younger_than(FRESH) {
            return Ok(());
        }
        if self.is_younger_than(STALE) {
            // Somebody reads; the others go on with what there is.
            if let Some(_reading) = self.reading.try_lock()
                && !self.is_younger_than(FRESH)
            {
                let _ = self.read_again().await;
            }
            return Ok(());
        }
        let _reading = self.reading.lock().await;
        if self.is_younger_than(STALE) { Ok(()) } else { self.read_again().await }
    }

    /// Gives a successor to each key that has signed for long enough, and forgets those that are over. Servers ask every minute,
    /// apart from requests: it may take as long as whoever holds the keys takes to make one.
    ///
    /// # Errors
    /// [`SigningKeyError`]. The keys in use are as good as before.
    pub async fn take_turns(&self) -> Result<(), SigningKeyError> {
        if !self.is_younger_than(FRESH) {
            let _reading = self.reading.lock().await;
            self.read_again().await?;
        }
        let mut outcome = self.forget_what_is_over().await;
        let _turning = self.turning.lock().await;
        for algorithm in self.due() {
            let published = self.publish(algorithm, self.rotation.publish, async |_| Ok(())).await;
            outcome = outcome.and(published.map(drop));
        }
        outcome
    }

    /// Has each key in use sign.
    ///
    /// # Errors
    /// [`SignerError`], of the first that does not.
    pub async fn try_out(&self) -> Result<(), SignerError> {
        for key in self.in_use(&self.keys()) {
            key.try_out().await?;
        }
        Ok(())
    }

    /// The keys in use whose private halves are in the store.
    #[must_use]
    pub fn held_in_the_store(&self) -> Vec<String> {
        let keys = self.keys();
        let held = self.in_use(&keys).into_iter().filter(|key| key.held() == Held::Store);
        held.map(|key| key.key_id().to_owned()).collect()
    }

    /// How far the keys in use are in their turns.
    #[must_use]
    pub fn turns(&self) -> Vec<Turn> {
        let (keys, now) = (self.keys(), self.with.clock.now());
        let turn = |key: &SigningKey| Turn {
            algorithm: key.algorithm(),
            age: now.duration_since(key.signs_from()).max(SignedDuration::ZERO),
            next_in: self.is_published(key.algorithm(), now).map(|next| next.signs_from.duration_since(now)),
            rotation: self.rotation.every,
        };
        self.in_use(&keys).into_iter().map(turn).collect()
    }

    fn in_use<'a>(&self, keys: &'a KeySet) -> Vec<&'a SigningKey> {
        let now = self.with.clock.now();
        self.algorithms.iter().filter_map(|algorithm| keys.active(*algorithm, now)).collect()
    }

    /// The keys as they were read last.
    #[must_use]
    pub fn keys(&self) -> Arc<KeySet> {
        self.read().keys
    }

    /// The time by which they count.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.with.clock.now()
    }

    /// The public halves (RFC 7517 section 5), that of `first` before the others.
    #[must_use]
    pub fn jwk_set(&self, first: Algorithm) -> JwkSet {
        self.keys().jwk_set(first, self.with.clock.now())
    }

    /// Publishes a key that is to sign after `publish`, and records its ID before. If somebody else has published one since the
    /// keys were last read, or one is published already, it is that one.
    ///
    /// # Errors
    /// [`SigningKeyError`], also of what was not recorded.
    pub async fn rotate(
        &self,
        algorithm: Algorithm,
        publish: SignedDuration,
        record: impl AsyncFn(&str) -> Result<(), StoreError>,
    ) -> Result<Rotated, SigningKeyError> {
        let _turning = self.turning.lock().await;
        self.publish(algorithm, publish.clamp(MIN_PUBLISHED_FOR, MAX_PUBLISHED_FOR), record).await
    }

    async fn publish(
        &self,
        algorithm: Algorithm,
        publish: SignedDuration,
        record: impl AsyncFn(&str) -> Result<(), StoreError>,
    ) -> Result<Rotated, SigningKeyError> {
        for _ in 0..ATTEMPTS {
            let stored = self.with.store.list_signing_keys().await?;
            self.take(&stored)?;
            let now = self.with.clock.now();
            if let Some(rotated) = self.is_published(algorithm, now) {
                return Ok(rotated);
            }
            let seen = stored.iter().filter(|key| key.algorithm == algorithm);
            let seen: Vec<_> = seen.map(|key| key.key_id.clone()).collect();
            // A holder may keep what it made for ever, also where nothing leads to it.
            self.with.store.rehearse_signing_key().await?;
            let next = candidate(&self.with, &stored, algorithm, [now, now + publish]).await?;
            record(&next.key_id).await?;
            let stored = self.with.store.add_signing_key(&next, &seen).await?;
            self.take(&stored)?;
            let is_new = |key: &&StoredSigningKey| key.algorithm == algorithm && !seen.contains(&key.key_id);
            // Else a key of another algorithm took the ID at the same moment.
            if let Some(there) = stored.iter().find(is_new) {
                let (key_id, signs_from) = (there.key_id.clone(), there.signs_from);
                // A store may keep instants less exactly.
                let by_us = there.sealed_private_key == next.sealed_private_key;
                return Ok(Rotated { key_id, signs_from, by_us });
            }
        }
        Err(StoreError::Unavailable("keys were made again and again at the same moment".into()).into())
    }

    /// The key that is to sign next.
    fn is_published(&self, algorithm: Algorithm, now: Timestamp) -> Option<Rotated> {
        let keys = self.keys();
        let newest = keys.newest(algorithm, now).filter(|newest| newest.signs_from() > now)?;
        let (key_id, signs_from) = (newest.key_id().to_owned(), newest.signs_from());
        Some(Rotated { key_id, signs_from, by_us: false })
    }

    async fn read_again(&self) -> Result<(), SigningKeyError> {
        let stored = self.with.store.list_signing_keys().await?;
        self.take(&stored)
    }

    /// The algorithms whose newest key has signed for long enough, less the time that its successor is published for.
    fn due(&self) -> Vec<Algorithm> {
        let Some(every) = self.rotation.every else { return Vec::new() };
        let (keys, now) = (self.keys(), self.with.clock.now());
        let is_due = |algorithm: &Algorithm| {
            let newest = keys.newest(*algorithm, now);
            let has_signed = |newest: &SigningKey| now >= newest.signs_from() + every - self.rotation.publish;
            // Where there is a key of a time to come that it may be in truth, the clock may be behind, and what is made by it
            // would sign before anybody knows it. It comes to nothing when that time has come, or the clock is right.
            newest.is_none_or(has_signed)
                && !keys.is_any_of_the_future(*algorithm, [now, now + every + MAX_PUBLISHED_FOR])
        };
        self.algorithms.iter().copied().filter(is_due).collect()
    }

    async fn forget_what_is_over(&self) -> Result<(), SigningKeyError> {
        let over = self.found_over();
        if over.is_empty() {
            return Ok(());
        }
        Ok(self.with.store.delete_signing_keys(&over).await?)
    }

    /// The keys that have been over for long enough, by the clock and by what was found before.
    fn found_over(&self) -> Vec<String> {
        let (keys, then) = (self.keys(), self.with.clock.now() - FORGOTTEN_AFTER);
        let over = keys.states(then).filter(|(_, state)| *state == KeyState::Over);
        let over = over.map(|(key, _)| key.key_id().to_owned());
        let mut found = self.found_over.lock().unwrap_or_else(PoisonError::into_inner);
        let times = |key_id: &String| found.get(key_id).copied().unwrap_or(0) + 1;
        *found = over.map(|key_id| (key_id.clone(), times(&key_id))).collect();
        found.iter().filter(|(_, times)| **times >= FOUND_OVER).map(|(key_id, _)| key_id.clone()).collect()
    }

    fn take(&self, stored: &[StoredSigningKey]) -> Result<(), SigningKeyError> {
        let keys = Arc::new(KeySet::open(stored, &self.with.master_keys, &*self.with.holder)?);
        let read = Read { keys, at: self.with.clock.now() };
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    fn read(&self) -> Read {
        self.read.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A clock that was set back tells of no age.
    fn is_younger_than(&self, age: SignedDuration) -> bool {
        let since = self.with.clock.now().duration_since(self.read().at);
        !since.is_negative() && since < age
    }
}

/// A key whose ID is the Region and a number, as Cognito's are: the second that it is, or one more than the last. So it is one that
/// no key has had, also where a backup has brought back a store that knows nothing of the last ones: verifiers that keep a key by
/// its ID would go on with that.
async fn candidate(
    with: &Materials,
    stored: &[StoredSigningKey],
    algorithm: Algorithm,
    instants: [Timestamp; 2],
) -> Result<StoredSigningKey, SignerError> {
    let region = with.region.as_str();
    let serial = |key: &StoredSigningKey| key.key_id.strip_prefix(region)?.parse::<u64>().ok();
    let last = stored.iter().filter_map(serial).max().unwrap_or(0);
    let second = u64::try_from(with.clock.now().as_second()).unwrap_or(0);
    let key_id = format!("{region}{}", second.max(last + 1));
    let sealer = sealer(&with.master_keys);
    SigningKey::make(key_id, algorithm, instants, &*with.holder, (&sealer, &*with.random)).await
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.read().keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
