//! `grant_type=refresh_token` (RFC 6749 section 6): a session goes on.

use daypass_core::audit::Requester;
use daypass_core::broker::sessions::{RefreshRequest, SignedIn};
use daypass_core::token::dpop::KeyHolder;

use super::super::session_cookie::SessionCookie;
use super::form::Form;
use crate::error::ApiError;
use crate::installation::App;

pub(super) const GRANT_TYPE: &str = "refresh_token";

pub(super) async fn grant(
    app: &App,
    client: String,
    cookie: Option<&SessionCookie>,
    mut form: Form,
    key_holder: Option<KeyHolder>,
    by: &Requester,
) -> Result<SignedIn, ApiError> {
    let refresh_token = form.session_token("refresh_token", cookie)?;
    let request = RefreshRequest {
        app: client,
        refresh_token,
        credentials: form.credentials()?,
        scope: form.scope(),
        key_holder,
    };
    app.sessions.refresh(request, by).await.map_err(ApiError::refresh)
}
