//! When the events of a file happened. They stand in the order of their decisions, and clocks are set: the first need not be
//! the oldest, nor the last the newest.

use daypass_core::ground::clock::Timestamp;
use daypass_core::records::audit_question::AuditQuestion;

/// From when to when events happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) oldest: Timestamp,
    pub(super) newest: Timestamp,
}

impl Span {
    /// The span of these and of one more.
    pub(super) fn with(span: Option<Self>, time: Timestamp) -> Self {
        span.map_or(Self { oldest: time, newest: time }, |span| Self {
            oldest: span.oldest.min(time),
            newest: span.newest.max(time),
        })
    }

    /// Whether an answer can be within.
    pub(super) fn may_answer(self, question: &AuditQuestion) -> bool {
        question.since.is_none_or(|since| self.newest >= since)
            && question.until.is_none_or(|until| self.oldest < until)
    }
}

/// When an event happened, without reading the rest of it.
pub(super) fn time_of(line: &[u8]) -> Option<Timestamp> {
    const TIME: &[u8] = b"\"time\":\"";
    let start = line.iter().take(32).position(|byte| *byte == b',')? + 1;
    let text = line[start..].strip_prefix(TIME)?;
    let end = memchr::memchr(b'"', text)?;
    str::from_utf8(&text[..end]).ok()?.parse().ok()
}
