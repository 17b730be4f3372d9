//! `POST /oauth2/revoke` (RFC 7009): the session of a refresh token ends, and with it what was issued in it.

use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use daypass_core::audit::Requester;
use daypass_core::ground::secret::Secret;

use super::super::exchange::check_origin;
use super::super::state::SharedApp;
use super::form::Form;
use crate::error::{ApiError, Dialect};
use crate::installation::App;

pub async fn handle(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    request: Request,
) -> Response {
    match revoke(&app, &by, request).await {
        Ok(()) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(error) => error.answer(Dialect::OAuth, &by.request_id),
    }
}

/// Of a token that is none of ours, or of another app's, nobody learns that (section 2.2), nor
/// of an access token: clients send it before the refresh token, and would not come to that.
async fn revoke(app: &App, by: &Requester, request: Request) -> Result<(), ApiError> {
    let (parts, body) = request.into_parts();
    check_origin(app, &parts.headers)?;
    let mut form = Form::read(&parts.headers, body).await?;
    let client = form.client(app)?;
    let token = Secret::new(form.take("token")?);
    app.sessions.revoke(&client, &token, by).await.map_err(ApiError::session_store)
}
