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
    /// is behind, it is the first.
    #[must_use]
    pub fn active(&self, algorithm: Algorithm, now: Timestamp) -> Option<&SigningKey> {
        let keys = || self.of(algorithm);
        keys().filter(|key| key.signs_from() <= now).last().or_else(|| keys().next())
    }

    /// The key of an algorithm that signs last, as far as is known.
    #[must_use]
    pub fn newest(&self, algorithm: Algorithm) -> Option<&SigningKey> {
        self.of(algorithm).last()
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
        if key.signs_from() > now {
            return KeyState::Published;
        }
        let successor = self.of(key.algorithm()).find(|other| other.signs_from() > key.signs_from());
        let believed = successor.is_none_or(|successor| now < successor.signs_from() + BELIEVED_FOR);
        if believed { KeyState::Retired } else { KeyState::Over }
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

    fn of(&self, algorithm: Algorithm) -> impl Iterator<Item = &SigningKey> {
        self.0.iter().filter(move |key| key.algorithm() == algorithm)
    }
}
