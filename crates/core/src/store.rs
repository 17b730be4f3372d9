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

use std::slice;
use std::sync::Arc;

use async_trait::async_trait;

use self::transfer::{ImportError, Imported, PoolImport, PoolSnapshot};
use crate::ground::clock::{Clock, Timestamp};
use crate::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId, RoleName, UserName};
use crate::ground::seal::Sealed;
use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::records::identity::{Identity, IdentityPool, Login};
use crate::records::linking::{LinkRefusal, LinkRequest, MergeRequest, UnlinkRefusal, UnlinkRequest};
use crate::records::standing::Standing;

#[cfg(any(test, feature = "testing"))]
pub mod contract;
mod error;
pub mod memory;
pub mod transfer;

pub use self::error::StoreError;

/// A store shared by everything that needs one.
pub type SharedStore = Arc<dyn Store>;

/// What became of a [`LinkRequest`] or a [`MergeRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkOutcome {
    /// All the logins belonged to this identity already.
    Known(Identity),
    /// Nobody had any of them; this identity was created with them.
    Created(Identity),
    /// This identity has them all now. Whoever had some of them before is disabled.
    Linked {
        /// The identity, as it stands now.
        identity: Identity,
        /// The identities that ended, in order.
        disabled: Vec<IdentityId>,
    },
    /// Nothing changed.
    Refused(LinkRefusal),
}

/// What became of an [`UnlinkRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnlinkOutcome {
    /// The logins are gone.
    Unlinked,
    /// Nothing changed.
    Refused(UnlinkRefusal),
}

/// What became of a change to a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplaceOutcome {
    /// The pool is as it was given, one version on.
    Replaced,
    /// Somebody changed it since it was read. Nothing changed.
    Stale,
    /// There is no such pool.
    Unknown,
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

/// So many refusals of people who proved nothing are kept, the newest.
pub const MAX_UNPROVED_REFUSALS: usize = 2_000;

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

/// The outcome of a login that waits for its app, as it lies in the store: under the hash of the one-time code
/// that stands for it, so that nobody who reads the store can redeem it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLoginGrant {
    /// The SHA-256 of the code, in base64url.
    pub code_hash: String,
    /// The login and what it is bound to, sealed under the master key.
    pub sealed: Sealed,
    /// From then on it is as good as absent.
    pub expires_at: Timestamp,
}

/// Whose sessions end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationTarget {
    /// All sessions of one identity, whatever the role.
    Identity(IdentityId),
    /// All sessions of one role, whoever took it on.
    Role(RoleName),
    /// All sessions there are.
    Everybody,
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

    /// Replaces everything about a pool if it still has the version that `pool` was read with.
    async fn replace_pool(&self, pool: &IdentityPool) -> Result<ReplaceOutcome, StoreError>;

    /// Deletes a pool with all its identities and their logins. `false` if there is no such pool.
    async fn delete_pool(&self, id: &IdentityPoolId) -> Result<bool, StoreError>;

    /// Keeps a new guest. `false` if there is no such pool.
    async fn add_guest(
        &self,
        pool_id: &IdentityPoolId,
        id: &IdentityId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The identity with this ID.
    async fn lookup_identity(&self, id: &IdentityId) -> Result<Option<Identity>, StoreError>;

    /// Finds, creates, links or merges the identity of verified logins, as [`linking::link`] decides.
    /// However many ask at once, no login ever has two identities, and exactly one asker hears of a change.
    ///
    /// [`linking::link`]: crate::records::linking::link
    async fn link_logins(&self, request: &LinkRequest) -> Result<LinkOutcome, StoreError>;

    /// Makes the identities of two developer users one, as [`linking::merge`](crate::records::linking::merge) decides.
    async fn merge_developer_users(&self, request: &MergeRequest) -> Result<LinkOutcome, StoreError>;

    /// Takes logins from an identity, all of them or none, as [`linking::unlink`](crate::records::linking::unlink) decides.
    async fn unlink(&self, request: &UnlinkRequest) -> Result<UnlinkOutcome, StoreError>;

    /// The identity that a login belongs to.
    async fn find_identity_by_login(
        &self,
        pool_id: &IdentityPoolId,
        login: &Login,
    ) -> Result<Option<IdentityId>, StoreError>;

    /// The logins of an identity in order. There are never more than
    /// [`MAX_LOGINS`](crate::records::linking::MAX_LOGINS).
    async fn list_logins(&self, identity_id: &IdentityId) -> Result<Vec<Login>, StoreError> {
        Ok(self.list_logins_of_each(slice::from_ref(identity_id)).await?.pop().unwrap_or_default())
    }

    /// The same of several identities, in the order in which they are named.
    async fn list_logins_of_each(&self, identity_ids: &[IdentityId]) -> Result<Vec<Vec<Login>>, StoreError>;

    /// Deletes identities and their logins. One that does not exist is passed over.
    async fn delete_identities(&self, ids: &[IdentityId]) -> Result<(), StoreError>;

    /// Identities of a pool in order of their IDs.
    async fn list_identities(
        &self,
        pool_id: &IdentityPoolId,
        hide_disabled: bool,
        page: Page<IdentityId>,
    ) -> Result<Vec<Identity>, StoreError>;

    /// A pool with everybody in it, as it lies at this moment.
    async fn snapshot_pool(&self, id: &IdentityPoolId) -> Result<Option<PoolSnapshot>, StoreError>;

    /// Keeps a pool with everybody in it, IDs and instants as they are brought; whoever looks meanwhile sees
    /// nothing of it. A pool of this ID that has no identities takes on the settings that are brought. One
    /// that has the same identities stays as it is, settings included; one that has others is an error.
    async fn import_pool(&self, import: PoolImport) -> Result<Imported, ImportError>;

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

    /// Ends all sessions of the target that rest on a token from until now, and says when that was. The instant is
    /// drawn within the change, when no other can come in between any more: drawn before, it would spare what was
    /// issued while the change waited for its turn. A later instant that was kept before stays.
    async fn revoke_sessions(
        &self,
        target: &RevocationTarget,
        clock: Arc<dyn Clock>,
    ) -> Result<Timestamp, StoreError>;

    /// What tokens and sessions of this identity in this role rest on, as it stands at this moment.
    async fn standing(&self, identity_id: &IdentityId, role: &RoleName) -> Result<Standing, StoreError>;

    /// Keeps a name that counts only once until `until`. Of all who ever come with it, one hears `true`; what
    /// is kept may be forgotten from `until` on.
    async fn use_once(&self, name: &str, until: Timestamp, now: Timestamp) -> Result<bool, StoreError>;

    /// Keeps the outcome of a login until its app redeems it. The caller drew its code at random; what has
    /// expired may be forgotten.
    async fn add_login_grant(&self, grant: &StoredLoginGrant, now: Timestamp) -> Result<(), StoreError>;

    /// Takes the outcome of a login away, so that of all who ever ask for it one gets it. An expired one is
    /// nobody's.
    async fn redeem_login_grant(
        &self,
        code_hash: &str,
        now: Timestamp,
    ) -> Result<Option<StoredLoginGrant>, StoreError>;

    /// Keeps one audit event.
    async fn add_audit_event(&self, event: &AuditEvent) -> Result<(), StoreError> {
        self.add_audit_events(slice::from_ref(event)).await
    }

    /// Keeps audit events in their order, all of them or none.
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// The newest events about an identity, an access key, a developer user or a request, newest first. Of two with the
    /// same time, the one kept later is the newer.
    async fn list_audit_events(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError>;

    /// Keeps refusals of people who proved nothing, apart from the audit events, in the place of the oldest of
    /// [`MAX_UNPROVED_REFUSALS`]. Of several that are brought at once, the last are the newest.
    async fn add_unproved_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// Those that are left, the one kept last first.
    async fn list_unproved_refusals(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError>;

    /// Answers if the store can do its work: what `/readyz` asks.
    async fn ping(&self) -> Result<(), StoreError>;
}
