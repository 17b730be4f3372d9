//! Signing keys and developer access keys, sealed before they get here.

use daypass_core::ids::AccessKeyId;
use daypass_core::seal::Sealed;
use daypass_core::store::{StoredAccessKey, StoredSigningKey};
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::value::{Instant, Text};

pub(super) fn list_signing_keys(connection: &Connection) -> Result<Vec<StoredSigningKey>> {
    connection
        .prepare_cached(
            "SELECT key_id, sealed_private_key, created_at FROM signing_key ORDER BY created_at, key_id",
        )?
        .query_map([], signing_key)?
        .collect()
}

pub(super) fn list_or_add_signing_keys(
    connection: &Connection,
    candidate: &StoredSigningKey,
) -> Result<Vec<StoredSigningKey>> {
    let keys = list_signing_keys(connection)?;
    if !keys.is_empty() {
        return Ok(keys);
    }
    add_signing_key(connection, candidate)?;
    list_signing_keys(connection)
}

fn add_signing_key(connection: &Connection, key: &StoredSigningKey) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO signing_key (key_id, sealed_private_key, created_at)
             VALUES (:key_id, :sealed_private_key, :created_at)",
        )?
        .execute(named_params! {
            ":key_id": key.key_id,
            ":sealed_private_key": key.sealed_private_key.0,
            ":created_at": Instant(key.created_at),
        })
        .map(drop)
}

fn signing_key(row: &Row<'_>) -> Result<StoredSigningKey> {
    Ok(StoredSigningKey {
        key_id: row.get("key_id")?,
        sealed_private_key: Sealed(row.get("sealed_private_key")?),
        created_at: row.get::<_, Instant>("created_at")?.0,
    })
}

/// The key of the candidate's name: the candidate, unless somebody was first.
pub(super) fn find_or_add_access_key(
    connection: &Connection,
    candidate: &StoredAccessKey,
) -> Result<StoredAccessKey> {
    connection
        .prepare_cached(
            "INSERT INTO access_key (id, name, sealed_secret, created_at)
             VALUES (:id, :name, :sealed_secret, :created_at)
             ON CONFLICT (name) DO NOTHING",
        )?
        .execute(named_params! {
            ":id": candidate.id.as_str(),
            ":name": candidate.name,
            ":sealed_secret": candidate.sealed_secret.0,
            ":created_at": Instant(candidate.created_at),
        })?;
    connection
        .prepare_cached("SELECT id, name, sealed_secret, created_at FROM access_key WHERE name = ?1")?
        .query_one([&candidate.name], access_key)
}

pub(super) fn lookup_access_key(
    connection: &Connection,
    id: &AccessKeyId,
) -> Result<Option<StoredAccessKey>> {
    connection
        .prepare_cached("SELECT id, name, sealed_secret, created_at FROM access_key WHERE id = ?1")?
        .query_one([id.as_str()], access_key)
        .optional()
}

fn access_key(row: &Row<'_>) -> Result<StoredAccessKey> {
    Ok(StoredAccessKey {
        id: row.get::<_, Text<_>>("id")?.0,
        name: row.get("name")?,
        sealed_secret: Sealed(row.get("sealed_secret")?),
        created_at: row.get::<_, Instant>("created_at")?.0,
    })
}
