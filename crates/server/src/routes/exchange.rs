//! `POST /v1/exchange`: a login in, an identity and its token out.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use daypass_core::audit::Requester;
use daypass_core::broker::developer_pool::ExchangeOptions;
use daypass_core::broker::exchange::{ExchangeRequest, Exchanged, LinkProofsRequest, PresentedProof};
use daypass_core::broker::login_code::LoginCode;
use daypass_core::credentials::session_token::Credentials;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{IdentityId, Region};
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::{DisplayUser, UnverifiedProof};
use daypass_core::records::limits::MAX_TOKEN_SECONDS;
use serde::{Deserialize, Serialize};

use super::body;
use super::oauth::dpop;
use super::session_cookie::SessionCookie;
use super::state::SharedApp;
use crate::error::{ApiError, CookieMistake, Dialect};
use crate::installation::App;

const MAX_BODY: usize = 64 * 1024;

/// The body of a request. Exactly one proof stands in it, with the members that go with that kind.
#[derive(Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// Another login, at `/v1/link`.
    first: Option<Box<Body>>,
    /// The session of whoever links another login to theirs, within `first`.
    refresh_token: Option<String>,
    provider: Option<String>,
    login_code: Option<String>,
    app: Option<String>,
    access_token: Option<String>,
    id_token: Option<String>,
    code: Option<String>,
    code_verifier: Option<String>,
    signed_fields: Option<BTreeMap<String, Field>>,
    redirect_uri: Option<String>,
    nonce: Option<String>,
    callback: Option<BTreeMap<String, String>>,
    identity_id: Option<String>,
    token_duration: Option<i64>,
    region: Option<String>,
    #[serde(default)]
    credentials: bool,
}

/// A field that a provider signed. Scripts get numbers where the provider signs their digits.
#[derive(PartialEq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
struct Field(String);

impl TryFrom<serde_json::Value> for Field {
    type Error = &'static str;

    fn try_from(value: serde_json::Value) -> Result<Self, Self::Error> {
        match value {
            serde_json::Value::String(text) => Ok(Self(text)),
            serde_json::Value::Number(number) if number.is_i64() || number.is_u64() => {
                Ok(Self(number.to_string()))
            }
            _ => Err("a text or a whole number"),
        }
    }
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
pub(super) struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<&'a str>,
}

impl<'a> User<'a> {
    pub(super) fn shown(user: &'a DisplayUser) -> Self {
        Self { name: user.name.as_deref(), avatar: user.avatar.as_deref() }
    }
}

#[derive(Serialize)]
pub(super) struct TemporaryCredentials<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    expiration: String,
}

pub async fn handle(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    request: Request,
) -> Response {
    let exchanged = exchange(&app, &by, request).await;
    app.metrics.exchanged(exchanged.as_ref().map_or_else(ApiError::code, |_| "ok"));
    exchanged.unwrap_or_else(|error| error.answer(Dialect::Problem, &by.request_id))
}

async fn exchange(app: &Arc<App>, by: &Requester, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    check_origin(app, &parts.headers)?;
    let body: Body = body::json(&parts.headers, body, MAX_BODY).await?;
    let exchanged = app.broker.exchange(body.read()?, by).await.map_err(ApiError::exchange)?;
    Ok(answer(&exchanged))
}

/// A browser tells where a page comes from. Pages of others are turned away even where the browser would
/// only hide the answer from them.
pub(super) fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    if app.origins.contains(origin) { Ok(()) } else { Err(ApiError::origin_not_allowed()) }
}

const ONE_PROOF: &str = "send exactly one proof: access_token; id_token, perhaps with nonce; code with redirect_uri and \
                         code_verifier; or signed_fields with redirect_uri";

const LOGIN_CODE: &str =
    "login_code comes with app, redirect_uri and code_verifier, and with no provider and no other proof";

/// The two proofs of a link, and its options. The first may be a session.
pub(super) async fn read_link(
    app: &App,
    parts: &Parts,
    mut body: Body,
    by: &Requester,
) -> Result<LinkProofsRequest, ApiError> {
    let first = body
        .first
        .take()
        .ok_or_else(|| malformed("missing field `first`, the login whose identity stays"))?;
    let ExchangeRequest { presented: second, options } = body.read()?;
    let first = match first.session(SessionCookie::of(app, &parts.headers)?.as_ref())? {
        Ok(refresh_token) => {
            let holder = dpop::key_holder(app, parts, None).await?;
            let proof = app.sessions.proof(&refresh_token, holder.as_ref(), by).await;
            let presented = proof.map_err(ApiError::refresh)?;
            ExchangeRequest { presented, options: ExchangeOptions::default() }
        }
        Err(first) => first.read()?,
    };
    if options.identity_id.is_some() {
        return Err(malformed("identity_id goes with /v1/exchange: the identity is that of the first login"));
    }
    if first.options != ExchangeOptions::default() {
        return Err(malformed("first: a proof and nothing else; what is wanted besides stands beside it"));
    }
    Ok(LinkProofsRequest { first: first.presented, second, options })
}

impl Body {
    /// The refresh token that stands there instead of a proof, alone, or is in a cookie; or the body as it is.
    fn session(
        mut self: Box<Self>,
        cookie: Option<&SessionCookie>,
    ) -> Result<Result<Secret, Box<Self>>, ApiError> {
        if let Some(cookie) = cookie {
            let alone = *self == Self::default();
            let something_else = || ApiError::session_cookie(CookieMistake::SomethingElse);
            return if alone { cookie.refresh_token().cloned().map(Ok) } else { Err(something_else()) };
        }
        match self.refresh_token.take() {
            None => Ok(Err(self)),
            Some(token) if *self == Self::default() => Ok(Ok(Secret::new(token))),
            Some(_) => Err(malformed("first: refresh_token stands there alone")),
        }
    }

    fn read(mut self) -> Result<ExchangeRequest, ApiError> {
        if self.first.is_some() {
            return Err(malformed("first goes with /v1/link"));
        }
        if self.refresh_token.is_some() {
            return Err(malformed("refresh_token goes with /oauth2/token, or within `first` with /v1/link"));
        }
        let identity_id = self.identity_id.take().map(IdentityId::parse).transpose();
        let identity_id = identity_id.map_err(|error| malformed(&format!("identity_id: {error}")))?;
        let token_duration = match self.token_duration {
            None => None,
            Some(seconds @ 1..=MAX_TOKEN_SECONDS) => Some(SignedDuration::from_secs(seconds)),
            Some(_) => return Err(malformed("token_duration must be 1 to 86400 seconds")),
        };
        let region = self.region.take().map(|region| Region::parse(&region)).transpose();
        let region = region.map_err(|error| malformed(&format!("region: {error}")))?;
        let options = ExchangeOptions {
            identity_id,
            token_duration,
            region,
            credentials: self.credentials,
            session: None,
        };
        Ok(ExchangeRequest { presented: self.presented()?, options })
    }

    fn presented(mut self) -> Result<PresentedProof, ApiError> {
        if let Some(code) = self.login_code.take() {
            return Ok(PresentedProof::LoginCode(self.login_code(code)?));
        }
        if self.app.is_some() {
            return Err(malformed(LOGIN_CODE));
        }
        let provider = self.provider.take().ok_or_else(|| malformed("missing field `provider`"))?;
        Ok(PresentedProof::OfProvider { provider, proof: self.proof()? })
    }

    fn login_code(self, code: String) -> Result<LoginCode, ApiError> {
        let others = self.provider.is_some()
            || self.access_token.is_some()
            || self.id_token.is_some()
            || self.code.is_some()
            || self.signed_fields.is_some()
            || self.nonce.is_some()
            || self.callback.is_some();
        match (self.app, self.redirect_uri, self.code_verifier) {
            (Some(app), Some(redirect_uri), Some(verifier)) if !others => {
                let (code, code_verifier) = (Secret::new(code), check_verifier(verifier)?);
                Ok(LoginCode { code, app, redirect_uri, code_verifier })
            }
            _ => Err(malformed(LOGIN_CODE)),
        }
    }

    fn proof(self) -> Result<UnverifiedProof, ApiError> {
        let given = [
            self.access_token.is_some(),
            self.id_token.is_some(),
            self.code.is_some(),
            self.signed_fields.is_some(),
        ];
        let [token, id_token, code, signed] = given;
        let fits = given.iter().filter(|given| **given).count() == 1
            && (code || (self.code_verifier.is_none() && self.callback.is_none()))
            && (code || id_token || self.nonce.is_none())
            && (code || signed) == self.redirect_uri.is_some();
        if !fits {
            return Err(malformed(ONE_PROOF));
        }
        let nonce = self.nonce.map(Secret::new);
        let redirect_uri = self.redirect_uri.unwrap_or_default();
        Ok(if let Some(code) = self.code {
            let callback = self.callback.into_iter().flatten();
            UnverifiedProof::Code {
                code: not_empty(code)?,
                code_verifier: self.code_verifier.map(check_verifier).transpose()?,
                callback: callback.map(|(name, value)| (name, Secret::new(value))).collect(),
                redirect_uri,
                nonce,
            }
        } else if let Some(token) = self.id_token {
            UnverifiedProof::IdToken { token: not_empty(token)?, nonce }
        } else if let Some(token) = self.access_token.filter(|_| token) {
            UnverifiedProof::AccessToken(not_empty(token)?)
        } else {
            let fields = self.signed_fields.into_iter().flatten();
            let fields = fields.map(|(name, Field(value))| (name, value)).collect();
            UnverifiedProof::SignedFields { fields, redirect_uri }
        })
    }
}

fn not_empty(text: String) -> Result<Secret, ApiError> {
    if text.is_empty() { Err(malformed(ONE_PROOF)) } else { Ok(Secret::new(text)) }
}

/// RFC 7636 section 4.1.
pub(super) fn check_verifier(text: String) -> Result<Secret, ApiError> {
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

pub(super) fn answer(exchanged: &Exchanged) -> Response {
    let body = Answer {
        identity_id: &exchanged.issued.token.identity_id,
        token: exchanged.issued.token.token.expose(),
        expires_at: exchanged.issued.token.expires_at.to_string(),
        identity_pool_id: exchanged.issued.pool_id.as_str(),
        region: exchanged.issued.region.as_str(),
        provider: exchanged.login.provider(),
        user: User::shown(exchanged.login.user()),
        credentials: exchanged.issued.credentials.as_ref().map(TemporaryCredentials::of),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

impl<'a> TemporaryCredentials<'a> {
    pub(super) fn of(credentials: &'a Credentials) -> Self {
        Self {
            access_key_id: credentials.access_key_id.as_str(),
            secret_access_key: credentials.secret_access_key.expose(),
            session_token: credentials.session_token.expose(),
            expiration: credentials.expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_of_a_script_are_the_texts_that_were_signed() {
        let read = |value: serde_json::Value| {
            let fields =
                json!({"provider": "telegram", "redirect_uri": "https://a", "signed_fields": {"id": value}});
            let body = serde_json::from_value::<Body>(fields).map_err(|error| error.to_string())?;
            match body.proof().map_err(|error| error.message().to_owned())? {
                UnverifiedProof::SignedFields { fields, .. } => Ok(fields["id"].clone()),
                other => Err(format!("{other:?}")),
            }
        };
        for (value, text) in [
            (json!(424_242), "424242"),
            (json!(-7), "-7"),
            (json!(9_007_199_254_740_993_u64), "9007199254740993"),
            (json!("007"), "007"),
        ] {
            assert_eq!(read(value), Ok(text.to_owned()));
        }
        for bad in [json!(1.5), json!(1e30), json!(true), json!(null), json!(["1"]), json!({})] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
