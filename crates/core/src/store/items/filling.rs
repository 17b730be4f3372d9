//! A store over an engine that is being filled with everything of another one. Each commit rests on the item that says so: of two
//! copies at once one goes on, and what comes late of one that was cut off changes nothing any more.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::attempts::Decided;
use super::engine::{Change, Effect, Guard, Item, Key, MAX_CHANGES};
use super::incarnation::Incarnation;
use super::records::{
    AccessKeyRecord, ConfiguredRecord, DeveloperRecord, DeviceRecord, ExportRecord, GrantRecord,
    IdentityRecord, ListedRecord, LoginRecord, MasterKeysRecord, Millis, PoolRecord, RevocationRecord,
    SessionRecord, SigningKeyPart, SigningKeysRecord, UsedRecord,
};
use super::sessions::{listed, listing_of};
use super::whole::is_taken_by;
use super::{Found, ItemStore, Record, keys};
use crate::ground::clock::Timestamp;
use crate::ground::ids::IdentityPoolId;
use crate::records::audit_event::AuditEvent;
use crate::records::identity_record::IdentityRecord as Whom;
use crate::records::sign_in_session::SignInSession;
use crate::store::whole::{CopyError, Filling, Kept, KeptPages, Whole};
use crate::store::{AnnouncedMasterKey, StoreError, StoredAccessKey, StoredSigningKey};

/// About so many bytes are committed at once: DynamoDB takes four million.
const MAX_BYTES: usize = 1 << 20;

/// As many items are looked through at once.
const AT_ONCE: usize = 500;

/// Which store is being copied into this one, and which attempt at it this is.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CopyingRecord {
    from: String,
    by: String,
    /// Whether everything is there. It stays: one that was put late must not say that a store in use is half a copy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    done: bool,
}

impl Record for CopyingRecord {}

/// A store that is being filled.
pub struct ItemFilling {
    store: Arc<ItemStore>,
    /// This attempt.
    by: String,
}

impl ItemStore {
    /// Of which store a copy was begun here that is not complete: nobody may be served from it.
    ///
    /// # Errors
    /// The engine's.
    pub async fn unfinished_copy(&self) -> Result<Option<String>, StoreError> {
        let found: Found<CopyingRecord> = self.read(keys::copying()).await?;
        Ok(found.record.filter(|record| !record.done).map(|record| record.from))
    }

    /// What is in it already, if anything is.
    async fn taken_by(&self) -> Result<Option<&'static str>, StoreError> {
        let mut after = None;
        loop {
            let items = self.scan(after.as_ref(), AT_ONCE).await?;
            let Some(last) = items.last() else { return Ok(None) };
            if let Some(what) = items.iter().find_map(is_taken_by) {
                return Ok(Some(what));
            }
            after = Some(last.key.clone());
        }
    }
}

impl ItemFilling {
    /// Whoever is to fill a store.
    #[must_use]
    pub fn of(store: Arc<ItemStore>) -> Self {
        let by = store.draw_incarnation().to_string();
        Self { store, by }
    }

    /// Commits changes, if it is still this attempt that fills the store.
    async fn fill<F, A>(&self, changes: F) -> Result<(), CopyError>
    where
        F: Fn() -> A + Send + Sync,
        A: Future<Output = Result<Vec<Change>, StoreError>> + Send,
    {
        let filled = self.store.ask(|| async {
            let mark: Found<CopyingRecord> = self.store.read(keys::copying()).await?;
            if mark.record.as_ref().is_none_or(|record| record.by != self.by) {
                return Ok(Decided::Answer(false));
            }
            let mut changes = changes().await?;
            if changes.is_empty() {
                return Ok(Decided::Answer(true));
            }
            changes.push(mark.look());
            Ok(Decided::change(changes, true))
        });
        if filled.await? { Ok(()) } else { Err(CopyError::Displaced) }
    }

    async fn fill_with(&self, changes: Vec<Change>) -> Result<(), CopyError> {
        self.fill(|| async { Ok(changes.clone()) }).await
    }

    /// Says that a copy of a store begins. Answers whether one was begun before.
    async fn mark(&self, from: &str) -> Result<bool, CopyError> {
        let mark: Found<CopyingRecord> = self.store.read(keys::copying()).await?;
        let begun = mark.record.as_ref().filter(|record| !record.done);
        match begun {
            Some(record) if record.from != from => return Err(CopyError::OfAnother(record.from.clone())),
            Some(_) => {}
            None => self.ensure_empty().await?,
        }
        let ours = CopyingRecord { from: from.to_owned(), by: self.by.clone(), done: false };
        let marked = self.store.ask(|| async {
            let now: Found<CopyingRecord> = self.store.read(keys::copying()).await?;
            if now.guard != mark.guard {
                return Ok(Decided::Answer(now.record.is_some_and(|record| record.by == self.by)));
            }
            Ok(Decided::change(vec![now.put(&ours)?], true))
        });
        if marked.await? { Ok(begun.is_some()) } else { Err(CopyError::Displaced) }
    }

    async fn ensure_empty(&self) -> Result<(), CopyError> {
        self.store.taken_by().await?.map_or(Ok(()), |what| Err(CopyError::Taken(what)))
    }

    /// Takes away what an earlier attempt left.
    async fn clear(&self) -> Result<(), CopyError> {
        let mut after = None;
        loop {
            let items = self.store.scan(after.as_ref(), AT_ONCE).await?;
            let Some(last) = items.last() else { return Ok(()) };
            after = Some(last.key.clone());
            let ours = items.iter().filter(|item| is_taken_by(item).is_some());
            let changes: Vec<Change> = ours.map(deletion).collect();
            for some in changes.chunks(MAX_CHANGES - 1) {
                self.fill_with(some.to_vec()).await?;
            }
        }
    }

    async fn take_access_key(&self, key: &StoredAccessKey) -> Result<(), CopyError> {
        self.fill(|| async {
            let developer: Found<DeveloperRecord> =
                self.store.read(keys::developer(key.name.as_str())).await?;
            let new = DeveloperRecord { policy: key.policy.clone(), keys: Vec::new() };
            let mut record = developer.record.clone().unwrap_or(new);
            record.keys.retain(|kept| kept.id != key.id);
            record.add(key);
            let leads_there = AccessKeyRecord { name: key.name.clone() };
            Ok(vec![developer.put(&record)?, put(keys::access_key(&key.id), &leads_there)?])
        })
        .await
    }

    async fn take_signing_key(&self, key: &StoredSigningKey) -> Result<(), CopyError> {
        self.fill(|| async {
            let found: Found<SigningKeysRecord> = self.store.read(keys::signing_keys()).await?;
            let mut record = found.record.clone().unwrap_or_default();
            record.keys.retain(|kept| kept.key_id != key.key_id);
            record.keys.push(SigningKeyPart::from(key));
            Ok(vec![found.put(&record)?])
        })
        .await
    }

    async fn take_master_key(&self, key: &AnnouncedMasterKey) -> Result<(), CopyError> {
        let name = key.id.to_string();
        self.fill(|| async {
            let found: Found<MasterKeysRecord> = self.store.read(keys::master_keys()).await?;
            let mut record = found.record.clone().unwrap_or_default();
            record.keys.retain(|(kept, _)| *kept != name);
            record.keys.push((name.clone(), Millis(key.since)));
            record.keys.sort_by_key(|(_, since)| std::cmp::Reverse(*since));
            Ok(vec![found.put(&record)?])
        })
        .await
    }

    async fn take_refusal(&self, place: u64, event: &AuditEvent) -> Result<(), CopyError> {
        self.fill(|| self.store.refusal_in_place(place, event)).await
    }

    /// What it takes to keep something that is in items of its own.
    fn changes(&self, kept: &Kept) -> Result<Vec<Change>, StoreError> {
        let shards = self.store.engine.shards();
        Ok(match kept {
            Kept::Pool(pool) => {
                vec![put(keys::pool(&pool.id), &PoolRecord::new(Incarnation::in_copy(&pool.id), pool))?]
            }
            Kept::ConfiguredName { name, pool_id } => {
                vec![put(keys::configured(name), &leads_to(pool_id))?]
            }
            Kept::Identity(whom) => changes_of_identity(whom, shards)?,
            Kept::Revocation { target, not_before } => {
                let not_before = Millis::not_before(*not_before);
                vec![put(keys::revocation(target), &RevocationRecord { not_before })?]
            }
            Kept::Session(session) => changes_of_session(session, shards)?,
            Kept::DeviceAuthorization(it) => {
                vec![put(keys::device_authorization(&it.id), &DeviceRecord::from(&**it))?]
            }
            Kept::LoginGrant(grant) => {
                vec![put(keys::login_grant(&grant.code_hash), &GrantRecord::from(grant))?]
            }
            Kept::UsedName { name, until } => vec![put(keys::used_once(name), &used(name, *until))?],
            Kept::ExportPosition { exporter, position } => {
                vec![put(keys::export(exporter), &ExportRecord::new(exporter, position))?]
            }
            Kept::AccessKey(_) | Kept::SigningKey(_) | Kept::MasterKey(_) | Kept::Refusal { .. } => {
                Vec::new()
            }
        })
    }

    /// Those that are in an item with others.
    async fn take_beside_others(&self, kept: &Kept) -> Result<(), CopyError> {
        match kept {
            Kept::AccessKey(key) => self.take_access_key(key).await,
            Kept::SigningKey(key) => self.take_signing_key(key).await,
            Kept::MasterKey(key) => self.take_master_key(key).await,
            Kept::Refusal { place, event } => self.take_refusal(*place, event).await,
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Whole for ItemFilling {
    async fn kept(&self, now: Timestamp) -> Result<Box<dyn KeptPages + '_>, CopyError> {
        self.store.kept(now).await
    }

    async fn first_line(&self) -> Result<Option<u64>, CopyError> {
        self.store.first_line().await
    }

    async fn lines_after(&self, line: u64) -> Result<Vec<u8>, CopyError> {
        self.store.lines_after(line).await
    }
}

#[async_trait]
impl Filling for ItemFilling {
    async fn begin(&self, from: &str) -> Result<(), CopyError> {
        if self.mark(from).await? {
            self.clear().await?;
        }
        self.store.remembered.forget_all();
        // Whoever opened the store before it was marked may have begun to write.
        self.ensure_empty().await
    }

    async fn take(&self, kept: Vec<Kept>) -> Result<(), CopyError> {
        let (mut waiting, mut bytes) = (Vec::new(), 0);
        for kept in &kept {
            self.take_beside_others(kept).await?;
            let changes = self.changes(kept)?;
            let more = changes.iter().map(size_of).sum::<usize>();
            if waiting.len() + changes.len() >= MAX_CHANGES || bytes + more > MAX_BYTES {
                self.fill_with(std::mem::take(&mut waiting)).await?;
                bytes = 0;
            }
            bytes += more;
            waiting.extend(changes);
        }
        self.fill_with(waiting).await
    }

    async fn take_lines(&self, lines: Vec<u8>) -> Result<(), CopyError> {
        for block in super::trail::blocks_of(&lines) {
            self.fill(|| self.store.next_block(block)).await?;
        }
        Ok(self.store.index_all().await?)
    }

    async fn finish(&self) -> Result<(), CopyError> {
        let finished = self.store.ask(|| async {
            let mark: Found<CopyingRecord> = self.store.read(keys::copying()).await?;
            let Some(record) = mark.record.clone().filter(|record| record.by == self.by) else {
                return Ok(Decided::Answer(false));
            };
            let done = CopyingRecord { done: true, ..record };
            Ok(Decided::change(vec![mark.put(&done)?], true))
        });
        if finished.await? { Ok(()) } else { Err(CopyError::Displaced) }
    }
}

/// A record in a place that nobody else writes to.
fn put<T: Record>(key: Key, record: &T) -> Result<Change, StoreError> {
    Found { key, guard: Guard::Any, record: None }.put(record)
}

fn deletion(item: &Item) -> Change {
    Change { key: item.key.clone(), guard: Guard::Any, effect: Effect::Delete }
}

fn size_of(change: &Change) -> usize {
    let content = match &change.effect {
        Effect::Put { content, .. } => content.len(),
        Effect::Delete | Effect::Nothing => 0,
    };
    change.key.partition.len() + change.key.sort.len() + content
}

fn leads_to(pool: &IdentityPoolId) -> ConfiguredRecord {
    ConfiguredRecord { pool: pool.clone(), incarnation: Incarnation::in_copy(pool) }
}

fn used(name: &str, until: Timestamp) -> UsedRecord {
    UsedRecord { name: Some(name.to_owned()), until: Millis::not_before(until) }
}

fn changes_of_identity(whom: &Whom, shards: u8) -> Result<Vec<Change>, StoreError> {
    let (id, incarnation) = (&whom.identity.id, Incarnation::in_copy(&whom.identity.pool_id));
    let mut changes = vec![
        put(keys::identity(id), &IdentityRecord::new(incarnation, &whom.identity, &whom.logins))?,
        put(keys::listed(incarnation, shards, id), &ListedRecord::FOR_GOOD)?,
    ];
    for login in &whom.logins {
        changes.push(put(keys::login(incarnation, login), &LoginRecord { identity: id.clone() })?);
    }
    Ok(changes)
}

fn changes_of_session(session: &SignInSession, shards: u8) -> Result<Vec<Change>, StoreError> {
    Ok(vec![
        put(keys::session(&session.id), &SessionRecord::from(session))?,
        put(listing_of(session), &listed(session))?,
        put(keys::sealed_session(&session.id, shards), &listed(session))?,
    ])
}
