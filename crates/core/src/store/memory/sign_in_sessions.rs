//! Sessions of people who signed in, in memory.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::{MemoryStore, Records, refuse_if};
use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, SignInSessionId};
use crate::records::sign_in_session::{EndReason, SessionEnd, SignInSession};
use crate::store::sign_in_sessions::MAX_LISTED_SESSIONS;
use crate::store::{SignInSessions, StoreError};

#[async_trait]
impl SignInSessions for MemoryStore {
    async fn add_sign_in_session(&self, session: &SignInSession, now: Timestamp) -> Result<(), StoreError> {
        self.check_knows_all()?;
        let mut records = self.records()?;
        records.sign_in_sessions.retain(|_, session| session.forgotten_at() > now);
        refuse_if(records.sign_in_sessions.contains_key(&session.id), "the session ID is taken")?;
        records.sign_in_sessions.insert(session.id.clone(), session.clone());
        Ok(())
    }

    async fn find_sign_in_session(&self, id: &SignInSessionId) -> Result<Option<SignInSession>, StoreError> {
        Ok(self.records()?.sign_in_sessions.get(id).cloned())
    }

    async fn replace_sign_in_session(
        &self,
        from: &SignInSession,
        to: &SignInSession,
    ) -> Result<bool, StoreError> {
        let mut records = self.records()?;
        let kept = records.sign_in_sessions.get_mut(&from.id).filter(|kept| kept.is_still(from));
        Ok(kept.map(|kept| kept.take_on(from, to)).is_some())
    }

    async fn end_sign_in_session(&self, id: &SignInSessionId, end: SessionEnd) -> Result<bool, StoreError> {
        let mut records = self.records()?;
        let running = records.sign_in_sessions.get_mut(id).filter(|session| session.ended.is_none());
        Ok(running.map(|session| session.ended = Some(end)).is_some())
    }

    async fn list_sign_in_sessions(
        &self,
        identity_id: &IdentityId,
        now: Timestamp,
    ) -> Result<Vec<SignInSession>, StoreError> {
        let records = self.records()?;
        let of_identity = records.sign_in_sessions.values().filter(|it| it.identity_id == *identity_id);
        let mut running: Vec<_> = of_identity.filter(|it| it.over_at(now).is_none()).cloned().collect();
        running.sort_by_key(|session| (Reverse(session.created_at), session.id.clone()));
        running.truncate(MAX_LISTED_SESSIONS);
        Ok(running)
    }

    async fn last_end_of_sessions(
        &self,
        then: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let records = self.records()?;
        let before = records.sign_in_sessions.values().filter(|it| it.rotated_at < then);
        Ok(before.filter(|it| it.over_at(now).is_none()).map(SignInSession::expires_at).max())
    }
}

impl SignInSession {
    fn take_on(&mut self, from: &Self, to: &Self) {
        let login = if from.login == to.login { &self.login } else { &to.login };
        *self = Self { login: login.clone(), ..to.clone() };
    }
}

impl Records {
    /// Those that began until the first identity was revoked are over: nobody asks about its revocation any more.
    pub(super) fn move_sign_in_sessions(&mut self, from: &IdentityId, to: &IdentityId, now: Timestamp) {
        let revoked_until = self.revoked_identities.get(from).copied();
        let revoked = Some(SessionEnd { at: now, reason: EndReason::Revoked });
        for session in self.sign_in_sessions.values_mut().filter(|session| session.identity_id == *from) {
            if revoked_until.is_some_and(|until| session.created_at <= until) {
                session.ended = session.ended.or(revoked);
            }
            session.identity_id = to.clone();
        }
    }
}
