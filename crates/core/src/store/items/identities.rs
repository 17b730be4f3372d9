//! Identities. What stands in the item of an identity counts: the item of a login only leads there.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::attempts::Decided;
use super::engine::Change;
use super::pools::{corrupt, text};
use super::records::{IdentityRecord, ListedRecord, LoginRecord, Millis, PoolRecord};
use super::{Found, ItemStore, Record, keys, put_new, refused};
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, Login};
use crate::records::linking::{LinkRequest, MergeRequest, UnlinkRequest};
use crate::store::{Identities, LinkOutcome, Page, StoreError, UnlinkOutcome};

/// So late a commit may be made whose answer was lost.
const LATE_AT_MOST: SignedDuration = SignedDuration::from_hours(1);

#[async_trait]
impl Identities for ItemStore {
    async fn add_guest(
        &self,
        pool_id: &IdentityPoolId,
        id: &IdentityId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.ask(|| async {
            let Some(pool) = self.recall_pool(pool_id).await? else { return Ok(Decided::Answer(false)) };
            self.open_to_all(&pool)?;
            let place = self.free_place(id).await?;
            let guest = new_identity(pool_id, id, false, now);
            Ok(Decided::change(self.new_identity(&pool, &place, &guest, &[])?, true))
        })
        .await
    }

    async fn lookup_identity(&self, id: &IdentityId) -> Result<Option<Identity>, StoreError> {
        let found = self.read(keys::identity(id)).await?;
        Ok(self.living(&found).await?.map(|record| record.identity(id)))
    }

    async fn link_logins(&self, request: &LinkRequest) -> Result<LinkOutcome, StoreError> {
        self.ask(|| self.link(request)).await
    }

    async fn merge_developer_users(&self, request: &MergeRequest) -> Result<LinkOutcome, StoreError> {
        self.ask(|| self.merge(request)).await
    }

    async fn unlink(&self, request: &UnlinkRequest) -> Result<UnlinkOutcome, StoreError> {
        self.ask(|| self.take_logins(request)).await
    }

    async fn find_identity_by_login(
        &self,
        pool_id: &IdentityPoolId,
        login: &Login,
    ) -> Result<Option<IdentityId>, StoreError> {
        self.ask(|| async {
            let Some(pool) = self.recall_pool(pool_id).await? else { return Ok(Decided::Answer(None)) };
            let facts = self.facts(&pool, std::slice::from_ref(login), None).await?;
            let Some(facts) = facts else { return Ok(Decided::Again) };
            Ok(Decided::Answer(facts.owner(login)))
        })
        .await
    }

    async fn list_logins_of_each(&self, identity_ids: &[IdentityId]) -> Result<Vec<Vec<Login>>, StoreError> {
        let found = self.read_all(identity_ids.iter().map(keys::identity).collect()).await?;
        let mut logins = Vec::with_capacity(found.len());
        for found in &found {
            logins.push(self.living(found).await?.map(|record| record.logins()).unwrap_or_default());
        }
        Ok(logins)
    }

    /// They are marked as erased all together, and from then on they are as good as gone; what hangs on them goes after.
    async fn delete_identities(&self, ids: &[IdentityId]) -> Result<(), StoreError> {
        let erased = self.ask(|| self.erase(ids)).await?;
        for (id, incarnation) in erased {
            self.delete_identity_of(&incarnation, &id).await?;
        }
        Ok(())
    }

    async fn list_identities(
        &self,
        pool_id: &IdentityPoolId,
        hide_disabled: bool,
        page: Page<IdentityId>,
    ) -> Result<Vec<Identity>, StoreError> {
        let Some(pool) = self.recall_pool(pool_id).await? else { return Ok(Vec::new()) };
        let mut listed = Vec::new();
        let mut after = page.after;
        while listed.len() < page.limit {
            let ids = self.listed_ids(&pool.incarnation, after.as_ref(), page.limit).await?;
            let is_end = ids.len() < page.limit;
            after = ids.last().cloned();
            let found: Vec<Found<IdentityRecord>> =
                self.read_all(ids.iter().map(keys::identity).collect()).await?;
            for (id, found) in ids.iter().zip(found) {
                let record = found.record.filter(|it| it.incarnation == pool.incarnation && !it.erased);
                listed.extend(
                    record.filter(|record| !(record.disabled && hide_disabled)).map(|it| it.identity(id)),
                );
            }
            if is_end {
                break;
            }
        }
        listed.truncate(page.limit);
        Ok(listed)
    }
}

/// An identity that is made now.
pub(super) fn new_identity(
    pool_id: &IdentityPoolId,
    id: &IdentityId,
    authenticated: bool,
    now: Timestamp,
) -> Identity {
    let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    let (id, pool_id) = (id.clone(), pool_id.clone());
    Identity { id, pool_id, authenticated, disabled: false, created_at: now, modified_at: now }
}

impl ItemStore {
    /// The place of an identity that is not there, cleared of what a deleted pool left.
    pub(super) async fn free_place(&self, id: &IdentityId) -> Result<Found<IdentityRecord>, StoreError> {
        let place: Found<IdentityRecord> = self.read(keys::identity(id)).await?;
        let Some(record) = &place.record else { return Ok(place) };
        if self.living(&place).await?.is_some() {
            return Err(refused("the identity ID is taken"));
        }
        self.delete_identity_of(&record.incarnation, id).await?;
        self.read(keys::identity(id)).await
    }

    /// What it takes for an identity to be there, but for the items of its logins.
    pub(super) fn new_identity(
        &self,
        pool: &PoolRecord,
        place: &Found<IdentityRecord>,
        identity: &Identity,
        logins: &[Login],
    ) -> Result<Vec<Change>, StoreError> {
        let record = IdentityRecord::new(&pool.incarnation, identity, logins);
        let listed = keys::listed(&pool.incarnation, self.engine.shards(), &identity.id);
        Ok(vec![place.put(&record)?, put_new(listed, &ListedRecord::FOR_GOOD)?])
    }

    /// The IDs of the identities of an incarnation, in order.
    pub(super) async fn listed_ids(
        &self,
        incarnation: &str,
        after: Option<&IdentityId>,
        limit: usize,
    ) -> Result<Vec<IdentityId>, StoreError> {
        let shards: Vec<Vec<u8>> =
            (0..self.engine.shards()).map(|shard| keys::listing(incarnation, shard)).collect();
        let after = after.map(|id| id.as_str().as_bytes());
        let ids = self.sorted_page(&shards, after, limit).await?;
        ids.into_iter().map(|id| IdentityId::parse(text(id)?).map_err(corrupt)).collect()
    }

    async fn erase(&self, ids: &[IdentityId]) -> Result<Decided<Vec<(IdentityId, String)>>, StoreError> {
        let ids: BTreeSet<&IdentityId> = ids.iter().collect();
        let found: Vec<Found<IdentityRecord>> =
            self.read_all(ids.iter().map(|id| keys::identity(id)).collect()).await?;
        let (mut changes, mut erased) = (Vec::new(), Vec::new());
        for (id, found) in ids.into_iter().zip(&found) {
            let Some(record) = found.record.clone() else { continue };
            let lives = self.living(found).await?.is_some();
            // What a deletion left that broke off goes with the next.
            if lives || (record.erased && record.gone_until.is_none()) {
                erased.push((id.clone(), record.incarnation.clone()));
            }
            if lives {
                changes.push(found.put(&IdentityRecord { erased: true, ..record })?);
            }
        }
        Ok(if changes.is_empty() { Decided::Answer(erased) } else { Decided::change(changes, erased) })
    }

    /// Deletes what is left of an identity that was erased, or whose incarnation is dead. Its sessions go first: one without an
    /// identity here passes for one of somebody elsewhere. Those that began with others who were merged into it are its own; those of
    /// one that was merged itself are the survivor's, and go on leading there.
    pub(super) async fn delete_identity_of(
        &self,
        incarnation: &str,
        id: &IdentityId,
    ) -> Result<(), StoreError> {
        let found: Found<IdentityRecord> = self.read(keys::identity(id)).await?;
        let lives = self.living(&found).await?.is_some();
        let ours = found.record.filter(|record| record.incarnation == incarnation && !lives);
        let absorbed = ours.as_ref().map(|record| record.absorbed.clone()).unwrap_or_default();
        if ours.is_some_and(|record| record.merged_into.is_none()) {
            for id in [id].into_iter().chain(&absorbed) {
                self.delete_sessions_of(id).await?;
            }
        }
        self.ask(|| async {
            let found: Found<IdentityRecord> = self.read(keys::identity(id)).await?;
            let is_of_it = found.record.as_ref().is_some_and(|record| record.incarnation == incarnation);
            if is_of_it && self.living(&found).await?.is_some() {
                return Ok(Decided::Answer(()));
            }
            let changes = if is_of_it {
                self.deletion(incarnation, id, &found).await?
            } else {
                let listed: Found<ListedRecord> =
                    self.read(keys::listed(incarnation, self.engine.shards(), id)).await?;
                listed.record.is_some().then(|| listed.delete()).into_iter().collect()
            };
            Ok(if changes.is_empty() { Decided::Answer(()) } else { Decided::change(changes, ()) })
        })
        .await?;
        for id in &absorbed {
            self.delete_signpost(incarnation, id).await?;
        }
        Ok(())
    }

    /// Deletes what was left of one that was merged, and deleted, for the sake of its sessions.
    async fn delete_signpost(&self, incarnation: &str, id: &IdentityId) -> Result<(), StoreError> {
        self.ask(|| async {
            let found: Found<IdentityRecord> = self.read(keys::identity(id)).await?;
            let is_one = found.record.as_ref().is_some_and(|it| it.erased && it.incarnation == incarnation);
            let change = self.removal(&found)?.filter(|_| is_one);
            Ok(change.map_or(Decided::Answer(()), |change| Decided::change(vec![change], ())))
        })
        .await
    }

    /// Whether sessions are found by way of an identity, which was merged, in another one.
    async fn is_signpost(&self, found: &Found<IdentityRecord>) -> Result<bool, StoreError> {
        let Some(survivor) = found.record.as_ref().and_then(|it| it.merged_into.as_ref()) else {
            return Ok(false);
        };
        let survivor: Found<IdentityRecord> = self.read(keys::identity(survivor)).await?;
        let Some(record) = survivor.record else { return Ok(false) };
        Ok(self.recall_pool(&record.pool).await?.is_some_and(|pool| pool.incarnation == record.incarnation))
    }

    /// Takes an identity out of its place, unless that was done. Somebody who was deleted leaves the place taken for a while: a
    /// commit that made them, and is made late, brings nobody back. Of a pool that is gone nobody is seen anyway.
    fn removal(&self, found: &Found<IdentityRecord>) -> Result<Option<Change>, StoreError> {
        let Some(record) = found.record.as_ref().filter(|record| record.gone_until.is_none()) else {
            return Ok(None);
        };
        if !record.erased {
            return Ok(Some(found.delete()));
        }
        let until = self.clock.now().saturating_add(LATE_AT_MOST).map_err(corrupt)?;
        found.put(&record.gone(until)).map(Some)
    }

    /// What it takes for an identity to be gone, with its logins.
    async fn deletion(
        &self,
        incarnation: &str,
        id: &IdentityId,
        found: &Found<IdentityRecord>,
    ) -> Result<Vec<Change>, StoreError> {
        let logins = found.record.as_ref().map(IdentityRecord::logins).unwrap_or_default();
        let logins: Vec<Found<LoginRecord>> =
            self.read_all(logins.iter().map(|login| keys::login(incarnation, login)).collect()).await?;
        let listed: Found<ListedRecord> =
            self.read(keys::listed(incarnation, self.engine.shards(), id)).await?;
        let is_signpost = self.is_signpost(found).await?;
        let mut changes = Vec::new();
        changes.extend(self.removal(found)?.filter(|_| !is_signpost));
        // Another identity may have taken a login since this one was erased.
        let theirs = |login: &&Found<LoginRecord>| login.record.as_ref().is_some_and(|it| it.identity == *id);
        changes.extend(logins.iter().filter(theirs).map(Found::delete));
        changes.extend(listed.record.is_some().then(|| listed.delete()));
        Ok(changes)
    }
}

impl<T: Record> Found<T> {
    pub(super) fn is_there(&self) -> bool {
        self.record.is_some()
    }
}

impl IdentityRecord {
    /// It ends, and another one goes on for it.
    pub(super) fn end_in(&mut self, survivor: &IdentityId, now: Timestamp) {
        self.logins.clear();
        self.disabled = true;
        self.merged_into = Some(survivor.clone());
        self.modified_at = Millis(now);
    }
}
