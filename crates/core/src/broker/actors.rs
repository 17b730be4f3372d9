//! Whoever may act for people: an agent or a service, by a login of its own (RFC 8693 section 1.1, delegation).

use std::collections::BTreeSet;

use crate::ground::ids::ActorId;
use crate::login::provider::VerifiedLogin;

/// Somebody who may act for people.
#[derive(Debug, Clone)]
pub struct Actor {
    /// What the operator calls it.
    pub id: ActorId,
    /// The provider that vouches for it, by its ID in the configuration.
    pub provider: String,
    /// Who it is there.
    pub subject: String,
    /// The apps for whose people it may act, by their IDs in the configuration.
    pub apps: BTreeSet<String>,
}

/// The actors of an installation.
#[derive(Debug, Clone, Default)]
pub struct Actors(Vec<Actor>);

impl Actors {
    /// These, no two of which are one login.
    #[must_use]
    pub fn new(actors: Vec<Actor>) -> Self {
        Self(actors)
    }

    /// Whether a provider vouches for any of them.
    #[must_use]
    pub fn come_from(&self, provider: &str) -> bool {
        self.0.iter().any(|actor| actor.provider == provider)
    }

    /// The actor that a login is, if it may act for the people of an app.
    #[must_use]
    pub fn find(&self, login: &VerifiedLogin, app: &str) -> Option<&ActorId> {
        let is_login =
            |actor: &&Actor| actor.provider == login.provider() && actor.subject == login.subject();
        let actor = self.0.iter().find(is_login)?;
        actor.apps.contains(app).then_some(&actor.id)
    }
}
