//! `POST /oauth2/revoke` (RFC 7009): the session of a refresh token ends, and with it what was issued in it.

use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use daypass_core::audit::Requester;

use super::super::page::check_origin;
use super::super::session_cookie::{self, SessionCookie};
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
        Ok(cookie) => {
            let forgotten = AppendHeaders(cookie.map(|cookie| (header::SET_COOKIE, cookie.forget())));
            (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")], forgotten).into_response()
        }
        Err(error) => error.answer(Dialect::OAuth, &by.request_id),
    }
}

/// Of a token that is none of ours, or of another app's, nobody learns that (section 2.2), nor
/// of an access token: clients send it before the refresh token, and would not come to that.
async fn revoke(app: &App, by: &Requester, request: Request) -> Result<Option<SessionCookie>, ApiError> {
    let (parts, body) = request.into_parts();
    check_origin(app, &parts.headers)?;
    let mut form = Form::read(&parts.headers, body).await?;
    let client = form.client(app)?;
    let cookie = SessionCookie::of(app, &parts.headers)?;
    // Whoever found a copy of what is in a cookie can end it, from anywhere.
    if cookie.is_some() || !form.has("token") {
        session_cookie::check_place(app, &client, cookie.as_ref())?;
    }
    // Nobody is signed in where there is no cookie, which is all that was asked for.
    if cookie.as_ref().is_some_and(|cookie| !cookie.has_session()) {
        return Ok(cookie);
    }
    let token = form.session_token("token", cookie.as_ref())?;
    app.sessions.revoke(&client, &token, by).await.map_err(ApiError::session_store)?;
    Ok(cookie)
}
