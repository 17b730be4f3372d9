//! Sealed values in memory.

use async_trait::async_trait;

use super::{MemoryStore, Records};
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::seal::{MasterKeyId, Sealed};
use crate::store::{AnnouncedMasterKey, Page, Resealing, SealedItem, SealedValue, Seals, StoreError};

#[async_trait]
impl Seals for MemoryStore {
    async fn list_sealed(&self, page: Page<SealedItem>) -> Result<Vec<SealedValue>, StoreError> {
        let mut values = self.records()?.sealed();
        values.sort_by(|a, b| a.item.cmp(&b.item));
        let after = values.into_iter().filter(|value| Some(&value.item) > page.after.as_ref());
        Ok(after.take(page.limit).collect())
    }

    async fn reseal(&self, changes: &[Resealing]) -> Result<usize, StoreError> {
        let mut records = self.records()?;
        let mut done = 0;
        for Resealing { from, to } in changes {
            if let Some(kept) = records.sealed_mut(&from.item).filter(|kept| **kept == from.sealed) {
                kept.clone_from(to);
                done += 1;
            }
        }
        Ok(done)
    }

    async fn announce_master_key(&self, id: MasterKeyId, now: Timestamp) -> Result<(), StoreError> {
        let keys = &mut self.records()?.master_keys;
        let last = keys.first().copied();
        if last.is_none_or(|last| last.id != id) {
            let since = last.map_or(now, |last| now.max(last.since + SignedDuration::from_millis(1)));
            keys.retain(|key| key.id != id);
            keys.insert(0, AnnouncedMasterKey { id, since });
        }
        Ok(())
    }

    async fn list_master_keys(&self) -> Result<Vec<AnnouncedMasterKey>, StoreError> {
        Ok(self.records()?.master_keys.clone())
    }
}

impl Records {
    fn sealed(&self) -> Vec<SealedValue> {
        let value = |item, sealed: &Sealed| SealedValue { item, sealed: sealed.clone() };
        let signing_keys = self.signing_keys.iter();
        let signing_keys = signing_keys
            .map(|key| value(SealedItem::SigningKey(key.key_id.clone()), &key.sealed_private_key));
        let access_keys = self.access_keys.iter();
        let access_keys =
            access_keys.map(|key| value(SealedItem::AccessKey(key.id.clone()), &key.sealed_secret));
        let sessions = self.sign_in_sessions.values();
        let sessions = sessions.map(|it| value(SealedItem::SignInSession(it.id.clone()), &it.login));
        signing_keys.chain(access_keys).chain(sessions).collect()
    }

    fn sealed_mut(&mut self, item: &SealedItem) -> Option<&mut Sealed> {
        match item {
            SealedItem::SigningKey(id) => {
                let key = self.signing_keys.iter_mut().find(|key| key.key_id == *id)?;
                Some(&mut key.sealed_private_key)
            }
            SealedItem::AccessKey(id) => {
                let key = self.access_keys.iter_mut().find(|key| key.id == *id)?;
                Some(&mut key.sealed_secret)
            }
            SealedItem::SignInSession(id) => Some(&mut self.sign_in_sessions.get_mut(id)?.login),
        }
    }
}
