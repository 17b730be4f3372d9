//! `[[app]]`: who may call from where.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::reading::{At, Reading};
use super::urls;

/// An app that may call the broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// What the operator calls it.
    pub id: String,
    /// The origins that its pages are served from.
    pub origins: Vec<String>,
    /// The redirect URIs that its logins return to.
    pub redirect_uris: Vec<String>,
}

/// Reads the apps. What an address has to be depends on where the server is.
pub(super) fn read(reading: &mut Reading<'_>, public_url: Option<&str>) -> Vec<AppConfig> {
    let apps = reading.each::<AppConfig>("app");
    let (mut ids, mut mistakes) = (BTreeSet::new(), Vec::new());
    for At { place, value: app } in &apps {
        // Of two apps with one ID, nobody could say which one a code is for.
        if !ids.insert(&app.id) {
            mistakes.push(place.below("id", "stands there twice; each app needs an ID of its own"));
        }
        let public_url = public_url.unwrap_or_default();
        for origin in &app.origins {
            let checked = urls::check_origin(origin, public_url);
            mistakes.extend(checked.err().map(|cure| place.below("origins", &format!("{origin:?} {cure}"))));
        }
        for uri in &app.redirect_uris {
            let checked = urls::check_redirect_uri(uri, public_url);
            mistakes
                .extend(checked.err().map(|cure| place.below("redirect_uris", &format!("{uri:?} {cure}"))));
        }
    }
    reading.note(mistakes);
    apps.into_iter().map(|app| app.value).collect()
}
