//! A person and their devices: which there are, and how one is signed out, or all of them.

use super::{RefreshError, Sessions, check_key};
use crate::audit::{AuditAction, Requester};
use crate::broker::exchange::PresentedProof;
use crate::broker::session_end;
use crate::ground::ids::SignInSessionId;
use crate::ground::secret::Secret;
use crate::records::sign_in_session::{EndReason, Shown, SignInSession};
use crate::store::{RevocationTarget, StoreError};
use crate::token::dpop::KeyHolder;

impl Sessions {
    /// Ends the session of a refresh token, which may be an old one. Of what is no token of ours, nothing ends. A token that
    /// is bound to a key can be revoked without: clients send no proof here, and who finds a copy should be able to end it.
    ///
    /// # Errors
    /// The store's: the session may go on.
    pub async fn revoke(&self, app: &str, refresh_token: &Secret, by: &Requester) -> Result<(), StoreError> {
        let Some(shown) = self.tokens.read(refresh_token) else { return Ok(()) };
        let session = self.store.find_sign_in_session(&shown.session).await?;
        let Some(session) = session.filter(|session| session.app == app) else { return Ok(()) };
        self.end(&session, EndReason::SignedOut, by).await
    }

    /// The session that a refresh token stands for, without its being spent. One that should not be there any more ends it.
    ///
    /// # Errors
    /// [`RefreshError`].
    pub async fn show(
        &self,
        refresh_token: &Secret,
        holder: Option<&KeyHolder>,
        by: &Requester,
    ) -> Result<SignInSession, RefreshError> {
        self.shown(refresh_token, holder, by).await.map(|(session, _)| session)
    }

    /// The same, and whether the token was replaced a while ago.
    async fn shown(
        &self,
        refresh_token: &Secret,
        holder: Option<&KeyHolder>,
        by: &Requester,
    ) -> Result<(SignInSession, bool), RefreshError> {
        let shown = self.tokens.read(refresh_token).ok_or(RefreshError::Malformed)?;
        let session = self.store.find_sign_in_session(&shown.session).await?;
        let session = session.ok_or(RefreshError::Over(EndReason::Expired))?;
        check_key(&session, holder)?;
        self.check_not_revoked(&session).await?;
        self.check_provider(&session)?;
        let lifetime = self.lifetime(&session.app).ok_or(RefreshError::Over(EndReason::Revoked))?;
        match session.shown(shown.generation, lifetime, self.broker.clock.now()) {
            Shown::Rotated(_) | Shown::Repeated => Ok((session, false)),
            Shown::RepeatedLate(_) => Ok((session, true)),
            Shown::Reused => Err(self.end_of(&session, EndReason::Reused, by).await?),
            Shown::Over(reason) => Err(RefreshError::Over(reason)),
        }
    }

    /// The login that a session rests on, as a proof that whoever shows its refresh token has, and the app that the session
    /// is of. It is for what lasts, so a token that was replaced long ago is none, though a refresh would take it once.
    ///
    /// # Errors
    /// [`RefreshError`].
    pub async fn proof(
        &self,
        refresh_token: &Secret,
        holder: Option<&KeyHolder>,
        by: &Requester,
    ) -> Result<(PresentedProof, String), RefreshError> {
        let looked_at = self.broker.clock.now();
        let (session, is_late) = self.shown(refresh_token, holder, by).await?;
        if is_late {
            return Err(RefreshError::Replaced);
        }
        let login = self.login_of(&session)?;
        let owner = self.broker.pool.lookup(login.developer_user_identifier()).await?;
        // What a session rests on may have been taken away since.
        let is_still_theirs = owner.iter().any(|(_, id)| *id == session.identity_id);
        if is_still_theirs {
            Ok((PresentedProof::OfSession { login, session: session.id, looked_at }, session.app))
        } else {
            Err(RefreshError::Over(EndReason::LoginUnlinked))
        }
    }

    /// The sessions of the person whose session this is: those that go on, the newest first.
    ///
    /// # Errors
    /// The store's, and the pool's.
    pub async fn list(&self, of: &SignInSession) -> Result<Vec<SignInSession>, RefreshError> {
        let revoked_until = self.revoked_until(&of.identity_id).await?;
        let mut sessions = self.store.list_sign_in_sessions(&of.identity_id, self.broker.clock.now()).await?;
        sessions.retain(|session| revoked_until.is_none_or(|until| session.created_at > until));
        Ok(sessions)
    }

    /// Ends a session of the person whose session this is. `false`: they have no such one.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_one(
        &self,
        of: &SignInSession,
        id: &SignInSessionId,
        by: &Requester,
    ) -> Result<bool, StoreError> {
        let session = self.store.find_sign_in_session(id).await?;
        let Some(session) = session.filter(|session| session.identity_id == of.identity_id) else {
            return Ok(false);
        };
        self.end(&session, EndReason::SignedOut, by).await?;
        Ok(true)
    }

    /// Ends all sessions of a person, and whatever was issued to them until now.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_all(&self, of: &SignInSession, by: &Requester) -> Result<(), StoreError> {
        let target = RevocationTarget::Identity(of.identity_id.clone());
        self.store.revoke_sessions(&target, self.broker.clock.clone()).await?;
        let mut draft = session_end::draft_of(AuditAction::SignOut, of, by);
        draft.resource = Some("all sessions".to_owned());
        self.broker.trail.allowed(draft).await
    }
}
