//! Pools on their way out of the database and into it, with everybody in them.
//!
//! Out, a connection of its own reads on within one transaction: under WAL it sees one state of the database,
//! and writers do not wait for it. In, all of it is one transaction of the writer's, so that a
//! process that is killed meanwhile leaves nothing; other processes that write wait for its end.

use async_trait::async_trait;
use daypass_core::identity::{Identity, IdentityPool, Login};
use daypass_core::ids::{IdentityId, IdentityPoolId};
use daypass_core::store::{Page, StoreError};
use daypass_core::transfer::{
    Checked, IdentityRecord, ImportError, Imported, PoolImport, PoolSnapshot, SnapshotPages,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Result, named_params};

use super::value::Instant;
use super::{identities, logins, pools, store_error};

/// What an import keeps in memory of the index over logins, which come in no order of theirs. With less,
/// its pages would go to the disk and back for each login.
const IMPORT_CACHE_KIBIBYTES: i32 = 256 * 1024;

pub(super) fn snapshot(connection: Connection, id: &IdentityPoolId) -> Result<Option<PoolSnapshot>> {
    connection.execute_batch("BEGIN")?;
    let Some(pool) = pools::lookup(&connection, id)? else { return Ok(None) };
    Ok(Some(PoolSnapshot {
        pool,
        configured_as: configured_as(&connection, id)?,
        identities: count(&connection, id)?,
        pages: Box::new(Pages { connection, pool_id: id.clone(), after: None }),
    }))
}

/// Dropped, the connection ends its transaction.
struct Pages {
    connection: Connection,
    pool_id: IdentityPoolId,
    after: Option<IdentityId>,
}

impl Pages {
    fn read(&self, limit: usize) -> Result<Vec<IdentityRecord>> {
        let page = Page { after: self.after.clone(), limit };
        identities::list(&self.connection, &self.pool_id, false, &page)?
            .into_iter()
            .map(|identity| {
                let logins = logins::list(&self.connection, &identity.id)?;
                Ok(IdentityRecord { identity, logins })
            })
            .collect()
    }
}

#[async_trait]
impl SnapshotPages for Pages {
    async fn next(&mut self, limit: usize) -> std::result::Result<Vec<IdentityRecord>, StoreError> {
        let page = self.read(limit).map_err(store_error)?;
        if let Some(last) = page.last() {
            self.after = Some(last.identity.id.clone());
        }
        Ok(page)
    }
}

/// What an import has brought so far.
#[derive(Default)]
struct Counts {
    identities: u64,
    logins: u64,
}

impl Counts {
    fn add(&mut self, record: &IdentityRecord) {
        self.identities += 1;
        self.logins += record.logins.len() as u64;
    }
}

/// Why an import is undone.
enum Undone {
    Refused(ImportError),
    Failed(rusqlite::Error),
}

impl From<ImportError> for Undone {
    fn from(error: ImportError) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Undone {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

pub(super) fn import(
    connection: &Connection,
    import: PoolImport,
) -> Result<std::result::Result<Imported, ImportError>> {
    match import_or_undo(connection, import) {
        Ok(imported) => Ok(Ok(imported)),
        Err(Undone::Refused(error)) => Ok(Err(error)),
        Err(Undone::Failed(error)) => Err(error),
    }
}

fn import_or_undo(connection: &Connection, import: PoolImport) -> std::result::Result<Imported, Undone> {
    let PoolImport { pool, configured_as, records } = import;
    let there = count(connection, &pool.id)?;
    let changed = there == 0;
    let Counts { identities, logins } = if changed {
        put(connection, &pool)?;
        with_large_cache(connection, || add_all(connection, records))?
    } else {
        compare_all(connection, there, records)?
    };
    let configured = configured_as.map_or(Ok(false), |name| configure(connection, &name, &pool.id))?;
    Ok(Imported { identities, logins, changed, configured })
}

fn with_large_cache<T>(
    connection: &Connection,
    import: impl FnOnce() -> std::result::Result<T, Undone>,
) -> std::result::Result<T, Undone> {
    let usual: i32 = connection.pragma_query_value(None, "cache_size", |row| row.get(0))?;
    connection.pragma_update(None, "cache_size", -IMPORT_CACHE_KIBIBYTES)?;
    let imported = import();
    connection.pragma_update(None, "cache_size", usual)?;
    imported
}

fn add_all(connection: &Connection, records: Checked) -> std::result::Result<Counts, Undone> {
    let mut counts = Counts::default();
    for record in records {
        let record = record?;
        add(connection, &record)?;
        counts.add(&record);
    }
    Ok(counts)
}

fn add(connection: &Connection, record: &IdentityRecord) -> std::result::Result<(), Undone> {
    let IdentityRecord { identity, logins } = record;
    if let Err(error) = add_identity(connection, identity) {
        return Err(identity_taken(connection, &identity.id, error)?);
    }
    for login in logins {
        if let Err(error) = logins::add(connection, &identity.pool_id, login, &identity.id) {
            return Err(login_taken(connection, identity, login, error)?);
        }
    }
    Ok(())
}

fn add_identity(connection: &Connection, identity: &Identity) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO identity (id, pool_id, authenticated, disabled, created_at, modified_at)
             VALUES (:id, :pool_id, :authenticated, :disabled, :created_at, :modified_at)",
        )?
        .execute(named_params! {
            ":id": identity.id.as_str(),
            ":pool_id": identity.pool_id.as_str(),
            ":authenticated": identity.authenticated,
            ":disabled": identity.disabled,
            ":created_at": Instant(identity.created_at),
            ":modified_at": Instant(identity.modified_at),
        })
        .map(drop)
}

/// Who has the ID, if that is why an identity could not be added.
fn identity_taken(connection: &Connection, id: &IdentityId, error: rusqlite::Error) -> Result<Undone> {
    let owner = if is_constraint(&error) { identities::lookup(connection, id)? } else { None };
    Ok(owner.map_or(error.into(), |owner| {
        ImportError::IdentityTaken { id: id.clone(), pool_id: owner.pool_id }.into()
    }))
}

/// Who has the login, if that is why it could not be added.
fn login_taken(
    connection: &Connection,
    of: &Identity,
    login: &Login,
    error: rusqlite::Error,
) -> Result<Undone> {
    let taken = is_constraint(&error);
    let owner = if taken { logins::find_identity(connection, &of.pool_id, login)? } else { None };
    Ok(owner.map_or(error.into(), |owner| ImportError::LoginTaken { id: of.id.clone(), owner }.into()))
}

fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// Finds that all that is brought is there, and nothing else.
fn compare_all(connection: &Connection, there: u64, records: Checked) -> std::result::Result<Counts, Undone> {
    let mut counts = Counts::default();
    for record in records {
        let record = record?;
        if !is_there(connection, &record)? {
            return Err(ImportError::Differs(record.identity.id).into());
        }
        counts.add(&record);
    }
    match there.saturating_sub(counts.identities) {
        0 => Ok(counts),
        more => Err(ImportError::HasMore(more).into()),
    }
}

fn is_there(connection: &Connection, record: &IdentityRecord) -> Result<bool> {
    let id = &record.identity.id;
    let Some(identity) = identities::lookup(connection, id)? else { return Ok(false) };
    let logins = logins::list(connection, id)?;
    Ok(record.is_same_as(&IdentityRecord { identity, logins }))
}

/// Adds the pool, or gives the one there is the settings that are brought.
fn put(connection: &Connection, pool: &IdentityPool) -> Result<()> {
    let stored = pools::lookup(connection, &pool.id)?;
    match stored {
        None => pools::add(connection, &IdentityPool { version: 1, ..pool.clone() }),
        Some(stored) => {
            pools::replace(connection, &IdentityPool { version: stored.version, ..pool.clone() }).map(drop)
        }
    }
}

/// Has a name of a configuration lead to the pool, if it leads to none. Answers whether it leads there now.
fn configure(connection: &Connection, name: &str, id: &IdentityPoolId) -> Result<bool> {
    connection
        .prepare_cached("INSERT INTO configured_pool (name, pool_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute([name, id.as_str()])?;
    let found = pools::find_configured(connection, name)?;
    Ok(found.is_some_and(|found| found.id == *id))
}

fn configured_as(connection: &Connection, id: &IdentityPoolId) -> Result<Option<String>> {
    connection
        .prepare_cached("SELECT name FROM configured_pool WHERE pool_id = ?1 ORDER BY name LIMIT 1")?
        .query_one([id.as_str()], |row| row.get(0))
        .optional()
}

fn count(connection: &Connection, id: &IdentityPoolId) -> Result<u64> {
    connection
        .prepare_cached("SELECT count(*) FROM identity WHERE pool_id = ?1")?
        .query_one([id.as_str()], |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
}
