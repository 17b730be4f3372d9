//! Which store: its URL, and the one door to it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daypass_core::store::items::ItemStore;
use daypass_core::store::items::filling::ItemFilling;
use daypass_core::store::memory::MemoryStore;
use daypass_core::store::whole::{Filling, Whole};
use daypass_core::store::{SharedStore, Store, StoreError};
use serde::Deserialize;

use crate::dynamodb::{DynamoEngine, DynamoOpenError, DynamoUrl, TakenOver};
use crate::opening::Open;
use crate::postgres::{PostgresEngine, PostgresOpenError, PostgresUrl};
use crate::shared;
use crate::sqlite::{self, SqliteFilling, SqliteStore, SqliteWhole};

/// A store, as its URL names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUrl {
    /// `sqlite:FILE`
    Sqlite(PathBuf),
    /// `postgres://…`
    Postgres(Box<PostgresUrl>),
    /// `dynamodb:TABLE`
    Dynamo(DynamoUrl),
    /// `memory:`, gone with the process.
    Memory,
}

impl StoreUrl {
    /// Has the relative path of a file start from `base`.
    pub fn start_from(&mut self, base: &Path) {
        match self {
            Self::Sqlite(file) => *file = base.join(&*file),
            Self::Postgres(url) => url.start_from(base),
            Self::Dynamo(_) | Self::Memory => {}
        }
    }
}

/// Without whatever lets somebody in.
impl fmt::Display for StoreUrl {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(to, "sqlite:{}", file.display()),
            Self::Postgres(url) => url.fmt(to),
            Self::Dynamo(url) => url.fmt(to),
            Self::Memory => to.write_str("memory:"),
        }
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = String;
    fn try_from(url: String) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", file)) if !file.is_empty() => Ok(Self::Sqlite(file.into())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(Box::new(url.try_into()?))),
            Some(("dynamodb", _)) => Ok(Self::Dynamo(url.try_into()?)),
            Some(("memory", "")) => Ok(Self::Memory),
            // What stands behind may hold a password.
            scheme => {
                let scheme = scheme.map(|(scheme, _)| format!("{scheme}: ")).unwrap_or_default();
                Err(format!(
                    "{scheme}names no store: write \"sqlite:FILE\", \"postgres://USER@HOST/DATABASE\", \"dynamodb:TABLE\" or \"memory:\""
                ))
            }
        }
    }
}

/// Why a store could not be opened, for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// One in a file.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// One in a database of PostgreSQL's.
    #[error(transparent)]
    Postgres(#[from] PostgresOpenError),
    /// One in a table of DynamoDB's.
    #[error(transparent)]
    Dynamo(#[from] DynamoOpenError),
    /// Not everything is in it yet.
    #[error(
        "{place} is to be a copy of {from}, and is not complete: ask `daypass store copy` again with the same --from and --to, or \
         name another store"
    )]
    Unfinished {
        /// The store.
        place: String,
        /// What is copied.
        from: String,
    },
    /// It did not say whether it is complete.
    #[error("{place} does not say whether it is complete")]
    Unseen {
        /// The store.
        place: String,
        /// Why not.
        source: StoreError,
    },
    /// Nothing but a table is written in one Region alone.
    #[error("{place} is no table of DynamoDB's: where it is written is not for Daypass to say")]
    NoRegion {
        /// The store.
        place: String,
    },
    /// One in memory is nobody's to copy.
    #[error("a store in memory can be seen by nobody but its own process, and is copied by nobody")]
    InMemory,
}

/// Opens a store. `progress` hears how many events of an older audit trail are taken over, and of how many.
///
/// # Errors
/// [`OpenError`]; a store in memory is nowhere before it is made.
pub async fn open(
    url: &StoreUrl,
    open: Open,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<SharedStore, OpenError> {
    match (url, open) {
        (StoreUrl::Sqlite(file), open) => {
            let path = file.clone();
            match file.try_exists() {
                Ok(false) if open != Open::OrMake => Err(sqlite::OpenError::NotThere { path })?,
                Err(source) => Err(sqlite::OpenError::Unseen { path, source })?,
                Ok(_) => {}
            }
            if open == Open::AsItIs {
                sqlite::ensure_newest(file)?;
            }
            Ok(Arc::new(SqliteStore::open_telling(file, progress)?))
        }
        (StoreUrl::Postgres(engine), open) => Ok(complete(url, postgres(engine, open).await?).await?),
        (StoreUrl::Dynamo(engine), open) => Ok(complete(url, dynamo(engine, open).await?).await?),
        (StoreUrl::Memory, Open::OrMake) => Ok(Arc::new(MemoryStore::new())),
        (StoreUrl::Memory, Open::Existing | Open::AsItIs) => {
            Err(sqlite::OpenError::NotThere { path: "memory:".into() })?
        }
    }
}

async fn postgres(url: &PostgresUrl, open: Open) -> Result<Arc<ItemStore>, OpenError> {
    Ok(shared::over(Arc::new(PostgresEngine::open(url, open).await?)))
}

async fn dynamo(url: &DynamoUrl, open: Open) -> Result<Arc<ItemStore>, OpenError> {
    Ok(shared::over(Arc::new(DynamoEngine::open(url, open).await?)))
}

/// A store that is no half of a copy.
async fn complete(url: &StoreUrl, store: Arc<ItemStore>) -> Result<Arc<ItemStore>, OpenError> {
    match store.unfinished_copy().await {
        Ok(None) => Ok(store),
        Ok(Some(from)) => Err(OpenError::Unfinished { place: url.to_string(), from }),
        Err(source) => Err(OpenError::Unseen { place: url.to_string(), source }),
    }
}

/// Finds out that nobody has a store open, as far as that can be told: of one that is shared it cannot.
///
/// # Errors
/// [`OpenError`]
pub fn ensure_unused(url: &StoreUrl) -> Result<(), OpenError> {
    match url {
        StoreUrl::Sqlite(file) => Ok(SqliteWhole::ensure_unused(file)?),
        StoreUrl::Postgres(_) | StoreUrl::Dynamo(_) => Ok(()),
        StoreUrl::Memory => Err(OpenError::InMemory),
    }
}

/// Opens a store to read all of it. One in a file is brought to this version, and then nobody else has it as long as this is there.
/// `progress` hears how many events of an older audit trail are taken over, and of how many.
///
/// # Errors
/// [`OpenError`]
pub async fn open_whole(
    url: &StoreUrl,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Arc<dyn Whole>, OpenError> {
    match url {
        StoreUrl::Sqlite(file) => {
            SqliteWhole::ensure_unused(file)?;
            let store = SqliteStore::open_telling(file, progress)?;
            // Whatever was signed of the trail and is not there any more is said in it.
            let asked = store.ping().await;
            asked.map_err(|source| OpenError::Unseen { place: url.to_string(), source })?;
            drop(store);
            Ok(Arc::new(SqliteWhole::open(file)?))
        }
        StoreUrl::Postgres(engine) => Ok(complete(url, postgres(engine, Open::Existing).await?).await?),
        StoreUrl::Dynamo(engine) => Ok(complete(url, dynamo(engine, Open::Existing).await?).await?),
        StoreUrl::Memory => Err(OpenError::InMemory),
    }
}

/// Opens a store to fill it with everything of another one, and makes it if it is not there, but for a table of DynamoDB's.
///
/// # Errors
/// [`OpenError`]
pub async fn open_to_fill(url: &StoreUrl) -> Result<Arc<dyn Filling>, OpenError> {
    Ok(match url {
        StoreUrl::Sqlite(file) => Arc::new(SqliteFilling::open(file)?),
        StoreUrl::Postgres(engine) => Arc::new(ItemFilling::of(postgres(engine, Open::OrMake).await?)),
        StoreUrl::Dynamo(engine) => Arc::new(ItemFilling::of(dynamo(engine, Open::OrMake).await?)),
        StoreUrl::Memory => return Err(OpenError::InMemory),
    })
}

/// Makes what a store needs, as far as it is missing.
///
/// # Errors
/// [`OpenError`]
pub async fn create(url: &StoreUrl, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<(), OpenError> {
    if let StoreUrl::Dynamo(url) = url {
        DynamoEngine::create(url).await?;
    }
    open(url, Open::OrMake, progress).await.map(drop)
}

/// Has a table of DynamoDB's be written in the Region of its URL from now on.
///
/// # Errors
/// [`OpenError`]; no other store is written in one Region alone.
pub async fn take_over(url: &StoreUrl) -> Result<TakenOver, OpenError> {
    match url {
        StoreUrl::Dynamo(url) => Ok(DynamoEngine::take_over(url).await?),
        other => Err(OpenError::NoRegion { place: other.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_only_looks_makes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("daypass.db");
        let url = StoreUrl::Sqlite(file.clone());
        let refused = open(&url, Open::Existing, &mut |_, _| {}).await.err().unwrap().to_string();
        assert!(refused.contains(&format!("there is no database {}", file.display())), "{refused}");
        assert!(!file.exists());
        open(&url, Open::OrMake, &mut |_, _| {}).await.unwrap();
        assert!(file.exists() && open(&url, Open::Existing, &mut |_, _| {}).await.is_ok());
        assert!(open(&StoreUrl::Memory, Open::Existing, &mut |_, _| {}).await.is_err());
        // A file has no files in it: whether the database is there cannot be told.
        let unseen = open(&StoreUrl::Sqlite(file.join("daypass.db")), Open::Existing, &mut |_, _| {})
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(unseen.contains("cannot look at the database"), "{unseen}");
    }

    #[test]
    fn a_url_names_a_store() {
        let parse = |url: &str| StoreUrl::try_from(url.to_owned());
        assert_eq!(parse("sqlite:a.db"), Ok(StoreUrl::Sqlite("a.db".into())));
        assert_eq!(parse("memory:"), Ok(StoreUrl::Memory));
        for wrong in ["sqlite:", "memory", "memory:x", "mysql://x", ""] {
            assert!(parse(wrong).unwrap_err().contains("names no store"), "{wrong}");
        }
        assert!(matches!(parse("postgres://ada@db/x"), Ok(StoreUrl::Postgres(_))));
        for with_password in ["postgres://ada:hunter2@db/x?sslmode=no", "mysql://ada:hunter2@db/x"] {
            assert!(!parse(with_password).unwrap_err().contains("hunter2"), "{with_password}");
        }
    }
}
