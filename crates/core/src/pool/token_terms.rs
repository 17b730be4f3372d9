//! What whoever asks for a token may say about it.

use std::collections::BTreeMap;

use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::{ActorId, SignInSessionId};

/// How long a token for a developer identity lives unless the caller says otherwise.
pub const DEFAULT_TOKEN_DURATION: SignedDuration = SignedDuration::from_mins(15);

/// What a token is to say besides whose it is.
#[derive(Debug)]
pub struct TokenTerms {
    /// How long it lives, 1 second to 24 hours.
    pub duration: SignedDuration,
    /// Session tags.
    pub principal_tags: BTreeMap<String, String>,
    /// The session of somebody who signed in that it is issued in.
    pub session: Option<SignInSessionId>,
    /// Who acts for the identity.
    pub actor: Option<ActorId>,
    /// When whoever it is for showed who they are, or what they were given before was looked at, if that is not now. It is as old as
    /// that, though it lives for its duration: it would outlive a revocation that was acknowledged in between.
    pub since: Option<Timestamp>,
}

impl Default for TokenTerms {
    fn default() -> Self {
        Self {
            duration: DEFAULT_TOKEN_DURATION,
            principal_tags: BTreeMap::new(),
            session: None,
            actor: None,
            since: None,
        }
    }
}
