//! Identity pools.

use daypass_core::identity::{IdentityPool, PoolRoles};
use daypass_core::ids::IdentityPoolId;
use daypass_core::store::Page;
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::value::{Json, Text, integer};

pub(super) fn add(connection: &Connection, pool: &IdentityPool) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO identity_pool (id, settings, roles) VALUES (:id, :settings, :roles)")?
        .execute(named_params! {
            ":id": pool.id.as_str(),
            ":settings": Json(&pool.settings),
            ":roles": Json(&pool.roles),
        })
        .map(drop)
}

pub(super) fn lookup(connection: &Connection, id: &IdentityPoolId) -> Result<Option<IdentityPool>> {
    connection
        .prepare_cached("SELECT id, settings, roles FROM identity_pool WHERE id = ?1")?
        .query_one([id.as_str()], pool)
        .optional()
}

pub(super) fn find_configured(connection: &Connection, name: &str) -> Result<Option<IdentityPool>> {
    connection
        .prepare_cached(
            "SELECT id, settings, roles
             FROM configured_pool JOIN identity_pool ON id = pool_id
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
    connection
        .prepare_cached("INSERT INTO configured_pool (name, pool_id) VALUES (?1, ?2)")?
        .execute([name, candidate.id.as_str()])?;
    Ok(candidate.clone())
}

pub(super) fn list(connection: &Connection, page: &Page<IdentityPoolId>) -> Result<Vec<IdentityPool>> {
    connection
        .prepare_cached(
            "SELECT id, settings, roles FROM identity_pool
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

pub(super) fn set_roles(connection: &Connection, id: &IdentityPoolId, roles: &PoolRoles) -> Result<bool> {
    let changed = connection
        .prepare_cached("UPDATE identity_pool SET roles = :roles WHERE id = :id")?
        .execute(named_params! { ":id": id.as_str(), ":roles": Json(roles) })?;
    Ok(changed == 1)
}

pub(super) fn exists(connection: &Connection, id: &IdentityPoolId) -> Result<bool> {
    connection.prepare_cached("SELECT 1 FROM identity_pool WHERE id = ?1")?.exists([id.as_str()])
}

fn pool(row: &Row<'_>) -> Result<IdentityPool> {
    Ok(IdentityPool {
        id: row.get::<_, Text<_>>("id")?.0,
        settings: row.get::<_, Json<_>>("settings")?.0,
        roles: row.get::<_, Json<_>>("roles")?.0,
    })
}
