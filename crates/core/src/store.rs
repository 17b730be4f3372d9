//! The questions that Daypass asks of its memory.
//!
//! Every method is one atomic question: it either happened whole, durably, before it answered, or it
//! did not happen. None of them changes more records than one person or one request can have, so that a backend whose
//! transactions have a size can keep the same promises as one without: whole pools end and come by a change of the pool
//! alone ([`Pools::delete_pool`]).
//! `contract` states the promises as tests, and every implementation must pass them.
//! Expired means absent when read, by the clock that the caller brings. Instants are kept to the
//! millisecond at least; a revocation that must be rounded is rounded up.
//!
//! Text is compared byte by byte: no case, no normal form, no space is folded. An ID that is taken
//! already, or that names something gone, is an error on a write, and changes nothing.

use std::sync::Arc;

use async_trait::async_trait;

use crate::ground::clock::Timestamp;

mod audit_events;
mod audit_exports;
mod cleared;
#[cfg(any(test, feature = "testing"))]
pub mod contract;
mod device_authorizations;
mod error;
mod identities;
pub mod items;
mod keys;
pub mod memory;
mod once;
pub mod packed;
pub mod page;
mod pools;
mod revocations;
mod seals;
pub mod sign_in_sessions;
pub mod transfer;
mod watch;
pub mod whole;

pub use self::audit_events::{
    AuditCare, AuditEvents, AuditSink, EventPosition, HeadSigner, KeptEvent, MAX_UNPROVED_REFUSALS,
    Retention, TrailExtent, UnprovedRefusals,
};
pub use self::audit_exports::{AuditExports, ExportPosition};
pub use self::cleared::Cleared;
pub use self::device_authorizations::DeviceAuthorizations;
pub use self::error::StoreError;
pub use self::identities::{Identities, LinkOutcome, UnlinkOutcome};
pub use self::keys::{AccessKeyOutcome, Keys, MAX_ENABLED_ACCESS_KEYS, StoredAccessKey, StoredSigningKey};
pub use self::once::{Once, StoredLoginGrant};
pub use self::page::Page;
pub use self::pools::{Pools, ReplaceOutcome};
pub use self::revocations::{RevocationTarget, Revocations, Standing};
pub use self::seals::{AnnouncedMasterKey, Resealing, SealedItem, SealedValue, Seals};
pub use self::sign_in_sessions::SignInSessions;
pub use self::watch::{SharedWatch, StoreConnections, StoreOutcome, StoreWatch, StoreWork};

/// A store shared by everything that needs one.
pub type SharedStore = Arc<dyn Store>;

/// Everything that Daypass must not forget. Whoever needs a part of it only asks for the part: a store is every one of
/// them.
#[async_trait]
pub trait Store:
    Pools
    + Identities
    + Keys
    + Revocations
    + SignInSessions
    + DeviceAuthorizations
    + Once
    + Seals
    + AuditEvents
    + AuditExports
    + UnprovedRefusals
{
    /// Answers if the store can do its work: what `/readyz` asks.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Does what is to be done now and then, for a store that does not by itself: servers ask for it each second. Its trail gets its
    /// order, and is signed; what is over goes.
    async fn keep_up(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Deletes some of what is over at an instant, `limit` records at least if there are as many, for a store that keeps it
    /// until somebody makes room.
    async fn clear_expired(&self, now: Timestamp, limit: usize) -> Result<Cleared, StoreError> {
        let _ = (now, limit);
        Ok(Cleared::default())
    }

    /// Has somebody hear of its work from now on. Who was there first stays; a store in memory has nothing to tell.
    fn watch(&self, by: SharedWatch) {
        drop(by);
    }

    /// Its connections to a database that has them.
    fn connections(&self) -> Option<StoreConnections> {
        None
    }
}
