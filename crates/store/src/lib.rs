//! Where Daypass keeps what it must not forget: the stores behind [`daypass_core::store::Store`] that
//! outlive the process. Each backend writes its own plain SQL; what they must agree on is stated once,
//! in `daypass_core::store::contract`, and tested on each of them.

mod postgres;
mod sqlite;
mod trail;
mod url;

pub use self::url::{Open, StoreUrl, open};
pub use postgres::{PostgresEngine, PostgresOpenError, PostgresUrl};
pub use sqlite::{
    Contents, CopyError, OpenError, Restoration, SqliteStore, back_up, newest_head, trail_folder,
};
pub use trail::{Fault, Keys, TrailCopy, TrailCopyError, TrailTrouble, Verified, verify};
