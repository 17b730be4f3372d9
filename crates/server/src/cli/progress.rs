//! How far a long piece of work has come: a bar for whoever looks at a terminal, a line now and then for others.

use std::fmt;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::cli::tell;

/// Between two redrawings of the bar.
const REDRAW: Duration = Duration::from_millis(100);

/// Between two lines.
const NEXT_LINE: Duration = Duration::from_secs(10);

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
}

/// Counts how much is done.
pub struct Progress {
    bar: ProgressBar,
    unit: Unit,
    done: u64,
    /// When there was the last line, or could have been one, where there are lines.
    told: Option<Instant>,
}

impl Progress {
    /// Of work whose extent is known, or is not (yet).
    pub fn new(unit: Unit, total: Option<u64>) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target(total, target);
        let name = unit.name();
        let style = if total.is_some() {
            // Fits a terminal of 80 columns with millions of identities.
            format!("{{bar:20}} {{human_pos}} of {{human_len}} {name}, {{rate}}/s, {{eta}} left")
        } else {
            format!("{{spinner}} {{human_pos}} {name}, {{rate}}/s")
        };
        let rate = |state: &ProgressState, to: &mut dyn fmt::Write| {
            // A bar that cannot be written is none.
            let _ = write!(to, "{:.0}", state.per_sec());
        };
        let style = ProgressStyle::with_template(&style).expect("the template names known keys");
        bar.set_style(style.with_key("rate", rate));
        bar.enable_steady_tick(REDRAW);
        Self { bar, unit, done: 0, told: (!std::io::stderr().is_terminal()).then(Instant::now) }
    }

    /// As many more are done.
    pub fn advance(&mut self, by: u64) {
        self.done += by;
        self.bar.set_position(self.done);
        if self.told.is_some_and(|told| told.elapsed() >= NEXT_LINE) {
            self.told = Some(Instant::now());
            tell(&format!("{} {} so far", HumanCount(self.done), self.unit.name()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
