//! The page, in Markdown.

use std::fmt::{self, Write};

use super::{FIGURES, FOLDER, charts};
use crate::run::Run;
use crate::show::text;
use crate::table::{Cell, Column, Row, Table};

/// A part of the page: its heading, what is to be said before its tables, and how the names of those begin.
struct Section(&'static str, &'static str, &'static [&'static str]);

const SECTIONS: [Section; 8] = [
    Section(
        "What a token costs",
        "CPU of the server's process, as the kernel counts it, ÷ CPU of one bare RSA-2048 signature by the same library, measured right \
         before it. A ratio of two figures of one moment is the same on a fast machine and on a slow one.",
        &["signature", "token", "es256", "stages", "threads"],
    ),
    Section(
        "What each operation costs",
        "Each round measures the signature and then every operation once, so that whatever slows the machine down for a while slows down \
         all of them.",
        &["operations", "engine"],
    ),
    Section(
        "What shared stores cost",
        "The same requests to one `serve` after the other, each with a store of its own. What a server does behind its answers, so that the \
         audit trail has its order, is waited for and counted. Databases and emulators are on the machine of the servers and their clients, \
         so rates and waits would be those of all of them: what is told is the CPU of each, and what an owner of a table is charged for.",
        &["stores"],
    ),
    Section(
        "How long people wait",
        "Requests come by a schedule, with the exponential pauses of people who know nothing of each other, and nobody slows down because an \
         answer is late: each waits from the instant it was due, so that what a slow moment holds up counts as held up. Client and server have \
         cores of their own. Percentiles are those of a round; what is shown is their median.",
        &["capacity", "latency-"],
    ),
    Section("When too many come", "", &["logins", "overload"]),
    Section("What growing costs", "", &["growth"]),
    Section("Starts and memory", "", &["start", "memory", "lambda"]),
    Section("Beside others", "All of them in the same run, by turns.", &["emulators", "s3"]),
];

const HOW_TO_READ: &str = "Figures are medians of rounds, and in parentheses stands the distance between the extremes of the rounds in percent: \
     what is closer than that is the same. A target is held against the median.";

pub(super) fn of(run: &Run) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write(run, &mut page);
    page
}

fn write(run: &Run, page: &mut String) -> fmt::Result {
    writeln!(page, "# Benchmarks\n")?;
    if run.quick {
        writeln!(page, "**A quick run: it shows that everything works. Do not quote these figures.**\n")?;
    }
    writeln!(
        page,
        "`cargo xtask bench --report` has measured this and written the page; nothing here is written by hand. {HOW_TO_READ}\n\n\
         To see what a change costs, `cargo xtask bench --save before.json`, change it, and `cargo xtask bench --compare before.json`; names choose \
         what is measured (`cargo xtask bench token latency --compare before.json`). All rounds of this page are in \
         [{FIGURES}]({FOLDER}/{FIGURES}), which is such a file, too. [How the bench measures](decisions/0038-how-the-bench-measures.md) \
         has the reasons.\n"
    )?;
    write_origin(run, page)?;
    write_targets(run, page)?;
    write_missing(run, page)?;
    for section in &SECTIONS {
        write_section(run, section, page)?;
    }
    page.truncate(page.trim_end().len());
    writeln!(page)
}

fn write_section(run: &Run, Section(heading, says, beginnings): &Section, page: &mut String) -> fmt::Result {
    let tables: Vec<&Table> = run.tables.iter().filter(|table| is_in(table, beginnings)).collect();
    if tables.is_empty() {
        return Ok(());
    }
    writeln!(page, "## {heading}\n")?;
    if !says.is_empty() {
        writeln!(page, "{says}\n")?;
    }
    let charts = charts::of(run);
    for table in tables {
        writeln!(page, "### {}\n", table.title)?;
        for chart in charts.iter().filter(|chart| chart.table == table.id) {
            writeln!(page, "![{}]({FOLDER}/{})\n", chart.described, chart.file)?;
        }
        write_table(table, page)?;
    }
    Ok(())
}

fn is_in(table: &Table, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| {
        let rest = table.id.strip_prefix(beginning);
        rest.is_some_and(|rest| rest.is_empty() || beginning.ends_with('-') || rest.starts_with('-'))
    })
}

fn write_origin(run: &Run, page: &mut String) -> fmt::Result {
    let machine = &run.machine;
    let rows = [
        ("Commit", run.commit.clone()),
        ("Command", format!("`{}`, {} minutes", run.command, run.seconds.div_ceil(60))),
        ("Processor", format!("{}, {} cores", machine.processor, machine.cores)),
        ("Memory", format!("{} GiB", machine.memory_gib)),
        ("System", format!("{}, Linux {}, {}", machine.system, machine.kernel, machine.file_system)),
        ("Compiler", run.compiler.clone()),
    ];
    writeln!(page, "| | |\n|---|---|")?;
    rows.iter().try_for_each(|(name, value)| writeln!(page, "| {name} | {value} |"))?;
    writeln!(page)
}

/// Every figure that has a target; first those that miss it.
fn write_targets(run: &Run, page: &mut String) -> fmt::Result {
    let figures = run.tables.iter().flat_map(|table| table.figures().map(move |figure| (table, figure)));
    let mut held: Vec<_> = figures.filter_map(|figure| Some((figure.1.2.reached()?, figure))).collect();
    held.sort_by_key(|(reached, _)| *reached);
    let reached = held.iter().filter(|(reached, _)| *reached).count();
    writeln!(page, "## Targets\n\n{reached} of {} are reached.\n", held.len())?;
    writeln!(page, "| What | | Measured | Target |\n|---|---|--:|---|")?;
    for (_, (table, (row, column, cell))) in held {
        let what = format!("{}: {}", table.title, row.name);
        let (figure, target) = (column.figure(cell.rounds.median()), judged(cell));
        writeln!(page, "| {what} | {} | {figure} | {target} |", column.name)?;
    }
    writeln!(page)
}

fn judged(cell: &Cell) -> String {
    cell.judged("reached", "**missed**").unwrap_or_default()
}

/// What could not be had stands where nobody overlooks it.
fn write_missing(run: &Run, page: &mut String) -> fmt::Result {
    let missing: Vec<&String> = run.tables.iter().flat_map(|table| &table.missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    writeln!(page, "## Missing\n\nThis should be here and is not:\n")?;
    missing.iter().try_for_each(|missing| writeln!(page, "- **{}**", one_line(missing)))?;
    writeln!(page)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn write_table(table: &Table, page: &mut String) -> fmt::Result {
    for note in &table.notes {
        writeln!(page, "{note}\n")?;
    }
    let headings: Vec<String> = table.columns.iter().map(Column::heading).collect();
    writeln!(page, "| | {} |", headings.join(" | "))?;
    writeln!(page, "|---|{}", "--:|".repeat(headings.len()))?;
    for row in &table.rows {
        writeln!(page, "| {} | {} |", row.name, cells(table, row).join(" | "))?;
    }
    writeln!(page)
}

fn cells(table: &Table, row: &Row) -> Vec<String> {
    let cells = row.cells.iter().zip(&table.columns).map(|(cell, column)| {
        let Some(cell) = cell else { return String::new() };
        let target = if cell.target.is_some() { format!("<br>{}", judged(cell)) } else { String::new() };
        text(cell, column) + &target
    });
    cells.collect()
}

#[cfg(test)]
mod tests {
    use super::{SECTIONS, is_in, of};
    use crate::run::Run;
    use crate::table::{Cell, Column, Table};

    fn run() -> Run {
        let mut table = Table::new("memory", "Memory", [Column::less("resident", "MiB", 1)]);
        table.row("when ready", [Some(Cell::of([15.0, 16.0, 17.0]).at_most(16.0))]);
        table.row("after", [Some(Cell::of([31.0]).at_most(26.0))]);
        table.missing.push("moto: it could\nnot be installed".into());
        let mut run = Run::new("cargo xtask bench --report".into(), false);
        run.tables.push(table);
        run
    }

    #[test]
    fn what_misses_its_target_says_so() {
        let page = of(&run());
        assert!(page.contains("1 of 2 are reached."), "{page}");
        assert!(page.contains("| Memory: after | resident | 31.0 MiB | ≤ 26 **missed** |"), "{page}");
        assert!(page.contains("| when ready | 16.0 (12 %)<br>≤ 16 reached |"), "{page}");
    }

    #[test]
    fn what_could_not_be_had_is_told_at_the_top() {
        let page = of(&run());
        assert!(page.contains("- **moto: it could not be installed**"), "{page}");
        assert!(page.find("## Missing") < page.find("## Starts and memory"), "{page}");
    }

    #[test]
    fn a_quick_run_is_not_to_be_quoted() {
        assert!(!of(&run()).contains("quick run"));
        let mut quick = run();
        quick.quick = true;
        assert!(of(&quick).contains("Do not quote"));
    }

    #[test]
    fn tables_of_a_family_come_together() {
        let named = |id: &str| Table::new(id, "", [Column::less("", "", 0)]);
        let sections = |id: &str| SECTIONS.iter().filter(|it| is_in(&named(id), it.2)).count();
        for id in ["token", "latency-token", "s3-pages", "lambda", "stages", "stores-postgresql"] {
            assert_eq!(sections(id), 1, "{id}");
        }
        assert_eq!(sections("tokens"), 0);
    }
}
