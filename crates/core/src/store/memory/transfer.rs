//! Whole pools, out of memory and into it.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::Records;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{IdentityPool, Login};
use crate::records::identity_record::IdentityRecord;
use crate::store::StoreError;
use crate::store::transfer::{Checked, ImportError, Imported, PoolImport, PoolSnapshot, SnapshotPages};

impl Records {
    /// The identities of a pool and their logins, in order.
    pub(super) fn identity_records(&self, pool_id: &IdentityPoolId) -> Vec<IdentityRecord> {
        let mut logins: BTreeMap<&IdentityId, Vec<Login>> = BTreeMap::new();
        for ((of, login), owner) in &self.logins {
            if of == pool_id {
                logins.entry(owner).or_default().push(login.clone());
            }
        }
        let of_pool = self.identities.values().filter(|identity| identity.pool_id == *pool_id);
        of_pool
            .map(|identity| IdentityRecord {
                identity: identity.clone(),
                logins: logins.remove(&identity.id).unwrap_or_default(),
            })
            .collect()
    }

    pub(super) fn snapshot(&self, id: &IdentityPoolId) -> Option<PoolSnapshot> {
        let pool = self.pools.get(id)?.clone();
        let configured_as = self.configured_pools.iter().find(|(_, pool_id)| *pool_id == id);
        let identities = self.identity_records(id);
        Some(PoolSnapshot {
            pool,
            configured_as: configured_as.map(|(name, _)| name.clone()),
            identities: identities.len() as u64,
            pages: Box::new(Pages(identities.into_iter())),
        })
    }

    pub(super) fn import(&mut self, import: PoolImport) -> Result<Imported, ImportError> {
        let PoolImport { pool, configured_as, records } = import;
        let stored = self.identity_records(&pool.id);
        let changed = stored.is_empty();
        let brought = if changed { self.check_new(&pool.id, records)? } else { compare(&stored, records)? };
        let counts = (brought.len() as u64, brought.iter().map(|record| record.logins.len() as u64).sum());
        if changed {
            let version = self.pools.get(&pool.id).map_or(1, |stored| stored.version + 1);
            self.pools.insert(pool.id.clone(), IdentityPool { version, ..pool.clone() });
            for IdentityRecord { identity, logins } in brought {
                self.add_logins(&pool.id, logins, &identity.id);
                self.identities.insert(identity.id.clone(), identity);
            }
        }
        let leads_to = configured_as.map(|name| self.configured_pools.entry(name).or_insert(pool.id.clone()));
        let configured = leads_to.is_some_and(|id| *id == pool.id);
        Ok(Imported { identities: counts.0, logins: counts.1, changed, configured })
    }

    /// All that is brought, none of which is there yet.
    pub(super) fn check_new(
        &self,
        pool_id: &IdentityPoolId,
        records: Checked,
    ) -> Result<Vec<IdentityRecord>, ImportError> {
        let mut ids: BTreeMap<IdentityId, IdentityPoolId> = BTreeMap::new();
        let mut owners: BTreeMap<Login, IdentityId> = BTreeMap::new();
        let mut brought = Vec::new();
        for record in records {
            let record = record?;
            let id = record.identity.id.clone();
            let stored = self.identities.get(&id).map(|identity| &identity.pool_id);
            if let Some(pool_id) = stored.or(ids.get(&id)).cloned() {
                return Err(ImportError::IdentityTaken { id, pool_id });
            }
            ids.insert(id.clone(), pool_id.clone());
            for login in &record.logins {
                if let Some(owner) = owners.insert(login.clone(), id.clone()) {
                    return Err(ImportError::LoginTaken { id, owner });
                }
            }
            brought.push(record);
        }
        Ok(brought)
    }
}

/// All that is brought, if it is what is stored.
fn compare(stored: &[IdentityRecord], records: Checked) -> Result<Vec<IdentityRecord>, ImportError> {
    let mut brought = Vec::new();
    for record in records {
        let record = record?;
        if !stored.iter().any(|stored| record.is_same_as(stored)) {
            return Err(ImportError::Differs(record.identity.id));
        }
        brought.push(record);
    }
    match (stored.len() - brought.len().min(stored.len())) as u64 {
        0 => Ok(brought),
        more => Err(ImportError::HasMore(more)),
    }
}

/// What is left of a snapshot.
struct Pages(std::vec::IntoIter<IdentityRecord>);

#[async_trait]
impl SnapshotPages for Pages {
    async fn next(&mut self, limit: usize) -> Result<Vec<IdentityRecord>, StoreError> {
        Ok(self.0.by_ref().take(limit).collect())
    }
}
