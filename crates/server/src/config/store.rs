//! `[store]`: where everything is kept.

use std::path::Path;

use daypass_core::ground::secret::Secret;
use daypass_store::{PostgresDialect, StoreUrl};
use serde::Deserialize;

use crate::secrets::{Placed, SecretReference};

/// Where everything is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreConfig {
    pub url: StoreUrl,
    /// That of whoever connects.
    password: Option<StorePassword>,
    /// Which database it is, if its host does not say it.
    dialect: Option<PostgresDialect>,
    /// Whether a start makes and changes what is there.
    migrate: Option<bool>,
}

/// What lets in.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum StorePassword {
    /// `{ aws = "iam" }`
    Iam(Iam),
    Kept(SecretReference),
}

/// A token for each connection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Iam {
    #[expect(dead_code, reason = "there is one word, and it is there")]
    aws: IamWord,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
enum IamWord {
    Iam,
}

const PASSWORD: &str = "[store] password";

const IN_URL: &str =
    "a password never stands here: take it out of the URL, and say where it is by password = { env = \"…\" }";
const NOTHING_STAYS: &str = "a store in memory is always a new one: leave it out";
const NOBODY_ASKS: &str = "no store but PostgreSQL asks for a password: leave it out";
const NO_DIALECT: &str = "no store but PostgreSQL has dialects: leave it out";

impl StoreConfig {
    /// Has relative paths start from where the configuration is, and the URL say whatever stands beside it.
    pub(super) fn settle(&mut self, base: &Path) {
        self.url.start_from(base);
        if let Some(StorePassword::Kept(password)) = &mut self.password {
            password.start_from(base);
        }
        if let StoreUrl::Postgres(url) = &mut self.url {
            let mut settled = url.as_ref().clone();
            if let Some(dialect) = self.dialect {
                settled = settled.with_dialect(dialect);
            }
            match self.password {
                Some(StorePassword::Iam(_)) => settled = settled.by_iam(),
                Some(StorePassword::Kept(_)) => settled = settled.by_password(),
                None => {}
            }
            **url = settled;
        }
    }

    /// What is wrong with it: the key, and why.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        match &self.url {
            StoreUrl::Postgres(url) if url.has_password() => Some(("url", IN_URL)),
            StoreUrl::Postgres(url) => url.contradiction().map(|cure| ("url", cure)),
            StoreUrl::Memory if self.migrate.is_some() => Some(("migrate", NOTHING_STAYS)),
            StoreUrl::Sqlite(_) | StoreUrl::Dynamo(_) | StoreUrl::Memory => {
                let of_others = [
                    self.password.as_ref().map(|_| ("password", NOBODY_ASKS)),
                    self.dialect.map(|_| ("dialect", NO_DIALECT)),
                ];
                of_others.into_iter().flatten().next()
            }
        }
    }

    /// Whether a start makes what is missing, and brings what is older to the version of the program.
    pub(super) fn migrates(&self) -> bool {
        self.migrate.unwrap_or(true)
    }

    /// The password, and where that is said.
    pub(super) fn placed_password(&self) -> Option<Placed<'_>> {
        let Some(StorePassword::Kept(reference)) = &self.password else { return None };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> StoreConfig {
        let mut store: StoreConfig = toml::from_str(text).unwrap();
        store.settle(Path::new("/etc"));
        store
    }

    #[test]
    fn what_stands_beside_the_url_fits_it() {
        for (text, mistake) in [
            ("url = 'postgres://ada@db.example/d'", None),
            ("url = 'postgres://ada@db.example/d'\npassword = { file = 'p' }", None),
            ("url = 'postgres://ada@db.example/d'\npassword = { aws = 'iam' }", None),
            ("url = 'postgres://ada@db.example/d'\ndialect = 'dsql'", None),
            ("url = 'postgres://ada@db.example/d?region=eu-west-1'\ndialect = 'dsql'", None),
            ("url = 'postgres://ada@abc.dsql.eu-west-1.on.aws/postgres'", None),
            ("url = 'postgres://ada@localhost/d'\ndialect = 'dsql'\npassword = { file = 'p' }", None),
            ("url = 'postgres://ada:p@db.example/d'", Some(("url", IN_URL))),
            ("url = 'sqlite:a.db'\npassword = { aws = 'iam' }", Some(("password", NOBODY_ASKS))),
            ("url = 'dynamodb:daypass'\ndialect = 'dsql'", Some(("dialect", NO_DIALECT))),
        ] {
            assert_eq!(read(text).mistake(), mistake, "{text}");
        }
        for text in [
            "url = 'postgres://ada@db.example/d?sslmode=disable'\npassword = { aws = 'iam' }",
            "url = 'postgres://ada@db.example/d?sslmode=disable'\ndialect = 'dsql'",
            "url = 'postgres://ada@abc.dsql.eu-west-1.on.aws/postgres?sslmode=disable'",
            "url = 'postgres://ada@localhost/d'\ndialect = 'dsql'",
        ] {
            let (key, cure) = read(text).mistake().unwrap();
            assert!(key == "url" && cure.contains("sslmode=require"), "{text}: {cure}");
        }
        let without_iam = read("url = 'postgres://ada@db.example/d?region=eu-west-1'").mistake();
        assert!(without_iam.is_some_and(|(_, cure)| cure.contains("aws = \"iam\"")), "{without_iam:?}");
    }

    #[test]
    fn a_token_is_no_secret_to_look_for() {
        assert!(
            read("url = 'postgres://ada@db.example/d'\npassword = { aws = 'iam' }")
                .placed_password()
                .is_none()
        );
        let kept = read("url = 'postgres://ada@db.example/d'\npassword = { file = 'p' }");
        assert_eq!(kept.placed_password().unwrap().reference, &SecretReference::File("/etc/p".into()));
    }
}
