//! The token and revocation endpoints, which only a client's own server calls.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::Sandbox;
use super::client::Client;
use super::client_auth::authenticate;
use super::grants::{Redemption, Tokens};
use super::ledger::Kind;
use super::oauth_error::OAuthError;
use super::params::Params;
use super::scope::Scopes;

const UNKNOWN_GRANT_TYPE: OAuthError =
    OAuthError::unsupported_grant_type("grant_type must be authorization_code or refresh_token.");
const OTHER_SCOPE: OAuthError =
    OAuthError::invalid_scope("A refresh keeps the scope of the sign-in; leave scope out.");

/// Turns a code or a refresh token into tokens.
pub(super) async fn issue(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    params: Result<Params, FormRejection>,
) -> Result<Json<Value>, OAuthError> {
    let params = params?;
    let client = authenticate(&sandbox, &headers, &params)?;
    let tokens = match params.required("grant_type", "grant_type is missing.")? {
        "authorization_code" => redeem(&sandbox, client, &params)?,
        "refresh_token" => refresh(&sandbox, client, &params)?,
        _ => return Err(UNKNOWN_GRANT_TYPE),
    };
    Ok(Json(render(&tokens)))
}

/// Takes a token back. A token that nobody knows counts as taken back already (RFC 7009 2.2).
pub(super) async fn revoke(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    params: Result<Params, FormRejection>,
) -> Result<StatusCode, OAuthError> {
    let params = params?;
    let client = authenticate(&sandbox, &headers, &params)?;
    let token = params.required("token", "token is missing.")?;
    sandbox.grants.revoke(&client.client_id, token);
    Ok(StatusCode::OK)
}

fn redeem(sandbox: &Sandbox, client: &Client, params: &Params) -> Result<Tokens, OAuthError> {
    sandbox.grants.redeem(&Redemption {
        client_id: &client.client_id,
        code: params.required("code", "code is missing.")?,
        redirect_uri: params.required("redirect_uri", "redirect_uri is missing.")?,
        verifier: params.optional("code_verifier")?,
    })
}

fn refresh(sandbox: &Sandbox, client: &Client, params: &Params) -> Result<Tokens, OAuthError> {
    let refresh_token = params.required("refresh_token", "refresh_token is missing.")?;
    if params.optional("scope")?.is_some() {
        return Err(OTHER_SCOPE);
    }
    sandbox.grants.refresh(&client.client_id, refresh_token)
}

fn render(tokens: &Tokens) -> Value {
    json!({
        "access_token": tokens.access_token.expose(),
        "token_type": "Bearer",
        "expires_in": Kind::AccessToken.lifetime().as_secs(),
        "refresh_token": tokens.refresh_token.expose(),
        "scope": Scopes::to_parameter(&tokens.grant.scopes),
    })
}
