//! What a store keeps sealed, and under which master keys servers have sealed.

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::ground::ids::{AccessKeyId, SignInSessionId};
use crate::ground::seal::{MasterKeyId, Sealed};
use crate::store::{Page, StoreError};

/// What a sealed value belongs to, in the order in which all are gone through: a server without the master key of a signing key
/// does not start, so those are last, and whoever is stopped before has taken nothing away that keeps it from that. Logins that wait for their app are not among it: they are bound to what only the app can
/// show, and over after minutes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedItem {
    /// The secret of an access key.
    AccessKey(AccessKeyId),
    /// The login of a session.
    SignInSession(SignInSessionId),
    /// The private half of a signing key, by the key's ID.
    SigningKey(String),
}

/// A sealed value that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// What it belongs to.
    pub item: SealedItem,
    /// The value.
    pub sealed: Sealed,
}

/// The same value, sealed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealing {
    /// What was read.
    pub from: SealedValue,
    /// What is to be kept in its place.
    pub to: Sealed,
}

/// A master key that servers seal under, or sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnnouncedMasterKey {
    /// Its ID.
    pub id: MasterKeyId,
    /// Since when; if they sealed under another one meanwhile, since they do again.
    pub since: Timestamp,
}

/// Sealed values, whatever they belong to.
#[async_trait]
pub trait Seals: Send + Sync {
    /// Sealed values in the order of what they belong to.
    async fn list_sealed(&self, page: Page<SealedItem>) -> Result<Vec<SealedValue>, StoreError>;

    /// Puts another seal in the place of each value that is still what was read, and answers how many were. Nothing else of
    /// what it belongs to changes, and it passes for unchanged to whoever has read it before.
    async fn reseal(&self, changes: &[Resealing]) -> Result<usize, StoreError>;

    /// Notes under which master key a server seals from now on. If it is the one that was announced last, nothing changes; any
    /// other counts from `now`, or from just after the last one, whichever is later.
    async fn announce_master_key(&self, id: MasterKeyId, now: Timestamp) -> Result<(), StoreError>;

    /// The master keys that were announced, the last one first.
    async fn list_master_keys(&self) -> Result<Vec<AnnouncedMasterKey>, StoreError>;
}
