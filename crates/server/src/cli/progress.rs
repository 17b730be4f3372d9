//! How far a long piece of work has come: a bar for whoever looks at a terminal, a line now and then for others.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::tell;

/// Between two redrawings of the bar.
const REDRAW: Duration = Duration::from_millis(100);

/// As many identities are told apart by the lines.
const LINE_EVERY: u64 = 250_000;

/// Counts identities.
pub struct Progress {
    bar: ProgressBar,
    done: u64,
    lines: bool,
}

impl Progress {
    /// Of work whose extent is known, or is not.
    pub fn new(total: Option<u64>) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target(total, target);
        let style = if total.is_some() {
            "{bar:30} {human_pos} of {human_len} identities, {per_sec}, {eta} left"
        } else {
            "{spinner} {human_pos} identities, {per_sec}"
        };
        bar.set_style(ProgressStyle::with_template(style).expect("the template names known keys"));
        bar.enable_steady_tick(REDRAW);
        Self { bar, done: 0, lines: !std::io::stderr().is_terminal() }
    }

    /// As many more are done.
    pub fn advance(&mut self, by: u64) {
        let lines_before = self.done / LINE_EVERY;
        self.done += by;
        self.bar.set_position(self.done);
        if self.lines && self.done / LINE_EVERY > lines_before {
            tell(&format!("{} identities so far", HumanCount(self.done)));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
