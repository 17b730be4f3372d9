//! The plainest store: maps behind one lock, gone with the process. It shows what each question means,
//! passes the same contract as the others, and is what tests use that care about something else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;

use super::{
    AccessKeyOutcome, LinkOutcome, MAX_ENABLED_ACCESS_KEYS, MAX_UNPROVED_REFUSALS, Page, ReplaceOutcome,
    RevocationTarget, Store, StoreError, StoredAccessKey, StoredLoginGrant, StoredSigningKey, UnlinkOutcome,
};
use crate::audit::{AuditEvent, AuditSubject};
use crate::ground::clock::{Clock, Timestamp};
use crate::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId, RoleName, UserName};
use crate::records::identity::{Identity, IdentityPool, Login};
use crate::records::linking::{
    self, Candidate, Change, LinkRefusal, LinkRequest, MergeRequest, UnlinkRequest, Unlinked,
};
use crate::records::standing::Standing;
use crate::store::transfer::{
    Checked, IdentityRecord, ImportError, Imported, PoolImport, PoolSnapshot, SnapshotPages,
};

/// So many audit events are kept, the newest: a process may run for long, and whoever wants them all reads the lines
/// that are written beside the store.
const MAX_AUDIT_EVENTS: usize = 10_000;

/// A store that forgets everything when it is dropped.
#[derive(Default)]
pub struct MemoryStore {
    records: Mutex<Records>,
    /// Whether other processes with stores of their own serve the same people.
    one_among_many: bool,
}

#[derive(Default)]
struct Records {
    pools: BTreeMap<IdentityPoolId, IdentityPool>,
    configured_pools: BTreeMap<String, IdentityPoolId>,
    identities: BTreeMap<IdentityId, Identity>,
    logins: BTreeMap<(IdentityPoolId, Login), IdentityId>,
    signing_keys: Vec<StoredSigningKey>,
    access_keys: Vec<StoredAccessKey>,
    revoked_identities: BTreeMap<IdentityId, Timestamp>,
    revoked_roles: BTreeMap<RoleName, Timestamp>,
    revoked_everybody: Option<Timestamp>,
    used_once: BTreeMap<String, Timestamp>,
    login_grants: BTreeMap<String, StoredLoginGrant>,
    audit_events: VecDeque<AuditEvent>,
    unproved_refusals: VecDeque<AuditEvent>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store of one process among many. It cannot tell what the others have seen, so that nothing counts once
    /// here, and no login can wait for its app: both are refused.
    #[must_use]
    pub fn of_one_among_many() -> Self {
        Self { one_among_many: true, ..Self::default() }
    }

    fn check_knows_all(&self) -> Result<(), StoreError> {
        let reason =
            "each process has a memory of its own: what counts once needs a store that all of them share";
        refuse_if(self.one_among_many, reason)
    }

    /// A change that was interrupted by a panic may be half made, and is not to be built upon.
    fn records(&self) -> Result<MutexGuard<'_, Records>, StoreError> {
        self.records
            .lock()
            .map_err(|_| StoreError::Unavailable("a thread panicked while it held the store".into()))
    }
}

impl Records {
    fn add_pool(&mut self, pool: &IdentityPool) -> Result<(), StoreError> {
        refuse_if(self.pools.contains_key(&pool.id), "the pool ID is taken")?;
        self.pools.insert(pool.id.clone(), pool.clone());
        Ok(())
    }

    fn add_identity(
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

    fn replace_pool(&mut self, pool: &IdentityPool) -> ReplaceOutcome {
        match self.pools.get_mut(&pool.id) {
            None => ReplaceOutcome::Unknown,
            Some(stored) if stored.version != pool.version => ReplaceOutcome::Stale,
            Some(stored) => {
                *stored = IdentityPool { version: pool.version + 1, ..pool.clone() };
                ReplaceOutcome::Replaced
            }
        }
    }

    fn delete_pool(&mut self, id: &IdentityPoolId) -> bool {
        self.identities.retain(|_, identity| identity.pool_id != *id);
        self.logins.retain(|(pool_id, _), _| pool_id != id);
        self.configured_pools.retain(|_, pool_id| pool_id != id);
        self.pools.remove(id).is_some()
    }

    fn delete_identity(&mut self, id: &IdentityId) {
        self.identities.remove(id);
        self.logins.retain(|_, owner| owner != id);
    }

    fn link(&mut self, request: &LinkRequest) -> Result<LinkOutcome, StoreError> {
        let owners = request.logins.iter().filter_map(|login| self.owner(&request.pool_id, login));
        let ids: BTreeSet<&IdentityId> = owners.chain(&request.identity_id).collect();
        let candidates: Vec<Candidate> = ids.into_iter().filter_map(|id| self.candidate(id)).collect();
        self.change(&request.pool_id, linking::link(request, &candidates), request.now)
    }

    fn merge(&mut self, request: &MergeRequest) -> Result<LinkOutcome, StoreError> {
        let candidate = |user: &String| {
            self.owner(&request.pool_id, &Login::developer(user)).and_then(|id| self.candidate(id))
        };
        let (source, destination) = (candidate(&request.source), candidate(&request.destination));
        let decided = linking::merge(source.as_ref(), destination.as_ref());
        self.change(&request.pool_id, decided, request.now)
    }

    fn owner(&self, pool_id: &IdentityPoolId, login: &Login) -> Option<&IdentityId> {
        self.logins.get(&(pool_id.clone(), login.clone()))
    }

    fn candidate(&self, id: &IdentityId) -> Option<Candidate> {
        let identity = self.identities.get(id)?.clone();
        Some(Candidate { identity, logins: self.logins_of(id).cloned().collect() })
    }

    fn logins_of(&self, id: &IdentityId) -> impl Iterator<Item = &Login> {
        self.logins.iter().filter(move |(_, owner)| *owner == id).map(|((_, login), _)| login)
    }

    fn change(
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
                    self.modify(id, now, |identity| identity.disabled = true);
                }
                self.modify(&survivor, now, |identity| identity.authenticated = true);
                LinkOutcome::Linked { identity: self.identities[&survivor].clone(), disabled }
            }
        })
    }

    fn add_logins(&mut self, pool_id: &IdentityPoolId, logins: Vec<Login>, owner: &IdentityId) {
        let logins = logins.into_iter().map(|login| ((pool_id.clone(), login), owner.clone()));
        self.logins.extend(logins);
    }

    fn modify(&mut self, id: &IdentityId, now: Timestamp, change: impl FnOnce(&mut Identity)) {
        if let Some(identity) = self.identities.get_mut(id) {
            change(identity);
            identity.modified_at = now;
        }
    }

    /// Everybody in a pool, in order.
    fn everybody(&self, pool_id: &IdentityPoolId) -> Vec<IdentityRecord> {
        let mut logins: BTreeMap<&IdentityId, Vec<Login>> = BTreeMap::new();
        for ((of, login), owner) in &self.logins {
            if of == pool_id {
                logins.entry(owner).or_default().push(login.clone());
            }
        }
        let of_pool = self.identities.values().filter(|identity| identity.pool_id == *pool_id);
        of_pool
            .map(|identity| IdentityRecord {
                identity: identity.clone(),
                logins: logins.remove(&identity.id).unwrap_or_default(),
            })
            .collect()
    }

    fn snapshot(&self, id: &IdentityPoolId) -> Option<PoolSnapshot> {
        let pool = self.pools.get(id)?.clone();
        let configured_as = self.configured_pools.iter().find(|(_, pool_id)| *pool_id == id);
        let everybody = self.everybody(id);
        Some(PoolSnapshot {
            pool,
            configured_as: configured_as.map(|(name, _)| name.clone()),
            identities: everybody.len() as u64,
            pages: Box::new(Pages(everybody.into_iter())),
        })
    }

    fn import(&mut self, import: PoolImport) -> Result<Imported, ImportError> {
        let PoolImport { pool, configured_as, records } = import;
        let stored = self.everybody(&pool.id);
        let changed = stored.is_empty();
        let brought = if changed { self.check_new(&pool.id, records)? } else { compare(&stored, records)? };
        let counts = (brought.len() as u64, brought.iter().map(|record| record.logins.len() as u64).sum());
        if changed {
            let version = self.pools.get(&pool.id).map_or(1, |stored| stored.version + 1);
            self.pools.insert(pool.id.clone(), IdentityPool { version, ..pool.clone() });
            for IdentityRecord { identity, logins } in brought {
                self.add_logins(&pool.id, logins, &identity.id);
                self.identities.insert(identity.id.clone(), identity);
            }
        }
        let leads_to = configured_as.map(|name| self.configured_pools.entry(name).or_insert(pool.id.clone()));
        let configured = leads_to.is_some_and(|id| *id == pool.id);
        Ok(Imported { identities: counts.0, logins: counts.1, changed, configured })
    }

    /// All that is brought, none of which is there yet.
    fn check_new(
        &self,
        pool_id: &IdentityPoolId,
        records: Checked,
    ) -> Result<Vec<IdentityRecord>, ImportError> {
        let mut ids: BTreeMap<IdentityId, IdentityPoolId> = BTreeMap::new();
        let mut owners: BTreeMap<Login, IdentityId> = BTreeMap::new();
        let mut brought = Vec::new();
        for record in records {
            let record = record?;
            let id = record.identity.id.clone();
            let stored = self.identities.get(&id).map(|identity| &identity.pool_id);
            if let Some(pool_id) = stored.or(ids.get(&id)).cloned() {
                return Err(ImportError::IdentityTaken { id, pool_id });
            }
            ids.insert(id.clone(), pool_id.clone());
            for login in &record.logins {
                if let Some(owner) = owners.insert(login.clone(), id.clone()) {
                    return Err(ImportError::LoginTaken { id, owner });
                }
            }
            brought.push(record);
        }
        Ok(brought)
    }

    fn unlink(&mut self, request: &UnlinkRequest) -> UnlinkOutcome {
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

    fn find_or_add_access_key(&mut self, candidate: &StoredAccessKey) -> Result<StoredAccessKey, StoreError> {
        let mut keys = self.list_access_keys().into_iter();
        match keys.find(|key| key.name == candidate.name && key.enabled) {
            Some(key) => Ok(key),
            None => self.add_access_key(candidate),
        }
    }

    /// The policy belongs to the name: whatever the candidate brings, it gets that of the others.
    fn add_access_key(&mut self, candidate: &StoredAccessKey) -> Result<StoredAccessKey, StoreError> {
        refuse_if(self.access_keys.iter().any(|key| key.id == candidate.id), "the access key ID is taken")?;
        let policy = self.access_keys.iter().find(|key| key.name == candidate.name).map(|key| &key.policy);
        let key =
            StoredAccessKey { policy: policy.unwrap_or(&candidate.policy).clone(), ..candidate.clone() };
        self.access_keys.push(key.clone());
        Ok(key)
    }

    fn add_first_access_key(&mut self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError> {
        if self.access_keys.iter().any(|known| known.name == key.name) {
            return Ok(AccessKeyOutcome::NameTaken);
        }
        self.add_access_key(key).map(AccessKeyOutcome::Done)
    }

    fn add_further_access_key(&mut self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError> {
        if self.access_keys.iter().all(|known| known.name != key.name) {
            return Ok(AccessKeyOutcome::Unknown);
        }
        if self.enabled_access_keys(&key.name) >= MAX_ENABLED_ACCESS_KEYS {
            return Ok(AccessKeyOutcome::TooMany);
        }
        self.add_access_key(key).map(AccessKeyOutcome::Done)
    }

    fn enabled_access_keys(&self, name: &UserName) -> usize {
        self.access_keys.iter().filter(|key| key.name == *name && key.enabled).count()
    }

    fn list_access_keys(&self) -> Vec<StoredAccessKey> {
        let mut keys = self.access_keys.clone();
        keys.sort_by(|a, b| (&a.name, a.created_at, &a.id).cmp(&(&b.name, b.created_at, &b.id)));
        keys
    }

    fn set_access_key_enabled(&mut self, id: &AccessKeyId, enabled: bool) -> AccessKeyOutcome {
        let Some(at) = self.access_keys.iter().position(|key| key.id == *id) else {
            return AccessKeyOutcome::Unknown;
        };
        let key = &self.access_keys[at];
        if enabled && !key.enabled && self.enabled_access_keys(&key.name) >= MAX_ENABLED_ACCESS_KEYS {
            return AccessKeyOutcome::TooMany;
        }
        self.access_keys[at].enabled = enabled;
        AccessKeyOutcome::Done(self.access_keys[at].clone())
    }

    fn delete_access_key(&mut self, id: &AccessKeyId) -> AccessKeyOutcome {
        match self.access_keys.iter().position(|key| key.id == *id) {
            None => AccessKeyOutcome::Unknown,
            Some(at) if self.access_keys[at].enabled => AccessKeyOutcome::StillEnabled,
            Some(at) => AccessKeyOutcome::Done(self.access_keys.remove(at)),
        }
    }

    fn standing(&self, identity_id: &IdentityId, role: &RoleName) -> Standing {
        let of_identity = self.revoked_identities.get(identity_id).copied();
        let of_role = self.revoked_roles.get(role).copied();
        Standing {
            identity: self.identities.get(identity_id).cloned(),
            logins: self.logins_of(identity_id).cloned().collect(),
            revoked_until: of_identity.max(of_role).max(self.revoked_everybody),
        }
    }

    fn revoke(&mut self, target: &RevocationTarget, not_before: Timestamp) {
        let until = match target {
            RevocationTarget::Identity(id) => self.revoked_identities.entry(id.clone()).or_insert(not_before),
            RevocationTarget::Role(name) => self.revoked_roles.entry(name.clone()).or_insert(not_before),
            RevocationTarget::Everybody => self.revoked_everybody.get_or_insert(not_before),
        };
        *until = not_before.max(*until);
    }
}

/// All that is brought, if it is what is stored.
fn compare(stored: &[IdentityRecord], records: Checked) -> Result<Vec<IdentityRecord>, ImportError> {
    let mut brought = Vec::new();
    for record in records {
        let record = record?;
        if !stored.iter().any(|stored| record.is_same_as(stored)) {
            return Err(ImportError::Differs(record.identity.id));
        }
        brought.push(record);
    }
    match (stored.len() - brought.len().min(stored.len())) as u64 {
        0 => Ok(brought),
        more => Err(ImportError::HasMore(more)),
    }
}

/// What is left of a snapshot.
struct Pages(std::vec::IntoIter<IdentityRecord>);

#[async_trait]
impl SnapshotPages for Pages {
    async fn next(&mut self, limit: usize) -> Result<Vec<IdentityRecord>, StoreError> {
        Ok(self.0.by_ref().take(limit).collect())
    }
}

fn refuse_if(refused: bool, why: &'static str) -> Result<(), StoreError> {
    if refused { Err(StoreError::Unavailable(why.into())) } else { Ok(()) }
}

/// What follows `last` in an ordered map: the page, before its limit.
fn after<K: Ord, V>(map: &BTreeMap<K, V>, last: Option<K>) -> impl Iterator<Item = (&K, &V)> {
    let start = last.map_or(Bound::Unbounded, Bound::Excluded);
    map.range((start, Bound::Unbounded))
}

fn is_about(event: &AuditEvent, subject: &AuditSubject) -> bool {
    match subject {
        AuditSubject::Identity(id) => event.identity_id.as_ref() == Some(id),
        AuditSubject::AccessKey(id) => event.access_key_id.as_ref() == Some(id),
        AuditSubject::DeveloperUser(user) => event.developer_user_identifier.as_ref() == Some(user),
        AuditSubject::Request(id) => event.request_id == *id,
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn add_pool(&self, pool: &IdentityPool) -> Result<(), StoreError> {
        self.records()?.add_pool(pool)
    }

    async fn find_or_add_configured_pool(
        &self,
        name: &str,
        candidate: &IdentityPool,
    ) -> Result<IdentityPool, StoreError> {
        let mut records = self.records()?;
        let found = records.configured_pools.get(name).and_then(|id| records.pools.get(id));
        if let Some(pool) = found {
            return Ok(pool.clone());
        }
        records.add_pool(candidate)?;
        records.configured_pools.insert(name.to_owned(), candidate.id.clone());
        Ok(candidate.clone())
    }

    async fn lookup_pool(&self, id: &IdentityPoolId) -> Result<Option<IdentityPool>, StoreError> {
        Ok(self.records()?.pools.get(id).cloned())
    }

    async fn list_pools(&self, page: Page<IdentityPoolId>) -> Result<Vec<IdentityPool>, StoreError> {
        let records = self.records()?;
        Ok(after(&records.pools, page.after).map(|(_, pool)| pool.clone()).take(page.limit).collect())
    }

    async fn replace_pool(&self, pool: &IdentityPool) -> Result<ReplaceOutcome, StoreError> {
        Ok(self.records()?.replace_pool(pool))
    }

    async fn delete_pool(&self, id: &IdentityPoolId) -> Result<bool, StoreError> {
        Ok(self.records()?.delete_pool(id))
    }

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

    async fn lookup_identity(&self, id: &IdentityId) -> Result<Option<Identity>, StoreError> {
        Ok(self.records()?.identities.get(id).cloned())
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
    ) -> Result<Option<IdentityId>, StoreError> {
        Ok(self.records()?.owner(pool_id, login).cloned())
    }

    async fn list_logins_of_each(&self, identity_ids: &[IdentityId]) -> Result<Vec<Vec<Login>>, StoreError> {
        let records = self.records()?;
        Ok(identity_ids.iter().map(|id| records.logins_of(id).cloned().collect()).collect())
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
    ) -> Result<Vec<Identity>, StoreError> {
        let records = self.records()?;
        let listed = after(&records.identities, page.after).map(|(_, identity)| identity);
        let listed = listed.filter(|identity| identity.pool_id == *pool_id);
        let listed = listed.filter(|identity| !(identity.disabled && hide_disabled));
        Ok(listed.take(page.limit).cloned().collect())
    }

    async fn snapshot_pool(&self, id: &IdentityPoolId) -> Result<Option<PoolSnapshot>, StoreError> {
        Ok(self.records()?.snapshot(id))
    }

    async fn import_pool(&self, import: PoolImport) -> Result<Imported, ImportError> {
        self.records()?.import(import)
    }

    async fn list_or_add_signing_keys(
        &self,
        candidate: &StoredSigningKey,
    ) -> Result<Vec<StoredSigningKey>, StoreError> {
        let mut records = self.records()?;
        if records.signing_keys.is_empty() {
            records.signing_keys.push(candidate.clone());
        }
        Ok(records.signing_keys.clone())
    }

    async fn list_signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError> {
        Ok(self.records()?.signing_keys.clone())
    }

    async fn find_or_add_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<StoredAccessKey, StoreError> {
        self.records()?.find_or_add_access_key(candidate)
    }

    async fn lookup_access_key(&self, id: &AccessKeyId) -> Result<Option<StoredAccessKey>, StoreError> {
        Ok(self.records()?.access_keys.iter().find(|key| key.id == *id).cloned())
    }

    async fn add_first_access_key(&self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError> {
        self.records()?.add_first_access_key(key)
    }

    async fn add_further_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<AccessKeyOutcome, StoreError> {
        self.records()?.add_further_access_key(candidate)
    }

    async fn list_access_keys(&self) -> Result<Vec<StoredAccessKey>, StoreError> {
        Ok(self.records()?.list_access_keys())
    }

    async fn set_access_key_enabled(
        &self,
        id: &AccessKeyId,
        enabled: bool,
    ) -> Result<AccessKeyOutcome, StoreError> {
        Ok(self.records()?.set_access_key_enabled(id, enabled))
    }

    async fn delete_access_key(&self, id: &AccessKeyId) -> Result<AccessKeyOutcome, StoreError> {
        Ok(self.records()?.delete_access_key(id))
    }

    async fn revoke_sessions(
        &self,
        target: &RevocationTarget,
        clock: Arc<dyn Clock>,
    ) -> Result<Timestamp, StoreError> {
        let mut records = self.records()?;
        let now = clock.now();
        records.revoke(target, now);
        Ok(now)
    }

    async fn standing(&self, identity_id: &IdentityId, role: &RoleName) -> Result<Standing, StoreError> {
        Ok(self.records()?.standing(identity_id, role))
    }

    async fn use_once(&self, name: &str, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.check_knows_all()?;
        let mut records = self.records()?;
        records.used_once.retain(|_, until| *until > now);
        Ok(records.used_once.insert(name.to_owned(), until).is_none())
    }

    async fn add_login_grant(&self, grant: &StoredLoginGrant, now: Timestamp) -> Result<(), StoreError> {
        self.check_knows_all()?;
        let mut records = self.records()?;
        records.login_grants.retain(|_, grant| grant.expires_at > now);
        refuse_if(records.login_grants.contains_key(&grant.code_hash), "the code is taken")?;
        records.login_grants.insert(grant.code_hash.clone(), grant.clone());
        Ok(())
    }

    async fn redeem_login_grant(
        &self,
        code_hash: &str,
        now: Timestamp,
    ) -> Result<Option<StoredLoginGrant>, StoreError> {
        let grant = self.records()?.login_grants.remove(code_hash);
        Ok(grant.filter(|grant| grant.expires_at > now))
    }

    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        keep_newest(&mut self.records()?.audit_events, events, MAX_AUDIT_EVENTS);
        Ok(())
    }

    async fn list_audit_events(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let records = self.records()?;
        let mut events: Vec<_> =
            records.audit_events.iter().rev().filter(|event| is_about(event, about)).cloned().collect();
        // A stable sort: of events of one instant, the one kept last stays first.
        events.sort_by_key(|event| std::cmp::Reverse(event.time));
        events.truncate(limit);
        Ok(events)
    }

    async fn add_unproved_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        keep_newest(&mut self.records()?.unproved_refusals, events, MAX_UNPROVED_REFUSALS);
        Ok(())
    }

    async fn list_unproved_refusals(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let records = self.records()?;
        let found = records.unproved_refusals.iter().rev().filter(|event| is_about(event, about));
        Ok(found.take(limit).cloned().collect())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.records().map(drop)
    }
}

fn keep_newest(kept: &mut VecDeque<AuditEvent>, events: &[AuditEvent], max: usize) {
    kept.extend(events.iter().cloned());
    let surplus = kept.len().saturating_sub(max);
    kept.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::contract_tests!(memory, (Arc::new(MemoryStore::new()), ()));
}
