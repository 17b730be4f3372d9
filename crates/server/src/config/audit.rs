//! `[audit]`: where audit events are kept, for how long, and what they say of callers.

use std::path::Path;

use daypass_core::ground::clock::SignedDuration;
use daypass_core::login::provider::definition::seconds;
use daypass_core::store::Retention;
use daypass_store::StoreUrl;
use serde::Deserialize;

use super::export::{self, ExportConfig};
use super::network::NetworkConfig;
use super::reading::Reading;

/// What the audit trail has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// Whether events say where requests came from, and what by.
    pub callers: bool,
    /// Where events are kept, if that is said.
    to: Option<Destination>,
    /// How old they become.
    #[serde(deserialize_with = "seconds::deserialize")]
    keep: Option<i64>,
    /// How much they are.
    keep_size: Option<Size>,
    /// Who gets them besides.
    #[serde(rename = "export")]
    pub exports: Vec<ExportConfig>,
}

/// Where audit events are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Destination {
    /// In files beside the store.
    Files,
    /// In the store, which is a database.
    Store,
    /// By whoever collects logs: nothing of them is kept here.
    Log,
}

impl Destination {
    /// Whether events are kept here, and not by whoever collects a log.
    #[must_use]
    pub fn is_kept(self) -> bool {
        self != Self::Log
    }
}

/// So many bytes: `500MiB`, `20GiB` or `1TiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Size(u64);

const MEBIBYTE: u64 = 1 << 20;

/// A file is ended at 32 MiB, a section in a database at 4, and the newest is kept whatever is said.
const MIN_SIZE: u64 = 100 * MEBIBYTE;
const DAY: i64 = 24 * 60 * 60;

const NO_FILES: &str = "`files` needs a store in a file: what is in memory has no place for them";
const IN_DATABASE: &str = "a database keeps them itself: leave it out, or write to = \"store\"";
const NO_DATABASE: &str = "`store` needs a store in a database: leave it out, or write to = \"files\"";
const NOTHING_KEPT: &str =
    "nothing is kept where the events go to the log: leave it out, or write to = \"files\"";
const TOO_SHORT: &str = "must be 1d at least";
const TOO_LONG: &str = "must be 36500d at most; leave it out to keep everything";
const TOO_SMALL: &str = "must be 100MiB at least";

impl Default for AuditConfig {
    fn default() -> Self {
        Self { callers: true, to: None, keep: None, keep_size: None, exports: Vec::new() }
    }
}

impl AuditConfig {
    /// Where events are kept: with the store, unless it is said.
    #[must_use]
    pub fn destination(&self, store: Option<&StoreUrl>) -> Destination {
        match (self.to, store) {
            (Some(to), _) => to,
            (None, Some(StoreUrl::Sqlite(_))) => Destination::Files,
            (None, Some(StoreUrl::Postgres(_) | StoreUrl::Dynamo(_))) => Destination::Store,
            (None, Some(StoreUrl::Memory) | None) => Destination::Log,
        }
    }

    /// How much is kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        Retention {
            age: self.keep.map(SignedDuration::from_secs),
            bytes: self.keep_size.map(|Size(bytes)| bytes),
        }
    }

    /// What is wrong with it: the key, and why.
    fn mistake(&self, store: Option<&StoreUrl>) -> Option<(&'static str, &'static str)> {
        let limits = [("keep", self.keep.is_some()), ("keep_size", self.keep_size.is_some())];
        let limit = limits.into_iter().find_map(|(key, is_said)| is_said.then_some(key));
        match (self.to, store) {
            (Some(Destination::Files), Some(StoreUrl::Memory)) => return Some(("to", NO_FILES)),
            (Some(Destination::Files), Some(StoreUrl::Postgres(_) | StoreUrl::Dynamo(_))) => {
                return Some(("to", IN_DATABASE));
            }
            (Some(Destination::Store), Some(StoreUrl::Sqlite(_) | StoreUrl::Memory)) => {
                return Some(("to", NO_DATABASE));
            }
            _ => {}
        }
        if let (Some(key), Destination::Log) = (limit, self.destination(store)) {
            return Some((key, NOTHING_KEPT));
        }
        if self.keep.is_some_and(|seconds| seconds < DAY) {
            return Some(("keep", TOO_SHORT));
        }
        if self.keep.is_some_and(|seconds| seconds > 36_500 * DAY) {
            return Some(("keep", TOO_LONG));
        }
        self.keep_size.is_some_and(|Size(bytes)| bytes < MIN_SIZE).then_some(("keep_size", TOO_SMALL))
    }
}

/// Reads it, with its exporters.
pub(super) fn read(
    reading: &mut Reading<'_>,
    store: Option<&StoreUrl>,
    network: &NetworkConfig,
    base: &Path,
) -> AuditConfig {
    let mut audit: AuditConfig = reading.get("audit").unwrap_or_default();
    if let Some((key, cure)) = audit.mistake(store) {
        reading.refuse(&["audit".to_owned(), key.to_owned()], cure);
    }
    let are_kept = audit.destination(store).is_kept();
    export::read(reading, &mut audit.exports, are_kept, &network.allow_private, base);
    audit
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let units = [("MiB", MEBIBYTE), ("GiB", MEBIBYTE << 10), ("TiB", MEBIBYTE << 20)];
        let size = units.into_iter().find_map(|(unit, bytes)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(bytes)
        });
        size.map(Self).ok_or_else(|| format!("{text:?} is no size: write 500MiB, 20GiB or 1TiB"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        let read = |text: &str| Size::try_from(text.to_owned());
        assert_eq!(read("500MiB"), Ok(Size(500 << 20)));
        assert_eq!(read("20GiB"), Ok(Size(20 << 30)));
        assert_eq!(read("1TiB"), Ok(Size(1 << 40)));
        for wrong in ["", "20", "20GB", "-1GiB", "1.5GiB", "GiB", "99999999999999TiB"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let (file, memory) = (StoreUrl::Sqlite("daypass.db".into()), StoreUrl::Memory);
        let database = StoreUrl::try_from("postgres://daypass@localhost/daypass".to_owned()).unwrap();
        let wrong = |text: &str, store: &StoreUrl| {
            let config: AuditConfig = toml::from_str(text).unwrap();
            config.mistake(Some(store)).map(|(key, _)| key)
        };
        for (text, store, key) in [
            ("", &memory, None),
            ("to = 'log'", &file, None),
            ("keep = '400d'\nkeep_size = '20GiB'", &file, None),
            ("to = 'files'", &memory, Some("to")),
            ("", &database, None),
            ("to = 'store'", &database, None),
            ("to = 'log'", &database, None),
            ("to = 'files'", &database, Some("to")),
            ("to = 'store'", &file, Some("to")),
            ("to = 'store'", &memory, Some("to")),
            ("keep = '400d'\nkeep_size = '20GiB'", &database, None),
            ("keep = '1h'", &database, Some("keep")),
            ("to = 'log'\nkeep = '400d'", &database, Some("keep")),
            ("keep = '400d'", &memory, Some("keep")),
            ("to = 'log'\nkeep_size = '1GiB'", &file, Some("keep_size")),
            ("keep = '1h'", &file, Some("keep")),
            ("keep = '36501d'", &file, Some("keep")),
            ("keep_size = '99MiB'", &file, Some("keep_size")),
        ] {
            assert_eq!(wrong(text, store), key, "{text}");
        }
    }
}
