//! The apps whose sessions are in a cookie: no script of their pages reads it, so neither does one that somebody smuggled
//! in. A browser sends it along on its own, so it says nothing of who asks: that the page is one of the app's does.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::HeaderValue;

use crate::config::{Config, origin_of};
use crate::registered_origins::RegisteredOrigins;

/// Those apps.
#[derive(Debug, Clone)]
pub struct CookieApps(Arc<Known>);

#[derive(Debug)]
struct Known {
    ids: BTreeSet<String>,
    origins: RegisteredOrigins,
    /// Our own origin.
    own: Option<HeaderValue>,
}

impl CookieApps {
    /// Those of a configuration.
    #[must_use]
    pub fn of(config: &Config, origins: RegisteredOrigins) -> Self {
        let apps = config.apps.iter().filter(|app| app.session_cookie);
        let own = HeaderValue::try_from(origin_of(&config.public_url)).ok();
        Self(Arc::new(Known { ids: apps.map(|app| app.id.clone()).collect(), origins, own }))
    }

    /// Whether an app is one of them.
    #[must_use]
    pub fn contain(&self, app: &str) -> bool {
        self.0.ids.contains(app)
    }

    /// Whether a page of this origin is one of theirs.
    #[must_use]
    pub fn have_page(&self, origin: &HeaderValue) -> bool {
        self.0.ids.iter().any(|app| self.0.origins.is_page_of(app, origin))
    }

    /// Whether a request that names this origin is of a page of this app. Browsers name it with every request but a GET to
    /// the page's own.
    #[must_use]
    pub fn is_page_of(&self, app: &str, origin: Option<&HeaderValue>) -> bool {
        self.contain(app)
            && origin.or(self.0.own.as_ref()).is_some_and(|origin| self.0.origins.is_page_of(app, origin))
    }
}
