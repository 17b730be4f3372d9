//! Incarnations of pools. A pool that is deleted lets go of its incarnation, which is one small change whatever hangs on
//! it; what belonged to it is seen by nobody from then on, and goes bit by bit, so that nobody who writes waits for long.

use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::store::Cleared;
use rusqlite::{Connection, OptionalExtension, Result};

use super::sign_in_sessions;
use super::value::{Packed, integer};

/// Ends the incarnation of a pool. `false` if there is no such pool.
pub(super) fn end(connection: &Connection, id: &IdentityPoolId) -> Result<bool> {
    connection
        .prepare_cached(
            "DELETE FROM configured_pool
             WHERE incarnation = (SELECT incarnation FROM identity_pool WHERE id = ?1)",
        )?
        .execute([id.as_str()])?;
    let ended = connection
        .prepare_cached("UPDATE identity_pool SET id = NULL WHERE id = ?1")?
        .execute([id.as_str()])?;
    Ok(ended == 1)
}

/// Deletes at most `limit` logins and identities of an incarnation that ended, children first: every row refers to one
/// that is deleted after it.
pub(super) fn purge(connection: &Connection, limit: usize) -> Result<Cleared> {
    let Some(ended) = find_ended(connection)? else { return Ok(Cleared::default()) };
    let logins = purge_logins(connection, &ended, limit)?;
    let left = limit - logins;
    let mut identities = 0;
    if left > 0 {
        identities = purge_identities(connection, &ended, left)?;
    }
    if identities < left {
        connection.prepare_cached("DELETE FROM identity_pool WHERE incarnation = ?1")?.execute([&ended])?;
    }
    Ok(Cleared { records: (logins + identities) as u64, more: true })
}

fn find_ended(connection: &Connection) -> Result<Option<String>> {
    connection
        .prepare_cached("SELECT incarnation FROM identity_pool WHERE id IS NULL LIMIT 1")?
        .query_one([], |row| row.get(0))
        .optional()
}

fn purge_logins(connection: &Connection, incarnation: &str, limit: usize) -> Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM login WHERE (incarnation, provider, user) IN
                 (SELECT incarnation, provider, user FROM login WHERE incarnation = ?1 LIMIT ?2)",
        )?
        .execute((incarnation, integer(limit)))
}

/// With their sessions, of which one person has a few.
fn purge_identities(connection: &Connection, incarnation: &str, limit: usize) -> Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM sign_in_session WHERE identity_id IN
                 (SELECT id FROM identity WHERE incarnation = ?1 LIMIT ?2)",
        )?
        .execute((incarnation, integer(limit)))?;
    connection
        .prepare_cached(
            "DELETE FROM identity WHERE id IN (SELECT id FROM identity WHERE incarnation = ?1 LIMIT ?2)",
        )?
        .execute((incarnation, integer(limit)))
}

/// Deletes what an incarnation that ended left of one identity, whose ID is wanted again: its pool may come back before
/// all is purged. `false` if nothing was left.
pub(super) fn purge_identity(connection: &Connection, id: &IdentityId) -> Result<bool> {
    connection
        .prepare_cached(
            "DELETE FROM login WHERE identity_id = ?1
                 AND incarnation IN (SELECT incarnation FROM identity_pool WHERE id IS NULL)",
        )?
        .execute([Packed(id)])?;
    sign_in_sessions::delete_of(connection, id)?;
    let purged = connection
        .prepare_cached(
            "DELETE FROM identity WHERE id = ?1
                 AND incarnation IN (SELECT incarnation FROM identity_pool WHERE id IS NULL)",
        )?
        .execute([Packed(id)])?;
    Ok(purged == 1)
}
