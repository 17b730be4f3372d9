//! Up to which instant sessions are void, and what else they rest on.

use std::sync::Arc;

use async_trait::async_trait;

use super::attempts::Decided;
use super::records::{IdentityRecord, Millis, RevocationRecord, SessionRecord};
use super::{Found, ItemStore, keys};
use crate::ground::clock::{Clock, Timestamp};
use crate::ground::ids::{IdentityId, RoleName, SignInSessionId};
use crate::store::{RevocationTarget, Revocations, Standing, StoreError};

#[async_trait]
impl Revocations for ItemStore {
    /// Twice: whoever is issued something before the first is committed has an instant between the two, and whoever comes after
    /// the second is drawn meets the first.
    async fn revoke_sessions(
        &self,
        target: &RevocationTarget,
        clock: Arc<dyn Clock>,
    ) -> Result<Timestamp, StoreError> {
        self.void_until(target, clock.now()).await?;
        let now = clock.now();
        self.void_until(target, now).await?;
        Ok(now)
    }

    async fn standing(
        &self,
        identity_id: &IdentityId,
        role: Option<&RoleName>,
        session: Option<&SignInSessionId>,
    ) -> Result<Standing, StoreError> {
        let identity: Found<IdentityRecord> = self.read(keys::identity(identity_id)).await?;
        let living = self.living(&identity).await?;
        let of_identity = keys::revocation(&RevocationTarget::Identity(identity_id.clone()));
        let revocations = [of_identity, keys::revocation(&RevocationTarget::Everybody)];
        let revocations = revocations.into_iter().chain(role.map(keys::revoked_role)).collect();
        let revocations: Vec<Found<RevocationRecord>> = self.read_all(revocations).await?;
        let untils = revocations.into_iter().filter_map(|found| Some(found.record?.not_before.0));
        Ok(Standing {
            identity: living.as_ref().map(|record| record.identity(identity_id)),
            logins: living.map(|record| record.logins()).unwrap_or_default(),
            revoked_until: untils.max(),
            session: self.running(session).await?,
        })
    }
}

impl ItemStore {
    /// Rounds up: cut to the millisecond, the instant would spare a session issued within that millisecond.
    async fn void_until(&self, target: &RevocationTarget, instant: Timestamp) -> Result<(), StoreError> {
        let not_before = Millis::not_before(instant);
        self.ask(|| async {
            let found: Found<RevocationRecord> = self.read(keys::revocation(target)).await?;
            if found.record.as_ref().is_some_and(|kept| kept.not_before >= not_before) {
                return Ok(Decided::Answer(()));
            }
            Ok(Decided::change(vec![found.put(&RevocationRecord { not_before })?], ()))
        })
        .await
    }

    async fn running(&self, id: Option<&SignInSessionId>) -> Result<Option<SignInSessionId>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let found: Found<SessionRecord> = self.read(keys::session(id)).await?;
        let Some(record) = found.record else { return Ok(None) };
        let session = self.followed(record.session(id)).await?;
        Ok(session.filter(|session| session.ended.is_none()).map(|session| session.id))
    }
}
