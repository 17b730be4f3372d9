//! The providers of an installation, which change while everything runs when a client's secret does.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::client::Provider;

/// Providers by their ID.
pub type ProvidersById = BTreeMap<String, Arc<Provider>>;

/// A set that is replaced as a whole: who began with one provider ends with it. Those that vouch for actors alone are apart, so
/// that nobody signs in by them who did not ask for actors.
#[derive(Default)]
pub struct ProviderSet(RwLock<Vouching>);

#[derive(Clone, Default)]
struct Vouching {
    for_people: Arc<ProvidersById>,
    only_for_actors: Arc<ProvidersById>,
}

impl Vouching {
    fn of(providers: ProvidersById) -> Self {
        let (actors, people): (ProvidersById, ProvidersById) =
            providers.into_iter().partition(|(_, provider)| provider.only_actors);
        Self { for_people: Arc::new(people), only_for_actors: Arc::new(actors) }
    }
}

impl ProviderSet {
    /// The set of these providers.
    #[must_use]
    pub fn new(providers: ProvidersById) -> Self {
        Self(RwLock::new(Vouching::of(providers)))
    }

    /// All whose logins are accepted, as they are now.
    #[must_use]
    pub fn all(&self) -> Arc<ProvidersById> {
        self.vouching().for_people
    }

    /// The provider with this ID whose logins are accepted, as it is now.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<Provider>> {
        self.all().get(id).cloned()
    }

    /// All that may vouch for an actor, as they are now.
    #[must_use]
    pub fn of_actors(&self) -> Vec<Arc<Provider>> {
        let Vouching { for_people, only_for_actors } = self.vouching();
        only_for_actors.values().chain(for_people.values()).cloned().collect()
    }

    /// Has other providers take the place of all.
    pub fn replace(&self, providers: ProvidersById) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Vouching::of(providers);
    }

    fn vouching(&self) -> Vouching {
        // A lock that is held while two pointers are copied is never left half done.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
