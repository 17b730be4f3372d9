//! A store in a file that is being filled with everything of another one. It says of itself that it is not complete, and nobody
//! else has it open meanwhile.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::records::identity::IdentityPool;
use daypass_core::records::identity_record::IdentityRecord;
use daypass_core::store::whole::{CopyError, Filling, Kept, KeptPages, Whole, incarnation_of};
use daypass_core::store::{AnnouncedMasterKey, RevocationTarget, StoreError, StoredSigningKey};
use rusqlite::{Connection, Result, TransactionBehavior, named_params};

use super::file::trail_folder;
use super::open::OpenError;
use super::value::{Instant, Json, Packed, Text};
use super::whole::SqliteWhole;
use super::{
    audit_exports, device_authorizations, keys, login_grants, logins, open, sign_in_sessions, trail_head,
    unproved_refusals, used_once,
};
use crate::trail::whole::{self as lines, BroughtTrail};

/// Nothing that is brought takes along what is over.
const NEVER: Timestamp = Timestamp::MIN;

/// A store in a file that is being filled.
pub struct SqliteFilling {
    store: SqliteWhole,
    trail: Mutex<BroughtTrail>,
}

impl SqliteFilling {
    /// Opens a file, which is made if it is not there.
    ///
    /// # Errors
    /// [`OpenError`], above all if somebody else has it open.
    pub fn open(path: &Path) -> std::result::Result<Self, OpenError> {
        let trail = trail_folder(path);
        if !path.exists() && trail.exists() {
            return Err(OpenError::Taken { path: trail });
        }
        let store = SqliteWhole::over(open::exclusive_to_fill(path)?, path);
        let trail = Mutex::new(BroughtTrail::at(&store.folder));
        Ok(Self { store, trail })
    }

    /// Makes a change as a whole or not at all.
    fn change<T>(&self, change: impl FnOnce(&Connection) -> Result<T>) -> std::result::Result<T, CopyError> {
        let mut connection = self.store.connection();
        let changed =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
                let answer = change(&transaction)?;
                transaction.commit()?;
                Ok(answer)
            });
        changed.map_err(|error| self.store.failed(error))
    }

    fn ensure_empty(&self) -> std::result::Result<(), CopyError> {
        if self.store.folder.symlink_metadata().is_ok() {
            return Err(CopyError::Taken("an audit trail"));
        }
        let taken = self.change(|connection| {
            let tables = tables(connection)?;
            tables.iter().try_fold(false, |taken, table| Ok(taken || has_rows(connection, table)?))
        })?;
        if taken { Err(CopyError::Taken("something")) } else { Ok(()) }
    }
}

#[async_trait]
impl Whole for SqliteFilling {
    async fn kept(&self, now: Timestamp) -> std::result::Result<Box<dyn KeptPages + '_>, CopyError> {
        self.store.kept(now).await
    }

    async fn first_line(&self) -> std::result::Result<Option<u64>, CopyError> {
        self.store.first_line().await
    }

    async fn lines_after(&self, line: u64) -> std::result::Result<Vec<u8>, CopyError> {
        self.store.lines_after(line).await
    }
}

#[async_trait]
impl Filling for SqliteFilling {
    async fn begin(&self, from: &str) -> std::result::Result<(), CopyError> {
        match self.change(open::unfinished_copy)? {
            Some(other) if other != from => return Err(CopyError::OfAnother(other)),
            Some(_) => lines::remove(&self.store.folder).map_err(|error| self.store.failed_file(error))?,
            None => self.ensure_empty()?,
        }
        self.change(|connection| {
            let sql = "INSERT INTO unfinished_copy (id, source) VALUES (1, ?1) ON CONFLICT DO NOTHING";
            connection.execute(sql, [from])?;
            let tables = tables(connection)?;
            tables
                .iter()
                .try_for_each(|table| connection.execute(&format!("DELETE FROM {table}"), []).map(drop))
        })
    }

    async fn take(&self, kept: Vec<Kept>) -> std::result::Result<(), CopyError> {
        self.change(|connection| kept.iter().try_for_each(|kept| take(connection, kept)))
    }

    async fn take_lines(&self, lines: Vec<u8>) -> std::result::Result<(), CopyError> {
        let mut trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner);
        trail.append(self.store.path(), &lines).map_err(|error| self.store.failed_file(error))
    }

    async fn finish(&self) -> std::result::Result<(), CopyError> {
        let mut trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner);
        let head = trail.finish().map_err(|error| self.store.failed_file(error))?;
        // Nobody looked at references meanwhile, because identities come before their pools.
        if self.change(|connection| connection.prepare("PRAGMA foreign_key_check")?.exists([]))? {
            return Err(StoreError::Corrupt("something in it belongs to what is not there".into()))?;
        }
        self.change(|connection| {
            head.iter().try_for_each(|head| trail_head::keep(connection, head, None))?;
            connection.execute("DELETE FROM unfinished_copy", []).map(drop)
        })
    }
}

/// Those with something in them that is kept.
fn tables(connection: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema
         WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> 'unfinished_copy'";
    connection.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn has_rows(connection: &Connection, table: &str) -> Result<bool> {
    connection.query_one(&format!("SELECT EXISTS (SELECT 1 FROM {table})"), [], |row| row.get(0))
}

fn take(connection: &Connection, kept: &Kept) -> Result<()> {
    match kept {
        Kept::Pool(pool) => take_pool(connection, pool),
        Kept::ConfiguredName { name, pool_id } => take_name(connection, name, pool_id),
        Kept::Identity(record) => take_identity(connection, record),
        Kept::AccessKey(key) => keys::add_access_key(connection, key).map(drop),
        Kept::SigningKey(key) => take_signing_key(connection, key),
        Kept::MasterKey(key) => take_master_key(connection, key),
        Kept::Revocation { target, not_before } => take_revocation(connection, target, *not_before),
        Kept::Session(session) => sign_in_sessions::add(connection, session, NEVER),
        Kept::DeviceAuthorization(it) => device_authorizations::add(connection, it, NEVER),
        Kept::LoginGrant(grant) => login_grants::add(connection, grant, NEVER),
        Kept::UsedName { name, until } => used_once::add(connection, name, *until, NEVER).map(drop),
        Kept::ExportPosition { exporter, position } => audit_exports::put(connection, exporter, position),
        Kept::Refusal { event, .. } => unproved_refusals::insert(connection, event),
    }
}

fn take_pool(connection: &Connection, pool: &IdentityPool) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO identity_pool (incarnation, id, version, settings, roles, tag_maps)
             VALUES (:incarnation, :id, :version, :settings, :roles, :tag_maps)",
        )?
        .execute(named_params! {
            ":incarnation": incarnation_of(&pool.id),
            ":id": pool.id.as_str(),
            ":version": pool.version,
            ":settings": Json(&pool.settings),
            ":roles": Json(&pool.roles),
            ":tag_maps": Json(&pool.tag_maps),
        })
        .map(drop)
}

fn take_name(connection: &Connection, name: &str, pool_id: &IdentityPoolId) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO configured_pool (name, incarnation) VALUES (?1, ?2)")?
        .execute([name, &incarnation_of(pool_id)])
        .map(drop)
}

fn take_identity(connection: &Connection, record: &IdentityRecord) -> Result<()> {
    let (identity, incarnation) = (&record.identity, incarnation_of(&record.identity.pool_id));
    connection
        .prepare_cached(
            "INSERT INTO identity (id, incarnation, authenticated, disabled, created_at, modified_at)
             VALUES (:id, :incarnation, :authenticated, :disabled, :created_at, :modified_at)",
        )?
        .execute(named_params! {
            ":id": Packed(&identity.id),
            ":incarnation": incarnation,
            ":authenticated": identity.authenticated,
            ":disabled": identity.disabled,
            ":created_at": Instant(identity.created_at),
            ":modified_at": Instant(identity.modified_at),
        })?;
    let sql = "INSERT INTO login (incarnation, provider, user, identity_id) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = connection.prepare_cached(sql)?;
    record.logins.iter().try_for_each(|login| {
        insert
            .execute((&incarnation, logins::column(&login.provider), &login.user, Packed(&identity.id)))
            .map(drop)
    })
}

fn take_signing_key(connection: &Connection, key: &StoredSigningKey) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO signing_key (key_id, algorithm, sealed_private_key, created_at, signs_from)
             VALUES (:key_id, :algorithm, :sealed_private_key, :created_at, :signs_from)",
        )?
        .execute(named_params! {
            ":key_id": key.key_id,
            ":algorithm": Text(key.algorithm),
            ":sealed_private_key": key.sealed_private_key.0,
            ":created_at": Instant(key.created_at),
            ":signs_from": Instant(key.signs_from),
        })
        .map(drop)
}

fn take_master_key(connection: &Connection, key: &AnnouncedMasterKey) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO master_key (id, since) VALUES (?1, ?2)")?
        .execute((key.id.to_string(), Instant(key.since)))
        .map(drop)
}

fn take_revocation(connection: &Connection, target: &RevocationTarget, not_before: Timestamp) -> Result<()> {
    let (kind, name) = super::revocations::columns(target);
    connection
        .prepare_cached("INSERT INTO session_revocation (kind, name, not_before) VALUES (?1, ?2, ?3)")?
        .execute((kind, name, Instant::not_before(not_before)))
        .map(drop)
}
