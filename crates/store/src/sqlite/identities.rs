//! Identities and their listings. How a login finds its identity is in `logins.rs`.

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::Identity;
use daypass_core::store::Page;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Result, Row, named_params};

use super::snapshot::Snapshot;
use super::value::{Instant, Packed, Text, integer};
use super::{incarnations, pools, sign_in_sessions};

pub(super) fn add_guest(
    connection: &Connection,
    pool_id: &IdentityPoolId,
    id: &IdentityId,
    now: Timestamp,
) -> Result<bool> {
    let pool_exists = pools::exists(connection, pool_id)?;
    if pool_exists {
        add(connection, &new(pool_id, id, false, now))?;
    }
    Ok(pool_exists)
}

/// An identity that is made now.
pub(super) fn new(
    pool_id: &IdentityPoolId,
    id: &IdentityId,
    authenticated: bool,
    now: Timestamp,
) -> Identity {
    let (id, pool_id) = (id.clone(), pool_id.clone());
    Identity { id, pool_id, authenticated, disabled: false, created_at: now, modified_at: now }
}

/// Adds an identity. What a deleted pool left of one with the same ID makes room.
pub(super) fn add(connection: &Connection, identity: &Identity) -> Result<()> {
    match insert(connection, identity) {
        Err(error) if is_constraint(&error) && incarnations::purge_identity(connection, &identity.id)? => {
            insert(connection, identity)
        }
        outcome => outcome,
    }
}

fn insert(connection: &Connection, identity: &Identity) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO identity (id, incarnation, authenticated, disabled, created_at, modified_at)
             VALUES (:id, (SELECT incarnation FROM identity_pool WHERE id = :pool_id), :authenticated, :disabled,
                 :created_at, :modified_at)",
        )?
        .execute(named_params! {
            ":id": Packed(&identity.id),
            ":pool_id": identity.pool_id.as_str(),
            ":authenticated": identity.authenticated,
            ":disabled": identity.disabled,
            ":created_at": Instant(identity.created_at),
            ":modified_at": Instant(identity.modified_at),
        })
        .map(drop)
}

/// Whether what was to be added goes against what is there.
pub(super) fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// Deletes an identity with its logins and sessions, if it exists.
pub(super) fn delete(connection: &Connection, id: &IdentityId) -> Result<()> {
    connection.prepare_cached("DELETE FROM login WHERE identity_id = ?1")?.execute([Packed(id)])?;
    sign_in_sessions::delete_of(connection, id)?;
    connection.prepare_cached("DELETE FROM identity WHERE id = ?1")?.execute([Packed(id)]).map(drop)
}

pub(super) fn lookup(connection: &Connection, id: &IdentityId) -> Result<Option<Identity>> {
    connection
        .prepare_cached(
            "SELECT id, pool_id, authenticated, disabled, created_at, modified_at
             FROM living_identity WHERE id = ?1",
        )?
        .query_one([Packed(id)], identity)
        .optional()
}

/// All of them as they are at one moment, which is also cheaper than a transaction for each.
pub(super) fn lookup_each(connection: &Connection, ids: &[IdentityId]) -> Result<Vec<Option<Identity>>> {
    let several = ids.len() > 1;
    let _snapshot = several.then(|| Snapshot::of(connection)).transpose()?;
    ids.iter().map(|id| lookup(connection, id)).collect()
}

pub(super) fn list(
    connection: &Connection,
    pool_id: &IdentityPoolId,
    hide_disabled: bool,
    page: &Page<IdentityId>,
) -> Result<Vec<Identity>> {
    connection
        .prepare_cached(
            "SELECT id, pool_id, authenticated, disabled, created_at, modified_at
             FROM living_identity
             WHERE pool_id = :pool_id AND id > coalesce(:after, x'') AND NOT (disabled AND :hide_disabled)
             ORDER BY id LIMIT :limit",
        )?
        .query_map(
            named_params! {
                ":pool_id": pool_id.as_str(),
                ":after": page.after.as_ref().map(Packed),
                ":hide_disabled": hide_disabled,
                ":limit": integer(page.limit),
            },
            identity,
        )?
        .collect()
}

/// Reads a row of `living_identity`, all columns under their own names.
pub(super) fn identity(row: &Row<'_>) -> Result<Identity> {
    Ok(Identity {
        id: row.get::<_, Packed<_>>("id")?.0,
        pool_id: row.get::<_, Text<_>>("pool_id")?.0,
        authenticated: row.get("authenticated")?,
        disabled: row.get("disabled")?,
        created_at: row.get::<_, Instant>("created_at")?.0,
        modified_at: row.get::<_, Instant>("modified_at")?.0,
    })
}
