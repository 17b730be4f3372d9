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
        let of_identity = keys::revocation(&RevocationTarget::Identity(identity_id.clone()));
        let revocations = [of_identity, keys::revocation(&RevocationTarget::Everybody)];
        let mut places = vec![keys::identity(identity_id)];
        places.extend(session.map(keys::session));
        places.extend(revocations.into_iter().chain(role.map(keys::revoked_role)));
        let items = self.read_items(&places).await?;
        let mut found = places.into_iter().zip(items);
        let identity: Found<IdentityRecord> = self.next_found(&mut found)?;
        let running = match session {
            Some(id) => self.running(id, &self.next_found(&mut found)?, identity_id, &identity).await?,
            None => None,
        };
        let mut untils = Vec::new();
        for (key, item) in found {
            untils.extend(self.found::<RevocationRecord>(key, item)?.record.map(|it| it.not_before.0));
        }
        let living = self.living(&identity).await?;
        Ok(Standing {
            identity: living.as_ref().map(|record| record.identity(identity_id)),
            logins: living.map(|record| record.logins()).unwrap_or_default(),
            revoked_until: untils.into_iter().max(),
            session: running,
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

    /// The session, if it is there and nothing ended it. Whose it is was read with it, unless it began with somebody who was merged.
    async fn running(
        &self,
        id: &SignInSessionId,
        found: &Found<SessionRecord>,
        identity_id: &IdentityId,
        identity: &Found<IdentityRecord>,
    ) -> Result<Option<SignInSessionId>, StoreError> {
        let Some(record) = &found.record else { return Ok(None) };
        let session = record.clone().session(id);
        let goes_on = |it: &IdentityRecord| it.merged_into.is_none() && !it.erased;
        let is_theirs = session.identity_id == *identity_id && identity.record.as_ref().is_some_and(goes_on);
        let session = if is_theirs { Some(session) } else { self.followed(session).await? };
        Ok(session.filter(|session| session.ended.is_none()).map(|session| session.id))
    }
}
