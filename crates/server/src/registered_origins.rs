//! The pages that may call from a browser. A browser tells its own developer little about a page that may not, and a server
//! answers the question beforehand without a word, so in development the log says what to register.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderValue;
use tower_http::cors::AllowOrigin;

use crate::config::{Config, is_loopback};

/// How many unknown origins are told of: whoever makes them up cannot fill the log.
const MOST_TOLD: usize = 16;
/// The longest that is repeated.
const LONGEST: usize = 256;

/// The origins of registered apps, for every door that pages come to.
#[derive(Debug, Clone)]
pub struct RegisteredOrigins(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// By the app that they are of.
    origins: BTreeMap<String, BTreeSet<String>>,
    /// Unknown ones that were told of; `None` where people's browsers come from anywhere.
    told: Option<Mutex<BTreeSet<String>>>,
}

impl RegisteredOrigins {
    /// Those of the apps of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let origins = config.apps.iter().map(|app| (app.id.clone(), app.origins.iter().cloned().collect()));
        Self::new(origins.collect(), is_loopback(&config.public_url))
    }

    fn new(origins: BTreeMap<String, BTreeSet<String>>, in_development: bool) -> Self {
        Self(Arc::new(Known { origins, told: in_development.then(Mutex::default) }))
    }

    /// Whether a page of this origin is one of this app's.
    #[must_use]
    pub fn is_page_of(&self, app: &str, origin: &HeaderValue) -> bool {
        let Some(origins) = self.0.origins.get(app) else { return false };
        origin.to_str().is_ok_and(|origin| origins.contains(origin))
    }

    /// Whether a page of this origin may call.
    #[must_use]
    pub fn contains(&self, origin: &HeaderValue) -> bool {
        let is_known = |origin| self.0.origins.values().any(|origins| origins.contains(origin));
        let known = origin.to_str().is_ok_and(is_known);
        if !known && let Some(cure) = origin.to_str().ok().and_then(|origin| self.cure(origin)) {
            tracing::warn!("{cure}");
        }
        known
    }

    /// What browsers are told of each page.
    pub fn allowed(&self) -> AllowOrigin {
        let origins = self.clone();
        AllowOrigin::predicate(move |origin, _| origins.contains(origin))
    }

    /// What a developer writes to register an origin, the first time that it is not known.
    fn cure(&self, origin: &str) -> Option<String> {
        let mut told = self.0.told.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let plain =
            origin.len() <= LONGEST && origin.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        if !plain || told.len() == MOST_TOLD || !told.insert(origin.to_owned()) {
            return None;
        }
        Some(format!(
            "a page of {origin} called, which is of no registered app, so its browser was not allowed to read the answer. To \
             register it: [[app]] with id = \"…\", origins = [\"{origin}\"] and redirect_uris = []"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_nobody_registered_is_told_of_once_in_development() {
        let known = BTreeMap::from([("web".to_owned(), ["http://localhost:5173".to_owned()].into())]);
        let development = RegisteredOrigins::new(known.clone(), true);
        let own = HeaderValue::from_static("http://localhost:5173");
        assert!(development.contains(&own) && development.is_page_of("web", &own));
        assert!(!development.is_page_of("other", &own));
        let cure = development.cure("http://localhost:3000").unwrap();
        assert!(cure.contains("origins = [\"http://localhost:3000\"]"), "{cure}");
        assert_eq!(development.cure("http://localhost:3000"), None);
        for bad in ["http://a\"]\n", "http://é", &"x".repeat(257)] {
            assert_eq!(development.cure(bad), None, "{bad:?}");
        }
        let told =
            (0..100).filter(|port| development.cure(&format!("http://localhost:{port}")).is_some()).count();
        assert_eq!(told, MOST_TOLD - 1);
        assert_eq!(RegisteredOrigins::new(known, false).cure("http://localhost:3000"), None);
    }
}
