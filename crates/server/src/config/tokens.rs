//! `[tokens]`: what signs tokens, and for how long.

use std::collections::BTreeMap;

use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::login::provider::definition::seconds;
use daypass_core::records::signing_algorithm::Algorithm;
use daypass_core::token::key_ring::{MAX_PUBLISHED_FOR, MIN_PUBLISHED_FOR, PUBLISHED_FOR, Rotation};
use daypass_core::token::openid_token::TokenAlgorithms;
use serde::Deserialize;

use super::Pkcs11Config;

/// What signs tokens.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensConfig {
    /// How tokens of the pool are signed.
    #[serde(default)]
    algorithm: Algorithm,
    /// The same of some pools.
    #[serde(default)]
    pools: BTreeMap<IdentityPoolId, Algorithm>,
    /// How long a key signs.
    #[serde(default, deserialize_with = "seconds::deserialize")]
    rotate: Option<i64>,
    /// How long it is published before.
    #[serde(default, deserialize_with = "seconds::deserialize")]
    publish: Option<i64>,
    /// What makes and holds the keys, if this process does not.
    pub pkcs11: Option<Pkcs11Config>,
}

const TOO_SHORT: &str =
    "must be 15m at least: verifiers and other nodes keep the keys that they know for some minutes";
const TOO_LONG: &str = "must be 30d at most: a key that is published cannot be taken back";
const TOO_SELDOM: &str = "must be 3650d at most; leave it out for keys that stay";
/// Ten years, in seconds.
const MAX_ROTATE: i64 = 3_650 * 24 * 60 * 60;
const TOO_OFTEN: &str =
    "must be longer than `publish`, for which a key is known before it signs (24h, if that is not said)";

impl TokensConfig {
    /// How the tokens of each pool are signed.
    #[must_use]
    pub fn algorithms(&self) -> TokenAlgorithms {
        TokenAlgorithms { default: self.algorithm, pools: self.pools.clone() }
    }

    /// When keys take turns.
    #[must_use]
    pub fn rotation(&self) -> Rotation {
        Rotation { every: self.rotate.map(SignedDuration::from_secs), publish: self.published_for() }
    }

    fn published_for(&self) -> SignedDuration {
        self.publish.map_or(PUBLISHED_FOR, SignedDuration::from_secs)
    }

    /// What is wrong with it: the key, and why.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        if self.published_for() < MIN_PUBLISHED_FOR {
            return Some(("publish", TOO_SHORT));
        }
        if self.published_for() > MAX_PUBLISHED_FOR {
            return Some(("publish", TOO_LONG));
        }
        if self.rotate.is_some_and(|seconds| seconds > MAX_ROTATE) {
            return Some(("rotate", TOO_SELDOM));
        }
        let every = self.rotation().every;
        every.is_some_and(|every| every <= self.published_for()).then_some(("rotate", TOO_OFTEN))
    }
}
