//! Access tokens of Facebook and Login with Amazon. They say nothing themselves, so the provider is asked
//! two things about each: which app it was issued to, and whose it is.

use ::http::{Request, Response, StatusCode, header};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{AMAZON, FACEBOOK, PublicLoginError};
use crate::ground::outbound::{ProviderHttp, Repeatable};
use crate::ground::secret::Secret;
use crate::login::id_token::is_subject;

/// Real ones have a few hundred. A URL has to hold them.
const MAX_TOKEN_BYTES: usize = 4096;

/// The person and the answer about them.
type Found = (String, Map<String, Value>);

pub(super) async fn facebook(
    http: &dyn ProviderHttp,
    app_id: &str,
    token: &Secret,
) -> Result<Found, PublicLoginError> {
    let encoded = url_encode(token)?;
    let app = ask(http, FACEBOOK, "https://graph.facebook.com/app?access_token=", &encoded).await?;
    check_app(&app, "id", app_id)?;
    let me = ask(http, FACEBOOK, "https://graph.facebook.com/me?fields=id&access_token=", &encoded).await?;
    Ok((person(&me, "id", FACEBOOK)?, me))
}

pub(super) async fn amazon(
    http: &dyn ProviderHttp,
    app_id: &str,
    token: &Secret,
) -> Result<Found, PublicLoginError> {
    let encoded = url_encode(token)?;
    let info = ask(http, AMAZON, "https://api.amazon.com/auth/o2/tokeninfo?access_token=", &encoded).await?;
    check_app(&info, "aud", app_id)?;
    Ok((person(&info, "user_id", AMAZON)?, info))
}

fn url_encode(token: &Secret) -> Result<Secret, PublicLoginError> {
    let token = token.expose();
    if token.is_empty() || token.len() > MAX_TOKEN_BYTES {
        return Err(PublicLoginError::Refused);
    }
    Ok(Secret::new(utf8_percent_encode(token, NON_ALPHANUMERIC).to_string()))
}

/// A token that anybody else's app was given must not sign people in here.
fn check_app(answer: &Map<String, Value>, member: &str, app_id: &str) -> Result<(), PublicLoginError> {
    match answer.get(member) {
        Some(Value::String(found)) if found == app_id => Ok(()),
        _ => Err(PublicLoginError::UnsupportedProvider),
    }
}

fn person(answer: &Map<String, Value>, member: &str, provider: &str) -> Result<String, PublicLoginError> {
    let found = answer.get(member).and_then(Value::as_str).filter(|text| is_subject(text));
    found.map(str::to_owned).ok_or_else(|| unavailable(provider, "the answer names no person"))
}

async fn ask(
    http: &dyn ProviderHttp,
    provider: &str,
    url: &str,
    encoded_token: &Secret,
) -> Result<Map<String, Value>, PublicLoginError> {
    let request = Request::get(format!("{url}{}", encoded_token.expose()))
        .header(header::ACCEPT, "application/json")
        .extension(Repeatable)
        .body(Bytes::new())
        .map_err(|_| PublicLoginError::Refused)?;
    let answer = http.send(request).await.map_err(|error| unavailable(provider, &error.to_string()))?;
    read(&answer, provider)
}

fn read(answer: &Response<Bytes>, provider: &str) -> Result<Map<String, Value>, PublicLoginError> {
    match answer.status() {
        StatusCode::OK => serde_json::from_slice(answer.body())
            .map_err(|_| unavailable(provider, "the answer is not a JSON object")),
        status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            Err(PublicLoginError::Refused)
        }
        status => Err(unavailable(provider, &format!("status {}", status.as_u16()))),
    }
}

fn unavailable(provider: &str, reason: &str) -> PublicLoginError {
    PublicLoginError::Unavailable { provider: provider.to_owned(), reason: reason.to_owned() }
}
