//! How far a long piece of work has come: a bar for whoever looks at a terminal, a line now and then for others.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::tell;

/// Between two redrawings of the bar.
const REDRAW: Duration = Duration::from_millis(100);

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// People, as pools have them.
    Identities,
    /// Parts of a file.
    Mebibytes,
    /// What is kept sealed.
    Values,
    /// Whatever is kept, and lines of the audit trail.
    Records,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Identities => "identities",
            Self::Mebibytes => "MiB",
            Self::Values => "values",
            Self::Records => "records",
        }
    }

    /// As many are told apart by the lines.
    fn line_every(self) -> u64 {
        match self {
            Self::Identities | Self::Values | Self::Records => 250_000,
            Self::Mebibytes => 1_024,
        }
    }
}

/// Counts how much is done.
pub struct Progress {
    bar: ProgressBar,
    unit: Unit,
    done: u64,
    lines: bool,
}

impl Progress {
    /// Of work whose extent is known, or is not (yet).
    pub fn new(unit: Unit, total: Option<u64>) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target(total, target);
        let name = unit.name();
        let style = if total.is_some() {
            format!("{{bar:30}} {{human_pos}} of {{human_len}} {name}, {{per_sec}}, {{eta}} left")
        } else {
            format!("{{spinner}} {{human_pos}} {name}, {{per_sec}}")
        };
        bar.set_style(ProgressStyle::with_template(&style).expect("the template names known keys"));
        bar.enable_steady_tick(REDRAW);
        Self { bar, unit, done: 0, lines: !std::io::stderr().is_terminal() }
    }

    /// As many more are done.
    pub fn advance(&mut self, by: u64) {
        let every = self.unit.line_every();
        let lines_before = self.done / every;
        self.done += by;
        self.bar.set_position(self.done);
        if self.lines && self.done / every > lines_before {
            tell(&format!("{} {} so far", HumanCount(self.done), self.unit.name()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
