//! What a million logins come to, by the figures of the other tables.

use super::beside_sqlite::{DATABASE, ON_POSTGRESQL, ON_SQLITE};
use super::dynamodb::{READ, WRITTEN};
use super::operations::{KNOWN, NEW};
use crate::table::{Cell, Column, Table};

/// On demand in us-east-1, for a million units: <https://aws.amazon.com/dynamodb/pricing/on-demand/>, October 2026.
const READ_DOLLARS: f64 = 0.125;
const WRITTEN_DOLLARS: f64 = 0.625;

pub(super) fn of(beside: &Table, dynamodb: &Table) -> Table {
    let columns = [
        Column::less("SQLite: server", "core seconds", 0),
        Column::less("PostgreSQL: server", "core seconds", 0),
        Column::less("and its database", "core seconds", 0),
        Column::less("DynamoDB: read", "million units", 1),
        Column::less("and written", "million units", 1),
        Column::less("price of both", "$", 2),
    ];
    let mut table = Table::new("stores-million", "A million logins, each with a token, by the figures above", columns).note(
        format!(
            "Nothing is measured here. Microseconds for one are seconds for a million. Units are those of logins that come together, with the trail; \
             their price is that of us-east-1 on demand in October 2026, ${READ_DOLLARS} for a million read units and ${WRITTEN_DOLLARS} for a million \
             written ones."
        ),
    );
    for (name, operation) in [("people who are known", KNOWN), ("people who come for the first time", NEW)] {
        let of = |table: &Table, column| table.cell(operation.title, column).cloned();
        let units = [READ, WRITTEN].map(|column| of(dynamodb, column));
        let price = dollars(&units);
        let [read, written] = units;
        let seconds = [ON_SQLITE, ON_POSTGRESQL, DATABASE].map(|column| of(beside, column));
        table.row(name, seconds.into_iter().map(untargeted).chain([read, written, price]));
    }
    table
}

fn untargeted(cell: Option<Cell>) -> Option<Cell> {
    cell.map(|cell| Cell { target: None, ..cell })
}

fn dollars([read, written]: &[Option<Cell>; 2]) -> Option<Cell> {
    let price =
        read.as_ref()?.rounds.median() * READ_DOLLARS + written.as_ref()?.rounds.median() * WRITTEN_DOLLARS;
    Some(Cell::of([price]))
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::stores::operations::{KNOWN, NEW};
    use crate::stores::{beside_sqlite, dynamodb};
    use crate::table::Cell;

    fn figures<const COLUMNS: usize>(figures: [f64; COLUMNS]) -> [Option<Cell>; COLUMNS] {
        figures.map(|figure| Some(Cell::of([figure])))
    }

    #[test]
    fn a_million_is_a_million_times_one_and_what_is_missing_stays_so() {
        let (mut beside, mut dynamodb) = (beside_sqlite::empty(), dynamodb::empty());
        beside.row(KNOWN.title, figures([400.0, 500.0, 1.25, 600.0, 3.0, 2_000.0]));
        dynamodb.row(KNOWN.title, figures([2.0, 1.0, 4.0, 10.0]));
        beside.row(NEW.title, figures([500.0, 700.0, 1.4, 900.0, 4.0, 3_000.0]));
        let table = of(&beside, &dynamodb);
        let figure = |row: &str, column: &str| table.cell(row, column).map(|cell| cell.rounds.median());
        let known = "people who are known";
        assert_eq!(figure(known, "PostgreSQL: server"), Some(500.0));
        assert_eq!(figure(known, "and its database"), Some(600.0));
        assert_eq!(figure(known, "price of both"), Some(6.75));
        assert_eq!(figure("people who come for the first time", "SQLite: server"), Some(500.0));
        assert_eq!(figure("people who come for the first time", "price of both"), None);
    }
}
