//! Identities. What stands in the item of an identity counts: the item of a login only leads there.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::attempts::Decided;
use super::engine::Change;
use super::incarnation::Incarnation;
use super::pools::corrupt;
use super::records::{IdentityRecord, ListedRecord, LoginRecord, Millis, PoolRecord};
use super::{Found, ItemStore, Record, keys, put_new, refused};
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, Login};
use crate::records::identity_record::IdentityRecord as Whom;
use crate::records::linking::{LinkRequest, MergeRequest, UnlinkRequest};
use crate::store::packed::{packed, unpacked};
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
        let unlooked = Unlooked::default();
        self.ask(|| async {
            let Some(pool) = self.recall_pool(pool_id).await? else { return Ok(Decided::Answer(false)) };
            self.open_to_all(&pool)?;
            let guest = new_identity(pool_id, id, false, now);
            Ok(match self.new_place(&pool, &guest, &unlooked).await? {
                Some(place) => Decided::change(self.new_identity(&pool, &place, &guest, &[])?, true),
                None => Decided::Answer(true),
            })
        })
        .await
    }

    async fn lookup_identities(&self, ids: &[IdentityId]) -> Result<Vec<Option<Identity>>, StoreError> {
        let found = self.read_all(ids.iter().map(keys::identity).collect()).await?;
        let mut identities = Vec::with_capacity(ids.len());
        for (id, found) in ids.iter().zip(&found) {
            identities.push(self.living(found).await?.map(|record| record.identity(id)));
        }
        Ok(identities)
    }

    async fn lookup_identity_with_logins(&self, id: &IdentityId) -> Result<Option<Whom>, StoreError> {
        let found = self.read(keys::identity(id)).await?;
        Ok(self.living(&found).await?.map(|record| record.with_logins(id)))
    }

    async fn link_logins(&self, request: &LinkRequest) -> Result<LinkOutcome, StoreError> {
        let unlooked = Unlooked::default();
        self.ask(|| self.link(request, &unlooked)).await
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
    ) -> Result<Option<Whom>, StoreError> {
        self.ask(|| async {
            let Some(pool) = self.recall_pool(pool_id).await? else { return Ok(Decided::Answer(None)) };
            let facts = self.facts(&pool, std::slice::from_ref(login), None).await?;
            let Some(facts) = facts else { return Ok(Decided::Again) };
            Ok(Decided::Answer(facts.owner_with_logins(login)))
        })
        .await
    }

    /// They are marked as erased all together, and from then on they are as good as gone; what hangs on them goes after.
    async fn delete_identities(&self, ids: &[IdentityId]) -> Result<(), StoreError> {
        let erased = self.ask(|| self.erase(ids)).await?;
        for (id, record) in erased {
            self.delete_rest(record.incarnation, &id, Some(&record)).await?;
        }
        Ok(())
    }

    async fn list_identities(
        &self,
        pool_id: &IdentityPoolId,
        hide_disabled: bool,
        page: Page<IdentityId>,
    ) -> Result<Vec<Whom>, StoreError> {
        let Some(pool) = self.recall_pool(pool_id).await? else { return Ok(Vec::new()) };
        let mut listed = Vec::new();
        let mut after = page.after;
        while listed.len() < page.limit {
            let ids = self.listed_ids(pool.incarnation, after.as_ref(), page.limit).await?;
            let is_end = ids.len() < page.limit;
            after = ids.last().cloned();
            let found: Vec<Found<IdentityRecord>> =
                self.read_all(ids.iter().map(keys::identity).collect()).await?;
            for (id, found) in ids.iter().zip(found) {
                let record = found.record.filter(|it| it.incarnation == pool.incarnation && !it.erased);
                listed.extend(
                    record.filter(|record| !(record.disabled && hide_disabled)).map(|it| it.with_logins(id)),
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

/// Whether nobody has looked yet if the place of a new identity is free.
pub(super) struct Unlooked(AtomicBool);

impl Default for Unlooked {
    fn default() -> Self {
        Self(AtomicBool::new(true))
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
    /// The place of an identity that is made at an instant. Its ID was drawn, and hardly ever is anybody's: the first try finds that
    /// out by the commit. `None` if a try made it whose answer was lost: they must not be made again, whatever became of them since.
    pub(super) async fn new_place(
        &self,
        pool: &PoolRecord,
        identity: &Identity,
        unlooked: &Unlooked,
    ) -> Result<Option<Found<IdentityRecord>>, StoreError> {
        if unlooked.0.swap(false, Ordering::Relaxed) {
            return Ok(Some(Found::absent(keys::identity(&identity.id))));
        }
        let was_made = |place: &Found<IdentityRecord>| {
            place.record.as_ref().is_some_and(|record| record.began_as(pool, identity))
        };
        let mut place = self.read(keys::identity(&identity.id)).await?;
        if !was_made(&place) {
            place = self.cleared(&identity.id, place).await?;
        }
        match &place.record {
            None => Ok(Some(place)),
            Some(_) if was_made(&place) => Ok(None),
            Some(_) => Err(refused("the identity ID is taken")),
        }
    }

    /// The place of an identity that is not there, cleared of what a deleted pool left.
    pub(super) async fn free_place(&self, id: &IdentityId) -> Result<Found<IdentityRecord>, StoreError> {
        let place = self.read(keys::identity(id)).await?;
        self.cleared(id, place).await
    }

    async fn cleared(
        &self,
        id: &IdentityId,
        place: Found<IdentityRecord>,
    ) -> Result<Found<IdentityRecord>, StoreError> {
        let Some(record) = &place.record else { return Ok(place) };
        if self.living(&place).await?.is_some() {
            return Err(refused("the identity ID is taken"));
        }
        self.delete_identity_of(record.incarnation, id).await?;
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
        let record = IdentityRecord::new(pool.incarnation, identity, logins);
        let listed = keys::listed(pool.incarnation, self.engine.shards(), &identity.id);
        Ok(vec![place.put(&record)?, put_new(listed, &ListedRecord::FOR_GOOD)?])
    }

    /// The IDs of the identities of an incarnation, in the order of their listing.
    pub(super) async fn listed_ids(
        &self,
        incarnation: Incarnation,
        after: Option<&IdentityId>,
        limit: usize,
    ) -> Result<Vec<IdentityId>, StoreError> {
        let shards: Vec<Vec<u8>> =
            (0..self.engine.shards()).map(|shard| keys::listing(incarnation, shard)).collect();
        let after = after.map(|id| packed(id.as_str()));
        let ids = self.sorted_page(&shards, after.as_deref(), limit).await?;
        ids.iter().map(|id| IdentityId::parse(unpacked(id).map_err(corrupt)?).map_err(corrupt)).collect()
    }

    async fn erase(
        &self,
        ids: &[IdentityId],
    ) -> Result<Decided<Vec<(IdentityId, IdentityRecord)>>, StoreError> {
        let ids: BTreeSet<&IdentityId> = ids.iter().collect();
        let found: Vec<Found<IdentityRecord>> =
            self.read_all(ids.iter().map(|id| keys::identity(id)).collect()).await?;
        let (mut changes, mut erased) = (Vec::new(), Vec::new());
        for (id, found) in ids.into_iter().zip(&found) {
            let Some(record) = found.record.clone() else { continue };
            let lives = self.living(found).await?.is_some();
            // What a deletion left that broke off goes with the next.
            if lives || (record.erased && record.gone_until.is_none()) {
                erased.push((id.clone(), record.clone()));
            }
            if lives {
                changes.push(found.put(&IdentityRecord { erased: true, ..record })?);
            }
        }
        Ok(if changes.is_empty() { Decided::Answer(erased) } else { Decided::change(changes, erased) })
    }

    /// Deletes what is left of an identity that was erased, or whose incarnation is dead.
    pub(super) async fn delete_identity_of(
        &self,
        incarnation: Incarnation,
        id: &IdentityId,
    ) -> Result<(), StoreError> {
        let found: Found<IdentityRecord> = self.read(keys::identity(id)).await?;
        let lives = self.living(&found).await?.is_some();
        let ours = found.record.filter(|record| record.incarnation == incarnation && !lives);
        self.delete_rest(incarnation, id, ours.as_ref()).await
    }

    /// The same of one that was read. Its sessions go first: one without an identity here passes for one of somebody elsewhere. Those
    /// that began with others who were merged into it are its own; those of one that was merged itself are the survivor's, and go on
    /// leading there.
    async fn delete_rest(
        &self,
        incarnation: Incarnation,
        id: &IdentityId,
        ours: Option<&IdentityRecord>,
    ) -> Result<(), StoreError> {
        let absorbed = ours.map(|record| record.absorbed.as_slice()).unwrap_or_default();
        if ours.is_some_and(|record| record.merged_into.is_none()) {
            for id in [id].into_iter().chain(absorbed) {
                self.delete_sessions_of(id).await?;
            }
        }
        self.ask(|| async {
            let changes = self.deletion(incarnation, id).await?;
            Ok(if changes.is_empty() { Decided::Answer(()) } else { Decided::change(changes, ()) })
        })
        .await?;
        for id in absorbed {
            self.delete_signpost(incarnation, id).await?;
        }
        Ok(())
    }

    /// Deletes what was left of one that was merged, and deleted, for the sake of its sessions.
    async fn delete_signpost(&self, incarnation: Incarnation, id: &IdentityId) -> Result<(), StoreError> {
        self.ask(|| async {
            let found: Found<IdentityRecord> = self.read(keys::identity(id)).await?;
            let is_one = found.record.as_ref().is_some_and(|it| it.erased && it.incarnation == incarnation);
            let change = self.removal(&found)?.filter(|_| is_one);
            Ok(change.map_or(Decided::Answer(()), |change| Decided::change(vec![change], ())))
        })
        .await
    }

    /// Whether sessions are found by way of an identity, which was merged, in another one.
    async fn is_signpost(&self, record: &IdentityRecord) -> Result<bool, StoreError> {
        let Some(survivor) = &record.merged_into else { return Ok(false) };
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

    /// What it takes for an identity of an incarnation to be gone, with its logins. None of it, if it lives.
    async fn deletion(&self, incarnation: Incarnation, id: &IdentityId) -> Result<Vec<Change>, StoreError> {
        let places = [keys::identity(id), keys::listed(incarnation, self.engine.shards(), id)];
        let mut items = places.clone().into_iter().zip(self.read_items(&places).await?);
        let found: Found<IdentityRecord> = self.next_found(&mut items)?;
        let listed: Found<ListedRecord> = self.next_found(&mut items)?;
        let mut changes = Vec::new();
        if let Some(record) = found.record.as_ref().filter(|record| record.incarnation == incarnation) {
            if self.living(&found).await?.is_some() {
                return Ok(changes);
            }
            let is_signpost = self.is_signpost(record).await?;
            changes.extend(self.removal(&found)?.filter(|_| !is_signpost));
            let logins = record.logins();
            let logins = logins.iter().map(|login| keys::login(incarnation, login)).collect();
            // Another identity may have taken a login since this one was erased.
            let theirs =
                |login: &&Found<LoginRecord>| login.record.as_ref().is_some_and(|it| it.identity == *id);
            changes.extend(self.read_all(logins).await?.iter().filter(theirs).map(Found::delete));
        }
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
        self.modified_at = Some(Millis(now));
    }
}
