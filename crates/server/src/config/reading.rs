//! Reading a document: first what the grammar says of each key, then what tables say together. Every mistake is noted,
//! and a table that has one is left out of what comes after.

use serde::de::DeserializeOwned;
use toml::Value;

use super::document::{Document, Place};
use super::grammar::{FILE, faults};
use super::mistakes::{ConfigError, Mistake};
use super::steps::Steps;

/// A table of `[[…]]`, and where it stands.
#[derive(Debug)]
pub(super) struct At<T> {
    pub place: Place,
    pub value: T,
}

/// A document that is being read.
pub(super) struct Reading<'a> {
    document: &'a Document,
    mistakes: Vec<Mistake>,
    wrong: Vec<Steps>,
}

impl<'a> Reading<'a> {
    /// Notes what the grammar finds wrong.
    pub fn of(document: &'a Document) -> Self {
        let mut reading = Self { document, mistakes: Vec::new(), wrong: Vec::new() };
        for (steps, cure) in faults(&FILE, &document.table) {
            reading.refuse(&steps, &cure);
        }
        reading
    }

    /// Notes a mistake.
    pub fn refuse(&mut self, steps: &[String], cure: &str) {
        self.mistakes.push(self.document.mistake(steps, cure));
        self.wrong.push(steps.to_vec());
    }

    /// Notes mistakes that were found elsewhere.
    pub fn note(&mut self, mistakes: impl IntoIterator<Item = Mistake>) {
        self.mistakes.extend(mistakes);
    }

    /// The value of a key of the file, if nothing in it is wrong.
    pub fn get<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        self.read(&[key.to_owned()])
    }

    /// The `[[…]]` tables of the file in which nothing is wrong.
    pub fn each<T: DeserializeOwned>(&mut self, key: &str) -> Vec<At<T>> {
        let count = self.document.table.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        let read = |index: usize| {
            let steps = [key.to_owned(), index.to_string()];
            Some(At { value: self.read(&steps)?, place: self.document.place(&steps) })
        };
        (0..count).filter_map(read).collect()
    }

    /// All mistakes, if there is one.
    pub fn finish(self) -> Result<(), ConfigError> {
        ConfigError::unless_empty(self.mistakes)
    }

    fn read<T: DeserializeOwned>(&mut self, steps: &[String]) -> Option<T> {
        let about = |wrong: &Steps| wrong.starts_with(steps) || steps.starts_with(wrong);
        if self.wrong.iter().any(about) {
            return None;
        }
        let read = self.document.get(steps)?.clone().try_into();
        read.map_err(|error: toml::de::Error| self.refuse(steps, error.message())).ok()
    }
}
