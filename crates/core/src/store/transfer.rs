//! Pools that move from one store to another with everybody in them: what is read out of the one store and
//! brought into the other.

use async_trait::async_trait;

use crate::ground::counting::counted;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::IdentityPool;
use crate::records::identity_record::IdentityRecord;
use crate::store::StoreError;

/// A pool as it lay in a store at one moment. Changes made since neither wait for it nor show in it. Each identity is
/// whole; a store that cannot read all of them at one moment may have read two of them at different ones, before it
/// handed out the snapshot.
pub struct PoolSnapshot {
    /// The pool.
    pub pool: IdentityPool,
    /// The name under which a configuration finds it, if one does.
    pub configured_as: Option<String>,
    /// How many identities it has.
    pub identities: u64,
    /// The identities themselves.
    pub pages: Box<dyn SnapshotPages>,
}

/// The identities of a snapshot, page by page.
#[async_trait]
pub trait SnapshotPages: Send {
    /// The next identities in order of their IDs, `limit` at most. An empty page is the end.
    async fn next(&mut self, limit: usize) -> Result<Vec<IdentityRecord>, StoreError>;
}

/// Identities on their way into a store. An error ends them, and undoes the import.
pub type Records = Box<dyn Iterator<Item = Result<IdentityRecord, SourceError>> + Send>;

/// Why there are no more identities to import: the end was not the end.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// A pool to bring into a store with everybody in it.
pub struct PoolImport {
    /// The pool. Its version does not count.
    pub pool: IdentityPool,
    /// The name under which a configuration is to find it, unless that name leads to a pool already.
    pub configured_as: Option<String>,
    /// Its identities, in order of their IDs.
    pub records: Checked,
}

impl PoolImport {
    /// The pool, and records that have to be all in it, in order of their IDs.
    #[must_use]
    pub fn new(pool: IdentityPool, configured_as: Option<String>, records: Records) -> Self {
        let records = Checked { pool_id: pool.id.clone(), last: None, records };
        Self { pool, configured_as, records }
    }
}

/// Records that were checked: a store never sees one twice, nor one that it could not have made itself.
pub struct Checked {
    pool_id: IdentityPoolId,
    last: Option<IdentityId>,
    records: Records,
}

impl Checked {
    fn check(&mut self, record: &IdentityRecord) -> Result<(), String> {
        let id = &record.identity.id;
        if self.last.as_ref().is_some_and(|last| last >= id) {
            return Err(format!("the identity {id} is out of order, or there twice"));
        }
        if record.identity.pool_id != self.pool_id {
            return Err(format!("the identity {id} belongs to another pool"));
        }
        record.check().map_err(|why| format!("the identity {id} {why}"))?;
        self.last = Some(id.clone());
        Ok(())
    }
}

impl Iterator for Checked {
    type Item = Result<IdentityRecord, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.records.next()?.map_err(ImportError::Source).and_then(|record| {
            self.check(&record).map_err(|why| ImportError::Source(why.into()))?;
            Ok(record)
        }))
    }
}

/// What an import came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// How many identities the pool has.
    pub identities: u64,
    /// How many logins they have.
    pub logins: u64,
    /// `false` if all of them were there already.
    pub changed: bool,
    /// Whether the name of the configuration leads to this pool now.
    pub configured: bool,
}

/// Why nothing was imported. The store is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// What was to be imported did not come to a good end.
    #[error(transparent)]
    Source(SourceError),
    /// The ID of an identity is another one's.
    #[error("the identity {id} is there already, in the pool {pool_id}")]
    IdentityTaken {
        /// The identity.
        id: IdentityId,
        /// The pool that has it.
        pool_id: IdentityPoolId,
    },
    /// Two identities are to have one login.
    #[error("the identity {id} brings a login that {owner} has already")]
    LoginTaken {
        /// The identity.
        id: IdentityId,
        /// Whose login it is.
        owner: IdentityId,
    },
    /// The pool has identities, and this one is not there, or is another.
    #[error("the pool has identities already, and {0} is not among them as it is here")]
    Differs(IdentityId),
    /// The pool has all the identities, and others.
    #[error("the pool has {} not found here", counted(*.0, "identity", "identities"))]
    HasMore(u64),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
