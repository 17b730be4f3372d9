//! What a store keeps of identities and their logins.

use std::slice;

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, Login};
use crate::records::identity_record::IdentityRecord;
use crate::records::linking::{LinkRefusal, LinkRequest, MergeRequest, UnlinkRefusal, UnlinkRequest};
use crate::store::{Page, StoreError};

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

/// Identities and their logins.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Keeps a new guest. `false` if there is no such pool.
    async fn add_guest(
        &self,
        pool_id: &IdentityPoolId,
        id: &IdentityId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The identities with these IDs, in the order in which they are named.
    async fn lookup_identities(&self, ids: &[IdentityId]) -> Result<Vec<Option<Identity>>, StoreError>;

    /// The identity with this ID.
    async fn lookup_identity(&self, id: &IdentityId) -> Result<Option<Identity>, StoreError> {
        Ok(self.lookup_identities(slice::from_ref(id)).await?.pop().flatten())
    }

    /// The same with its logins, as both are at one moment. There are never more than
    /// [`MAX_LOGINS`](crate::records::limits::MAX_LOGINS).
    async fn lookup_identity_with_logins(
        &self,
        id: &IdentityId,
    ) -> Result<Option<IdentityRecord>, StoreError>;

    /// Finds, creates, links or merges the identity of verified logins, as [`linking::link`] decides.
    /// However many ask at once, no login ever has two identities, and exactly one asker hears of a change.
    ///
    /// [`linking::link`]: crate::records::linking::link
    async fn link_logins(&self, request: &LinkRequest) -> Result<LinkOutcome, StoreError>;

    /// Makes the identities of two developer users one, as [`linking::merge`](crate::records::linking::merge) decides.
    async fn merge_developer_users(&self, request: &MergeRequest) -> Result<LinkOutcome, StoreError>;

    /// Takes logins from an identity, all of them or none, as [`linking::unlink`](crate::records::linking::unlink) decides.
    async fn unlink(&self, request: &UnlinkRequest) -> Result<UnlinkOutcome, StoreError>;

    /// The identity that a login belongs to, which is no one's that has ended, with all its logins, as they are at one moment.
    async fn find_identity_by_login(
        &self,
        pool_id: &IdentityPoolId,
        login: &Login,
    ) -> Result<Option<IdentityRecord>, StoreError>;

    /// Deletes identities and their logins, all of them or none. One that does not exist is passed over.
    async fn delete_identities(&self, ids: &[IdentityId]) -> Result<(), StoreError>;

    /// Deletes one.
    async fn delete_identity(&self, id: &IdentityId) -> Result<(), StoreError> {
        self.delete_identities(slice::from_ref(id)).await
    }

    /// Identities of a pool, each with its logins, in an order of their IDs that stays the same. It is that of their texts, if all name one
    /// Region and have GUIDs as RFC 9562 writes them.
    async fn list_identities(
        &self,
        pool_id: &IdentityPoolId,
        hide_disabled: bool,
        page: Page<IdentityId>,
    ) -> Result<Vec<IdentityRecord>, StoreError>;
}
