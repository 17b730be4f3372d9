//! What a store keeps of pools.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::ground::ids::IdentityPoolId;
use crate::records::identity::IdentityPool;
use crate::store::transfer::{ImportError, Imported, PoolImport, PoolSnapshot};
use crate::store::{Cleared, Page, StoreError};

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

/// Identity pools, and whole pools that move.
#[async_trait]
pub trait Pools: Send + Sync {
    /// Keeps a new pool. The caller drew its ID at random.
    async fn add_pool(&self, pool: &IdentityPool) -> Result<(), StoreError>;

    /// The pool that the configuration names, created from `candidate` by whoever asks first. Everyone
    /// who asks with the same name gets the same pool, as it stands now.
    async fn find_or_add_configured_pool(
        &self,
        name: &str,
        candidate: &IdentityPool,
    ) -> Result<IdentityPool, StoreError>;

    /// The pools that configurations name, each under its name there. To ask makes none.
    async fn configured_pools(&self) -> Result<BTreeMap<String, IdentityPool>, StoreError>;

    /// The pool with this ID.
    async fn lookup_pool(&self, id: &IdentityPoolId) -> Result<Option<IdentityPool>, StoreError>;

    /// Pools in order of their IDs.
    async fn list_pools(&self, page: Page<IdentityPoolId>) -> Result<Vec<IdentityPool>, StoreError>;

    /// Replaces everything about a pool if it still has the version that `pool` was read with.
    async fn replace_pool(&self, pool: &IdentityPool) -> Result<ReplaceOutcome, StoreError>;

    /// Deletes a pool with all its identities and their logins. `false` if there is no such pool.
    ///
    /// That is one small change, however many they are: identities and logins belong to an *incarnation* of their pool,
    /// and the pool lets go of it. From then on they are as good as absent, and their IDs are free, also for the same pool
    /// if it comes back. What is left of them goes with [`purge_deleted_pools`](Self::purge_deleted_pools).
    async fn delete_pool(&self, id: &IdentityPoolId) -> Result<bool, StoreError>;

    /// Deletes some of what deleted pools left behind, `limit` records at most and 1 at least, and answers how many it was
    /// and whether there may be more. Nobody sees anything of it, however many do it at once, and it may end after any of them.
    async fn purge_deleted_pools(&self, limit: usize) -> Result<Cleared, StoreError>;

    /// A pool with everybody in it, as it lies at this moment.
    async fn snapshot_pool(&self, id: &IdentityPoolId) -> Result<Option<PoolSnapshot>, StoreError>;

    /// Keeps a pool with everybody in it, IDs and instants as they are brought; whoever looks meanwhile sees
    /// nothing of it. A pool of this ID that has no identities takes on the settings that are brought. One
    /// that has the same identities stays as it is, settings included; one that has others is an error.
    ///
    /// A store whose changes have a size keeps what is brought under an incarnation that is nobody's yet, and gives it to
    /// the pool in the end, by one change of the pool alone. What an import that is cut off leaves behind is purged.
    async fn import_pool(&self, import: PoolImport) -> Result<Imported, ImportError>;
}
