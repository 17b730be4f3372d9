//! Which store: its URL, and the one door to it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daypass_core::store::SharedStore;
use daypass_core::store::memory::MemoryStore;
use serde::Deserialize;

use crate::dynamodb::{DynamoEngine, DynamoOpenError, DynamoUrl};
use crate::opening::Open;
use crate::postgres::{PostgresEngine, PostgresOpenError, PostgresUrl};
use crate::shared;
use crate::sqlite::{self, SqliteStore};

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
                Ok(false) if open == Open::Existing => Err(sqlite::OpenError::NotThere { path })?,
                Err(source) => Err(sqlite::OpenError::Unseen { path, source })?,
                Ok(_) => Ok(Arc::new(SqliteStore::open_telling(file, progress)?)),
            }
        }
        (StoreUrl::Postgres(url), open) => Ok(shared::over(Arc::new(PostgresEngine::open(url, open).await?))),
        (StoreUrl::Dynamo(url), open) => Ok(shared::over(Arc::new(DynamoEngine::open(url, open).await?))),
        (StoreUrl::Memory, Open::OrMake) => Ok(Arc::new(MemoryStore::new())),
        (StoreUrl::Memory, Open::Existing) => Err(sqlite::OpenError::NotThere { path: "memory:".into() })?,
    }
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
