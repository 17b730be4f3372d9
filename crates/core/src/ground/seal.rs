//! Sealing: what leaves our hands but must come back unread and unchanged. Session tokens travel
//! sealed, private keys and developer secrets lie sealed in the store.
//!
//! A sealed value names the master key that it was sealed under ([`MasterKeyId`]), so that several can be there while
//! one takes over from another. The cipher is AES-256-GCM-SIV (RFC 8452): a nonce drawn twice by accident reveals no
//! more than that two values were equal.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::Prk;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ground::hex;
use crate::ground::random::Random;

/// What a master key is called where everybody may read it: four bytes that follow from the key, and tell nothing of it.
/// Two keys have the same one by chance only, and nothing goes wrong then: both are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasterKeyId(pub [u8; MasterKeyId::LENGTH]);

impl MasterKeyId {
    /// Its length in bytes.
    pub const LENGTH: usize = 4;

    /// Reads eight digits as [`Display`](fmt::Display) writes them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = u32::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()));
        number.filter(|id| id.to_string() == text)
    }
}

/// Eight lower-case hexadecimal digits.
impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// Bytes that only the sealers of their purpose can open: version, ID of the master key, nonce, ciphertext, tag. Those
/// of the first version have no ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed(pub Vec<u8>);

/// The first version, which named no master key.
const UNNAMED: u8 = 1;
const NAMED: u8 = 2;

impl Sealed {
    /// The master key that it says it was sealed under; nothing, if it is of the first version.
    #[must_use]
    pub fn master_key(&self) -> Option<MasterKeyId> {
        self.parts().and_then(|(id, _)| id)
    }

    /// The ID, and what comes after it.
    fn parts(&self) -> Option<(Option<MasterKeyId>, &[u8])> {
        match self.0.split_first()? {
            (&UNNAMED, rest) => Some((None, rest)),
            (&NAMED, rest) => rest.split_first_chunk().map(|(id, rest)| (Some(MasterKeyId(*id)), rest)),
            _ => None,
        }
    }
}

/// The value was sealed under a key that is not here, for another purpose or context, or was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open under any key that is here")]
pub struct CannotOpen;

/// Why a value that is kept does not open, for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the master key is not the one it was sealed under{}; bring that one back from where you keep a copy",
    .0.map(|id| format!(" ({id})")).unwrap_or_default()
)]
pub struct WrongMasterKey(Option<MasterKeyId>);

impl From<&Sealed> for WrongMasterKey {
    fn from(sealed: &Sealed) -> Self {
        Self(sealed.master_key())
    }
}

/// What one master key seals and opens for one purpose.
struct Lock {
    id: MasterKeyId,
    key: LessSafeKey,
}

/// Seals and opens values of one purpose. [`MasterKeys`](crate::ground::master_keys::MasterKeys) makes it.
pub struct Sealer {
    current: Lock,
    others: Vec<Lock>,
}

impl Sealer {
    /// What seals under the first of these keys, and opens what any of them sealed.
    pub(super) fn new(
        current: (MasterKeyId, &Prk),
        others: impl Iterator<Item = (MasterKeyId, Prk)>,
        purpose: &'static str,
    ) -> Self {
        let others = others.map(|(id, root)| Lock::of(id, &root, purpose)).collect();
        Self { current: Lock::of(current.0, current.1, purpose), others }
    }

    /// Seals `plain`. It opens again only with the same `context`, which is not part of the result.
    #[must_use]
    pub fn seal(&self, context: &[u8], plain: &[u8], random: &dyn Random) -> Sealed {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut body = plain.to_vec();
        let Lock { id, key } = &self.current;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut body)
            .expect("a value in memory is shorter than the cipher's limit");
        let mut sealed = Vec::with_capacity(1 + MasterKeyId::LENGTH + NONCE_LEN + body.len());
        sealed.push(NAMED);
        sealed.extend_from_slice(&id.0);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Sealed(sealed)
    }

    /// Opens what [`seal`](Self::seal) made, under whichever of the keys.
    ///
    /// # Errors
    /// [`CannotOpen`], whatever the reason: an attacker learns nothing from which check failed.
    pub fn open(&self, context: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let (id, rest) = sealed.parts().ok_or(CannotOpen)?;
        let (nonce, body) = rest.split_first_chunk().ok_or(CannotOpen)?;
        let mut locks = std::iter::once(&self.current).chain(&self.others);
        locks
            .by_ref()
            .filter(|lock| id.is_none_or(|id| id == lock.id))
            .find_map(|lock| lock.open(context, *nonce, body))
            .ok_or(CannotOpen)
    }

    /// The same value under the key that seals now; nothing, if it is already.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn reseal(
        &self,
        context: &[u8],
        sealed: &Sealed,
        random: &dyn Random,
    ) -> Result<Option<Sealed>, CannotOpen> {
        if sealed.master_key() == Some(self.current.id) {
            return Ok(None);
        }
        let plain = self.open(context, sealed)?;
        Ok(Some(self.seal(context, &plain, random)))
    }
}

impl Lock {
    fn of(id: MasterKeyId, root: &Prk, purpose: &'static str) -> Self {
        let info = [purpose.as_bytes()];
        let key = root.expand(&info, &AES_256_GCM_SIV).expect("a cipher key is shorter than HKDF's limit");
        Self { id, key: LessSafeKey::new(UnboundKey::from(key)) }
    }

    fn open(&self, context: &[u8], nonce: [u8; NONCE_LEN], body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length = self.key.open_in_place(nonce, Aad::from(context), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::master_keys::{MasterKey, MasterKeys};
    use crate::ground::random::SeededRandom;

    fn key(byte: u8) -> MasterKey {
        MasterKey::new([byte; 32])
    }

    fn sealer(current: u8, others: &[u8]) -> Sealer {
        MasterKeys::new(key(current), others.iter().copied().map(key).collect()).sealer("a")
    }

    #[test]
    fn a_sealed_value_opens_only_with_its_key_purpose_and_context() {
        let random = SeededRandom::new(1);
        let master_keys = MasterKeys::from(key(1));
        let sealed = master_keys.sealer("a").seal(b"context", b"secret", &random);

        assert_eq!(&**master_keys.sealer("a").open(b"context", &sealed).unwrap(), b"secret");
        assert_eq!(master_keys.sealer("b").open(b"context", &sealed), Err(CannotOpen));
        assert_eq!(master_keys.sealer("a").open(b"other", &sealed), Err(CannotOpen));
        assert_eq!(sealer(2, &[]).open(b"context", &sealed), Err(CannotOpen));
    }

    #[test]
    fn every_single_changed_or_missing_byte_is_noticed() {
        let random = SeededRandom::new(2);
        let sealed = sealer(1, &[2]).seal(b"", b"secret", &random);
        for at in 0..sealed.0.len() {
            let mut changed = sealed.clone();
            changed.0[at] ^= 1;
            assert_eq!(sealer(1, &[2]).open(b"", &changed), Err(CannotOpen), "byte {at}");
            let cut = Sealed(sealed.0[..at].to_vec());
            assert_eq!(sealer(1, &[2]).open(b"", &cut), Err(CannotOpen), "cut at {at}");
        }
    }

    #[test]
    fn the_current_key_seals_and_every_key_opens() {
        let random = SeededRandom::new(3);
        let old = sealer(1, &[]).seal(b"", b"secret", &random);
        assert_eq!(old.master_key(), Some(key(1).id()));
        assert_eq!(sealer(2, &[3, 1]).open(b"", &old).unwrap().as_slice(), b"secret");
        assert_eq!(sealer(2, &[3]).open(b"", &old), Err(CannotOpen));

        let new = sealer(2, &[1]).reseal(b"", &old, &random).unwrap().unwrap();
        assert_eq!(new.master_key(), Some(key(2).id()));
        assert_eq!(sealer(2, &[]).open(b"", &new).unwrap().as_slice(), b"secret");
        assert_eq!(sealer(2, &[1]).reseal(b"", &new, &random), Ok(None));
        assert_eq!(sealer(2, &[3]).reseal(b"", &old, &random), Err(CannotOpen));
    }

    /// Sealed for purpose "a" and context "c" by the release before values named their master key.
    #[test]
    fn what_names_no_master_key_opens_under_any() {
        let text = "01646070befe52afae62eaaf87a29754c52c240bc9730d4447c019340c414cd24c1399";
        let bytes = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap());
        let unnamed = Sealed(bytes.collect());
        assert_eq!(unnamed.master_key(), None);
        for sealer in [sealer(1, &[]), sealer(2, &[3, 1])] {
            assert_eq!(sealer.open(b"c", &unnamed).unwrap().as_slice(), b"secret");
            let named = sealer.reseal(b"c", &unnamed, &SeededRandom::new(4)).unwrap().unwrap();
            assert!(named.master_key().is_some());
        }
        assert_eq!(sealer(2, &[3]).open(b"c", &unnamed), Err(CannotOpen));
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = MasterKeyId([0, 0x1a, 0xb2, 0xff]);
        assert_eq!((id.to_string().as_str(), MasterKeyId::parse("001ab2ff")), ("001ab2ff", Some(id)));
        for none in ["", "1ab2ff", "001AB2FF", "+01ab2ff", "001ab2fff", "001ab2fg"] {
            assert_eq!(MasterKeyId::parse(none), None, "{none}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", sealer(0x41, &[])), "Sealer(…)");
    }
}
