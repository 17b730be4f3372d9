//! Which tables have a chart, and what it shows of them.

use super::bars::{self, Bar, Mark};
use super::curves::{self, Axes, Curve};
use crate::run::Run;
use crate::table::{Cell, Column, Row, Table};

pub(super) struct Chart {
    /// The table that it belongs to.
    pub(super) table: String,
    pub(super) file: String,
    pub(super) described: String,
    pub(super) svg: String,
}

/// A table's column as bars.
struct Bars {
    table: &'static str,
    column: &'static str,
    title: &'static str,
    mark: Option<(f64, &'static str)>,
    /// Whether each bar begins where the one before ends, but for the last, which is all of them.
    adds_up: bool,
}

const BARS: [Bars; 4] = [
    Bars {
        table: "stages",
        column: "CPU",
        title: "A developer token's time, in µs of CPU",
        mark: None,
        adds_up: true,
    },
    Bars {
        table: "operations",
        column: "signatures",
        title: "CPU of each operation ÷ that of one bare RSA-2048 signature",
        mark: Some((1.0, "one signature")),
        adds_up: false,
    },
    Bars {
        table: "start",
        column: "to ready",
        title: "From start to ready, in ms",
        mark: None,
        adds_up: false,
    },
    Bars {
        table: "emulators",
        column: "answers",
        title: "Answers a second, Daypass and emulators of AWS",
        mark: None,
        adds_up: false,
    },
];

/// The ranks of those who wait, with the colours of their curves.
const RANKS: [(&str, &str); 3] = [("p50", "first"), ("p99", "second"), ("p99.9", "third")];
const GROWTH: &str = "token ÷ small";

pub(super) fn of(run: &Run) -> Vec<Chart> {
    let bars = BARS.iter().filter_map(|bars| bars.of(run.table(bars.table)?));
    let waits = run.tables.iter().filter(|table| table.id.starts_with("latency-")).map(waiting);
    let growth = run.table("growth").map(growth);
    bars.chain(waits).chain(growth).collect()
}

impl Chart {
    fn new(table: &Table, described: String, svg: String) -> Self {
        Self { table: table.id.clone(), file: format!("{}.svg", table.id), described, svg }
    }
}

impl Bars {
    fn of(&self, table: &Table) -> Option<Chart> {
        let at = table.columns.iter().position(|column| column.name == self.column)?;
        let column = &table.columns[at];
        let known: Vec<(&Row, &Cell)> =
            table.rows.iter().filter_map(|row| Some((row, row.cells.get(at)?.as_ref()?))).collect();
        let (mut bars, mut end) = (Vec::new(), 0.0);
        for (number, (row, cell)) in known.iter().enumerate() {
            let (value, all) = (cell.rounds.median(), number + 1 == known.len());
            let from = if self.adds_up && !all { end } else { 0.0 };
            end += value;
            bars.push(Bar {
                name: plain(&row.name),
                from,
                value,
                figure: column.figure(value),
                class: class(row),
            });
        }
        let mark = self.mark.map(|(at, name)| Mark { at, name: name.into() });
        let described = described(self.title, &known, column);
        let svg = bars::chart(self.title, &bars, mark.as_ref(), &described);
        Some(Chart::new(table, described, svg))
    }
}

/// The bare signature, and whatever is not Daypass, stand out.
fn class(row: &Row) -> &'static str {
    let name = &row.name;
    let others = [": moto", ": ministack", "the floor", "bare"];
    if others.iter().any(|other| name.contains(other)) { "second" } else { "first" }
}

fn described(title: &str, known: &[(&Row, &Cell)], column: &Column) -> String {
    let rows = known
        .iter()
        .map(|(row, cell)| format!("{} {}", plain(&row.name), column.figure(cell.rounds.median())));
    format!("{title}: {}", rows.collect::<Vec<_>>().join("; "))
}

/// Without the signs of a page.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

fn waiting(table: &Table) -> Chart {
    let places: Vec<String> = table.rows.iter().map(|row| row.name.clone()).collect();
    let curves = RANKS.map(|(name, class)| curve(table, name, class));
    let axes = Axes { places: &places, below: "of the capacity", unit: "ms", logarithmic: true };
    let title = format!("{}: how long people wait", table.title);
    let described = spoken(&title, &places, &curves, "ms");
    let svg = curves::chart(&title, &axes, &curves, &described);
    Chart::new(table, described, svg)
}

fn growth(table: &Table) -> Chart {
    let places: Vec<String> = table.rows.iter().map(|row| row.name.replace(" of each", "")).collect();
    let curves = [Curve { name: "a token".into(), ..curve(table, GROWTH, "first") }];
    let axes =
        Axes { places: &places, below: "identities and events, each", unit: "÷ small", logarithmic: false };
    let title = "CPU of a token ÷ that in an installation of a thousand";
    let described = spoken(title, &places, &curves, "");
    let svg = curves::chart(title, &axes, &curves, &described);
    Chart::new(table, described, svg)
}

fn curve(table: &Table, column: &str, class: &'static str) -> Curve {
    let value = |row: &Row| table.cell(&row.name, column).map(|cell| cell.rounds.median());
    Curve { name: column.to_owned(), values: table.rows.iter().map(value).collect(), class }
}

fn spoken(title: &str, places: &[String], curves: &[Curve], unit: &str) -> String {
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let at = |(place, value): (&String, &Option<f64>)| Some(format!("{:.2}{unit} at {place}", (*value)?));
    let curves = curves.iter().filter_map(|curve| {
        let known: Vec<String> = places.iter().zip(&curve.values).filter_map(at).collect();
        (!known.is_empty()).then(|| format!("{} {}", curve.name, known.join(", ")))
    });
    format!("{title}: {}", curves.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::run::Run;
    use crate::table::{Cell, Column, Table};

    fn run(tables: Vec<Table>) -> Run {
        let mut run = Run::new("cargo xtask bench --report".into(), true);
        run.tables = tables;
        run
    }

    #[test]
    fn stages_add_up_to_the_last() {
        let mut table = Table::new("stages", "Stages", [Column::less("CPU", "µs", 0)]);
        for (name, value) in [("HTTP", 100.0), ("+ the bare signature", 200.0), ("= all", 300.0)] {
            table.row(name, [Some(Cell::of([value]))]);
        }
        let charts = of(&run(vec![table]));
        let svg = &charts[0].svg;
        assert_eq!(charts[0].file, "stages.svg");
        assert!(svg.contains("x=\"16.0\" y=\"66.0\" width=\"124.0\""), "{svg}");
        assert!(
            svg.contains("x=\"140.0\" y=\"110.0\" width=\"248.0\" height=\"14.0\" rx=\"2\" class=\"second\""),
            "{svg}"
        );
        assert!(svg.contains("x=\"16.0\" y=\"154.0\" width=\"372.0\""), "{svg}");
        assert!(charts[0].described.ends_with("HTTP 100 µs; + the bare signature 200 µs; = all 300 µs"));
    }

    #[test]
    fn each_load_has_a_chart_of_its_ranks() {
        let columns = ["p50", "p99", "p99.9"].map(|rank| Column::less(rank, "ms", 2));
        let mut table = Table::new("latency-token", "A token", columns);
        table.row("20 %", [Some(Cell::of([1.0])), Some(Cell::of([3.0])), None]);
        let charts = of(&run(vec![table]));
        assert_eq!(charts[0].file, "latency-token.svg");
        assert_eq!(
            charts[0].described,
            "A token: how long people wait: p50 1.00 ms at 20 %; p99 3.00 ms at 20 %"
        );
    }
}
