//! The providers that the operator vouches for. A pool names OIDC providers by ARN only; who is behind an
//! ARN is the operator's word, as it is that of an account's IAM administrator on AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;

use super::terms;
use crate::login::id_token::AudienceRule;
use crate::login::jwks::KeySource;
use crate::login::plain_hosts::PlainHosts;
use crate::login::provider::definition::Definition;

/// An OpenID Connect provider, as IAM has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcProvider {
    /// `arn:aws:iam::ACCOUNT:oidc-provider/` and the issuer without scheme.
    pub arn: String,
    /// Exactly what stands in `iss`.
    pub issuer: String,
    /// The client IDs whose tokens are accepted.
    pub audiences: BTreeSet<String>,
    /// Where its keys are; if not given, its own discovery document says so.
    pub jwks_uri: Option<String>,
}

/// What is wrong with the description of a provider, and the cure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{key} {cure}")]
pub struct RegistrationError {
    /// The key of the description.
    pub key: &'static str,
    /// What should stand there.
    pub cure: &'static str,
}

impl OidcProvider {
    /// Its key in `Logins`: the issuer without scheme and without a slash at the end.
    #[must_use]
    pub fn login_key(&self) -> &str {
        let rest = self.issuer.split_once("://").map_or(&*self.issuer, |(_, rest)| rest);
        rest.trim_end_matches('/')
    }

    /// Whether the parts of the description can be true together.
    ///
    /// # Errors
    /// [`RegistrationError`] for the first that cannot.
    pub fn check(&self, plain: &PlainHosts) -> Result<(), RegistrationError> {
        let wrong = |key, cure| Err(RegistrationError { key, cure });
        check_urls(&self.issuer, self.jwks_uri.as_deref(), plain)?;
        if oidc_issuer_of_arn(&self.arn) != Some(self.login_key()) {
            return wrong("arn", "must be arn:aws:iam::<account>:oidc-provider/<issuer without https://>");
        }
        if !(1..=100).contains(&self.audiences.len()) || self.audiences.contains("") {
            return wrong("audiences", "must name 1 to 100 client IDs, none of them empty");
        }
        Ok(())
    }

    /// Where its keys are.
    #[must_use]
    pub fn key_source(&self) -> KeySource {
        match &self.jwks_uri {
            Some(url) => KeySource::JwkSet(url.clone()),
            None => KeySource::Discovery { issuer: self.issuer.clone() },
        }
    }

    fn definition(&self) -> Definition {
        let (issuer, keys) = (self.issuer.clone(), self.key_source());
        terms::of_issuer(&self.arn, issuer, keys, AudienceRule::AuthorizedParty)
    }
}

/// The issuer, without scheme, that the ARN of an OIDC provider names.
pub(crate) fn oidc_issuer_of_arn(arn: &str) -> Option<&str> {
    let (account, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":oidc-provider/")?;
    let account_is_one = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let issuer = path.strip_suffix('/').unwrap_or(path);
    (account_is_one && !issuer.is_empty()).then_some(issuer)
}

/// A Cognito user pool that is not where its name says: an emulator's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserPool {
    /// `cognito-idp.REGION.amazonaws.com/ID`, as pools and `Logins` spell it.
    pub name: String,
    /// Exactly what stands in `iss`.
    pub issuer: String,
    /// Where its keys are; if not given, `/.well-known/jwks.json` under the issuer.
    pub jwks_uri: Option<String>,
}

impl UserPool {
    /// Whether the parts of the description can be true together.
    ///
    /// # Errors
    /// [`RegistrationError`] for the first that cannot.
    pub fn check(&self, plain: &PlainHosts) -> Result<(), RegistrationError> {
        if !is_user_pool_name(&self.name) {
            let cure = "must be cognito-idp.<region>.amazonaws.com/<user pool ID>";
            return Err(RegistrationError { key: "name", cure });
        }
        check_urls(&self.issuer, self.jwks_uri.as_deref(), plain)
    }

    /// Where its keys are.
    #[must_use]
    pub fn key_source(&self) -> KeySource {
        KeySource::JwkSet(self.jwks_uri.clone().unwrap_or_else(|| keys_below(&self.issuer)))
    }
}

fn keys_below(issuer: &str) -> String {
    format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/'))
}

/// An OIDC provider, and how its tokens are believed.
#[derive(Debug, Clone)]
pub(super) struct RegisteredOidc {
    pub(super) provider: OidcProvider,
    pub(super) definition: Arc<Definition>,
}

impl From<OidcProvider> for RegisteredOidc {
    fn from(provider: OidcProvider) -> Self {
        Self { definition: Arc::new(provider.definition()), provider }
    }
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub struct RegisteredProviders {
    /// By ARN.
    oidc_providers: BTreeMap<String, RegisteredOidc>,
    /// By name.
    user_pools: BTreeMap<String, UserPool>,
}

impl RegisteredProviders {
    /// Providers that [`OidcProvider::check`] and [`UserPool::check`] found nothing wrong with.
    #[must_use]
    pub fn new(
        oidc_providers: impl IntoIterator<Item = OidcProvider>,
        user_pools: impl IntoIterator<Item = UserPool>,
    ) -> Self {
        Self {
            oidc_providers: oidc_providers.into_iter().map(|it| (it.arn.clone(), it.into())).collect(),
            user_pools: user_pools.into_iter().map(|it| (it.name.clone(), it)).collect(),
        }
    }

    pub(super) fn oidc_provider(&self, arn: &str) -> Option<&RegisteredOidc> {
        self.oidc_providers.get(arn)
    }

    /// How tokens of a user pool are believed, by a name that [`is_user_pool_name`] admits.
    pub(super) fn user_pool(&self, name: &str) -> Definition {
        let (issuer, keys) = self.issuer_of_user_pool(name);
        terms::of_issuer(name, issuer, keys, AudienceRule::UserPoolClient)
    }

    fn issuer_of_user_pool(&self, name: &str) -> (String, KeySource) {
        if let Some(pool) = self.user_pools.get(name) {
            return (pool.issuer.clone(), pool.key_source());
        }
        let issuer = format!("https://{name}");
        let keys = KeySource::JwkSet(keys_below(&issuer));
        (issuer, keys)
    }
}

/// Whether a name is one of a Cognito user pool. Its host is Amazon's by construction, so that whoever makes
/// pools cannot send this server anywhere else.
pub(crate) fn is_user_pool_name(name: &str) -> bool {
    let parts = || {
        let (host, id) = name.split_once('/')?;
        let host = host.strip_prefix("cognito-idp.")?;
        let region =
            host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
        let (id_region, serial) = id.rsplit_once('_')?;
        Some((region, id_region, serial))
    };
    let all = |text: &str, allowed: fn(u8) -> bool| !text.is_empty() && text.bytes().all(allowed);
    parts().is_some_and(|(region, id_region, serial)| {
        all(region, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && all(id_region, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && all(serial, |byte| byte.is_ascii_alphanumeric())
    })
}

const TRUSTWORTHY_URL: &str = "must start with https:// and name a host; http:// is for this machine, and beside `daypass up` for hosts of allow_private";

fn check_urls(issuer: &str, jwks_uri: Option<&str>, plain: &PlainHosts) -> Result<(), RegistrationError> {
    if !is_trustworthy_url(issuer, plain) {
        return Err(RegistrationError { key: "issuer", cure: TRUSTWORTHY_URL });
    }
    if issuer.contains(['?', '#']) {
        return Err(RegistrationError { key: "issuer", cure: "must have neither query nor fragment" });
    }
    if jwks_uri.is_some_and(|url| !is_trustworthy_url(url, plain)) {
        return Err(RegistrationError { key: "jwks_uri", cure: TRUSTWORTHY_URL });
    }
    Ok(())
}

/// Whether nobody on the way can exchange what is fetched from a URL.
fn is_trustworthy_url(url: &str, plain: &PlainHosts) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let no_user = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    no_user && (uri.scheme_str() == Some("https") || plain.strip(url).is_some())
}
