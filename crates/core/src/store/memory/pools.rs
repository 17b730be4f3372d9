//! Pools in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, Records, after, refuse_if};
use crate::ground::ids::IdentityPoolId;
use crate::records::identity::IdentityPool;
use crate::store::transfer::{ImportError, Imported, PoolImport, PoolSnapshot};
use crate::store::{Cleared, Page, Pools, ReplaceOutcome, StoreError};

#[async_trait]
impl Pools for MemoryStore {
    async fn add_pool(&self, pool: &IdentityPool) -> Result<(), StoreError> {
        self.records()?.add_pool(pool)
    }

    async fn find_or_add_configured_pool(
        &self,
        name: &str,
        candidate: &IdentityPool,
    ) -> Result<IdentityPool, StoreError> {
        let mut records = self.records()?;
        let found = records.configured_pools.get(name).and_then(|id| records.pools.get(id));
        if let Some(pool) = found {
            return Ok(pool.clone());
        }
        records.add_pool(candidate)?;
        records.configured_pools.insert(name.to_owned(), candidate.id.clone());
        Ok(candidate.clone())
    }

    async fn configured_pools(&self) -> Result<BTreeMap<String, IdentityPool>, StoreError> {
        let records = self.records()?;
        let named = records.configured_pools.iter();
        Ok(named.filter_map(|(name, id)| Some((name.clone(), records.pools.get(id)?.clone()))).collect())
    }

    async fn lookup_pool(&self, id: &IdentityPoolId) -> Result<Option<IdentityPool>, StoreError> {
        Ok(self.records()?.pools.get(id).cloned())
    }

    async fn list_pools(&self, page: Page<IdentityPoolId>) -> Result<Vec<IdentityPool>, StoreError> {
        let records = self.records()?;
        Ok(after(&records.pools, page.after).map(|(_, pool)| pool.clone()).take(page.limit).collect())
    }

    async fn replace_pool(&self, pool: &IdentityPool) -> Result<ReplaceOutcome, StoreError> {
        Ok(self.records()?.replace_pool(pool))
    }

    async fn delete_pool(&self, id: &IdentityPoolId) -> Result<bool, StoreError> {
        Ok(self.records()?.delete_pool(id))
    }

    /// A deletion here leaves nothing behind.
    async fn purge_deleted_pools(&self, _: usize) -> Result<Cleared, StoreError> {
        Ok(Cleared::default())
    }

    async fn snapshot_pool(&self, id: &IdentityPoolId) -> Result<Option<PoolSnapshot>, StoreError> {
        Ok(self.records()?.snapshot(id))
    }

    async fn import_pool(&self, import: PoolImport) -> Result<Imported, ImportError> {
        self.records()?.import(import)
    }
}

impl Records {
    pub(super) fn add_pool(&mut self, pool: &IdentityPool) -> Result<(), StoreError> {
        refuse_if(self.pools.contains_key(&pool.id), "the pool ID is taken")?;
        self.pools.insert(pool.id.clone(), pool.clone());
        Ok(())
    }

    pub(super) fn replace_pool(&mut self, pool: &IdentityPool) -> ReplaceOutcome {
        match self.pools.get_mut(&pool.id) {
            None => ReplaceOutcome::Unknown,
            Some(stored) if stored.version != pool.version => ReplaceOutcome::Stale,
            Some(stored) => {
                *stored = IdentityPool { version: pool.version + 1, ..pool.clone() };
                ReplaceOutcome::Replaced
            }
        }
    }

    pub(super) fn delete_pool(&mut self, id: &IdentityPoolId) -> bool {
        self.identities.retain(|_, identity| identity.pool_id != *id);
        self.logins.retain(|(pool_id, _), _| pool_id != id);
        self.configured_pools.retain(|_, pool_id| pool_id != id);
        self.pools.remove(id).is_some()
    }
}
