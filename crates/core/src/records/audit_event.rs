//! One decision, as it is kept and written: who asked for what, and how it fell. Events name people by identity and
//! developer user identifier and never hold a token, a code or a secret.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::ground::clock::Timestamp;
use crate::ground::ids::{AccessKeyId, ActorId, IdentityId, RequestId};

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
    /// Why it was refused, or what was special about the grant: a short, stable code. Events of before version 10 of
    /// the store have a phrase here, and no detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in words, which may name people and may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The provider that vouched, by its ID in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The person, as the developer's backend calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub developer_user_identifier: Option<String>,
    /// Whoever acted for the person (RFC 8693 section 1.1), as the configuration calls them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorId>,
    /// The public logins that were shown, as they stand in `amr`, with commas between them. A comma within one, or a
    /// backslash, has a backslash before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The identity that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<IdentityId>,
    /// The credentials that were issued or with which the request was signed, or the developer access key that
    /// was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<AccessKeyId>,
    /// The role taken on, the S3 resource asked for, the pool changed, the developer whose key was, or the file that the
    /// store was copied to or from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Where the request came from, as far as it is certain and callers are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddr>,
    /// What the program that asked calls itself: anybody can call themselves anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

#[cfg(any(test, feature = "testing"))]
impl AuditEvent {
    /// An event that says nothing that it need not.
    #[must_use]
    pub fn plain(time: Timestamp, request_id: RequestId, action: AuditAction, outcome: AuditOutcome) -> Self {
        Self {
            time,
            request_id,
            action,
            outcome,
            reason: None,
            detail: None,
            provider: None,
            developer_user_identifier: None,
            actor: None,
            login: None,
            identity_id: None,
            access_key_id: None,
            resource: None,
            source_ip: None,
            user_agent: None,
        }
    }
}

/// The kinds of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// Somebody came back from a provider to the hosted login.
    SignIn,
    /// Somebody decided whether an app on a device may sign them in, or typed a code that no device shows.
    Device,
    /// A login was exchanged for an identity (`POST /v1/exchange`, `POST /oauth2/token`).
    Exchange,
    /// A session of somebody who signed in was gone on with, by its refresh token.
    Refresh,
    /// A session of somebody who signed in ended, or all of an identity's.
    SignOut,
    /// An OpenID token was issued.
    Token,
    /// Credentials were issued in the enhanced flow (`GetCredentialsForIdentity`).
    Credentials,
    /// Credentials were issued by `AssumeRoleWithWebIdentity`.
    Assume,
    /// A second login was linked to the person of a first one.
    Link,
    /// Logins were linked to an identity or taken from it, or identities were merged.
    Logins,
    /// An identity was deleted.
    Delete,
    /// A pool was made, changed or deleted.
    Pool,
    /// A role of development was made, changed or deleted.
    Role,
    /// A signed call of the AWS API was decided; only refusals by policy are kept.
    ApiRequest,
    /// A request to S3 was decided; only refusals are kept.
    S3Request,
    /// Sessions were revoked by an operator.
    Revoke,
    /// An operator made a developer and their first access key.
    CreateKey,
    /// An operator added an access key for a developer who had one.
    RotateKey,
    /// An operator disabled an access key.
    DisableKey,
    /// An operator enabled an access key again.
    EnableKey,
    /// An operator deleted an access key.
    DeleteKey,
    /// An operator published a key that is to sign tokens.
    RotateSigningKey,
    /// An operator began to have what is kept sealed anew, under another master key.
    RotateMasterKey,
    /// An operator took a copy of the whole store.
    Backup,
    /// An operator put a copy of the whole store in its place.
    Restore,
    /// An operator had another Region write the store.
    TakeOver,
}

impl AuditAction {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::SignIn,
        Self::Device,
        Self::Exchange,
        Self::Refresh,
        Self::SignOut,
        Self::Token,
        Self::Credentials,
        Self::Assume,
        Self::Link,
        Self::Logins,
        Self::Delete,
        Self::Pool,
        Self::Role,
        Self::ApiRequest,
        Self::S3Request,
        Self::Revoke,
        Self::CreateKey,
        Self::RotateKey,
        Self::DisableKey,
        Self::EnableKey,
        Self::DeleteKey,
        Self::RotateSigningKey,
        Self::RotateMasterKey,
        Self::Backup,
        Self::Restore,
        Self::TakeOver,
    ];

    /// The one with a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Its name, as events have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Device => "device",
            Self::Exchange => "exchange",
            Self::Refresh => "refresh",
            Self::SignOut => "sign_out",
            Self::Token => "token",
            Self::Credentials => "credentials",
            Self::Assume => "assume",
            Self::Link => "link",
            Self::Logins => "logins",
            Self::Delete => "delete",
            Self::Pool => "pool",
            Self::Role => "role",
            Self::ApiRequest => "api_request",
            Self::S3Request => "s3_request",
            Self::Revoke => "revoke",
            Self::CreateKey => "create_key",
            Self::RotateKey => "rotate_key",
            Self::DisableKey => "disable_key",
            Self::EnableKey => "enable_key",
            Self::DeleteKey => "delete_key",
            Self::RotateSigningKey => "rotate_signing_key",
            Self::RotateMasterKey => "rotate_master_key",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::TakeOver => "take_over",
        }
    }
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
    /// Everything about one developer user, in every Region.
    DeveloperUser(String),
    /// Everything that one request led to.
    Request(RequestId),
}

impl AuditSubject {
    /// Whether an event is about it.
    #[must_use]
    pub fn is_of(&self, event: &AuditEvent) -> bool {
        match self {
            Self::Identity(id) => event.identity_id.as_ref() == Some(id),
            Self::AccessKey(id) => event.access_key_id.as_ref() == Some(id),
            Self::DeveloperUser(user) => event.developer_user_identifier.as_ref() == Some(user),
            Self::Request(id) => event.request_id == *id,
        }
    }

    /// What an identity ID, an access key ID or a request ID stands for: each has a form that the others have not.
    #[must_use]
    pub fn of_id(text: &str) -> Option<Self> {
        let access_key = || AccessKeyId::parse(text).ok().map(Self::AccessKey);
        let request = || RequestId::parse(text).ok().map(Self::Request);
        let identity = || IdentityId::parse(text).ok().map(Self::Identity);
        access_key().or_else(request).or_else(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_by_its_form() {
        for (text, about) in [
            ("us-east-1:aa", AuditSubject::Identity(IdentityId::parse("us-east-1:aa").unwrap())),
            (
                "AKIAIOSFODNN7EXAMPLE",
                AuditSubject::AccessKey(AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap()),
            ),
            (
                "01234567-89ab-4def-8123-456789abcdef",
                AuditSubject::Request(RequestId::parse("01234567-89ab-4def-8123-456789abcdef").unwrap()),
            ),
        ] {
            assert_eq!(AuditSubject::of_id(text), Some(about));
        }
        for text in ["", "Ada", "snapchat:zoe", "us-east-1:", "akia"] {
            assert_eq!(AuditSubject::of_id(text), None, "{text}");
        }
    }

    #[test]
    fn every_action_has_the_name_that_it_is_written_with() {
        for action in AuditAction::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.name());
            let page = include_str!("../../../../docs/who-did-this.md");
            let rows = page.lines().filter_map(|line| line.split('|').nth(1));
            let named = rows.flat_map(|row| row.split('`')).any(|word| word == action.name());
            assert!(named, "docs/who-did-this.md has no row for {}", action.name());
        }
    }
}
