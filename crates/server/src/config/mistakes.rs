//! What is wrong with a configuration: every mistake, each with its file, its line and the cure.

use std::fmt;
use std::path::Path;

/// One mistake. No text repeats a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    file: String,
    line: Option<usize>,
    text: String,
}

impl Mistake {
    /// A mistake in a file, which has no name if it is a text of our own.
    pub(super) fn new(file: &str, line: Option<usize>, text: String) -> Self {
        Self { file: file.to_owned(), line, text }
    }

    /// A mistake that no line of a configuration shows.
    pub(crate) fn elsewhere(text: impl Into<String>) -> Self {
        Self::new("", None, text.into())
    }

    /// A file that cannot be read.
    pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        Self::elsewhere(format!("cannot read {}: {error}", file.display()))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.file, self.line) {
            ("", None) => {}
            ("", Some(line)) => write!(f, "line {line}: ")?,
            (file, None) => write!(f, "{file}: ")?,
            (file, Some(line)) => write!(f, "{file}, line {line}: ")?,
        }
        f.write_str(&self.text)
    }
}

/// Why a configuration cannot be used: all its mistakes, a line each, in the order of the file.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError(Vec<Mistake>);

impl ConfigError {
    /// All of them, in order.
    pub(super) fn of(mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort();
        mistakes.dedup();
        Self(mistakes)
    }

    /// Nothing, if there is no mistake.
    pub(crate) fn unless_empty(mistakes: Vec<Mistake>) -> Result<(), Self> {
        if mistakes.is_empty() { Ok(()) } else { Err(Self::of(mistakes)) }
    }

    /// What was read, if these mistakes are none and those of reading are none.
    pub(super) fn unless<T>(mut mistakes: Vec<Mistake>, read: Result<T, Self>) -> Result<T, Self> {
        match read {
            Ok(read) if mistakes.is_empty() => Ok(read),
            read => {
                mistakes.extend(read.err().into_iter().flat_map(Self::into_mistakes));
                Err(Self::of(mistakes))
            }
        }
    }

    /// The mistakes.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.0
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The mistakes, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [mistake] = &*self.0 {
            return mistake.fmt(f);
        }
        write!(f, "the configuration has {} mistakes:", self.count())?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl From<Mistake> for ConfigError {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}
