//! A configuration as it is written: a tree of keys and values, and the line of each.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::grammar;
use super::mistakes::{ConfigError, Mistake};
use super::steps::{Steps, step};

/// Keys that tell one table of an array from the next, the first of them that is there.
const NAMES: [&str; 5] = ["id", "name", "arn", "region", "issuer"];

/// What a database of SQLite's begins with (sqlite.org/fileformat2.html, "The Database Header").
const HEAD_OF_SQLITE: &[u8] = b"SQLite format 3\0";
const A_DATABASE: &str = "is a database, and a configuration was to be named; a command that takes the URL of a store as well takes it \
                          as sqlite:FILE";

/// The tree, and where its parts stand.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub table: Table,
    lines: Arc<Lines>,
}

/// At which line of a file everything stands.
#[derive(Debug, Default)]
struct Lines {
    file: String,
    of: BTreeMap<Steps, usize>,
}

/// A part of a configuration, and where it stands.
#[derive(Debug, Clone)]
pub struct Place {
    lines: Arc<Lines>,
    steps: Steps,
    label: String,
}

impl Document {
    /// Reads a file.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let written = std::fs::read(file).map_err(|error| Mistake::unreadable(file, &error))?;
        let refused = |cure| Mistake::elsewhere(format!("{} {cure}", file.display()));
        if written.starts_with(HEAD_OF_SQLITE) {
            return Err(refused(A_DATABASE).into());
        }
        let text = String::from_utf8(written)
            .map_err(|_| refused("is not UTF-8, and a configuration is TOML, which is"))?;
        Self::parse(&text, Some(file))
    }

    /// Reads a text, which is that of a file if it is not our own.
    pub fn parse(text: &str, file: Option<&Path>) -> Result<Self, ConfigError> {
        let file = file.map(|file| file.display().to_string()).unwrap_or_default();
        let line = |start| text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        let (tree, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // No message repeats the text, which may hold a secret that belongs somewhere else.
            let mistake = |error: toml::de::Error| {
                let line = error.span().map(|span| line(span.start));
                Mistake::new(&file, line, format!("this is not TOML: {}", error.message()))
            };
            return Err(ConfigError::of(errors.into_iter().map(mistake).collect()));
        }
        let mut lines = Lines { file, of: BTreeMap::new() };
        for (key, value) in tree.get_ref() {
            note(
                &mut lines.of,
                vec![key.get_ref().to_string()],
                line(key.span().start),
                value.get_ref(),
                &line,
            );
        }
        let table = Table::deserialize(toml::de::Deserializer::from(tree));
        let table = table.map_err(|error| Mistake::new(&lines.file, None, error.message().to_owned()))?;
        Ok(Self { table, lines: Arc::new(lines) })
    }

    /// This document laid over another one: its tables go into the other's, its `[[…]]` behind them, and any other value
    /// of it counts instead.
    pub fn over(self, below: Self) -> Self {
        let mut lines = Lines { file: self.lines.file.clone(), of: BTreeMap::new() };
        for (steps, line) in &self.lines.of {
            lines.of.insert(shifted(steps, &below.table), *line);
        }
        let mut table = below.table;
        lay_over(&mut table, self.table);
        Self { table, lines: Arc::new(lines) }
    }

    /// What stands there.
    pub fn get(&self, steps: &[String]) -> Option<&Value> {
        let (first, rest) = steps.split_first()?;
        rest.iter().try_fold(self.table.get(first)?, |value, step| child(value, step))
    }

    /// Where that is.
    pub fn place(&self, steps: &[String]) -> Place {
        Place { lines: self.lines.clone(), steps: steps.to_vec(), label: self.label(steps) }
    }

    /// A mistake there.
    pub fn mistake(&self, steps: &[String], cure: &str) -> Mistake {
        self.lines.mistake(steps, &self.label(steps), cure)
    }

    /// Mistakes there.
    pub fn mistakes(&self, faults: &[(Steps, String)]) -> Vec<Mistake> {
        faults.iter().map(|(steps, cure)| self.mistake(steps, cure)).collect()
    }

    /// What an operator calls a place: `[pool] region`, `[[app]] id = "web": origins`.
    fn label(&self, steps: &[String]) -> String {
        let is_element = |end: &usize| *end > 1 && self.get(&steps[..end - 1]).is_some_and(Value::is_array);
        let Some(end) = (1..=steps.len()).rev().find(|end| is_element(end) && self.is_table(&steps[..*end]))
        else {
            return self.label_without_arrays(steps);
        };
        let (array, rest) = (&steps[..end - 1], &steps[end..]);
        let named: Vec<&str> =
            array.iter().map(String::as_str).filter(|step| step.parse::<usize>().is_err()).collect();
        let key = if rest.is_empty() { String::new() } else { format!(": {}", rest.join(".")) };
        format!("[[{}]]{}{key}", named.join("."), self.name(&steps[..end]))
    }

    fn label_without_arrays(&self, steps: &[String]) -> String {
        match steps {
            [] => String::new(),
            [table, rest @ ..] if grammar::is_table(table) => {
                format!("[{table}] {}", rest.join(".")).trim_end().to_owned()
            }
            [array, ..] if self.get(steps).is_some_and(is_array_of_tables) => format!("[[{array}]]"),
            steps => steps.join("."),
        }
    }

    fn name(&self, element: &[String]) -> String {
        let Some(table) = self.get(element).and_then(Value::as_table) else { return String::new() };
        let named = NAMES.iter().find_map(|key| Some((key, table.get(*key)?.as_str()?)));
        named.map(|(key, name)| format!(" {key} = {name:?}")).unwrap_or_default()
    }

    fn is_table(&self, steps: &[String]) -> bool {
        self.get(steps).is_some_and(Value::is_table)
    }
}

impl Place {
    /// A mistake at a key of the table that is here.
    pub fn below(&self, key: &str, cure: &str) -> Mistake {
        self.lines.mistake(&step(&self.steps, key), &format!("{}: {key}", self.label), cure)
    }

    /// A mistake whose text begins with the key that it is about, as in `profile.url: …`, or that calls a key unknown:
    /// at the line of that key, if it stands there.
    pub fn mistake_below(&self, text: &str) -> Mistake {
        let mut steps = self.steps.clone();
        let mut follow = |step: &str| {
            steps.push(step.to_owned());
            let known = self.lines.of.contains_key(&steps);
            if !known {
                steps.pop();
            }
            known.then_some(())
        };
        let _ = text.split(": ").flat_map(|part| part.split('.')).try_for_each(&mut follow);
        let unknown = text.split("unknown field `").nth(1).and_then(|rest| rest.split('`').next());
        unknown.and_then(follow);
        self.lines.mistake(&steps, &self.label, text)
    }
}

impl Lines {
    /// What is not in the file is told at the line of what should hold it.
    fn mistake(&self, steps: &[String], label: &str, cure: &str) -> Mistake {
        let line = (0..=steps.len()).rev().find_map(|end| self.of.get(&steps[..end]).copied());
        let text = if label.is_empty() { cure.to_owned() } else { format!("{label}: {cure}") };
        Mistake::new(&self.file, line, text)
    }
}

fn is_array_of_tables(value: &Value) -> bool {
    value.as_array().is_some_and(|array| array.first().is_some_and(Value::is_table))
}

fn child<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value {
        Value::Table(table) => table.get(step),
        Value::Array(array) => array.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

fn note(
    into: &mut BTreeMap<Steps, usize>,
    steps: Steps,
    at: usize,
    value: &DeValue<'_>,
    line: &impl Fn(usize) -> usize,
) {
    match value {
        DeValue::Table(table) => {
            for (key, value) in table {
                note(into, step(&steps, key.get_ref()), line(key.span().start), value.get_ref(), line);
            }
        }
        DeValue::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                note(into, step(&steps, index), line(value.span().start), value.get_ref(), line);
            }
        }
        _ => {}
    }
    into.insert(steps, at);
}

/// The steps to an element of an array, which comes behind what stands there already.
fn shifted(steps: &[String], below: &Table) -> Steps {
    let mut shifted = steps.to_vec();
    let before = below.get(&steps[0]).and_then(Value::as_array).map_or(0, Vec::len);
    if let Some(index) = steps.get(1).and_then(|step| step.parse::<usize>().ok()) {
        shifted[1] = (index + before).to_string();
    }
    shifted
}

fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (Some(Value::Array(below)), Value::Array(above)) => below.extend(above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}
