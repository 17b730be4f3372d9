//! Tables as the terminal shows them: medians, in parentheses the spread of their rounds, and behind them the targets.

use std::fmt;

use crate::table::{Cell, Column, Row, Table};

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}", self.title)?;
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        let names = self.rows.iter().map(|row| width(&row.name)).max().unwrap_or(0);
        let cells: Vec<Vec<String>> = self.rows.iter().map(|row| texts(row, &self.columns)).collect();
        let headings: Vec<String> = self.columns.iter().map(Column::heading).collect();
        let widths: Vec<usize> = (0..headings.len())
            .map(|at| cells.iter().chain([&headings]).map(|row| width(&row[at])).max().unwrap_or(0))
            .collect();
        line(f, "", names, &headings, &widths, "")?;
        for (row, cells) in self.rows.iter().zip(&cells) {
            line(f, &row.name, names, cells, &widths, &targets(row, &self.columns))?;
        }
        self.missing.iter().try_for_each(|missing| writeln!(f, "  MISSING: {missing}"))
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn line(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    names: usize,
    cells: &[String],
    widths: &[usize],
    targets: &str,
) -> fmt::Result {
    let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}"));
    let cells: Vec<String> = cells.collect();
    writeln!(f, "{}", format!("  {name:<names$}  {}{targets}", cells.join("  ")).trim_end())
}

fn texts(row: &Row, columns: &[Column]) -> Vec<String> {
    let cells = row.cells.iter().zip(columns);
    cells.map(|(cell, column)| cell.as_ref().map_or("-".into(), |cell| text(cell, column))).collect()
}

/// A figure without its unit, and how far its rounds lie apart.
pub(crate) fn text(cell: &Cell, column: &Column) -> String {
    let (median, spread) = (cell.rounds.median(), cell.rounds.spread());
    let figure = format!("{median:.*}", column.digits);
    if cell.rounds.count() == 1 || !spread.is_finite() { figure } else { format!("{figure} ({spread:.0} %)") }
}

/// The targets of a row, each with its column's name where there are several columns.
fn targets(row: &Row, columns: &[Column]) -> String {
    let judged = row.cells.iter().zip(columns).filter_map(|(cell, column)| {
        let judged = cell.as_ref()?.judged("reached", "MISSED")?;
        Some(format!("   {} {judged}", column.name))
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    use crate::table::{Cell, Column, Table};

    #[test]
    fn a_table_stands_in_columns_with_its_targets_behind() {
        let columns = [Column::less("CPU", "µs", 0), Column::less("÷ signature", "", 2)];
        let mut table = Table::new("token", "A token", columns).note("Nine rounds.");
        table
            .row("4 connections", [Some(Cell::of([99.0, 100.0, 101.0])), Some(Cell::of([2.0]).at_most(1.4))]);
        table.row("32", [None, Some(Cell::of([1.0]).at_most(1.25))]);
        table.missing.push("moto could not be had: no network".into());
        assert_eq!(
            table.to_string(),
            "\nA token\n  Nine rounds.\n                   CPU, µs  ÷ signature\n\
             \x20 4 connections  100 (2 %)         2.00   ÷ signature ≤ 1.4 MISSED\n\
             \x20 32                     -         1.00   ÷ signature ≤ 1.25 reached\n\
             \x20 MISSING: moto could not be had: no network\n"
        );
    }
}
