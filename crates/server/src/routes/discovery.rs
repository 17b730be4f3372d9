//! What a verifier of our tokens asks for: OpenID Connect Discovery 1.0 section 4, and the key set under
//! the three paths that verifiers of Cognito's tokens use (docs/reference/cognito-identity.md, 5.3).

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use daypass_core::token::signing_key::ALGORITHM;
use serde_json::json;

use super::state::SharedEmbedded;

/// Verifiers may keep the documents for so long.
const CACHE: &str = "public, max-age=300";

pub async fn configuration(State(embedded): SharedEmbedded) -> impl IntoResponse {
    let issuer = embedded.sts.tokens.issuer();
    let document = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks_uri"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": ["sub", "aud", "amr", "iss", "exp", "iat"],
    });
    ([(header::CACHE_CONTROL, CACHE)], Json(document))
}

pub async fn jwk_set(State(embedded): SharedEmbedded) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, CACHE)], Json(embedded.sts.tokens.keys().jwk_set()))
}
