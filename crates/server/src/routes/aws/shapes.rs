//! What the operations of the identity pool API take, member by member. By the time a request becomes one of
//! these, `validation.rs` has held it against `model.rs`: what is required is there, and every text has its
//! form. Unknown members are ignored and `null` is absent, as on AWS
//! (docs/reference/cognito-identity.md, 1.1).

use std::collections::BTreeMap;

use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::ground::secret::Secret;
use daypass_core::pool::issue::DeveloperTokenRequest;
use daypass_core::pool::token_terms::{DEFAULT_TOKEN_DURATION, TokenTerms};
use daypass_core::pool::{DeveloperLookup, DeveloperMerge, DeveloperUnlink, Invalid, Logins, TagMapChange};
use daypass_core::records::identity::{
    AmbiguousRoleResolution, CognitoIdentityProvider, PoolRoles, PoolSettings, PrincipalTagMap, RoleMapping,
    RoleMappingType, RulesConfiguration,
};
use serde::Deserialize;

use crate::error::ApiError;

/// The largest page, and that of LookupDeveloperIdentity unless the caller says otherwise.
const MAX_RESULTS: usize = 60;

type Texts = BTreeMap<String, String>;

fn secrets(logins: Option<Texts>) -> Logins {
    logins.unwrap_or_default().into_iter().map(|(provider, token)| (provider, Secret::new(token))).collect()
}

/// CreateIdentityPool, and what UpdateIdentityPool takes beside the ID.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pool {
    identity_pool_name: String,
    allow_unauthenticated_identities: bool,
    allow_classic_flow: Option<bool>,
    supported_login_providers: Option<Texts>,
    developer_provider_name: Option<String>,
    #[serde(rename = "OpenIdConnectProviderARNs")]
    open_id_connect_provider_arns: Option<Vec<String>>,
    cognito_identity_providers: Option<Vec<UserPoolClient>>,
    #[serde(rename = "SamlProviderARNs")]
    saml_provider_arns: Option<Vec<String>>,
    pub identity_pool_tags: Option<Texts>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserPoolClient {
    provider_name: Option<String>,
    client_id: Option<String>,
    server_side_token_check: Option<bool>,
}

impl From<Pool> for PoolSettings {
    fn from(pool: Pool) -> Self {
        let clients = pool.cognito_identity_providers.into_iter().flatten();
        Self {
            name: pool.identity_pool_name,
            allow_unauthenticated_identities: pool.allow_unauthenticated_identities,
            allow_classic_flow: pool.allow_classic_flow,
            developer_provider_name: pool.developer_provider_name,
            supported_login_providers: pool.supported_login_providers.unwrap_or_default(),
            open_id_connect_provider_arns: pool.open_id_connect_provider_arns.unwrap_or_default(),
            cognito_identity_providers: clients.map(Into::into).collect(),
            saml_provider_arns: pool.saml_provider_arns.unwrap_or_default(),
            tags: pool.identity_pool_tags.unwrap_or_default(),
        }
    }
}

impl From<UserPoolClient> for CognitoIdentityProvider {
    fn from(client: UserPoolClient) -> Self {
        Self {
            provider_name: client.provider_name,
            client_id: client.client_id,
            server_side_token_check: client.server_side_token_check,
        }
    }
}

/// UpdateIdentityPool.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateIdentityPool {
    pub identity_pool_id: IdentityPoolId,
    #[serde(flatten)]
    pub pool: Pool,
}

/// The operations that take a pool and nothing else.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PoolOnly {
    pub identity_pool_id: IdentityPoolId,
}

/// ListIdentityPools.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListIdentityPools {
    pub max_results: usize,
    pub next_token: Option<String>,
}

/// SetIdentityPoolRoles.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetIdentityPoolRoles {
    pub identity_pool_id: IdentityPoolId,
    roles: Texts,
    role_mappings: Option<BTreeMap<String, Mapping>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mapping {
    r#type: RoleMappingType,
    ambiguous_role_resolution: Option<AmbiguousRoleResolution>,
    rules_configuration: Option<RulesConfiguration>,
}

impl SetIdentityPoolRoles {
    /// What to do with people for whom a mapping names no role is optional in the shape, and required by its
    /// documentation for either type (docs/reference/cognito-identity.md, 4.10).
    pub fn roles(mut self) -> Result<PoolRoles, ApiError> {
        let mappings = self.role_mappings.into_iter().flatten();
        Ok(PoolRoles {
            authenticated: self.roles.remove("authenticated"),
            unauthenticated: self.roles.remove("unauthenticated"),
            mappings: mappings
                .map(|(provider, mapping)| Ok((provider, mapping.try_into()?)))
                .collect::<Result<_, ApiError>>()?,
        })
    }
}

impl TryFrom<Mapping> for RoleMapping {
    type Error = ApiError;

    fn try_from(mapping: Mapping) -> Result<Self, ApiError> {
        let missing = || {
            let text = "A role mapping needs AmbiguousRoleResolution: AuthenticatedRole or Deny.";
            ApiError::pool(Invalid::Value(text.into()).into())
        };
        Ok(Self {
            r#type: mapping.r#type,
            ambiguous_role_resolution: mapping.ambiguous_role_resolution.ok_or_else(missing)?,
            rules_configuration: mapping.rules_configuration,
        })
    }
}

/// SetPrincipalTagAttributeMap.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetPrincipalTagAttributeMap {
    identity_pool_id: IdentityPoolId,
    identity_provider_name: String,
    use_defaults: Option<bool>,
    principal_tags: Option<Texts>,
}

impl From<SetPrincipalTagAttributeMap> for TagMapChange {
    fn from(input: SetPrincipalTagAttributeMap) -> Self {
        let map = PrincipalTagMap {
            use_defaults: input.use_defaults.unwrap_or_default(),
            tags: input.principal_tags.unwrap_or_default(),
        };
        Self { pool_id: input.identity_pool_id, provider: input.identity_provider_name, map }
    }
}

/// GetPrincipalTagAttributeMap.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetPrincipalTagAttributeMap {
    pub identity_pool_id: IdentityPoolId,
    pub identity_provider_name: String,
}

/// TagResource.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagResource {
    pub resource_arn: String,
    pub tags: Texts,
}

/// UntagResource.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UntagResource {
    pub resource_arn: String,
    pub tag_keys: Vec<String>,
}

/// ListTagsForResource.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForResource {
    pub resource_arn: String,
}

/// GetId. Its AccountId is a leftover, and ignored.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetId {
    pub identity_pool_id: IdentityPoolId,
    logins: Option<Texts>,
}

impl GetId {
    pub fn logins(&mut self) -> Logins {
        secrets(self.logins.take())
    }
}

/// GetOpenIdToken and GetCredentialsForIdentity; the former has no role.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetForIdentity {
    pub identity_id: IdentityId,
    logins: Option<Texts>,
    pub custom_role_arn: Option<String>,
}

impl GetForIdentity {
    pub fn logins(&mut self) -> Logins {
        secrets(self.logins.take())
    }
}

/// GetOpenIdTokenForDeveloperIdentity.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetOpenIdTokenForDeveloperIdentity {
    identity_pool_id: IdentityPoolId,
    identity_id: Option<IdentityId>,
    logins: Texts,
    principal_tags: Option<Texts>,
    token_duration: Option<i64>,
}

impl GetOpenIdTokenForDeveloperIdentity {
    /// Whom it is for. Where a login of another provider stands beside, it is that one's token.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.logins.values().map(String::as_str)
    }
}

impl From<GetOpenIdTokenForDeveloperIdentity> for DeveloperTokenRequest {
    fn from(input: GetOpenIdTokenForDeveloperIdentity) -> Self {
        let duration = input.token_duration.map_or(DEFAULT_TOKEN_DURATION, SignedDuration::from_secs);
        Self {
            pool_id: input.identity_pool_id,
            identity_id: input.identity_id,
            logins: secrets(Some(input.logins)),
            terms: TokenTerms {
                duration,
                principal_tags: input.principal_tags.unwrap_or_default(),
                ..TokenTerms::default()
            },
        }
    }
}

/// UnlinkIdentity.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnlinkIdentity {
    pub identity_id: IdentityId,
    logins: Option<Texts>,
    pub logins_to_remove: Vec<String>,
}

impl UnlinkIdentity {
    pub fn logins(&mut self) -> Logins {
        secrets(self.logins.take())
    }
}

/// DescribeIdentity.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IdentityOnly {
    pub identity_id: IdentityId,
}

/// DeleteIdentities.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteIdentities {
    pub identity_ids_to_delete: Vec<IdentityId>,
}

/// LookupDeveloperIdentity.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupDeveloperIdentity {
    identity_pool_id: IdentityPoolId,
    identity_id: Option<IdentityId>,
    developer_user_identifier: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

impl From<LookupDeveloperIdentity> for DeveloperLookup {
    fn from(input: LookupDeveloperIdentity) -> Self {
        Self {
            pool_id: input.identity_pool_id,
            identity_id: input.identity_id,
            developer_user_identifier: input.developer_user_identifier,
            max_results: input.max_results.unwrap_or(MAX_RESULTS),
            next_token: input.next_token,
        }
    }
}

/// MergeDeveloperIdentities.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MergeDeveloperIdentities {
    source_user_identifier: String,
    destination_user_identifier: String,
    developer_provider_name: String,
    identity_pool_id: IdentityPoolId,
}

impl From<MergeDeveloperIdentities> for DeveloperMerge {
    fn from(input: MergeDeveloperIdentities) -> Self {
        Self {
            pool_id: input.identity_pool_id,
            developer_provider: input.developer_provider_name,
            source: input.source_user_identifier,
            destination: input.destination_user_identifier,
        }
    }
}

/// UnlinkDeveloperIdentity.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnlinkDeveloperIdentity {
    identity_id: IdentityId,
    identity_pool_id: IdentityPoolId,
    developer_provider_name: String,
    developer_user_identifier: String,
}

impl From<UnlinkDeveloperIdentity> for DeveloperUnlink {
    fn from(input: UnlinkDeveloperIdentity) -> Self {
        Self {
            pool_id: input.identity_pool_id,
            developer_provider: input.developer_provider_name,
            identity_id: input.identity_id,
            user: input.developer_user_identifier,
        }
    }
}

/// ListIdentities.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListIdentities {
    pub identity_pool_id: IdentityPoolId,
    pub max_results: usize,
    pub next_token: Option<String>,
    pub hide_disabled: Option<bool>,
}
