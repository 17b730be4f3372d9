//! Sealed values, in the items of others.

use async_trait::async_trait;

use super::attempts::Decided;
use super::records::{
    AccessKeyRecord, Bytes, DeveloperRecord, MasterKeysRecord, Millis, SessionRecord, SigningKeysRecord,
};
use super::{Found, ItemStore, keys};
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::{AccessKeyId, SignInSessionId};
use crate::ground::seal::MasterKeyId;
use crate::store::{AnnouncedMasterKey, Keys, Page, Resealing, SealedItem, SealedValue, Seals, StoreError};

#[async_trait]
impl Seals for ItemStore {
    async fn list_sealed(&self, page: Page<SealedItem>) -> Result<Vec<SealedValue>, StoreError> {
        let after = page.after.as_ref();
        let mut values: Vec<SealedValue> = Vec::new();
        let secrets = self.list_access_keys().await?.into_iter();
        let secrets =
            secrets.map(|key| SealedValue { item: SealedItem::AccessKey(key.id), sealed: key.sealed_secret });
        values.extend(secrets.filter(|value| Some(&value.item) > after));
        values.sort_by(|a, b| a.item.cmp(&b.item));
        values.truncate(page.limit);
        if values.len() < page.limit {
            values.extend(self.sealed_sessions(after, page.limit - values.len()).await?);
        }
        let keys = self.list_signing_keys().await?.into_iter();
        let keys = keys.map(|key| SealedValue {
            item: SealedItem::SigningKey(key.key_id),
            sealed: key.sealed_private_key,
        });
        let mut keys: Vec<SealedValue> = keys.filter(|value| Some(&value.item) > after).collect();
        keys.sort_by(|a, b| a.item.cmp(&b.item));
        values.extend(keys);
        values.truncate(page.limit);
        Ok(values)
    }

    async fn reseal(&self, changes: &[Resealing]) -> Result<usize, StoreError> {
        let mut done = 0;
        for change in changes {
            let resealed = match &change.from.item {
                SealedItem::AccessKey(id) => self.reseal_secret(id, change).await?,
                SealedItem::SignInSession(id) => self.reseal_session(id, change).await?,
                SealedItem::SigningKey(id) => self.reseal_signing_key(id, change).await?,
            };
            done += usize::from(resealed);
        }
        Ok(done)
    }

    async fn announce_master_key(&self, id: MasterKeyId, now: Timestamp) -> Result<(), StoreError> {
        let name = id.to_string();
        self.ask(|| async {
            let found: Found<MasterKeysRecord> = self.read(keys::master_keys()).await?;
            let mut record = found.record.clone().unwrap_or_default();
            let last = record.keys.first();
            if last.is_some_and(|(last, _)| *last == name) {
                return Ok(Decided::Answer(()));
            }
            let since = last.map_or(now, |(_, since)| now.max(since.0 + SignedDuration::from_millis(1)));
            record.keys.retain(|(other, _)| *other != name);
            record.keys.insert(0, (name.clone(), Millis(since)));
            Ok(Decided::change(vec![found.put(&record)?], ()))
        })
        .await
    }

    async fn list_master_keys(&self) -> Result<Vec<AnnouncedMasterKey>, StoreError> {
        let found: Found<MasterKeysRecord> = self.read(keys::master_keys()).await?;
        let announced = found.record.unwrap_or_default().keys.into_iter();
        announced
            .map(|(name, Millis(since))| {
                let id = MasterKeyId::parse(&name)
                    .ok_or_else(|| StoreError::Corrupt("this is no ID of a master key".into()))?;
                Ok(AnnouncedMasterKey { id, since })
            })
            .collect()
    }
}

impl ItemStore {
    async fn sealed_sessions(
        &self,
        after: Option<&SealedItem>,
        limit: usize,
    ) -> Result<Vec<SealedValue>, StoreError> {
        let mut after = match after {
            Some(SealedItem::SignInSession(id)) => Some(id.clone()),
            Some(SealedItem::SigningKey(_)) => return Ok(Vec::new()),
            Some(SealedItem::AccessKey(_)) | None => None,
        };
        let mut values = Vec::new();
        while values.len() < limit {
            let ids = self.all_session_ids(after.as_ref(), limit).await?;
            let Some(last) = ids.last() else { break };
            after = Some(last.clone());
            let found: Vec<Found<SessionRecord>> =
                self.read_all(ids.iter().map(keys::session).collect()).await?;
            for (id, found) in ids.into_iter().zip(found) {
                let item = SealedItem::SignInSession(id);
                values.extend(found.record.map(|record| SealedValue { item, sealed: record.login.into() }));
            }
        }
        values.truncate(limit);
        Ok(values)
    }

    async fn reseal_secret(&self, id: &AccessKeyId, change: &Resealing) -> Result<bool, StoreError> {
        self.ask(|| async {
            let item: Found<AccessKeyRecord> = self.read(keys::access_key(id)).await?;
            let Some(AccessKeyRecord { name }) = item.record else { return Ok(Decided::Answer(false)) };
            let developer: Found<DeveloperRecord> = self.read(keys::developer(name.as_str())).await?;
            let Some(mut record) = developer.record.clone() else { return Ok(Decided::Answer(false)) };
            let key = record.keys.iter_mut().find(|key| key.id == *id);
            if !key.is_some_and(|key| exchange(&mut key.sealed_secret, change)) {
                return Ok(Decided::Answer(false));
            }
            Ok(Decided::change(vec![developer.put(&record)?], true))
        })
        .await
    }

    async fn reseal_session(&self, id: &SignInSessionId, change: &Resealing) -> Result<bool, StoreError> {
        self.ask(|| async {
            let found: Found<SessionRecord> = self.read(keys::session(id)).await?;
            let Some(mut record) = found.record.clone() else { return Ok(Decided::Answer(false)) };
            if !exchange(&mut record.login, change) {
                return Ok(Decided::Answer(false));
            }
            Ok(Decided::change(vec![found.put(&record)?], true))
        })
        .await
    }

    async fn reseal_signing_key(&self, id: &str, change: &Resealing) -> Result<bool, StoreError> {
        self.ask(|| async {
            let found: Found<SigningKeysRecord> = self.read(keys::signing_keys()).await?;
            let Some(mut record) = found.record.clone() else { return Ok(Decided::Answer(false)) };
            let key = record.keys.iter_mut().find(|key| key.key_id == id);
            if !key.is_some_and(|key| exchange(&mut key.sealed_private_key, change)) {
                return Ok(Decided::Answer(false));
            }
            Ok(Decided::change(vec![found.put(&record)?], true))
        })
        .await
    }
}

/// Puts the new seal in the place of the one that was read, if it still is that.
fn exchange(kept: &mut Bytes, change: &Resealing) -> bool {
    let is_it = *kept == Bytes::from(&change.from.sealed);
    if is_it {
        *kept = Bytes::from(&change.to);
    }
    is_it
}
