//! Verifying a login with the identity provider that it comes from.
//!
//! A [`Provider`] is a definition plus the operator's client at that provider. [`Engine::verify`] is the only
//! way to a [`VerifiedLogin`]. The rules behind it: a code is redeemed with our own client secret, so the
//! provider itself refuses the codes of other clients; a bare access token says nothing about the client it
//! was issued to, so it counts only where the definition's binding shows that it was issued to ours.

mod answer;
mod apple;
mod authorize;
mod call;
pub mod catalogue;
pub mod definition;
mod grade;
mod identifier;
mod memory;
pub mod picture;
mod proof_key;
mod sealed_login;
mod set;
mod signed;
pub mod template;
mod validate;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use ::http::StatusCode;
use aws_lc_rs::hmac;
use futures::FutureExt;
use serde_json::Value;

pub use self::apple::AppleKey;
pub use self::authorize::{AuthorizeRequest, FlowSecrets};
use self::definition::{
    Binding, BindingCall, ClientAuthentication, ClientName, Definition, Exchange, IdToken, IdTokenKeys,
    NamedClient, NonceMode, Pkce, ProofKind,
};
pub use self::grade::Grade;
pub use self::identifier::Identifier;
use self::memory::Memory;
use self::picture::Picture;
use self::proof_key::ProofKey;
pub use self::sealed_login::LoginSealer;
pub use self::set::{ProviderSet, ProvidersById};
pub use self::signed::{Fields, UseOnce};
use self::template::{Name, Values};
use crate::ground::clock::{Clock, SignedDuration};
use crate::ground::hex;
use crate::ground::outbound::{ProviderHttp, ProviderHttpError};
use crate::ground::secret::Secret;
use crate::ground::single_flight::Flights;
use crate::login::id_token::{Audience, Expectation, IdTokenError, Keys, Nonce, Verifier};
use crate::login::jwks::{JwksCache, KeySource};

/// How long a provider's clear no is repeated without asking again.
const REFUSAL_LASTS: SignedDuration = SignedDuration::from_secs(5);

/// What a client hands over to show that somebody signed in. Nothing in it is believed yet.
#[derive(Debug)]
pub enum UnverifiedProof {
    /// An authorization code (RFC 6749 section 4.1).
    Code {
        /// The code.
        code: Secret,
        /// The verifier whose challenge started the flow (RFC 7636): it ties the code to the browser.
        code_verifier: Option<Secret>,
        /// Exactly the URI that the flow was started with.
        redirect_uri: String,
        /// The nonce that the flow was started with.
        nonce: Option<Secret>,
        /// What the callback brought besides; only what the definition names is passed on.
        callback: BTreeMap<String, Secret>,
    },
    /// A bare access token, issued to whomever.
    AccessToken(Secret),
    /// An ID token.
    IdToken {
        /// The token.
        token: Secret,
        /// The nonce that it was asked for with, if it was.
        nonce: Option<Secret>,
    },
    /// Fields that the provider signed.
    SignedFields {
        /// All of them.
        fields: Fields,
        /// The URI that they came back to.
        redirect_uri: String,
    },
}

impl UnverifiedProof {
    fn kind(&self) -> ProofKind {
        match self {
            Self::Code { .. } => ProofKind::Code,
            Self::AccessToken(_) => ProofKind::AccessToken,
            Self::IdToken { .. } => ProofKind::IdToken,
            Self::SignedFields { .. } => ProofKind::SignedFields,
        }
    }

    /// The URI that the login came back to, which has to be one of a registered app's.
    #[must_use]
    pub fn redirect_uri(&self) -> Option<&str> {
        match self {
            Self::Code { redirect_uri, .. } | Self::SignedFields { redirect_uri, .. } => Some(redirect_uri),
            Self::AccessToken(_) | Self::IdToken { .. } => None,
        }
    }
}

/// A login that its provider confirmed. Only [`Engine::verify`] makes one, and only [`LoginSealer::open`] gives one
/// back that it sealed.
#[derive(Debug, Clone)]
pub struct VerifiedLogin {
    provider: String,
    developer_user_identifier: String,
    user: DisplayUser,
    use_once: Option<UseOnce>,
}

impl VerifiedLogin {
    fn new(
        provider: &Provider,
        external_id: &str,
        user: DisplayUser,
        use_once: Option<UseOnce>,
    ) -> Result<Self, ProofError> {
        let developer_user_identifier = provider.identifier.write(&provider.id, external_id)?;
        Ok(Self { provider: provider.id.clone(), developer_user_identifier, user, use_once })
    }

    /// The provider's ID in the configuration.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The developer user identifier of this person, written as the provider's [`Identifier`] says.
    #[must_use]
    pub fn developer_user_identifier(&self) -> &str {
        &self.developer_user_identifier
    }

    /// The external ID, as the provider knows the person. A bare identifier is nothing else, and holds no colon.
    #[must_use]
    pub fn subject(&self) -> &str {
        let rest = self.developer_user_identifier.strip_prefix(&*self.provider);
        rest.and_then(|rest| rest.strip_prefix(':')).unwrap_or(&self.developer_user_identifier)
    }

    /// What must not be shown a second time, where the proof itself could be.
    #[must_use]
    pub fn use_once(&self) -> Option<&UseOnce> {
        self.use_once.as_ref()
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

impl DisplayUser {
    fn read(name: &[definition::Pointer], avatar: Option<&Picture>, answer: &Value) -> Self {
        Self {
            name: answer::display_text(name, answer),
            avatar: avatar.and_then(|avatar| avatar.url(answer)),
        }
    }
}

/// Why a proof did not become a login.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProofError {
    /// A bare access token, at a provider that cannot say which client it was issued to.
    #[error("a bare access token does not show which app it was issued to")]
    UnboundAccessToken,
    /// The provider does not take this kind of proof here.
    #[error("this provider takes no {0}")]
    KindNotAccepted(ProofKind),
    /// The proof was issued to another app than ours.
    #[error("the proof was issued to another app")]
    AnotherClient,
    /// The two calls that an access token was shown to name two people.
    #[error("the provider names two people for one token")]
    TwoPeople,
    /// A flow with PKCE ends with a verifier.
    #[error("the code comes without its code_verifier")]
    VerifierMissing,
    /// A nonce ties an ID token to the login that it was issued for, and, where there is no PKCE, a code to the browser.
    #[error("the proof comes without the nonce of its login")]
    NonceMissing,
    /// The ID token is not believed.
    #[error("the ID token is refused: {0}")]
    IdToken(String),
    /// The provider said no: spent, expired, revoked, or another client's.
    #[error("the provider refused the proof")]
    Refused,
    /// The provider answered with errors in place of a profile.
    #[error("the provider answered with an error{}", code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default())]
    ReportedErrors {
        /// The provider's own code for the first of them.
        code: Option<String>,
    },
    /// The profile has no external ID: its scope was not granted, or the value is unusable.
    #[error("the provider named no external ID")]
    SubjectMissing,
    /// The external ID could be read as that of a person at another provider.
    #[error("the external ID cannot stand alone as an identifier, because it holds a colon")]
    SubjectAmbiguous,
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
    /// The provider could not be asked, for no fault of its own.
    #[error("{}", ProviderHttpError::OutOfFiles)]
    OutOfFiles,
}

impl ProofError {
    /// Whether the provider will say no as long as it is asked about this proof.
    fn is_final(&self) -> bool {
        matches!(self, Self::Refused | Self::AnotherClient | Self::TwoPeople)
    }
}

impl From<ProviderHttpError> for ProofError {
    fn from(error: ProviderHttpError) -> Self {
        match error {
            ProviderHttpError::TimedOut => Self::TimedOut,
            ProviderHttpError::Unreachable(reason) => Self::Unavailable(reason),
            ProviderHttpError::Resting => Self::Unavailable(error.to_string()),
            ProviderHttpError::PrivateAddress { .. } => Self::Misconfigured(error.to_string()),
            ProviderHttpError::AnswerTooLarge => Self::AnswerTooLarge,
            ProviderHttpError::OutOfFiles => Self::OutOfFiles,
        }
    }
}

impl From<IdTokenError> for ProofError {
    fn from(error: IdTokenError) -> Self {
        match error {
            IdTokenError::WrongAudience => Self::AnotherClient,
            IdTokenError::NonceNotShown => Self::NonceMissing,
            IdTokenError::Unavailable(reason) => Self::Unavailable(reason.to_string()),
            error => Self::IdToken(error.to_string()),
        }
    }
}

/// A provider that this installation accepts logins of.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its ID in the configuration, part of every developer user identifier.
    pub id: String,
    /// How to talk to it.
    pub definition: Definition,
    /// The client that the operator registered there.
    pub client_id: String,
    /// Other clients of the same app there, such as those of its phone apps: tokens issued to them count too.
    pub other_client_ids: Vec<String>,
    /// The number of the app, at providers that know it beside the client ID.
    pub app_id: Option<String>,
    /// The client's secret. At Apple it is a private key.
    pub client_secret: Secret,
    /// What else Apple's client secret is made of.
    pub apple: Option<AppleKey>,
    /// The operator's word that tokens issued to anybody's app may sign people in here.
    pub accept_unbound_access_tokens: bool,
    /// How its people are named in the pool.
    pub identifier: Identifier,
    /// How long its yes to an access token is repeated without asking again. A token that it revokes meanwhile
    /// still signs in.
    pub cache_verified: Option<SignedDuration>,
}

impl Provider {
    /// The kinds of proof that [`Engine::verify`] does not turn away at the door.
    #[must_use]
    pub fn accepted_proofs(&self) -> Vec<ProofKind> {
        self.definition.accept.iter().copied().filter(|kind| self.admits(*kind).is_ok()).collect()
    }

    /// Whether access tokens sign in here that may have been issued to anybody's app.
    #[must_use]
    pub fn takes_unbound_tokens(&self) -> bool {
        matches!(self.definition.binding, Binding::None) && self.admits(ProofKind::AccessToken).is_ok()
    }

    fn admits(&self, kind: ProofKind) -> Result<(), ProofError> {
        let accepted = self.definition.accept.contains(&kind);
        match (kind, &self.definition.binding) {
            _ if !accepted => Err(ProofError::KindNotAccepted(kind)),
            (ProofKind::AccessToken, Binding::None) if !self.accept_unbound_access_tokens => {
                Err(ProofError::UnboundAccessToken)
            }
            _ => Ok(()),
        }
    }

    fn values(&self) -> Values {
        let mut values = Values::default();
        values.set(Name::ClientId, Secret::new(self.client_id.clone()));
        values.set(Name::ClientSecret, self.client_secret.clone());
        values
    }

    fn with_token(&self, mut values: Values, token: &Secret) -> Values {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.client_secret.expose().as_bytes());
        let proof = hmac::sign(&key, token.expose().as_bytes());
        values.set(Name::AppsecretProof, Secret::new(hex::encode(proof.as_ref())));
        values.set(Name::Token, token.clone());
        values
    }

    fn client_ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.client_id).chain(&self.other_client_ids).map(String::as_str)
    }

    /// Whether an answer names our client.
    fn check_client(&self, named: &NamedClient, answer: &Value) -> Result<(), ProofError> {
        let found = match answer.pointer(named.at.as_str()) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => number.as_u64().map(|number| number.to_string()),
            _ => None,
        };
        let found = found.ok_or(ProofError::AnotherClient)?;
        let ours = match named.is {
            ClientName::ClientId => self.client_ids().any(|id| id == found),
            ClientName::AppId => self.app_id.as_ref() == Some(&found),
        };
        if ours { Ok(()) } else { Err(ProofError::AnotherClient) }
    }
}

/// Has providers confirm proofs, each only as often as it takes.
pub struct Engine {
    confirmer: Arc<Confirmer>,
    flights: Flights<ProofKey, Result<VerifiedLogin, ProofError>>,
    refusals: Memory<ProofError>,
    logins: Memory<VerifiedLogin>,
}

impl Engine {
    /// An engine that reaches providers through `http`.
    #[must_use]
    pub fn new(http: Arc<dyn ProviderHttp>, clock: Arc<dyn Clock>) -> Self {
        let keys = JwksCache::new(http.clone(), clock.clone());
        let confirmer = Confirmer { id_tokens: Verifier::new(keys, clock.clone()), http, clock };
        Self {
            confirmer: Arc::new(confirmer),
            flights: Flights::default(),
            refusals: Memory::default(),
            logins: Memory::default(),
        }
    }

    /// Has the provider confirm a proof. Who shows the same proof at the same moment gets the same answer.
    ///
    /// # Errors
    /// [`ProofError`]; each variant is a different answer to the client.
    pub async fn verify(
        &self,
        provider: &Arc<Provider>,
        proof: UnverifiedProof,
    ) -> Result<VerifiedLogin, ProofError> {
        let kind = proof.kind();
        provider.admits(kind)?;
        let key = ProofKey::of(provider, &proof);
        if let Some(known) = self.recall(key) {
            return known;
        }
        let (confirmer, at) = (self.confirmer.clone(), provider.clone());
        let start = || async move { confirmer.confirm(&at, proof).await }.boxed();
        let answer = self.flights.join(key, start).await;
        self.remember(provider, kind, key, &answer);
        answer
    }

    fn recall(&self, key: ProofKey) -> Option<Result<VerifiedLogin, ProofError>> {
        let now = self.confirmer.clock.now();
        let refusal = self.refusals.recall(key, now).map(Err);
        refusal.or_else(|| self.logins.recall(key, now).map(Ok))
    }

    /// Remembers a clear no for a moment, and a yes where the operator wants it. An ID token is checked without
    /// its provider, so there is nothing to save, and its end would have to be remembered too; everything else
    /// counts once.
    fn remember(
        &self,
        provider: &Provider,
        kind: ProofKind,
        key: ProofKey,
        answer: &Result<VerifiedLogin, ProofError>,
    ) {
        let now = self.confirmer.clock.now();
        match (answer, provider.cache_verified) {
            (Err(error), _) if error.is_final() => {
                self.refusals.remember(key, error.clone(), now, REFUSAL_LASTS);
            }
            (Ok(login), Some(lasts)) if kind == ProofKind::AccessToken => {
                self.logins.remember(key, login.clone(), now, lasts);
            }
            _ => {}
        }
    }
}

/// Asks providers.
struct Confirmer {
    http: Arc<dyn ProviderHttp>,
    clock: Arc<dyn Clock>,
    id_tokens: Verifier,
}

impl Confirmer {
    async fn confirm(
        &self,
        provider: &Provider,
        proof: UnverifiedProof,
    ) -> Result<VerifiedLogin, ProofError> {
        match proof {
            UnverifiedProof::Code { .. } => self.by_code(provider, proof).await,
            UnverifiedProof::AccessToken(token) => self.by_access_token(provider, &token).await,
            UnverifiedProof::IdToken { token, nonce } => {
                self.by_id_token(provider, &token, nonce.as_ref()).await
            }
            UnverifiedProof::SignedFields { fields, redirect_uri } => {
                self.by_signed_fields(provider, &fields, &redirect_uri).await
            }
        }
    }

    async fn by_code(
        &self,
        provider: &Provider,
        proof: UnverifiedProof,
    ) -> Result<VerifiedLogin, ProofError> {
        let UnverifiedProof::Code { code, code_verifier, redirect_uri, nonce, callback } = proof else {
            return Err(ProofError::KindNotAccepted(ProofKind::Code));
        };
        let exchange =
            provider.definition.exchange.as_ref().ok_or(ProofError::KindNotAccepted(ProofKind::Code))?;
        let code_verifier = match provider.definition.pkce {
            Pkce::Required => Some(code_verifier.as_ref().ok_or(ProofError::VerifierMissing)?),
            Pkce::Never => None,
        };
        if exchange.reads_id_token && code_verifier.is_none() && nonce.is_none() {
            return Err(ProofError::NonceMissing);
        }
        let mut values = provider.values();
        let redemption = call::Redemption {
            code: &code,
            code_verifier,
            redirect_uri: &redirect_uri,
            callback: callback.into_iter().filter(|(name, _)| exchange.callback.contains(name)).collect(),
            client_secret: self.made_secret(provider, exchange)?,
        };
        let answer = call::redeem(exchange, redemption, &values, &*self.http).await?;
        if exchange.reads_id_token {
            let token = answer.get("id_token").and_then(Value::as_str).map(Secret::new);
            let token = token.ok_or(ProofError::AnswerMalformed("the token answer has no id_token"))?;
            return self.by_id_token(provider, &token, nonce.as_ref()).await;
        }
        take(&exchange.take, &answer, &mut values)?;
        let token = answer::access_token(&exchange.access_token, &answer)?;
        self.by_own_token(provider, provider.with_token(values, &token)).await
    }

    /// The client secret that has to be made for this request, where it is one of that kind.
    fn made_secret(&self, provider: &Provider, exchange: &Exchange) -> Result<Option<Secret>, ProofError> {
        if exchange.client_auth != ClientAuthentication::AppleJwt {
            return Ok(None);
        }
        let missing = || ProofError::Misconfigured("apple: team_id and key_id are missing".into());
        let key = provider.apple.as_ref().ok_or_else(missing)?;
        apple::client_secret(key, &provider.client_id, &provider.client_secret, self.clock.now()).map(Some)
    }

    /// Whose a token is that we were given ourselves. The binding is asked only if the profile leans on what it
    /// takes.
    async fn by_own_token(
        &self,
        provider: &Provider,
        mut values: Values,
    ) -> Result<VerifiedLogin, ProofError> {
        if let Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) =
            &provider.definition.binding
            && !binding.call.take.is_empty()
        {
            self.bind(provider, binding, &mut values).await?;
        }
        self.read_profile(provider, &values, None).await
    }

    async fn by_access_token(
        &self,
        provider: &Provider,
        token: &Secret,
    ) -> Result<VerifiedLogin, ProofError> {
        let mut values = provider.with_token(provider.values(), token);
        let user = match &provider.definition.binding {
            Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) => {
                self.bind(provider, binding, &mut values).await?
            }
            Binding::None | Binding::IdToken | Binding::Signature | Binding::Profile(_) => None,
        };
        self.read_profile(provider, &values, user).await
    }

    /// Has the provider say to whom a token was issued. Answers the person, where it names one.
    async fn bind(
        &self,
        provider: &Provider,
        binding: &BindingCall,
        values: &mut Values,
    ) -> Result<Option<String>, ProofError> {
        let answer = call::send(&binding.call, values, &*self.http).await?;
        if let Some(client) = &binding.client {
            provider.check_client(client, &answer)?;
        }
        take(&binding.call.take, &answer, values)?;
        let person = |wanted| answer::value(wanted, &answer).ok_or(ProofError::SubjectMissing);
        binding.user.as_ref().map(person).transpose()
    }

    /// Asks whose the token is. If the binding has named somebody, it has to be the same person.
    async fn read_profile(
        &self,
        provider: &Provider,
        values: &Values,
        bound: Option<String>,
    ) -> Result<VerifiedLogin, ProofError> {
        let profile = provider.definition.profile.as_ref();
        let profile = profile.ok_or(ProofError::KindNotAccepted(ProofKind::AccessToken))?;
        let answer = call::send(&profile.call, values, &*self.http).await?;
        if let Binding::Profile(client) = &provider.definition.binding {
            provider.check_client(client, &answer)?;
        }
        let external_id = answer::subject(&profile.subject, &answer)?;
        if bound.is_some_and(|bound| bound != external_id) {
            return Err(ProofError::TwoPeople);
        }
        let user = DisplayUser::read(&profile.name, profile.avatar.as_ref(), &answer);
        VerifiedLogin::new(provider, &external_id, user, None)
    }

    async fn by_id_token(
        &self,
        provider: &Provider,
        token: &Secret,
        nonce: Option<&Secret>,
    ) -> Result<VerifiedLogin, ProofError> {
        let definition = provider.definition.id_token.as_ref();
        let definition = definition.ok_or(ProofError::KindNotAccepted(ProofKind::IdToken))?;
        let expected = expectation(provider, definition, nonce)?;
        let claims = Value::Object(self.id_tokens.verify(&expected, token).await?.claims);
        let external_id = answer::subject(&definition.subject, &claims)?;
        let user = DisplayUser::read(&definition.name, definition.avatar.as_ref(), &claims);
        VerifiedLogin::new(provider, &external_id, user, None)
    }

    async fn by_signed_fields(
        &self,
        provider: &Provider,
        fields: &Fields,
        redirect_uri: &str,
    ) -> Result<VerifiedLogin, ProofError> {
        let (definition, now) = (&provider.definition, self.clock.now());
        if let Some(openid) = &definition.openid2 {
            let (external_id, use_once) =
                signed::check_assertion(openid, fields, redirect_uri, now, &*self.http).await?;
            return VerifiedLogin::new(provider, &external_id, DisplayUser::default(), Some(use_once));
        }
        let definition = definition.signed_fields.as_ref();
        let definition = definition.ok_or(ProofError::KindNotAccepted(ProofKind::SignedFields))?;
        let use_once = signed::check_fields(definition, &provider.client_secret, fields, now)?;
        let answer = signed::as_answer(fields);
        let user = DisplayUser::read(&definition.name, definition.avatar.as_ref(), &answer);
        let external_id = answer::subject(&definition.subject, &answer)?;
        VerifiedLogin::new(provider, &external_id, user, Some(use_once))
    }
}

/// What an ID token of this provider has to say. The app that started a login knows its nonce, so a token that has one
/// comes with it; where an SDK keeps it to itself, the definition says that there is none to look at (decision 0018).
fn expectation<'a>(
    provider: &'a Provider,
    definition: &'a IdToken,
    nonce: Option<&'a Secret>,
) -> Result<Expectation<'a>, ProofError> {
    let url = |template: &template::Template| template.url(&Values::default()).map_err(ProofError::from);
    let keys = match &definition.keys {
        IdTokenKeys::Discovery(issuer) => Keys::Published(KeySource::Discovery { issuer: url(issuer)? }),
        IdTokenKeys::Jwks(jwks) => Keys::Published(KeySource::JwkSet(url(jwks)?)),
        IdTokenKeys::ClientSecret => Keys::Shared(&provider.client_secret),
    };
    let nonce = match (definition.nonce, nonce.map(Secret::expose)) {
        (NonceMode::None, _) => Nonce::Ignored,
        (_, None) => Nonce::Absent,
        (NonceMode::Exact, Some(nonce)) => Nonce::Exact(nonce),
        (NonceMode::Sha256, Some(nonce)) => Nonce::Sha256(nonce),
    };
    let audience = Audience::OneOf(provider.client_ids().collect());
    Ok(Expectation {
        nonce,
        max_age: definition.max_age,
        claims: Cow::Borrowed(&definition.claims),
        ..Expectation::new(definition.issuers.clone(), keys, audience)
    })
}

/// Takes values out of an answer for later calls.
fn take(
    wanted: &BTreeMap<String, definition::Value>,
    answer: &Value,
    values: &mut Values,
) -> Result<(), ProofError> {
    for (name, wanted) in wanted {
        let value = answer::value(wanted, answer)
            .ok_or(ProofError::AnswerMalformed("the answer lacks what a later call needs"))?;
        values.set(Name::Other(name.clone()), Secret::new(value));
    }
    Ok(())
}

fn unavailable(status: StatusCode) -> ProofError {
    ProofError::Unavailable(format!("status {}", status.as_u16()))
}

#[cfg(test)]
mod tests;
