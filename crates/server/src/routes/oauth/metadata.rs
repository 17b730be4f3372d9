//! What clients find the endpoints by: the metadata of an authorization server (RFC 8414), and the same of an OpenID
//! provider (OpenID Connect Discovery 1.0, section 3), with what verifiers of the pool's tokens want to know.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use daypass_core::ground::ids::RequestId;
use daypass_core::records::scope::SCOPES;
use daypass_core::token::dpop;
use daypass_core::token::openid_token::OF_ID_TOKENS;
use serde::Serialize;

use super::super::state::SharedApp;
use super::token;
use crate::error::{ApiError, Dialect};
use crate::installation::App;

/// Clients and verifiers may keep the documents for so long.
const CACHE: &str = "public, max-age=300";

/// The metadata of an authorization server (RFC 8414 section 2).
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::routes) struct AuthorizationServer {
    /// The `public_url`. It is `iss` of tokens and of answers to logins.
    issuer: String,
    #[serde(flatten)]
    endpoints: Endpoints,
    /// Always `code`.
    response_types_supported: [&'static str; 1],
    /// Who finds us here may ask for an ID token, too, and believe RS256 alone unless told otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token_signing_alg_values_supported: Option<[&'static str; 1]>,
    /// Where the keys of tokens are.
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
}

/// The metadata of an OpenID provider.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::routes) struct OpenIdProvider {
    /// The `public_url`, which is `iss` of the tokens.
    issuer: String,
    #[serde(flatten)]
    endpoints: Option<Endpoints>,
    /// `code`, or `id_token` where nobody can sign in.
    response_types_supported: [&'static str; 1],
    /// What tokens are signed with.
    id_token_signing_alg_values_supported: Vec<&'static str>,
    /// Where the keys of tokens are.
    jwks_uri: String,
    /// `sub` is the same for every app.
    subject_types_supported: [&'static str; 1],
    /// What a token may say.
    claims_supported: [&'static str; 12],
}

/// Where somebody signs in, and stays so.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Endpoints {
    /// Where a browser goes to sign in.
    authorization_endpoint: String,
    /// Where a grant becomes a token.
    token_endpoint: String,
    /// Where a session ends.
    revocation_endpoint: String,
    /// Where a device without a browser begins, if an app has such devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_authorization_endpoint: Option<String>,
    /// How a code comes back: in the address, or as a message from a popup.
    response_modes_supported: [&'static str; 2],
    /// The grants of the token endpoint.
    grant_types_supported: Vec<&'static str>,
    /// The scopes that mean something.
    scopes_supported: [&'static str; SCOPES.len()],
    /// How a code is bound to a verifier.
    code_challenge_methods_supported: [&'static str; 1],
    /// None: apps are public clients.
    token_endpoint_auth_methods_supported: [&'static str; 1],
    /// Likewise.
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
    /// What a proof of possession is signed with (RFC 9449).
    dpop_signing_alg_values_supported: [&'static str; 1],
    /// Every answer to a login names its issuer (RFC 9207).
    authorization_response_iss_parameter_supported: bool,
}

/// `GET /.well-known/oauth-authorization-server`
pub async fn authorization_server(State(app): SharedApp) -> Response {
    let issuer = app.login_flow.public_url.clone();
    let has_keys = app.tokens.is_some();
    cached(AuthorizationServer {
        endpoints: endpoints(&app),
        response_types_supported: ["code"],
        id_token_signing_alg_values_supported: has_keys.then(|| [OF_ID_TOKENS.name()]),
        jwks_uri: has_keys.then(|| jwks_uri(&issuer)),
        issuer,
    })
}

/// `GET /.well-known/openid-configuration`. Where nobody signs in, it is for verifiers alone.
pub async fn openid_provider(State(app): SharedApp, id: Extension<RequestId>) -> Response {
    let Some(tokens) = &app.tokens else { return ApiError::not_found().answer(Dialect::Problem, &id) };
    let issuer = tokens.issuer();
    let can_end = app.login_flow.can_end();
    cached(OpenIdProvider {
        issuer: issuer.to_owned(),
        endpoints: can_end.then(|| endpoints(&app)),
        response_types_supported: [if can_end { "code" } else { "id_token" }],
        id_token_signing_alg_values_supported: tokens.algorithms().iter().map(|it| it.name()).collect(),
        jwks_uri: jwks_uri(issuer),
        subject_types_supported: ["public"],
        claims_supported: [
            "sub",
            "aud",
            "amr",
            "iss",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "sid",
            "idp",
            "name",
            "picture",
        ],
    })
}

/// `GET /.well-known/jwks.json`, and `…/jwks_uri`, which is Cognito's path.
pub async fn jwk_set(State(app): SharedApp, id: Extension<RequestId>) -> Response {
    let Some(tokens) = &app.tokens else { return ApiError::not_found().answer(Dialect::Problem, &id) };
    // While the store does not answer, whoever verifies is served with what is known.
    let _ = tokens.keep_up().await;
    ([(header::CACHE_CONTROL, CACHE)], Json(tokens.jwk_set())).into_response()
}

fn endpoints(app: &App) -> Endpoints {
    let public_url = &app.login_flow.public_url;
    let for_devices = !app.device_logins.apps.is_empty();
    Endpoints {
        authorization_endpoint: format!("{public_url}/oauth2/authorize"),
        token_endpoint: format!("{public_url}/oauth2/token"),
        revocation_endpoint: format!("{public_url}/oauth2/revoke"),
        device_authorization_endpoint: for_devices
            .then(|| format!("{public_url}/oauth2/device_authorization")),
        response_modes_supported: ["query", "web_message"],
        grant_types_supported: token::grant_types(app),
        scopes_supported: SCOPES,
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["none"],
        revocation_endpoint_auth_methods_supported: ["none"],
        dpop_signing_alg_values_supported: [dpop::ALGORITHM],
        authorization_response_iss_parameter_supported: true,
    }
}

fn jwks_uri(issuer: &str) -> String {
    format!("{issuer}/.well-known/jwks_uri")
}

fn cached(document: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, CACHE)], Json(document)).into_response()
}
