//! Who was let in, who was turned away, and why: one event for each decision. Events name people by
//! identity and developer user identifier and never hold a token, a code or a secret.

use std::fmt::Display;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::{Clock, Timestamp};
use crate::ids::{AccessKeyId, IdentityId, RequestId};
use crate::public_login::PublicLogin;
use crate::store::{SharedStore, StoreError};
use crate::token::Claims;

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
    /// The public logins that were shown, as they stand in `amr`, with commas between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The identity that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<IdentityId>,
    /// The credentials that were issued or with which the request was signed, or the developer access key that
    /// was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<AccessKeyId>,
    /// The role taken on, the S3 resource asked for, the pool changed, or the developer whose key was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// The kinds of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// Somebody came back from a provider to the hosted login.
    SignIn,
    /// A login was exchanged for an identity (`POST /v1/exchange`, `POST /oauth2/token`).
    Exchange,
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

/// Who asks for something, as the trail names them.
#[derive(Debug, Clone)]
pub struct Requester {
    /// The request.
    pub request_id: RequestId,
    /// The credentials that it was signed with, if it was.
    pub access_key_id: Option<AccessKeyId>,
}

impl Requester {
    /// Somebody who signed nothing.
    #[must_use]
    pub fn anonymous(request_id: &RequestId) -> Self {
        Self { request_id: request_id.clone(), access_key_id: None }
    }
}

/// A decision in the making: what is known about it so far.
#[derive(Debug, Clone)]
pub struct AuditDraft {
    request_id: RequestId,
    action: AuditAction,
    /// See [`AuditEvent::provider`].
    pub provider: Option<String>,
    /// See [`AuditEvent::developer_user_identifier`].
    pub developer_user_identifier: Option<String>,
    /// See [`AuditEvent::login`].
    pub login: Option<String>,
    /// See [`AuditEvent::identity_id`].
    pub identity_id: Option<IdentityId>,
    /// See [`AuditEvent::access_key_id`].
    pub access_key_id: Option<AccessKeyId>,
    /// See [`AuditEvent::resource`].
    pub resource: Option<String>,
}

impl AuditDraft {
    /// A decision that a request asks for.
    #[must_use]
    pub fn new(action: AuditAction, request_id: &RequestId) -> Self {
        Self {
            request_id: request_id.clone(),
            action,
            provider: None,
            developer_user_identifier: None,
            login: None,
            identity_id: None,
            access_key_id: None,
            resource: None,
        }
    }

    /// A decision that somebody asks for, perhaps with a signature.
    #[must_use]
    pub fn by(action: AuditAction, requester: &Requester) -> Self {
        let access_key_id = requester.access_key_id.clone();
        Self { access_key_id, ..Self::new(action, &requester.request_id) }
    }

    /// Notes whom a believed token is about.
    pub fn about(&mut self, claims: &Claims) {
        self.identity_id = Some(claims.identity_id.clone());
        self.developer_user_identifier = claims.developer_user_identifier().map(str::to_owned);
    }

    /// Notes the verified logins that somebody showed.
    pub fn login_of(&mut self, logins: &[PublicLogin]) {
        let entries: Vec<String> = logins.iter().map(PublicLogin::amr_entry).collect();
        self.login = (!entries.is_empty()).then(|| entries.join(", "));
    }

    fn conclude(self, time: Timestamp, outcome: AuditOutcome, reason: Option<String>) -> AuditEvent {
        AuditEvent {
            time,
            request_id: self.request_id,
            action: self.action,
            outcome,
            reason,
            provider: self.provider,
            developer_user_identifier: self.developer_user_identifier,
            login: self.login,
            identity_id: self.identity_id,
            access_key_id: self.access_key_id,
            resource: self.resource,
        }
    }
}

/// Where events go besides the store, one line of JSON each.
pub trait AuditLines: Send + Sync {
    /// Appends events, in their order.
    fn append(&self, events: &[AuditEvent]);
}

/// The audit trail. An event is in the store before the decision takes effect: what cannot be recorded is
/// not granted.
pub struct AuditTrail {
    store: SharedStore,
    lines: Arc<dyn AuditLines>,
    clock: Arc<dyn Clock>,
}

impl AuditTrail {
    /// A trail that ends in `store` and `lines`.
    #[must_use]
    pub fn new(store: SharedStore, lines: Arc<dyn AuditLines>, clock: Arc<dyn Clock>) -> Self {
        Self { store, lines, clock }
    }

    /// Records how a decision fell and passes its result on. An error's text is the reason, so it must not
    /// hold a secret.
    ///
    /// # Errors
    /// The result's own, or the store's if the event could not be kept.
    pub async fn conclude<T, E>(&self, draft: AuditDraft, result: Result<T, E>) -> Result<T, E>
    where
        E: Display + From<StoreError>,
    {
        match &result {
            Ok(_) => self.allowed(draft).await?,
            Err(error) => self.refused(draft, error.to_string()).await?,
        }
        result
    }

    /// Records a grant.
    ///
    /// # Errors
    /// The store's.
    pub async fn allowed(&self, draft: AuditDraft) -> Result<(), StoreError> {
        self.record(&[draft.conclude(self.clock.now(), AuditOutcome::Allowed, None)]).await
    }

    /// Records several grants that one request led to, all of them or none.
    ///
    /// # Errors
    /// The store's.
    pub async fn all_allowed(&self, drafts: impl IntoIterator<Item = AuditDraft>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let events = drafts.into_iter().map(|draft| draft.conclude(now, AuditOutcome::Allowed, None));
        self.record(&events.collect::<Vec<_>>()).await
    }

    /// Records something that happened because of a grant, and what was special about it.
    ///
    /// # Errors
    /// The store's.
    pub async fn noted(&self, draft: AuditDraft, what: String) -> Result<(), StoreError> {
        self.record(&[draft.conclude(self.clock.now(), AuditOutcome::Allowed, Some(what))]).await
    }

    /// Records a refusal.
    ///
    /// # Errors
    /// The store's.
    pub async fn refused(&self, draft: AuditDraft, reason: String) -> Result<(), StoreError> {
        self.record(&[draft.conclude(self.clock.now(), AuditOutcome::Refused, Some(reason))]).await
    }

    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.store.add_audit_events(events).await?;
        self.lines.append(events);
        Ok(())
    }
}
