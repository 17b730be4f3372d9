//! The apps whose sessions are in a cookie: no script of their pages reads it, so neither does one that somebody smuggled
//! in. A browser sends it along on its own, so it says nothing of who asks: that the page is one of the app's does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::HeaderValue;

use crate::config::{Config, origin_of};

/// Those apps.
#[derive(Debug, Clone)]
pub struct CookieApps(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// By their IDs, the origins of their pages.
    origins: BTreeMap<String, BTreeSet<String>>,
    /// Our own.
    own: String,
}

impl CookieApps {
    /// Those of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let apps = config.apps.iter().filter(|app| app.session_cookie);
        let origins = apps.map(|app| (app.id.clone(), app.origins.iter().cloned().collect())).collect();
        Self(Arc::new(Known { origins, own: origin_of(&config.public_url) }))
    }

    /// Whether an app is one of them.
    #[must_use]
    pub fn contain(&self, app: &str) -> bool {
        self.0.origins.contains_key(app)
    }

    /// Whether a page of this origin is one of theirs.
    #[must_use]
    pub fn have_page(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.0.origins.values().any(|origins| origins.contains(origin)))
    }

    /// Whether a request that names this origin is of a page of this app. Browsers name it with every request but a GET to
    /// the page's own.
    #[must_use]
    pub fn is_page_of(&self, app: &str, origin: Option<&HeaderValue>) -> bool {
        let Some(origins) = self.0.origins.get(app) else { return false };
        let origin = origin.map_or(Some(&*self.0.own), |origin| origin.to_str().ok());
        origin.is_some_and(|origin| origins.contains(origin))
    }
}
