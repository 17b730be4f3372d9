//! A line of the log that does not come by way of `tracing`.

use daypass_core::ground::clock::{Clock, SystemClock};
use serde_json::{Map, Value, json};

/// The line.
pub(super) fn line(level: &str, message: &str, numbers: &[(&str, u64)]) -> Vec<u8> {
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
