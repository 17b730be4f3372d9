//! `[store]`: where everything is kept.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Where everything is kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreConfig {
    pub url: StoreUrl,
}

impl StoreConfig {
    pub fn start_from(&mut self, base: &Path) {
        if let StoreUrl::Sqlite(file) = &mut self.url {
            *file = base.join(&*file);
        }
    }
}

/// A store, as its URL names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUrl {
    /// `sqlite:FILE`
    Sqlite(PathBuf),
    /// `memory:`, gone with the process.
    Memory,
}

impl TryFrom<String> for StoreUrl {
    type Error = String;
    fn try_from(url: String) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", file)) if !file.is_empty() => Ok(Self::Sqlite(file.into())),
            Some(("memory", "")) => Ok(Self::Memory),
            _ => Err(format!("{url:?} names no store: write \"sqlite:FILE\" or \"memory:\"")),
        }
    }
}
