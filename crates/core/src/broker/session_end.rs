//! The end of a session before its time, and what the trail hears of sessions.

use crate::audit::{AuditAction, AuditDraft, AuditTrail, Grounds, Requester};
use crate::records::sign_in_session::{SessionEnd, SignInSession};
use crate::store::{Store, StoreError};

/// Ends a session, if nothing ended it before.
///
/// # Errors
/// The store's.
pub(super) async fn end(
    store: &dyn Store,
    trail: &AuditTrail,
    session: &SignInSession,
    end: SessionEnd,
    by: &Requester,
) -> Result<(), StoreError> {
    if !store.end_sign_in_session(&session.id, end).await? {
        return Ok(());
    }
    let grounds = Grounds::new(end.reason.name(), "the session has ended");
    trail.noted(draft_of(AuditAction::SignOut, session, by), grounds).await
}

/// What the trail says of a session.
pub(super) fn draft_of(action: AuditAction, session: &SignInSession, by: &Requester) -> AuditDraft {
    let mut draft = AuditDraft::by(action, by);
    draft.signed();
    draft.provider = Some(session.provider.clone());
    draft.identity_id = Some(session.identity_id.clone());
    draft.resource = Some(format!("session {}", session.id));
    draft
}
