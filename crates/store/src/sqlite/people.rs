//! Pools, and the people in them: which questions are read and which are written.

use std::collections::BTreeMap;

use async_trait::async_trait;

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::{Identity, IdentityPool, Login};
use daypass_core::records::identity_record::IdentityRecord;
use daypass_core::records::linking::{LinkRequest, MergeRequest, UnlinkRequest};
use daypass_core::store::transfer::{ImportError, Imported, PoolImport, PoolSnapshot};
use daypass_core::store::{
    Cleared, Identities, LinkOutcome, Page, Pools, ReplaceOutcome, StoreError, UnlinkOutcome,
};

use super::{SqliteStore, identities, incarnations, logins, pools, transfer};

#[async_trait]
impl Pools for SqliteStore {
    async fn add_pool(&self, pool: &IdentityPool) -> Result<(), StoreError> {
        let pool = pool.clone();
        self.writer.write(move |connection| pools::add(connection, &pool)).await
    }

    async fn find_or_add_configured_pool(
        &self,
        name: &str,
        candidate: &IdentityPool,
    ) -> Result<IdentityPool, StoreError> {
        if let Some(pool) = self.readers.read(|connection| pools::find_configured(connection, name))? {
            return Ok(pool);
        }
        let (name, candidate) = (name.to_owned(), candidate.clone());
        self.writer
            .write(move |connection| pools::find_or_add_configured(connection, &name, &candidate))
            .await
    }

    async fn configured_pools(&self) -> Result<BTreeMap<String, IdentityPool>, StoreError> {
        self.readers.read(pools::list_configured)
    }

    async fn lookup_pool(&self, id: &IdentityPoolId) -> Result<Option<IdentityPool>, StoreError> {
        let read = || self.readers.read(|connection| pools::lookup(connection, id));
        self.remembered.pool(&self.readers, id, read)
    }

    async fn list_pools(&self, page: Page<IdentityPoolId>) -> Result<Vec<IdentityPool>, StoreError> {
        self.readers.read(|connection| pools::list(connection, &page))
    }

    async fn replace_pool(&self, pool: &IdentityPool) -> Result<ReplaceOutcome, StoreError> {
        let pool = pool.clone();
        self.writer.write(move |connection| pools::replace(connection, &pool)).await
    }

    async fn delete_pool(&self, id: &IdentityPoolId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.writer.write(move |connection| incarnations::end(connection, &id)).await
    }

    async fn purge_deleted_pools(&self, limit: usize) -> Result<Cleared, StoreError> {
        self.writer.write(move |connection| incarnations::purge(connection, limit)).await
    }

    async fn snapshot_pool(&self, id: &IdentityPoolId) -> Result<Option<PoolSnapshot>, StoreError> {
        let snapshot = transfer::snapshot(self.readers.open_another()?, self.file.clone(), id);
        snapshot.map_err(|error| self.file.failure(error).into())
    }

    async fn import_pool(&self, import: PoolImport) -> Result<Imported, ImportError> {
        let file = self.file.clone();
        let imported = tokio::task::spawn_blocking(move || transfer::import(&file, import)).await;
        imported.map_err(|panicked| StoreError::Unavailable(panicked.into()))?
    }
}

#[async_trait]
impl Identities for SqliteStore {
    async fn add_guest(
        &self,
        pool_id: &IdentityPoolId,
        id: &IdentityId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (pool_id, id) = (pool_id.clone(), id.clone());
        self.writer.write(move |connection| identities::add_guest(connection, &pool_id, &id, now)).await
    }

    async fn lookup_identities(&self, ids: &[IdentityId]) -> Result<Vec<Option<Identity>>, StoreError> {
        self.readers.read(|connection| identities::lookup_each(connection, ids))
    }

    async fn lookup_identity_with_logins(
        &self,
        id: &IdentityId,
    ) -> Result<Option<IdentityRecord>, StoreError> {
        self.readers.read(|connection| logins::lookup_with_logins(connection, id))
    }

    async fn link_logins(&self, request: &LinkRequest) -> Result<LinkOutcome, StoreError> {
        if let Some(known) = self.readers.read(|connection| logins::find_known(connection, request))? {
            return Ok(known);
        }
        let request = request.clone();
        self.writer.write(move |connection| logins::link(connection, &request)).await
    }

    async fn merge_developer_users(&self, request: &MergeRequest) -> Result<LinkOutcome, StoreError> {
        let request = request.clone();
        self.writer.write(move |connection| logins::merge(connection, &request)).await
    }

    async fn unlink(&self, request: &UnlinkRequest) -> Result<UnlinkOutcome, StoreError> {
        let request = request.clone();
        self.writer.write(move |connection| logins::unlink(connection, &request)).await
    }

    async fn find_identity_by_login(
        &self,
        pool_id: &IdentityPoolId,
        login: &Login,
    ) -> Result<Option<IdentityRecord>, StoreError> {
        self.readers.read(|connection| logins::find_with_logins(connection, pool_id, login))
    }

    async fn delete_identities(&self, ids: &[IdentityId]) -> Result<(), StoreError> {
        let ids = ids.to_vec();
        self.writer
            .write(move |connection| ids.iter().try_for_each(|id| identities::delete(connection, id)))
            .await
    }

    async fn list_identities(
        &self,
        pool_id: &IdentityPoolId,
        hide_disabled: bool,
        page: Page<IdentityId>,
    ) -> Result<Vec<IdentityRecord>, StoreError> {
        self.readers.read(|connection| logins::list_identities(connection, pool_id, hide_disabled, &page))
    }
}
