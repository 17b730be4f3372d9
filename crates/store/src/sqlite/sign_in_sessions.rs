//! Sessions of people who signed in.

use async_trait::async_trait;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{IdentityId, SignInSessionId};
use daypass_core::ground::seal::Sealed;
use daypass_core::records::sign_in_session::{EndReason, SessionEnd, SignInSession, Upstream};
use daypass_core::store::sign_in_sessions::MAX_LISTED_SESSIONS;
use daypass_core::store::{SignInSessions, StoreError};
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::SqliteStore;
use super::value::{Instant, Packed, Text, integer};

/// As many sessions that may be forgotten as one new session takes along.
const FORGOTTEN_AT_ONCE: u32 = 16;

#[async_trait]
impl SignInSessions for SqliteStore {
    async fn add_sign_in_session(&self, session: &SignInSession, now: Timestamp) -> Result<(), StoreError> {
        let session = session.clone();
        self.writer.write(move |connection| add(connection, &session, now)).await
    }

    async fn find_sign_in_session(&self, id: &SignInSessionId) -> Result<Option<SignInSession>, StoreError> {
        self.readers.read(|connection| find(connection, id))
    }

    async fn replace_sign_in_session(
        &self,
        from: &SignInSession,
        to: &SignInSession,
    ) -> Result<bool, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.writer.write(move |connection| replace(connection, &from, &to)).await
    }

    async fn end_sign_in_session(&self, id: &SignInSessionId, end: SessionEnd) -> Result<bool, StoreError> {
        let id = id.clone();
        self.writer.write(move |connection| self::end(connection, &id, end)).await
    }

    async fn list_sign_in_sessions(
        &self,
        identity_id: &IdentityId,
        now: Timestamp,
    ) -> Result<Vec<SignInSession>, StoreError> {
        self.readers.read(|connection| list(connection, identity_id, now))
    }

    async fn last_end_of_sessions(
        &self,
        then: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(|connection| last_end(connection, then, now))
    }
}

pub(super) fn add(connection: &Connection, session: &SignInSession, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM sign_in_session WHERE id IN
                 (SELECT id FROM sign_in_session WHERE forgotten_at <= :now ORDER BY forgotten_at LIMIT :limit)",
        )?
        .execute(named_params! { ":now": Instant(now), ":limit": FORGOTTEN_AT_ONCE })?;
    connection
        .prepare_cached(
            "INSERT INTO sign_in_session (id, app, pool_id, identity_id, provider, upstream_issuer, upstream_subject,
                 upstream_session, login, scope, signed_in_at, checked_at, key_thumbprint, device, generation, created_at, rotated_at, late_at, idle_until, ends_at,
                 ended_at, end_reason, forgotten_at)
             VALUES (:id, :app, :pool_id, :identity_id, :provider, :upstream_issuer, :upstream_subject,
                 :upstream_session, :login, :scope, :signed_in_at, :checked_at, :key_thumbprint, :device, :generation, :created_at, :rotated_at, :late_at, :idle_until,
                 :ends_at, :ended_at, :end_reason, :forgotten_at)",
        )?
        .execute(named_params! {
            ":id": session.id.to_bytes(),
            ":app": session.app,
            ":pool_id": session.pool_id.as_str(),
            ":identity_id": Packed(&session.identity_id),
            ":provider": session.provider,
            ":upstream_issuer": session.upstream.issuer,
            ":upstream_subject": session.upstream.subject,
            ":upstream_session": session.upstream.session,
            ":login": session.login.0,
            ":scope": Text(session.scope),
            ":signed_in_at": session.signed_in_at.map(Instant),
            ":checked_at": Instant(session.checked_at),
            ":key_thumbprint": session.key_thumbprint,
            ":device": session.device,
            ":generation": session.generation,
            ":created_at": Instant(session.created_at),
            ":rotated_at": Instant(session.rotated_at),
            ":late_at": session.late_at.map(Instant),
            ":idle_until": Instant(session.idle_until),
            ":ends_at": Instant(session.ends_at),
            ":ended_at": session.ended.map(|end| Instant(end.at)),
            ":end_reason": session.ended.map(|end| Text(end.reason)),
            ":forgotten_at": Instant(session.forgotten_at()),
        })
        .map(drop)
}

fn find(connection: &Connection, id: &SignInSessionId) -> Result<Option<SignInSession>> {
    connection
        .prepare_cached("SELECT * FROM sign_in_session WHERE id = ?1")?
        .query_one([id.to_bytes()], session)
        .optional()
}

/// The guards are those of [`SignInSession::is_still`]. What a session is of never changes, but for its identity after a
/// merge, and what its provider was last asked with. A login that the change leaves alone may have been sealed anew.
fn replace(connection: &Connection, from: &SignInSession, to: &SignInSession) -> Result<bool> {
    connection
        .prepare_cached(
            "UPDATE sign_in_session
             SET identity_id = :identity_id, login = iif(:login = :seen_login, login, :login), checked_at = :checked_at, generation = :generation, rotated_at = :rotated_at, late_at = :late_at,
                 idle_until = :idle_until, ends_at = :ends_at, forgotten_at = :forgotten_at
             WHERE id = :id AND generation = :seen_generation AND late_at IS :seen_late_at
                 AND checked_at = :seen_checked_at AND ended_at IS NULL",
        )?
        .execute(named_params! {
            ":id": from.id.to_bytes(),
            ":identity_id": Packed(&to.identity_id),
            ":login": to.login.0,
            ":checked_at": Instant(to.checked_at),
            ":generation": to.generation,
            ":rotated_at": Instant(to.rotated_at),
            ":late_at": to.late_at.map(Instant),
            ":idle_until": Instant(to.idle_until),
            ":ends_at": Instant(to.ends_at),
            ":forgotten_at": Instant(to.forgotten_at()),
            ":seen_login": from.login.0,
            ":seen_generation": from.generation,
            ":seen_late_at": from.late_at.map(Instant),
            ":seen_checked_at": Instant(from.checked_at),
        })
        .map(|changed| changed == 1)
}

fn end(connection: &Connection, id: &SignInSessionId, end: SessionEnd) -> Result<bool> {
    connection
        .prepare_cached(
            "UPDATE sign_in_session SET ended_at = :ended_at, end_reason = :end_reason
             WHERE id = :id AND ended_at IS NULL",
        )?
        .execute(named_params! {
            ":id": id.to_bytes(),
            ":ended_at": Instant(end.at),
            ":end_reason": Text(end.reason),
        })
        .map(|changed| changed == 1)
}

fn list(connection: &Connection, identity_id: &IdentityId, now: Timestamp) -> Result<Vec<SignInSession>> {
    connection
        .prepare_cached(
            "SELECT * FROM sign_in_session
             WHERE identity_id = :identity_id AND ended_at IS NULL AND idle_until > :now AND ends_at > :now
             ORDER BY created_at DESC, id LIMIT :limit",
        )?
        .query_map(
            named_params! {
                ":identity_id": Packed(identity_id),
                ":now": Instant(now),
                ":limit": integer(MAX_LISTED_SESSIONS),
            },
            session,
        )?
        .collect()
}

/// No index helps: only a rotation of the master key asks.
fn last_end(connection: &Connection, then: Timestamp, now: Timestamp) -> Result<Option<Timestamp>> {
    let end: Option<Instant> = connection
        .prepare_cached(
            "SELECT max(min(idle_until, ends_at)) FROM sign_in_session
             WHERE ended_at IS NULL AND rotated_at < ?1 AND idle_until > ?2 AND ends_at > ?2",
        )?
        .query_one([Instant(then), Instant(now)], |row| row.get(0))?;
    Ok(end.map(|Instant(end)| end))
}

/// Whether a session is there and nothing ended it before its time.
pub(super) fn is_running(connection: &Connection, id: &SignInSessionId) -> Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM sign_in_session WHERE id = ?1 AND ended_at IS NULL)")?
        .query_one([id.to_bytes()], |row| row.get(0))
}

/// Forgets the sessions of an identity that is deleted.
pub(super) fn delete_of(connection: &Connection, identity_id: &IdentityId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM sign_in_session WHERE identity_id = ?1")?
        .execute([Packed(identity_id)])
        .map(drop)
}

/// Gives the sessions of an identity that is merged into another one to that. Those that began until the first was revoked
/// are over: nobody asks about its revocation any more.
pub(super) fn move_all(
    connection: &Connection,
    from: &IdentityId,
    to: &IdentityId,
    now: Timestamp,
) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE sign_in_session SET ended_at = :now, end_reason = :revoked
             WHERE identity_id = :from AND ended_at IS NULL AND created_at <=
                 (SELECT not_before FROM session_revocation WHERE kind = 'identity' AND name = :name)",
        )?
        .execute(named_params! {
            ":from": Packed(from),
            ":name": from.as_str(),
            ":now": Instant(now),
            ":revoked": Text(EndReason::Revoked),
        })?;
    connection
        .prepare_cached("UPDATE sign_in_session SET identity_id = ?2 WHERE identity_id = ?1")?
        .execute([Packed(from), Packed(to)])
        .map(drop)
}

/// Reads a row of all columns.
pub(super) fn session(row: &Row<'_>) -> Result<SignInSession> {
    let instant = |name: &str| row.get::<_, Instant>(name).map(|Instant(instant)| instant);
    let perhaps =
        |name: &str| row.get::<_, Option<Instant>>(name).map(|it| it.map(|Instant(instant)| instant));
    let ended = perhaps("ended_at")?.zip(row.get::<_, Option<Text<_>>>("end_reason")?);
    Ok(SignInSession {
        id: SignInSessionId::of_bytes(row.get("id")?),
        app: row.get("app")?,
        pool_id: row.get::<_, Text<_>>("pool_id")?.0,
        identity_id: row.get::<_, Packed<_>>("identity_id")?.0,
        provider: row.get("provider")?,
        upstream: Upstream {
            issuer: row.get("upstream_issuer")?,
            subject: row.get("upstream_subject")?,
            session: row.get("upstream_session")?,
        },
        login: Sealed(row.get("login")?),
        scope: row.get::<_, Text<_>>("scope")?.0,
        signed_in_at: perhaps("signed_in_at")?,
        checked_at: instant("checked_at")?,
        key_thumbprint: row.get("key_thumbprint")?,
        device: row.get("device")?,
        generation: row.get("generation")?,
        created_at: instant("created_at")?,
        rotated_at: instant("rotated_at")?,
        late_at: perhaps("late_at")?,
        idle_until: instant("idle_until")?,
        ends_at: instant("ends_at")?,
        ended: ended.map(|(at, Text(reason))| SessionEnd { at, reason }),
    })
}
