//! What a change cost: the figures of a run beside those of an earlier one, and whether they differ by more than their rounds do.

use std::fmt;

use crate::run::Run;
use crate::statistics::Sample;
use crate::table::Column;

pub(crate) struct Comparison {
    titles: [String; 2],
    warnings: Vec<&'static str>,
    lines: Vec<Line>,
    /// Figures that one of the two lacks.
    alone: Vec<String>,
}

struct Line {
    name: String,
    figures: [String; 2],
    /// In percent.
    change: String,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Better,
    Worse,
    /// What chance explains: the intervals in which the two medians lie have something in common.
    WithinNoise,
    /// One of the two was measured once, so nobody knows the noise.
    MeasuredOnce,
}

/// A figure by a name that no other has.
struct Figure<'a> {
    name: String,
    column: &'a Column,
    rounds: &'a Sample,
}

impl Comparison {
    pub(crate) fn of(before: &Run, now: &Run) -> Self {
        let titles = [before, now].map(|run| format!("{}, {}", run.commit, run.command));
        let warnings = warnings(before, now);
        let (before, now) = (figures(before, now), figures(now, before));
        let find = |name: &str| before.iter().find(|figure| figure.name == name);
        let pairs = now.iter().filter_map(|figure| Some(Line::of(find(&figure.name)?, figure)));
        let lines = pairs.collect();
        let new = now.iter().filter(|figure| find(&figure.name).is_none());
        let gone = before.iter().filter(|figure| now.iter().all(|known| known.name != figure.name));
        let new = new.map(|figure| format!("new: {}", figure.name));
        let alone = new.chain(gone.map(|figure| format!("gone: {}", figure.name))).collect();
        Self { titles, warnings, lines, alone }
    }
}

fn warnings(before: &Run, now: &Run) -> Vec<&'static str> {
    let different = (before.machine != now.machine)
        .then_some("the runs were made on different machines: only ratios mean something");
    let quick = (before.quick || now.quick).then_some("a quick run is among them: do not quote the figures");
    different.into_iter().chain(quick).collect()
}

/// The figures of a run, in tables that another one has, too: what was not measured is not gone.
fn figures<'a>(run: &'a Run, other: &Run) -> Vec<Figure<'a>> {
    let tables = run.tables.iter().filter(|table| other.table(&table.id).is_some());
    let of_all = tables.flat_map(|table| {
        table.figures().map(|(row, column, cell)| Figure {
            name: format!("{} / {} / {}", table.id, row.name, column.name),
            column,
            rounds: &cell.rounds,
        })
    });
    of_all.collect()
}

impl Line {
    fn of(before: &Figure<'_>, now: &Figure<'_>) -> Self {
        let (column, before, after) = (now.column, before.rounds, now.rounds);
        let figures = [before, after].map(|rounds| shown(rounds, column));
        let change = (after.median() / before.median() - 1.0) * 100.0;
        // Of what was nothing, no share can be told.
        let change = if change.is_finite() { format!("{change:+.1} %") } else { String::new() };
        Self { name: now.name.clone(), figures, change, verdict: verdict(column, before, after) }
    }
}

/// A median, and where it lies for sure.
fn shown(sample: &Sample, column: &Column) -> String {
    let median = column.figure(sample.median());
    if sample.count() == 1 {
        return median;
    }
    let ((low, high), digits) = (sample.interval(), column.digits);
    format!("{median} [{low:.digits$}–{high:.digits$}]")
}

fn verdict(column: &Column, before: &Sample, now: &Sample) -> Verdict {
    let ((least_before, most_before), (least_now, most_now)) = (before.interval(), now.interval());
    if before.count() == 1 || now.count() == 1 {
        return Verdict::MeasuredOnce;
    }
    if least_before <= most_now && least_now <= most_before {
        return Verdict::WithinNoise;
    }
    if (now.median() > before.median()) == column.more_is_better { Verdict::Better } else { Verdict::Worse }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, now] = &self.titles;
        writeln!(f, "\nbefore: {before}\nnow:    {now}")?;
        self.warnings.iter().try_for_each(|warning| writeln!(f, "  NOTE: {warning}"))?;
        let width = |of: &dyn Fn(&Line) -> &str| {
            self.lines.iter().map(|line| of(line).chars().count()).max().unwrap_or(0)
        };
        let widths =
            [width(&|line| &line.name), width(&|line| &line.figures[0]), width(&|line| &line.figures[1])];
        let [name, old, new] = widths;
        for line in &self.lines {
            let [before, now] = &line.figures;
            let (change, verdict) = (&line.change, line.verdict);
            writeln!(f, "  {:<name$}  {before:>old$}  {now:>new$}  {change:>8}  {verdict}", line.name)?;
        }
        self.alone.iter().try_for_each(|alone| writeln!(f, "  {alone}"))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Better => "better",
            Self::Worse => "WORSE",
            Self::WithinNoise => "within noise",
            Self::MeasuredOnce => "measured once",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Verdict, verdict};
    use crate::run::Run;
    use crate::statistics::Sample;
    use crate::table::{Cell, Column, Table};

    fn around(median: f64) -> Sample {
        Sample::of((-4..=4).map(|step| median + f64::from(step)))
    }

    #[test]
    fn a_change_is_more_than_the_rounds_differ() {
        let (less, more) = (Column::less("CPU", "µs", 1), Column::more("answers", "/s", 0));
        assert_eq!(verdict(&less, &around(100.0), &around(104.0)), Verdict::WithinNoise);
        assert_eq!(verdict(&less, &around(100.0), &around(110.0)), Verdict::Worse);
        assert_eq!(verdict(&less, &around(110.0), &around(100.0)), Verdict::Better);
        assert_eq!(verdict(&more, &around(100.0), &around(110.0)), Verdict::Better);
        assert_eq!(verdict(&less, &Sample::of([100.0]), &around(110.0)), Verdict::MeasuredOnce);
    }

    /// The extremes of nine rounds say little: one of them may have been disturbed.
    #[test]
    fn one_disturbed_round_hides_no_change() {
        let before = Sample::of([100.0, 100.1, 100.2, 100.3, 100.4, 100.5, 100.6, 100.7, 120.0]);
        let now = Sample::of([104.0, 104.1, 104.2, 104.3, 104.4, 104.5, 104.6, 104.7, 99.0]);
        assert_eq!(verdict(&Column::less("CPU", "µs", 1), &before, &now), Verdict::Worse);
    }

    #[test]
    fn figures_are_compared_by_their_names() {
        let run = |rows: &[(&str, f64)]| {
            let mut table = Table::new("token", "A token", [Column::less("CPU", "µs", 1)]);
            for (name, median) in rows {
                table.row(*name, [Some(Cell { rounds: around(*median), target: None })]);
            }
            let mut run = Run::new("cargo xtask bench token".into(), false);
            run.tables.push(table);
            run
        };
        let shown = Comparison::of(&run(&[("4", 100.0), ("8", 50.0)]), &run(&[("4", 110.0), ("32", 90.0)]))
            .to_string();
        assert!(
            shown.contains(
                "token / 4 / CPU  100.0 µs [97.0–103.0]  110.0 µs [107.0–113.0]   +10.0 %  WORSE\n"
            ),
            "{shown}"
        );
        assert!(shown.contains("  new: token / 32 / CPU\n  gone: token / 8 / CPU\n"), "{shown}");
        assert!(!shown.contains("NOTE"), "{shown}");
    }
}
