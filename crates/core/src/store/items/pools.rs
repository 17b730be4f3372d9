//! Pools and their incarnations.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::attempts::Decided;
use super::incarnation::Incarnation;
use super::records::{ConfiguredRecord, DeadRecord, IdentityRecord, Millis, PoolRecord};
use super::{Found, ItemStore, keys, put_new, refused};
use crate::ground::clock::SignedDuration;
use crate::ground::ids::IdentityPoolId;
use crate::records::identity::IdentityPool;
use crate::store::transfer::{ImportError, Imported, PoolImport, PoolSnapshot};
use crate::store::{Cleared, Page, Pools, ReplaceOutcome, StoreError};

/// As many pools, and names of configurations, are read at once.
const AT_ONCE: usize = 1_000;

/// So long somebody may come into an incarnation who had not heard yet that it is nobody's any more, at most.
const LATE: SignedDuration = SignedDuration::from_mins(10);

#[async_trait]
impl Pools for ItemStore {
    async fn add_pool(&self, pool: &IdentityPool) -> Result<(), StoreError> {
        let incarnation = self.draw_incarnation();
        self.ask(|| async {
            let found: Found<PoolRecord> = self.read(keys::pool(&pool.id)).await?;
            if found.record.is_some() {
                return Err(refused("the pool ID is taken"));
            }
            Ok(Decided::change_once(vec![found.put(&PoolRecord::new(incarnation, pool))?], ()))
        })
        .await
    }

    async fn find_or_add_configured_pool(
        &self,
        name: &str,
        candidate: &IdentityPool,
    ) -> Result<IdentityPool, StoreError> {
        let incarnation = self.draw_incarnation();
        self.ask(|| async {
            let configured: Found<ConfiguredRecord> = self.read(keys::configured(name)).await?;
            if let Some(pool) = self.led_to(configured.record.as_ref()).await? {
                return Ok(Decided::Answer(pool));
            }
            let place: Found<PoolRecord> = self.read(keys::pool(&candidate.id)).await?;
            if place.record.is_some() {
                return Err(refused("the pool ID is taken"));
            }
            let record = PoolRecord::new(incarnation, candidate);
            let leads_there = ConfiguredRecord { pool: candidate.id.clone(), incarnation };
            let changes = vec![place.put(&record)?, configured.put(&leads_there)?];
            Ok(Decided::change(changes, candidate.clone()))
        })
        .await
    }

    async fn configured_pools(&self) -> Result<BTreeMap<String, IdentityPool>, StoreError> {
        let mut pools = BTreeMap::new();
        for (name, found) in self.page::<ConfiguredRecord>(keys::CONFIGURED, None, AT_ONCE).await? {
            if let Some(pool) = self.led_to(found.record.as_ref()).await? {
                pools.insert(text(name)?, pool);
            }
        }
        Ok(pools)
    }

    async fn lookup_pool(&self, id: &IdentityPoolId) -> Result<Option<IdentityPool>, StoreError> {
        Ok(self.recall_pool(id).await?.map(|record| record.pool(id.clone())))
    }

    async fn list_pools(&self, page: Page<IdentityPoolId>) -> Result<Vec<IdentityPool>, StoreError> {
        let after = page.after.as_ref().map(|id| id.as_str().as_bytes());
        let found = self.page::<PoolRecord>(keys::POOLS, after, page.limit).await?;
        found
            .into_iter()
            .filter_map(|(id, found)| Some((id, found.record?)))
            .map(|(id, record)| Ok(record.pool(IdentityPoolId::parse(text(id)?).map_err(corrupt)?)))
            .collect()
    }

    async fn replace_pool(&self, pool: &IdentityPool) -> Result<ReplaceOutcome, StoreError> {
        self.ask(|| async {
            let found: Found<PoolRecord> = self.read(keys::pool(&pool.id)).await?;
            let Some(record) = &found.record else { return Ok(Decided::Answer(ReplaceOutcome::Unknown)) };
            if record.version != pool.version {
                return Ok(Decided::Answer(ReplaceOutcome::Stale));
            }
            let next = IdentityPool { version: pool.version + 1, ..pool.clone() };
            let change = found.put(&PoolRecord::new(record.incarnation, &next))?;
            Ok(Decided::change_once(vec![change], ReplaceOutcome::Replaced))
        })
        .await
    }

    async fn delete_pool(&self, id: &IdentityPoolId) -> Result<bool, StoreError> {
        self.ask(|| async {
            let found: Found<PoolRecord> = self.read(keys::pool(id)).await?;
            let Some(record) = &found.record else { return Ok(Decided::Answer(false)) };
            let dead = put_new(keys::dead(record.incarnation), &self.dead_now())?;
            Ok(Decided::change_once(vec![found.delete(), dead], true))
        })
        .await
    }

    async fn purge_deleted_pools(&self, limit: usize) -> Result<Cleared, StoreError> {
        self.purge(limit).await
    }

    async fn snapshot_pool(&self, id: &IdentityPoolId) -> Result<Option<PoolSnapshot>, StoreError> {
        self.snapshot(id).await
    }

    async fn import_pool(&self, import: PoolImport) -> Result<Imported, ImportError> {
        self.import(import).await
    }
}

impl ItemStore {
    /// The name of an incarnation that no pool has had.
    pub(super) fn draw_incarnation(&self) -> Incarnation {
        Incarnation::draw(&*self.random)
    }

    pub(super) async fn recall_pool(&self, id: &IdentityPoolId) -> Result<Option<PoolRecord>, StoreError> {
        Ok(self.recall(keys::pool(id)).await?.record)
    }

    /// The pool that a name of a configuration leads to.
    pub(super) async fn led_to(
        &self,
        configured: Option<&ConfiguredRecord>,
    ) -> Result<Option<IdentityPool>, StoreError> {
        let Some(ConfiguredRecord { pool, incarnation }) = configured else { return Ok(None) };
        let found: Found<PoolRecord> = self.read(keys::pool(pool)).await?;
        let living = found.record.filter(|record| record.incarnation == *incarnation);
        Ok(living.map(|record| record.pool(pool.clone())))
    }

    /// An identity, if it was not erased and its pool still has its incarnation.
    pub(super) async fn living(
        &self,
        found: &Found<IdentityRecord>,
    ) -> Result<Option<IdentityRecord>, StoreError> {
        let Some(record) = &found.record else { return Ok(None) };
        let pool = self.recall_pool(&record.pool).await?;
        let lives = pool.is_some_and(|pool| pool.incarnation == record.incarnation && !record.erased);
        Ok(lives.then(|| record.clone()))
    }

    /// An incarnation that is nobody's from now on.
    pub(super) fn dead_now(&self) -> DeadRecord {
        DeadRecord { left_from: Millis(self.clock.now()) }
    }

    /// A pool into which somebody new may come.
    pub(super) fn open_to_all(&self, pool: &PoolRecord) -> Result<(), StoreError> {
        if pool.is_closed_at(self.clock.now()) {
            return Err(refused("the pool is being imported, which takes a few seconds more"));
        }
        Ok(())
    }

    /// Deletes up to so many identities of incarnations that are no pool's any more.
    async fn purge(&self, limit: usize) -> Result<Cleared, StoreError> {
        let now = self.clock.now();
        let limit = limit.max(1);
        let mut left = limit;
        for (incarnation, dead) in self.page::<DeadRecord>(keys::DEAD, None, AT_ONCE).await? {
            let Some(Millis(left_from)) = dead.record.as_ref().map(|record| record.left_from) else {
                continue;
            };
            if now < left_from {
                continue;
            }
            let incarnation = Incarnation::try_from(text(incarnation)?).map_err(corrupt)?;
            left -= self.purge_incarnation(incarnation, left).await?;
            if left == 0 {
                return Ok(Cleared { records: limit as u64, more: true });
            }
            if now.duration_since(left_from) > LATE {
                self.delete_names_of(incarnation).await?;
                self.delete_if_there(&dead).await?;
            }
        }
        Ok(Cleared { records: (limit - left) as u64, more: left < limit })
    }

    /// Deletes names of a configuration that lead to an incarnation, which is no pool's any more.
    async fn delete_names_of(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        for (_, name) in self.page::<ConfiguredRecord>(keys::CONFIGURED, None, AT_ONCE).await? {
            self.ask(|| async {
                let found: Found<ConfiguredRecord> = self.read(name.key.clone()).await?;
                let leads_there =
                    found.record.as_ref().is_some_and(|record| record.incarnation == incarnation);
                let change = leads_there.then(|| found.delete());
                Ok(change.map_or(Decided::Answer(()), |change| Decided::change(vec![change], ())))
            })
            .await?;
        }
        Ok(())
    }

    /// Answers how many identities it found, up to the limit.
    async fn purge_incarnation(&self, incarnation: Incarnation, limit: usize) -> Result<usize, StoreError> {
        let ids = self.listed_ids(incarnation, None, limit).await?;
        for id in &ids {
            self.delete_identity_of(incarnation, id).await?;
        }
        Ok(ids.len())
    }

    async fn delete_if_there(&self, dead: &Found<DeadRecord>) -> Result<(), StoreError> {
        self.ask(|| async {
            let found: Found<DeadRecord> = self.read(dead.key.clone()).await?;
            let change = found.is_there().then(|| found.delete());
            Ok(change.map_or(Decided::Answer(()), |change| Decided::change(vec![change], ())))
        })
        .await
    }
}

pub(super) fn text(bytes: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(bytes).map_err(corrupt)
}

pub(super) fn corrupt(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Corrupt(Box::new(error))
}
