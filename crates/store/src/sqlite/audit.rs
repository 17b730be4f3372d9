//! The audit trail: one row for each decision, found again by the four things people ask about.

use daypass_core::audit::{AuditEvent, AuditSubject};
use daypass_core::ids::{AccessKeyId, IdentityId};
use rusqlite::{Connection, Result, Row, named_params};

use super::value::{Instant, Text, integer};

/// One statement for each column, because a column cannot be a parameter.
macro_rules! list_where {
    ($column:literal) => {
        concat!(
            "SELECT * FROM audit_event WHERE ",
            $column,
            " = :subject ORDER BY time DESC, id DESC LIMIT :limit"
        )
    };
}

pub(super) fn add(connection: &Connection, event: &AuditEvent) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO audit_event (time, request_id, action, outcome, reason, provider,
                 developer_user_identifier, login, identity_id, access_key_id, resource)
             VALUES (:time, :request_id, :action, :outcome, :reason, :provider,
                 :developer_user_identifier, :login, :identity_id, :access_key_id, :resource)",
        )?
        .execute(named_params! {
            ":time": Instant(event.time),
            ":request_id": event.request_id.as_str(),
            ":action": Text(event.action),
            ":outcome": Text(event.outcome),
            ":reason": event.reason,
            ":provider": event.provider,
            ":developer_user_identifier": event.developer_user_identifier,
            ":login": event.login,
            ":identity_id": event.identity_id.as_ref().map(IdentityId::as_str),
            ":access_key_id": event.access_key_id.as_ref().map(AccessKeyId::as_str),
            ":resource": event.resource,
        })
        .map(drop)
}

pub(super) fn list(connection: &Connection, about: &AuditSubject, limit: usize) -> Result<Vec<AuditEvent>> {
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

fn event(row: &Row<'_>) -> Result<AuditEvent> {
    Ok(AuditEvent {
        time: row.get::<_, Instant>("time")?.0,
        request_id: row.get::<_, Text<_>>("request_id")?.0,
        action: row.get::<_, Text<_>>("action")?.0,
        outcome: row.get::<_, Text<_>>("outcome")?.0,
        reason: row.get("reason")?,
        provider: row.get("provider")?,
        developer_user_identifier: row.get("developer_user_identifier")?,
        login: row.get("login")?,
        identity_id: row.get::<_, Option<Text<_>>>("identity_id")?.map(|Text(id)| id),
        access_key_id: row.get::<_, Option<Text<_>>>("access_key_id")?.map(|Text(id)| id),
        resource: row.get("resource")?,
    })
}
