//! What counts once, in memory.

use async_trait::async_trait;

use super::{MemoryStore, refuse_if};
use crate::ground::clock::Timestamp;
use crate::store::{Once, StoreError, StoredLoginGrant};

#[async_trait]
impl Once for MemoryStore {
    fn counts_for_all(&self) -> bool {
        !self.is_unshared
    }

    async fn use_once(&self, name: &str, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.check_knows_all()?;
        let mut records = self.records()?;
        records.used_once.retain(|_, until| *until > now);
        let is_first = !records.used_once.contains_key(name);
        if is_first {
            records.used_once.insert(name.to_owned(), until);
        }
        Ok(is_first)
    }

    async fn add_login_grant(&self, grant: &StoredLoginGrant, now: Timestamp) -> Result<(), StoreError> {
        self.check_knows_all()?;
        let mut records = self.records()?;
        records.login_grants.retain(|_, grant| grant.expires_at > now);
        refuse_if(records.login_grants.contains_key(&grant.code_hash), "the code is taken")?;
        records.login_grants.insert(grant.code_hash.clone(), grant.clone());
        Ok(())
    }

    async fn redeem_login_grant(
        &self,
        code_hash: &str,
        now: Timestamp,
    ) -> Result<Option<StoredLoginGrant>, StoreError> {
        let grant = self.records()?.login_grants.remove(code_hash);
        Ok(grant.filter(|grant| grant.expires_at > now))
    }
}
