//! The plainest store: maps behind one lock, gone with the process. It shows what each question means,
//! passes the same contract as the others, and is what tests use that care about something else.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use super::{
    AccessKeyOutcome, DeveloperLogin, DeveloperLoginOutcome, MAX_ENABLED_ACCESS_KEYS, Page, RevocationTarget,
    Store, StoreError, StoredAccessKey, StoredSigningKey,
};
use crate::audit::{AuditEvent, AuditSubject};
use crate::clock::Timestamp;
use crate::identity::{Identity, IdentityPool, PoolRoles};
use crate::ids::{AccessKeyId, IdentityId, IdentityPoolId, RoleName, UserName};

/// A store that forgets everything when it is dropped.
#[derive(Default)]
pub struct MemoryStore(Mutex<Records>);

#[derive(Default)]
struct Records {
    pools: BTreeMap<IdentityPoolId, IdentityPool>,
    configured_pools: BTreeMap<String, IdentityPoolId>,
    identities: BTreeMap<IdentityId, Identity>,
    developer_logins: BTreeMap<(IdentityPoolId, String), IdentityId>,
    signing_keys: Vec<StoredSigningKey>,
    access_keys: Vec<StoredAccessKey>,
    revoked_identities: BTreeMap<IdentityId, Timestamp>,
    revoked_roles: BTreeMap<RoleName, Timestamp>,
    audit_events: Vec<AuditEvent>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A change that was interrupted by a panic may be half made, and is not to be built upon.
    fn records(&self) -> Result<MutexGuard<'_, Records>, StoreError> {
        self.0.lock().map_err(|_| StoreError::Unavailable("a thread panicked while it held the store".into()))
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

    fn resolve(&mut self, login: &DeveloperLogin) -> Result<DeveloperLoginOutcome, StoreError> {
        match &login.identity_id {
            Some(named) => Ok(self.resolve_to(login, named)),
            None => match self.owner(login) {
                Some(owner) if owner.disabled => Ok(DeveloperLoginOutcome::Disabled(owner.id)),
                Some(owner) => Ok(DeveloperLoginOutcome::Known(owner)),
                None => self.create(login).map(DeveloperLoginOutcome::Created),
            },
        }
    }

    fn resolve_to(&mut self, login: &DeveloperLogin, named: &IdentityId) -> DeveloperLoginOutcome {
        let identity = self.identities.get(named).filter(|identity| identity.pool_id == login.pool_id);
        let Some(identity) = identity.cloned() else { return DeveloperLoginOutcome::UnknownIdentity };
        if identity.disabled {
            return DeveloperLoginOutcome::Disabled(identity.id);
        }
        match self.owner(login) {
            Some(owner) if owner.id == identity.id => DeveloperLoginOutcome::Known(owner),
            Some(_) => DeveloperLoginOutcome::AlreadyRegistered,
            None if identity.authenticated => DeveloperLoginOutcome::NotAmongItsLogins,
            None => DeveloperLoginOutcome::Linked(self.link(login, identity)),
        }
    }

    fn owner(&self, login: &DeveloperLogin) -> Option<Identity> {
        let id = self.developer_logins.get(&login_key(login))?;
        self.identities.get(id).cloned()
    }

    fn create(&mut self, login: &DeveloperLogin) -> Result<Identity, StoreError> {
        let identity = self.add_identity(&login.pool_id, &login.new_identity_id, true, login.now)?;
        self.developer_logins.insert(login_key(login), identity.id.clone());
        Ok(identity)
    }

    fn link(&mut self, login: &DeveloperLogin, guest: Identity) -> Identity {
        let linked = Identity { authenticated: true, modified_at: login.now, ..guest };
        self.developer_logins.insert(login_key(login), linked.id.clone());
        self.identities.insert(linked.id.clone(), linked.clone());
        linked
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

    fn revoke(&mut self, target: &RevocationTarget, not_before: Timestamp) {
        let until = match target {
            RevocationTarget::Identity(id) => self.revoked_identities.entry(id.clone()).or_insert(not_before),
            RevocationTarget::Role(name) => self.revoked_roles.entry(name.clone()).or_insert(not_before),
        };
        *until = not_before.max(*until);
    }
}

fn login_key(login: &DeveloperLogin) -> (IdentityPoolId, String) {
    (login.pool_id.clone(), login.developer_user_identifier.clone())
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

    async fn set_pool_roles(&self, id: &IdentityPoolId, roles: &PoolRoles) -> Result<bool, StoreError> {
        let mut records = self.records()?;
        let Some(pool) = records.pools.get_mut(id) else { return Ok(false) };
        pool.roles = roles.clone();
        Ok(true)
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

    async fn resolve_developer_login(
        &self,
        login: &DeveloperLogin,
    ) -> Result<DeveloperLoginOutcome, StoreError> {
        self.records()?.resolve(login)
    }

    async fn find_identity_by_developer_user(
        &self,
        pool_id: &IdentityPoolId,
        developer_user_identifier: &str,
    ) -> Result<Option<IdentityId>, StoreError> {
        let key = (pool_id.clone(), developer_user_identifier.to_owned());
        Ok(self.records()?.developer_logins.get(&key).cloned())
    }

    async fn list_developer_users(
        &self,
        identity_id: &IdentityId,
        page: Page<String>,
    ) -> Result<Vec<String>, StoreError> {
        let records = self.records()?;
        let users = records.developer_logins.iter().filter(|(_, owner)| *owner == identity_id);
        let users = users.map(|((_, user), _)| user).filter(|user| page.after.as_ref() < Some(*user));
        Ok(users.take(page.limit).cloned().collect())
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
        not_before: Timestamp,
    ) -> Result<(), StoreError> {
        self.records()?.revoke(target, not_before);
        Ok(())
    }

    async fn sessions_revoked_until(
        &self,
        identity_id: &IdentityId,
        role: &RoleName,
    ) -> Result<Option<Timestamp>, StoreError> {
        let records = self.records()?;
        let of_identity = records.revoked_identities.get(identity_id).copied();
        Ok(of_identity.max(records.revoked_roles.get(role).copied()))
    }

    async fn add_audit_event(&self, event: &AuditEvent) -> Result<(), StoreError> {
        self.records()?.audit_events.push(event.clone());
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

    async fn ping(&self) -> Result<(), StoreError> {
        self.records().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::random::SeededRandom;

    crate::contract_tests!(memory, (Arc::new(MemoryStore::new()), ()));

    /// A store whose one identity, which the user `ada` belongs to, is disabled.
    fn with_a_disabled_identity() -> (MemoryStore, DeveloperLogin) {
        let (random, region) = (SeededRandom::new(1), crate::ids::Region::parse("us-east-1").unwrap());
        let pool = IdentityPool {
            id: IdentityPoolId::generate(&region, &random),
            settings: crate::identity::PoolSettings::default(),
            roles: PoolRoles::default(),
        };
        let login = DeveloperLogin {
            pool_id: pool.id.clone(),
            developer_user_identifier: "ada".to_owned(),
            identity_id: None,
            new_identity_id: IdentityId::generate(&region, &random),
            now: Timestamp::UNIX_EPOCH,
        };
        let store = MemoryStore::new();
        let mut records = store.records().unwrap();
        records.add_pool(&pool).unwrap();
        records.create(&login).unwrap();
        records.identities.get_mut(&login.new_identity_id).unwrap().disabled = true;
        drop(records);
        (store, login)
    }

    #[tokio::test]
    async fn a_disabled_identity_is_refused_and_can_be_hidden() {
        let (store, login) = with_a_disabled_identity();
        let disabled = login.new_identity_id.clone();
        let named = DeveloperLogin { identity_id: Some(disabled.clone()), ..login.clone() };
        for login in [&login, &named] {
            let outcome = store.resolve_developer_login(login).await.unwrap();
            assert_eq!(outcome, DeveloperLoginOutcome::Disabled(disabled.clone()));
        }
        let page = Page { after: None, limit: 60 };
        assert_eq!(store.list_identities(&login.pool_id, false, page.clone()).await.unwrap().len(), 1);
        assert_eq!(store.list_identities(&login.pool_id, true, page).await.unwrap(), []);
    }
}
