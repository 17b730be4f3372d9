//! Signing keys, all in one item, and the keys of a store in all.

use async_trait::async_trait;

use super::attempts::Decided;
use super::records::{Millis, SigningKeyPart, SigningKeysRecord, UsedRecord};
use super::{Found, ItemStore, keys};
use crate::ground::ids::AccessKeyId;
use crate::store::{AccessKeyOutcome, Keys, StoreError, StoredAccessKey, StoredSigningKey};

#[async_trait]
impl Keys for ItemStore {
    async fn add_signing_key(
        &self,
        key: &StoredSigningKey,
        seen: &[String],
    ) -> Result<Vec<StoredSigningKey>, StoreError> {
        self.ask(|| async {
            let found: Found<SigningKeysRecord> = self.read(keys::signing_keys()).await?;
            let mut record = found.record.clone().unwrap_or_default();
            let mut others = record.keys.iter().filter(|kept| kept.algorithm == key.algorithm);
            if others.any(|kept| !seen.contains(&kept.key_id)) {
                return Ok(Decided::Answer(record.keys()));
            }
            if record.keys.iter().all(|kept| kept.key_id != key.key_id) {
                record.keys.push(SigningKeyPart::from(key));
            }
            Ok(Decided::change(vec![found.put(&record)?], record.keys()))
        })
        .await
    }

    async fn rehearse_signing_key(&self) -> Result<(), StoreError> {
        let until = Millis(self.clock.now());
        self.ask(|| async {
            let found: Found<UsedRecord> = self.read(keys::rehearsal()).await?;
            Ok(Decided::change(vec![found.put(&UsedRecord { name: None, until })?], ()))
        })
        .await?;
        self.ask(|| async {
            let found: Found<UsedRecord> = self.read(keys::rehearsal()).await?;
            Ok(if found.is_there() { Decided::change(vec![found.delete()], ()) } else { Decided::Answer(()) })
        })
        .await
    }

    async fn list_signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError> {
        let found: Found<SigningKeysRecord> = self.read(keys::signing_keys()).await?;
        Ok(found.record.unwrap_or_default().keys())
    }

    async fn delete_signing_keys(&self, key_ids: &[String]) -> Result<(), StoreError> {
        self.ask(|| async {
            let found: Found<SigningKeysRecord> = self.read(keys::signing_keys()).await?;
            let Some(mut record) = found.record.clone() else { return Ok(Decided::Answer(())) };
            record.keys.retain(|key| !key_ids.contains(&key.key_id));
            Ok(Decided::change(vec![found.put(&record)?], ()))
        })
        .await
    }

    async fn find_or_add_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<StoredAccessKey, StoreError> {
        self.find_or_add_key(candidate).await
    }

    async fn lookup_access_key(&self, id: &AccessKeyId) -> Result<Option<StoredAccessKey>, StoreError> {
        self.find_key(id).await
    }

    async fn add_first_access_key(&self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError> {
        self.add_first_key(key).await
    }

    async fn add_further_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<AccessKeyOutcome, StoreError> {
        self.add_further_key(candidate).await
    }

    async fn list_access_keys(&self) -> Result<Vec<StoredAccessKey>, StoreError> {
        self.list_keys().await
    }

    async fn set_access_key_enabled(
        &self,
        id: &AccessKeyId,
        enabled: bool,
    ) -> Result<AccessKeyOutcome, StoreError> {
        self.set_key_enabled(id, enabled).await
    }

    async fn delete_access_key(&self, id: &AccessKeyId) -> Result<AccessKeyOutcome, StoreError> {
        self.delete_key(id).await
    }
}
