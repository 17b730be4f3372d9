//! The way to a key of a configuration, or to a table.

use std::fmt::Display;

/// The steps that lead there: `["provider", "0", "profile", "url"]`.
pub type Steps = Vec<String>;

/// One step deeper.
pub fn step(steps: &[String], next: impl Display) -> Steps {
    let mut deeper = steps.to_vec();
    deeper.push(next.to_string());
    deeper
}
