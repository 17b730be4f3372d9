//! Token exchange (RFC 8693): what a provider's own SDK gave to an app, in place of a code. It begins a session. With an
//! `actor_token` it is another grant, [`acting`](super::acting).

use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::audit::Requester;
use daypass_core::broker::exchange::{ExchangeRequest, PresentedProof};
use daypass_core::broker::sessions::{NewSession, SignedIn};
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::{Provider, UnverifiedProof};
use daypass_core::token::dpop::KeyHolder;
use serde::Deserialize;

use super::form::Form;
use crate::error::ApiError;
use crate::installation::App;

pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// What the types of tokens begin with (RFC 8693 section 3).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:token-type:";

/// What an app may call the token that it gets: by what it is used for, it is an access token and an ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requested {
    /// A bearer token.
    AccessToken,
    /// A token that says who somebody is, and is used as no access token.
    IdToken,
}

impl Requested {
    /// `issued_token_type`.
    pub(super) fn issued_token_type(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
        }
    }

    /// `token_type` (RFC 8693 section 2.2.1).
    pub(super) fn token_type(self) -> &'static str {
        match self {
            Self::AccessToken => "Bearer",
            Self::IdToken => "N_A",
        }
    }
}

pub(super) async fn grant(
    app: &App,
    client: String,
    mut form: Form,
    key_holder: Option<KeyHolder>,
    by: &Requester,
) -> Result<(SignedIn, Requested), ApiError> {
    let requested = requested(&mut form)?;
    let presented = subject(app, &mut form)?;
    let options = form.exchange_options()?;
    let new = NewSession {
        app: client,
        device: form.device()?,
        scope: form.scope().unwrap_or_default(),
        key_holder,
    };
    let signed_in = app.sessions.begin(ExchangeRequest { presented, options }, new, by).await;
    Ok((signed_in.map_err(|error| ApiError::exchange(error).of_subject_token())?, requested))
}

/// What is wanted, if that can be had. A token is for the identity pool, and for nobody whom the app names.
pub(super) fn requested(form: &mut Form) -> Result<Requested, ApiError> {
    if form.perhaps("resource").or(form.perhaps("audience")).is_some() {
        return Err(ApiError::invalid_target());
    }
    match form.perhaps("requested_token_type").as_deref().map(|text| text.strip_prefix(TYPE)) {
        None | Some(Some("access_token")) => Ok(Requested::AccessToken),
        Some(Some("id_token")) => Ok(Requested::IdToken),
        Some(_) => Err(ApiError::malformed_form(format!(
            "requested_token_type must be {TYPE}access_token or {TYPE}id_token."
        ))),
    }
}

/// The subject token as the proof that it is, and whose.
pub(super) fn subject(app: &App, form: &mut Form) -> Result<PresentedProof, ApiError> {
    let token = Secret::new(form.take("subject_token")?);
    let nonce = form.perhaps("nonce").map(Secret::new);
    let issuer = form.perhaps("subject_issuer");
    let kind = form.take("subject_token_type")?;
    match kind.strip_prefix(TYPE) {
        Some("access_token") => {
            let provider = issuer.ok_or_else(|| ApiError::malformed_form(NO_ISSUER))?;
            Ok(PresentedProof::OfProvider { provider, proof: UnverifiedProof::AccessToken(token) })
        }
        Some("id_token" | "jwt") => {
            let provider = match issuer {
                Some(provider) => provider,
                None => provider_of(app.broker.providers.all().values(), &token)
                    .ok_or_else(|| ApiError::malformed_form(NO_ISSUER))?,
            };
            Ok(PresentedProof::OfProvider { provider, proof: UnverifiedProof::IdToken { token, nonce } })
        }
        _ => Err(ApiError::malformed_form(format!(
            "subject_token_type must be {TYPE}access_token, {TYPE}id_token or {TYPE}jwt."
        ))),
    }
}

const NO_ISSUER: &str = "subject_issuer is missing: the ID of the provider that gave the subject_token.";

/// The one of some providers whose issuer a token names. Nothing of it is believed yet: the provider's rules decide.
pub(super) fn provider_of<'a>(
    providers: impl IntoIterator<Item = &'a Arc<Provider>>,
    token: &Secret,
) -> Option<String> {
    let issuer = issuer_of(token.expose())?;
    let mut named = providers.into_iter().filter(|provider| has_issuer(provider, &issuer));
    match (named.next(), named.next()) {
        (Some(provider), None) => Some(provider.id.clone()),
        _ => None,
    }
}

/// The issuer that a token names.
pub(super) fn issuer_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
    }
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    Some(serde_json::from_slice::<Claims>(&payload).ok()?.iss)
}

fn has_issuer(provider: &Arc<Provider>, issuer: &str) -> bool {
    let id_token = provider.definition.id_token.as_ref();
    id_token.is_some_and(|id_token| id_token.issuers.iter().any(|known| known == issuer))
}
