//! What may be typed behind `cargo xtask bench`.

use std::path::PathBuf;

use crate::Outcome;

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Arguments {
    /// Names of measures; all of them if there are none.
    pub(crate) measures: Vec<String>,
    pub(crate) quick: bool,
    /// With a crowd of ten million.
    pub(crate) large: bool,
    /// Whether to write the page.
    pub(crate) report: bool,
    /// Where the figures go.
    pub(crate) save: Option<PathBuf>,
    /// The figures of an earlier run, to be compared with.
    pub(crate) compare: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Outcome<Self> {
        let (mut found, mut words) = (Self::default(), words.into_iter());
        while let Some(word) = words.next() {
            match &*word {
                "--quick" => found.quick = true,
                "--large" => found.large = true,
                "--report" => found.report = true,
                "--save" => found.save = Some(file_after(&word, words.next())?),
                "--compare" => found.compare = Some(file_after(&word, words.next())?),
                _ => found.measures.push(word),
            }
        }
        found.check()
    }

    fn check(self) -> Outcome<Self> {
        if self.quick && self.large {
            return Err("--quick and --large are opposites".into());
        }
        if self.report && !self.measures.is_empty() {
            return Err("--report measures everything: a page with half of the figures misleads".into());
        }
        Ok(self)
    }
}

fn file_after(flag: &str, word: Option<String>) -> Outcome<PathBuf> {
    let file = word.filter(|word| !word.starts_with("--"));
    Ok(file.ok_or_else(|| format!("{flag} takes a file"))?.into())
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use crate::Outcome;

    fn parse(line: &str) -> Outcome<Arguments> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn names_and_options_come_in_any_order() {
        let found = parse("token --quick --save a.json s3 --compare b.json").unwrap();
        assert_eq!(found.measures, ["token", "s3"]);
        assert!(found.quick && !found.report);
        assert_eq!(found.save, Some("a.json".into()));
        assert_eq!(found.compare, Some("b.json".into()));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in ["--quick --large", "--report token", "--save", "--compare --quick"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
