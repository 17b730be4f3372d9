//! `AWSCognitoIdentityService` in AWS JSON 1.1 (cognito-identity.md 1 to 3): one short function an
//! operation. Reading is in `shapes.rs`, meaning in core.

use std::collections::BTreeMap;

use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use daypass_core::clock::Timestamp;
use daypass_core::iam::Key;
use daypass_core::identity::{CognitoIdentityProvider, IdentityPool};
use daypass_core::identity_pool::DescribedIdentity;
use daypass_core::ids::RequestId;
use daypass_core::token::OpenIdToken;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::Access::{Public, Signed};
use super::{Access, Operation, authenticate, pool, shapes, sts};
use crate::error::{ApiError, Dialect};
use crate::routes::body;
use crate::sigv4::Caller;
use crate::wire::App;

const TARGET_PREFIX: &str = "AWSCognitoIdentityService.";
const SERVICE: &str = "cognito-identity";

const fn operation(name: &'static str, access: Access) -> Operation {
    Operation { name, access }
}

/// All operations of the API, and who may call them: the four public ones of the model, and no other.
pub const OPERATIONS: &[Operation] = &[
    operation("CreateIdentityPool", Signed),
    operation("DeleteIdentities", Signed),
    operation("DeleteIdentityPool", Signed),
    operation("DescribeIdentity", Signed),
    operation("DescribeIdentityPool", Signed),
    operation("GetCredentialsForIdentity", Public),
    operation("GetId", Public),
    operation("GetIdentityPoolRoles", Signed),
    operation("GetOpenIdToken", Public),
    operation("GetOpenIdTokenForDeveloperIdentity", Signed),
    operation("GetPrincipalTagAttributeMap", Signed),
    operation("ListIdentities", Signed),
    operation("ListIdentityPools", Signed),
    operation("ListTagsForResource", Signed),
    operation("LookupDeveloperIdentity", Signed),
    operation("MergeDeveloperIdentities", Signed),
    operation("SetIdentityPoolRoles", Signed),
    operation("SetPrincipalTagAttributeMap", Signed),
    operation("TagResource", Signed),
    operation("UnlinkDeveloperIdentity", Signed),
    operation("UnlinkIdentity", Public),
    operation("UntagResource", Signed),
    operation("UpdateIdentityPool", Signed),
];

/// Answers one request.
pub async fn answer(app: &App, id: &RequestId, parts: &Parts, body: &Bytes) -> Result<Response, ApiError> {
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = target.strip_prefix(TARGET_PREFIX).unwrap_or_default();
    let operation = OPERATIONS.iter().find(|operation| operation.name == name);
    let operation = operation.ok_or_else(|| ApiError::unknown_operation(Dialect::AwsJson))?;
    if operation.access == Signed {
        let caller = authenticate(app, parts, body, SERVICE, Dialect::AwsJson).await?;
        authorize(app, &caller, operation, body).await?;
    }
    let answer = perform(app, id, operation.name, body).await?;
    Ok(([(header::CONTENT_TYPE, "application/x-amz-json-1.1")], answer).into_response())
}

/// The policy of the access key or of the role has to allow the operation on every pool that it is about.
async fn authorize(app: &App, caller: &Caller, operation: &Operation, body: &Bytes) -> Result<(), ApiError> {
    let action = format!("{SERVICE}:{}", operation.name);
    let input = serde_json::from_slice(body).unwrap_or_default();
    for pool in pool::of_operation(app, operation.name, &input).await.map_err(ApiError::pool)? {
        let context = app.access.arrival().with_all(Key::IdentityPoolArn, pool.as_deref());
        let resource = pool.as_deref().unwrap_or("*");
        let decided = match caller {
            Caller::Developer(key) => app.access.decide_developer(key, &action, resource, context),
            Caller::Session(opened) => app.access.decide(&opened.session, &action, resource, context),
        };
        decided.map_err(|_| {
            let arn = sts::caller_arn(app, caller);
            let message =
                format!("User: {arn} is not authorized to perform: {action} on resource: {resource}");
            ApiError::access_denied(message)
        })?;
    }
    Ok(())
}

async fn perform(app: &App, id: &RequestId, operation: &str, body: &Bytes) -> Result<String, ApiError> {
    match operation {
        "CreateIdentityPool" => create_identity_pool(app, input(body)?).await,
        "DescribeIdentityPool" => describe_identity_pool(app, input(body)?).await,
        "ListIdentityPools" => list_identity_pools(app, input(body)?).await,
        "SetIdentityPoolRoles" => set_identity_pool_roles(app, input(body)?).await,
        "GetIdentityPoolRoles" => get_identity_pool_roles(app, input(body)?).await,
        "GetId" => get_id(app, input(body)?).await,
        "GetOpenIdToken" => get_open_id_token(app, id, input(body)?).await,
        "GetOpenIdTokenForDeveloperIdentity" => developer_token(app, id, input(body)?).await,
        "GetCredentialsForIdentity" => get_credentials_for_identity(app, id, input(body)?).await,
        "DescribeIdentity" => describe_identity(app, input(body)?).await,
        "LookupDeveloperIdentity" => lookup_developer_identity(app, input(body)?).await,
        "ListIdentities" => list_identities(app, input(body)?).await,
        later => Err(ApiError::not_built_yet(later)),
    }
}

fn input<T: DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::serialization(body::describe(&error)))
}

async fn create_identity_pool(app: &App, input: shapes::CreateIdentityPool) -> Result<String, ApiError> {
    let pool = app.pools.create_pool(input.read()?).await.map_err(ApiError::pool)?;
    Ok(identity_pool(&pool))
}

async fn describe_identity_pool(app: &App, input: shapes::PoolOnly) -> Result<String, ApiError> {
    let pool = app.pools.describe_pool(&input.read()?).await.map_err(ApiError::pool)?;
    Ok(identity_pool(&pool))
}

async fn list_identity_pools(app: &App, input: shapes::ListIdentityPools) -> Result<String, ApiError> {
    let (limit, next_token) = input.read()?;
    let listed = app.pools.list_pools(limit, next_token.as_deref()).await.map_err(ApiError::pool)?;
    let short =
        |pool: &IdentityPool| json!({"IdentityPoolId": pool.id, "IdentityPoolName": pool.settings.name});
    Ok(json_text([
        ("IdentityPools", Some(listed.items.iter().map(short).collect())),
        ("NextToken", listed.next_token.map(Value::from)),
    ]))
}

async fn set_identity_pool_roles(app: &App, input: shapes::SetIdentityPoolRoles) -> Result<String, ApiError> {
    let (pool_id, roles) = input.read()?;
    app.pools.set_pool_roles(&pool_id, &roles).await.map_err(ApiError::pool)?;
    Ok(String::new())
}

async fn get_identity_pool_roles(app: &App, input: shapes::PoolOnly) -> Result<String, ApiError> {
    let pool = app.pools.describe_pool(&input.read()?).await.map_err(ApiError::pool)?;
    let arns = [("authenticated", pool.roles.authenticated), ("unauthenticated", pool.roles.unauthenticated)];
    let roles: BTreeMap<_, _> = arns.into_iter().filter_map(|(name, arn)| Some((name, arn?))).collect();
    Ok(json_text([
        ("IdentityPoolId", Some(json!(pool.id))),
        ("Roles", (!roles.is_empty()).then(|| json!(roles))),
        ("RoleMappings", (!pool.roles.mappings.is_empty()).then(|| json!(pool.roles.mappings))),
    ]))
}

async fn get_id(app: &App, input: shapes::GetId) -> Result<String, ApiError> {
    let (pool_id, logins) = input.read()?;
    let identity_id = app.pools.get_id(&pool_id, &logins).await.map_err(ApiError::pool)?;
    Ok(json!({"IdentityId": identity_id}).to_string())
}

async fn get_open_id_token(
    app: &App,
    id: &RequestId,
    input: shapes::GetForIdentity,
) -> Result<String, ApiError> {
    let (identity_id, logins, _) = input.read()?;
    let token = app.pools.open_id_token(&identity_id, &logins, id).await.map_err(ApiError::pool)?;
    Ok(open_id_token(&token))
}

async fn developer_token(
    app: &App,
    id: &RequestId,
    input: shapes::GetOpenIdTokenForDeveloperIdentity,
) -> Result<String, ApiError> {
    let token =
        app.pools.open_id_token_for_developer_identity(input.read()?, id).await.map_err(ApiError::pool)?;
    Ok(open_id_token(&token))
}

async fn get_credentials_for_identity(
    app: &App,
    id: &RequestId,
    input: shapes::GetForIdentity,
) -> Result<String, ApiError> {
    let (identity_id, logins, custom_role_arn) = input.read()?;
    let credentials =
        app.pools.credentials_for_identity(&identity_id, &logins, custom_role_arn.as_deref(), id).await;
    let credentials = credentials.map_err(ApiError::pool)?;
    let shown = json!({
        "AccessKeyId": credentials.access_key_id,
        "SecretKey": credentials.secret_access_key.expose(),
        "SessionToken": credentials.session_token.expose(),
        "Expiration": credentials.expiration.as_second(),
    });
    Ok(json!({"IdentityId": identity_id, "Credentials": shown}).to_string())
}

async fn describe_identity(app: &App, input: shapes::IdentityOnly) -> Result<String, ApiError> {
    let described = app.pools.describe_identity(&input.read()?).await.map_err(ApiError::pool)?;
    Ok(identity(&described).to_string())
}

async fn lookup_developer_identity(
    app: &App,
    input: shapes::LookupDeveloperIdentity,
) -> Result<String, ApiError> {
    let found = app.pools.lookup_developer_identity(input.read()?).await.map_err(ApiError::pool)?;
    let users = found.developer_user_identifiers;
    Ok(json_text([
        ("IdentityId", Some(json!(found.identity_id))),
        ("DeveloperUserIdentifierList", Some(json!(users.items))),
        ("NextToken", users.next_token.map(Value::from)),
    ]))
}

async fn list_identities(app: &App, input: shapes::ListIdentities) -> Result<String, ApiError> {
    let shapes::IdentityListing { pool_id, hide_disabled, limit, next_token } = input.read()?;
    let listed = app.pools.list_identities(&pool_id, hide_disabled, limit, next_token.as_deref()).await;
    let listed = listed.map_err(ApiError::pool)?;
    Ok(json_text([
        ("IdentityPoolId", Some(json!(pool_id))),
        ("Identities", Some(listed.items.iter().map(identity).collect())),
        ("NextToken", listed.next_token.map(Value::from)),
    ]))
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
