//! The sample of what strangers were refused.

use async_trait::async_trait;
use daypass_core::ground::ids::{AccessKeyId, ActorId, IdentityId};
use daypass_core::records::audit_event::{AuditEvent, AuditSubject};
use daypass_core::store::{MAX_UNPROVED_REFUSALS, StoreError, UnprovedRefusals};
use rusqlite::{Connection, Result, Row, named_params};

use super::SqliteStore;
use super::value::{Instant, Text, integer};

#[async_trait]
impl UnprovedRefusals for SqliteStore {
    async fn add_unproved_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let events = events.to_vec();
        self.writer.write(move |connection| add(connection, &events)).await
    }

    async fn list_unproved_refusals(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        self.readers.read(|connection| list(connection, about, limit))
    }
}

/// One statement for each column, because it cannot be a parameter.
macro_rules! list_where {
    ($column:literal) => {
        concat!("SELECT * FROM unproved_refusal WHERE ", $column, " = :subject ORDER BY id DESC LIMIT :limit")
    };
}

/// Numbers grow by one: whatever is so far below the last has lost its place.
fn add(connection: &Connection, events: &[AuditEvent]) -> Result<()> {
    for event in events {
        insert(connection, event)?;
    }
    connection
        .prepare_cached(
            "DELETE FROM unproved_refusal WHERE id <= (SELECT max(id) FROM unproved_refusal) - :max",
        )?
        .execute(named_params! { ":max": integer(MAX_UNPROVED_REFUSALS) })
        .map(drop)
}

pub(super) fn insert(connection: &Connection, event: &AuditEvent) -> Result<()> {
    let sql = "INSERT INTO unproved_refusal (time, request_id, action, outcome, reason, detail, provider,
             developer_user_identifier, actor, login, identity_id, access_key_id, resource, source_ip, user_agent)
         VALUES (:time, :request_id, :action, :outcome, :reason, :detail, :provider,
             :developer_user_identifier, :actor, :login, :identity_id, :access_key_id, :resource, :source_ip, :user_agent)";
    connection
        .prepare_cached(sql)?
        .execute(named_params! {
            ":time": Instant(event.time),
            ":request_id": event.request_id.as_str(),
            ":action": Text(event.action),
            ":outcome": Text(event.outcome),
            ":reason": event.reason,
            ":detail": event.detail,
            ":provider": event.provider,
            ":developer_user_identifier": event.developer_user_identifier,
            ":actor": event.actor.as_ref().map(ActorId::as_str),
            ":login": event.login,
            ":identity_id": event.identity_id.as_ref().map(IdentityId::as_str),
            ":access_key_id": event.access_key_id.as_ref().map(AccessKeyId::as_str),
            ":resource": event.resource,
            ":source_ip": event.source_ip.map(|address| address.to_string()),
            ":user_agent": event.user_agent,
        })
        .map(drop)
}

fn list(connection: &Connection, about: &AuditSubject, limit: usize) -> Result<Vec<AuditEvent>> {
    let (sql, subject) = match about {
        AuditSubject::Identity(id) => (list_where!("identity_id"), id.as_str()),
        AuditSubject::AccessKey(id) => (list_where!("access_key_id"), id.as_str()),
        AuditSubject::DeveloperUser(user) => (list_where!("developer_user_identifier"), user.as_str()),
        AuditSubject::Request(id) => (list_where!("request_id"), id.as_str()),
    };
    connection
        .prepare_cached(sql)?
        .query_map(named_params! { ":subject": subject, ":limit": integer(limit) }, event)?
        .collect()
}

/// An event, as a row has it.
pub(super) fn event(row: &Row<'_>) -> Result<AuditEvent> {
    Ok(AuditEvent {
        time: row.get::<_, Instant>("time")?.0,
        request_id: row.get::<_, Text<_>>("request_id")?.0,
        action: row.get::<_, Text<_>>("action")?.0,
        outcome: row.get::<_, Text<_>>("outcome")?.0,
        reason: row.get("reason")?,
        detail: row.get("detail")?,
        provider: row.get("provider")?,
        developer_user_identifier: row.get("developer_user_identifier")?,
        actor: row.get::<_, Option<Text<_>>>("actor")?.map(|Text(id)| id),
        login: row.get("login")?,
        identity_id: row.get::<_, Option<Text<_>>>("identity_id")?.map(|Text(id)| id),
        access_key_id: row.get::<_, Option<Text<_>>>("access_key_id")?.map(|Text(id)| id),
        resource: row.get("resource")?,
        source_ip: row.get::<_, Option<Text<_>>>("source_ip")?.map(|Text(address)| address),
        user_agent: row.get("user_agent")?,
    })
}
