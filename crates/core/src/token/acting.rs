//! Somebody who acts for somebody else, as a token says it (RFC 8693 section 4.1).

use serde::{Deserialize, Serialize};

use crate::ground::clock::SignedDuration;
use crate::ground::ids::ActorId;

/// So long lives what is handed out to an actor, at most. No STS takes on a role for a shorter time.
pub const ACTING_FOR: SignedDuration = SignedDuration::from_mins(15);

/// The claim `act`: who acts for the subject of the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActClaim {
    /// The actor.
    #[serde(rename = "sub")]
    pub actor: ActorId,
}
