//! Reading request bodies, no more of them than a route takes.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, Dialect};

/// The whole body, if it is not too long.
pub async fn read(body: Body, limit: usize, dialect: Dialect) -> Result<Bytes, ApiError> {
    to_bytes(body, limit).await.map_err(|_| ApiError::body_too_large(dialect, limit))
}

/// A JSON body of a `/v1` route. Asking for the content type makes a browser ask us first, too
/// (Fetch, "CORS-preflight request").
pub async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body, limit: usize) -> Result<T, ApiError> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::not_json());
    }
    serde_json::from_slice(&read(body, limit, Dialect::Problem).await?)
        .map_err(|error| ApiError::malformed_request(describe(&error)))
}

/// What is wrong with a JSON text, without repeating any of its values: they may be secrets.
pub fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let shape = ["missing field", "unknown field", "duplicate field"];
    if shape.iter().any(|known| text.starts_with(known)) {
        return text;
    }
    let what = if error.is_data() { "a member has the wrong type" } else { "the body is not valid JSON" };
    format!("{what}, at line {} column {}", error.line(), error.column())
}
