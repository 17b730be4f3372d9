//! `POST /v1/exchange`: a login in, an identity and its token out.

mod request;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use daypass_core::audit::Requester;
use daypass_core::broker::exchange::Exchanged;
use daypass_core::broker::id_tokens::ToldApp;
use daypass_core::credentials::session_token::Credentials;
use daypass_core::ground::ids::IdentityId;
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::DisplayUser;
use serde::Serialize;

use self::request::AskedForIdToken;
pub(super) use self::request::{Body, NOT_AT_EXCHANGE, NOT_AT_LINK, check_verifier, read_link};
use super::body;
use super::page::{check_origin, check_page_of};
use super::state::SharedApp;
use crate::error::{ApiError, Dialect};
use crate::installation::App;

const MAX_BODY: usize = 64 * 1024;

/// An identity and its token.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Identity"))]
pub(super) struct Answer<'a> {
    /// Who it is: what the app keys its data by.
    #[cfg_attr(test, schemars(with = "String"))]
    identity_id: &'a IdentityId,
    /// The OpenID token, for GetCredentialsForIdentity and AssumeRoleWithWebIdentity.
    token: &'a str,
    /// When the token ends.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    expires_at: String,
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
    credentials: Option<TemporaryCredentials<'a>>,
    /// An ID token for the app, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
}

/// How somebody wants to be seen.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct User<'a> {
    /// A name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// The address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<&'a str>,
}

impl<'a> User<'a> {
    pub(super) fn shown(user: &'a DisplayUser) -> Self {
        Self { name: user.name.as_deref(), avatar: user.avatar.as_deref() }
    }
}

/// What AWS clients sign with.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Credentials"))]
pub(super) struct TemporaryCredentials<'a> {
    /// The access key's ID.
    access_key_id: &'a str,
    /// Its secret.
    secret_access_key: &'a str,
    /// What goes along with every request that is signed with it.
    session_token: &'a str,
    /// When they end.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    expiration: String,
}

pub async fn handle(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    request: Request,
) -> Response {
    let exchanged = exchange(&app, &by, request).await;
    app.metrics.exchanged(exchanged.as_ref().map_or_else(ApiError::code, |_| "ok"));
    exchanged.unwrap_or_else(|error| error.answer(Dialect::Problem, &by.request_id))
}

/// Whether an app may ask once more. To end a session is not counted: its name is public, and whoever used up its turns would keep
/// people signed in.
pub(super) fn count_app(app: &App, client: &str, dialect: Dialect) -> Result<(), ApiError> {
    app.rate_limits.app(client).map_err(|too_often| ApiError::of_request(dialect, too_often.into()))
}

async fn exchange(app: &Arc<App>, by: &Requester, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    check_origin(app, &parts.headers)?;
    let mut body: Body = body::json(&parts.headers, body, MAX_BODY, &NOT_AT_EXCHANGE).await?;
    if let Some(client) = body.app() {
        check_page_of(app, client, &parts.headers)?;
        count_app(app, client, Dialect::Problem)?;
    }
    let asked = body.asked_for_id_token(app)?;
    if asked.is_some() {
        app.sessions.keep_up().await.map_err(ApiError::session_store)?;
    }
    let exchanged = app.broker.exchange(body.read()?, by).await.map_err(ApiError::exchange)?;
    let id_token = match asked {
        Some(asked) => id_token(app, &asked, &exchanged).await?,
        None => None,
    };
    Ok(answer(&exchanged, id_token.as_ref()))
}

async fn id_token(
    app: &App,
    asked: &AskedForIdToken,
    exchanged: &Exchanged,
) -> Result<Option<Secret>, ApiError> {
    let told = ToldApp {
        app: &asked.app,
        scope: asked.scope,
        nonce: None,
        signed_in_at: None,
        session: None,
        login: &exchanged.login,
        issued: &exchanged.issued,
    };
    let Some(id_tokens) = &app.sessions.id_tokens else { return Ok(None) };
    id_tokens.tell(told, app.clock.now()).await.map_err(|error| ApiError::session_store(error.into()))
}

pub(super) fn answer(exchanged: &Exchanged, id_token: Option<&Secret>) -> Response {
    let body = Answer {
        identity_id: &exchanged.issued.token.identity_id,
        token: exchanged.issued.token.token.expose(),
        expires_at: exchanged.issued.token.expires_at.to_string(),
        identity_pool_id: exchanged.issued.pool_id.as_str(),
        region: exchanged.issued.region.as_str(),
        provider: exchanged.login.provider(),
        user: User::shown(exchanged.login.user()),
        credentials: exchanged.issued.credentials.as_ref().map(TemporaryCredentials::of),
        id_token: id_token.map(Secret::expose),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

impl<'a> TemporaryCredentials<'a> {
    pub(super) fn of(credentials: &'a Credentials) -> Self {
        Self {
            access_key_id: credentials.access_key_id.as_str(),
            secret_access_key: credentials.secret_access_key.expose(),
            session_token: credentials.session_token.expose(),
            expiration: credentials.expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }
}
