//! Identities and their logins in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{MemoryStore, Records, after, refuse_if};
use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, Login};
use crate::records::identity_record::IdentityRecord;
use crate::records::linking;
use crate::records::linking::{
    Candidate, Change, LinkRefusal, LinkRequest, MergeRequest, UnlinkRequest, Unlinked,
};
use crate::store::{Identities, LinkOutcome, Page, StoreError, UnlinkOutcome};

#[async_trait]
impl Identities for MemoryStore {
    async fn add_guest(
        &self,
        pool_id: &IdentityPoolId,
        id: &IdentityId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut records = self.records()?;
        if !records.pools.contains_key(pool_id) {
            return Ok(false);
        }
        records.add_identity(pool_id, id, false, now).map(|_| true)
    }

    async fn lookup_identities(&self, ids: &[IdentityId]) -> Result<Vec<Option<Identity>>, StoreError> {
        let records = self.records()?;
        Ok(ids.iter().map(|id| records.identities.get(id).cloned()).collect())
    }

    async fn lookup_identity_with_logins(
        &self,
        id: &IdentityId,
    ) -> Result<Option<IdentityRecord>, StoreError> {
        Ok(self.records()?.with_logins(id))
    }

    async fn link_logins(&self, request: &LinkRequest) -> Result<LinkOutcome, StoreError> {
        self.records()?.link(request)
    }

    async fn merge_developer_users(&self, request: &MergeRequest) -> Result<LinkOutcome, StoreError> {
        self.records()?.merge(request)
    }

    async fn unlink(&self, request: &UnlinkRequest) -> Result<UnlinkOutcome, StoreError> {
        Ok(self.records()?.unlink(request))
    }

    async fn find_identity_by_login(
        &self,
        pool_id: &IdentityPoolId,
        login: &Login,
    ) -> Result<Option<IdentityRecord>, StoreError> {
        let records = self.records()?;
        Ok(records.owner(pool_id, login).and_then(|id| records.with_logins(id)))
    }

    async fn delete_identities(&self, ids: &[IdentityId]) -> Result<(), StoreError> {
        let mut records = self.records()?;
        for id in ids {
            records.delete_identity(id);
        }
        Ok(())
    }

    async fn list_identities(
        &self,
        pool_id: &IdentityPoolId,
        hide_disabled: bool,
        page: Page<IdentityId>,
    ) -> Result<Vec<IdentityRecord>, StoreError> {
        let records = self.records()?;
        let listed = after(&records.identities, page.after);
        let listed = listed.filter(|(_, identity)| identity.pool_id == *pool_id);
        let listed = listed.filter(|(_, identity)| !(identity.disabled && hide_disabled));
        Ok(listed.take(page.limit).filter_map(|(id, _)| records.with_logins(id)).collect())
    }
}

impl Records {
    pub(super) fn add_identity(
        &mut self,
        pool_id: &IdentityPoolId,
        id: &IdentityId,
        authenticated: bool,
        now: Timestamp,
    ) -> Result<Identity, StoreError> {
        refuse_if(!self.pools.contains_key(pool_id), "there is no such pool")?;
        refuse_if(self.identities.contains_key(id), "the identity ID is taken")?;
        let identity = Identity {
            id: id.clone(),
            pool_id: pool_id.clone(),
            authenticated,
            disabled: false,
            created_at: now,
            modified_at: now,
        };
        self.identities.insert(id.clone(), identity.clone());
        Ok(identity)
    }

    pub(super) fn delete_identity(&mut self, id: &IdentityId) {
        self.identities.remove(id);
        self.logins.retain(|_, owner| owner != id);
        self.sign_in_sessions.retain(|_, session| session.identity_id != *id);
    }

    pub(super) fn link(&mut self, request: &LinkRequest) -> Result<LinkOutcome, StoreError> {
        let owners = request.logins.iter().filter_map(|login| self.owner(&request.pool_id, login));
        let ids: BTreeSet<&IdentityId> = owners.chain(&request.identity_id).collect();
        let candidates: Vec<Candidate> = ids.into_iter().filter_map(|id| self.candidate(id)).collect();
        self.change(&request.pool_id, linking::link(request, &candidates), request.now)
    }

    pub(super) fn merge(&mut self, request: &MergeRequest) -> Result<LinkOutcome, StoreError> {
        let candidate = |user: &String| {
            self.owner(&request.pool_id, &Login::developer(user)).and_then(|id| self.candidate(id))
        };
        let (source, destination) = (candidate(&request.source), candidate(&request.destination));
        let decided = linking::merge(source.as_ref(), destination.as_ref());
        self.change(&request.pool_id, decided, request.now)
    }

    pub(super) fn owner(&self, pool_id: &IdentityPoolId, login: &Login) -> Option<&IdentityId> {
        self.logins.get(&(pool_id.clone(), login.clone()))
    }

    pub(super) fn candidate(&self, id: &IdentityId) -> Option<Candidate> {
        let identity = self.identities.get(id)?.clone();
        Some(Candidate { identity, logins: self.logins_of(id).cloned().collect() })
    }

    fn with_logins(&self, id: &IdentityId) -> Option<IdentityRecord> {
        let identity = self.identities.get(id)?.clone();
        Some(IdentityRecord { identity, logins: self.logins_of(id).cloned().collect() })
    }

    pub(super) fn logins_of(&self, id: &IdentityId) -> impl Iterator<Item = &Login> {
        self.logins.iter().filter(move |(_, owner)| *owner == id).map(|((_, login), _)| login)
    }

    pub(super) fn change(
        &mut self,
        pool_id: &IdentityPoolId,
        decided: Result<Change, LinkRefusal>,
        now: Timestamp,
    ) -> Result<LinkOutcome, StoreError> {
        Ok(match decided {
            Err(refusal) => LinkOutcome::Refused(refusal),
            Ok(Change::Nothing(id)) => LinkOutcome::Known(self.identities[&id].clone()),
            Ok(Change::Create(id, logins)) => {
                let identity = self.add_identity(pool_id, &id, true, now)?;
                self.add_logins(pool_id, logins, &id);
                LinkOutcome::Created(identity)
            }
            Ok(Change::Link { survivor, added, disabled }) => {
                for owner in self.logins.values_mut().filter(|owner| disabled.contains(owner)) {
                    *owner = survivor.clone();
                }
                self.add_logins(pool_id, added, &survivor);
                for id in &disabled {
                    self.move_sign_in_sessions(id, &survivor, now);
                    self.modify(id, now, |identity| identity.disabled = true);
                }
                self.modify(&survivor, now, |identity| identity.authenticated = true);
                LinkOutcome::Linked { identity: self.identities[&survivor].clone(), disabled }
            }
        })
    }

    pub(super) fn add_logins(&mut self, pool_id: &IdentityPoolId, logins: Vec<Login>, owner: &IdentityId) {
        let logins = logins.into_iter().map(|login| ((pool_id.clone(), login), owner.clone()));
        self.logins.extend(logins);
    }

    pub(super) fn modify(&mut self, id: &IdentityId, now: Timestamp, change: impl FnOnce(&mut Identity)) {
        if let Some(identity) = self.identities.get_mut(id) {
            change(identity);
            identity.modified_at = now;
        }
    }

    pub(super) fn unlink(&mut self, request: &UnlinkRequest) -> UnlinkOutcome {
        let candidate = self.candidate(&request.identity_id);
        let owner = match &request.logins {
            Unlinked::DeveloperUser { pool_id, user } => self.owner(pool_id, &Login::developer(user)),
            Unlinked::Public { .. } => None,
        };
        match linking::unlink(request, candidate.as_ref(), owner) {
            Err(refusal) => UnlinkOutcome::Refused(refusal),
            Ok(taken) => {
                self.logins
                    .retain(|(_, login), owner| *owner != request.identity_id || !taken.contains(login));
                self.modify(&request.identity_id, request.now, |_| ());
                UnlinkOutcome::Unlinked
            }
        }
    }
}
