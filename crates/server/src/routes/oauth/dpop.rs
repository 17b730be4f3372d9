//! The header `DPoP` of a request (RFC 9449 section 4.1): by it a client shows that it has the key that its refresh token
//! is bound to.

use axum::http::request::Parts;
use daypass_core::token::dpop::{KeyHolder, Shown};

use crate::error::ApiError;
use crate::installation::App;

/// Whoever signed the request, if anybody did. `token` is what stands in `Authorization`.
pub(in crate::routes) async fn key_holder(
    app: &App,
    parts: &Parts,
    token: Option<&str>,
) -> Result<Option<KeyHolder>, ApiError> {
    let mut headers = parts.headers.get_all("dpop").iter();
    let Some(proof) = headers.next() else { return Ok(None) };
    let proof = proof.to_str().ok().filter(|_| headers.next().is_none());
    let proof = proof.ok_or_else(ApiError::several_dpop_proofs)?;
    let url = format!("{}{}", app.login_flow.public_url, parts.uri.path());
    let shown = Shown { proof, method: parts.method.as_str(), url: &url, token };
    app.proofs_of_possession.verify(shown).await.map(Some).map_err(ApiError::dpop)
}
