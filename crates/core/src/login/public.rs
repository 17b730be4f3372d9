//! Logins of public providers: what stands in the `Logins` map of the identity pool API beside the
//! developer provider. The key names a provider that the pool was told to accept, the value is a token of
//! that provider, and [`PublicLogins::verify`] is the only way from the two to a [`PublicLogin`].
//!
//! | provider | key | value | whom the pool accepts |
//! |---|---|---|---|
//! | OpenID Connect | the issuer without scheme | ID token | `OpenIdConnectProviderARNs` |
//! | Cognito user pool | `cognito-idp.REGION.amazonaws.com/ID` | ID token | `CognitoIdentityProviders` |
//! | Google, Apple | [`GOOGLE`], [`APPLE`] | ID token | `SupportedLoginProviders` |
//! | Facebook, Amazon | [`FACEBOOK`], [`AMAZON`] | access token | `SupportedLoginProviders` |
//!
//! Rules and texts: docs/reference/cognito-identity.md, 4.1 and 9.1.

mod access_token;
pub mod amr;
mod error;
mod registered;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use self::error::{PublicLoginError, Refusal};
use self::registered::is_user_pool_name;
pub use self::registered::{OidcProvider, RegisteredProviders, RegistrationError, UserPool};
use crate::ground::clock::{Clock, SignedDuration};
use crate::ground::outbound::ProviderHttp;
use crate::ground::secret::Secret;
use crate::login::id_token::{self, Audience, Expectation, IdTokenError, Keys};
use crate::login::jwks::{JwksCache, KeySource};
use crate::records::identity::PoolSettings;

/// Google's key in `Logins`.
pub const GOOGLE: &str = "accounts.google.com";
/// Apple's key in `Logins`.
pub const APPLE: &str = "appleid.apple.com";
/// Facebook's key in `Logins`.
pub const FACEBOOK: &str = "graph.facebook.com";
/// Login with Amazon's key in `Logins`.
pub const AMAZON: &str = "www.amazon.com";

/// How long after its `exp` a token is still good, by the promise of IAM's OIDC providers. A user pool's
/// token has no such time.
const EXPIRY_GRACE: SignedDuration = SignedDuration::from_mins(5);

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
    verifier: id_token::Verifier,
    http: Arc<dyn ProviderHttp>,
}

/// How a login of one provider is checked.
enum Check<'a> {
    /// By the first of these that is for the token's audience.
    IdToken(Vec<Trust<'a>>),
    Facebook {
        app_id: &'a str,
    },
    Amazon {
        app_id: &'a str,
    },
}

/// A provider whose ID tokens the pool accepts.
struct Trust<'a> {
    kind: Kind,
    expected: Expectation<'a>,
}

impl PublicLogins {
    /// A verifier that knows these providers besides the ones that everybody knows.
    #[must_use]
    pub fn new(registered: RegisteredProviders, http: Arc<dyn ProviderHttp>, clock: Arc<dyn Clock>) -> Self {
        let keys = JwksCache::new(http.clone(), clock.clone());
        Self { registered, verifier: id_token::Verifier::new(keys, clock), http }
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
        let checks: Vec<_> = logins
            .into_iter()
            .map(|(key, token)| Ok((key, token, self.find_check(settings, key)?)))
            .collect::<Result<_, PublicLoginError>>()?;
        let mut verified = Vec::with_capacity(checks.len());
        for (key, token, check) in checks {
            verified.push(self.run(check, key, token).await?);
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
        self.run(self.find_check(settings, key)?, key, token).await
    }

    /// How the pool wants this provider's logins checked, if it accepts them at all.
    fn find_check<'a>(
        &'a self,
        settings: &'a PoolSettings,
        key: &'a str,
    ) -> Result<Check<'a>, PublicLoginError> {
        refuse_unverifiable(key)?;
        let mut trusts: Vec<_> = self.oidc_trust(settings, key).into_iter().collect();
        trusts.extend(self.user_pool_trust(settings, key)?);
        match settings.supported_login_providers.get(key).map(|app_id| (key, app_id)) {
            Some((FACEBOOK, app_id)) => return Ok(Check::Facebook { app_id }),
            Some((AMAZON, app_id)) => return Ok(Check::Amazon { app_id }),
            Some((_, app_id)) => trusts.extend(social_trust(key, app_id)),
            None => {}
        }
        if trusts.is_empty() {
            return Err(PublicLoginError::UnsupportedProvider);
        }
        Ok(Check::IdToken(trusts))
    }

    fn oidc_trust<'a>(&'a self, settings: &PoolSettings, key: &str) -> Option<Trust<'a>> {
        let mut arns = settings.open_id_connect_provider_arns.iter();
        let provider =
            arns.find_map(|arn| self.registered.oidc_provider(arn).filter(|it| it.login_key() == key))?;
        Some(Trust {
            kind: Kind::Oidc { arn: provider.arn.clone() },
            expected: Expectation {
                expiry_grace: EXPIRY_GRACE,
                ..Expectation::new(
                    vec![provider.issuer.clone()],
                    Keys::Published(provider.key_source()),
                    Audience::AuthorizedParty(provider.audiences.iter().map(String::as_str).collect()),
                )
            },
        })
    }

    fn user_pool_trust<'a>(
        &self,
        settings: &'a PoolSettings,
        key: &str,
    ) -> Result<Option<Trust<'a>>, PublicLoginError> {
        let named = settings.cognito_identity_providers.iter();
        let clients: Vec<_> = named.filter(|it| it.provider_name.as_deref() == Some(key)).collect();
        // The name came from whoever made the pool, and becomes a URL.
        if clients.is_empty() || !is_user_pool_name(key) {
            return Ok(None);
        }
        if clients.iter().any(|client| client.server_side_token_check == Some(true)) {
            return Err(PublicLoginError::Unverifiable(NO_TOKEN_CHECK));
        }
        let (issuer, keys) = self.registered.user_pool(key);
        let audiences = clients.iter().filter_map(|client| client.client_id.as_deref()).collect();
        Ok(Some(Trust {
            kind: Kind::UserPool,
            expected: Expectation::new(
                vec![issuer],
                Keys::Published(keys),
                Audience::UserPoolClient(audiences),
            ),
        }))
    }

    async fn run(
        &self,
        check: Check<'_>,
        key: &str,
        token: &Secret,
    ) -> Result<PublicLogin, PublicLoginError> {
        let http = &*self.http;
        let (app_id, (user, claims)) = match check {
            Check::IdToken(trusts) => return self.check_id_token(trusts, key, token).await,
            Check::Facebook { app_id } => (app_id, access_token::facebook(http, app_id, token).await?),
            Check::Amazon { app_id } => (app_id, access_token::amazon(http, app_id, token).await?),
        };
        let (provider, client) = (key.to_owned(), app_id.to_owned());
        Ok(PublicLogin { provider, user, client, kind: Kind::Social, claims })
    }

    async fn check_id_token(
        &self,
        trusts: Vec<Trust<'_>>,
        key: &str,
        token: &Secret,
    ) -> Result<PublicLogin, PublicLoginError> {
        let mut refusal = PublicLoginError::UnsupportedProvider;
        for Trust { kind, expected } in trusts {
            match self.verifier.verify(&expected, token).await {
                Ok(id_token::Verified { user, client, claims }) => {
                    return Ok(PublicLogin { provider: key.to_owned(), user, client, kind, claims });
                }
                // The pool may accept the same issuer once more, for this client.
                Err(IdTokenError::WrongAudience) => {}
                Err(error) => refusal = PublicLoginError::id_token(error, key),
            }
        }
        Err(refusal)
    }
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

/// The two whose ID tokens need no registration but an app ID.
fn social_trust<'a>(key: &str, app_id: &'a str) -> Option<Trust<'a>> {
    let (issuers, jwks_url) = match key {
        GOOGLE => (vec!["https://accounts.google.com", GOOGLE], "https://www.googleapis.com/oauth2/v3/certs"),
        APPLE => (vec!["https://appleid.apple.com"], "https://appleid.apple.com/auth/keys"),
        _ => return None,
    };
    Some(Trust {
        kind: Kind::Social,
        expected: Expectation {
            expiry_grace: EXPIRY_GRACE,
            ..Expectation::new(
                issuers.into_iter().map(str::to_owned).collect(),
                Keys::Published(KeySource::JwkSet(jwks_url.to_owned())),
                Audience::App(app_id),
            )
        },
    })
}

#[cfg(test)]
mod tests;
