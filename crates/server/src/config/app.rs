//! `[[app]]`: who may call from where.

use std::collections::BTreeSet;

use daypass_core::broker::hosted_login::RegisteredApp;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::login::provider::definition::seconds;
use daypass_core::records::sign_in_session::SessionLifetime;
use serde::Deserialize;

use super::reading::{At, Reading};
use super::urls;

/// The longest name of an app, in characters: it stands in a heading.
const MAX_NAME: usize = 64;
const NAME: &str = "must have 1 to 64 characters, on one line: people read it on the sign-in page";

/// An app that may call the broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// What the operator calls it.
    pub id: String,
    /// What people call it, on the sign-in page.
    pub name: Option<String>,
    /// The origins that its pages are served from.
    pub origins: Vec<String>,
    /// The redirect URIs that its logins return to.
    pub redirect_uris: Vec<String>,
    /// Whether its sessions are in a cookie, where no script reads them.
    #[serde(default)]
    pub session_cookie: bool,
    /// Whether it signs people in on devices without a browser.
    #[serde(default)]
    pub device_authorization: bool,
    /// How long its sessions go on unused.
    #[serde(default, deserialize_with = "seconds::deserialize")]
    session_idle: Option<i64>,
    /// How long they go on.
    #[serde(default, deserialize_with = "seconds::deserialize")]
    session_lifetime: Option<i64>,
}

const DAY: i64 = 24 * 60 * 60;
/// The longest life of a session, in seconds.
const MAX_SESSION: i64 = 366 * DAY;
const TOO_LONG: &str = "is a year (366d) at most: people sign in anew from time to time";
const COOKIE_NAME: &str =
    "must be letters, digits, -, _ and . with session_cookie: it stands in the cookie's name";
const NO_PAGES: &str = "must name the pages that send the cookie, with session_cookie";
const IDLE_TOO_LONG: &str = "must not be longer than session_lifetime, which ends the session anyway";

impl AppConfig {
    /// What the hosted login has to know of it.
    #[must_use]
    pub fn registered(&self) -> RegisteredApp {
        RegisteredApp {
            name: self.name.clone(),
            redirect_uris: self.redirect_uris.iter().collect(),
            device_authorization: self.device_authorization,
        }
    }

    /// How long its sessions go on. A browser keeps their refresh tokens where every script of the page reads them; an app
    /// without pages has a place of its own.
    #[must_use]
    pub fn session_lifetime(&self) -> SessionLifetime {
        let (idle, absolute) =
            if self.origins.is_empty() { (30 * DAY, 90 * DAY) } else { (7 * DAY, 30 * DAY) };
        let absolute = self.session_lifetime.unwrap_or(absolute);
        let idle = self.session_idle.unwrap_or(idle).min(absolute);
        SessionLifetime {
            idle: SignedDuration::from_secs(idle),
            absolute: SignedDuration::from_secs(absolute),
        }
    }

    /// What is wrong with how long its sessions go on: the key, and why.
    fn session_mistake(&self) -> Option<(&'static str, &'static str)> {
        let (idle, lifetime) = (self.session_idle, self.session_lifetime);
        if lifetime.is_some_and(|lifetime| lifetime > MAX_SESSION) {
            return Some(("session_lifetime", TOO_LONG));
        }
        let longest = self.session_lifetime().absolute.as_secs();
        idle.is_some_and(|idle| idle > longest).then_some(("session_idle", IDLE_TOO_LONG))
    }

    /// What is wrong with an app whose session is in a cookie: the key, and why. Browsers send it along from pages of the same
    /// site alone, and tell nobody when they do not.
    fn cookie_mistake(&self, public_url: &str) -> Option<(&'static str, String)> {
        if !self.session_cookie {
            return None;
        }
        if !is_cookie_name(&self.id) {
            return Some(("id", COOKIE_NAME.to_owned()));
        }
        if self.origins.is_empty() {
            return Some(("origins", NO_PAGES.to_owned()));
        }
        let other = self.origins.iter().find(|origin| !urls::may_be_same_site(origin, public_url))?;
        let why = format!(
            "{other:?} is another site than {public_url}: no browser sends the session's cookie from there. Serve both under one \
             domain and scheme, or leave session_cookie out"
        );
        Some(("session_cookie", why))
    }
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
        if app.id.is_empty() {
            mistakes.push(place.below("id", "is empty, and whoever names no app would name this one"));
        }
        if app.name.as_deref().is_some_and(|name| !is_name(name)) {
            mistakes.push(place.below("name", NAME));
        }
        mistakes.extend(app.session_mistake().map(|(key, why)| place.below(key, why)));
        let public_url = public_url.unwrap_or_default();
        mistakes.extend(app.cookie_mistake(public_url).map(|(key, why)| place.below(key, &why)));
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

fn is_cookie_name(id: &str) -> bool {
    (1..=MAX_NAME).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.chars().count())
        && !text.trim().is_empty()
        && !text.chars().any(char::is_control)
}
