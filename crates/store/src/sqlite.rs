//! The store in one SQLite file: for a laptop, and for a single server, which needs nothing beside it.
//!
//! Reads run on the task that asks (`readers.rs`); changes are queued for one thread that commits them
//! in groups (`writer.rs`). Other processes may use the same file at the same time.

mod audit;
mod backup;
mod copy;
mod file;
mod identities;
mod keys;
mod login_grants;
mod logins;
mod open;
mod pools;
mod readers;
mod readiness;
mod restore;
mod revocations;
mod transfer;
mod trouble;
mod used_once;
mod value;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use daypass_core::audit::{AuditEvent, AuditSubject};
use daypass_core::ground::clock::{Clock, Timestamp};
use daypass_core::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId, RoleName};
use daypass_core::records::identity::{Identity, IdentityPool, Login};
use daypass_core::records::linking::{LinkRequest, MergeRequest, UnlinkRequest};
use daypass_core::records::standing::Standing;
use daypass_core::store::transfer::{ImportError, Imported, PoolImport, PoolSnapshot};
use daypass_core::store::{
    AccessKeyOutcome, LinkOutcome, Page, ReplaceOutcome, RevocationTarget, Store, StoreError,
    StoredAccessKey, StoredLoginGrant, StoredSigningKey, UnlinkOutcome,
};

pub use self::backup::back_up;
pub use self::copy::{Contents, CopyError};
use self::file::DatabaseFile;
pub use self::open::OpenError;
use self::readers::Readers;
use self::readiness::Readiness;
pub use self::restore::Restoration;
use self::writer::Writer;

/// A store in a SQLite file.
pub struct SqliteStore {
    // Dropped in this order: whoever closes the file last empties the WAL into it, and a reader cannot.
    readers: Readers,
    writer: Writer,
    file: Arc<DatabaseFile>,
    readiness: Readiness,
}

impl SqliteStore {
    /// Opens the database in `path`, making it if it does not exist, for its owner's eyes only.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (connection, file) = open::database(path)?;
        let file = Arc::new(file);
        let writer = Writer::start(connection, file.clone())
            .map_err(|source| OpenError::NoThread { path: path.to_owned(), source })?;
        Ok(Self { readers: Readers::new(file.clone()), writer, file, readiness: Readiness::default() })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn add_pool(&self, pool: &IdentityPool) -> Result<(), StoreError> {
        let pool = pool.clone();
        self.writer.write(move |connection| pools::add(connection, &pool)).await
    }

    async fn find_or_add_configured_pool(
        &self,
        name: &str,
        candidate: &IdentityPool,
    ) -> Result<IdentityPool, StoreError> {
        if let Some(pool) = self.readers.read(|connection| pools::find_configured(connection, name))? {
            return Ok(pool);
        }
        let (name, candidate) = (name.to_owned(), candidate.clone());
        self.writer
            .write(move |connection| pools::find_or_add_configured(connection, &name, &candidate))
            .await
    }

    async fn lookup_pool(&self, id: &IdentityPoolId) -> Result<Option<IdentityPool>, StoreError> {
        self.readers.read(|connection| pools::lookup(connection, id))
    }

    async fn list_pools(&self, page: Page<IdentityPoolId>) -> Result<Vec<IdentityPool>, StoreError> {
        self.readers.read(|connection| pools::list(connection, &page))
    }

    async fn replace_pool(&self, pool: &IdentityPool) -> Result<ReplaceOutcome, StoreError> {
        let pool = pool.clone();
        self.writer.write(move |connection| pools::replace(connection, &pool)).await
    }

    async fn delete_pool(&self, id: &IdentityPoolId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.writer.write(move |connection| pools::delete(connection, &id)).await
    }

    async fn add_guest(
        &self,
        pool_id: &IdentityPoolId,
        id: &IdentityId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (pool_id, id) = (pool_id.clone(), id.clone());
        self.writer.write(move |connection| identities::add_guest(connection, &pool_id, &id, now)).await
    }

    async fn lookup_identity(&self, id: &IdentityId) -> Result<Option<Identity>, StoreError> {
        self.readers.read(|connection| identities::lookup(connection, id))
    }

    async fn link_logins(&self, request: &LinkRequest) -> Result<LinkOutcome, StoreError> {
        if let Some(known) = self.readers.read(|connection| logins::find_known(connection, request))? {
            return Ok(known);
        }
        let request = request.clone();
        self.writer.write(move |connection| logins::link(connection, &request)).await
    }

    async fn merge_developer_users(&self, request: &MergeRequest) -> Result<LinkOutcome, StoreError> {
        let request = request.clone();
        self.writer.write(move |connection| logins::merge(connection, &request)).await
    }

    async fn unlink(&self, request: &UnlinkRequest) -> Result<UnlinkOutcome, StoreError> {
        let request = request.clone();
        self.writer.write(move |connection| logins::unlink(connection, &request)).await
    }

    async fn find_identity_by_login(
        &self,
        pool_id: &IdentityPoolId,
        login: &Login,
    ) -> Result<Option<IdentityId>, StoreError> {
        self.readers.read(|connection| logins::find_identity(connection, pool_id, login))
    }

    async fn list_logins_of_each(&self, identity_ids: &[IdentityId]) -> Result<Vec<Vec<Login>>, StoreError> {
        self.readers.read(|connection| logins::list_of_each(connection, identity_ids))
    }

    async fn delete_identities(&self, ids: &[IdentityId]) -> Result<(), StoreError> {
        let ids = ids.to_vec();
        self.writer
            .write(move |connection| ids.iter().try_for_each(|id| identities::delete(connection, id)))
            .await
    }

    async fn list_identities(
        &self,
        pool_id: &IdentityPoolId,
        hide_disabled: bool,
        page: Page<IdentityId>,
    ) -> Result<Vec<Identity>, StoreError> {
        self.readers.read(|connection| identities::list(connection, pool_id, hide_disabled, &page))
    }

    async fn snapshot_pool(&self, id: &IdentityPoolId) -> Result<Option<PoolSnapshot>, StoreError> {
        let snapshot = transfer::snapshot(self.readers.open_another()?, self.file.clone(), id);
        snapshot.map_err(|error| self.file.failure(error).into())
    }

    async fn import_pool(&self, import: PoolImport) -> Result<Imported, ImportError> {
        let file = self.file.clone();
        let imported = tokio::task::spawn_blocking(move || transfer::import(&file, import)).await;
        imported.map_err(|panicked| StoreError::Unavailable(panicked.into()))?
    }

    async fn list_or_add_signing_keys(
        &self,
        candidate: &StoredSigningKey,
    ) -> Result<Vec<StoredSigningKey>, StoreError> {
        let keys = self.list_signing_keys().await?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        let candidate = candidate.clone();
        self.writer.write(move |connection| keys::list_or_add_signing_keys(connection, &candidate)).await
    }

    async fn list_signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError> {
        self.readers.read(keys::list_signing_keys)
    }

    async fn find_or_add_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<StoredAccessKey, StoreError> {
        let candidate = candidate.clone();
        self.writer.write(move |connection| keys::find_or_add_access_key(connection, &candidate)).await
    }

    async fn lookup_access_key(&self, id: &AccessKeyId) -> Result<Option<StoredAccessKey>, StoreError> {
        self.readers.read(|connection| keys::lookup_access_key(connection, id))
    }

    async fn add_first_access_key(&self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError> {
        let key = key.clone();
        self.writer.write(move |connection| keys::add_first_access_key(connection, &key)).await
    }

    async fn add_further_access_key(
        &self,
        candidate: &StoredAccessKey,
    ) -> Result<AccessKeyOutcome, StoreError> {
        let candidate = candidate.clone();
        self.writer.write(move |connection| keys::add_further_access_key(connection, &candidate)).await
    }

    async fn list_access_keys(&self) -> Result<Vec<StoredAccessKey>, StoreError> {
        self.readers.read(keys::list_access_keys)
    }

    async fn set_access_key_enabled(
        &self,
        id: &AccessKeyId,
        enabled: bool,
    ) -> Result<AccessKeyOutcome, StoreError> {
        let id = id.clone();
        self.writer.write(move |connection| keys::set_access_key_enabled(connection, &id, enabled)).await
    }

    async fn delete_access_key(&self, id: &AccessKeyId) -> Result<AccessKeyOutcome, StoreError> {
        let id = id.clone();
        self.writer.write(move |connection| keys::delete_access_key(connection, &id)).await
    }

    async fn revoke_sessions(
        &self,
        target: &RevocationTarget,
        clock: Arc<dyn Clock>,
    ) -> Result<Timestamp, StoreError> {
        let target = target.clone();
        self.writer.write(move |connection| revocations::revoke(connection, &target, &*clock)).await
    }

    async fn standing(&self, identity_id: &IdentityId, role: &RoleName) -> Result<Standing, StoreError> {
        self.readers.read(|connection| revocations::standing(connection, identity_id, role))
    }

    async fn use_once(&self, name: &str, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.writer.write(move |connection| used_once::add(connection, &name, until, now)).await
    }

    async fn add_login_grant(&self, grant: &StoredLoginGrant, now: Timestamp) -> Result<(), StoreError> {
        let grant = grant.clone();
        self.writer.write(move |connection| login_grants::add(connection, &grant, now)).await
    }

    async fn redeem_login_grant(
        &self,
        code_hash: &str,
        now: Timestamp,
    ) -> Result<Option<StoredLoginGrant>, StoreError> {
        let code_hash = code_hash.to_owned();
        self.writer.write(move |connection| login_grants::redeem(connection, &code_hash, now)).await
    }

    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let events = events.to_vec();
        self.writer
            .write(move |connection| events.iter().try_for_each(|event| audit::add(connection, event)))
            .await
    }

    async fn list_audit_events(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        self.readers.read(|connection| audit::list(connection, about, limit))
    }

    async fn add_unproved_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let events = events.to_vec();
        self.writer.write(move |connection| audit::add_unproved(connection, &events)).await
    }

    async fn list_unproved_refusals(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        self.readers.read(|connection| audit::list_unproved(connection, about, limit))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.file.check_all()?;
        self.readiness.ask(&self.file, &self.writer).await
    }
}
