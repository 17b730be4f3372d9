//! What a measure finds: a table of figures, each of several rounds, some with a target. The terminal, the file of a run, the
//! page and the comparison all show these.

use serde::{Deserialize, Serialize};

use crate::statistics::Sample;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    /// What files and comparisons call it, in lower case.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// What one has to know to read it, in whole sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// What should be in it and is not, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) missing: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Behind each figure of a list; empty for a ratio.
    pub(crate) unit: String,
    /// Digits after the point.
    pub(crate) digits: usize,
    /// Whether more of it is better.
    #[serde(default)]
    pub(crate) more_is_better: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// One for each column, or nothing.
    pub(crate) cells: Vec<Option<Cell>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) rounds: Sample,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Target>,
}

/// What the median of a figure is held to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Table {
    pub(crate) fn new<const COLUMNS: usize>(id: &str, title: &str, columns: [Column; COLUMNS]) -> Self {
        let (id, title, columns) = (id.to_owned(), title.to_owned(), columns.into());
        Self { id, title, columns, rows: Vec::new(), notes: Vec::new(), missing: Vec::new() }
    }

    pub(crate) fn note(mut self, sentence: impl Into<String>) -> Self {
        self.notes.push(sentence.into());
        self
    }

    /// Adds a row, whose cells are as many as the columns.
    pub(crate) fn row(&mut self, name: impl Into<String>, cells: impl IntoIterator<Item = Option<Cell>>) {
        let cells: Vec<_> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.columns.len(), "a row has a cell for each column");
        self.rows.push(Row { name: name.into(), cells });
    }

    /// The figure where a row and a column meet.
    pub(crate) fn cell(&self, row: &str, column: &str) -> Option<&Cell> {
        let at = self.columns.iter().position(|it| it.name == column)?;
        self.rows.iter().find(|it| it.name == row)?.cells.get(at)?.as_ref()
    }

    /// Every figure that is there, by row and column.
    pub(crate) fn figures(&self) -> impl Iterator<Item = (&Row, &Column, &Cell)> {
        self.rows.iter().flat_map(move |row| {
            let cells = self.columns.iter().zip(&row.cells);
            cells.filter_map(move |(column, cell)| Some((row, column, cell.as_ref()?)))
        })
    }
}

impl Column {
    /// Of figures that had better be small.
    pub(crate) fn less(name: &str, unit: &str, digits: usize) -> Self {
        Self { name: name.into(), unit: unit.into(), digits, more_is_better: false }
    }

    /// Of figures that had better be large.
    pub(crate) fn more(name: &str, unit: &str, digits: usize) -> Self {
        Self { more_is_better: true, ..Self::less(name, unit, digits) }
    }

    pub(crate) fn heading(&self) -> String {
        if self.unit.is_empty() { self.name.clone() } else { format!("{}, {}", self.name, self.unit) }
    }

    /// A figure of this column, with its unit.
    pub(crate) fn figure(&self, figure: f64) -> String {
        let number = format!("{figure:.*}", self.digits);
        if self.unit.is_empty() { number } else { format!("{number} {}", self.unit) }
    }
}

impl Cell {
    pub(crate) fn of(rounds: impl IntoIterator<Item = f64>) -> Self {
        Self { rounds: Sample::of(rounds), target: None }
    }

    pub(crate) fn at_most(self, limit: f64) -> Self {
        Self { target: Some(Target::AtMost(limit)), ..self }
    }

    pub(crate) fn at_least(self, limit: f64) -> Self {
        Self { target: Some(Target::AtLeast(limit)), ..self }
    }

    /// Whether the target is reached, where there is one.
    pub(crate) fn reached(&self) -> Option<bool> {
        let median = self.rounds.median();
        self.target.map(|target| match target {
            Target::AtMost(limit) => median <= limit,
            Target::AtLeast(limit) => median >= limit,
        })
    }

    /// Target and verdict, or nothing.
    pub(crate) fn judged(&self, reached: &str, missed: &str) -> Option<String> {
        let target = match self.target? {
            Target::AtMost(limit) => format!("≤ {limit}"),
            Target::AtLeast(limit) => format!("≥ {limit}"),
        };
        Some(format!("{target} {}", if self.reached()? { reached } else { missed }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Column, Table};

    #[test]
    fn a_target_is_held_against_the_median() {
        let cell = Cell::of([1.0, 9.0, 2.0]);
        assert_eq!(cell.reached(), None);
        assert_eq!(cell.clone().at_most(2.0).reached(), Some(true));
        assert_eq!(cell.clone().at_most(1.9).judged("reached", "MISSED").as_deref(), Some("≤ 1.9 MISSED"));
        assert_eq!(cell.at_least(2.1).judged("reached", "MISSED").as_deref(), Some("≥ 2.1 MISSED"));
    }

    #[test]
    fn figures_are_found_by_row_and_column() {
        let mut table = Table::new("t", "T", [Column::less("CPU", "µs", 1), Column::more("answers", "", 0)]);
        table.row("one", [Some(Cell::of([1.5])), None]);
        assert_eq!(table.cell("one", "CPU").map(|it| it.rounds.median()), Some(1.5));
        assert!(table.cell("one", "answers").is_none());
        assert!(table.cell("two", "CPU").is_none());
        assert_eq!(table.figures().count(), 1);
        assert_eq!(table.columns[0].heading(), "CPU, µs");
        assert_eq!(table.columns[0].figure(1.25), "1.2 µs");
    }
}
