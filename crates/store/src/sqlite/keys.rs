//! Signing keys and developer access keys, sealed before they get here.

use async_trait::async_trait;
use daypass_core::ground::ids::{AccessKeyId, UserName};
use daypass_core::ground::seal::Sealed;
use daypass_core::store::{
    AccessKeyOutcome, Keys, MAX_ENABLED_ACCESS_KEYS, StoreError, StoredAccessKey, StoredSigningKey,
};
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::SqliteStore;
use super::value::{Instant, Text, integer};

#[async_trait]
impl Keys for SqliteStore {
    async fn add_signing_key(
        &self,
        key: &StoredSigningKey,
        seen: &[String],
    ) -> Result<Vec<StoredSigningKey>, StoreError> {
        let (key, seen) = (key.clone(), seen.to_vec());
        self.writer.write(move |connection| add_signing_key(connection, &key, &seen)).await
    }

    async fn delete_signing_keys(&self, key_ids: &[String]) -> Result<(), StoreError> {
        let key_ids = key_ids.to_vec();
        self.writer.write(move |connection| delete_signing_keys(connection, &key_ids)).await
    }

    async fn rehearse_signing_key(&self) -> Result<(), StoreError> {
        self.writer.write(rehearse_signing_key).await
    }

    async fn list_signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError> {
        self.readers.read(list_signing_keys)
    }

    async fn find_or_add_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<StoredAccessKey, StoreError> {
        let candidate = candidate.clone();
        self.writer.write(move |connection| find_or_add_access_key(connection, &candidate)).await
    }

    async fn lookup_access_key(&self, id: &AccessKeyId) -> Result<Option<StoredAccessKey>, StoreError> {
        let read = || self.readers.read(|connection| lookup_access_key(connection, id));
        self.remembered.access_key(&self.readers, id, read)
    }

    async fn add_first_access_key(&self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError> {
        let key = key.clone();
        self.writer.write(move |connection| add_first_access_key(connection, &key)).await
    }

    async fn add_further_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<AccessKeyOutcome, StoreError> {
        let candidate = candidate.clone();
        self.writer.write(move |connection| add_further_access_key(connection, &candidate)).await
    }

    async fn list_access_keys(&self) -> Result<Vec<StoredAccessKey>, StoreError> {
        self.readers.read(list_access_keys)
    }

    async fn set_access_key_enabled(
        &self,
        id: &AccessKeyId,
        enabled: bool,
    ) -> Result<AccessKeyOutcome, StoreError> {
        let id = id.clone();
        self.writer.write(move |connection| set_access_key_enabled(connection, &id, enabled)).await
    }

    async fn delete_access_key(&self, id: &AccessKeyId) -> Result<AccessKeyOutcome, StoreError> {
        let id = id.clone();
        self.writer.write(move |connection| delete_access_key(connection, &id)).await
    }
}

pub(super) fn list_signing_keys(connection: &Connection) -> Result<Vec<StoredSigningKey>> {
    connection
        .prepare_cached(
            "SELECT key_id, algorithm, sealed_private_key, created_at, signs_from FROM signing_key
             ORDER BY signs_from, key_id",
        )?
        .query_map([], signing_key)?
        .collect()
}

pub(super) fn add_signing_key(
    connection: &Connection,
    key: &StoredSigningKey,
    seen: &[String],
) -> Result<Vec<StoredSigningKey>> {
    connection
        .prepare_cached(
            "INSERT INTO signing_key (key_id, algorithm, sealed_private_key, created_at, signs_from)
             SELECT :key_id, :algorithm, :sealed_private_key, :created_at, :signs_from
             WHERE NOT EXISTS (SELECT 1 FROM signing_key WHERE algorithm = :algorithm
                               AND key_id NOT IN (SELECT value FROM json_each(:seen)))
             ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {
            ":key_id": key.key_id,
            ":algorithm": Text(key.algorithm),
            ":sealed_private_key": key.sealed_private_key.0,
            ":created_at": Instant(key.created_at),
            ":signs_from": Instant(key.signs_from),
            ":seen": serde_json::json!(seen).to_string(),
        })?;
    list_signing_keys(connection)
}

/// Both are one transaction, whose pages are written although they are as before.
fn rehearse_signing_key(connection: &Connection) -> Result<()> {
    connection.execute_batch(
        "INSERT INTO signing_key (key_id, algorithm, sealed_private_key, created_at, signs_from)
         VALUES ('', 'RS512', zeroblob(4096), 0, 0);
         DELETE FROM signing_key WHERE key_id = '';",
    )
}

fn delete_signing_keys(connection: &Connection, key_ids: &[String]) -> Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM signing_key WHERE key_id = ?1")?;
    key_ids.iter().try_for_each(|key_id| delete.execute([key_id]).map(drop))
}

fn signing_key(row: &Row<'_>) -> Result<StoredSigningKey> {
    Ok(StoredSigningKey {
        key_id: row.get("key_id")?,
        algorithm: row.get::<_, Text<_>>("algorithm")?.0,
        sealed_private_key: Sealed(row.get("sealed_private_key")?),
        created_at: row.get::<_, Instant>("created_at")?.0,
        signs_from: row.get::<_, Instant>("signs_from")?.0,
    })
}

/// One statement for each question, because neither a condition nor an order can be a parameter.
macro_rules! access_keys {
    ($which:literal) => {
        concat!(
            "SELECT id, name, policy, sealed_secret, created_at, enabled
             FROM access_key JOIN developer USING (name) ",
            $which
        )
    };
}

/// The oldest enabled key of the candidate's name: the candidate, if there is none.
pub(super) fn find_or_add_access_key(
    connection: &Connection,
    candidate: &StoredAccessKey,
) -> Result<StoredAccessKey> {
    let found = connection
        .prepare_cached(access_keys!("WHERE name = ?1 AND enabled ORDER BY created_at, id LIMIT 1"))?
        .query_one([candidate.name.as_str()], access_key)
        .optional()?;
    match found {
        Some(key) => Ok(key),
        None => add_access_key(connection, candidate),
    }
}

pub(super) fn add_first_access_key(
    connection: &Connection,
    key: &StoredAccessKey,
) -> Result<AccessKeyOutcome> {
    if developer_exists(connection, &key.name)? {
        return Ok(AccessKeyOutcome::NameTaken);
    }
    add_access_key(connection, key).map(AccessKeyOutcome::Done)
}

pub(super) fn add_further_access_key(
    connection: &Connection,
    candidate: &StoredAccessKey,
) -> Result<AccessKeyOutcome> {
    if !developer_exists(connection, &candidate.name)? {
        return Ok(AccessKeyOutcome::Unknown);
    }
    if !has_room(connection, &candidate.name)? {
        return Ok(AccessKeyOutcome::TooMany);
    }
    add_access_key(connection, candidate).map(AccessKeyOutcome::Done)
}

pub(super) fn set_access_key_enabled(
    connection: &Connection,
    id: &AccessKeyId,
    enabled: bool,
) -> Result<AccessKeyOutcome> {
    let Some(key) = lookup_access_key(connection, id)? else { return Ok(AccessKeyOutcome::Unknown) };
    if enabled && !key.enabled && !has_room(connection, &key.name)? {
        return Ok(AccessKeyOutcome::TooMany);
    }
    connection
        .prepare_cached("UPDATE access_key SET enabled = ?2 WHERE id = ?1")?
        .execute((id.as_str(), enabled))?;
    Ok(AccessKeyOutcome::Done(StoredAccessKey { enabled, ..key }))
}

pub(super) fn delete_access_key(connection: &Connection, id: &AccessKeyId) -> Result<AccessKeyOutcome> {
    let Some(key) = lookup_access_key(connection, id)? else { return Ok(AccessKeyOutcome::Unknown) };
    if key.enabled {
        return Ok(AccessKeyOutcome::StillEnabled);
    }
    connection.prepare_cached("DELETE FROM access_key WHERE id = ?1")?.execute([id.as_str()])?;
    connection
        .prepare_cached(
            "DELETE FROM developer WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM access_key WHERE name = ?1)",
        )?
        .execute([key.name.as_str()])?;
    Ok(AccessKeyOutcome::Done(key))
}

pub(super) fn list_access_keys(connection: &Connection) -> Result<Vec<StoredAccessKey>> {
    connection
        .prepare_cached(access_keys!("ORDER BY name, created_at, id"))?
        .query_map([], access_key)?
        .collect()
}

pub(super) fn lookup_access_key(
    connection: &Connection,
    id: &AccessKeyId,
) -> Result<Option<StoredAccessKey>> {
    connection.prepare_cached(access_keys!("WHERE id = ?1"))?.query_one([id.as_str()], access_key).optional()
}

fn developer_exists(connection: &Connection, name: &UserName) -> Result<bool> {
    connection.prepare_cached("SELECT 1 FROM developer WHERE name = ?1")?.exists([name.as_str()])
}

/// Whether one more key of the name may be enabled.
fn has_room(connection: &Connection, name: &UserName) -> Result<bool> {
    connection
        .prepare_cached("SELECT count(*) < ?2 FROM access_key WHERE name = ?1 AND enabled")?
        .query_one((name.as_str(), integer(MAX_ENABLED_ACCESS_KEYS)), |row| row.get(0))
}

/// Keeps the key, with the policy that its name has already, if it has one.
pub(super) fn add_access_key(connection: &Connection, key: &StoredAccessKey) -> Result<StoredAccessKey> {
    connection
        .prepare_cached("INSERT INTO developer (name, policy) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING")?
        .execute([key.name.as_str(), &key.policy])?;
    connection
        .prepare_cached(
            "INSERT INTO access_key (id, name, sealed_secret, created_at, enabled)
             VALUES (:id, :name, :sealed_secret, :created_at, :enabled)",
        )?
        .execute(named_params! {
            ":id": key.id.as_str(),
            ":name": key.name.as_str(),
            ":sealed_secret": key.sealed_secret.0,
            ":created_at": Instant(key.created_at),
            ":enabled": key.enabled,
        })?;
    connection.prepare_cached(access_keys!("WHERE id = ?1"))?.query_one([key.id.as_str()], access_key)
}

fn access_key(row: &Row<'_>) -> Result<StoredAccessKey> {
    Ok(StoredAccessKey {
        id: row.get::<_, Text<_>>("id")?.0,
        name: row.get::<_, Text<_>>("name")?.0,
        policy: row.get("policy")?,
        sealed_secret: Sealed(row.get("sealed_secret")?),
        created_at: row.get::<_, Instant>("created_at")?.0,
        enabled: row.get("enabled")?,
    })
}
