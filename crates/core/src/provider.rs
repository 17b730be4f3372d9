//! Verifying a login with the identity provider that it comes from.
//!
//! A [`Provider`] is a definition from the catalogue plus the operator's client at that provider.
//! [`Provider::verify`] is the only way to a [`VerifiedLogin`], and it always asks the provider. The
//! rules behind it: a code is redeemed with our own client secret, so the provider itself refuses the
//! codes of other clients; a bare access token says nothing about the client it was issued to, and is
//! refused unless the operator accepts that in so many words.

mod answer;
pub mod definition;
pub mod http;

use ::http::{Method, Request, Response, StatusCode, header};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use self::definition::{Binding, ClientAuthentication, Definition, ProofKind};
use self::http::{ProviderHttp, ProviderHttpError};
use crate::secret::Secret;

/// What a client hands over to show that somebody signed in. Nothing in it is believed yet.
#[derive(Debug)]
pub enum UnverifiedProof {
    /// An authorization code of the flow with PKCE (RFC 6749 section 4.1, RFC 7636).
    Code {
        /// The code.
        code: Secret,
        /// The verifier whose challenge started the flow: it ties the code to the browser.
        code_verifier: Secret,
        /// Exactly the URI that the flow was started with.
        redirect_uri: String,
    },
    /// A bare access token, issued to whomever.
    AccessToken(Secret),
}

impl UnverifiedProof {
    fn kind(&self) -> ProofKind {
        match self {
            Self::Code { .. } => ProofKind::Code,
            Self::AccessToken(_) => ProofKind::AccessToken,
        }
    }
}

/// A login that its provider confirmed. Only [`Provider::verify`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedLogin {
    provider: String,
    external_id: String,
    user: DisplayUser,
}

impl VerifiedLogin {
    /// The provider's ID in the configuration.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The developer user identifier of this person: `{provider}:{external id}`, so that several
    /// providers share the one developer provider that a pool has.
    #[must_use]
    pub fn developer_user_identifier(&self) -> String {
        format!("{}:{}", self.provider, self.external_id)
    }

    /// What to call the person on a screen.
    #[must_use]
    pub fn user(&self) -> &DisplayUser {
        &self.user
    }
}

/// How a person wants to be seen. For screens only: it identifies nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DisplayUser {
    /// A name, not unique.
    pub name: Option<String>,
    /// The URL of a picture.
    pub avatar: Option<String>,
}

/// Why a proof did not become a login.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// A bare access token, at a provider that cannot say which client it was issued to.
    #[error("a bare access token does not show which app it was issued to")]
    UnboundAccessToken,
    /// The provider does not take this kind of proof here.
    #[error("this provider takes no {0}")]
    KindNotAccepted(ProofKind),
    /// The provider said no: spent, expired, revoked, or another client's.
    #[error("the provider refused the proof")]
    Refused,
    /// The provider answered with errors in place of a profile.
    #[error("the provider answered the profile query with errors{}", code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default())]
    ReportedErrors {
        /// The provider's own code for the first of them.
        code: Option<String>,
    },
    /// The profile has no external ID: its scope was not granted, or the value is unusable.
    #[error("the provider named no external ID")]
    SubjectMissing,
    /// The provider did not answer in time.
    #[error("the provider did not answer in time")]
    TimedOut,
    /// The provider cannot be reached or says that it is out of order.
    #[error("the provider is unavailable: {0}")]
    Unavailable(String),
    /// The answer is longer than any honest one.
    #[error("the provider's answer is too large")]
    AnswerTooLarge,
    /// The answer is not what the definition expects.
    #[error("the provider's answer makes no sense: {0}")]
    AnswerMalformed(&'static str),
    /// The provider does not accept our client.
    #[error("the provider refused our client: {0}")]
    Misconfigured(String),
}

impl From<ProviderHttpError> for ProofError {
    fn from(error: ProviderHttpError) -> Self {
        match error {
            ProviderHttpError::TimedOut => Self::TimedOut,
            ProviderHttpError::Unreachable(reason) => Self::Unavailable(reason),
            ProviderHttpError::AnswerTooLarge => Self::AnswerTooLarge,
        }
    }
}

/// A provider that this installation accepts logins of.
#[derive(Debug)]
pub struct Provider {
    /// Its ID in the configuration, part of every developer user identifier.
    pub id: String,
    /// How to talk to it.
    pub definition: Definition,
    /// The client that the operator registered there.
    pub client_id: String,
    /// That client's secret.
    pub client_secret: Secret,
    /// The operator's word that tokens issued to anybody's app may sign people in here.
    pub accept_unbound_access_tokens: bool,
}

impl Provider {
    /// The kinds of proof that [`verify`](Self::verify) does not turn away at the door.
    #[must_use]
    pub fn accepted_proofs(&self) -> Vec<ProofKind> {
        self.definition.accept.iter().copied().filter(|kind| self.admits(*kind).is_ok()).collect()
    }

    /// Has the provider confirm a proof.
    ///
    /// # Errors
    /// [`ProofError`]; each variant is a different answer to the client.
    pub async fn verify(
        &self,
        proof: UnverifiedProof,
        http: &dyn ProviderHttp,
    ) -> Result<VerifiedLogin, ProofError> {
        self.admits(proof.kind())?;
        let access_token = match proof {
            UnverifiedProof::AccessToken(token) => token,
            UnverifiedProof::Code { code, code_verifier, redirect_uri } => {
                self.redeem(&code, &code_verifier, &redirect_uri, http).await?
            }
        };
        let profile = self.fetch_profile(&access_token, http).await?;
        self.read_profile(&profile)
    }

    fn admits(&self, kind: ProofKind) -> Result<(), ProofError> {
        let accepted = self.definition.accept.contains(&kind);
        match (kind, self.definition.binding) {
            _ if !accepted => Err(ProofError::KindNotAccepted(kind)),
            (ProofKind::AccessToken, Binding::None) if !self.accept_unbound_access_tokens => {
                Err(ProofError::UnboundAccessToken)
            }
            (ProofKind::Code | ProofKind::AccessToken, Binding::None) => Ok(()),
        }
    }

    /// Redeems a code for an access token (RFC 6749 section 4.1.3). The provider checks that the code
    /// belongs to our client, to this redirect URI and to this verifier.
    async fn redeem(
        &self,
        code: &Secret,
        code_verifier: &Secret,
        redirect_uri: &str,
        http: &dyn ProviderHttp,
    ) -> Result<Secret, ProofError> {
        let exchange = &self.definition.exchange;
        let form = form(&[
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", code_verifier.expose()),
        ]);
        let request = Request::post(&exchange.url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        let request = match exchange.client_auth {
            ClientAuthentication::Basic => request.header(header::AUTHORIZATION, self.basic_authorization()),
        };
        let request = request.body(Bytes::from(form)).map_err(|_| misconfigured("exchange.url"))?;
        answer::access_token(&http.send(request).await?)
    }

    /// RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
    fn basic_authorization(&self) -> String {
        let pair = format!("{}:{}", form_encode(&self.client_id), form_encode(self.client_secret.expose()));
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }

    async fn fetch_profile(
        &self,
        access_token: &Secret,
        http: &dyn ProviderHttp,
    ) -> Result<Value, ProofError> {
        let profile = &self.definition.profile;
        let request = Request::builder()
            .method(Method::from(profile.method))
            .uri(&profile.url)
            .header(header::AUTHORIZATION, format!("Bearer {}", access_token.expose()))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(Bytes::from(Value::Object(profile.json.clone()).to_string()))
            // A token that cannot stand in a header is no token of anybody's.
            .map_err(|_| ProofError::Refused)?;
        profile_body(&http.send(request).await?)
    }

    fn read_profile(&self, profile: &Value) -> Result<VerifiedLogin, ProofError> {
        let wanted = &self.definition.profile;
        answer::check_success(&wanted.success, profile)?;
        Ok(VerifiedLogin {
            provider: self.id.clone(),
            external_id: answer::subject(&wanted.subject, profile)?,
            user: DisplayUser {
                name: answer::display_text(wanted.name.as_ref(), profile),
                avatar: answer::display_url(wanted.avatar.as_ref(), profile),
            },
        })
    }
}

fn profile_body(answer: &Response<Bytes>) -> Result<Value, ProofError> {
    match answer.status() {
        StatusCode::OK => serde_json::from_slice(answer.body())
            .map_err(|_| ProofError::AnswerMalformed("the profile is not JSON")),
        StatusCode::TOO_MANY_REQUESTS => Err(unavailable(answer.status())),
        status if status.is_server_error() => Err(unavailable(status)),
        status if status.is_client_error() => Err(ProofError::Refused),
        _ => Err(ProofError::AnswerMalformed("the profile query was answered with an unexpected status")),
    }
}

fn unavailable(status: StatusCode) -> ProofError {
    ProofError::Unavailable(format!("status {}", status.as_u16()))
}

fn misconfigured(what: &str) -> ProofError {
    ProofError::Misconfigured(format!("{what} is not a URL"))
}

fn form(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", form_encode(value))).collect();
    fields.join("&")
}

/// Everything but RFC 3986's unreserved characters: client IDs are often UUIDs, and not every provider
/// decodes the halves of a Basic pair, so what needs no encoding must stay as it is.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn form_encode(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string()
}

#[cfg(test)]
mod tests;
