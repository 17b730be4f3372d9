//! Keys in memory.

use async_trait::async_trait;

use super::{MemoryStore, Records, refuse_if};
use crate::ground::ids::{AccessKeyId, UserName};
use crate::store::{
    AccessKeyOutcome, Keys, MAX_ENABLED_ACCESS_KEYS, StoreError, StoredAccessKey, StoredSigningKey,
};

#[async_trait]
impl Keys for MemoryStore {
    async fn add_signing_key(
        &self,
        key: &StoredSigningKey,
        seen: &[String],
    ) -> Result<Vec<StoredSigningKey>, StoreError> {
        let keys = &mut self.records()?.signing_keys;
        let stands_in_the_way = |other: &StoredSigningKey| {
            other.key_id == key.key_id || (other.algorithm == key.algorithm && !seen.contains(&other.key_id))
        };
        if !keys.iter().any(stands_in_the_way) {
            keys.push(key.clone());
            keys.sort_by(|a, b| (a.signs_from, &a.key_id).cmp(&(b.signs_from, &b.key_id)));
        }
        Ok(keys.clone())
    }

    async fn delete_signing_keys(&self, key_ids: &[String]) -> Result<(), StoreError> {
        self.records()?.signing_keys.retain(|key| !key_ids.contains(&key.key_id));
        Ok(())
    }

    async fn rehearse_signing_key(&self) -> Result<(), StoreError> {
        self.records().map(drop)
    }

    async fn list_signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError> {
        Ok(self.records()?.signing_keys.clone())
    }

    async fn find_or_add_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<StoredAccessKey, StoreError> {
        self.records()?.find_or_add_access_key(candidate)
    }

    async fn lookup_access_key(&self, id: &AccessKeyId) -> Result<Option<StoredAccessKey>, StoreError> {
        Ok(self.records()?.access_keys.iter().find(|key| key.id == *id).cloned())
    }

    async fn add_first_access_key(&self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError> {
        self.records()?.add_first_access_key(key)
    }

    async fn add_further_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<AccessKeyOutcome, StoreError> {
        self.records()?.add_further_access_key(candidate)
    }

    async fn list_access_keys(&self) -> Result<Vec<StoredAccessKey>, StoreError> {
        Ok(self.records()?.list_access_keys())
    }

    async fn set_access_key_enabled(
        &self,
        id: &AccessKeyId,
        enabled: bool,
    ) -> Result<AccessKeyOutcome, StoreError> {
        Ok(self.records()?.set_access_key_enabled(id, enabled))
    }

    async fn delete_access_key(&self, id: &AccessKeyId) -> Result<AccessKeyOutcome, StoreError> {
        Ok(self.records()?.delete_access_key(id))
    }
}

impl Records {
    pub(super) fn find_or_add_access_key(
        &mut self,
        candidate: &StoredAccessKey,
    ) -> Result<StoredAccessKey, StoreError> {
        let mut keys = self.list_access_keys().into_iter();
        match keys.find(|key| key.name == candidate.name && key.enabled) {
            Some(key) => Ok(key),
            None => self.add_access_key(candidate),
        }
    }

    /// The policy belongs to the name: whatever the candidate brings, it gets that of the others.
    pub(super) fn add_access_key(
        &mut self,
        candidate: &StoredAccessKey,
    ) -> Result<StoredAccessKey, StoreError> {
        refuse_if(self.access_keys.iter().any(|key| key.id == candidate.id), "the access key ID is taken")?;
        let policy = self.access_keys.iter().find(|key| key.name == candidate.name).map(|key| &key.policy);
        let key =
            StoredAccessKey { policy: policy.unwrap_or(&candidate.policy).clone(), ..candidate.clone() };
        self.access_keys.push(key.clone());
        Ok(key)
    }

    pub(super) fn add_first_access_key(
        &mut self,
        key: &StoredAccessKey,
    ) -> Result<AccessKeyOutcome, StoreError> {
        if self.access_keys.iter().any(|known| known.name == key.name) {
            return Ok(AccessKeyOutcome::NameTaken);
        }
        self.add_access_key(key).map(AccessKeyOutcome::Done)
    }

    pub(super) fn add_further_access_key(
        &mut self,
        key: &StoredAccessKey,
    ) -> Result<AccessKeyOutcome, StoreError> {
        if self.access_keys.iter().all(|known| known.name != key.name) {
            return Ok(AccessKeyOutcome::Unknown);
        }
        if self.enabled_access_keys(&key.name) >= MAX_ENABLED_ACCESS_KEYS {
            return Ok(AccessKeyOutcome::TooMany);
        }
        self.add_access_key(key).map(AccessKeyOutcome::Done)
    }

    pub(super) fn enabled_access_keys(&self, name: &UserName) -> usize {
        self.access_keys.iter().filter(|key| key.name == *name && key.enabled).count()
    }

    pub(super) fn list_access_keys(&self) -> Vec<StoredAccessKey> {
        let mut keys = self.access_keys.clone();
        keys.sort_by(|a, b| (&a.name, a.created_at, &a.id).cmp(&(&b.name, b.created_at, &b.id)));
        keys
    }

    pub(super) fn set_access_key_enabled(&mut self, id: &AccessKeyId, enabled: bool) -> AccessKeyOutcome {
        let Some(at) = self.access_keys.iter().position(|key| key.id == *id) else {
            return AccessKeyOutcome::Unknown;
        };
        let key = &self.access_keys[at];
        if enabled && !key.enabled && self.enabled_access_keys(&key.name) >= MAX_ENABLED_ACCESS_KEYS {
            return AccessKeyOutcome::TooMany;
        }
        self.access_keys[at].enabled = enabled;
        AccessKeyOutcome::Done(self.access_keys[at].clone())
    }

    pub(super) fn delete_access_key(&mut self, id: &AccessKeyId) -> AccessKeyOutcome {
        match self.access_keys.iter().position(|key| key.id == *id) {
            None => AccessKeyOutcome::Unknown,
            Some(at) if self.access_keys[at].enabled => AccessKeyOutcome::StillEnabled,
            Some(at) => AccessKeyOutcome::Done(self.access_keys.remove(at)),
        }
    }
}
