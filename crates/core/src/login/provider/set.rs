//! The providers whose logins are accepted, which change while everything runs when a client's secret does.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::client::Provider;

/// Providers by their ID.
pub type ProvidersById = BTreeMap<String, Arc<Provider>>;

/// A set that is replaced as a whole: who began with one provider ends with it.
#[derive(Default)]
pub struct ProviderSet(RwLock<Arc<ProvidersById>>);

impl ProviderSet {
    /// The set of these providers.
    #[must_use]
    pub fn new(providers: ProvidersById) -> Self {
        Self(RwLock::new(Arc::new(providers)))
    }

    /// All of them, as they are now.
    #[must_use]
    pub fn all(&self) -> Arc<ProvidersById> {
        // A lock that is held while one pointer is copied is never left half done.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The provider with this ID, as it is now.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<Provider>> {
        self.all().get(id).cloned()
    }

    /// Has other providers take the place of all.
    pub fn replace(&self, providers: ProvidersById) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(providers);
    }
}
