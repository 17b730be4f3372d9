//! The providers of a pool, by the names that its settings, role mappings and principal tag maps have for them. A name under
//! which nobody ever logs in would make a setting that is kept and means nothing, so it is refused where it is written
//! (docs/reference/cognito-identity.md, 3.4).

use std::collections::BTreeSet;

use super::{Invalid, PoolError};
use crate::login::public::{is_social_key, is_user_pool_name, oidc_issuer_of_arn, social_keys};
use crate::records::identity::{CognitoIdentityProvider, IdentityPool, PoolSettings};

/// Whether somebody can ever log in at each provider that the settings name.
///
/// # Errors
/// [`PoolError::Invalid`], with the form that a name has.
pub(super) fn check(settings: &PoolSettings) -> Result<(), PoolError> {
    settings.supported_login_providers.keys().try_for_each(|key| check_social(key))?;
    settings.cognito_identity_providers.iter().try_for_each(check_user_pool)?;
    let developer = settings.developer_provider_name.as_deref();
    let mut issuers: BTreeSet<&str> = BTreeSet::new();
    for arn in &settings.open_id_connect_provider_arns {
        let issuer = oidc_issuer_of_arn(arn).ok_or_else(|| not_oidc(arn))?;
        if !issuers.insert(issuer) {
            return invalid(format!(
                "Two of OpenIdConnectProviderARNs are of the issuer {issuer}: name one."
            ));
        }
    }
    let is_developer = |name: &str| developer == Some(name);
    if issuers.into_iter().chain(social_of(settings)).any(is_developer) {
        return invalid("The developer provider cannot have the name of a supported login provider.".into());
    }
    Ok(())
}

/// Whether the key of a role mapping is one of the pool's providers.
///
/// # Errors
/// [`PoolError::Invalid`], with the keys that there are.
pub(super) fn check_mapped(settings: &PoolSettings, key: &str) -> Result<(), PoolError> {
    let keys = mapping_keys(settings);
    if keys.contains(key) {
        return Ok(());
    }
    invalid(format!(
        "({key}) is not a valid RoleMapping ProviderName or is not a configured provider. {}",
        those_there_are(&keys)
    ))
}

/// Whether a principal tag map is for one of the pool's public providers. One without tags may undo what an update of the
/// pool left behind.
///
/// # Errors
/// [`PoolError::Invalid`], with the names that there are.
pub(super) fn check_tagged(pool: &IdentityPool, provider: &str, has_tags: bool) -> Result<(), PoolError> {
    let names = tag_map_keys(&pool.settings);
    if names.contains(provider) || (!has_tags && pool.tag_maps.contains_key(provider)) {
        return Ok(());
    }
    let what = if pool.settings.developer_provider_name.as_deref() == Some(provider) {
        "is the developer provider, whose tokens have the PrincipalTags of GetOpenIdTokenForDeveloperIdentity"
    } else {
        "is not a valid IdentityProviderName or is not a configured provider"
    };
    invalid(format!("({provider}) {what}. {}", those_there_are(&names)))
}

/// The role mappings and principal tag maps of providers that the pool had once: they rest until it has them again.
#[must_use]
pub fn resting_providers(pool: &IdentityPool) -> Vec<&str> {
    let (mapped, tagged) = (mapping_keys(&pool.settings), tag_map_keys(&pool.settings));
    let mappings = pool.roles.mappings.keys().filter(|key| !mapped.contains(*key));
    let maps = pool.tag_maps.iter().filter(|(key, map)| !map.tags.is_empty() && !tagged.contains(*key));
    mappings.chain(maps.map(|(key, _)| key)).map(String::as_str).collect()
}

/// What `RoleMappings` calls the providers of a pool. The developer provider is one of them: it asserts nothing, and so its
/// people get what the mapping has for the undecided.
fn mapping_keys(settings: &PoolSettings) -> BTreeSet<String> {
    let user_pools = settings
        .cognito_identity_providers
        .iter()
        .filter_map(|it| Some(format!("{}:{}", it.provider_name.as_deref()?, it.client_id.as_deref()?)));
    let others =
        social_of(settings).chain(oidc_of(settings)).chain(settings.developer_provider_name.as_deref());
    user_pools.chain(others.map(str::to_owned)).collect()
}

/// What SetPrincipalTagAttributeMap calls the public providers of a pool.
fn tag_map_keys(settings: &PoolSettings) -> BTreeSet<String> {
    let user_pools = settings.cognito_identity_providers.iter().filter_map(|it| it.provider_name.as_deref());
    user_pools.chain(social_of(settings)).chain(oidc_of(settings)).map(str::to_owned).collect()
}

fn social_of(settings: &PoolSettings) -> impl Iterator<Item = &str> {
    settings.supported_login_providers.keys().map(String::as_str)
}

fn oidc_of(settings: &PoolSettings) -> impl Iterator<Item = &str> {
    settings.open_id_connect_provider_arns.iter().map(String::as_str)
}

fn check_social(key: &str) -> Result<(), PoolError> {
    if is_social_key(key) {
        return Ok(());
    }
    let known = social_keys().collect::<Vec<_>>().join(", ");
    invalid(format!(
        "({key}) is no provider that pools know by an app's ID: SupportedLoginProviders takes {known}, and an OpenID \
         Connect issuer goes into OpenIdConnectProviderARNs."
    ))
}

fn check_user_pool(client: &CognitoIdentityProvider) -> Result<(), PoolError> {
    if client.provider_name.as_deref().is_some_and(is_user_pool_name) && client.client_id.is_some() {
        return Ok(());
    }
    invalid(
        "Invalid Cognito Identity Provider: ProviderName is cognito-idp.REGION.amazonaws.com/USER_POOL_ID, without \
         https://, and ClientId is an app client of that user pool."
            .into(),
    )
}

fn not_oidc(arn: &str) -> PoolError {
    let text = format!(
        "({arn}) is not the ARN of an OpenID Connect provider: arn:aws:iam::ACCOUNT:oidc-provider/ISSUER."
    );
    Invalid::Value(text).into()
}

fn those_there_are(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "The pool has no provider yet: UpdateIdentityPool gives it one.".into();
    }
    format!("The pool has {}.", names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

fn invalid(text: String) -> Result<(), PoolError> {
    Err(Invalid::Value(text).into())
}
