//! The master keys of an installation: the roots of all sealing. One is current, and seals; the others open what was
//! sealed while they were, or what other nodes seal already.
//!
//! From a master key each purpose derives a key of its own (HKDF-SHA-256, RFC 5869), so that a sealed value of one purpose
//! never opens as another.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::ground::authenticator::Authenticator;
use crate::ground::random::Random;
use crate::ground::seal::{MasterKeyId, Sealer};

/// A root of all sealing: 32 random bytes that the operator keeps.
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// The length of an ID, to HKDF.
struct OfId;

impl KeyType for OfId {
    fn len(&self) -> usize {
        MasterKeyId::LENGTH
    }
}

/// The length of a seed, to HKDF.
struct OfSeed;

impl KeyType for OfSeed {
    fn len(&self) -> usize {
        32
    }
}

impl MasterKey {
    /// Wraps key material.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self::new(random.bytes())
    }

    /// The key material, to be written where only the operator can read.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// What it is called.
    #[must_use]
    pub fn id(&self) -> MasterKeyId {
        let mut id = [0; MasterKeyId::LENGTH];
        let derived = self.root().expand(&[b"master key id"], OfId).and_then(|okm| okm.fill(&mut id));
        derived.expect("an ID is shorter than HKDF's limit");
        MasterKeyId(id)
    }

    fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }

    fn root(&self) -> Prk {
        Salt::new(HKDF_SHA256, b"daypass").extract(&*self.0)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// All master keys of an installation.
#[derive(Debug)]
pub struct MasterKeys {
    current: MasterKey,
    others: Vec<MasterKey>,
}

/// An installation that has never had another one.
impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self { current, others: Vec::new() }
    }
}

impl MasterKeys {
    /// A new one, alone.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self::from(MasterKey::generate(random))
    }

    /// The key that seals, and those that only open. The first may be among the others, too.
    #[must_use]
    pub fn new(current: MasterKey, others: Vec<MasterKey>) -> Self {
        let others = others.into_iter().filter(|other| !other.is(&current)).collect();
        Self { current, others }
    }

    /// The key that seals.
    #[must_use]
    pub fn current(&self) -> MasterKeyId {
        self.current.id()
    }

    /// Every key, the current one first.
    pub fn ids(&self) -> impl Iterator<Item = MasterKeyId> {
        self.all().map(MasterKey::id)
    }

    /// Whether these open all that the current one of `before` sealed.
    #[must_use]
    pub fn go_on_from(&self, before: &Self) -> bool {
        self.all().any(|key| key.is(&before.current))
    }

    /// Whether they are the same, and the same of them seals.
    #[must_use]
    pub fn are(&self, before: &Self) -> bool {
        let same = |(one, other): (&MasterKey, &MasterKey)| one.is(other);
        self.others.len() == before.others.len() && self.all().zip(before.all()).all(same)
    }

    /// The sealer of one purpose.
    #[must_use]
    pub fn sealer(&self, purpose: &'static str) -> Sealer {
        let others = self.others.iter().map(|key| (key.id(), key.root()));
        Sealer::new((self.current.id(), &self.current.root()), others, purpose)
    }

    /// What authenticates what everybody may read, for one purpose.
    #[must_use]
    pub fn authenticator(&self, purpose: &'static str) -> Authenticator {
        let key = |key: &MasterKey| {
            let key = key.root().expand(&[purpose.as_bytes()], hmac::HMAC_SHA256).map(hmac::Key::from);
            key.expect("a hash is shorter than HKDF's limit")
        };
        Authenticator::new(key(&self.current), self.others.iter().map(key).collect())
    }

    /// Bytes that only a master key leads to, for one purpose: those of each, the current one's first.
    pub fn seeds(&self, purpose: &'static str) -> impl Iterator<Item = Zeroizing<[u8; 32]>> {
        self.all().map(move |key| {
            let mut seed = Zeroizing::new([0; 32]);
            let derived =
                key.root().expand(&[purpose.as_bytes()], OfSeed).and_then(|okm| okm.fill(&mut *seed));
            derived.expect("a seed is shorter than HKDF's limit");
            seed
        })
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(current: u8, others: &[u8]) -> MasterKeys {
        let key = |byte: u8| MasterKey::new([byte; 32]);
        MasterKeys::new(key(current), others.iter().copied().map(key).collect())
    }

    #[test]
    fn a_key_has_the_same_id_everywhere_and_another_key_another_one() {
        assert_eq!(MasterKey::new([7; 32]).id().to_string(), "2a748045");
        assert_ne!(MasterKey::new([8; 32]).id(), MasterKey::new([7; 32]).id());
    }

    #[test]
    fn the_current_key_may_stand_among_the_others() {
        assert_eq!(keys(1, &[2, 1]).ids().collect::<Vec<_>>(), keys(1, &[2]).ids().collect::<Vec<_>>());
        assert!(keys(1, &[2, 1]).are(&keys(1, &[2])));
    }

    #[test]
    fn whoever_goes_on_can_open_what_was_sealed_last() {
        let before = keys(1, &[2]);
        for (now, goes_on) in [
            (keys(1, &[2]), true),
            (keys(3, &[1]), true),
            (keys(1, &[]), true),
            (keys(2, &[]), false),
            (keys(3, &[2]), false),
        ] {
            assert_eq!(now.go_on_from(&before), goes_on, "{now:?}");
        }
        assert!(keys(1, &[2]).are(&before) && !keys(2, &[1]).are(&before) && !keys(1, &[]).are(&before));
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", keys(0x41, &[])), "MasterKeys { current: MasterKey(…), others: [] }");
    }
}
