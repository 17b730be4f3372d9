//! Everything that is in a store over an engine, item by item. What only leads somewhere, or waits to go, is not among it. An item
//! of a kind that is not known is an error: nothing stays behind unnoticed.

use async_trait::async_trait;
use futures::future::try_join_all;

use super::engine::{Item, Key};
use super::exports::position;
use super::pools::{corrupt, text};
use super::records::{
    ConfiguredRecord, DeveloperRecord, DeviceRecord, ExportRecord, GrantRecord, IdentityRecord, PoolRecord,
    RevocationRecord, SessionRecord, SigningKeysRecord, UsedRecord,
};
use super::{Found, ItemStore, keys, said};
use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId, RoleName, SignInSessionId, UserName};
use crate::store::whole::{CopyError, Kept, KeptPages, Whole};
use crate::store::{RevocationTarget, Seals, StoreError, StoredLoginGrant, packed};

/// As many items are read at once, and so many at a time are looked at whose identities are read as well.
const AT_ONCE: usize = 500;
const BESIDE_EACH_OTHER: usize = 16;

/// What the partitions of items begin with that lead to others, or are of no use to anybody elsewhere. The trail is read line by
/// line, and refusals in their order.
const PASSED_OVER: [&[u8]; 19] = [
    b"a",
    b"about",
    b"copying",
    b"dead",
    b"import",
    b"j",
    b"journal",
    b"l",
    b"p",
    b"receipt",
    b"refusal",
    b"refusals",
    b"rehearsal",
    b"sealed",
    b"touched",
    b"trail",
    b"trail-head",
    b"trail-indexed",
    b"trail-section",
];

#[async_trait]
impl Whole for ItemStore {
    async fn kept(&self, now: Timestamp) -> Result<Box<dyn KeptPages + '_>, CopyError> {
        Ok(Box::new(Scan { store: self, now, next: Next::Items(None) }))
    }

    async fn first_line(&self) -> Result<Option<u64>, CopyError> {
        self.first_line_of_trail().await
    }

    async fn lines_after(&self, line: u64) -> Result<Vec<u8>, CopyError> {
        Ok(self.lines_behind(line).await?)
    }
}

/// Where a scan goes on.
enum Next {
    /// Behind this item.
    Items(Option<Key>),
    Refusals,
    Nothing,
}

struct Scan<'a> {
    store: &'a ItemStore,
    now: Timestamp,
    next: Next,
}

#[async_trait]
impl KeptPages for Scan<'_> {
    async fn next(&mut self) -> Result<Vec<Kept>, CopyError> {
        loop {
            let page = match &self.next {
                Next::Items(after) => {
                    let items = self.store.scan(after.as_ref(), AT_ONCE).await?;
                    self.next =
                        items.last().map_or(Next::Refusals, |last| Next::Items(Some(last.key.clone())));
                    self.kept_in(items).await?
                }
                Next::Refusals => {
                    self.next = Next::Nothing;
                    self.store.all_refusals().await?
                }
                Next::Nothing => return Ok(Vec::new()),
            };
            if !page.is_empty() {
                return Ok(page);
            }
        }
    }
}

impl Scan<'_> {
    async fn kept_in(&self, items: Vec<Item>) -> Result<Vec<Kept>, CopyError> {
        let is_over = |item: &&Item| item.forgotten_at.is_some_and(|forgotten_at| forgotten_at <= self.now);
        let items: Vec<&Item> = items.iter().filter(|item| !is_over(item)).collect();
        let mut kept = Vec::new();
        for some in items.chunks(BESIDE_EACH_OTHER) {
            let found = try_join_all(some.iter().map(|item| self.store.kept_by(item))).await?;
            kept.extend(found.into_iter().flatten());
        }
        Ok(kept)
    }
}

impl ItemStore {
    pub(super) async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, StoreError> {
        self.patiently(|| self.engine.scan(after, limit)).await
    }

    /// What an item says.
    async fn kept_by(&self, item: &Item) -> Result<Vec<Kept>, CopyError> {
        let (kind, name) = kind_of(&item.key.partition);
        Ok(match kind {
            b"pool" => {
                let id = IdentityPoolId::parse(text(item.key.sort.clone())?).map_err(corrupt)?;
                vec![Kept::Pool(Box::new(said::<PoolRecord>(&item.content)?.pool(id)))]
            }
            b"configured" => self.kept_name(item).await?.into_iter().collect(),
            b"i" => self.kept_identity(name, item).await?.into_iter().collect(),
            b"developer" => {
                let name = UserName::parse(text(item.key.sort.clone())?).map_err(corrupt)?;
                let keys = said::<DeveloperRecord>(&item.content)?.keys(&name);
                keys.into_iter().map(|key| Kept::AccessKey(Box::new(key))).collect()
            }
            b"keys" => {
                said::<SigningKeysRecord>(&item.content)?.keys().into_iter().map(Kept::SigningKey).collect()
            }
            b"master" => self.list_master_keys().await?.into_iter().map(Kept::MasterKey).collect(),
            b"revoked" | b"revoked-identity" | b"revoked-role" => vec![revocation(kind, name, item)?],
            b"s" => self.kept_session(name, item).await?.into_iter().collect(),
            b"device" | b"grant" | b"once" | b"export" => vec![named(kind, item)?],
            kind if PASSED_OVER.contains(&kind) => Vec::new(),
            _ => Err(StoreError::Corrupt("it has an item of a kind that this Daypass does not know".into()))?,
        })
    }

    async fn kept_name(&self, item: &Item) -> Result<Option<Kept>, CopyError> {
        let pool = self.led_to(Some(&said::<ConfiguredRecord>(&item.content)?)).await?;
        let name = text(item.key.sort.clone())?;
        Ok(pool.map(|pool| Kept::ConfiguredName { name, pool_id: pool.id }))
    }

    async fn kept_identity(&self, name: &[u8], item: &Item) -> Result<Option<Kept>, CopyError> {
        let id = IdentityId::parse(packed::unpacked(name).map_err(corrupt)?).map_err(corrupt)?;
        let found: Found<IdentityRecord> = Found::of(item.key.clone(), Some(item.clone()))?;
        let record = self.living(&found).await?;
        let whom = record.map(|record| record.with_logins(&id));
        Ok(whom.map(|whom| Kept::Identity(Box::new(whom))))
    }

    /// A session of somebody whose pool was deleted stands until that is purged. Elsewhere it would pass for one of somebody in a pool
    /// of Amazon's.
    async fn kept_session(&self, name: &[u8], item: &Item) -> Result<Option<Kept>, CopyError> {
        let id: [u8; SignInSessionId::LENGTH] = name.try_into().map_err(corrupt)?;
        let session = said::<SessionRecord>(&item.content)?.session(&SignInSessionId::of_bytes(id));
        let Some(session) = self.followed(session).await? else { return Ok(None) };
        let found: Found<IdentityRecord> = self.read(keys::identity(&session.identity_id)).await?;
        let is_of_nobody = found.is_there() && self.living(&found).await?.is_none();
        Ok((!is_of_nobody).then(|| Kept::Session(Box::new(session))))
    }

    /// In the order in which they were kept.
    async fn all_refusals(&self) -> Result<Vec<Kept>, CopyError> {
        let events = self.refusals().await?.into_iter();
        Ok((0..).zip(events).map(|(place, event)| Kept::Refusal { place, event: Box::new(event) }).collect())
    }
}

/// What a partition begins with, and the rest.
fn kind_of(partition: &[u8]) -> (&[u8], &[u8]) {
    let end = partition.iter().position(|byte| *byte == b':');
    end.map_or((partition, &[]), |end| (&partition[..end], &partition[end + 1..]))
}

/// What is there that a copy would write over or leave beside its own, if an item is that.
pub(super) fn is_taken_by(item: &Item) -> Option<&'static str> {
    match kind_of(&item.key.partition).0 {
        b"copying" | b"receipt" | b"rehearsal" | b"touched" => None,
        b"pool" | b"configured" => Some("a pool"),
        b"i" | b"l" | b"p" => Some("an identity"),
        b"trail" | b"trail-head" | b"trail-indexed" | b"trail-section" | b"journal" | b"about" => {
            Some("an audit trail")
        }
        _ => Some("something"),
    }
}

fn revocation(kind: &[u8], name: &[u8], item: &Item) -> Result<Kept, CopyError> {
    let name = text(name.to_vec())?;
    let target = match kind {
        b"revoked-identity" => RevocationTarget::Identity(IdentityId::parse(name).map_err(corrupt)?),
        b"revoked-role" => RevocationTarget::Role(RoleName::parse(name).map_err(corrupt)?),
        _ => RevocationTarget::Everybody,
    };
    Ok(Kept::Revocation { target, not_before: said::<RevocationRecord>(&item.content)?.not_before.0 })
}

/// What is kept under the hash of its name.
fn named(kind: &[u8], item: &Item) -> Result<Kept, CopyError> {
    Ok(match kind {
        b"device" => {
            let record: DeviceRecord = said(&item.content)?;
            let id = record.id.as_ref().ok_or(CopyError::Unnamed("a device authorization"))?;
            Kept::DeviceAuthorization(Box::new(record.authorization(id)))
        }
        b"grant" => {
            let GrantRecord { code_hash, sealed, expires_at } = said(&item.content)?;
            let code_hash = code_hash.ok_or(CopyError::Unnamed("a login that waits for its app"))?;
            Kept::LoginGrant(StoredLoginGrant { code_hash, sealed: sealed.into(), expires_at: expires_at.0 })
        }
        b"once" => {
            let UsedRecord { name, until } = said(&item.content)?;
            let name = name.ok_or(CopyError::Unnamed("a name that counts once"))?;
            Kept::UsedName { name, until: until.0 }
        }
        _ => {
            let record: ExportRecord = said(&item.content)?;
            let exporter =
                record.exporter.clone().ok_or(CopyError::Unnamed("the position of an exporter"))?;
            Kept::ExportPosition { exporter, position: position(record) }
        }
    })
}
