//! The plainest store: maps behind one lock, gone with the process. It shows what each question means,
//! passes the same contract as the others, and is what tests use that care about something else.

mod audit_events;
mod audit_exports;
mod device_authorizations;
mod identities;
mod keys;
mod once;
mod pools;
mod revocations;
mod seals;
mod sign_in_sessions;
mod transfer;

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId, RoleName, SignInSessionId};
use crate::records::audit_event::AuditEvent;
use crate::records::device_authorization::DeviceAuthorization;
use crate::records::identity::{Identity, IdentityPool, Login};
use crate::records::sign_in_session::SignInSession;
use crate::store::{
    AnnouncedMasterKey, ExportPosition, KeptEvent, Store, StoreError, StoredAccessKey, StoredLoginGrant,
    StoredSigningKey,
};

/// A store that forgets everything when it is dropped.
#[derive(Default)]
pub struct MemoryStore {
    records: Mutex<Records>,
    /// Whether other processes with stores of their own serve the same people.
    is_unshared: bool,
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
    sign_in_sessions: BTreeMap<SignInSessionId, SignInSession>,
    device_authorizations: BTreeMap<String, DeviceAuthorization>,
    /// The one that was announced last is the first.
    master_keys: Vec<AnnouncedMasterKey>,
    audit_events: VecDeque<KeptEvent>,
    unproved_refusals: VecDeque<AuditEvent>,
    export_positions: BTreeMap<String, ExportPosition>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store of one process among many, which share nothing. It cannot tell what the others have seen, so that nothing counts once
    /// here, and no login can wait for its app: both are refused.
    #[must_use]
    pub fn unshared() -> Self {
        Self { is_unshared: true, ..Self::default() }
    }

    fn check_knows_all(&self) -> Result<(), StoreError> {
        let reason =
            "each process has a memory of its own: what counts once needs a store that all of them share";
        refuse_if(self.is_unshared, reason)
    }

    /// A change that was interrupted by a panic may be half made, and is not to be built upon.
    fn records(&self) -> Result<MutexGuard<'_, Records>, StoreError> {
        self.records
            .lock()
            .map_err(|_| StoreError::Unavailable("a thread panicked while it held the store".into()))
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

#[async_trait]
impl Store for MemoryStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.records().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    crate::contract_tests!(memory, (Arc::new(MemoryStore::new()), ()));
}
