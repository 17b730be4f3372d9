//! Revocations in memory.

use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryStore, Records};
use crate::ground::clock::{Clock, Timestamp};
use crate::ground::ids::{IdentityId, RoleName, SignInSessionId};
use crate::store::{RevocationTarget, Revocations, Standing, StoreError};

#[async_trait]
impl Revocations for MemoryStore {
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

    async fn standing(
        &self,
        identity_id: &IdentityId,
        role: Option<&RoleName>,
        session: Option<&SignInSessionId>,
    ) -> Result<Standing, StoreError> {
        Ok(self.records()?.standing(identity_id, role, session))
    }
}

impl Records {
    fn standing(
        &self,
        identity_id: &IdentityId,
        role: Option<&RoleName>,
        session: Option<&SignInSessionId>,
    ) -> Standing {
        let of_identity = self.revoked_identities.get(identity_id).copied();
        let of_role = role.and_then(|role| self.revoked_roles.get(role)).copied();
        let session = session.and_then(|id| self.sign_in_sessions.get(id));
        Standing {
            identity: self.identities.get(identity_id).cloned(),
            logins: self.logins_of(identity_id).cloned().collect(),
            revoked_until: of_identity.max(of_role).max(self.revoked_everybody),
            session: session.filter(|session| session.ended.is_none()).map(|session| session.id.clone()),
        }
    }

    pub(super) fn revoke(&mut self, target: &RevocationTarget, not_before: Timestamp) {
        let until = match target {
            RevocationTarget::Identity(id) => self.revoked_identities.entry(id.clone()).or_insert(not_before),
            RevocationTarget::Role(name) => self.revoked_roles.entry(name.clone()).or_insert(not_before),
            RevocationTarget::Everybody => self.revoked_everybody.get_or_insert(not_before),
        };
        *until = not_before.max(*until);
    }
}
