//! Pools that move from one store to another with everybody in them: what is read out of the one store and
//! brought into the other.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, IdentityPool, Login, LoginProvider};
use crate::records::limits::{MAX_DEVELOPER_USER, MAX_LOGINS};
use crate::store::StoreError;

/// An identity and all its logins, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRecord {
    /// The identity.
    pub identity: Identity,
    /// Every login that is linked to it, in order.
    pub logins: Vec<Login>,
}

impl IdentityRecord {
    /// Says what is wrong with an identity that no linking and merging can have made.
    ///
    /// # Errors
    /// The reason, in words that go on after "it".
    pub fn check(&self) -> Result<(), &'static str> {
        let Self { identity, logins } = self;
        let mut public = BTreeSet::new();
        let twice = logins.iter().any(|login| match &login.provider {
            LoginProvider::Developer => false,
            LoginProvider::Public(name) => !public.insert(name),
        });
        let refused = [
            (logins.len() > MAX_LOGINS, "has more logins than an identity may have"),
            (twice, "has two users of one public provider"),
            (!logins.is_sorted_by(|a, b| a < b), "has logins out of order, or one of them twice"),
            (identity.disabled && !logins.is_empty(), "is disabled and has logins"),
            (!identity.authenticated && !logins.is_empty(), "is a guest and has logins"),
            (!logins.iter().all(has_form), "has a login without a user, or with one that is too long"),
        ];
        refused.into_iter().find(|(is_so, _)| *is_so).map_or(Ok(()), |(_, why)| Err(why))
    }

    /// Whether this is what a store keeps of `other`, which keeps instants to the millisecond at least.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let instants = |record: &Self| {
            [record.identity.created_at, record.identity.modified_at].map(Timestamp::as_millisecond)
        };
        let Identity { id, pool_id, authenticated, disabled, .. } = &self.identity;
        let theirs = &other.identity;
        (id, pool_id, authenticated, disabled)
            == (&theirs.id, &theirs.pool_id, &theirs.authenticated, &theirs.disabled)
            && instants(self) == instants(other)
            && self.logins == other.logins
    }
}

fn has_form(login: &Login) -> bool {
    let named = !login.user.is_empty() && login.provider != LoginProvider::Public(String::new());
    named && login.developer_user_identifier().is_none_or(|user| user.chars().count() <= MAX_DEVELOPER_USER)
}

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
    #[error("the pool has {0} identities that are not here")]
    HasMore(u64),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(authenticated: bool, disabled: bool, logins: &[Login]) -> IdentityRecord {
        let identity = Identity {
            id: IdentityId::parse("us-east-1:01").unwrap(),
            pool_id: IdentityPoolId::parse("us-east-1:aa").unwrap(),
            authenticated,
            disabled,
            created_at: Timestamp::UNIX_EPOCH,
            modified_at: Timestamp::UNIX_EPOCH,
        };
        IdentityRecord { identity, logins: logins.to_vec() }
    }

    fn public(provider: &str, user: &str) -> Login {
        Login { provider: LoginProvider::Public(provider.into()), user: user.into() }
    }

    #[test]
    fn whatever_linking_makes_passes() {
        let logins = [Login::developer("a"), Login::developer("b"), public("x", "1"), public("y", "1")];
        for record in [
            record(false, false, &[]),
            record(true, false, &[]),
            record(true, true, &[]),
            record(false, true, &[]),
            record(true, false, &logins),
            record(true, false, &[Login::developer("é".repeat(1024))]),
        ] {
            assert_eq!(record.check(), Ok(()), "{record:?}");
        }
    }

    #[test]
    fn what_linking_never_makes_is_refused() {
        let many: Vec<_> = (0..=MAX_LOGINS).map(|user| Login::developer(format!("{user:02}"))).collect();
        for (record, why) in [
            (record(true, false, &many), "more logins"),
            (record(true, false, &[public("x", "1"), public("x", "2")]), "two users"),
            (record(true, false, &[Login::developer("b"), Login::developer("a")]), "out of order"),
            (record(true, false, &[Login::developer("a"), Login::developer("a")]), "twice"),
            (record(true, true, &[Login::developer("a")]), "disabled"),
            (record(false, false, &[Login::developer("a")]), "guest"),
            (record(true, false, &[Login::developer("")]), "without a user"),
            (record(true, false, &[public("", "a")]), "without a user"),
            (record(true, false, &[Login::developer("é".repeat(1025))]), "too long"),
        ] {
            let refused = record.check().expect_err("a refusal");
            assert!(refused.contains(why), "{refused}: {record:?}");
        }
    }

    #[test]
    fn instants_are_the_same_if_their_milliseconds_are() {
        let mut one = record(true, false, &[]);
        let other = one.clone();
        one.identity.created_at = Timestamp::new(0, 999_999).unwrap();
        assert!(one.is_same_as(&other));
        one.identity.created_at = Timestamp::new(0, 1_000_000).unwrap();
        assert!(!one.is_same_as(&other));
    }
}
