//! `GET /.well-known/oauth-authorization-server` (RFC 8414): where the endpoints are, and what they take.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::super::state::SharedApp;
use super::token::GRANT_TYPES;

/// Clients may keep the document for so long.
const CACHE: &str = "public, max-age=300";

pub async fn handle(State(app): SharedApp) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, CACHE)], Json(document(&app.login_flow.public_url)))
}

fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "web_message"],
        "grant_types_supported": GRANT_TYPES,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": true,
    })
}
