//! What may stand in a configuration, as data: the one source of what a start refuses, of the JSON Schema that editors
//! read (`schema.rs`) and of the reference page (`reference.rs`).
//!
//! The types of `config/` read what these tables let pass; a test holds the two together.

mod audit;
mod faults;
mod installation;
mod limits;
mod provider;
mod secret;
mod store;
#[cfg(test)]
mod tests;
mod traces;

use daypass_core::login::provider::definition::seconds;
use serde::de::DeserializeOwned;
use toml::Value;

use super::steps::{Steps, step};
use super::urls::check_transport_of_logins;

pub(super) use self::faults::{faults, missing};
pub(super) use self::installation::FILE;
pub(super) use self::provider::{DEFINITION, PROVIDER};

/// A table of the configuration.
#[derive(Debug)]
pub(super) struct Table {
    /// What it is about: a sentence or two for operators.
    pub about: &'static str,
    /// Its keys, in the order of the reference.
    pub keys: &'static [Key],
    /// Other keys that may stand there.
    pub more: More,
}

/// Keys that a table shares with others.
#[derive(Debug)]
pub(super) enum More {
    None,
    /// Those of this table, too.
    Of(&'static Table),
    /// Those of this table, laid over what stands elsewhere: they are read where both are one.
    Over(&'static Table),
}

/// A key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    /// What it says, for operators.
    pub about: &'static str,
    pub kind: Kind,
    /// Whether a value can be read. Says what is wrong, without repeating a secret.
    pub read: fn(&Value) -> Result<(), String>,
    /// Whether it has to be there.
    pub required: Required,
    /// Whether it is for `serve` and Lambda alone, because `up` decides it itself.
    pub production: bool,
    /// Whether a server that runs reads it again at SIGHUP. Anything else is a start's to read.
    pub read_again: bool,
    /// The driver of the pool that it goes with, if it is for one alone.
    pub driver: Option<&'static str>,
    /// What counts without it, as the reference says it.
    pub default: &'static str,
    /// What to write, if it is missing.
    pub cure: &'static str,
}

/// Whether a key has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Required {
    No,
    Yes,
    /// In the file of `serve` and Lambda.
    ByProduction,
}

/// What a value looks like.
#[derive(Debug)]
pub(super) enum Kind {
    /// A text.
    Text,
    /// A text, one of these.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number, of these two at least and at most.
    Number(i64, i64),
    /// A number from 0 to 1.
    Ratio,
    /// A text: `90s`, `15m`, `1h` or `7d`.
    Duration,
    /// A reference to a secret.
    Secret,
    /// A reference to a secret, or what stands for one: `{ aws = "iam" }`.
    SecretOrIam,
    /// A reference to a master key.
    MasterKey,
    /// References to master keys, in brackets.
    MasterKeys,
    /// A table of names and references to secrets.
    SecretByName,
    /// Texts, in brackets.
    Texts,
    /// A text, or several in brackets.
    OneOrMoreTexts,
    /// A table of names and texts.
    TextByName,
    /// A table.
    Table(&'static Table),
    /// `[[…]]` tables.
    Tables(&'static Table),
    /// A text, or `[[…]]` tables.
    TextOrTables(&'static Table),
    /// A table of names and tables.
    TableByName(&'static Table),
    /// A text, or a table with this one word in it.
    TextOrWord(&'static [&'static str], &'static [&'static str]),
    /// What the reference describes in words alone.
    Other,
}

impl Table {
    const fn of(about: &'static str, keys: &'static [Key]) -> Self {
        Self { about, keys, more: More::None }
    }

    /// The keys that are read where they stand.
    pub fn own_keys(&self) -> impl Iterator<Item = &'static Key> {
        let more = match self.more {
            More::Of(table) => table.keys,
            More::None | More::Over(_) => &[],
        };
        self.keys.iter().chain(more)
    }

    /// All keys that may stand there.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static Key> {
        let over = match self.more {
            More::Over(table) => table.keys,
            More::None | More::Of(_) => &[],
        };
        self.own_keys().chain(over)
    }
}

impl Key {
    const fn new<T: DeserializeOwned>(name: &'static str, kind: Kind, about: &'static str) -> Self {
        let read = can_be::<T>;
        Self {
            name,
            about,
            kind,
            read,
            required: Required::No,
            production: false,
            read_again: false,
            driver: None,
            default: "",
            cure: "",
        }
    }

    const fn read_by(self, read: fn(&Value) -> Result<(), String>) -> Self {
        Self { read, ..self }
    }

    const fn required(self) -> Self {
        Self { required: Required::Yes, ..self }
    }

    const fn required_as(self, cure: &'static str) -> Self {
        Self { required: Required::Yes, cure, ..self }
    }

    const fn required_by_production(self, cure: &'static str) -> Self {
        Self { required: Required::ByProduction, cure, ..self }
    }

    const fn for_production(self) -> Self {
        Self { production: true, ..self }
    }

    const fn read_again(self) -> Self {
        Self { read_again: true, ..self }
    }

    const fn for_driver(self, driver: &'static str) -> Self {
        Self { driver: Some(driver), ..self }
    }

    const fn or(self, default: &'static str) -> Self {
        Self { default, ..self }
    }
}

/// Whether a key of the file is a table of its own, `[…]`.
pub(super) fn is_table(name: &str) -> bool {
    FILE.keys.iter().any(|key| key.name == name && matches!(key.kind, Kind::Table(_)))
}

/// What a file for `serve` lacks, or may not say.
pub(super) fn mistakes_of_production(file: &toml::Table) -> Vec<(Steps, String)> {
    let needed = FILE.keys.iter().filter(|key| key.required == Required::ByProduction);
    let absent =
        needed.filter(|key| !file.contains_key(key.name)).map(|key| (vec![key.name.into()], missing(key)));
    let public_url = file.get("public_url").and_then(Value::as_str);
    let in_the_clear = public_url.and_then(|url| check_transport_of_logins(url).err());
    absent.chain(in_the_clear.map(|cure| (vec!["public_url".into()], cure.to_owned()))).collect()
}

/// How to mend that a key of the file is missing.
pub(super) fn missing_key(name: &str) -> String {
    let key = FILE.keys.iter().find(|key| key.name == name);
    key.map(|key| format!("{name}: {}", missing(key))).unwrap_or_default()
}

/// What a file says that `daypass up` decides by itself.
pub(super) fn decided_by_up(file: &toml::Table) -> Vec<(Steps, String)> {
    let mut found = Vec::new();
    decided_in(&FILE, file, &[], &mut found);
    found
}

fn decided_in(table: &Table, value: &toml::Table, at: &[String], found: &mut Vec<(Steps, String)>) {
    for (name, value) in value {
        let at = step(at, name);
        match table.own_keys().find(|key| key.name == name) {
            Some(key) if key.production => {
                found.push((at, "`daypass up` decides this by itself; leave it out".into()));
            }
            Some(Key { kind: Kind::Table(table), .. }) => {
                decided_in(table, value.as_table().unwrap_or(&toml::Table::new()), &at, found);
            }
            _ => {}
        }
    }
}

/// Whether a value can be read as a `T`.
fn can_be<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
    read::<T>(value).map(drop)
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    value.clone().try_into().map_err(|error| told(&error))
}

/// A mistake, with the key below that it is about. `toml` says the key only where it prints the whole error.
pub(super) fn told(error: &toml::de::Error) -> String {
    let (whole, message) = (error.to_string(), error.message());
    let key = whole.lines().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    key.map_or_else(|| message.to_owned(), |key| format!("{key}: {message}"))
}

fn duration(value: &Value) -> Result<(), String> {
    seconds::deserialize(value.clone()).map(drop).map_err(|error| error.message().to_owned())
}
