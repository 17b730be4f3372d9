//! Whole pools on their way out of a store and into it. What is brought is written under an incarnation that is nobody's, and
//! given to the pool in the end, by one change. What an import leaves behind that is cut off is purged as if its pool had
//! been deleted.

use std::time::Duration;
use std::vec::IntoIter;

use async_trait::async_trait;

use super::attempts::{Decided, TRIES};
use super::engine::{Change, MAX_CHANGES};
use super::incarnation::Incarnation;
use super::linked::new_login;
use super::pools::{corrupt, text};
use super::records::{
    ClosedPart, ConfiguredRecord, DeadRecord, IdentityRecord, ImportRecord, ListedRecord, LoginRecord,
    Millis, PoolRecord,
};
use super::{Found, ItemStore, keys, put_new, refused, said};
use crate::ground::clock::SignedDuration;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::IdentityPool;
use crate::records::identity_record::IdentityRecord as Brought;
use crate::store::StoreError;
use crate::store::transfer::{Checked, ImportError, Imported, PoolImport, PoolSnapshot, SnapshotPages};

/// As many identities are read at once.
const AT_ONCE: usize = 1_000;

/// So long it is an import's turn that is not heard of, and nobody purges what it has written. So many identities later it says
/// that it goes on.
const LEASE: SignedDuration = SignedDuration::from_mins(10);
const GOES_ON_AFTER: u64 = 1_000;

/// So long nobody new comes into a pool that is there and is to be imported: as long as its identities are given to it, which
/// takes this long first. By then everybody has heard of it ([`super::remembered::BOUND`]), and whoever had not has an answer.
const CLOSED_FOR: SignedDuration = SignedDuration::from_mins(1);
const UNTIL_CLOSED: Duration = Duration::from_secs(10);

/// So long somebody waits for another import of the pool.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
const LOOKING_AGAIN: Duration = Duration::from_millis(250);

const UNDER_WAY: &str =
    "another import of this pool is under way, or was cut off a few minutes ago: try again in ten minutes";
const TOOK_TOO_LONG: &str = "the import stood still for so long that what it wrote may have been purged";

impl ItemStore {
    /// All of it is read before it is handed out: each identity is whole, though two of them may have been read at two
    /// moments.
    pub(super) async fn snapshot(&self, id: &IdentityPoolId) -> Result<Option<PoolSnapshot>, StoreError> {
        let found: Found<PoolRecord> = self.read(keys::pool(id)).await?;
        let Some(record) = found.record else { return Ok(None) };
        let identities = self.all_of(record.incarnation).await?;
        Ok(Some(PoolSnapshot {
            configured_as: self.configured_as(id, record.incarnation).await?,
            pool: record.pool(id.clone()),
            identities: identities.len() as u64,
            pages: Box::new(Pages(identities.into_iter())),
        }))
    }

    /// The identities of an incarnation, in order.
    async fn all_of(&self, incarnation: Incarnation) -> Result<Vec<Brought>, StoreError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let ids = self.listed_ids(incarnation, after.as_ref(), AT_ONCE).await?;
            let Some(last) = ids.last() else { break };
            after = Some(last.clone());
            let found: Vec<Found<IdentityRecord>> =
                self.read_all(ids.iter().map(keys::identity).collect()).await?;
            for (id, found) in ids.iter().zip(found) {
                let record = found.record.filter(|it| it.incarnation == incarnation && !it.erased);
                all.extend(record.map(|it| it.with_logins(id)));
            }
        }
        // Among IDs of several forms, that of a listing is another.
        all.sort_unstable_by(|one, other| one.identity.id.cmp(&other.identity.id));
        Ok(all)
    }

    async fn configured_as(
        &self,
        id: &IdentityPoolId,
        incarnation: Incarnation,
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
        let stored = self.stored_of(&pool.id).await?;
        let ((identities, logins), changed) = if stored.is_empty() {
            self.bring(&pool, records).await?
        } else {
            (compare(&stored, records)?, false)
        };
        let configured = match configured_as {
            Some(name) => self.configure(&name, &pool.id).await?,
            None => false,
        };
        Ok(Imported { identities, logins, changed, configured })
    }

    /// The identities of a pool, in order: none, if there is no such pool.
    async fn stored_of(&self, id: &IdentityPoolId) -> Result<Vec<Brought>, StoreError> {
        let found: Found<PoolRecord> = self.read(keys::pool(id)).await?;
        match &found.record {
            Some(record) => self.all_of(record.incarnation).await,
            None => Ok(Vec::new()),
        }
    }

    /// Writes all that is brought under an incarnation of its own, and gives that to the pool, unless somebody else has brought it
    /// meanwhile.
    async fn bring(&self, pool: &IdentityPool, records: Checked) -> Result<((u64, u64), bool), ImportError> {
        let incarnation = self.draw_incarnation();
        self.begin_importing(&pool.id, incarnation).await?;
        let brought = self.bring_under(incarnation, pool, records).await;
        // A turn that is not given back ends by itself, and what came of the import is what counts.
        let _ = self.end_importing(&pool.id, incarnation).await;
        brought
    }

    async fn bring_under(
        &self,
        incarnation: Incarnation,
        pool: &IdentityPool,
        records: Checked,
    ) -> Result<((u64, u64), bool), ImportError> {
        let stored = self.stored_of(&pool.id).await?;
        if !stored.is_empty() {
            return Ok((compare(&stored, records)?, false));
        }
        let counts = self.bring_all(&pool.id, incarnation, records).await?;
        let ours = self.all_of(incarnation).await?;
        if ours.len() as u64 != counts.0 {
            Err(refused("another import has brought identities of this one to another pool"))?;
        }
        if self.give(pool, incarnation).await? {
            return Ok((counts, true));
        }
        Ok((compare(&self.stored_of(&pool.id).await?, ours.into_iter().map(Ok))?, false))
    }

    /// Gives an incarnation to a pool that has nobody in it. Answers whether it had nobody.
    async fn give(&self, pool: &IdentityPool, incarnation: Incarnation) -> Result<bool, StoreError> {
        for _ in 0..TRIES {
            if !self.stored_of(&pool.id).await?.is_empty() {
                return Ok(false);
            }
            // Somebody may be signing in to a pool that is there.
            if self.close(&pool.id, incarnation).await? {
                self.pace.pause(UNTIL_CLOSED).await;
                if !self.stored_of(&pool.id).await?.is_empty() {
                    return Ok(false);
                }
            }
            if self.replace_incarnation(pool, incarnation).await? {
                return Ok(true);
            }
        }
        Err(refused("the pool is being imported by somebody else"))
    }

    /// Has nobody new come into a pool for a while, unless it is closed already. Answers whether there is such a pool.
    async fn close(&self, id: &IdentityPoolId, incarnation: Incarnation) -> Result<bool, StoreError> {
        self.ask(|| async {
            let found: Found<PoolRecord> = self.read(keys::pool(id)).await?;
            let Some(record) = found.record.clone() else { return Ok(Decided::Answer(false)) };
            if record.is_closed_at(self.clock.now()) {
                return Ok(Decided::Answer(true));
            }
            let until = self.clock.now().saturating_add(CLOSED_FOR).map_err(corrupt)?;
            let closed = Some(ClosedPart { by: incarnation, until: Millis(until) });
            Ok(Decided::change(vec![found.put(&PoolRecord { closed, ..record })?], true))
        })
        .await
    }

    /// Makes the pool one of this incarnation, if there is none, or one that is closed for it. Answers whether it is.
    async fn replace_incarnation(
        &self,
        pool: &IdentityPool,
        incarnation: Incarnation,
    ) -> Result<bool, StoreError> {
        let replaced = self
            .ask(|| async {
                let found: Found<PoolRecord> = self.read(keys::pool(&pool.id)).await?;
                let is_ready = |record: &PoolRecord| {
                    record.is_closed_at(self.clock.now()) && record.closed_for(incarnation)
                };
                if !found.record.as_ref().is_none_or(is_ready) {
                    return Ok(Decided::Answer(false));
                }
                let ours: Found<DeadRecord> = self.read(keys::dead(incarnation)).await?;
                if !self.is_importing(&ours) {
                    return Err(refused(TOOK_TOO_LONG));
                }
                let version = found.record.as_ref().map_or(1, |record| record.version + 1);
                let imported = IdentityPool { version, ..pool.clone() };
                let mut changes = vec![found.put(&PoolRecord::new(incarnation, &imported))?, ours.delete()];
                if let Some(before) = &found.record {
                    changes.extend(self.take_over(pool, before, incarnation).await?);
                }
                Ok(Decided::change_once(changes, true))
            })
            .await?;
        self.remembered.forget_all();
        Ok(replaced)
    }

    /// A pool may have a name in a configuration, which goes on leading there, and an incarnation, which is nobody's any more.
    async fn take_over(
        &self,
        pool: &IdentityPool,
        before: &PoolRecord,
        incarnation: Incarnation,
    ) -> Result<Vec<Change>, StoreError> {
        let leads_there = ConfiguredRecord { pool: pool.id.clone(), incarnation };
        let names = self.page::<ConfiguredRecord>(keys::CONFIGURED, None, AT_ONCE).await?;
        let led_there = names.into_iter().map(|(_, found)| found).filter(|found| {
            found.record.as_ref().is_some_and(|record| record.incarnation == before.incarnation)
        });
        let mut changes: Vec<Change> =
            led_there.map(|found| found.put(&leads_there)).collect::<Result<_, _>>()?;
        changes.push(put_new(keys::dead(before.incarnation), &self.dead_now())?);
        Ok(changes)
    }

    async fn bring_all(
        &self,
        id: &IdentityPoolId,
        incarnation: Incarnation,
        records: Checked,
    ) -> Result<(u64, u64), ImportError> {
        let (mut identities, mut logins) = (0, 0);
        let mut waiting: Vec<Change> = Vec::new();
        for record in records {
            let record = record?;
            identities += 1;
            if identities % GOES_ON_AFTER == 0 && !self.go_on_importing(id, incarnation, false).await? {
                Err(refused(TOOK_TOO_LONG))?;
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
        incarnation: Incarnation,
        record: &Brought,
        waiting: &[Change],
    ) -> Result<Option<IdentityId>, StoreError> {
        let logins: Vec<_> = record.logins.iter().map(|login| keys::login(incarnation, login)).collect();
        let waits = waiting.iter().find(|change| logins.contains(&change.key));
        if let Some(super::engine::Effect::Put { content, .. }) = waits.map(|change| &change.effect) {
            return Ok(Some(said::<LoginRecord>(content)?.identity));
        }
        let found: Vec<Found<LoginRecord>> = self.read_all(logins).await?;
        Ok(found.into_iter().find_map(|found| Some(found.record?.identity)))
    }

    /// What it takes to keep an identity that is brought.
    async fn brought(&self, incarnation: Incarnation, record: &Brought) -> Result<Vec<Change>, ImportError> {
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

    /// Waits until nobody else imports the pool, and says that it is imported now. Until it has the incarnation, whatever is
    /// written of that is to be purged, though not while it is being written.
    async fn begin_importing(&self, id: &IdentityPoolId, incarnation: Incarnation) -> Result<(), StoreError> {
        let patience = self.clock.now().saturating_add(PATIENCE).map_err(corrupt)?;
        while !self.go_on_importing(id, incarnation, true).await? {
            if self.clock.now() > patience {
                return Err(refused(UNDER_WAY));
            }
            self.pace.pause(LOOKING_AGAIN).await;
        }
        Ok(())
    }

    /// Says that an import goes on, or begins. Answers whether it is this one's turn.
    async fn go_on_importing(
        &self,
        id: &IdentityPoolId,
        incarnation: Incarnation,
        begins: bool,
    ) -> Result<bool, StoreError> {
        self.ask(|| async {
            let now = self.clock.now();
            let dead: Found<DeadRecord> = self.read(keys::dead(incarnation)).await?;
            let turn: Found<ImportRecord> = self.read(keys::import(id)).await?;
            let is_others = |turn: &ImportRecord| turn.by != incarnation && now < turn.until.0;
            if turn.record.as_ref().is_some_and(is_others) || !(begins || self.is_importing(&dead)) {
                return Ok(Decided::Answer(false));
            }
            let until = Millis(now.saturating_add(LEASE).map_err(corrupt)?);
            let ours = ImportRecord { by: incarnation, until };
            let changes = vec![turn.put(&ours)?, dead.put(&DeadRecord { left_from: until })?];
            Ok(Decided::change_once(changes, true))
        })
        .await
    }

    /// Lets others import the pool. What was written and is nobody's is left to whoever purges.
    async fn end_importing(&self, id: &IdentityPoolId, incarnation: Incarnation) -> Result<(), StoreError> {
        self.ask(|| async {
            let dead: Found<DeadRecord> = self.read(keys::dead(incarnation)).await?;
            let turn: Found<ImportRecord> = self.read(keys::import(id)).await?;
            let mut changes = Vec::new();
            changes.extend(dead.is_there().then(|| dead.put(&self.dead_now())).transpose()?);
            let is_ours = turn.record.as_ref().is_some_and(|turn| turn.by == incarnation);
            changes.extend(is_ours.then(|| turn.delete()));
            Ok(if changes.is_empty() { Decided::Answer(()) } else { Decided::change(changes, ()) })
        })
        .await
    }

    fn is_importing(&self, found: &Found<DeadRecord>) -> bool {
        found.record.as_ref().is_some_and(|record| self.clock.now() < record.left_from.0)
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
            let leads_there = ConfiguredRecord { pool: id.clone(), incarnation: record.incarnation };
            Ok(Decided::change(vec![found.put(&leads_there)?, pool.look()], true))
        })
        .await
    }
}

/// Finds that all that is brought is there, and nothing else.
fn compare(
    stored: &[Brought],
    records: impl Iterator<Item = Result<Brought, ImportError>>,
) -> Result<(u64, u64), ImportError> {
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
