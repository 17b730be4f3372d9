//! The file of a configuration, and whose it is. It is read once: what comes by a pipe is gone afterwards, and what was looked
//! at is what counts.

use std::path::{Path, PathBuf};

use toml::Value;

use super::development::{self, Addresses};
use super::document::Document;
use super::mistakes::{ConfigError, Mistake};
use super::{Config, grammar, reread};

/// A file that was read, and not understood yet.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    path: PathBuf,
    document: Document,
}

impl ConfigFile {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`], if it cannot be read, or is no TOML.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Ok(Self { path: path.to_owned(), document: Document::read(path)? })
    }

    /// Reads it another time. A pipe has nothing more to say, which must not pass for a file that says nothing.
    ///
    /// # Errors
    /// [`ConfigError`], likewise, or if it is no file.
    pub fn read_again(path: &Path) -> Result<Self, ConfigError> {
        let kind = std::fs::metadata(path).map_err(|error| Mistake::unreadable(path, &error))?;
        if !kind.is_file() {
            let cure =
                "is no file, and cannot be read another time: start again, with a file if it is to change";
            return Err(Mistake::elsewhere(format!("{} {cure}", path.display())).into());
        }
        Self::read(path)
    }

    /// Where it was read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is one of `serve`: whether it has a key that is production's.
    #[must_use]
    pub fn is_of_production(&self) -> bool {
        !grammar::decided_by_up(&self.document.table).is_empty()
    }

    /// As one of `daypass serve` and Lambda. Paths in it start from where it is.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake and its line.
    pub fn of_production(&self) -> Result<Config, ConfigError> {
        self.of_production_after(None)
    }

    /// The same while a server runs by another one.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake and its line; a change that only a start can read is one.
    pub fn of_production_after(&self, before: Option<&Config>) -> Result<Config, ConfigError> {
        let document = self.document.clone();
        let mut mistakes = document.mistakes(&grammar::mistakes_of_production(&document.table));
        mistakes.extend(waiting(before, &document));
        ConfigError::unless(mistakes, Config::of(document, self.folder()))
    }

    /// As one of either: of `serve`, or else of `up`, without the providers and the app that `up` adds to it.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake and its line.
    pub fn of_either(&self) -> Result<Config, ConfigError> {
        if self.is_of_production() {
            return self.of_production();
        }
        self.over(&development::pool(Addresses::default()), None)
    }

    fn over(&self, ours: &str, before: Option<&Config>) -> Result<Config, ConfigError> {
        let document = self.document.clone();
        let mut mistakes = document.mistakes(&grammar::decided_by_up(&document.table));
        let document = document.over(Document::parse(ours, None)?);
        mistakes.extend(waiting(before, &document));
        ConfigError::unless(mistakes, Config::of(document, self.folder()))
    }

    fn has_app(&self, id: &str) -> bool {
        let apps = self.document.table.get("app").and_then(Value::as_array);
        apps.is_some_and(|apps| apps.iter().any(|app| app.get("id").and_then(Value::as_str) == Some(id)))
    }

    /// Where relative paths start from: where the file is, or the working directory if it has no place of its own, such as
    /// `/dev/stdin`, or `/dev/fd/63` of a shell's `<(…)`.
    fn folder(&self) -> &Path {
        let nowhere = self.path.starts_with("/dev");
        self.path.parent().filter(|_| !nowhere).unwrap_or(Path::new(""))
    }
}

impl Config {
    /// Reads the file of `daypass serve` and Lambda.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake and its line.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        ConfigFile::read(file)?.of_production()
    }

    /// What `daypass up` decides by itself in its directory, with the file of a developer laid over it: the same tables and the same
    /// rules, without the keys that are production's.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake and its line.
    pub fn of_development(
        addresses: Addresses,
        dir: &Path,
        file: Option<&ConfigFile>,
    ) -> Result<Self, ConfigError> {
        Self::of_development_after(None, addresses, dir, file)
    }

    /// The same while `up` runs by another one.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake and its line; a change that only a start can read is one.
    pub fn of_development_after(
        before: Option<&Self>,
        addresses: Addresses,
        dir: &Path,
        file: Option<&ConfigFile>,
    ) -> Result<Self, ConfigError> {
        let mut ours = development::text(addresses, dir);
        if !file.is_some_and(|file| file.has_app(development::TERMINAL)) {
            ours += &development::terminal();
        }
        let config = match file {
            Some(file) => file.over(&ours, before)?,
            None => Self::parse(&ours)?,
        };
        Ok(Self { is_of_up: true, ..config })
    }
}

/// What of a document a server that runs by another configuration cannot take up.
fn waiting(before: Option<&Config>, now: &Document) -> Vec<Mistake> {
    before.map(|before| reread::what_waits_for_a_start(&before.written, now)).unwrap_or_default()
}
