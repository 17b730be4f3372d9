//! `[[actor]]`: who may act for people.

use std::collections::BTreeSet;

use daypass_core::broker::actors::{Actor, Actors};
use daypass_core::ground::ids::ActorId;
use serde::Deserialize;

use super::app::AppConfig;
use super::provider::ProviderConfig;
use super::reading::{At, Reading};

/// An agent or a service that may act for people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorConfig {
    /// What the operator calls it.
    id: ActorId,
    /// The provider that vouches for it.
    provider: String,
    /// Who it is there.
    subject: String,
    /// The apps for whose people it may act.
    apps: BTreeSet<String>,
}

const NO_PROVIDER: &str = "is no [[provider]] of this configuration";
const NO_ID_TOKENS: &str = "has no ID tokens, by which actors are known: name a provider of OpenID Connect, or one with [provider.id_token]";
const NO_ACTOR: &str =
    "only_actors: no [[actor]] names this provider, and nobody else may: write one, or leave it out";
const NO_TAG: &str = "needs a session tag by which policies tell it from the people whom it acts for: add \
                      actor = \"{actor}\" to [pool.principal_tags]";

impl ActorConfig {
    /// What the operator calls it.
    #[must_use]
    pub fn id(&self) -> &ActorId {
        &self.id
    }

    /// The provider that vouches for it, by its ID.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// All of them, as the broker knows them.
    #[must_use]
    pub fn all(actors: &[Self]) -> Actors {
        let actor = |config: &Self| Actor {
            id: config.id.clone(),
            provider: config.provider.clone(),
            subject: config.subject.clone(),
            apps: config.apps.clone(),
        };
        Actors::new(actors.iter().map(actor).collect())
    }
}

/// What else of a configuration says whether an actor can be one.
pub(super) struct Beside<'a> {
    pub providers: &'a [ProviderConfig],
    pub apps: &'a [AppConfig],
    /// Whether session tags name actors.
    pub tags_name_actors: bool,
}

/// Reads the actors. Of two with one login, nobody could say which one it is.
pub(super) fn read(reading: &mut Reading<'_>, beside: &Beside<'_>) -> Vec<ActorConfig> {
    let actors = reading.each::<ActorConfig>("actor");
    let (mut ids, mut logins, mut mistakes) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for At { place, value: actor } in &actors {
        if !ids.insert(&actor.id) {
            mistakes.push(place.below("id", "stands there twice; each actor needs an ID of its own"));
        }
        if actor.subject.is_empty() {
            mistakes.push(place.below("subject", "is empty: say who the actor is at its provider"));
        }
        if !logins.insert((&actor.provider, &actor.subject)) {
            mistakes.push(place.below("subject", "stands there twice; each actor needs a login of its own"));
        }
        let provider = beside.providers.iter().find(|provider| provider.id == actor.provider);
        match provider {
            None => mistakes.push(place.below("provider", &format!("{:?} {NO_PROVIDER}", actor.provider))),
            Some(provider) if !provider.takes_id_tokens() => {
                mistakes.push(place.below("provider", &format!("{:?} {NO_ID_TOKENS}", actor.provider)));
            }
            Some(_) => {}
        }
        let unknown = actor.apps.iter().find(|id| !beside.apps.iter().any(|app| app.id == **id));
        mistakes.extend(
            unknown.map(|id| place.below("apps", &format!("{id:?} is no [[app]] of this configuration"))),
        );
        if actor.apps.is_empty() {
            mistakes.push(place.below("apps", "is empty: name the apps for whose people it may act"));
        }
        if !beside.tags_name_actors {
            mistakes.push(place.below("id", NO_TAG));
        }
    }
    let is_named =
        |provider: &&ProviderConfig| actors.iter().any(|actor| actor.value.provider == provider.id);
    let idle = beside.providers.iter().filter(|provider| provider.only_actors && !is_named(provider));
    mistakes.extend(idle.map(|provider| provider.mistake(NO_ACTOR)));
    reading.note(mistakes);
    actors.into_iter().map(|actor| actor.value).collect()
}
