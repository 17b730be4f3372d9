//! Logins of public providers: what stands in the `Logins` map of the identity pool API beside the
//! developer provider. The key names a provider that the pool was told to accept, the value is a token of
//! that provider, and [`PublicLogins::verify`] is the only way from the two to a [`PublicLogin`].
//!
//! | provider | key | value | whom the pool accepts |
//! |---|---|---|---|
//! | OpenID Connect | the issuer without scheme | ID token | `OpenIdConnectProviderARNs` |
//! | Cognito user pool | `cognito-idp.REGION.amazonaws.com/ID` | ID token | `CognitoIdentityProviders` |
//! | Google, Apple | `public.key` of their entries in the catalogue | ID token | `SupportedLoginProviders` |
//! | Facebook, Amazon | the same | access token | `SupportedLoginProviders` |
//!
//! Each becomes a [`Provider`] in the vocabulary of the catalogue, with the pool's clients, and the [`Engine`] that confirms
//! the broker's logins confirms these too. What is here is whom a pool trusts (`registered.rs`, `social.rs`), on which
//! terms (`terms.rs`), and how AWS says no (`error.rs`).
//!
//! Rules and texts: docs/reference/cognito-identity.md, 4.1 and 9.1.

pub mod amr;
mod error;
mod registered;
mod social;
mod terms;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use self::error::PublicLoginError;
use self::registered::RegisteredOidc;
pub use self::registered::{OidcProvider, RegisteredProviders, RegistrationError, UserPool};
pub(crate) use self::registered::{is_user_pool_name, oidc_issuer_of_arn};
use self::social::SocialProviders;
use crate::ground::secret::Secret;
use crate::login::id_token::is_subject;
use crate::login::provider::definition::{Definition, ProofKind};
use crate::login::provider::{Confirmed, Engine, Identifier, ProofError, Provider, UnverifiedProof};
use crate::records::identity::PoolSettings;

/// The longest access token that is sent to a provider. Real ones have a few hundred characters, and a URL has to hold them.
const MAX_ACCESS_TOKEN_BYTES: usize = 4096;

/// A login that its provider confirmed. Only [`PublicLogins::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicLogin {
    provider: String,
    user: String,
    client: String,
    kind: Kind,
    claims: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Oidc { arn: String },
    UserPool,
    Social,
}

impl PublicLogin {
    /// The key in `Logins`, by which a pool knows the provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Who it is at that provider: 1 to 255 characters, none of them a control character.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What the provider says about the person: the claims of the ID token, or its answer about the
    /// access token.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The provider's key in `RoleMappings`.
    #[must_use]
    pub fn mapping_key(&self) -> String {
        match &self.kind {
            Kind::Oidc { arn } => arn.clone(),
            Kind::UserPool => format!("{}:{}", self.provider, self.client),
            Kind::Social => self.provider.clone(),
        }
    }

    /// The provider's name where a pool maps claims to principal tags.
    #[must_use]
    pub fn tag_map_key(&self) -> &str {
        match &self.kind {
            Kind::Oidc { arn } => arn,
            Kind::UserPool | Kind::Social => &self.provider,
        }
    }

    /// The principal tags of a provider whose mapping is the default one: the client that the token was
    /// issued to, and the person.
    #[must_use]
    pub fn default_tags(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("client".to_owned(), self.client.clone()),
            ("username".to_owned(), self.user.clone()),
        ])
    }
}

/// Verifies logins of public providers.
pub struct PublicLogins {
    registered: RegisteredProviders,
    social: SocialProviders,
    engine: Arc<Engine>,
}

/// A provider whose logins the pool accepts, with the pool's clients there.
struct Trust {
    kind: Kind,
    provider: Arc<Provider>,
}

impl PublicLogins {
    /// A verifier that knows these providers besides the ones that every pool knows.
    #[must_use]
    pub fn new(registered: RegisteredProviders, engine: Arc<Engine>) -> Self {
        Self { registered, social: social::of_catalogue().clone(), engine }
    }

    /// Whether the operator said who is behind the ARN of an OIDC provider. Until then nobody logs in there.
    #[must_use]
    pub fn knows_oidc_provider(&self, arn: &str) -> bool {
        self.registered.oidc_provider(arn).is_some()
    }

    /// Verifies logins for a pool, in the order given. One bad login spoils them all, and nobody is asked
    /// about any of them before the pool accepts every key.
    ///
    /// # Errors
    /// [`PublicLoginError`] of the first login that fails.
    pub async fn verify<'a>(
        &self,
        settings: &PoolSettings,
        logins: impl IntoIterator<Item = (&'a String, &'a Secret)>,
    ) -> Result<Vec<PublicLogin>, PublicLoginError> {
        let trusted: Vec<_> = logins
            .into_iter()
            .map(|(key, token)| Ok((key, token, self.find_trusts(settings, key)?)))
            .collect::<Result<_, PublicLoginError>>()?;
        let mut verified = Vec::with_capacity(trusted.len());
        for (key, token, trusts) in trusted {
            verified.push(self.confirm(trusts, key, token).await?);
        }
        Ok(verified)
    }

    /// Verifies one login for a pool.
    ///
    /// # Errors
    /// [`PublicLoginError`].
    pub async fn verify_one(
        &self,
        settings: &PoolSettings,
        key: &str,
        token: &Secret,
    ) -> Result<PublicLogin, PublicLoginError> {
        self.confirm(self.find_trusts(settings, key)?, key, token).await
    }

    /// Whom the pool trusts with logins of this key, if it accepts them at all. A key of access tokens has one meaning.
    fn find_trusts(&self, settings: &PoolSettings, key: &str) -> Result<Vec<Trust>, PublicLoginError> {
        refuse_unverifiable(key)?;
        let mut trusts: Vec<_> = self.oidc_trust(settings, key).into_iter().collect();
        trusts.extend(self.user_pool_trust(settings, key)?);
        if let Some(social) = self.social_trust(settings, key) {
            if social.provider.accepted_proofs() == [ProofKind::AccessToken] {
                trusts.clear();
            }
            trusts.push(social);
        }
        if trusts.is_empty() { Err(PublicLoginError::UnsupportedProvider) } else { Ok(trusts) }
    }

    fn oidc_trust(&self, settings: &PoolSettings, key: &str) -> Option<Trust> {
        let arns = settings.open_id_connect_provider_arns.iter();
        let mut known = arns.filter_map(|arn| self.registered.oidc_provider(arn));
        let RegisteredOidc { provider, definition } = known.find(|it| it.provider.login_key() == key)?;
        let kind = Kind::Oidc { arn: provider.arn.clone() };
        Trust::new(kind, &provider.arn, definition.clone(), provider.audiences.iter().map(String::as_str))
    }

    fn user_pool_trust(&self, settings: &PoolSettings, key: &str) -> Result<Option<Trust>, PublicLoginError> {
        let named = settings.cognito_identity_providers.iter();
        let clients: Vec<_> = named.filter(|it| it.provider_name.as_deref() == Some(key)).collect();
        // The name came from whoever made the pool, and becomes a URL.
        if clients.is_empty() || !is_user_pool_name(key) {
            return Ok(None);
        }
        if clients.iter().any(|client| client.server_side_token_check == Some(true)) {
            return Err(PublicLoginError::Unverifiable(NO_TOKEN_CHECK));
        }
        let definition = Arc::new(self.registered.user_pool(key));
        let clients = clients.iter().filter_map(|client| client.client_id.as_deref());
        Ok(Trust::new(Kind::UserPool, key, definition, clients))
    }

    fn social_trust(&self, settings: &PoolSettings, key: &str) -> Option<Trust> {
        let app_id = settings.supported_login_providers.get(key)?;
        Trust::new(Kind::Social, key, self.social.get(key)?.clone(), [app_id.as_str()])
    }

    /// Has the first of these confirm the login that is for the token's client.
    async fn confirm(
        &self,
        trusts: Vec<Trust>,
        key: &str,
        token: &Secret,
    ) -> Result<PublicLogin, PublicLoginError> {
        let mut refusal = PublicLoginError::UnsupportedProvider;
        for Trust { kind, provider } in trusts {
            let proof = proof(&provider, token)?;
            match self.engine.confirm_for_pool(&provider, proof).await {
                Ok(confirmed) => return PublicLogin::new(key, kind, confirmed),
                // The pool may accept the same issuer once more, for this client.
                Err(ProofError::AnotherClient) => {}
                Err(error) => refusal = PublicLoginError::of_proof(error, key),
            }
        }
        Err(refusal)
    }
}

impl Trust {
    /// A provider with these clients, of which there has to be one. It has no secret: none of what a pool asks needs it.
    fn new<'a>(
        kind: Kind,
        id: &str,
        definition: Arc<Definition>,
        clients: impl IntoIterator<Item = &'a str>,
    ) -> Option<Self> {
        let mut clients = clients.into_iter().filter(|client| !client.is_empty()).map(str::to_owned);
        let provider = Provider {
            id: id.to_owned(),
            definition,
            client_id: clients.next()?,
            other_client_ids: clients.collect(),
            app_id: None,
            client_secret: None,
            apple: None,
            catalogue: None,
            only_actors: false,
            accept_unbound_access_tokens: false,
            identifier: Identifier::Prefixed,
            cache_verified: None,
            recheck: crate::login::provider::RECHECK,
        };
        Some(Self { kind, provider: Arc::new(provider) })
    }
}

impl PublicLogin {
    fn new(key: &str, kind: Kind, confirmed: Confirmed) -> Result<Self, PublicLoginError> {
        let unusable = |reason: &str| PublicLoginError::Unavailable {
            provider: key.to_owned(),
            reason: reason.to_owned(),
        };
        if !is_subject(&confirmed.external_id) {
            return Err(unusable("the answer names no person"));
        }
        let client = confirmed.client.ok_or_else(|| unusable("the answer names no client"))?;
        let Value::Object(claims) = confirmed.answer else {
            return Err(unusable("the answer is not a JSON object"));
        };
        Ok(Self { provider: key.to_owned(), user: confirmed.external_id, client, kind, claims })
    }
}

/// What the value of a login is at a provider: an ID token, or an access token that can be sent there.
fn proof(provider: &Provider, token: &Secret) -> Result<UnverifiedProof, PublicLoginError> {
    if provider.accepted_proofs() != [ProofKind::AccessToken] {
        return Ok(UnverifiedProof::IdToken { token: token.clone(), nonce: None });
    }
    if !(1..=MAX_ACCESS_TOKEN_BYTES).contains(&token.expose().len()) {
        return Err(PublicLoginError::Refused);
    }
    Ok(UnverifiedProof::AccessToken(token.clone()))
}

/// Whether a pool knows the provider with this key in `Logins` by an app's ID.
pub(crate) fn is_social_key(key: &str) -> bool {
    social::of_catalogue().contains_key(key)
}

/// The keys of all those, in order.
pub(crate) fn social_keys() -> impl Iterator<Item = &'static str> {
    social::of_catalogue().keys().map(String::as_str)
}

const NO_TOKEN_CHECK: &str = "ServerSideTokenCheck asks the user pool about every token, which is not possible here. \
                              Set it to false to accept tokens until they expire.";

/// Providers that AWS takes and nothing here can check: they are refused in words that say so, whatever the
/// pool accepts.
fn refuse_unverifiable(key: &str) -> Result<(), PublicLoginError> {
    let saml = key.starts_with("arn:") && key.contains(":saml-provider/");
    match key {
        "api.twitter.com" | "www.digits.com" => {
            Err(PublicLoginError::Unverifiable("Logins of Twitter and Digits are not supported here."))
        }
        _ if saml => Err(PublicLoginError::Unverifiable("Logins of SAML providers are not supported here.")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
