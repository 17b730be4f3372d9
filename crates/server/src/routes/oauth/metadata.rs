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
use serde_json::{Map, Value, json};

use super::super::state::SharedApp;
use super::token;
use crate::error::{ApiError, Dialect};
use crate::installation::App;

/// Clients and verifiers may keep the documents for so long.
const CACHE: &str = "public, max-age=300";

/// `GET /.well-known/oauth-authorization-server`
pub async fn authorization_server(State(app): SharedApp) -> Response {
    cached(Value::Object(endpoints(&app)))
}

/// `GET /.well-known/openid-configuration`. Where nobody signs in, it is for verifiers alone.
pub async fn openid_provider(State(app): SharedApp, id: Extension<RequestId>) -> Response {
    let Some(tokens) = &app.tokens else { return ApiError::not_found().answer(Dialect::Problem, &id) };
    let issuer = tokens.issuer();
    let mut document = if app.login_flow.can_end() { endpoints(&app) } else { Map::new() };
    let of_provider = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks_uri"),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": tokens.algorithms().iter().map(|it| it.name()).collect::<Vec<_>>(),
        "claims_supported": ["sub", "aud", "amr", "iss", "exp", "iat", "auth_time", "nonce", "sid", "idp", "name", "picture"],
    });
    document.extend(of_provider.as_object().cloned().unwrap_or_default());
    document.entry("response_types_supported").or_insert_with(|| json!(["id_token"]));
    cached(Value::Object(document))
}

/// `GET /.well-known/jwks.json`, and `…/jwks_uri`, which is Cognito's path.
pub async fn jwk_set(State(app): SharedApp, id: Extension<RequestId>) -> Response {
    let Some(tokens) = &app.tokens else { return ApiError::not_found().answer(Dialect::Problem, &id) };
    // While the store does not answer, whoever verifies is served with what is known.
    let _ = tokens.keep_up().await;
    ([(header::CACHE_CONTROL, CACHE)], Json(tokens.jwk_set())).into_response()
}

fn endpoints(app: &App) -> Map<String, Value> {
    let issuer = &app.login_flow.public_url;
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "web_message"],
        "grant_types_supported": token::grant_types(app),
        "scopes_supported": SCOPES,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "dpop_signing_alg_values_supported": [dpop::ALGORITHM],
        "authorization_response_iss_parameter_supported": true,
    });
    if !app.device_logins.apps.is_empty() {
        document["device_authorization_endpoint"] = format!("{issuer}/oauth2/device_authorization").into();
    }
    if app.tokens.is_some() {
        // Who finds us here may ask for an ID token, too, and believe RS256 alone unless told otherwise.
        document["id_token_signing_alg_values_supported"] = json!([OF_ID_TOKENS.name()]);
        document["jwks_uri"] = format!("{issuer}/.well-known/jwks_uri").into();
    }
    document.as_object().cloned().unwrap_or_default()
}

fn cached(document: Value) -> Response {
    ([(header::CACHE_CONTROL, CACHE)], Json(document)).into_response()
}
