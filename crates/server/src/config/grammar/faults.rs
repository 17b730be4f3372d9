//! Holding a tree against the grammar: unknown keys, missing keys, and values that cannot be read.

use daypass_core::login::provider::catalogue::nearest_of;
use toml::Value;

use super::super::steps::{Steps, step};
use super::{Key, Kind, Required, Table};

/// Everything in a table that the grammar refuses: where, and the cure.
pub fn faults(table: &Table, value: &toml::Table) -> Vec<(Steps, String)> {
    let mut found = Vec::new();
    in_table(table, value, &[], &mut found);
    found
}

type Found = Vec<(Steps, String)>;

fn in_table(table: &Table, value: &toml::Table, at: &[String], found: &mut Found) {
    for (name, value) in value {
        if let Some(key) = table.own_keys().find(|key| key.name == name) {
            if is_placeholder(value) {
                found.push((step(at, name), "is still the place of a value of yours: fill it in".into()));
            } else {
                in_key(key, value, &step(at, name), found);
            }
        } else if !table.all_keys().any(|key| key.name == name) {
            found.push((step(at, name), unknown(name, table)));
        }
    }
    let driver = value.get("driver").and_then(Value::as_str).unwrap_or("embedded");
    for key in table.own_keys() {
        let (given, fits) = (value.contains_key(key.name), key.driver.is_none_or(|its| its == driver));
        if given && !fits {
            found.push((step(at, key.name), of_the_other_driver(key)));
        } else if !given && fits && key.required == Required::Yes {
            found.push((step(at, key.name), missing(key)));
        }
    }
}

/// What stands in the blocks that `daypass provider` prints where the operator's own values go, of a secret in its reference.
fn is_placeholder(value: &Value) -> bool {
    match value {
        Value::String(text) => matches!(text.trim(), "…" | "...") || text.starts_with("YOUR_"),
        Value::Array(values) => values.iter().any(is_placeholder),
        Value::Table(reference) => reference.len() == 1 && reference.values().any(is_placeholder),
        _ => false,
    }
}

fn of_the_other_driver(key: &Key) -> String {
    format!(
        "goes with driver = {:?}: with another one it would mean nothing; leave it out",
        key.driver.unwrap_or_default()
    )
}

/// What stands below is right, or the whole is not looked at.
fn in_key(key: &Key, value: &Value, at: &[String], found: &mut Found) {
    let before = found.len();
    for (table, at, value) in tables_below(key, value, at) {
        match value {
            Value::Table(value) => in_table(table, value, &at, found),
            _ => found.push((at, "must be a table".into())),
        }
    }
    if found.len() > before {
        return;
    }
    if lacks_brackets(key, value) {
        return found.push((at.to_vec(), format!("must be tables: write [[{}]]", key.name)));
    }
    for (at, value) in values(key, value, at) {
        if let Err(cure) = key.check(value) {
            found.push((at, cure));
        }
    }
}

fn tables_below<'a>(key: &Key, value: &'a Value, at: &[String]) -> Vec<(&'static Table, Steps, &'a Value)> {
    match (&key.kind, value) {
        (Kind::Table(table), value @ Value::Table(_)) => vec![(table, at.to_vec(), value)],
        (Kind::Tables(table) | Kind::TextOrTables(table), Value::Array(values)) => {
            values.iter().enumerate().map(|(index, value)| (*table, step(at, index), value)).collect()
        }
        (Kind::TableByName(table), Value::Table(values)) => {
            values.iter().map(|(name, value)| (*table, step(at, name), value)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a table stands where there are to be several, each with two brackets.
fn lacks_brackets(key: &Key, value: &Value) -> bool {
    matches!(key.kind, Kind::Tables(_) | Kind::TextOrTables(_)) && value.is_table()
}

/// Tables of `[[…]]` are read each for itself.
fn values<'a>(key: &Key, value: &'a Value, at: &[String]) -> Vec<(Steps, &'a Value)> {
    match (&key.kind, value) {
        (Kind::Tables(_) | Kind::TextOrTables(_), Value::Array(values)) => {
            values.iter().enumerate().map(|(index, value)| (step(at, index), value)).collect()
        }
        _ => vec![(at.to_vec(), value)],
    }
}

impl Key {
    fn check(&self, value: &Value) -> Result<(), String> {
        match (&self.kind, value) {
            (Kind::Table(_), value) if !value.is_table() => {
                Err(format!("must be a table: write [{}]", self.name))
            }
            (Kind::TableByName(_), value) if !value.is_table() => {
                Err(format!("must be tables by name: write [{}.NAME]", self.name))
            }
            (Kind::Tables(_), value) if !value.is_table() => {
                Err(format!("must be tables: write [[{}]]", self.name))
            }
            (Kind::Number(least, most), Value::Integer(number)) if !(*least..=*most).contains(number) => {
                Err(format!("must be {least} to {most}"))
            }
            (Kind::Choice(words), Value::String(word)) if !words.contains(&word.as_str()) => {
                Err(format!("must be {}", one_of(words)))
            }
            _ => (self.read)(value),
        }
    }
}

fn one_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    words.join(" or ")
}

fn unknown(name: &str, table: &Table) -> String {
    if let Some(nearest) = nearest_of(name, table.all_keys().map(|key| key.name)) {
        return format!("unknown key; did you mean `{nearest}`?");
    }
    let keys: Vec<String> = table.all_keys().map(|key| format!("`{}`", key.name)).collect();
    format!("unknown key; there are {}", keys.join(", "))
}

pub fn missing(key: &Key) -> String {
    match key.cure {
        "" => format!("missing: {}", key.about),
        cure => format!("missing: {cure}"),
    }
}
