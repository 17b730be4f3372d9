//! Device authorizations.

use async_trait::async_trait;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::secret::Secret;
use daypass_core::records::device_authorization::{Decision, DeviceAuthorization};
use daypass_core::store::{DeviceAuthorizations, StoreError};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::SqliteStore;
use super::value::{Instant, Text};

/// As many that may be forgotten as one new one takes along.
const FORGOTTEN_AT_ONCE: u32 = 16;

const ALLOWED: &str = "allowed";
const DENIED: &str = "denied";

#[async_trait]
impl DeviceAuthorizations for SqliteStore {
    async fn add_device_authorization(
        &self,
        authorization: &DeviceAuthorization,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let authorization = authorization.clone();
        self.writer.write(move |connection| add(connection, &authorization, now)).await
    }

    async fn find_device_authorization(&self, id: &str) -> Result<Option<DeviceAuthorization>, StoreError> {
        self.readers.read(|connection| find(connection, id))
    }

    async fn replace_device_authorization(
        &self,
        from: &DeviceAuthorization,
        to: &DeviceAuthorization,
    ) -> Result<bool, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.writer.write(move |connection| replace(connection, &from, &to)).await
    }
}

pub(super) fn add(
    connection: &Connection,
    authorization: &DeviceAuthorization,
    now: Timestamp,
) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM device_authorization WHERE id IN
                 (SELECT id FROM device_authorization WHERE forgotten_at <= :now ORDER BY forgotten_at LIMIT :limit)",
        )?
        .execute(named_params! { ":now": Instant(now), ":limit": FORGOTTEN_AT_ONCE })?;
    let (decision, login_code) = columns(authorization.decision.as_ref());
    connection
        .prepare_cached(
            "INSERT INTO device_authorization (id, device_code_hash, app, scope, device, source_ip, created_at, ends_at,
                 interval, polled_at, decision, login_code, forgotten_at)
             VALUES (:id, :device_code_hash, :app, :scope, :device, :source_ip, :created_at, :ends_at,
                 :interval, :polled_at, :decision, :login_code, :forgotten_at)",
        )?
        .execute(named_params! {
            ":id": authorization.id,
            ":device_code_hash": authorization.device_code_hash,
            ":app": authorization.app,
            ":scope": Text(authorization.scope),
            ":device": authorization.device,
            ":source_ip": authorization.source_ip.map(Text),
            ":created_at": Instant(authorization.created_at),
            ":ends_at": Instant(authorization.ends_at),
            ":interval": authorization.interval,
            ":polled_at": authorization.polled_at.map(Instant),
            ":decision": decision,
            ":login_code": login_code,
            ":forgotten_at": Instant(authorization.forgotten_at()),
        })
        .map(drop)
}

fn find(connection: &Connection, id: &str) -> Result<Option<DeviceAuthorization>> {
    connection
        .prepare_cached("SELECT * FROM device_authorization WHERE id = ?1")?
        .query_one([id], device_authorization)
        .optional()
}

/// The guards are those of [`DeviceAuthorization::is_still`]. Nothing else of it ever changes.
fn replace(connection: &Connection, from: &DeviceAuthorization, to: &DeviceAuthorization) -> Result<bool> {
    let (decision, login_code) = columns(to.decision.as_ref());
    let (seen_decision, seen_login_code) = columns(from.decision.as_ref());
    connection
        .prepare_cached(
            "UPDATE device_authorization
             SET interval = :interval, polled_at = :polled_at, decision = :decision, login_code = :login_code
             WHERE id = :id AND interval = :seen_interval AND polled_at IS :seen_polled_at
                 AND decision IS :seen_decision AND login_code IS :seen_login_code",
        )?
        .execute(named_params! {
            ":id": from.id,
            ":interval": to.interval,
            ":polled_at": to.polled_at.map(Instant),
            ":decision": decision,
            ":login_code": login_code,
            ":seen_interval": from.interval,
            ":seen_polled_at": from.polled_at.map(Instant),
            ":seen_decision": seen_decision,
            ":seen_login_code": seen_login_code,
        })
        .map(|changed| changed == 1)
}

fn columns(decision: Option<&Decision>) -> (Option<&'static str>, Option<&str>) {
    match decision {
        None => (None, None),
        Some(Decision::Denied) => (Some(DENIED), None),
        Some(Decision::Allowed(login_code)) => (Some(ALLOWED), Some(login_code.expose())),
    }
}

/// Reads a row of all columns.
pub(super) fn device_authorization(row: &Row<'_>) -> Result<DeviceAuthorization> {
    Ok(DeviceAuthorization {
        id: row.get("id")?,
        device_code_hash: row.get("device_code_hash")?,
        app: row.get("app")?,
        scope: row.get::<_, Text<_>>("scope")?.0,
        device: row.get("device")?,
        source_ip: row.get::<_, Option<Text<_>>>("source_ip")?.map(|address| address.0),
        created_at: row.get::<_, Instant>("created_at")?.0,
        ends_at: row.get::<_, Instant>("ends_at")?.0,
        interval: row.get("interval")?,
        polled_at: row.get::<_, Option<Instant>>("polled_at")?.map(|polled_at| polled_at.0),
        decision: decision(row)?,
    })
}

fn decision(row: &Row<'_>) -> Result<Option<Decision>> {
    let decision: Option<String> = row.get("decision")?;
    match decision.as_deref() {
        None => Ok(None),
        Some(ALLOWED) => Ok(Some(Decision::Allowed(Secret::new(row.get::<_, String>("login_code")?)))),
        Some(DENIED) => Ok(Some(Decision::Denied)),
        Some(_) => Err(FromSqlError::InvalidType.into()),
    }
}
