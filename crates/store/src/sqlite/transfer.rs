//! Pools on their way out of the database and into it, with everybody in them.
//!
//! Out, a connection of its own reads on within one transaction: under WAL it sees one state of the database,
//! and writers do not wait for it. In, all of it is one transaction, of a connection of its own too, so that
//! a process that is killed meanwhile leaves nothing; whoever else writes waits for its end.
//!
//! A row costs little if it comes after the one before it, and much if it comes anywhere. Identities come in order.
//! Their logins do not, so they wait in a temporary table until all are there and can be sorted, and their second
//! index is made anew.

use std::sync::Arc;
use std::vec;

use async_trait::async_trait;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::{IdentityPool, Login};
use daypass_core::records::identity_record::IdentityRecord;
use daypass_core::store::packed::are_ordered_as_texts;
use daypass_core::store::transfer::{
    Checked, ImportError, Imported, PoolImport, PoolSnapshot, SnapshotPages,
};
use daypass_core::store::{Page, StoreError};
use rusqlite::{Connection, Result, TransactionBehavior};

use super::file::DatabaseFile;
use super::value::Packed;
use super::{identities, logins, open, pools};

/// Enough to sort by.
const IMPORT_CACHE_KIBIBYTES: i32 = 64 * 1024;

pub(super) fn snapshot(
    connection: Connection,
    file: Arc<DatabaseFile>,
    id: &IdentityPoolId,
) -> Result<Option<PoolSnapshot>> {
    connection.execute_batch("BEGIN")?;
    let Some(pool) = pools::lookup(&connection, id)? else { return Ok(None) };
    Ok(Some(PoolSnapshot {
        pool,
        configured_as: pools::configured_as(&connection, id)?,
        identities: count(&connection, id)?,
        pages: Box::new(Pages { order: Order::of(&connection, id)?, connection, file, pool_id: id.clone() }),
    }))
}

/// Dropped, the connection ends its transaction.
struct Pages {
    connection: Connection,
    file: Arc<DatabaseFile>,
    pool_id: IdentityPoolId,
    order: Order,
}

/// How rows come in the order of IDs as texts: theirs is that of packed ones.
enum Order {
    /// It is the same, behind an ID.
    OfRows(Option<IdentityId>),
    /// It is another, as the pool has IDs of several Regions, or in odd forms. These are left.
    OfTexts(vec::IntoIter<IdentityId>),
}

impl Order {
    fn of(connection: &Connection, pool_id: &IdentityPoolId) -> Result<Self> {
        const ENDS: &str = "SELECT min(id), max(id) FROM living_identity WHERE pool_id = ?1";
        let ends = connection.query_one(ENDS, [pool_id.as_str()], |row| {
            Ok(row.get::<_, Option<Vec<u8>>>(0)?.zip(row.get::<_, Option<Vec<u8>>>(1)?))
        })?;
        if ends.is_none_or(|(first, last)| are_ordered_as_texts(&first, &last)) {
            return Ok(Self::OfRows(None));
        }
        let mut statement = connection.prepare("SELECT id FROM living_identity WHERE pool_id = ?1")?;
        let ids = statement.query_map([pool_id.as_str()], |row| row.get::<_, Packed<_>>(0))?;
        let mut ids: Vec<IdentityId> = ids.map(|id| id.map(|Packed(id)| id)).collect::<Result<_>>()?;
        ids.sort_unstable();
        Ok(Self::OfTexts(ids.into_iter()))
    }
}

impl Pages {
    fn read(&mut self, limit: usize) -> Result<Vec<IdentityRecord>> {
        let identities = match &mut self.order {
            Order::OfRows(after) => {
                let page = Page { after: after.clone(), limit };
                let listed = identities::list(&self.connection, &self.pool_id, false, &page)?;
                *after = listed.last().map(|identity| identity.id.clone()).or(after.take());
                listed
            }
            Order::OfTexts(ids) => ids
                .take(limit)
                .filter_map(|id| identities::lookup(&self.connection, &id).transpose())
                .collect::<Result<_>>()?,
        };
        identities.into_iter().map(|identity| logins::with_logins(&self.connection, identity)).collect()
    }
}

#[async_trait]
impl SnapshotPages for Pages {
    async fn next(&mut self, limit: usize) -> std::result::Result<Vec<IdentityRecord>, StoreError> {
        self.read(limit).map_err(|error| self.file.failure(error).into())
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

type Attempt<T> = std::result::Result<T, Undone>;

pub(super) fn import(file: &DatabaseFile, import: PoolImport) -> std::result::Result<Imported, ImportError> {
    let connection = open::writer(file.path()).map_err(|error| StoreError::Unavailable(error.into()))?;
    let imported = import_or_undo(connection, import).map_err(|undone| match undone {
        Undone::Refused(error) => error,
        Undone::Failed(error) => StoreError::from(file.failure(error)).into(),
    })?;
    file.check_all().map_err(StoreError::from)?;
    Ok(imported)
}

/// Whatever does not come to the commit, dropping the transaction undoes.
fn import_or_undo(mut connection: Connection, import: PoolImport) -> Attempt<Imported> {
    let PoolImport { pool, configured_as, records } = import;
    prepare(&connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let there = count(&transaction, &pool.id)?;
    let changed = there == 0;
    let Counts { identities, logins } = if changed {
        put(&transaction, &pool)?;
        let counts = add_all(&transaction, records)?;
        add_staged_logins(&transaction, &pool.id)?;
        counts
    } else {
        compare_all(&transaction, there, records)?
    };
    let configured = configured_as.map_or(Ok(false), |name| configure(&transaction, &name, &pool.id))?;
    transaction.commit()?;
    Ok(Imported { identities, logins, changed, configured })
}

/// What a foreign key would look up for each row is so by construction: the pool and the identity of every login are
/// added by the same transaction.
fn prepare(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "cache_size", -IMPORT_CACHE_KIBIBYTES)?;
    connection.execute_batch(
        "CREATE TEMP TABLE staged_login (provider TEXT NOT NULL, user TEXT NOT NULL, identity_id BLOB NOT NULL)",
    )
}

fn add_all(connection: &Connection, records: Checked) -> Attempt<Counts> {
    let mut counts = Counts::default();
    for record in records {
        let record = record?;
        if let Err(error) = identities::add(connection, &record.identity) {
            return Err(identity_taken(connection, &record.identity.id, error)?);
        }
        record.logins.iter().try_for_each(|login| stage(connection, login, &record.identity.id))?;
        counts.add(&record);
    }
    Ok(counts)
}

fn stage(connection: &Connection, login: &Login, owner: &IdentityId) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO temp.staged_login VALUES (?1, ?2, ?3)")?
        .execute((logins::column(&login.provider), &login.user, Packed(owner)))
        .map(drop)
}

fn add_staged_logins(connection: &Connection, pool_id: &IdentityPoolId) -> Attempt<()> {
    const INDEX: &str = "SELECT sql FROM sqlite_schema WHERE name = 'login_by_identity'";
    let index: String = connection.query_one(INDEX, [], |row| row.get(0))?;
    connection.execute_batch("DROP INDEX login_by_identity")?;
    let added = connection.execute(
        "INSERT INTO login (incarnation, provider, user, identity_id)
         SELECT (SELECT incarnation FROM identity_pool WHERE id = ?1), provider, user, identity_id
         FROM temp.staged_login ORDER BY provider, user",
        [pool_id.as_str()],
    );
    match added {
        Ok(_) => Ok(connection.execute_batch(&index)?),
        Err(error) => Err(login_taken(connection, error)?),
    }
}

/// Who has the ID, if that is why an identity could not be added.
fn identity_taken(connection: &Connection, id: &IdentityId, error: rusqlite::Error) -> Result<Undone> {
    let owner = if identities::is_constraint(&error) { identities::lookup(connection, id)? } else { None };
    Ok(owner.map_or(error.into(), |owner| {
        ImportError::IdentityTaken { id: id.clone(), pool_id: owner.pool_id }.into()
    }))
}

/// Who has which login, if that is why logins could not be added: the pool had none, so two of them are one.
fn login_taken(connection: &Connection, error: rusqlite::Error) -> Result<Undone> {
    if !identities::is_constraint(&error) {
        return Ok(error.into());
    }
    connection.query_one(
        "SELECT min(identity_id) AS owner, max(identity_id) AS id FROM temp.staged_login
         GROUP BY provider, user HAVING count(*) > 1 LIMIT 1",
        [],
        |row| {
            let (Packed(id), Packed(owner)) = (row.get("id")?, row.get("owner")?);
            Ok(ImportError::LoginTaken { id, owner }.into())
        },
    )
}

/// Finds that all that is brought is there, and nothing else.
fn compare_all(connection: &Connection, there: u64, records: Checked) -> Attempt<Counts> {
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
    Ok(record.is_same_as(&logins::with_logins(connection, identity)?))
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
    pools::configure(connection, name, id)?;
    let found = pools::find_configured(connection, name)?;
    Ok(found.is_some_and(|found| found.id == *id))
}

fn count(connection: &Connection, id: &IdentityPoolId) -> Result<u64> {
    connection
        .prepare_cached("SELECT count(*) FROM living_identity WHERE pool_id = ?1")?
        .query_one([id.as_str()], |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
}
