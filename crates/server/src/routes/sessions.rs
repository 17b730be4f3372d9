//! `/v1/sessions`: the devices on which somebody is signed in. Who asks shows the refresh token of a session of theirs,
//! which is not spent by that: it is what a device keeps to itself, while a token travels to whoever wants to see one.

use axum::Json;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use daypass_core::audit::Requester;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::SignInSessionId;
use daypass_core::ground::secret::Secret;
use daypass_core::records::sign_in_session::SignInSession;
use serde::Serialize;

use super::oauth::dpop;
use super::page::{check_origin, check_page_of};
use super::session_cookie::{self, SessionCookie};
use super::state::SharedApp;
use crate::error::{ApiError, CookieMistake, Dialect};
use crate::installation::App;

/// The person's devices.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Sessions<'a> {
    /// The newest 100.
    sessions: Vec<Shown<'a>>,
}

/// One device on which the person is signed in, at one app.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Session"))]
struct Shown<'a> {
    /// Its name, which opens nothing.
    #[cfg_attr(test, schemars(with = "String"))]
    id: &'a SignInSessionId,
    /// Whether it is the one that asks.
    current: bool,
    /// The `id` of the `[[app]]`.
    app: &'a str,
    /// The `id` of the `[[provider]]` of its login.
    provider: &'a str,
    /// What the person, or the app for them, called the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    /// When the person signed in.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    created_at: String,
    /// When it was refreshed last.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    last_used_at: String,
    /// When it ends if it is not refreshed.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    expires_at: String,
}

/// Who asks: a session, and the cookie that it is in, if it is in one.
struct Asker {
    own: SignInSession,
    cookie: Option<SessionCookie>,
}

/// `GET /v1/sessions`
pub async fn list(State(app): SharedApp, Extension(by): Extension<Requester>, request: Request) -> Response {
    let listed = async {
        let Asker { own, .. } = asker(&app, request, &by).await?;
        let sessions = app.sessions.list(&own).await.map_err(ApiError::refresh)?;
        let sessions = sessions.iter().map(|session| shown(session, &own)).collect();
        Ok(([(header::CACHE_CONTROL, "no-store")], Json(Sessions { sessions })).into_response())
    };
    listed.await.unwrap_or_else(|error: ApiError| error.answer(Dialect::Problem, &by.request_id))
}

/// `DELETE /v1/sessions`: everywhere.
pub async fn end_all(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    request: Request,
) -> Response {
    let ended = async {
        let Asker { own, cookie } = asker(&app, request, &by).await?;
        app.sessions.end_all(&own, &by).await.map_err(ApiError::session_store)?;
        Ok(cookie)
    };
    answer(ended.await, &by)
}

/// `DELETE /v1/sessions/{id}`
pub async fn end_one(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let ended = async {
        let Asker { own, cookie } = asker(&app, request, &by).await?;
        let id = SignInSessionId::parse(id).map_err(|_| ApiError::not_found())?;
        let ended = app.sessions.end_one(&own, &id, &by).await.map_err(ApiError::session_store)?;
        if ended { Ok(cookie.filter(|_| own.id == id)) } else { Err(ApiError::not_found()) }
    };
    answer(ended.await, &by)
}

/// Whoever ended their own session has a cookie to forget.
fn answer(ended: Result<Option<SessionCookie>, ApiError>, by: &Requester) -> Response {
    match ended {
        Ok(cookie) => {
            let forgotten = AppendHeaders(cookie.map(|cookie| (header::SET_COOKIE, cookie.forget())));
            (StatusCode::NO_CONTENT, forgotten).into_response()
        }
        Err(error) => error.answer(Dialect::Problem, &by.request_id),
    }
}

async fn asker(app: &App, request: Request, by: &Requester) -> Result<Asker, ApiError> {
    let (parts, _body) = request.into_parts();
    check_origin(app, &parts.headers)?;
    let cookie = SessionCookie::of(app, &parts.headers)?;
    let token = match &cookie {
        None => authorization(&parts.headers)?,
        Some(_) if parts.headers.contains_key(header::AUTHORIZATION) => {
            return Err(ApiError::session_cookie(CookieMistake::SomethingElse));
        }
        Some(cookie) => cookie.refresh_token()?.clone(),
    };
    // A proof names what stands in `Authorization`.
    let named = cookie.is_none().then(|| token.expose());
    let holder = dpop::key_holder(app, &parts, named).await?;
    let own = app.sessions.show(&token, holder.as_ref(), by).await.map_err(ApiError::refresh)?;
    session_cookie::check_place(app, &own.app, cookie.as_ref())?;
    check_page_of(app, &own.app, &parts.headers)?;
    Ok(Asker { own, cookie })
}

/// The refresh token that came along (RFC 6750 section 2.1, RFC 9449 section 7.1).
fn authorization(headers: &HeaderMap) -> Result<Secret, ApiError> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| ["bearer", "dpop"].iter().any(|known| scheme.eq_ignore_ascii_case(known)));
    token.map(|(_, token)| Secret::new(token)).ok_or_else(ApiError::no_refresh_token)
}

fn shown<'a>(session: &'a SignInSession, own: &SignInSession) -> Shown<'a> {
    let time = |instant: Timestamp| instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Shown {
        id: &session.id,
        current: session.id == own.id,
        app: &session.app,
        provider: &session.provider,
        device: session.device.as_deref(),
        created_at: time(session.created_at),
        last_used_at: time(session.rotated_at),
        expires_at: time(session.expires_at()),
    }
}
