//! The form of a request to `/oauth2` (RFC 6749 section 3.2).

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use daypass_core::broker::developer_pool::ExchangeOptions;
use daypass_core::ground::form;
use daypass_core::ground::ids::IdentityId;
use daypass_core::ground::secret::Secret;
use daypass_core::records::scope::Scope;

use super::super::body;
use super::super::session_cookie::SessionCookie;
use crate::error::{ApiError, CookieMistake, Dialect};
use crate::installation::App;

const MAX_BODY: usize = 64 * 1024;

/// The longest name of a device, in characters.
const MAX_DEVICE: usize = 100;

/// Parameters, each of which stands there once. One without a value is as good as absent.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, ApiError> {
        let body = body::read(body, MAX_BODY, Dialect::OAuth).await?;
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(ApiError::malformed_form("Send a form: application/x-www-form-urlencoded."));
        }
        let parameters =
            form::read(&body).ok_or_else(|| ApiError::malformed_form("A parameter stands there twice."))?;
        Ok(Self(parameters))
    }

    /// A parameter that has to be there.
    pub(super) fn take(&mut self, name: &str) -> Result<String, ApiError> {
        self.perhaps(name).ok_or_else(|| ApiError::malformed_form(format!("{name} is missing.")))
    }

    /// Whether a parameter is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_empty())
    }

    /// A parameter, to be looked at.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter, if it is there.
    pub(super) fn perhaps(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.is_empty())
    }

    /// The app that asks. Whether it is that one shows in what it brings.
    pub(super) fn client(&mut self, app: &App) -> Result<String, ApiError> {
        let id = self.take("client_id")?;
        if app.sessions.lifetime(&id).is_none() { Err(ApiError::unknown_client()) } else { Ok(id) }
    }

    /// The refresh token of a session: a parameter of this name, or what is in the app's cookie.
    pub(super) fn session_token(
        &mut self,
        name: &str,
        cookie: Option<&SessionCookie>,
    ) -> Result<Secret, ApiError> {
        let Some(cookie) = cookie else { return self.take(name).map(Secret::new) };
        match self.perhaps(name) {
            None => cookie.refresh_token().cloned(),
            Some(_) => Err(ApiError::session_cookie(CookieMistake::SomethingElse)),
        }
    }

    /// Whether temporary credentials are to come along.
    pub(super) fn credentials(&mut self) -> Result<bool, ApiError> {
        match self.perhaps("credentials").as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ApiError::malformed_form("credentials must be true, or be left out.")),
        }
    }

    /// What is wanted of an exchange that begins a session.
    pub(super) fn exchange_options(&mut self) -> Result<ExchangeOptions, ApiError> {
        let (credentials, identity_id) = (self.credentials()?, self.guest()?);
        Ok(ExchangeOptions { credentials, identity_id, ..ExchangeOptions::default() })
    }

    /// What the app wants beside the token of the pool.
    pub(super) fn scope(&mut self) -> Option<Scope> {
        self.perhaps("scope").map(Scope::from)
    }

    /// A guest to be upgraded.
    fn guest(&mut self) -> Result<Option<IdentityId>, ApiError> {
        let id = self.perhaps("identity_id").map(IdentityId::parse).transpose();
        id.map_err(|error| ApiError::malformed_form(format!("identity_id: {error}.")))
    }

    /// What the person calls the device.
    pub(super) fn device(&mut self) -> Result<Option<String>, ApiError> {
        let device = self.perhaps("device");
        let fits = |name: &String| name.chars().count() <= MAX_DEVICE && !name.chars().any(char::is_control);
        if device.as_ref().is_none_or(fits) {
            return Ok(device);
        }
        Err(ApiError::malformed_form(format!(
            "device must have {MAX_DEVICE} characters at most, on one line."
        )))
    }
}
