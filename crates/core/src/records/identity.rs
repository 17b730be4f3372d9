//! Identity pools and the identities in them, as they are kept and described.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};

/// An identity pool: its settings (API shape `IdentityPool`), its roles, and its principal tag maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPool {
    /// `REGION:GUID`.
    pub id: IdentityPoolId,
    /// Counts the changes, so that a change made on top of a stale reading is noticed.
    pub version: u32,
    /// The pool's settings, all of them replaced at once by an update.
    pub settings: PoolSettings,
    /// The roles that the pool's identities may take on.
    pub roles: PoolRoles,
    /// Provider → how claims of its tokens become principal tags.
    pub tag_maps: BTreeMap<String, PrincipalTagMap>,
}

impl IdentityPool {
    /// A pool that was never changed.
    #[must_use]
    pub fn new(id: IdentityPoolId, settings: PoolSettings, roles: PoolRoles) -> Self {
        Self { id, version: 1, settings, roles, tag_maps: BTreeMap::new() }
    }
}

/// What whoever creates a pool decides about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolSettings {
    /// Need not be unique.
    pub name: String,
    /// Whether guests, people without a login, get identities.
    pub allow_unauthenticated_identities: bool,
    /// Whether `GetOpenIdToken` answers. Unset behaves like `true`.
    pub allow_classic_flow: Option<bool>,
    /// The key under which developer user identifiers stand in `Logins`.
    pub developer_provider_name: Option<String>,
    /// Login provider → app ID.
    pub supported_login_providers: BTreeMap<String, String>,
    /// IAM OIDC providers.
    pub open_id_connect_provider_arns: Vec<String>,
    /// Cognito user pools.
    pub cognito_identity_providers: Vec<CognitoIdentityProvider>,
    /// IAM SAML providers.
    pub saml_provider_arns: Vec<String>,
    /// The pool's own tags.
    pub tags: BTreeMap<String, String>,
}

/// A Cognito user pool client whose ID tokens a pool accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CognitoIdentityProvider {
    /// `cognito-idp.<region>.amazonaws.com/<userPoolId>`.
    pub provider_name: Option<String>,
    /// The app client.
    pub client_id: Option<String>,
    /// Whether the user pool is asked about every token.
    pub server_side_token_check: Option<bool>,
}

/// The roles of a pool, written as a whole by `SetIdentityPoolRoles`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolRoles {
    /// The ARN of the role for people who logged in.
    pub authenticated: Option<String>,
    /// The ARN of the role for guests.
    pub unauthenticated: Option<String>,
    /// Provider → how its people get other roles than [`authenticated`](Self::authenticated).
    pub mappings: BTreeMap<String, RoleMapping>,
}

impl PoolRoles {
    /// Whether a role is one of these, be it by a rule.
    #[must_use]
    pub fn names(&self, role_arn: &str) -> bool {
        let default = self.authenticated.iter().chain(&self.unauthenticated).map(String::as_str);
        default.chain(self.named_by_rules()).any(|named| named == role_arn)
    }

    /// The ARNs of the roles that the rules of its mappings give.
    pub fn named_by_rules(&self) -> impl Iterator<Item = &str> {
        let rules = self.mappings.values().filter_map(|mapping| mapping.rules_configuration.as_ref());
        rules.flat_map(|configuration| &configuration.rules).map(|rule| &*rule.role_arn)
    }
}

/// How the role of a provider's people is chosen (API shape `RoleMapping`, in its own spelling).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleMapping {
    /// What decides.
    pub r#type: RoleMappingType,
    /// What happens where that does not decide.
    pub ambiguous_role_resolution: AmbiguousRoleResolution,
    /// The rules, where they decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_configuration: Option<RulesConfiguration>,
}

/// What chooses a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleMappingType {
    /// The claims `cognito:roles` and `cognito:preferred_role` of the provider's token.
    Token,
    /// The first rule that matches.
    Rules,
}

/// What happens to people for whom a mapping names no single role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AmbiguousRoleResolution {
    /// They get the pool's default role.
    AuthenticatedRole,
    /// They get none.
    Deny,
}

/// The rules of a mapping, in the order in which they are tried (API shape `RulesConfigurationType`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RulesConfiguration {
    /// At least one.
    pub rules: Vec<MappingRule>,
}

/// A rule: who has a certain value in a claim gets a role (API shape `MappingRule`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingRule {
    /// The claim of the provider's token.
    #[serde(rename = "Claim")]
    pub claim: String,
    /// How the claim is compared.
    #[serde(rename = "MatchType")]
    pub match_type: MatchType,
    /// What it is compared with. Nothing in it is a wildcard.
    #[serde(rename = "Value")]
    pub value: String,
    /// The role.
    #[serde(rename = "RoleARN")]
    pub role_arn: String,
}

/// How a claim is compared with the value of a rule. Case counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MatchType {
    /// The same text.
    Equals,
    /// The value stands somewhere in the claim.
    Contains,
    /// The claim begins with the value.
    StartsWith,
    /// Another text. A claim that is not there is not another text.
    NotEqual,
}

/// How claims of a provider's tokens become principal tags (API operation `SetPrincipalTagAttributeMap`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalTagMap {
    /// Whether the provider's default mapping is used in place of `tags`.
    pub use_defaults: bool,
    /// Tag key → claim.
    pub tags: BTreeMap<String, String>,
}

/// One identity of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `REGION:GUID`.
    pub id: IdentityId,
    /// The pool it belongs to.
    pub pool_id: IdentityPoolId,
    /// Whether a login is linked to it. A guest has none.
    pub authenticated: bool,
    /// Whether it lost a merge; a disabled identity can do nothing any more.
    pub disabled: bool,
    /// When it was created, to the millisecond.
    pub created_at: Timestamp,
    /// When a login was last linked or unlinked, to the millisecond.
    pub modified_at: Timestamp,
}

/// A login as it is linked to an identity: who vouches, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login {
    /// Who vouches.
    pub provider: LoginProvider,
    /// The user, as the provider calls them: never empty.
    pub user: String,
}

/// Who vouches for a login. The two kinds never meet, whatever a pool calls its developer provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoginProvider {
    /// The developer's own backend. A pool has only one, and an identity may have many logins of it.
    Developer,
    /// A public provider, by its key in `Logins`, which is never empty. An identity has at most one login of each.
    Public(String),
}

impl Login {
    /// A developer user identifier.
    #[must_use]
    pub fn developer(identifier: impl Into<String>) -> Self {
        Self { provider: LoginProvider::Developer, user: identifier.into() }
    }

    /// The developer user identifier, if this is one.
    #[must_use]
    pub fn developer_user_identifier(&self) -> Option<&str> {
        (self.provider == LoginProvider::Developer).then_some(self.user.as_str())
    }
}
