//! Whole pools on their way out of a store and into it. What is brought is written under an incarnation that is nobody's, and
//! given to the pool in the end, by one change. What an import leaves behind that is cut off is purged as if its pool had
//! been deleted.

use std::vec::IntoIter;

use async_trait::async_trait;

use super::attempts::Decided;
use super::engine::{Change, MAX_CHANGES};
use super::linked::new_login;
use super::pools::text;
use super::records::{
    ConfiguredRecord, DeadRecord, IdentityRecord, ListedRecord, LoginRecord, Millis, PoolRecord,
};
use super::{Found, ItemStore, keys, put_new, refused};
use crate::ground::clock::SignedDuration;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::IdentityPool;
use crate::store::StoreError;
use crate::store::transfer::{
    Checked, IdentityRecord as Brought, ImportError, Imported, PoolImport, PoolSnapshot, SnapshotPages,
};

/// As many identities are read at once.
const AT_ONCE: usize = 1_000;

/// So long nobody purges what an import has written that is not heard of, and so many identities later it says that it goes on.
const LEASE: SignedDuration = SignedDuration::from_hours(1);
const GOES_ON_AFTER: u64 = 1_000;
const TOOK_TOO_LONG: &str = "the import stood still for so long that what it wrote may have been purged";

impl ItemStore {
    /// All of it is read before it is handed out: each identity is whole, though two of them may have been read at two
    /// moments.
    pub(super) async fn snapshot(&self, id: &IdentityPoolId) -> Result<Option<PoolSnapshot>, StoreError> {
        let found: Found<PoolRecord> = self.read(keys::pool(id)).await?;
        let Some(record) = found.record else { return Ok(None) };
        let identities = self.all_of(&record.incarnation).await?;
        Ok(Some(PoolSnapshot {
            configured_as: self.configured_as(id, &record.incarnation).await?,
            pool: record.pool(id.clone()),
            identities: identities.len() as u64,
            pages: Box::new(Pages(identities.into_iter())),
        }))
    }

    /// The identities of an incarnation, in order.
    async fn all_of(&self, incarnation: &str) -> Result<Vec<Brought>, StoreError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let ids = self.listed_ids(incarnation, after.as_ref(), AT_ONCE).await?;
            let Some(last) = ids.last() else { return Ok(all) };
            after = Some(last.clone());
            let found: Vec<Found<IdentityRecord>> =
                self.read_all(ids.iter().map(keys::identity).collect()).await?;
            for (id, found) in ids.iter().zip(found) {
                let record = found.record.filter(|it| it.incarnation == incarnation && !it.erased);
                all.extend(record.map(|it| Brought { identity: it.identity(id), logins: it.logins() }));
            }
        }
    }

    async fn configured_as(
        &self,
        id: &IdentityPoolId,
        incarnation: &str,
    ) -> Result<Option<String>, StoreError> {
        for (name, found) in self.page::<ConfiguredRecord>(keys::CONFIGURED, None, AT_ONCE).await? {
            if found.record.is_some_and(|it| it.pool == *id && it.incarnation == incarnation) {
                return text(name).map(Some);
            }
        }
        Ok(None)
    }

    pub(super) async fn import(&self, import: PoolImport) -> Result<Imported, ImportError> {
        let PoolImport { pool, configured_as, records } = import;
        let there: Found<PoolRecord> = self.read(keys::pool(&pool.id)).await?;
        let stored = match &there.record {
            Some(record) => self.all_of(&record.incarnation).await?,
            None => Vec::new(),
        };
        let changed = stored.is_empty();
        let (identities, logins) = if changed {
            let counts = self.bring(&pool, &there, records).await?;
            self.remembered.forget_all();
            counts
        } else {
            compare(stored, records)?
        };
        let configured = match configured_as {
            Some(name) => self.configure(&name, &pool.id).await?,
            None => false,
        };
        Ok(Imported { identities, logins, changed, configured })
    }

    /// Writes all that is brought under an incarnation of its own, and gives that to the pool.
    async fn bring(
        &self,
        pool: &IdentityPool,
        there: &Found<PoolRecord>,
        records: Checked,
    ) -> Result<(u64, u64), ImportError> {
        let incarnation = self.draw_incarnation();
        // Until the pool has it, whatever is written of it is to be purged, though not while it is being written.
        self.go_on_importing(&incarnation, true).await?;
        let counts = self.bring_all(&incarnation, records).await?;
        self.ask(|| async {
            let found: Found<PoolRecord> = self.read(keys::pool(&pool.id)).await?;
            if found.guard != there.guard {
                return Err(refused("the pool was changed while it was imported"));
            }
            let version = found.record.as_ref().map_or(1, |record| record.version + 1);
            let imported = IdentityPool { version, ..pool.clone() };
            let dead: Found<DeadRecord> = self.read(keys::dead(&incarnation)).await?;
            if !self.is_importing(&dead) {
                return Err(refused(TOOK_TOO_LONG));
            }
            let mut changes =
                vec![found.put(&PoolRecord::new(incarnation.clone(), &imported))?, dead.delete()];
            // A pool without identities may have a name in a configuration, which goes on leading there.
            if let Some(before) = &found.record {
                let names = self.page::<ConfiguredRecord>(keys::CONFIGURED, None, AT_ONCE).await?;
                let names = names.into_iter().map(|(_, found)| found);
                for name in names
                    .filter(|it| it.record.as_ref().is_some_and(|it| it.incarnation == before.incarnation))
                {
                    let leads_there =
                        ConfiguredRecord { pool: pool.id.clone(), incarnation: incarnation.clone() };
                    changes.push(name.put(&leads_there)?);
                }
                let left = DeadRecord { imported_until: None };
                changes.push(put_new(keys::dead(&before.incarnation), &left)?);
            }
            Ok(Decided::change_once(changes, ()))
        })
        .await?;
        Ok(counts)
    }

    async fn bring_all(&self, incarnation: &str, records: Checked) -> Result<(u64, u64), ImportError> {
        let (mut identities, mut logins) = (0, 0);
        let mut waiting: Vec<Change> = Vec::new();
        for record in records {
            let record = record?;
            identities += 1;
            if identities % GOES_ON_AFTER == 0 {
                self.go_on_importing(incarnation, false).await?;
            }
            logins += record.logins.len() as u64;
            let changes = self.brought(incarnation, &record).await?;
            if waiting.len() + changes.len() > MAX_CHANGES {
                self.write(std::mem::take(&mut waiting)).await?;
            }
            if let Some(owner) = self.owner_among(incarnation, &record, &waiting).await? {
                return Err(ImportError::LoginTaken { id: record.identity.id, owner });
            }
            waiting.extend(changes);
        }
        if !waiting.is_empty() {
            self.write(waiting).await?;
        }
        Ok((identities, logins))
    }

    /// Who else was brought with one of its logins.
    async fn owner_among(
        &self,
        incarnation: &str,
        record: &Brought,
        waiting: &[Change],
    ) -> Result<Option<IdentityId>, StoreError> {
        let logins: Vec<_> = record.logins.iter().map(|login| keys::login(incarnation, login)).collect();
        let waits = waiting.iter().find(|change| logins.contains(&change.key));
        if let Some(super::engine::Effect::Put { content, .. }) = waits.map(|change| &change.effect) {
            let login: LoginRecord =
                serde_json::from_slice(content).map_err(|error| StoreError::Corrupt(error.into()))?;
            return Ok(Some(login.identity));
        }
        let found: Vec<Found<LoginRecord>> = self.read_all(logins).await?;
        Ok(found.into_iter().find_map(|found| Some(found.record?.identity)))
    }

    /// What it takes to keep an identity that is brought.
    async fn brought(&self, incarnation: &str, record: &Brought) -> Result<Vec<Change>, ImportError> {
        let id = &record.identity.id;
        let place: Found<IdentityRecord> = self.read(keys::identity(id)).await?;
        if let Some(living) = self.living(&place).await? {
            return Err(ImportError::IdentityTaken { id: id.clone(), pool_id: living.pool });
        }
        let place = self.free_place(id).await?;
        let mut changes =
            vec![place.put(&IdentityRecord::new(incarnation, &record.identity, &record.logins))?];
        let listed = keys::listed(incarnation, self.engine.shards(), id);
        changes.push(put_new(listed, &ListedRecord::FOR_GOOD)?);
        for login in &record.logins {
            changes.push(new_login(incarnation, login, id)?);
        }
        Ok(changes)
    }

    /// Says that an import goes on, or begins.
    async fn go_on_importing(&self, incarnation: &str, begins: bool) -> Result<(), StoreError> {
        self.ask(|| async {
            let found: Found<DeadRecord> = self.read(keys::dead(incarnation)).await?;
            if !begins && !self.is_importing(&found) {
                return Err(refused(TOOK_TOO_LONG));
            }
            let imported_until = self.clock.now().checked_add(LEASE).ok().map(Millis);
            Ok(Decided::change(vec![found.put(&DeadRecord { imported_until })?], ()))
        })
        .await
    }

    fn is_importing(&self, found: &Found<DeadRecord>) -> bool {
        let until = found.record.as_ref().and_then(|record| record.imported_until);
        until.is_some_and(|Millis(until)| self.clock.now() < until)
    }

    /// Commits what nobody else knows of.
    async fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.ask(|| async { Ok(Decided::change(changes.clone(), ())) }).await
    }

    /// Has a name of a configuration lead to a pool, if it leads to none. Answers whether it leads there now.
    async fn configure(&self, name: &str, id: &IdentityPoolId) -> Result<bool, StoreError> {
        self.ask(|| async {
            let found: Found<ConfiguredRecord> = self.read(keys::configured(name)).await?;
            if let Some(pool) = self.led_to(found.record.as_ref()).await? {
                return Ok(Decided::Answer(pool.id == *id));
            }
            let pool: Found<PoolRecord> = self.read(keys::pool(id)).await?;
            let Some(record) = &pool.record else { return Ok(Decided::Answer(false)) };
            let leads_there = ConfiguredRecord { pool: id.clone(), incarnation: record.incarnation.clone() };
            Ok(Decided::change(vec![found.put(&leads_there)?, pool.look()], true))
        })
        .await
    }
}

/// Finds that all that is brought is there, and nothing else.
fn compare(stored: Vec<Brought>, records: Checked) -> Result<(u64, u64), ImportError> {
    let (mut identities, mut logins) = (0, 0);
    for record in records {
        let record = record?;
        let place = stored.binary_search_by(|stored| stored.identity.id.cmp(&record.identity.id));
        if !place.is_ok_and(|place| record.is_same_as(&stored[place])) {
            return Err(ImportError::Differs(record.identity.id));
        }
        identities += 1;
        logins += record.logins.len() as u64;
    }
    match (stored.len() as u64).saturating_sub(identities) {
        0 => Ok((identities, logins)),
        more => Err(ImportError::HasMore(more)),
    }
}

/// What is left of a snapshot.
struct Pages(IntoIter<Brought>);

#[async_trait]
impl SnapshotPages for Pages {
    async fn next(&mut self, limit: usize) -> Result<Vec<Brought>, StoreError> {
        Ok(self.0.by_ref().take(limit).collect())
    }
}
