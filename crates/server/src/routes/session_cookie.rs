//! The session cookie of apps whose pages keep no refresh token. `Daypass-App` says whose cookie a request is about: no
//! page of another site can send that header, since its browser asks first (Fetch, "CORS-preflight request"), and
//! no page of another app may.

use axum::http::{HeaderMap, HeaderValue, header};
use daypass_core::audit::Requester;
use daypass_core::broker::sessions::SignedIn;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::secret::Secret;

use super::cookies::{self, Cookies, SameSite};
use crate::error::{ApiError, CookieMistake};
use crate::installation::App;

/// The header that names the app.
pub(super) const HEADER: &str = "daypass-app";

/// Cookies of logins are named otherwise, whatever an app is called.
const NAME: &str = "daypass-session-";

/// The cookie of an app, and what is in it.
pub(super) struct SessionCookie {
    app: String,
    name: String,
    cookies: Cookies,
    refresh_token: Option<Secret>,
}

impl SessionCookie {
    /// The cookie that a request is about, if it is about one.
    pub(super) fn of(app: &App, headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let Some(named) = headers.get(HEADER) else { return Ok(None) };
        let known = named.to_str().ok().filter(|id| app.cookie_apps.contain(id));
        let id = known.ok_or_else(|| ApiError::session_cookie(CookieMistake::NoSuchApp))?;
        if !app.cookie_apps.is_page_of(id, headers.get(header::ORIGIN)) {
            return Err(ApiError::page_of_another_app());
        }
        let cookies = Cookies::of(&app.login_flow.public_url);
        let name = cookies.name(&format!("{NAME}{id}"));
        let refresh_token = cookies::find(headers, &name).filter(|value| !value.is_empty()).map(Secret::new);
        Ok(Some(Self { app: id.to_owned(), name, cookies, refresh_token }))
    }

    /// What the session goes on with.
    pub(super) fn refresh_token(&self) -> Result<&Secret, ApiError> {
        self.refresh_token.as_ref().ok_or_else(ApiError::no_session_cookie)
    }

    /// Whether anything is in it.
    pub(super) fn has_session(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// Ends the session that was there before somebody signed in: an answer about it that is still under way brings it
    /// back into the cookie, but not to life.
    pub(super) async fn end_former(&self, app: &App, by: &Requester) -> Result<(), ApiError> {
        let Some(former) = &self.refresh_token else { return Ok(()) };
        app.sessions.revoke(&self.app, former, by).await.map_err(ApiError::session_store)
    }

    /// Has the browser keep a session.
    pub(super) fn keep(&self, signed_in: &SignedIn, now: Timestamp) -> HeaderValue {
        let max_age = signed_in.expires_at.as_second() - now.as_second();
        self.cookies.set(&self.name, signed_in.refresh_token.expose(), max_age, SameSite::Strict)
    }

    /// Has the browser forget it.
    pub(super) fn forget(&self) -> HeaderValue {
        self.cookies.set(&self.name, "", 0, SameSite::Strict)
    }
}

/// Whether a session of this app may be where the request has it. What is kept in a cookie counts from nowhere else.
pub(super) fn check_place(app: &App, of_app: &str, cookie: Option<&SessionCookie>) -> Result<(), ApiError> {
    match cookie {
        None if app.cookie_apps.contain(of_app) => Err(ApiError::session_cookie(CookieMistake::NoHeader)),
        Some(cookie) if cookie.app != of_app => Err(ApiError::session_cookie(CookieMistake::TwoApps)),
        None | Some(_) => Ok(()),
    }
}
