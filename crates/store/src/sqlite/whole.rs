//! A whole store in a file on its way into another one: everything that is in it, by its only connection. Nobody writes meanwhile.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{IdentityPoolId, SignInSessionId};
use daypass_core::store::packed::packed;
use daypass_core::store::whole::{CopyError, Kept, KeptPages, Whole};
use daypass_core::store::{RevocationTarget, StoreError, StoredLoginGrant};
use rusqlite::types::Value;
use rusqlite::{Connection, Result, Row, named_params};

use super::file::trail_folder;
use super::open::OpenError;
use super::trouble::Failure;
use super::value::{Instant, Text, integer};
use super::{
    audit_exports, device_authorizations, identities, keys, login_grants, logins, open, pools, seals,
    sign_in_sessions, unproved_refusals,
};
use crate::trail::TrailTrouble;
use crate::trail::whole as lines;

/// As many rows are read at once.
const AT_ONCE: usize = 1_000;

/// A store in a file that nobody else has open.
pub struct SqliteWhole {
    connection: Mutex<Connection>,
    path: PathBuf,
    pub(super) folder: PathBuf,
}

impl SqliteWhole {
    /// Opens the store in a file, of this version.
    ///
    /// # Errors
    /// [`OpenError`], above all if somebody else has it open.
    pub fn open(path: &Path) -> std::result::Result<Self, OpenError> {
        ensure_there(path)?;
        Ok(Self::over(open::exclusive(path)?, path))
    }

    /// Finds out that nobody has the store in a file open.
    ///
    /// # Errors
    /// [`OpenError`], above all if somebody has.
    pub fn ensure_unused(path: &Path) -> std::result::Result<(), OpenError> {
        ensure_there(path)?;
        open::exclusive(path).map(drop)
    }

    pub(super) fn over(connection: Connection, path: &Path) -> Self {
        Self { connection: Mutex::new(connection), path: path.to_owned(), folder: trail_folder(path) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an error of SQLite's means.
    pub(super) fn failed(&self, error: rusqlite::Error) -> CopyError {
        CopyError::Store(Failure::of(&self.path, Arc::new(error)).into())
    }

    /// What an error of the trail's files means.
    pub(super) fn failed_file(&self, error: io::Error) -> CopyError {
        CopyError::Store(StoreError::from(TrailTrouble::file(&self.folder)(error)))
    }
}

fn ensure_there(path: &Path) -> std::result::Result<(), OpenError> {
    match path.try_exists() {
        Ok(true) => Ok(()),
        Ok(false) => Err(OpenError::NotThere { path: path.to_owned() }),
        Err(source) => Err(OpenError::Unseen { path: path.to_owned(), source }),
    }
}

#[async_trait]
impl Whole for SqliteWhole {
    async fn kept(&self, now: Timestamp) -> std::result::Result<Box<dyn KeptPages + '_>, CopyError> {
        Ok(Box::new(Pages { store: self, now, table: 0, after: None }))
    }

    async fn first_line(&self) -> std::result::Result<Option<u64>, CopyError> {
        lines::first_line(&self.folder).map_err(|error| self.failed_file(error))
    }

    async fn lines_after(&self, line: u64) -> std::result::Result<Vec<u8>, CopyError> {
        lines::lines_after(&self.folder, line).map_err(|error| self.failed_file(error))
    }
}

struct Pages<'a> {
    store: &'a SqliteWhole,
    now: Timestamp,
    /// The table that is read, and the key behind which it is read on.
    table: usize,
    after: Option<Value>,
}

#[async_trait]
impl KeptPages for Pages<'_> {
    async fn next(&mut self) -> std::result::Result<Vec<Kept>, CopyError> {
        while let Some(table) = TABLES.get(self.table) {
            let after = self.after.take();
            let read = table(&self.store.connection(), after.as_ref(), self.now);
            let (page, last) = read.map_err(|error| self.store.failed(error))?;
            match last {
                Some(last) => self.after = Some(last),
                None => self.table += 1,
            }
            if !page.is_empty() {
                return Ok(page);
            }
        }
        Ok(Vec::new())
    }
}

/// A page of a table, and the key behind which the next one begins, if there may be one.
type Page = Result<(Vec<Kept>, Option<Value>)>;

type Read = fn(&Connection, Option<&Value>, Timestamp) -> Page;

/// Every table, but for what nobody sees. Those of which there is much are read in several pages.
const TABLES: [Read; 13] = [
    |connection, _, _| {
        whole(list(connection, pools::ALL, (), |row| Ok(Kept::Pool(Box::new(pools::pool(row)?)))))
    },
    |connection, _, _| whole(configured_names(connection)),
    people,
    |connection, _, _| {
        let keys = keys::list_access_keys(connection)?.into_iter();
        whole(Ok(keys.map(|key| Kept::AccessKey(Box::new(key))).collect()))
    },
    |connection, _, _| {
        whole(Ok(keys::list_signing_keys(connection)?.into_iter().map(Kept::SigningKey).collect()))
    },
    |connection, _, _| whole(Ok(seals::master_keys(connection)?.into_iter().map(Kept::MasterKey).collect())),
    |connection, _, _| whole(revocations(connection)),
    sessions,
    |connection, _, now| {
        let sql = "SELECT * FROM device_authorization WHERE forgotten_at > ?1";
        whole(list(connection, sql, [Instant(now)], |row| {
            Ok(Kept::DeviceAuthorization(Box::new(device_authorizations::device_authorization(row)?)))
        }))
    },
    |connection, _, now| whole(login_grants(connection, now)),
    used_names,
    |connection, _, _| whole(exporters(connection)),
    |connection, _, _| whole(refusals(connection)),
];

fn whole(kept: Result<Vec<Kept>>) -> Page {
    Ok((kept?, None))
}

fn list<P: rusqlite::Params>(
    connection: &Connection,
    sql: &str,
    parameters: P,
    kept: impl FnMut(&Row<'_>) -> Result<Kept>,
) -> Result<Vec<Kept>> {
    connection.prepare_cached(sql)?.query_map(parameters, kept)?.collect()
}

fn configured_names(connection: &Connection) -> Result<Vec<Kept>> {
    let sql =
        "SELECT name, id FROM configured_pool JOIN identity_pool USING (incarnation) WHERE id IS NOT NULL";
    list(connection, sql, (), |row| {
        let Text(pool_id): Text<IdentityPoolId> = row.get("id")?;
        Ok(Kept::ConfiguredName { name: row.get("name")?, pool_id })
    })
}

/// Goes on behind the last row of a full page.
fn next_of<T>(rows: &[T], key: impl Fn(&T) -> Value) -> Option<Value> {
    rows.last().filter(|_| rows.len() >= AT_ONCE).map(key)
}

fn people(connection: &Connection, after: Option<&Value>, _: Timestamp) -> Page {
    let sql = "SELECT id, pool_id, authenticated, disabled, created_at, modified_at FROM living_identity
         WHERE id > coalesce(?1, x'') ORDER BY id LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map((after, integer(AT_ONCE)), identities::identity)?;
    let found: Vec<_> = found.collect::<Result<_>>()?;
    let next = next_of(&found, |identity| Value::Blob(packed(identity.id.as_str())));
    let people = found
        .into_iter()
        .map(|identity| Ok(Kept::Identity(Box::new(logins::with_logins(connection, identity)?))));
    Ok((people.collect::<Result<_>>()?, next))
}

fn revocations(connection: &Connection) -> Result<Vec<Kept>> {
    list(connection, "SELECT kind, name, not_before FROM session_revocation", (), |row| {
        let kind: String = row.get("kind")?;
        let target = match &*kind {
            "identity" => RevocationTarget::Identity(row.get::<_, Text<_>>("name")?.0),
            "role" => RevocationTarget::Role(row.get::<_, Text<_>>("name")?.0),
            _ => RevocationTarget::Everybody,
        };
        Ok(Kept::Revocation { target, not_before: row.get::<_, Instant>("not_before")?.0 })
    })
}

/// A session of somebody whose pool was deleted is there until that is purged. Elsewhere it would pass for one of somebody in a pool of
/// Amazon's.
fn sessions(connection: &Connection, after: Option<&Value>, now: Timestamp) -> Page {
    let sql = "SELECT * FROM sign_in_session
         WHERE id > coalesce(:after, x'') AND forgotten_at > :now AND NOT EXISTS (
             SELECT 1 FROM identity JOIN identity_pool USING (incarnation)
             WHERE identity.id = sign_in_session.identity_id AND identity_pool.id IS NULL)
         ORDER BY id LIMIT :limit";
    let mut statement = connection.prepare_cached(sql)?;
    let parameters = named_params! { ":after": after, ":now": Instant(now), ":limit": integer(AT_ONCE) };
    let found = statement.query_map(parameters, sign_in_sessions::session)?;
    let found: Vec<_> = found.collect::<Result<_>>()?;
    let key = |id: &SignInSessionId| Value::Blob(id.to_bytes().to_vec());
    let next = next_of(&found, |session| key(&session.id));
    Ok((found.into_iter().map(|session| Kept::Session(Box::new(session))).collect(), next))
}

fn login_grants(connection: &Connection, now: Timestamp) -> Result<Vec<Kept>> {
    let sql = "SELECT code_hash, sealed, expires_at FROM login_grant WHERE expires_at > ?1";
    list(connection, sql, [Instant(now)], |row| {
        let grant: StoredLoginGrant = login_grants::grant(row)?;
        Ok(Kept::LoginGrant(grant))
    })
}

fn used_names(connection: &Connection, after: Option<&Value>, now: Timestamp) -> Page {
    let sql = "SELECT name, until FROM used_once WHERE (?1 IS NULL OR name > ?1) AND until > ?2 ORDER BY name LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map((after, Instant(now), integer(AT_ONCE)), |row| {
        Ok((row.get::<_, String>("name")?, row.get::<_, Instant>("until")?.0))
    })?;
    let found: Vec<_> = found.collect::<Result<_>>()?;
    let next = next_of(&found, |(name, _)| Value::Text(name.clone()));
    Ok((found.into_iter().map(|(name, until)| Kept::UsedName { name, until }).collect(), next))
}

fn exporters(connection: &Connection) -> Result<Vec<Kept>> {
    list(connection, "SELECT * FROM audit_export", (), |row| {
        Ok(Kept::ExportPosition { exporter: row.get("name")?, position: audit_exports::position(row)? })
    })
}

fn refusals(connection: &Connection) -> Result<Vec<Kept>> {
    let mut places = 0..;
    list(connection, "SELECT * FROM unproved_refusal ORDER BY id", (), |row| {
        let event = Box::new(unproved_refusals::event(row)?);
        Ok(Kept::Refusal { place: places.next().unwrap_or_default(), event })
    })
}
