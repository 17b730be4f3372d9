//! Whole stores that move: everything that is kept in one, record by record and line by line of the trail, brought into another
//! one that has nothing in it.
//!
//! What is brought is what it was, to the byte where it is sealed or signed. Nobody is served from a store that is being filled:
//! it says of itself that it is, until everything is in it and was compared.

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::ground::ids::IdentityPoolId;
use crate::records::audit_event::AuditEvent;
use crate::records::device_authorization::DeviceAuthorization;
use crate::records::identity::IdentityPool;
use crate::records::identity_record::IdentityRecord;
use crate::records::sign_in_session::SignInSession;
use crate::store::items::Incarnation;
use crate::store::{
    AnnouncedMasterKey, ExportPosition, RevocationTarget, StoreError, StoredAccessKey, StoredLoginGrant,
    StoredSigningKey,
};

/// Something that is kept, but for the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// A pool, with its version.
    Pool(Box<IdentityPool>),
    /// Where a name of a configuration leads.
    ConfiguredName {
        /// The name.
        name: String,
        /// The pool.
        pool_id: IdentityPoolId,
    },
    /// An identity. Whom it was merged into, or took up, is in nothing but the sessions, which are already the survivor's.
    Identity(Box<IdentityRecord>),
    /// An access key, with the policy of its developer.
    AccessKey(Box<StoredAccessKey>),
    /// A key that signs.
    SigningKey(StoredSigningKey),
    /// A master key that was announced.
    MasterKey(AnnouncedMasterKey),
    /// Until when sessions are void.
    Revocation {
        /// Whose.
        target: RevocationTarget,
        /// The instant.
        not_before: Timestamp,
    },
    /// The session of somebody who signed in, as it is by the identity that it belongs to now.
    Session(Box<SignInSession>),
    /// A device that waits for a login.
    DeviceAuthorization(Box<DeviceAuthorization>),
    /// A login that waits for its app.
    LoginGrant(StoredLoginGrant),
    /// A name that counts once, and was used.
    UsedName {
        /// The name.
        name: String,
        /// From when it may be forgotten.
        until: Timestamp,
    },
    /// How far an exporter has come.
    ExportPosition {
        /// The exporter.
        exporter: String,
        /// Its position.
        position: ExportPosition,
    },
    /// A refusal of somebody who proved nothing.
    Refusal {
        /// How many are older.
        place: u64,
        /// The refusal.
        event: Box<AuditEvent>,
    },
}

/// Why a copy was not made, or is not complete.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The target is not empty.
    #[error("there is {0} in the store to copy into, which stays as it is: name one that has nothing in it")]
    Taken(&'static str),
    /// The target is the half of another copy.
    #[error(
        "a copy of {0} into this store was begun, and is not complete: go on with that one, or name another store to copy into"
    )]
    OfAnother(String),
    /// Somebody else began to copy into the target.
    #[error("another copy into this store began meanwhile, and goes on: this one has ended")]
    Displaced,
    /// An earlier version kept something without what it is called.
    #[error(
        "{0} of the store to copy has no name, because an earlier Daypass kept it: have a server of this version run on it until \
         that is over, or is kept anew, and copy it then"
    )]
    Unnamed(&'static str),
    /// The trail is not as it was written.
    #[error(
        "the audit trail is not as it was written at line {0}, and is not copied so: `daypass audit verify` says what is wrong, \
         and docs/audit-trail.md what to do"
    )]
    Trail(u64),
    /// What is in the one store is not what is in the other.
    #[error(
        "not complete: {0} changed while the store was copied. End everything that writes to either store, and ask again"
    )]
    Differs(String),
}

/// A store that is read as a whole.
#[async_trait]
pub trait Whole: Send + Sync {
    /// Everything that is not over at an instant, but for the trail. Each thing comes once; a refusal comes after those that are older.
    async fn kept(&self, now: Timestamp) -> Result<Box<dyn KeptPages + '_>, CopyError>;

    /// The first line that is left of the trail, if anything was ever written there.
    async fn first_line(&self) -> Result<Option<u64>, CopyError>;

    /// Lines of the trail behind one, as they were written, each with its end. Nothing, if there are none.
    async fn lines_after(&self, line: u64) -> Result<Vec<u8>, CopyError>;
}

/// What is kept, page by page.
#[async_trait]
pub trait KeptPages: Send {
    /// The next things. An empty page is the end.
    async fn next(&mut self) -> Result<Vec<Kept>, CopyError>;
}

/// A store that is being filled with everything of another one, and that nobody opens meanwhile.
#[async_trait]
pub trait Filling: Whole {
    /// Says that a copy of a store begins, and takes away what an earlier attempt at it left. Refuses a store that has anything else
    /// in it.
    async fn begin(&self, from: &str) -> Result<(), CopyError>;

    /// Takes things in, none of which is there.
    async fn take(&self, kept: Vec<Kept>) -> Result<(), CopyError>;

    /// Takes the next lines of the trail.
    async fn take_lines(&self, lines: Vec<u8>) -> Result<(), CopyError>;

    /// Says that all of it is there: from then on others may open it.
    async fn finish(&self) -> Result<(), CopyError>;
}

/// The incarnation of a pool in a store that is filled: none there has had it, and identities come before their pools.
#[must_use]
pub fn incarnation_of(pool: &IdentityPoolId) -> String {
    Incarnation::in_copy(pool).to_string()
}
