//! Identity pools and the identities in them, as they are kept and described.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{IdentityId, IdentityPoolId};

/// An identity pool and its settings (API shape `IdentityPool`, minus the roles).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityPool {
    /// `REGION:GUID`.
    pub id: IdentityPoolId,
    /// The pool's settings, all of them replaced at once by an update.
    pub settings: PoolSettings,
    /// The roles that the pool's identities may take on.
    pub roles: PoolRoles,
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
    /// Provider name → mapping, as it came over the wire.
    pub mappings: BTreeMap<String, serde_json::Value>,
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
