//! Which store: its URL, and the one door to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use daypass_core::store::SharedStore;
use daypass_core::store::memory::MemoryStore;
use serde::Deserialize;

use crate::sqlite::{OpenError, SqliteStore};

/// A store, as its URL names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUrl {
    /// `sqlite:FILE`
    Sqlite(PathBuf),
    /// `memory:`, gone with the process.
    Memory,
}

impl StoreUrl {
    /// Has the relative path of a file start from `base`.
    pub fn start_from(&mut self, base: &Path) {
        if let Self::Sqlite(file) = self {
            *file = base.join(&*file);
        }
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = String;
    fn try_from(url: String) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", file)) if !file.is_empty() => Ok(Self::Sqlite(file.into())),
            Some(("memory", "")) => Ok(Self::Memory),
            // What stands behind may hold a password.
            scheme => {
                let scheme = scheme.map(|(scheme, _)| format!("{scheme}: ")).unwrap_or_default();
                Err(format!("{scheme}names no store: write \"sqlite:FILE\" or \"memory:\""))
            }
        }
    }
}

/// What opening a store may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Whoever only looks makes nothing: a store that is not there is a mistake.
    Existing,
    /// A store that is not there is made.
    OrMake,
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
                Ok(false) if open == Open::Existing => Err(OpenError::NotThere { path }),
                Err(source) => Err(OpenError::Unseen { path, source }),
                Ok(_) => Ok(Arc::new(SqliteStore::open_telling(file, progress)?)),
            }
        }
        (StoreUrl::Memory, Open::OrMake) => Ok(Arc::new(MemoryStore::new())),
        (StoreUrl::Memory, Open::Existing) => Err(OpenError::NotThere { path: "memory:".into() }),
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
        for wrong in ["sqlite:", "memory", "memory:x", "postgres://x", ""] {
            assert!(parse(wrong).unwrap_err().contains("names no store"), "{wrong}");
        }
        assert!(!parse("postgres://ada:hunter2@db/x").unwrap_err().contains("hunter2"));
    }
}
