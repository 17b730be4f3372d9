//! What each operation of `AWSCognitoIdentityService` does: one short function each. What they take is in `model.rs` and
//! `shapes.rs`, what they mean in core.

use std::collections::BTreeMap;

use daypass_core::audit::Requester;
use daypass_core::ground::clock::Timestamp;
use daypass_core::pool::credentials::IdentityCredentials;
use daypass_core::pool::{DescribedIdentity, TagMapChange};
use daypass_core::records::identity::{CognitoIdentityProvider, IdentityPool};
use daypass_core::store::page::Listed;
use daypass_core::token::openid_token::OpenIdToken;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{count, shapes};
use crate::error::{ApiError, Protocol};
use crate::installation::Embedded;
use crate::routes::body;
use crate::warnings;

/// A request that may be performed.
pub(super) struct Call<'a> {
    pub embedded: &'a Embedded,
    pub by: Requester,
    pub input: Map<String, Value>,
}

pub(super) type Answer = Result<String, ApiError>;

/// What an operation takes. Its shapes were checked, so that what still fails is of a kind that they do not
/// speak about, such as a `null` within a list.
fn read<T: DeserializeOwned>(input: &mut Map<String, Value>) -> Result<T, ApiError> {
    serde_json::from_value(Value::Object(std::mem::take(input)))
        .map_err(|error| ApiError::serialization(body::describe(&error)))
}

pub(super) async fn create_identity_pool(mut call: Call<'_>) -> Answer {
    let input: shapes::Pool = read(&mut call.input)?;
    let pools = &call.embedded.pools;
    let pool = pools.create_pool(input.into(), &call.by).await.map_err(ApiError::pool)?;
    warnings::log(warnings::of_providers(pools, &pool));
    Ok(identity_pool(&pool))
}

pub(super) async fn update_identity_pool(mut call: Call<'_>) -> Answer {
    let shapes::UpdateIdentityPool { identity_pool_id, pool } = read(&mut call.input)?;
    let tags = pool.identity_pool_tags.clone();
    let pools = &call.embedded.pools;
    let updated = pools.update_pool(&identity_pool_id, pool.into(), tags, &call.by).await;
    let updated = updated.map_err(ApiError::pool)?;
    warnings::log(warnings::of_providers(pools, &updated));
    Ok(identity_pool(&updated))
}

pub(super) async fn describe_identity_pool(mut call: Call<'_>) -> Answer {
    let input: shapes::PoolOnly = read(&mut call.input)?;
    let pool = call.embedded.pools.describe_pool(&input.identity_pool_id).await.map_err(ApiError::pool)?;
    Ok(identity_pool(&pool))
}

pub(super) async fn delete_identity_pool(mut call: Call<'_>) -> Answer {
    let input: shapes::PoolOnly = read(&mut call.input)?;
    call.embedded.pools.delete_pool(&input.identity_pool_id, &call.by).await.map_err(ApiError::pool)?;
    Ok(String::new())
}

pub(super) async fn list_identity_pools(mut call: Call<'_>) -> Answer {
    let input: shapes::ListIdentityPools = read(&mut call.input)?;
    let listed = call.embedded.pools.list_pools(input.max_results, input.next_token.as_deref()).await;
    let Listed { items, next_token } = listed.map_err(ApiError::pool)?;
    let short =
        |pool: &IdentityPool| json!({"IdentityPoolId": pool.id, "IdentityPoolName": pool.settings.name});
    Ok(json_text([
        ("IdentityPools", Some(items.iter().map(short).collect())),
        ("NextToken", next_token.map(Value::from)),
    ]))
}

pub(super) async fn set_identity_pool_roles(mut call: Call<'_>) -> Answer {
    let input: shapes::SetIdentityPoolRoles = read(&mut call.input)?;
    let id = input.identity_pool_id.clone();
    let pools = &call.embedded.pools;
    pools.set_pool_roles(&id, input.roles()?, &call.by).await.map_err(ApiError::pool)?;
    let pool = pools.describe_pool(&id).await.map_err(ApiError::pool)?;
    warnings::log(warnings::of_roles(pools, &pool));
    Ok(String::new())
}

pub(super) async fn get_identity_pool_roles(mut call: Call<'_>) -> Answer {
    let input: shapes::PoolOnly = read(&mut call.input)?;
    let pool = call.embedded.pools.describe_pool(&input.identity_pool_id).await.map_err(ApiError::pool)?;
    let arns = [("authenticated", pool.roles.authenticated), ("unauthenticated", pool.roles.unauthenticated)];
    let roles: BTreeMap<_, _> = arns.into_iter().filter_map(|(name, arn)| Some((name, arn?))).collect();
    Ok(json_text([
        ("IdentityPoolId", Some(json!(pool.id))),
        ("Roles", (!roles.is_empty()).then(|| json!(roles))),
        ("RoleMappings", (!pool.roles.mappings.is_empty()).then(|| json!(pool.roles.mappings))),
    ]))
}

pub(super) async fn set_principal_tag_attribute_map(mut call: Call<'_>) -> Answer {
    let input: shapes::SetPrincipalTagAttributeMap = read(&mut call.input)?;
    let change = TagMapChange::from(input);
    let answer = tag_map(&change);
    call.embedded.pools.set_tag_map(change, &call.by).await.map_err(ApiError::pool)?;
    Ok(answer)
}

pub(super) async fn get_principal_tag_attribute_map(mut call: Call<'_>) -> Answer {
    let input: shapes::GetPrincipalTagAttributeMap = read(&mut call.input)?;
    let map = call.embedded.pools.tag_map(&input.identity_pool_id, &input.identity_provider_name).await;
    Ok(tag_map(&TagMapChange {
        map: map.map_err(ApiError::pool)?,
        pool_id: input.identity_pool_id,
        provider: input.identity_provider_name,
    }))
}

pub(super) async fn tag_resource(mut call: Call<'_>) -> Answer {
    let input: shapes::TagResource = read(&mut call.input)?;
    call.embedded.pools.tag_pool(&input.resource_arn, input.tags, &call.by).await.map_err(ApiError::pool)?;
    Ok("{}".to_owned())
}

pub(super) async fn untag_resource(mut call: Call<'_>) -> Answer {
    let input: shapes::UntagResource = read(&mut call.input)?;
    let untagged = call.embedded.pools.untag_pool(&input.resource_arn, &input.tag_keys, &call.by).await;
    untagged.map_err(ApiError::pool)?;
    Ok("{}".to_owned())
}

pub(super) async fn list_tags_for_resource(mut call: Call<'_>) -> Answer {
    let input: shapes::ListTagsForResource = read(&mut call.input)?;
    let tags = call.embedded.pools.tags_of_pool(&input.resource_arn).await.map_err(ApiError::pool)?;
    Ok(json!({"Tags": tags}).to_string())
}

pub(super) async fn get_id(mut call: Call<'_>) -> Answer {
    let mut input: shapes::GetId = read(&mut call.input)?;
    let logins = input.logins();
    let id = call.embedded.pools.get_id(&input.identity_pool_id, &logins, &call.by).await;
    Ok(json!({"IdentityId": id.map_err(ApiError::pool)?}).to_string())
}

pub(super) async fn get_open_id_token(mut call: Call<'_>) -> Answer {
    let mut input: shapes::GetForIdentity = read(&mut call.input)?;
    let logins = input.logins();
    let token = call.embedded.pools.open_id_token(&input.identity_id, &logins, &call.by).await;
    Ok(open_id_token(&token.map_err(ApiError::pool)?))
}

pub(super) async fn get_open_id_token_for_developer_identity(mut call: Call<'_>) -> Answer {
    let input: shapes::GetOpenIdTokenForDeveloperIdentity = read(&mut call.input)?;
    for user in input.users() {
        count(call.embedded.rate_limits.person(user), Protocol::Json)?;
    }
    let token = call.embedded.pools.open_id_token_for_developer_identity(input.into(), &call.by).await;
    Ok(open_id_token(&token.map_err(ApiError::pool)?))
}

pub(super) async fn get_credentials_for_identity(mut call: Call<'_>) -> Answer {
    let mut input: shapes::GetForIdentity = read(&mut call.input)?;
    let (logins, pools) = (input.logins(), &call.embedded.pools);
    let given = pools
        .credentials_for_identity(&input.identity_id, &logins, input.custom_role_arn.as_deref(), &call.by)
        .await;
    let IdentityCredentials { identity_id, credentials } = given.map_err(ApiError::pool)?;
    let shown = json!({
        "AccessKeyId": credentials.access_key_id,
        "SecretKey": credentials.secret_access_key.expose(),
        "SessionToken": credentials.session_token.expose(),
        "Expiration": credentials.expiration.as_second(),
    });
    Ok(json!({"IdentityId": identity_id, "Credentials": shown}).to_string())
}

pub(super) async fn unlink_identity(mut call: Call<'_>) -> Answer {
    let mut input: shapes::UnlinkIdentity = read(&mut call.input)?;
    let logins = input.logins();
    let pools = &call.embedded.pools;
    let unlinked = pools.unlink_identity(input.identity_id, &logins, input.logins_to_remove, &call.by).await;
    unlinked.map_err(ApiError::pool)?;
    Ok(String::new())
}

pub(super) async fn describe_identity(mut call: Call<'_>) -> Answer {
    let input: shapes::IdentityOnly = read(&mut call.input)?;
    let described =
        call.embedded.pools.describe_identity(&input.identity_id).await.map_err(ApiError::pool)?;
    Ok(identity(&described).to_string())
}

pub(super) async fn list_identities(mut call: Call<'_>) -> Answer {
    let input: shapes::ListIdentities = read(&mut call.input)?;
    let (id, hide_disabled) = (&input.identity_pool_id, input.hide_disabled.unwrap_or_default());
    let pools = &call.embedded.pools;
    let listed =
        pools.list_identities(id, hide_disabled, input.max_results, input.next_token.as_deref()).await;
    let Listed { items, next_token } = listed.map_err(ApiError::pool)?;
    Ok(json_text([
        ("IdentityPoolId", Some(json!(id))),
        ("Identities", Some(items.iter().map(identity).collect())),
        ("NextToken", next_token.map(Value::from)),
    ]))
}

pub(super) async fn delete_identities(mut call: Call<'_>) -> Answer {
    let input: shapes::DeleteIdentities = read(&mut call.input)?;
    let deleted = call.embedded.pools.delete_identities(&input.identity_ids_to_delete, &call.by).await;
    deleted.map_err(ApiError::pool)?;
    Ok(json!({"UnprocessedIdentityIds": []}).to_string())
}

pub(super) async fn lookup_developer_identity(mut call: Call<'_>) -> Answer {
    let input: shapes::LookupDeveloperIdentity = read(&mut call.input)?;
    let found = call.embedded.pools.lookup_developer_identity(input.into()).await.map_err(ApiError::pool)?;
    let users = found.developer_user_identifiers;
    Ok(json_text([
        ("IdentityId", Some(json!(found.identity_id))),
        ("DeveloperUserIdentifierList", Some(json!(users.items))),
        ("NextToken", users.next_token.map(Value::from)),
    ]))
}

pub(super) async fn merge_developer_identities(mut call: Call<'_>) -> Answer {
    let input: shapes::MergeDeveloperIdentities = read(&mut call.input)?;
    let merged = call.embedded.pools.merge_developer_identities(input.into(), &call.by).await;
    Ok(json!({"IdentityId": merged.map_err(ApiError::pool)?}).to_string())
}

pub(super) async fn unlink_developer_identity(mut call: Call<'_>) -> Answer {
    let input: shapes::UnlinkDeveloperIdentity = read(&mut call.input)?;
    let unlinked = call.embedded.pools.unlink_developer_identity(input.into(), &call.by).await;
    unlinked.map_err(ApiError::pool)?;
    Ok(String::new())
}

fn open_id_token(token: &OpenIdToken) -> String {
    json!({"IdentityId": token.identity_id, "Token": token.token.expose()}).to_string()
}

fn identity(described: &DescribedIdentity) -> Value {
    let DescribedIdentity { identity, logins } = described;
    json_object([
        ("IdentityId", Some(json!(identity.id))),
        ("Logins", (!logins.is_empty()).then(|| json!(logins))),
        ("CreationDate", Some(epoch_seconds(identity.created_at))),
        ("LastModifiedDate", Some(epoch_seconds(identity.modified_at))),
    ])
}

fn tag_map(of: &TagMapChange) -> String {
    json_text([
        ("IdentityPoolId", Some(json!(of.pool_id))),
        ("IdentityProviderName", Some(json!(of.provider))),
        ("UseDefaults", Some(json!(of.map.use_defaults))),
        ("PrincipalTags", Some(json!(of.map.tags))),
    ])
}

/// The shape `IdentityPool`: what was never set is left out.
fn identity_pool(pool: &IdentityPool) -> String {
    let settings = &pool.settings;
    let list = |arns: &Vec<String>| (!arns.is_empty()).then(|| json!(arns));
    let user_pools: Vec<Value> = settings.cognito_identity_providers.iter().map(user_pool_client).collect();
    json_text([
        ("IdentityPoolId", Some(json!(pool.id))),
        ("IdentityPoolName", Some(json!(settings.name))),
        ("AllowUnauthenticatedIdentities", Some(json!(settings.allow_unauthenticated_identities))),
        ("AllowClassicFlow", settings.allow_classic_flow.map(Value::from)),
        (
            "SupportedLoginProviders",
            (!settings.supported_login_providers.is_empty())
                .then(|| json!(settings.supported_login_providers)),
        ),
        ("DeveloperProviderName", settings.developer_provider_name.clone().map(Value::from)),
        ("OpenIdConnectProviderARNs", list(&settings.open_id_connect_provider_arns)),
        ("CognitoIdentityProviders", (!user_pools.is_empty()).then(|| json!(user_pools))),
        ("SamlProviderARNs", list(&settings.saml_provider_arns)),
        ("IdentityPoolTags", Some(json!(settings.tags))),
    ])
}

fn user_pool_client(client: &CognitoIdentityProvider) -> Value {
    json_object([
        ("ProviderName", client.provider_name.clone().map(Value::from)),
        ("ClientId", client.client_id.clone().map(Value::from)),
        ("ServerSideTokenCheck", client.server_side_token_check.map(Value::from)),
    ])
}

fn json_text<const N: usize>(members: [(&str, Option<Value>); N]) -> String {
    json_object(members).to_string()
}

/// An object of the members that are there.
fn json_object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

/// Seconds since the epoch with milliseconds, as a plain decimal number.
fn epoch_seconds(time: Timestamp) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit a double until the year 287396"
    )]
    let seconds = time.as_millisecond() as f64 / 1000.0;
    json!(seconds)
}
