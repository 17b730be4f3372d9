//! What a store keeps of the sessions of people who signed in.

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, SignInSessionId};
use crate::records::sign_in_session::{SessionEnd, SignInSession};
use crate::store::StoreError;

/// So many sessions of one person are listed at most, the newest.
pub const MAX_LISTED_SESSIONS: usize = 100;

/// Sessions of people who signed in.
#[async_trait]
pub trait SignInSessions: Send + Sync {
    /// Keeps a new session. Sessions that may be forgotten by now ([`SignInSession::forgotten_at`]) may be.
    async fn add_sign_in_session(&self, session: &SignInSession, now: Timestamp) -> Result<(), StoreError>;

    /// A session, be it over.
    async fn find_sign_in_session(&self, id: &SignInSessionId) -> Result<Option<SignInSession>, StoreError>;

    /// Puts `to` in the place of a session, if it still is as it was read ([`SignInSession::is_still`]), and answers
    /// whether it was. Of all who have read the same, one is answered `true`. A login that is the same in both stays as it
    /// is kept: it may have been sealed anew meanwhile ([`Seals::reseal`](crate::store::Seals::reseal)).
    async fn replace_sign_in_session(
        &self,
        from: &SignInSession,
        to: &SignInSession,
    ) -> Result<bool, StoreError>;

    /// Ends a session, and answers whether it was this that ended it. The first end stays.
    async fn end_sign_in_session(&self, id: &SignInSessionId, end: SessionEnd) -> Result<bool, StoreError>;

    /// The sessions of an identity that are not over at `now`, the newest first, [`MAX_LISTED_SESSIONS`] at most.
    async fn list_sign_in_sessions(
        &self,
        identity_id: &IdentityId,
        now: Timestamp,
    ) -> Result<Vec<SignInSession>, StoreError>;

    /// When the last of those sessions ends, if nobody uses it, whose refresh token was made before `then`, and that are not
    /// over at `now`.
    async fn last_end_of_sessions(
        &self,
        then: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;
}
