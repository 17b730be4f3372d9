//! What a line of the log looks like: an object of JSON, for programs, or a text for somebody who reads along. It may change while
//! everything runs.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Full, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, format};
use tracing_subscriber::registry::LookupSpan;

/// How lines are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One object of JSON.
    #[default]
    Json,
    /// A text.
    Text,
}

/// How the process's log is written.
pub(super) static FORMAT: LazyLock<Choice> = LazyLock::new(Choice::default);

/// The choice, which may change at any moment.
#[derive(Debug, Default, Clone)]
pub(super) struct Choice(Arc<AtomicBool>);

impl Choice {
    pub(super) fn is(&self) -> Format {
        if self.0.load(Ordering::Relaxed) { Format::Text } else { Format::Json }
    }

    pub(super) fn becomes(&self, format: Format) {
        self.0.store(format == Format::Text, Ordering::Relaxed);
    }
}

/// Writes lines as it is chosen.
pub(super) struct Shape {
    choice: Choice,
    json: format::Format<Json>,
    text: format::Format<Full>,
}

impl Shape {
    pub(super) fn new(choice: Choice) -> Self {
        let json = format().json().flatten_event(true).with_current_span(false).with_span_list(false);
        Self { choice, json, text: format().with_ansi(false) }
    }
}

impl<S, N> FormatEvent<S, N> for Shape
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match self.choice.is() {
            Format::Json => self.json.format_event(context, to, event),
            Format::Text => {
                let mut line = String::new();
                self.text.format_event(context, Writer::new(&mut line), event)?;
                to.write_str(&on_one_line(&line))?;
                to.write_char('\n')
            }
        }
    }
}

/// A line that holds nothing by which somebody could begin another one, or draw on a terminal.
pub(super) fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for char in text.trim_end_matches('\n').chars() {
        if char.is_control() {
            line.extend(char.escape_default());
        } else {
            line.push(char);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::lines::{Lines, Output};
    use super::super::{Sampling, subscriber};
    use super::*;
    use daypass_core::ground::clock::SystemClock;

    /// What stands in a log while its shape changes.
    fn logged(logging: impl FnOnce(&Choice)) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = Lines::start("test", Output::open(file.path()).unwrap()).unwrap();
        let choice = Choice::default();
        let sampling = Sampling::new(lines.clone(), Arc::new(SystemClock));
        let subscriber = subscriber(sampling, lines.clone(), choice.clone()).0;
        tracing::subscriber::with_default(subscriber, || logging(&choice));
        lines.flush(Duration::from_mins(1));
        std::fs::read_to_string(file.path()).unwrap()
    }

    #[test]
    fn lines_change_their_shape_while_everything_runs() {
        let told = logged(|choice| {
            let tell = || tracing::info!(target: "daypass::test", status = 200, route = "/login", "answered");
            tell();
            choice.becomes(Format::Text);
            tell();
            choice.becomes(Format::Json);
            tell();
        });
        let lines: Vec<&str> = told.lines().collect();
        let [first, text, last] = lines[..] else { panic!("{told}") };
        for json in [first, last] {
            let json: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!((&json["message"], &json["status"]), (&"answered".into(), &200.into()));
        }
        assert!(text.ends_with(" INFO daypass::test: answered status=200 route=\"/login\""), "{text}");
        assert!(text.starts_with("20"), "it begins with the instant: {text}");
    }

    #[test]
    fn nobody_begins_a_line_of_their_own() {
        let told = logged(|choice| {
            choice.becomes(Format::Text);
            let forged = "nothing\n2026-11-30T02:00:00Z ERROR daypass: \u{1b}[31mforged";
            tracing::warn!(target: "daypass::test", error = %forged, "it failed");
        });
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.contains("nothing\\n2026") && !told.contains('\u{1b}'), "{told}");
    }
}
