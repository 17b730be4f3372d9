//! What a store keeps of sessions that ended early.

use std::sync::Arc;

use async_trait::async_trait;

use crate::ground::clock::{Clock, Timestamp};
use crate::ground::ids::{IdentityId, RoleName, SignInSessionId};
use crate::records::identity::{Identity, Login};
use crate::store::StoreError;

/// Whose sessions end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationTarget {
    /// All sessions of one identity, whatever the role.
    Identity(IdentityId),
    /// All sessions of one role, whoever took it on.
    Role(RoleName),
    /// All sessions there are.
    Everybody,
}

/// What the store says of an identity and a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The identity, if there is one.
    pub identity: Option<Identity>,
    /// Its logins, in order.
    pub logins: Vec<Login>,
    /// The latest of the instants up to which sessions of the identity, of the role and of everybody are revoked.
    pub revoked_until: Option<Timestamp>,
    /// The session of somebody who signed in that was asked about, if it is there and nothing ended it before its time.
    pub session: Option<SignInSessionId>,
}

/// Sessions that ended early.
#[async_trait]
pub trait Revocations: Send + Sync {
    /// Ends all sessions of the target that rest on a token from until now, and says when that was. The instant is
    /// drawn within the change, when no other can come in between any more: drawn before, it would spare what was
    /// issued while the change waited for its turn. A later instant that was kept before stays.
    async fn revoke_sessions(
        &self,
        target: &RevocationTarget,
        clock: Arc<dyn Clock>,
    ) -> Result<Timestamp, StoreError>;

    /// What rests on this identity, in a role and in a session of somebody who signed in where there are, as it stands at this
    /// moment.
    async fn standing(
        &self,
        identity_id: &IdentityId,
        role: Option<&RoleName>,
        session: Option<&SignInSessionId>,
    ) -> Result<Standing, StoreError>;
}
