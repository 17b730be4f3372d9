//! `POST /v1/exchange`: a login in, an identity and its token out.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use daypass_core::audit::Requester;
use daypass_core::clock::SignedDuration;
use daypass_core::exchange::{ExchangeRequest, Exchanged};
use daypass_core::ids::{IdentityId, RequestId};
use daypass_core::provider::UnverifiedProof;
use daypass_core::secret::Secret;
use daypass_core::session::Credentials;
use serde::{Deserialize, Serialize};

use super::{SharedApp, body};
use crate::error::{ApiError, Dialect};
use crate::wire::App;

const MAX_BODY: usize = 64 * 1024;
const MAX_TOKEN_DURATION: i64 = 86_400;

/// The body of a request. Exactly one proof stands in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    provider: String,
    access_token: Option<String>,
    code: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
    identity_id: Option<String>,
    token_duration: Option<i64>,
    #[serde(default)]
    credentials: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    identity_id: &'a IdentityId,
    token: &'a str,
    expires_at: String,
    identity_pool_id: &'a str,
    region: &'a str,
    provider: &'a str,
    user: User<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<TemporaryCredentials<'a>>,
}

#[derive(Serialize)]
struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<&'a str>,
}

#[derive(Serialize)]
struct TemporaryCredentials<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    expiration: String,
}

pub async fn handle(
    State(app): SharedApp,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    match exchange(&app, &id, request).await {
        Ok(response) => response,
        Err(error) => error.answer(Dialect::Problem, &id),
    }
}

async fn exchange(app: &Arc<App>, id: &RequestId, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    check_origin(app, &parts.headers)?;
    let body: Body = body::json(&parts.headers, body, MAX_BODY).await?;
    let by = Requester::anonymous(id);
    let exchanged = app.broker.exchange(body.read()?, &by).await.map_err(ApiError::exchange)?;
    Ok(answer(app, &exchanged))
}

/// A browser tells where a page comes from. Pages of others are turned away even where the browser would
/// only hide the answer from them.
fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let registered = origin.to_str().is_ok_and(|origin| app.origins.contains(origin));
    if registered { Ok(()) } else { Err(ApiError::origin_not_allowed()) }
}

impl Body {
    fn read(self) -> Result<ExchangeRequest, ApiError> {
        let identity_id = self.identity_id.map(IdentityId::parse).transpose();
        let identity_id = identity_id.map_err(|error| malformed(&format!("identity_id: {error}")))?;
        let token_duration = match self.token_duration {
            None => None,
            Some(seconds @ 1..=MAX_TOKEN_DURATION) => Some(SignedDuration::from_secs(seconds)),
            Some(_) => return Err(malformed("token_duration must be 1 to 86400 seconds")),
        };
        let proof = match (self.access_token, self.code, self.code_verifier, self.redirect_uri) {
            (Some(token), None, None, None) if !token.is_empty() => {
                UnverifiedProof::AccessToken(Secret::new(token))
            }
            (None, Some(code), Some(code_verifier), Some(redirect_uri)) if !code.is_empty() => {
                let code_verifier = check_verifier(code_verifier)?;
                UnverifiedProof::Code { code: Secret::new(code), code_verifier, redirect_uri }
            }
            _ => {
                return Err(malformed(
                    "send exactly one proof: access_token, or code with code_verifier and redirect_uri",
                ));
            }
        };
        Ok(ExchangeRequest {
            provider: self.provider,
            proof,
            identity_id,
            token_duration,
            credentials: self.credentials,
        })
    }
}

/// RFC 7636 section 4.1.
fn check_verifier(text: String) -> Result<Secret, ApiError> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
        Ok(Secret::new(text))
    } else {
        Err(malformed("code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~"))
    }
}

fn malformed(detail: &str) -> ApiError {
    ApiError::malformed_request(detail)
}

fn answer(app: &App, exchanged: &Exchanged) -> Response {
    let body = Answer {
        identity_id: &exchanged.token.identity_id,
        token: exchanged.token.token.expose(),
        expires_at: exchanged.token.expires_at.to_string(),
        identity_pool_id: app.broker.pool_id.as_str(),
        region: app.pools.region.as_str(),
        provider: &exchanged.provider,
        user: User { name: exchanged.user.name.as_deref(), avatar: exchanged.user.avatar.as_deref() },
        credentials: exchanged.credentials.as_ref().map(shown),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn shown(credentials: &Credentials) -> TemporaryCredentials<'_> {
    TemporaryCredentials {
        access_key_id: credentials.access_key_id.as_str(),
        secret_access_key: credentials.secret_access_key.expose(),
        session_token: credentials.session_token.expose(),
        expiration: credentials.expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}
