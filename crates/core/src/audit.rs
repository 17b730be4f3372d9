//! Who was let in, who was turned away, and why: one event for each decision. Events name people by
//! identity and developer user identifier and never hold a token, a code or a secret.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{AccessKeyId, IdentityId, RequestId};

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// When it was made.
    pub time: Timestamp,
    /// The request that asked for it.
    pub request_id: RequestId,
    /// What was asked.
    pub action: AuditAction,
    /// Whether it was granted.
    pub outcome: AuditOutcome,
    /// Why it was refused, or what was special about the grant: a short, stable phrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The provider that vouched, by its ID in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The person, as the developer's backend calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub developer_user_identifier: Option<String>,
    /// The identity that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<IdentityId>,
    /// The temporary credentials that were issued, or with which the request was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<AccessKeyId>,
    /// The role taken on, or the S3 resource asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// The kinds of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// A login was exchanged for an identity (`POST /v1/exchange`).
    Exchange,
    /// An OpenID token was issued.
    Token,
    /// Credentials were issued in the enhanced flow (`GetCredentialsForIdentity`).
    Credentials,
    /// Credentials were issued by `AssumeRoleWithWebIdentity`.
    Assume,
    /// A request to S3 was decided; only refusals are kept.
    S3Request,
    /// Sessions were revoked by an operator.
    Revoke,
}

/// How a decision fell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// Granted.
    Allowed,
    /// Refused.
    Refused,
}

/// What one can ask the audit trail about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditSubject {
    /// Everything about one identity.
    Identity(IdentityId),
    /// Everything about one set of credentials.
    AccessKey(AccessKeyId),
    /// Everything that one request led to.
    Request(RequestId),
}
