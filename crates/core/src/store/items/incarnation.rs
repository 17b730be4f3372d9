//! What the identities of a pool belong to. A pool that is made again has another incarnation.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde::{Deserialize, Serialize};

use crate::ground::ids::IdentityPoolId;
use crate::ground::random::Random;

/// An incarnation of a pool. It stands in each item of an identity and of a login, so it is short: two pools that drew the same
/// would share their identities, which takes billions of pools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Incarnation([u8; Self::LENGTH]);

impl Incarnation {
    const LENGTH: usize = 9;

    /// That of no pool.
    pub(super) const NONE: Self = Self([0; Self::LENGTH]);

    /// One that no pool has had.
    pub(super) fn draw(random: &dyn Random) -> Self {
        Self(random.bytes())
    }

    /// That of a pool in a store that is filled.
    pub(crate) fn in_copy(pool: &IdentityPoolId) -> Self {
        let hash = digest(&SHA256, pool.as_str().as_bytes());
        Self(*hash.as_ref().first_chunk().expect("a hash is longer"))
    }

    pub(super) fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl From<Incarnation> for String {
    fn from(incarnation: Incarnation) -> Self {
        incarnation.to_string()
    }
}

/// Something else stands where an incarnation has to.
#[derive(Debug, thiserror::Error)]
#[error("it is no incarnation of a pool")]
pub(crate) struct NoIncarnation;

impl TryFrom<String> for Incarnation {
    type Error = NoIncarnation;

    fn try_from(text: String) -> Result<Self, NoIncarnation> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| NoIncarnation)?;
        bytes.try_into().map(Self).map_err(|_| NoIncarnation)
    }
}
