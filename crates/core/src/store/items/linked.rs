//! Logins and the identities they belong to. What becomes of them is decided in [`linking`]; here the facts are read and the
//! change is committed, if they still are what they were.

use std::collections::{BTreeMap, BTreeSet};

use super::attempts::Decided;
use super::engine::Change as ItemChange;
use super::identities::{Unlooked, new_identity};
use super::incarnation::Incarnation;
use super::records::{IdentityRecord, LoginRecord, Millis, PoolRecord};
use super::{Found, ItemStore, keys, put_new, refused};
use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, Login};
use crate::records::identity_record::IdentityRecord as Whom;
use crate::records::linking::{
    self, Candidate, Change, LinkRefusal, LinkRequest, MergeRequest, UnlinkRequest, Unlinked,
};
use crate::store::{LinkOutcome, StoreError, UnlinkOutcome};

/// What was read of some logins and identities.
pub(super) struct Facts {
    logins: BTreeMap<Login, Found<LoginRecord>>,
    /// Those that were named, and every owner of a login.
    identities: BTreeMap<IdentityId, Found<IdentityRecord>>,
}

impl Facts {
    /// The identity that a login leads to, if it is there.
    fn owner(&self, login: &Login) -> Option<IdentityId> {
        self.owning(login).map(|(id, _)| id.clone())
    }

    /// The same with its logins.
    pub(super) fn owner_with_logins(&self, login: &Login) -> Option<Whom> {
        self.owning(login).map(|(id, record)| record.with_logins(id))
    }

    fn owning(&self, login: &Login) -> Option<(&IdentityId, &IdentityRecord)> {
        let id = &self.logins.get(login)?.record.as_ref()?.identity;
        Some((id, self.identities.get(id)?.record.as_ref()?))
    }

    fn candidate(&self, id: &IdentityId) -> Option<Candidate> {
        let record = self.identities.get(id)?.record.as_ref()?;
        Some(Candidate { identity: record.identity(id), logins: record.logins().into_iter().collect() })
    }

    fn candidates(&self) -> Vec<Candidate> {
        self.identities.keys().filter_map(|id| self.candidate(id)).collect()
    }

    /// That all of it is still so, if it was not read at once.
    fn look(&self) -> Vec<ItemChange> {
        let logins = self.logins.values().map(Found::look);
        let changes: Vec<ItemChange> = logins.chain(self.identities.values().map(Found::look)).collect();
        if changes.len() > 1 { changes } else { Vec::new() }
    }
}

/// An answer that changes nothing, and rests on facts that were read one after the other.
fn unchanged<T>(facts: &Facts, answer: T) -> Decided<T> {
    let look = facts.look();
    if look.is_empty() { Decided::Answer(answer) } else { Decided::change(look, answer) }
}

impl ItemStore {
    /// The facts about some logins of a pool, and about an identity that is named with them. `None` if they were read between two
    /// changes.
    pub(super) async fn facts(
        &self,
        pool: &PoolRecord,
        logins: &[Login],
        named: Option<&IdentityId>,
    ) -> Result<Option<Facts>, StoreError> {
        let keys = logins.iter().map(|login| keys::login(pool.incarnation, login)).collect();
        let found: Vec<Found<LoginRecord>> = self.read_all(keys).await?;
        let owners = found.iter().filter_map(|found| Some(found.record.as_ref()?.identity.clone()));
        let ids: BTreeSet<IdentityId> = owners.chain(named.cloned()).collect();
        let identities = self.read_living(ids).await?;
        let logins: BTreeMap<Login, Found<LoginRecord>> = logins.iter().cloned().zip(found).collect();
        let leads_there = |(login, found): (&Login, &Found<LoginRecord>)| {
            let Some(LoginRecord { identity }) = &found.record else { return true };
            // An identity that is gone has left the item of its login behind.
            identities[identity].record.as_ref().is_none_or(|owner| owner.has(login))
        };
        let is_whole = logins.iter().all(leads_there);
        Ok(is_whole.then_some(Facts { logins, identities }))
    }

    /// Identities, those that are not living without their record.
    async fn read_living(
        &self,
        ids: BTreeSet<IdentityId>,
    ) -> Result<BTreeMap<IdentityId, Found<IdentityRecord>>, StoreError> {
        let found: Vec<Found<IdentityRecord>> =
            self.read_all(ids.iter().map(keys::identity).collect()).await?;
        let mut living = BTreeMap::new();
        for (id, mut found) in ids.into_iter().zip(found) {
            found.record = self.living(&found).await?;
            living.insert(id, found);
        }
        Ok(living)
    }

    async fn pool_of(&self, id: &IdentityPoolId) -> Result<PoolRecord, StoreError> {
        self.recall_pool(id).await?.ok_or_else(|| refused("there is no such pool"))
    }

    pub(super) async fn link(
        &self,
        request: &LinkRequest,
        unlooked: &Unlooked,
    ) -> Result<Decided<LinkOutcome>, StoreError> {
        let pool = self.pool_of(&request.pool_id).await?;
        let facts = self.facts(&pool, &request.logins, request.identity_id.as_ref()).await?;
        let Some(facts) = facts else { return Ok(Decided::Again) };
        match linking::link(request, &facts.candidates()) {
            Ok(Change::Create(id, logins)) => {
                self.open_to_all(&pool)?;
                let identity = new_identity(&request.pool_id, &id, true, request.now);
                let Some(place) = self.new_place(&pool, &identity, unlooked).await? else {
                    return Ok(Decided::Answer(LinkOutcome::Created(identity)));
                };
                let mut changes = self.new_identity(&pool, &place, &identity, &logins)?;
                changes.extend(lead_to(&id, &logins, &facts)?);
                Ok(Decided::change(changes, LinkOutcome::Created(identity)))
            }
            decided => self.carry_out(&pool, &facts, decided, request.now).await,
        }
    }

    pub(super) async fn merge(&self, request: &MergeRequest) -> Result<Decided<LinkOutcome>, StoreError> {
        let pool = self.pool_of(&request.pool_id).await?;
        let logins = [&request.source, &request.destination].map(|user| Login::developer(user.as_str()));
        let facts = self.facts(&pool, &logins, None).await?;
        let Some(facts) = facts else { return Ok(Decided::Again) };
        let [source, destination] =
            logins.map(|login| facts.owner(&login).and_then(|id| facts.candidate(&id)));
        let decided = linking::merge(source.as_ref(), destination.as_ref());
        self.carry_out(&pool, &facts, decided, request.now).await
    }

    /// What becomes of identities that are there.
    async fn carry_out(
        &self,
        pool: &PoolRecord,
        facts: &Facts,
        decided: Result<Change, LinkRefusal>,
        now: Timestamp,
    ) -> Result<Decided<LinkOutcome>, StoreError> {
        match decided {
            Err(refusal) => Ok(unchanged(facts, LinkOutcome::Refused(refusal))),
            // One identity that has them all says so by itself.
            Ok(Change::Nothing(id)) => {
                let known = facts.candidate(&id).ok_or_else(|| refused("a candidate is missing"))?;
                Ok(Decided::Answer(LinkOutcome::Known(known.identity)))
            }
            Ok(Change::Create(..)) => Err(refused("nobody is made of identities that are there")),
            Ok(Change::Link { survivor, added, disabled }) => {
                let (changes, identity) = self.join(pool, facts, &survivor, &added, &disabled, now).await?;
                Ok(Decided::change_once(changes, LinkOutcome::Linked { identity, disabled }))
            }
        }
    }

    /// Has the survivor take up others and logins.
    async fn join(
        &self,
        pool: &PoolRecord,
        facts: &Facts,
        survivor: &IdentityId,
        added: &[Login],
        disabled: &[IdentityId],
        now: Timestamp,
    ) -> Result<(Vec<ItemChange>, Identity), StoreError> {
        let place = &facts.identities[survivor];
        let mut joined = place.record.clone().ok_or_else(|| refused("the survivor is missing"))?;
        let (mut changes, mut moved) = (Vec::new(), BTreeSet::new());
        for id in disabled {
            let found = &facts.identities[id];
            let mut ended = found.record.clone().ok_or_else(|| refused("a candidate is missing"))?;
            moved.extend(ended.logins());
            // A guest has no sessions.
            joined.absorbed.extend(ended.authenticated.then(|| id.clone()));
            joined.absorbed.append(&mut ended.absorbed);
            ended.end_in(survivor, now);
            changes.push(found.put(&ended)?);
        }
        let logins: BTreeSet<Login> =
            joined.logins().into_iter().chain(moved.iter().cloned()).chain(added.iter().cloned()).collect();
        joined.set_logins(logins);
        joined.authenticated = true;
        joined.modified_at = Some(Millis(now));
        changes.push(place.put(&joined)?);
        changes.extend(lead_to(survivor, added, facts)?);
        for item in self.items_of(&moved, pool, facts).await? {
            changes.push(item.put(&LoginRecord { identity: survivor.clone() })?);
        }
        // What is answered is what every later look-up finds, to the millisecond.
        let identity = joined.identity(survivor);
        let modified_at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        Ok((changes, Identity { modified_at, ..identity }))
    }

    /// The items of logins, of which some may be among the facts.
    async fn items_of<'a>(
        &self,
        logins: impl IntoIterator<Item = &'a Login>,
        pool: &PoolRecord,
        facts: &Facts,
    ) -> Result<Vec<Found<LoginRecord>>, StoreError> {
        let (mut items, mut unread) = (Vec::new(), Vec::new());
        for login in logins {
            match facts.logins.get(login) {
                Some(found) => items.push(found.clone()),
                None => unread.push(keys::login(pool.incarnation, login)),
            }
        }
        items.append(&mut self.read_all(unread).await?);
        Ok(items)
    }

    async fn pool_id_of(&self, id: &IdentityId) -> Result<Option<IdentityPoolId>, StoreError> {
        let found: Found<IdentityRecord> = self.read(keys::identity(id)).await?;
        Ok(self.living(&found).await?.map(|record| record.pool))
    }

    pub(super) async fn take_logins(
        &self,
        request: &UnlinkRequest,
    ) -> Result<Decided<UnlinkOutcome>, StoreError> {
        let id = &request.identity_id;
        let (pool_id, logins) = match &request.logins {
            Unlinked::DeveloperUser { pool_id, user } => (Some(pool_id), vec![Login::developer(user)]),
            Unlinked::Public { .. } => (None, Vec::new()),
        };
        let pool_id = match pool_id {
            Some(pool_id) => Some(pool_id.clone()),
            None => self.pool_id_of(id).await?,
        };
        let pool = match &pool_id {
            Some(pool_id) => self.recall_pool(pool_id).await?,
            None => None,
        };
        let Some(pool) = pool else {
            let refusal = linking::unlink(request, None, None).err();
            return refusal
                .map(|refusal| Decided::Answer(UnlinkOutcome::Refused(refusal)))
                .ok_or_else(|| refused("there is no such pool"));
        };
        let Some(facts) = self.facts(&pool, &logins, Some(id)).await? else { return Ok(Decided::Again) };
        let owner = logins.first().and_then(|login| facts.owner(login));
        match linking::unlink(request, facts.candidate(id).as_ref(), owner.as_ref()) {
            Err(refusal) => Ok(unchanged(&facts, UnlinkOutcome::Refused(refusal))),
            Ok(taken) => {
                let found = &facts.identities[id];
                let mut record = found.record.clone().ok_or_else(|| refused("a candidate is missing"))?;
                let left = record.logins().into_iter().filter(|login| !taken.contains(login));
                record.set_logins(left.collect::<Vec<_>>());
                record.modified_at = Some(Millis(request.now));
                let mut changes = vec![found.put(&record)?];
                // A request may name one twice.
                let taken: BTreeSet<Login> = taken.into_iter().collect();
                changes.extend(self.items_of(&taken, &pool, &facts).await?.iter().map(Found::delete));
                Ok(Decided::change_once(changes, UnlinkOutcome::Unlinked))
            }
        }
    }
}

/// Has the items of logins that nobody had lead to an identity.
fn lead_to(id: &IdentityId, logins: &[Login], facts: &Facts) -> Result<Vec<ItemChange>, StoreError> {
    let record = LoginRecord { identity: id.clone() };
    logins
        .iter()
        .map(|login| match facts.logins.get(login) {
            Some(found) => found.put(&record),
            None => Err(refused("a login was not read")),
        })
        .collect()
}

/// The item of a login that nobody can have had, in an incarnation that nobody knows.
pub(super) fn new_login(
    incarnation: Incarnation,
    login: &Login,
    id: &IdentityId,
) -> Result<ItemChange, StoreError> {
    put_new(keys::login(incarnation, login), &LoginRecord { identity: id.clone() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use async_trait::async_trait;

    use super::super::Pace;
    use super::super::memory::MemoryEngine;
    use super::*;
    use crate::ground::clock::ManualClock;
    use crate::ground::random::SeededRandom;
    use crate::records::identity::{IdentityPool, LoginProvider, PoolRoles, PoolSettings};
    use crate::store::{Identities, Pools};

    struct NoPause;

    #[async_trait]
    impl Pace for NoPause {
        async fn pause(&self, _: Duration) {}
    }

    /// Anybody makes guests, as many as they like, and takes them over.
    #[tokio::test]
    async fn guests_that_end_are_not_remembered_for_the_sake_of_sessions() {
        let (clock, random) = (Arc::new(ManualClock::at_second(0)), Arc::new(SeededRandom::new(1)));
        let store = ItemStore::new(Arc::new(MemoryEngine::default()), clock, random, Arc::new(NoPause));
        let pool_id = IdentityPoolId::parse("us-east-1:aa").unwrap();
        let pool = IdentityPool::new(pool_id.clone(), PoolSettings::default(), PoolRoles::default());
        store.add_pool(&pool).await.unwrap();
        let id = |name: &str| IdentityId::parse(format!("us-east-1:{name}")).unwrap();
        let (ada, guest, bob) = (id("01"), id("02"), id("03"));
        store.add_guest(&pool_id, &guest, Timestamp::UNIX_EPOCH).await.unwrap();
        let (public, developer) = (
            Login { provider: LoginProvider::Public("snap".into()), user: "1".into() },
            Login::developer("bob"),
        );
        let link = async |logins: &[&Login], named: Option<&IdentityId>, new: &IdentityId| {
            let request = LinkRequest {
                pool_id: pool_id.clone(),
                logins: logins.iter().copied().cloned().collect(),
                identity_id: named.cloned(),
                new_identity_id: new.clone(),
                now: Timestamp::UNIX_EPOCH,
            };
            store.link_logins(&request).await.unwrap()
        };
        link(&[&public], None, &ada).await;
        link(&[&public], Some(&guest), &id("04")).await;
        assert!(store.lookup_identity(&guest).await.unwrap().unwrap().disabled);
        link(&[&developer], None, &bob).await;
        let absorbed = async || {
            let found: Found<IdentityRecord> = store.read(keys::identity(&ada)).await.unwrap();
            found.record.unwrap().absorbed
        };
        assert_eq!(absorbed().await, []);
        link(&[&public, &developer], None, &id("04")).await;
        assert_eq!(absorbed().await, [bob]);
    }
}
