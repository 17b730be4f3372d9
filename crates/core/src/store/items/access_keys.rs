//! Developer access keys: a developer's item has them all, so that what is counted is one item.

use super::attempts::Decided;
use super::engine::Change;
use super::pools::{corrupt, text};
use super::records::{AccessKeyRecord, DeveloperRecord};
use super::{Found, ItemStore, keys, put_new, refused};
use crate::ground::ids::{AccessKeyId, UserName};
use crate::store::{AccessKeyOutcome, MAX_ENABLED_ACCESS_KEYS, StoreError, StoredAccessKey};

/// As many developers are read at once.
const AT_ONCE: usize = 1_000;

/// A developer and the key that was asked about.
struct Owned {
    developer: Found<DeveloperRecord>,
    record: DeveloperRecord,
    item: Found<AccessKeyRecord>,
    key: StoredAccessKey,
}

impl ItemStore {
    pub(super) async fn find_or_add_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<StoredAccessKey, StoreError> {
        self.ask(|| async {
            let developer: Found<DeveloperRecord> =
                self.read(keys::developer(candidate.name.as_str())).await?;
            let kept = developer.record.iter().flat_map(|record| record.keys(&candidate.name));
            if let Some(oldest) = kept.into_iter().find(|key| key.enabled) {
                return Ok(Decided::Answer(oldest));
            }
            let (changes, key) = add(&developer, candidate)?;
            Ok(Decided::change_once(changes, key))
        })
        .await
    }

    pub(super) async fn find_key(&self, id: &AccessKeyId) -> Result<Option<StoredAccessKey>, StoreError> {
        let item: Found<AccessKeyRecord> = self.recall(keys::access_key(id)).await?;
        let Some(AccessKeyRecord { name }) = item.record else { return Ok(None) };
        let developer: Found<DeveloperRecord> = self.recall(keys::developer(name.as_str())).await?;
        Ok(developer.record.and_then(|record| record.keys(&name).into_iter().find(|key| key.id == *id)))
    }

    pub(super) async fn add_first_key(&self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError> {
        self.ask(|| async {
            let developer: Found<DeveloperRecord> = self.read(keys::developer(key.name.as_str())).await?;
            if developer.is_there() {
                return Ok(Decided::Answer(AccessKeyOutcome::NameTaken));
            }
            let (changes, key) = add(&developer, key)?;
            Ok(Decided::change_once(changes, AccessKeyOutcome::Done(key)))
        })
        .await
    }

    pub(super) async fn add_further_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<AccessKeyOutcome, StoreError> {
        self.ask(|| async {
            let developer: Found<DeveloperRecord> =
                self.read(keys::developer(candidate.name.as_str())).await?;
            let Some(record) = &developer.record else {
                return Ok(Decided::Answer(AccessKeyOutcome::Unknown));
            };
            if !has_room(record) {
                return Ok(Decided::Answer(AccessKeyOutcome::TooMany));
            }
            let (changes, key) = add(&developer, candidate)?;
            Ok(Decided::change_once(changes, AccessKeyOutcome::Done(key)))
        })
        .await
    }

    pub(super) async fn list_keys(&self) -> Result<Vec<StoredAccessKey>, StoreError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.page::<DeveloperRecord>(keys::DEVELOPERS, after.as_deref(), AT_ONCE).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(last.clone());
            for (name, developer) in page {
                let name = UserName::parse(text(name)?).map_err(corrupt)?;
                all.extend(developer.record.iter().flat_map(|record| record.keys(&name)));
            }
        }
    }

    pub(super) async fn set_key_enabled(
        &self,
        id: &AccessKeyId,
        enabled: bool,
    ) -> Result<AccessKeyOutcome, StoreError> {
        self.ask(|| async {
            let Some(Owned { developer, mut record, key, .. }) = self.owned(id).await? else {
                return Ok(Decided::Answer(AccessKeyOutcome::Unknown));
            };
            if enabled && !key.enabled && !has_room(&record) {
                return Ok(Decided::Answer(AccessKeyOutcome::TooMany));
            }
            for part in record.keys.iter_mut().filter(|part| part.id == *id) {
                part.enabled = enabled;
            }
            let done = AccessKeyOutcome::Done(StoredAccessKey { enabled, ..key });
            Ok(Decided::change_once(vec![developer.put(&record)?], done))
        })
        .await
    }

    pub(super) async fn delete_key(&self, id: &AccessKeyId) -> Result<AccessKeyOutcome, StoreError> {
        self.ask(|| async {
            let Some(Owned { developer, mut record, item, key }) = self.owned(id).await? else {
                return Ok(Decided::Answer(AccessKeyOutcome::Unknown));
            };
            if key.enabled {
                return Ok(Decided::Answer(AccessKeyOutcome::StillEnabled));
            }
            record.keys.retain(|part| part.id != *id);
            let developer =
                if record.keys.is_empty() { developer.delete() } else { developer.put(&record)? };
            Ok(Decided::change_once(vec![developer, item.delete()], AccessKeyOutcome::Done(key)))
        })
        .await
    }

    /// A key and whose it is, as they were committed last.
    async fn owned(&self, id: &AccessKeyId) -> Result<Option<Owned>, StoreError> {
        let item: Found<AccessKeyRecord> = self.read(keys::access_key(id)).await?;
        let Some(AccessKeyRecord { name }) = &item.record else { return Ok(None) };
        let developer: Found<DeveloperRecord> = self.read(keys::developer(name.as_str())).await?;
        let Some(record) = developer.record.clone() else { return Ok(None) };
        let key = record.keys(name).into_iter().find(|key| key.id == *id);
        Ok(key.map(|key| Owned { developer, record, item, key }))
    }
}

/// Keeps a key, with the policy that its name has already, if it has one.
fn add(
    developer: &Found<DeveloperRecord>,
    key: &StoredAccessKey,
) -> Result<(Vec<Change>, StoredAccessKey), StoreError> {
    let new = || DeveloperRecord { policy: key.policy.clone(), keys: Vec::new() };
    let mut record = developer.record.clone().unwrap_or_else(new);
    record.add(key);
    let item = put_new(keys::access_key(&key.id), &AccessKeyRecord { name: key.name.clone() })?;
    let kept = record.keys(&key.name).into_iter().find(|kept| kept.id == key.id);
    let kept = kept.ok_or_else(|| refused("a key was not added"))?;
    Ok((vec![developer.put(&record)?, item], kept))
}

/// Whether one more key may be enabled.
fn has_room(record: &DeveloperRecord) -> bool {
    record.keys.iter().filter(|key| key.enabled).count() < MAX_ENABLED_ACCESS_KEYS
}
