//! The signing keys of an installation, as they were read at some moment: which of them signs, and which are still
//! believed. Nothing of that is written down but from when each signs; the rest follows.

use std::time::Duration;

use serde::Serialize;

use super::public_key::Jwk;
use super::signer::KeyHolder;
use super::signing_key::{SigningKey, SigningKeyError, sealer};
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::master_keys::MasterKeys;
use crate::records::limits::MAX_TOKEN_SECONDS;
use crate::records::signing_algorithm::Algorithm;
use crate::store::StoredSigningKey;

/// A key is believed for so long after its successor began to sign: until the longest token is over that it can have signed,
/// and two hours more, for clocks that differ and verifiers that keep a set of keys for that long.
pub const BELIEVED_FOR: SignedDuration = SignedDuration::from_secs(MAX_TOKEN_SECONDS + 2 * 60 * 60);

/// For so long a verifier may keep the public halves. A key is published for longer before it signs.
pub const CACHEABLE_FOR: Duration = Duration::from_mins(5);

/// So far the clocks of nodes may be apart. A key that was made later than that from now was made by a clock that was ahead,
/// or the clock is behind now; nobody can tell which.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(15);

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Verifiers learn of it. It signs from some moment on.
    Published,
    /// It signs.
    InUse,
    /// Its tokens are believed.
    Retired,
    /// Nothing of it is.
    Over,
}

/// All keys whose signatures we stand by.
#[derive(Debug)]
pub struct KeySet(Vec<SigningKey>);

/// A JWK set (RFC 7517 section 5).
#[derive(Debug, Serialize)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

impl KeySet {
    /// Opens keys that are stored, the earliest first.
    ///
    /// # Errors
    /// [`SigningKeyError`], above all a master key that does not fit them.
    pub fn open(
        stored: &[StoredSigningKey],
        master_keys: &MasterKeys,
        holder: &dyn KeyHolder,
    ) -> Result<Self, SigningKeyError> {
        let sealer = sealer(master_keys);
        let mut keys: Vec<_> =
            stored.iter().map(|key| SigningKey::open(key, &sealer, holder)).collect::<Result<_, _>>()?;
        keys.sort_by(|a, b| (a.signs_from(), a.key_id()).cmp(&(b.signs_from(), b.key_id())));
        Ok(Self(keys))
    }

    /// The key of an algorithm that signs: the last whose time has come. Where the time of none has come, because the clock
    /// is behind or was ahead, it is the one that was made first, which verifiers know for longest.
    #[must_use]
    pub fn active(&self, algorithm: Algorithm, now: Timestamp) -> Option<&SigningKey> {
        let keys = || self.of(algorithm);
        keys().filter(|key| key.signs_from() <= now).last().or_else(|| keys().min_by_key(|key| turn(key)))
    }

    /// The key of an algorithm that signs last. What a clock that was ahead made is none: it would keep others from being
    /// made until its time comes.
    #[must_use]
    pub fn newest(&self, algorithm: Algorithm, now: Timestamp) -> Option<&SigningKey> {
        self.of(algorithm).filter(|key| !is_of_the_future(key, now)).last()
    }

    /// Whether some key of an algorithm is of the future by the first instant, and was made before the second.
    #[must_use]
    pub fn is_any_of_the_future(&self, algorithm: Algorithm, [now, then]: [Timestamp; 2]) -> bool {
        self.of(algorithm).any(|key| is_of_the_future(key, now) && key.created_at() < then)
    }

    /// The key with this `kid`, if its signatures count.
    #[must_use]
    pub fn find(&self, key_id: &str, now: Timestamp) -> Option<&SigningKey> {
        let key = self.0.iter().find(|key| key.key_id() == key_id)?;
        (self.state(key, now) != KeyState::Over).then_some(key)
    }

    /// Every key, the earliest first, and what it does.
    pub fn states(&self, now: Timestamp) -> impl Iterator<Item = (&SigningKey, KeyState)> {
        self.0.iter().map(move |key| (key, self.state(key, now)))
    }

    fn state(&self, key: &SigningKey, now: Timestamp) -> KeyState {
        let is_active = |active: &SigningKey| active.key_id() == key.key_id();
        if self.active(key.algorithm(), now).is_some_and(is_active) {
            return KeyState::InUse;
        }
        let successor = self.successor(key, now);
        if successor.is_some_and(|successor| now >= successor.signs_from() + BELIEVED_FOR) {
            return KeyState::Over;
        }
        if key.signs_from() > now { KeyState::Published } else { KeyState::Retired }
    }

    /// The key that signs after this one. After one of the future that is the first that was made afterwards, by a clock
    /// that was right again.
    fn successor(&self, key: &SigningKey, now: Timestamp) -> Option<&SigningKey> {
        let mut others = self.of(key.algorithm());
        if is_of_the_future(key, now) {
            return others.find(|other| !is_of_the_future(other, now) && turn(other) > turn(key));
        }
        others.find(|other| other.signs_from() > key.signs_from())
    }

    /// The public halves of the keys that count (RFC 7517 section 5). The one that signs what most tokens are signed with is
    /// the first: there are verifiers that look at no other, such as the gateway of Ceph.
    #[must_use]
    pub fn jwk_set(&self, first: Algorithm, now: Timestamp) -> JwkSet {
        let mut keys: Vec<_> = self.states(now).filter(|(_, state)| *state != KeyState::Over).collect();
        let rank = |key: &SigningKey, state| (key.algorithm() != first, state != KeyState::InUse);
        keys.sort_by_key(|(key, state)| rank(key, *state));
        JwkSet { keys: keys.into_iter().map(|(key, _)| key.public_key().jwk(key.key_id())).collect() }
    }

    /// The keys of an algorithm, by when they sign.
    pub fn of(&self, algorithm: Algorithm) -> impl Iterator<Item = &SigningKey> {
        self.0.iter().filter(move |key| key.algorithm() == algorithm)
    }
}

fn is_of_the_future(key: &SigningKey, now: Timestamp) -> bool {
    key.created_at() > now + CLOCKS_APART
}

/// In which order keys were made, whatever the clock said: their IDs count upwards.
fn turn(key: &SigningKey) -> (usize, &str) {
    (key.key_id().len(), key.key_id())
}
