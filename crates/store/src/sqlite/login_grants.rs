//! Outcomes of logins that wait for their apps, sealed before they get here.

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::seal::Sealed;
use daypass_core::store::StoredLoginGrant;
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::value::Instant;

/// As many expired grants as one new grant takes along: the table stays small without a purge that somebody has
/// to start.
const FORGOTTEN_AT_ONCE: u32 = 16;

pub(super) fn add(connection: &Connection, grant: &StoredLoginGrant, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM login_grant WHERE code_hash IN
                 (SELECT code_hash FROM login_grant WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)",
        )?
        .execute(named_params! { ":now": Instant(now), ":limit": FORGOTTEN_AT_ONCE })?;
    connection
        .prepare_cached(
            "INSERT INTO login_grant (code_hash, sealed, expires_at) VALUES (:code_hash, :sealed, :expires_at)",
        )?
        .execute(named_params! {
            ":code_hash": grant.code_hash,
            ":sealed": grant.sealed.0,
            ":expires_at": Instant(grant.expires_at),
        })?;
    Ok(())
}

/// The writer makes one change after the other, so the row is there for the first who asks.
pub(super) fn redeem(
    connection: &Connection,
    code_hash: &str,
    now: Timestamp,
) -> Result<Option<StoredLoginGrant>> {
    let grant = connection
        .prepare_cached(
            "DELETE FROM login_grant WHERE code_hash = :code_hash RETURNING code_hash, sealed, expires_at",
        )?
        .query_row(named_params! { ":code_hash": code_hash }, self::grant)
        .optional()?;
    Ok(grant.filter(|grant| grant.expires_at > now))
}

/// Reads a row of all columns.
pub(super) fn grant(row: &Row<'_>) -> Result<StoredLoginGrant> {
    Ok(StoredLoginGrant {
        code_hash: row.get("code_hash")?,
        sealed: Sealed(row.get("sealed")?),
        expires_at: row.get::<_, Instant>("expires_at")?.0,
    })
}
