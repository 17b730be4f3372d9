//! Sessions of people who signed in. A session stays with the identity that it began with; whoever reads it follows that to
//! the one that it was merged into.

use async_trait::async_trait;

use super::attempts::Decided;
use super::engine::{Change, Guard, Key};
use super::pools::corrupt;
use super::records::{IdentityRecord, ListedRecord, Millis, RevocationRecord, SessionRecord};
use super::{Found, ItemStore, keys, put_new, refused};
use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, SignInSessionId};
use crate::records::sign_in_session::{EndReason, REMEMBERED_FOR, SessionEnd, SignInSession};
use crate::store::sign_in_sessions::MAX_LISTED_SESSIONS;
use crate::store::{RevocationTarget, SignInSessions, StoreError};

/// As many sessions are read at once.
const AT_ONCE: usize = 100;

/// Merges of merges that are followed. Each takes an identity with a login of its own.
const MAX_FOLLOWED: usize = 32;

#[async_trait]
impl SignInSessions for ItemStore {
    async fn add_sign_in_session(&self, session: &SignInSession, now: Timestamp) -> Result<(), StoreError> {
        self.forget(now).await;
        self.ask(|| async {
            let found: Found<SessionRecord> = self.read(keys::session(&session.id)).await?;
            if found.is_there() {
                return Err(refused("the session ID is taken"));
            }
            let mut changes = vec![found.put(&session.into())?];
            for key in [listing_of(session), keys::sealed_session(&session.id, self.engine.shards())] {
                changes.push(put_new(key, &listed(session))?);
            }
            Ok(Decided::change(changes, ()))
        })
        .await
    }

    async fn find_sign_in_session(&self, id: &SignInSessionId) -> Result<Option<SignInSession>, StoreError> {
        let found: Found<SessionRecord> = self.read(keys::session(id)).await?;
        match found.record {
            Some(record) => self.followed(record.session(id)).await,
            None => Ok(None),
        }
    }

    async fn replace_sign_in_session(
        &self,
        from: &SignInSession,
        to: &SignInSession,
    ) -> Result<bool, StoreError> {
        self.ask(|| async {
            let found: Found<SessionRecord> = self.read(keys::session(&from.id)).await?;
            let Some(record) = &found.record else { return Ok(Decided::Answer(false)) };
            let Some(kept) = self.followed(record.session(&from.id)).await? else {
                return Ok(Decided::Answer(false));
            };
            if !kept.is_still(from) {
                return Ok(Decided::Answer(false));
            }
            let login = if from.login == to.login { &kept.login } else { &to.login };
            let mut next = SignInSession { login: login.clone(), ..to.clone() };
            let mut changes = Vec::new();
            if [&from.identity_id, &record.identity].contains(&&to.identity_id) {
                // It stays with the one that it is listed under, which may have been merged into that.
                next.identity_id = record.identity.clone();
            } else {
                let before = SignInSession { identity_id: record.identity.clone(), ..next.clone() };
                let before: Found<ListedRecord> = self.read(listing_of(&before)).await?;
                changes.extend(before.is_there().then(|| before.delete()));
                changes.push(put_new(listing_of(&next), &listed(&next))?);
            }
            changes.push(found.put(&SessionRecord::from(&next))?);
            Ok(Decided::change_once(changes, true))
        })
        .await
    }

    async fn end_sign_in_session(&self, id: &SignInSessionId, end: SessionEnd) -> Result<bool, StoreError> {
        self.ask(|| async {
            let found: Found<SessionRecord> = self.read(keys::session(id)).await?;
            let Some(record) = &found.record else { return Ok(Decided::Answer(false)) };
            let running = self.followed(record.session(id)).await?.is_some_and(|it| it.ended.is_none());
            if !running {
                return Ok(Decided::Answer(false));
            }
            let ended = SessionRecord { ended: Some((Millis(end.at), end.reason)), ..record.clone() };
            Ok(Decided::change_once(vec![found.put(&ended)?], true))
        })
        .await
    }

    async fn list_sign_in_sessions(
        &self,
        identity_id: &IdentityId,
        now: Timestamp,
    ) -> Result<Vec<SignInSession>, StoreError> {
        let found: Found<IdentityRecord> = self.read(keys::identity(identity_id)).await?;
        let absorbed = found.record.filter(|it| !it.erased).map(|it| it.absorbed).unwrap_or_default();
        let mut running = Vec::new();
        for id in [identity_id].into_iter().chain(&absorbed) {
            let mut after = None;
            let mut of_identity = Vec::new();
            while of_identity.len() < MAX_LISTED_SESSIONS {
                let (ids, last) = self.session_ids_after(id, after.as_deref()).await?;
                let Some(last) = last else { break };
                after = Some(last);
                for session in self.sessions(&ids).await? {
                    let is_theirs = session.identity_id == *identity_id;
                    of_identity.extend((is_theirs && session.over_at(now).is_none()).then_some(session));
                }
            }
            running.append(&mut of_identity);
        }
        running.sort_by_key(|session| (std::cmp::Reverse(session.created_at), session.id.clone()));
        running.truncate(MAX_LISTED_SESSIONS);
        Ok(running)
    }

    async fn last_end_of_sessions(
        &self,
        then: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut last = None;
        let mut after = None;
        loop {
            let ids = self.all_session_ids(after.as_ref(), AT_ONCE).await?;
            let Some(newest) = ids.last() else { return Ok(last) };
            after = Some(newest.clone());
            for session in self.sessions(&ids).await? {
                if session.rotated_at < then && session.over_at(now).is_none() {
                    last = last.max(Some(session.expires_at()));
                }
            }
        }
    }
}

impl ItemStore {
    /// A session as it is by the identity that it belongs to now: nobody asks about the revocation of one that was merged.
    /// `None` if the identity was deleted.
    pub(super) async fn followed(
        &self,
        mut session: SignInSession,
    ) -> Result<Option<SignInSession>, StoreError> {
        for _ in 0..MAX_FOLLOWED {
            let found: Found<IdentityRecord> = self.read(keys::identity(&session.identity_id)).await?;
            // It may be in a pool elsewhere.
            let Some(record) = found.record else { return Ok(Some(session)) };
            let Some(survivor) = record.merged_into.clone() else {
                // One whose pool is gone stands, as long as nobody has purged it.
                return Ok((!record.erased).then_some(session));
            };
            let target = RevocationTarget::Identity(session.identity_id.clone());
            let revoked: Found<RevocationRecord> = self.read(keys::revocation(&target)).await?;
            let until = revoked.record.map(|record| record.not_before.0);
            if session.ended.is_none() && until.is_some_and(|until| session.created_at <= until) {
                let at = record.modified_at();
                session.ended = Some(SessionEnd { at, reason: EndReason::Revoked });
            }
            session.identity_id = survivor;
        }
        Ok(Some(session))
    }

    async fn sessions(&self, ids: &[SignInSessionId]) -> Result<Vec<SignInSession>, StoreError> {
        let found: Vec<Found<SessionRecord>> = self.read_all(ids.iter().map(keys::session).collect()).await?;
        let mut sessions = Vec::with_capacity(found.len());
        for (id, found) in ids.iter().zip(found) {
            if let Some(record) = found.record {
                sessions.extend(self.followed(record.session(id)).await?);
            }
        }
        Ok(sessions)
    }

    /// Sessions that began with an identity, and where the next page begins.
    async fn session_ids_after(
        &self,
        identity: &IdentityId,
        after: Option<&[u8]>,
    ) -> Result<(Vec<SignInSessionId>, Option<Vec<u8>>), StoreError> {
        let page = self.page::<ListedRecord>(&keys::sessions_of(identity), after, AT_ONCE).await?;
        let last = page.last().map(|(sort, _)| sort.clone());
        let ids = page.into_iter().map(|(sort, _)| session_id(&sort)).collect::<Result<_, _>>()?;
        Ok((ids, last))
    }

    /// All sessions, in the order of their IDs.
    pub(super) async fn all_session_ids(
        &self,
        after: Option<&SignInSessionId>,
        limit: usize,
    ) -> Result<Vec<SignInSessionId>, StoreError> {
        let shards: Vec<Vec<u8>> = (0..self.engine.shards()).map(keys::sealed_sessions).collect();
        let after = after.map(SignInSessionId::to_bytes);
        let ids = self.sorted_page(&shards, after.as_ref().map(|id| &id[..]), limit).await?;
        ids.iter().map(|id| session_id(id)).collect()
    }

    pub(super) async fn delete_sessions_of(&self, identity: &IdentityId) -> Result<(), StoreError> {
        loop {
            let page = self.page::<ListedRecord>(&keys::sessions_of(identity), None, AT_ONCE).await?;
            if page.is_empty() {
                return Ok(());
            }
            for (_, listed) in &page {
                self.delete_session(listed).await?;
            }
        }
    }

    /// Deletes what there is of a session that is listed.
    async fn delete_session(&self, listed: &Found<ListedRecord>) -> Result<(), StoreError> {
        let id = session_id(&listed.key.sort)?;
        self.ask(|| async {
            let session: Found<SessionRecord> = self.read(keys::session(&id)).await?;
            let sealed = keys::sealed_session(&id, self.engine.shards());
            let listings: Vec<Found<ListedRecord>> = self.read_all(vec![listed.key.clone(), sealed]).await?;
            // What is over, and not gone yet, would be found again.
            let mut changes: Vec<Change> =
                listings.iter().filter(|it| it.guard != Guard::Absent).map(Found::delete).collect();
            changes.extend((session.guard != Guard::Absent).then(|| session.delete()));
            Ok(if changes.is_empty() { Decided::Answer(()) } else { Decided::change(changes, ()) })
        })
        .await
    }
}

/// Where a session is among those of its identity.
pub(super) fn listing_of(session: &SignInSession) -> Key {
    keys::session_of(&session.identity_id, session.created_at.as_millisecond(), &session.id)
}

/// That it is there. Nothing lengthens its life past that end.
pub(super) fn listed(session: &SignInSession) -> ListedRecord {
    ListedRecord {
        until: Some(Millis(session.ends_at.saturating_add(REMEMBERED_FOR).unwrap_or(session.ends_at))),
    }
}

/// The ID at the end of a sort key.
fn session_id(sort: &[u8]) -> Result<SignInSessionId, StoreError> {
    let (_, id) = sort.split_last_chunk::<16>().ok_or_else(|| {
        corrupt(std::io::Error::new(std::io::ErrorKind::InvalidData, "a listing has no session ID in it"))
    })?;
    Ok(SignInSessionId::of_bytes(*id))
}
