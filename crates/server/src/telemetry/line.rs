//! A line of the log that does not come by way of `tracing`.

use daypass_core::ground::clock::{Clock, SystemClock};
use serde_json::{Map, Value, json};

use super::shape::{FORMAT, Format, on_one_line};

/// The line.
pub(super) fn line(level: &str, message: &str, numbers: &[(&str, u64)]) -> Vec<u8> {
    match FORMAT.is() {
        Format::Json => json(level, message, numbers),
        Format::Text => text(level, message, numbers),
    }
}

fn text(level: &str, message: &str, numbers: &[(&str, u64)]) -> Vec<u8> {
    let line = format!("{:.6} {level:>5} {}: {message}", SystemClock.now(), module_path!());
    let numbers = numbers.iter().map(|(name, number)| format!("{name}={number}"));
    let words: Vec<String> = std::iter::once(on_one_line(&line)).chain(numbers).collect();
    format!("{}\n", words.join(" ")).into_bytes()
}

fn json(level: &str, message: &str, numbers: &[(&str, u64)]) -> Vec<u8> {
    let now = SystemClock.now();
    let mut line = Map::from_iter([
        ("timestamp".to_owned(), json!(format!("{now:.6}"))),
        ("level".to_owned(), json!(level)),
        ("message".to_owned(), json!(message)),
    ]);
    line.extend(numbers.iter().map(|(name, number)| ((*name).to_owned(), json!(number))));
    line.insert("target".to_owned(), json!(module_path!()));
    let mut text = Value::Object(line).to_string().into_bytes();
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_with_its_numbers() {
        let line = String::from_utf8(text("WARN", "lines were\nlost", &[("lost", 3)])).unwrap();
        assert!(
            line.ends_with("  WARN daypass_server::telemetry::line: lines were\\nlost lost=3\n"),
            "{line:?}"
        );
        assert_eq!(line.lines().count(), 1);
    }
}
