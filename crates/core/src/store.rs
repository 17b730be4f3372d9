//! The questions that Daypass asks of its memory.
//!
//! Every method is one atomic question: it either happened whole, durably, before it answered, or it
//! did not happen. That is what lets the weakest backend keep the same promises as the strongest.
//! `contract` states the promises as tests, and every implementation must pass them.
//! Expired means absent when read, by the clock that the caller brings. Instants are kept to the
//! millisecond at least; a revocation that must be rounded is rounded up.
//!
//! Text is compared byte by byte: no case, no normal form, no space is folded. An ID that is taken
//! already, or that names something gone, is an error on a write, and changes nothing.

use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::{AuditEvent, AuditSubject};
use crate::clock::Timestamp;
use crate::identity::{Identity, IdentityPool, PoolRoles};
use crate::ids::{AccessKeyId, IdentityId, IdentityPoolId, RoleName, UserName};
use crate::seal::Sealed;

#[cfg(any(test, feature = "testing"))]
pub mod contract;
pub mod memory;

/// A store shared by everything that needs one.
pub type SharedStore = Arc<dyn Store>;

/// The store could not answer. "Not found" and "somebody was first" are answers, not errors.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The backend did not answer, or not in time; the same question may succeed later.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was read does not have the form in which it was written.
    #[error("the store holds a record that cannot be read")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What to find or create for a developer user identifier.
#[derive(Debug, Clone)]
pub struct DeveloperLogin {
    /// The pool.
    pub pool_id: IdentityPoolId,
    /// The user, as the developer's backend calls them: never empty, which the caller has looked to.
    pub developer_user_identifier: String,
    /// The identity that the caller wants this login linked to: a guest to be upgraded, or the
    /// identity it already belongs to.
    pub identity_id: Option<IdentityId>,
    /// The ID of the identity to create if there is none yet.
    pub new_identity_id: IdentityId,
    /// The time to write into whatever is created or changed.
    pub now: Timestamp,
}

/// What became of a [`DeveloperLogin`] (cognito-identity API, GetOpenIdTokenForDeveloperIdentity).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeveloperLoginOutcome {
    /// The login belonged to this identity already.
    Known(Identity),
    /// Nobody had it; this identity was created with it.
    Created(Identity),
    /// The named guest took it over and keeps its ID.
    Linked(Identity),
    /// It belongs to another identity than the named one.
    AlreadyRegistered,
    /// The named identity has logins, and this is none of them.
    NotAmongItsLogins,
    /// The named identity does not exist in this pool.
    UnknownIdentity,
    /// The named identity, or the one that owns the login, is disabled.
    Disabled(IdentityId),
}

/// A page of a listing: what comes strictly after `after`, in ascending order, `limit` items at most.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The last item of the page before.
    pub after: Option<T>,
    /// At least 1.
    pub limit: usize,
}

/// A signing key as it lies in the store: the private half sealed under the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSigningKey {
    /// The `kid` of the tokens it signs.
    pub key_id: String,
    /// PKCS #8, sealed.
    pub sealed_private_key: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
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

/// Whose sessions end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationTarget {
    /// All sessions of one identity, whatever the role.
    Identity(IdentityId),
    /// All sessions of one role, whoever took it on.
    Role(RoleName),
}

/// Everything that Daypass must not forget.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps a new pool. The caller drew its ID at random.
    async fn add_pool(&self, pool: &IdentityPool) -> Result<(), StoreError>;

    /// The pool that the configuration names, created from `candidate` by whoever asks first. Everyone
    /// who asks with the same name gets the same pool, as it stands now.
    async fn find_or_add_configured_pool(
        &self,
        name: &str,
        candidate: &IdentityPool,
    ) -> Result<IdentityPool, StoreError>;

    /// The pool with this ID.
    async fn lookup_pool(&self, id: &IdentityPoolId) -> Result<Option<IdentityPool>, StoreError>;

    /// Pools in order of their IDs.
    async fn list_pools(&self, page: Page<IdentityPoolId>) -> Result<Vec<IdentityPool>, StoreError>;

    /// Replaces all roles of a pool. `false` if there is no such pool.
    async fn set_pool_roles(&self, id: &IdentityPoolId, roles: &PoolRoles) -> Result<bool, StoreError>;

    /// Keeps a new guest. `false` if there is no such pool.
    async fn add_guest(
        &self,
        pool_id: &IdentityPoolId,
        id: &IdentityId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The identity with this ID.
    async fn lookup_identity(&self, id: &IdentityId) -> Result<Option<Identity>, StoreError>;

    /// Finds or creates the identity of a developer user identifier, or links it to the named guest.
    /// However many ask at once, there is one identity, and exactly one asker hears `Created` or
    /// `Linked`. The pool must exist; the caller has looked.
    async fn resolve_developer_login(
        &self,
        login: &DeveloperLogin,
    ) -> Result<DeveloperLoginOutcome, StoreError>;

    /// The identity that a developer user identifier belongs to.
    async fn find_identity_by_developer_user(
        &self,
        pool_id: &IdentityPoolId,
        developer_user_identifier: &str,
    ) -> Result<Option<IdentityId>, StoreError>;

    /// The developer user identifiers of an identity, in byte order.
    async fn list_developer_users(
        &self,
        identity_id: &IdentityId,
        page: Page<String>,
    ) -> Result<Vec<String>, StoreError>;

    /// Identities of a pool in order of their IDs.
    async fn list_identities(
        &self,
        pool_id: &IdentityPoolId,
        hide_disabled: bool,
        page: Page<IdentityId>,
    ) -> Result<Vec<Identity>, StoreError>;

    /// All signing keys, oldest first; if there is none yet, `candidate` becomes the first. Everyone
    /// who asks gets the same keys.
    async fn list_or_add_signing_keys(
        &self,
        candidate: &StoredSigningKey,
    ) -> Result<Vec<StoredSigningKey>, StoreError>;

    /// All signing keys, oldest first.
    async fn list_signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError>;

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

    /// Ends all sessions of the target that were issued at or before `not_before`. A later instant that
    /// was named before stays.
    async fn revoke_sessions(
        &self,
        target: &RevocationTarget,
        not_before: Timestamp,
    ) -> Result<(), StoreError>;

    /// The later of the two instants up to which sessions of this identity and of this role are revoked.
    async fn sessions_revoked_until(
        &self,
        identity_id: &IdentityId,
        role: &RoleName,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// Keeps one audit event.
    async fn add_audit_event(&self, event: &AuditEvent) -> Result<(), StoreError>;

    /// The newest events about an identity, an access key or a request, newest first. Of two with the
    /// same time, the one kept later is the newer.
    async fn list_audit_events(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError>;

    /// Answers if the store can do its work: what `/readyz` asks.
    async fn ping(&self) -> Result<(), StoreError>;
}
