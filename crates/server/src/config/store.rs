//! `[store]`: where everything is kept.

use std::path::Path;

use daypass_core::ground::secret::Secret;
use daypass_store::StoreUrl;
use serde::Deserialize;

use crate::secrets::{Placed, SecretReference};

/// Where everything is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreConfig {
    pub url: StoreUrl,
    /// That of whoever connects.
    password: Option<SecretReference>,
    /// Whether a start makes and changes what is there.
    migrate: Option<bool>,
}

const PASSWORD: &str = "[store] password";

const IN_URL: &str =
    "a password never stands here: take it out of the URL, and say where it is by password = { env = \"…\" }";
const NOTHING_STAYS: &str = "a store in memory is always a new one: leave it out";
const NOBODY_ASKS: &str = "no store but PostgreSQL asks for a password: leave it out";

impl StoreConfig {
    /// Has relative paths start from where the configuration is.
    pub(super) fn start_from(&mut self, base: &Path) {
        self.url.start_from(base);
        if let Some(password) = &mut self.password {
            password.start_from(base);
        }
    }

    /// What is wrong with it: the key, and why.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        match &self.url {
            StoreUrl::Postgres(url) => url.has_password().then_some(("url", IN_URL)),
            StoreUrl::Memory if self.migrate.is_some() => Some(("migrate", NOTHING_STAYS)),
            StoreUrl::Sqlite(_) | StoreUrl::Dynamo(_) | StoreUrl::Memory => {
                self.password.is_some().then_some(("password", NOBODY_ASKS))
            }
        }
    }

    /// Whether a start makes what is missing, and brings what is older to the version of the program.
    pub(super) fn migrates(&self) -> bool {
        self.migrate.unwrap_or(true)
    }

    /// The password, and where that is said.
    pub(super) fn placed_password(&self) -> Option<Placed<'_>> {
        let reference = self.password.as_ref()?;
        Some(Placed { key: PASSWORD.to_owned(), reference })
    }

    /// Where it is, with the password.
    pub(super) fn opening_url(&self, password: Option<&Secret>) -> StoreUrl {
        match (&self.url, password) {
            (StoreUrl::Postgres(url), Some(password)) => {
                StoreUrl::Postgres(Box::new(url.as_ref().clone().with_password(password.expose())))
            }
            (url, _) => url.clone(),
        }
    }
}
