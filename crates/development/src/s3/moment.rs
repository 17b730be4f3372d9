//! Instants as `s3s` writes and reads them.

use std::time::SystemTime;

use daypass_core::ground::clock::Timestamp;
use s3s::dto::{self, TimestampFormat};

/// An instant for `s3s`.
pub(super) fn timestamp(instant: Timestamp) -> dto::Timestamp {
    dto::Timestamp::from(SystemTime::from(instant))
}

/// An instant of `s3s`, if it is within the calendar.
pub(super) fn moment(instant: &dto::Timestamp) -> Option<Timestamp> {
    written(instant, TimestampFormat::DateTime)?.parse().ok()
}

/// As HTTP writes it.
pub(super) fn in_http(instant: &dto::Timestamp) -> Option<String> {
    written(instant, TimestampFormat::HttpDate)
}

/// What [`in_http`] wrote.
pub(super) fn of_http(text: &str) -> Option<dto::Timestamp> {
    dto::Timestamp::parse(TimestampFormat::HttpDate, text).ok()
}

fn written(instant: &dto::Timestamp, format: TimestampFormat) -> Option<String> {
    let mut text = Vec::new();
    instant.format(format, &mut text).ok()?;
    String::from_utf8(text).ok()
}
