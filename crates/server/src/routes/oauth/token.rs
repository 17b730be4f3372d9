//! `POST /oauth2/token`: a grant in, an OpenID token out, and what the session that it belongs to goes on with. What a
//! grant is, says its file; the phases are the same for all: whose request it is, what it brings, and the answer.

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Response};
use daypass_core::audit::Requester;
use daypass_core::broker::developer_pool::Issued;
use daypass_core::broker::exchange::Exchanged;
use daypass_core::broker::sessions::SignedIn;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::secret::Secret;
use serde::Serialize;

use super::super::exchange::{TemporaryCredentials, User, count_app};
use super::super::page::{check_origin, check_page_of};
use super::super::session_cookie::{self, SessionCookie};
use super::super::state::SharedApp;
use super::form::Form;
use super::token_exchange::Requested;
use super::{acting, authorization_code, device_code, dpop, refresh_token, token_exchange};
use crate::error::{ApiError, Dialect};
use crate::installation::App;

/// The grants, as a request names them.
const GRANT_TYPES: [&str; 4] = [
    authorization_code::GRANT_TYPE,
    refresh_token::GRANT_TYPE,
    token_exchange::GRANT_TYPE,
    device_code::GRANT_TYPE,
];

/// Those that some app has.
pub(super) fn grant_types(app: &App) -> Vec<&'static str> {
    let for_devices = !app.device_logins.apps.is_empty();
    GRANT_TYPES.into_iter().filter(|grant| *grant != device_code::GRANT_TYPE || for_devices).collect()
}

/// A token, and what its session goes on with.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Tokens"))]
pub(in crate::routes) struct Answer<'a> {
    /// The OpenID token, for GetCredentialsForIdentity and AssumeRoleWithWebIdentity.
    access_token: &'a str,
    /// `Bearer`; `N_A` if an ID token was requested.
    token_type: &'static str,
    /// Seconds until the token ends.
    expires_in: i64,
    /// Of a token exchange only (RFC 8693 section 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    /// What was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// An ID token for the app, with the scope `openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(flatten)]
    session: Option<Continuation<'a>>,
    /// Who it is: what the app keys its data by.
    identity_id: &'a str,
    /// The pool that the identity is in.
    identity_pool_id: &'a str,
    /// The pool's Region.
    region: &'a str,
    /// The `id` of the `[[provider]]` that the person signed in at.
    provider: &'a str,
    /// What the provider tells for screens. Nothing of it says who somebody is.
    user: User<'a>,
    /// Temporary credentials, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<CredentialsWithLife<'a>>,
}

/// What the app goes on with. Whoever acts for somebody has none.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Continuation<'a> {
    /// What the session goes on with, unless it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    /// Seconds until the session ends if it is not used.
    refresh_expires_in: i64,
    /// The session's name in `/v1/sessions`, and `sid` in the tokens.
    session_id: &'a str,
}

/// What AWS clients sign with, and for how long.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CredentialsWithLife<'a> {
    #[serde(flatten)]
    credentials: TemporaryCredentials<'a>,
    /// Seconds until they end: the same as `expiration`, for clocks that differ from ours.
    expires_in: i64,
}

pub async fn handle(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    request: Request,
) -> Response {
    let granted = grant(&app, &by, request).await;
    // A device that asks again and again has shown nothing yet that could be exchanged.
    if !granted.as_ref().is_err_and(ApiError::is_pending) {
        app.metrics.exchanged(granted.as_ref().map_or_else(ApiError::code, |_| "ok"));
    }
    match granted {
        Ok(granted) => answer(&granted, app.clock.now()),
        Err(error) => error.answer(Dialect::OAuth, &by.request_id),
    }
}

/// What a grant brought.
enum Outcome {
    /// A session, which began or goes on.
    SignedIn(SignedIn),
    /// What somebody who acts for a person gets.
    Acting(Exchanged),
}

/// The same, and what goes with it.
struct Granted {
    outcome: Outcome,
    /// Of a token exchange.
    requested: Option<Requested>,
    /// Where the browser keeps the session, if it does.
    cookie: Option<SessionCookie>,
}

async fn grant(app: &App, by: &Requester, request: Request) -> Result<Granted, ApiError> {
    let (parts, body) = request.into_parts();
    check_origin(app, &parts.headers)?;
    let mut form = Form::read(&parts.headers, body).await?;
    let grant_type = form.take("grant_type")?;
    if !GRANT_TYPES.contains(&&*grant_type) {
        return Err(ApiError::unsupported_grant_type());
    }
    let client = form.client(app)?;
    check_page_of(app, &client, &parts.headers)?;
    count_app(app, &client, Dialect::OAuth)?;
    if acting::is_asked_for(&form) {
        acting::check_with(&grant_type, &parts.headers)?;
        let (exchanged, requested) = acting::grant(app, client, form, by).await?;
        return Ok(Granted { outcome: Outcome::Acting(exchanged), requested: Some(requested), cookie: None });
    }
    let cookie = SessionCookie::of(app, &parts.headers)?;
    session_cookie::check_place(app, &client, cookie.as_ref())?;
    let holder = dpop::key_holder(app, &parts, None).await?;
    let (signed_in, requested) = match &*grant_type {
        refresh_token::GRANT_TYPE => {
            let signed_in = refresh_token::grant(app, client, cookie.as_ref(), form, holder, by).await?;
            return Ok(Granted { outcome: Outcome::SignedIn(signed_in), requested: None, cookie });
        }
        authorization_code::GRANT_TYPE => {
            (authorization_code::grant(app, client, form, holder, by).await?, None)
        }
        device_code::GRANT_TYPE => (device_code::grant(app, client, form, holder, by).await?, None),
        token_exchange::GRANT_TYPE => {
            let (signed_in, requested) = token_exchange::grant(app, client, form, holder, by).await?;
            (signed_in, Some(requested))
        }
        _ => return Err(ApiError::unsupported_grant_type()),
    };
    if let Some(cookie) = &cookie {
        cookie.end_former(app, by).await?;
    }
    Ok(Granted { outcome: Outcome::SignedIn(signed_in), requested, cookie })
}

impl Outcome {
    fn signed_in(&self) -> Option<&SignedIn> {
        match self {
            Self::SignedIn(signed_in) => Some(signed_in),
            Self::Acting(_) => None,
        }
    }

    fn issued(&self) -> &Issued {
        match self {
            Self::SignedIn(signed_in) => &signed_in.issued,
            Self::Acting(exchanged) => &exchanged.issued,
        }
    }

    fn person(&self) -> (&str, User<'_>) {
        match self {
            Self::SignedIn(signed_in) => (&signed_in.provider, User::shown(&signed_in.user)),
            Self::Acting(Exchanged { login, .. }) => (login.provider(), User::shown(login.user())),
        }
    }
}

fn answer(granted: &Granted, now: Timestamp) -> Response {
    let Granted { outcome, requested, cookie } = granted;
    let until = |end: Timestamp| end.as_second() - now.as_second();
    let (issued, signed_in) = (outcome.issued(), outcome.signed_in());
    let (provider, user) = outcome.person();
    let credentials = issued.credentials.as_ref().map(|credentials| CredentialsWithLife {
        credentials: TemporaryCredentials::of(credentials),
        expires_in: until(credentials.expiration),
    });
    let body = Answer {
        access_token: issued.token.token.expose(),
        token_type: requested.map_or("Bearer", Requested::token_type),
        expires_in: until(issued.token.expires_at),
        issued_token_type: requested.map(Requested::issued_token_type),
        scope: signed_in.map(|signed_in| signed_in.scope.to_string()),
        id_token: signed_in.and_then(|signed_in| signed_in.id_token.as_ref()).map(Secret::expose),
        session: signed_in.map(|signed_in| Continuation {
            refresh_token: cookie.is_none().then(|| signed_in.refresh_token.expose()),
            refresh_expires_in: until(signed_in.expires_at),
            session_id: signed_in.session.as_str(),
        }),
        identity_id: issued.token.identity_id.as_str(),
        identity_pool_id: issued.pool_id.as_str(),
        region: issued.region.as_str(),
        provider,
        user,
        credentials,
    };
    let kept = cookie.as_ref().zip(signed_in).map(|(cookie, signed_in)| cookie.keep(signed_in, now));
    let kept = AppendHeaders(kept.map(|cookie| (header::SET_COOKIE, cookie)));
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], kept, Json(body)).into_response()
}
