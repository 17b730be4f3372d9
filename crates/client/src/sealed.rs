//! Text that only who has the key can read or change. The cipher is AES-256-GCM-SIV (RFC 8452), as for what the broker itself
//! seals: a nonce drawn twice by accident reveals no more than that two texts were equal.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::keyring::Key;
use crate::random;

/// Nonce, ciphertext and tag, in base64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Sealed(String);

impl Sealed {
    /// Seals a text, for this context only.
    pub(crate) fn seal(key: &Key, context: &str, text: &[u8]) -> Self {
        let nonce: [u8; NONCE_LEN] = random::bytes();
        let (unique, context) = (Nonce::assume_unique_for_key(nonce), Aad::from(context.as_bytes()));
        // Not with the tag at its end: a vector that grows leaves what it held behind, in memory that nobody wipes.
        let mut sealed = text.to_vec();
        let tag = cipher(key)
            .seal_in_place_separate_tag(unique, context, &mut sealed)
            .expect("no session is as long as the cipher's limit");
        Self(BASE64_STANDARD_NO_PAD.encode([&nonce[..], &sealed, tag.as_ref()].concat()))
    }

    /// What was sealed; nothing, under another key, in another context, or if it was changed.
    pub(crate) fn open(&self, key: &Key, context: &str) -> Option<Zeroizing<Vec<u8>>> {
        let mut sealed = Zeroizing::new(BASE64_STANDARD_NO_PAD.decode(&self.0).ok()?);
        let (nonce, text) = sealed.split_first_chunk_mut::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = cipher(key).open_in_place(nonce, Aad::from(context.as_bytes()), text).ok()?;
        Some(Zeroizing::new(opened.to_vec()))
    }
}

fn cipher(key: &Key) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, key.bytes()).expect("the key has the cipher's length"))
}
