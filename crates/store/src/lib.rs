//! Where Daypass keeps what it must not forget: the stores behind [`daypass_core::store::Store`] that
//! outlive the process. SQLite writes its own plain SQL; a database that is shared is an engine of items, over which
//! `daypass_core::store::items` says what everything means. What all of them must agree on is stated once, in
//! `daypass_core::store::contract`, and tested on each of them.

mod circuit;
mod dynamodb;
mod migration;
mod opening;
mod postgres;
mod shared;
mod sqlite;
mod trail;
mod url;
mod watched;

pub use self::migration::{migrate, steps_due};
pub use self::opening::Open;
pub use self::url::{OpenError, StoreUrl, create, ensure_unused, open, open_to_fill, open_whole, take_over};
pub use dynamodb::{DynamoEngine, DynamoOpenError, DynamoUrl, TableState, TakenOver};
pub use postgres::{
    IamError, PostgresDialect, PostgresEngine, PostgresOpenError, PostgresSchema, PostgresStep, PostgresUrl,
    PostgresVersion, Surroundings,
};
pub use sqlite::{
    Contents, CopyError, OpenError as SqliteOpenError, Restoration, SqliteStore, back_up, configured_pools,
    newest_head, trail_folder,
};
pub use trail::{Fault, Keys, TrailCopy, TrailCopyError, TrailTrouble, Verified, verify};
