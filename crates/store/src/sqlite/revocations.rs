//! Up to which instant the sessions of an identity, of a role or of everybody are void, and what else they rest on.

use std::sync::Arc;

use async_trait::async_trait;
use daypass_core::ground::clock::{Clock, Timestamp};
use daypass_core::ground::ids::{IdentityId, RoleName, SignInSessionId};
use daypass_core::store::{RevocationTarget, Revocations, Standing, StoreError};
use rusqlite::{Connection, Result, named_params};

use super::snapshot::Snapshot;
use super::value::Instant;
use super::{SqliteStore, identities, logins, sign_in_sessions};

#[async_trait]
impl Revocations for SqliteStore {
    async fn revoke_sessions(
        &self,
        target: &RevocationTarget,
        clock: Arc<dyn Clock>,
    ) -> Result<Timestamp, StoreError> {
        let target = target.clone();
        self.writer.write(move |connection| revoke(connection, &target, &*clock)).await
    }

    async fn standing(
        &self,
        identity_id: &IdentityId,
        role: Option<&RoleName>,
        session: Option<&SignInSessionId>,
    ) -> Result<Standing, StoreError> {
        self.readers.read(|connection| standing(connection, identity_id, role, session))
    }
}

/// The clock is asked here, under the lock that keeps every other change out: whatever was committed before has
/// an earlier instant. Rounds up: cut to the millisecond, the instant would spare a session issued within that
/// millisecond.
pub(super) fn revoke(
    connection: &Connection,
    target: &RevocationTarget,
    clock: &dyn Clock,
) -> Result<Timestamp> {
    let now = clock.now();
    let (kind, name) = columns(target);
    connection
        .prepare_cached(
            "INSERT INTO session_revocation (kind, name, not_before) VALUES (:kind, :name, :not_before)
             ON CONFLICT (kind, name) DO UPDATE SET not_before = max(not_before, excluded.not_before)",
        )?
        .execute(named_params! { ":kind": kind, ":name": name, ":not_before": Instant::not_before(now) })?;
    Ok(now)
}

/// The columns `kind` and `name`.
pub(super) fn columns(target: &RevocationTarget) -> (&'static str, &str) {
    match target {
        RevocationTarget::Identity(id) => ("identity", id.as_str()),
        RevocationTarget::Role(name) => ("role", name.as_str()),
        RevocationTarget::Everybody => ("everybody", ""),
    }
}

/// All of it as it is at one moment.
fn standing(
    connection: &Connection,
    identity_id: &IdentityId,
    role: Option<&RoleName>,
    session: Option<&SignInSessionId>,
) -> Result<Standing> {
    let _snapshot = Snapshot::of(connection)?;
    let running = session.map(|id| sign_in_sessions::is_running(connection, id)).transpose()?;
    Ok(Standing {
        identity: identities::lookup(connection, identity_id)?,
        logins: logins::list(connection, identity_id)?,
        revoked_until: revoked_until(connection, identity_id, role)?,
        session: session.filter(|_| running == Some(true)).cloned(),
    })
}

fn revoked_until(
    connection: &Connection,
    identity_id: &IdentityId,
    role: Option<&RoleName>,
) -> Result<Option<Timestamp>> {
    connection
        .prepare_cached(
            "SELECT max(not_before) FROM session_revocation
             WHERE (kind = 'identity' AND name = ?1) OR (kind = 'role' AND name = ?2)
                OR (kind = 'everybody' AND name = '')",
        )?
        .query_one((identity_id.as_str(), role.map(RoleName::as_str)), |row| row.get::<_, Option<Instant>>(0))
        .map(|until| until.map(|Instant(until)| until))
}
