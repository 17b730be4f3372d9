//! How a client proves who it is at the token and revocation endpoints: HTTP Basic, or two fields of
//! the form, and never both (RFC 6749 2.3.1).

use axum::http::{HeaderMap, header};
use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::ground::secret::Secret;
use percent_encoding::percent_decode_str;

use super::Sandbox;
use super::client::Client;
use super::oauth_error::OAuthError;
use super::params::Params;

const TWO_WAYS: OAuthError =
    OAuthError::invalid_request("The client must authenticate by HTTP Basic or in the form, not by both.");
const TWO_CLIENTS: OAuthError =
    OAuthError::invalid_request("client_id is not the client that authenticated by HTTP Basic.");
const NO_WAY: OAuthError = OAuthError::invalid_client("The client did not authenticate.");
const NOT_BASIC: OAuthError =
    OAuthError::invalid_client("The Authorization header is not that of HTTP Basic.");
const WRONG: OAuthError = OAuthError::invalid_client("The client ID or the client secret is wrong.");

struct Credentials {
    client_id: String,
    client_secret: Secret,
}

/// The client that this request comes from.
pub(super) fn authenticate<'a>(
    sandbox: &'a Sandbox,
    headers: &HeaderMap,
    params: &Params,
) -> Result<&'a Client, OAuthError> {
    let credentials = match (from_header(headers)?, from_form(params)?) {
        (Some(_), Some(_)) => return Err(TWO_WAYS),
        (None, None) => return Err(NO_WAY),
        (Some(credentials), None) | (None, Some(credentials)) => credentials,
    };
    if params.optional("client_id")?.is_some_and(|client_id| client_id != credentials.client_id) {
        return Err(TWO_CLIENTS);
    }
    let client = sandbox.client(&credentials.client_id);
    client.filter(|client| client.client_secret == credentials.client_secret).ok_or(WRONG)
}

fn from_form(params: &Params) -> Result<Option<Credentials>, OAuthError> {
    let Some(client_secret) = params.optional("client_secret")? else { return Ok(None) };
    let client_id = params.optional("client_id")?.ok_or(WRONG)?.to_owned();
    Ok(Some(Credentials { client_id, client_secret: Secret::new(client_secret) }))
}

fn from_header(headers: &HeaderMap) -> Result<Option<Credentials>, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(parse_basic).ok_or(NOT_BASIC).map(Some),
        (Some(_), Some(_)) => Err(TWO_WAYS),
    }
}

fn parse_basic(header: &str) -> Option<Credentials> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, client_secret) = decoded.split_once(':')?;
    Some(Credentials {
        client_id: decode_form(client_id)?,
        client_secret: Secret::new(decode_form(client_secret)?),
    })
}

/// Both halves are form-encoded before they are joined, so that a secret may hold any character.
fn decode_form(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().ok().map(Into::into)
}
