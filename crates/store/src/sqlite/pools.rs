//! Identity pools.

use std::collections::BTreeMap;

use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::records::identity::IdentityPool;
use daypass_core::store::{Page, ReplaceOutcome};
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::value::{Json, Text, integer};

/// Every pool that was not deleted.
pub(super) const ALL: &str =
    "SELECT id, version, settings, roles, tag_maps FROM identity_pool WHERE id IS NOT NULL ORDER BY id";

/// Under an incarnation that no pool had before. Its name is short, because it stands in each row of an identity and of
/// a login, and twice in their indexes.
pub(super) fn add(connection: &Connection, pool: &IdentityPool) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO identity_pool (incarnation, id, version, settings, roles, tag_maps)
             VALUES (lower(hex(randomblob(8))), :id, :version, :settings, :roles, :tag_maps)",
        )?
        .execute(named_params! {
            ":id": pool.id.as_str(),
            ":version": pool.version,
            ":settings": Json(&pool.settings),
            ":roles": Json(&pool.roles),
            ":tag_maps": Json(&pool.tag_maps),
        })
        .map(drop)
}

pub(super) fn lookup(connection: &Connection, id: &IdentityPoolId) -> Result<Option<IdentityPool>> {
    connection
        .prepare_cached("SELECT id, version, settings, roles, tag_maps FROM identity_pool WHERE id = ?1")?
        .query_one([id.as_str()], pool)
        .optional()
}

pub(super) fn find_configured(connection: &Connection, name: &str) -> Result<Option<IdentityPool>> {
    connection
        .prepare_cached(
            "SELECT id, version, settings, roles, tag_maps
             FROM configured_pool JOIN identity_pool USING (incarnation)
             WHERE name = ?1",
        )?
        .query_one([name], pool)
        .optional()
}

pub(super) fn find_or_add_configured(
    connection: &Connection,
    name: &str,
    candidate: &IdentityPool,
) -> Result<IdentityPool> {
    if let Some(pool) = find_configured(connection, name)? {
        return Ok(pool);
    }
    add(connection, candidate)?;
    configure(connection, name, &candidate.id)?;
    Ok(candidate.clone())
}

/// Has a name of a configuration lead to a pool, if it leads to none.
pub(super) fn configure(connection: &Connection, name: &str, id: &IdentityPoolId) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO configured_pool (name, incarnation)
                 SELECT ?1, incarnation FROM identity_pool WHERE id = ?2
             ON CONFLICT DO NOTHING",
        )?
        .execute([name, id.as_str()])
        .map(drop)
}

/// The first of the names that lead to a pool.
pub(super) fn configured_as(connection: &Connection, id: &IdentityPoolId) -> Result<Option<String>> {
    connection
        .prepare_cached(
            "SELECT name FROM configured_pool JOIN identity_pool USING (incarnation)
             WHERE id = ?1 ORDER BY name LIMIT 1",
        )?
        .query_one([id.as_str()], |row| row.get(0))
        .optional()
}

/// Every name that leads to a pool, and that pool.
pub(super) fn list_configured(connection: &Connection) -> Result<BTreeMap<String, IdentityPool>> {
    connection
        .prepare_cached(
            "SELECT name, id, version, settings, roles, tag_maps
             FROM configured_pool JOIN identity_pool USING (incarnation)",
        )?
        .query_map([], |row| Ok((row.get("name")?, pool(row)?)))?
        .collect()
}

pub(super) fn list(connection: &Connection, page: &Page<IdentityPoolId>) -> Result<Vec<IdentityPool>> {
    connection
        .prepare_cached(
            "SELECT id, version, settings, roles, tag_maps FROM identity_pool
             WHERE id > coalesce(:after, '') ORDER BY id LIMIT :limit",
        )?
        .query_map(
            named_params! {
                ":after": page.after.as_ref().map(IdentityPoolId::as_str),
                ":limit": integer(page.limit),
            },
            pool,
        )?
        .collect()
}

pub(super) fn replace(connection: &Connection, pool: &IdentityPool) -> Result<ReplaceOutcome> {
    let changed = connection
        .prepare_cached(
            "UPDATE identity_pool SET version = version + 1, settings = :settings, roles = :roles,
                 tag_maps = :tag_maps
             WHERE id = :id AND version = :version",
        )?
        .execute(named_params! {
            ":id": pool.id.as_str(),
            ":version": pool.version,
            ":settings": Json(&pool.settings),
            ":roles": Json(&pool.roles),
            ":tag_maps": Json(&pool.tag_maps),
        })?;
    if changed == 1 {
        return Ok(ReplaceOutcome::Replaced);
    }
    Ok(if exists(connection, &pool.id)? { ReplaceOutcome::Stale } else { ReplaceOutcome::Unknown })
}

pub(super) fn exists(connection: &Connection, id: &IdentityPoolId) -> Result<bool> {
    connection.prepare_cached("SELECT 1 FROM identity_pool WHERE id = ?1")?.exists([id.as_str()])
}

pub(super) fn pool(row: &Row<'_>) -> Result<IdentityPool> {
    Ok(IdentityPool {
        id: row.get::<_, Text<_>>("id")?.0,
        version: row.get("version")?,
        settings: row.get::<_, Json<_>>("settings")?.0,
        roles: row.get::<_, Json<_>>("roles")?.0,
        tag_maps: row.get::<_, Json<_>>("tag_maps")?.0,
    })
}
