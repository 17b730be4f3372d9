//! Makes the target what the source is. Every call writes a whole, because what is left out of one goes back
//! to its default (docs/reference/cognito-identity.md, 3.4), so a run that is repeated comes to the same.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context;
use aws_config::retry::RetryConfig;
use aws_sdk_cognitoidentity::config::Builder;

use super::configuration::{COPIED_FROM, Configuration, Part, TagMap, is_copied};
use super::end::{End, Pool};
use super::plan::Plan;
use crate::cli::tell;
use crate::printable::printable;

type Texts = HashMap<String, String>;

/// Carries out a plan, and answers the ID of the target.
pub async fn apply(plan: &Plan, target: &End) -> anyhow::Result<String> {
    let source = &plan.source;
    let id = match &plan.target {
        None => create(source, target).await?,
        Some(pool) => {
            if plan.touches(Part::Settings) || plan.touches(Part::Tags) {
                update(source, pool, target).await?;
            }
            pool.id.clone()
        }
    };
    if plan.touches(Part::Roles) {
        tell("SetIdentityPoolRoles: roles and role mappings");
        set_roles(&source.configuration, &id, target).await?;
    }
    if plan.touches(Part::TagMaps) {
        set_tag_maps(plan, &id, target).await?;
    }
    Ok(id)
}

/// A lost answer to CreateIdentityPool leaves a pool that the next run finds by its tag, and a second attempt by
/// the SDK would make another: so there is none.
async fn create(source: &Pool, target: &End) -> anyhow::Result<String> {
    tell("CreateIdentityPool");
    let it = &source.configuration;
    let once = Builder::new().retry_config(RetryConfig::disabled());
    let created = target
        .client
        .create_identity_pool()
        .identity_pool_name(&it.name)
        .allow_unauthenticated_identities(it.guests)
        .set_allow_classic_flow(it.classic_flow)
        .set_developer_provider_name(it.developer_provider.clone())
        .set_supported_login_providers(some_map(&it.login_providers))
        .set_open_id_connect_provider_arns(some(&it.oidc_arns))
        .set_cognito_identity_providers(some(&it.user_pools))
        .set_saml_provider_arns(some(&it.saml_arns))
        .set_identity_pool_tags(Some(with_origin(&it.tags, Some(&source.id))))
        .customize()
        .config_override(once)
        .send()
        .await
        .map_err(|error| target.failed("CreateIdentityPool", error))?;
    tell(&format!("made the pool {}", created.identity_pool_id));
    Ok(created.identity_pool_id)
}

async fn update(source: &Pool, pool: &Pool, target: &End) -> anyhow::Result<()> {
    tell("UpdateIdentityPool: settings and tags");
    let it = &source.configuration;
    let tags = with_origin(&it.tags, pool.copied_from.as_deref());
    let updated = target
        .client
        .update_identity_pool()
        .identity_pool_id(&pool.id)
        .identity_pool_name(&it.name)
        .allow_unauthenticated_identities(it.guests)
        .set_allow_classic_flow(it.classic_flow)
        .set_developer_provider_name(it.developer_provider.clone())
        .set_supported_login_providers(Some(it.login_providers.clone()))
        .set_open_id_connect_provider_arns(Some(it.oidc_arns.clone()))
        .set_cognito_identity_providers(Some(it.user_pools.clone()))
        .set_saml_provider_arns(Some(it.saml_arns.clone()))
        .set_identity_pool_tags(Some(tags.clone()))
        .send()
        .await
        .map_err(|error| target.failed("UpdateIdentityPool", error))?;
    let there = updated.identity_pool_tags.unwrap_or_default();
    set_tags(&pool.id, &there, tags, target).await
}

/// Whether UpdateIdentityPool takes tags is not documented: what it did not take has operations of its own.
async fn set_tags(id: &str, there: &Texts, wanted: Texts, target: &End) -> anyhow::Result<()> {
    let superfluous: Vec<String> =
        there.keys().filter(|key| is_copied(key) && !wanted.contains_key(*key)).cloned().collect();
    let missing: Texts = wanted.into_iter().filter(|(key, value)| there.get(key) != Some(value)).collect();
    if superfluous.is_empty() && missing.is_empty() {
        return Ok(());
    }
    let (partition, account) = target.partition_and_account().await?;
    let arn = format!("arn:{partition}:cognito-identity:{}:{account}:identitypool/{id}", target.region);
    if !missing.is_empty() {
        tell("TagResource");
        let tagged = target.client.tag_resource().resource_arn(&arn).set_tags(Some(missing)).send().await;
        tagged.map_err(|error| target.failed("TagResource", error))?;
    }
    if !superfluous.is_empty() {
        tell("UntagResource");
        let untagged = target.client.untag_resource().resource_arn(&arn).set_tag_keys(Some(superfluous));
        untagged.send().await.map_err(|error| target.failed("UntagResource", error))?;
    }
    Ok(())
}

async fn set_roles(source: &Configuration, id: &str, target: &End) -> anyhow::Result<()> {
    let set = target
        .client
        .set_identity_pool_roles()
        .identity_pool_id(id)
        .set_roles(Some(source.roles.clone()))
        .set_role_mappings(Some(source.role_mappings.clone()));
    let set = set.send().await.map_err(|error| target.failed("SetIdentityPoolRoles", error));
    set.map(drop).context(
        "roles are not set; besides the permission for the call itself, it takes iam:PassRole for each role",
    )
}

async fn set_tag_maps(plan: &Plan, id: &str, target: &End) -> anyhow::Result<()> {
    let wanted = &plan.source.configuration.tag_maps;
    let nothing = Configuration::default();
    let there = &plan.target.as_ref().map_or(&nothing, |pool| &pool.configuration).tag_maps;
    let providers: BTreeSet<&String> = wanted.keys().chain(there.keys()).collect();
    for provider in providers.into_iter().filter(|provider| wanted.get(*provider) != there.get(*provider)) {
        tell(&format!("SetPrincipalTagAttributeMap: {}", printable(provider)));
        let map = wanted.get(provider).cloned().unwrap_or_default();
        set_tag_map(id, provider, map, target).await?;
    }
    Ok(())
}

async fn set_tag_map(id: &str, provider: &str, map: TagMap, target: &End) -> anyhow::Result<()> {
    let request = target.client.set_principal_tag_attribute_map().identity_pool_id(id);
    let request = request.identity_provider_name(provider).use_defaults(map.use_defaults);
    let set = request.set_principal_tags(Some(map.tags.into_iter().collect())).send().await;
    set.map(drop).map_err(|error| target.failed("SetPrincipalTagAttributeMap", error))
}

fn with_origin(tags: &Texts, copied_from: Option<&str>) -> Texts {
    let origin = copied_from.map(|id| (COPIED_FROM.to_owned(), id.to_owned()));
    tags.clone().into_iter().chain(origin).collect()
}

fn some<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

fn some_map(map: &Texts) -> Option<Texts> {
    (!map.is_empty()).then(|| map.clone())
}
