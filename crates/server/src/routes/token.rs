//! `POST /oauth2/token`: a one-time code of the hosted login in, an OpenID token out, in the words of RFC 6749. It is
//! the same exchange as `/v1/exchange`, for apps that speak OAuth already. The apps are public clients: nothing but
//! their PKCE verifier shows who they are.

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use daypass_core::audit::Requester;
use daypass_core::broker::developer_pool::ExchangeOptions;
use daypass_core::broker::exchange::{ExchangeRequest, Exchanged, PresentedProof};
use daypass_core::broker::login_code::LoginCode;
use daypass_core::ground::form;
use daypass_core::ground::secret::Secret;
use serde::Serialize;

use super::body;
use super::exchange::{User, check_origin, check_verifier};
use super::state::SharedApp;
use crate::error::{ApiError, Dialect};
use crate::installation::App;

const MAX_BODY: usize = 8 * 1024;

#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    /// What the token is: one for GetCredentialsForIdentity and AssumeRoleWithWebIdentity (RFC 8693 section 3).
    issued_token_type: &'static str,
    expires_in: i64,
    identity_id: &'a str,
    identity_pool_id: &'a str,
    region: &'a str,
    provider: &'a str,
    user: User<'a>,
}

pub async fn handle(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    request: Request,
) -> Response {
    let exchanged = exchange(&app, &by, request).await;
    app.metrics.exchanged(exchanged.as_ref().map_or_else(ApiError::code, |_| "ok"));
    exchanged.unwrap_or_else(|error| error.answer(Dialect::OAuth, &by.request_id))
}

async fn exchange(app: &App, by: &Requester, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    check_origin(app, &parts.headers)?;
    let code = read(&parts.headers, &body::read(body, MAX_BODY, Dialect::OAuth).await?)?;
    let wanted =
        ExchangeRequest { presented: PresentedProof::LoginCode(code), options: ExchangeOptions::default() };
    let exchanged = app.broker.exchange(wanted, by).await;
    Ok(answer(app, &exchanged.map_err(ApiError::exchange)?))
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<LoginCode, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(ApiError::malformed_form("Send a form: application/x-www-form-urlencoded."));
    }
    let mut form =
        form::read(body).ok_or_else(|| ApiError::malformed_form("A parameter stands there twice."))?;
    let mut take = |name: &str| {
        let value = form.remove(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| ApiError::malformed_form(format!("{name} is missing.")))
    };
    if take("grant_type")? != "authorization_code" {
        return Err(ApiError::unsupported_grant_type());
    }
    Ok(LoginCode {
        app: take("client_id")?,
        redirect_uri: take("redirect_uri")?,
        code_verifier: check_verifier(take("code_verifier")?)?,
        code: Secret::new(take("code")?),
    })
}

fn answer(app: &App, exchanged: &Exchanged) -> Response {
    let lifetime = exchanged.issued.token.expires_at.as_second() - app.clock.now().as_second();
    let body = Answer {
        access_token: exchanged.issued.token.token.expose(),
        token_type: "Bearer",
        issued_token_type: "urn:ietf:params:oauth:token-type:id_token",
        expires_in: lifetime,
        identity_id: exchanged.issued.token.identity_id.as_str(),
        identity_pool_id: exchanged.issued.pool_id.as_str(),
        region: exchanged.issued.region.as_str(),
        provider: &exchanged.provider,
        user: User::of(exchanged),
    };
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
}
