//! What a store keeps of keys: those that sign our tokens, and those that developers sign with.

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::ground::ids::{AccessKeyId, UserName};
use crate::ground::seal::Sealed;
use crate::records::signing_algorithm::Algorithm;
use crate::store::StoreError;

/// A signing key as it lies in the store: the private half sealed under the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSigningKey {
    /// The `kid` of the tokens it signs.
    pub key_id: String,
    /// How it signs.
    pub algorithm: Algorithm,
    /// PKCS #8, sealed.
    pub sealed_private_key: Sealed,
    /// When it was made, and published.
    pub created_at: Timestamp,
    /// When it signs, if no later one does.
    pub signs_from: Timestamp,
}

/// A developer access key as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAccessKey {
    /// `AKIA…`.
    pub id: AccessKeyId,
    /// The developer it belongs to: `up` keeps a key of one named `up`.
    pub name: UserName,
    /// What the key may do, an IAM policy. It belongs to the name: the first key brings it, every later one
    /// of the same name gets it, and it never changes.
    pub policy: String,
    /// The secret access key, sealed under the master key.
    pub sealed_secret: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it is accepted.
    pub enabled: bool,
}

/// As many access keys of one name are enabled at once, so that a new one can take over from an old one
/// (IAM quotas, "Access keys assigned to an IAM user").
pub const MAX_ENABLED_ACCESS_KEYS: usize = 2;

/// What became of a change to access keys. Whatever is not `Done` has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessKeyOutcome {
    /// It happened; this is the key, as it stands now or as it was when it was deleted.
    Done(StoredAccessKey),
    /// The name has a key already.
    NameTaken,
    /// There is no key with this ID, or none of this name.
    Unknown,
    /// [`MAX_ENABLED_ACCESS_KEYS`] others of the same name are enabled.
    TooMany,
    /// An enabled key is not deleted.
    StillEnabled,
}

/// Signing keys and access keys.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Keeps a signing key if there is no other of its algorithm but those whose IDs were seen. Answers all keys then, as [`list_signing_keys`](Self::list_signing_keys) does, whoever
    /// was first.
    async fn add_signing_key(
        &self,
        key: &StoredSigningKey,
        seen: &[String],
    ) -> Result<Vec<StoredSigningKey>, StoreError>;

    /// Does what it takes to keep a signing key, and leaves nothing behind: whether one could be kept now.
    async fn rehearse_signing_key(&self) -> Result<(), StoreError>;

    /// All signing keys, by when they sign.
    async fn list_signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError>;

    /// Forgets signing keys, as far as they are there.
    async fn delete_signing_keys(&self, key_ids: &[String]) -> Result<(), StoreError>;

    /// The oldest enabled access key with this name, `candidate` if there is none. An enabled candidate is
    /// asked for.
    async fn find_or_add_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<StoredAccessKey, StoreError>;

    /// The access key with this ID.
    async fn lookup_access_key(&self, id: &AccessKeyId) -> Result<Option<StoredAccessKey>, StoreError>;

    /// Keeps the first access key of a name, unless the name has one, enabled or not.
    async fn add_first_access_key(&self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError>;

    /// Keeps an enabled access key beside another one of its name, with the policy of that one.
    async fn add_further_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<AccessKeyOutcome, StoreError>;

    /// All access keys, by name, then from the oldest to the newest.
    async fn list_access_keys(&self) -> Result<Vec<StoredAccessKey>, StoreError>;

    /// Enables or disables an access key. Every lookup that begins afterwards sees it.
    async fn set_access_key_enabled(
        &self,
        id: &AccessKeyId,
        enabled: bool,
    ) -> Result<AccessKeyOutcome, StoreError>;

    /// Deletes a disabled access key. With the last key of a name its policy goes, and the name is free.
    async fn delete_access_key(&self, id: &AccessKeyId) -> Result<AccessKeyOutcome, StoreError>;
}
