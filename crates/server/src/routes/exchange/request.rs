//! What `/v1/exchange` and `/v1/link` are sent: one proof, or two, and what is wanted besides.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use daypass_core::audit::Requester;
use daypass_core::broker::developer_pool::ExchangeOptions;
use daypass_core::broker::exchange::{ExchangeRequest, LinkProofsRequest, PresentedProof};
use daypass_core::broker::login_code::LoginCode;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{IdentityId, Region};
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::UnverifiedProof;
use daypass_core::records::limits::MAX_TOKEN_SECONDS;
use daypass_core::records::scope::Scope;
use serde::Deserialize;

use super::super::oauth::dpop;
use super::super::page::check_page_of;
use super::super::session_cookie::{self, SessionCookie};
use crate::error::{ApiError, CookieMistake};
use crate::installation::App;

/// Members of a [`Body`] that `/v1/exchange` does not take.
pub(in crate::routes) const NOT_AT_EXCHANGE: [&str; 2] = ["first", "refresh_token"];
/// Members that `/v1/link` does not take, neither beside `first` nor in it.
pub(in crate::routes) const NOT_AT_LINK: [&str; 2] = ["identity_id", "scope"];

/// The body of a request. Exactly one proof stands in it, with the members that go with that kind.
#[derive(Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct Body {
    /// The login whose identity stays.
    first: Option<Box<Body>>,
    /// Alone in the place of a proof: the session of whoever links another login to theirs. It is not spent.
    refresh_token: Option<String>,
    /// The `id` of the `[[provider]]` that gave the proof. A `login_code` has none.
    provider: Option<String>,
    /// Proof: a one-time code of the hosted login, with `app`, `redirect_uri` and `code_verifier`.
    login_code: Option<String>,
    /// The `id` of the `[[app]]`: with `login_code`, whose it is; with `scope`, for which the ID token is.
    app: Option<String>,
    /// Proof: an access token of the provider's, where it is bound to our client.
    access_token: Option<String>,
    /// Proof: an ID token of the provider's, with `nonce` if it has one.
    id_token: Option<String>,
    /// Proof: an authorization code of the provider's, with `redirect_uri`, and with `code_verifier` and `nonce` where the
    /// login has them.
    code: Option<String>,
    /// The verifier of the login's PKCE challenge: 43 to 128 characters of `A-Z a-z 0-9 - . _ ~`.
    code_verifier: Option<String>,
    /// Proof: the fields that came back to the page, all of them, with `redirect_uri`.
    signed_fields: Option<BTreeMap<String, Field>>,
    /// Where the login came back to: one of the `redirect_uris` of an `[[app]]`.
    redirect_uri: Option<String>,
    /// The nonce that the login was started with.
    nonce: Option<String>,
    /// The further values of the callback that came with `code`, where a provider asks for them.
    callback: Option<BTreeMap<String, String>>,
    /// A guest who is to become the login's identity.
    identity_id: Option<String>,
    /// Seconds that the token is to live, 900 if absent.
    #[cfg_attr(test, schemars(range(min = 1, max = 86_400)))]
    token_duration: Option<i64>,
    /// Which Region's pool is to answer, if there are several.
    region: Option<String>,
    /// Whether temporary credentials are to come along.
    #[serde(default)]
    credentials: bool,
    /// `openid` or `openid profile`: an ID token for `app` is to come along. Not with `login_code`.
    scope: Option<String>,
}

/// The app that wants an ID token, and what is to be in it.
pub(super) struct AskedForIdToken {
    pub app: String,
    pub scope: Scope,
}

/// A field that a provider signed. Scripts get numbers where the provider signs their digits.
#[derive(PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline, extend("type" = ["string", "integer"])))]
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

const ONE_PROOF: &str = "send exactly one proof: access_token; id_token, perhaps with nonce; code with redirect_uri and \
                         code_verifier; or signed_fields with redirect_uri";

const LOGIN_CODE: &str =
    "login_code comes with app, redirect_uri and code_verifier, and with no provider and no other proof";

const APP: &str =
    "app comes with login_code; at /v1/exchange also with scope, beside a proof of the provider's";

/// The two proofs of a link, and its options. The first may be a session.
pub(in crate::routes) async fn read_link(
    app: &App,
    parts: &Parts,
    mut body: Body,
    by: &Requester,
) -> Result<LinkProofsRequest, ApiError> {
    let first = body
        .first
        .take()
        .ok_or_else(|| malformed("missing field `first`, the login whose identity stays"))?;
    for client in [first.app(), body.app()].into_iter().flatten() {
        check_page_of(app, client, &parts.headers)?;
    }
    let ExchangeRequest { presented: second, options } = body.read()?;
    let cookie = SessionCookie::of(app, &parts.headers)?;
    let first = match first.session(cookie.as_ref())? {
        Ok(refresh_token) => {
            let holder = dpop::key_holder(app, parts, None).await?;
            let proof = app.sessions.proof(&refresh_token, holder.as_ref(), by).await;
            let (presented, of_app) = proof.map_err(ApiError::refresh)?;
            session_cookie::check_place(app, &of_app, cookie.as_ref())?;
            check_page_of(app, &of_app, &parts.headers)?;
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

const SCOPE: &str = "scope is `openid` or `openid profile`, and comes with app, for which the ID token is. A login that began here has said it \
                     there: its code brings the ID token at /oauth2/token";

impl Body {
    /// The app that it names.
    pub(super) fn app(&self) -> Option<&str> {
        self.app.as_deref()
    }

    /// Whether an ID token is to come along. With a code of ours it does not: its nonce was for `/oauth2/token`.
    pub(super) fn asked_for_id_token(&mut self, app: &App) -> Result<Option<AskedForIdToken>, ApiError> {
        let Some(scope) = self.scope.take() else { return Ok(None) };
        let scope = Scope::from(scope);
        let id = self.app.take().filter(|_| scope.openid && self.login_code.is_none());
        let id = id.ok_or_else(|| malformed(SCOPE))?;
        if app.sessions.lifetime(&id).is_none() {
            return Err(malformed("app must be the id of an [[app]]"));
        }
        if app.sessions.id_tokens.is_none() {
            return Err(malformed("there are no ID tokens here: they need a store that lasts"));
        }
        Ok(Some(AskedForIdToken { app: id, scope }))
    }

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

    pub(super) fn read(mut self) -> Result<ExchangeRequest, ApiError> {
        if self.first.is_some() {
            return Err(malformed("first goes with /v1/link"));
        }
        if self.refresh_token.is_some() {
            return Err(malformed("refresh_token goes with /oauth2/token, or within `first` with /v1/link"));
        }
        if self.scope.is_some() {
            return Err(malformed("scope goes with /v1/exchange"));
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
            ..ExchangeOptions::default()
        };
        Ok(ExchangeRequest { presented: self.presented()?, options })
    }

    fn presented(mut self) -> Result<PresentedProof, ApiError> {
        if let Some(code) = self.login_code.take() {
            return Ok(PresentedProof::LoginCode(self.login_code(code)?));
        }
        if self.app.is_some() {
            return Err(malformed(APP));
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
                Ok(LoginCode { code, app, redirect_uri: Some(redirect_uri), code_verifier })
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
pub(in crate::routes) fn check_verifier(text: String) -> Result<Secret, ApiError> {
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
