//! What a code means, and what to do, as `docs/errors.md` says it.

use super::told::Told;

const ERRORS: &str = include_str!("../../../../../docs/errors.md");

/// The rows of its tables.
pub(super) struct Words {
    rows: Vec<Row>,
}

struct Row {
    statuses: String,
    codes: String,
    words: String,
    /// Whether it is about pages.
    of_pages: bool,
}

impl Words {
    pub(super) fn read() -> Self {
        let (general, of_pages) = ERRORS.split_once("The pages of").unwrap();
        let rows =
            |text: &'static str, of_pages| text.lines().filter_map(move |line| Row::read(line, of_pages));
        Self { rows: rows(general, false).chain(rows(of_pages, true)).collect() }
    }

    /// The words for a code. Those about pages go first on pages.
    pub(super) fn of(&self, told: &Told, on_page: bool) -> String {
        let code = format!("`{}`", told.code);
        let mut rows: Vec<&Row> = self.rows.iter().filter(|row| row.codes.contains(&code)).collect();
        rows.sort_by_key(|row| row.of_pages != on_page);
        let row = rows.first().unwrap_or_else(|| panic!("docs/errors.md has no row for {code}"));
        let status = told.status.to_string();
        let is_there = told.error.is_some() || rows.iter().any(|row| row.statuses.contains(&status));
        assert!(is_there, "docs/errors.md does not say that {code} may be {status}");
        super::markdown::from_here(&row.words)
    }
}

impl Row {
    fn read(line: &str, of_pages: bool) -> Option<Self> {
        let cells: Vec<&str> = line.strip_prefix("| ")?.split('|').map(str::trim).collect();
        let [statuses, codes, meaning, cure, ..] = cells.as_slice() else { return None };
        let words = if cure.is_empty() { (*meaning).to_owned() } else { format!("{meaning} → {cure}") };
        let [statuses, codes] = [statuses, codes].map(|cell| (*cell).to_owned());
        codes.starts_with('`').then_some(Self { statuses, codes, words, of_pages })
    }
}
