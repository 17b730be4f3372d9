//! What a record says, in one form, whatever store it was read from: that of items, with instants to the millisecond.

use serde::Serialize;

use super::incarnation::Incarnation;
use super::records::{
    AccessKeyPart, DeviceRecord, ExportRecord, GrantRecord, IdentityRecord, Millis, PoolRecord,
    SessionRecord, SigningKeyPart,
};
use crate::ground::clock::Timestamp;
use crate::records::audit_event::AuditEvent;
use crate::store::whole::Kept;
use crate::store::{RevocationTarget, StoreError};

/// What a record says.
pub(crate) fn form(kept: &Kept) -> Result<Vec<u8>, StoreError> {
    match kept {
        Kept::Pool(pool) => json(&(&pool.id, PoolRecord::new(Incarnation::NONE, pool))),
        Kept::ConfiguredName { name, pool_id } => json(&(name, pool_id)),
        Kept::Identity(record) => json(&(
            &record.identity.id,
            IdentityRecord::new(Incarnation::NONE, &record.identity, &record.logins),
        )),
        Kept::AccessKey(key) => json(&(&key.name, &key.policy, AccessKeyPart::from(&**key))),
        Kept::SigningKey(key) => json(&SigningKeyPart::from(key)),
        Kept::MasterKey(key) => json(&(key.id.to_string(), Millis(key.since))),
        Kept::Revocation { target, not_before } => json(&(name_of(target), Millis::not_before(*not_before))),
        Kept::Session(session) => json(&(&session.id, SessionRecord::from(&**session))),
        Kept::DeviceAuthorization(authorization) => json(&DeviceRecord::from(&**authorization)),
        Kept::LoginGrant(grant) => json(&GrantRecord::from(grant)),
        Kept::UsedName { name, until } => json(&(name, Millis::not_before(*until))),
        Kept::ExportPosition { exporter, position } => json(&ExportRecord::new(exporter, position)),
        Kept::Refusal { place, event } => json(&(place, to_the_millisecond(event))),
    }
}

fn json(said: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(said).map_err(|error| StoreError::Corrupt(error.into()))
}

fn name_of(target: &RevocationTarget) -> (&'static str, &str) {
    match target {
        RevocationTarget::Identity(id) => ("identity", id.as_str()),
        RevocationTarget::Role(name) => ("role", name.as_str()),
        RevocationTarget::Everybody => ("everybody", ""),
    }
}

fn to_the_millisecond(event: &AuditEvent) -> AuditEvent {
    let time = Timestamp::from_millisecond(event.time.as_millisecond()).unwrap_or(event.time);
    AuditEvent { time, ..event.clone() }
}
