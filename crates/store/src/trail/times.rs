//! When the events of a file happened. They stand in the order of their decisions, and clocks are set: the first need not be
//! the oldest, nor the last the newest.

use std::fs::File;

use daypass_core::ground::clock::Timestamp;
use daypass_core::records::audit_question::AuditQuestion;

use super::folder::TrailFile;
use super::index::Index;
use super::reading::Forwards;

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

/// When the newest event of a file happened, if it has any. What is of the future, by a clock that was wrong, counts beside
/// others for nothing, and alone as of now.
pub(super) fn newest_before(file: &TrailFile, now: Timestamp) -> std::io::Result<Option<Timestamp>> {
    let open = File::open(&file.path)?;
    let known = Index::open(file, &open)?.and_then(|index| index.span);
    if let Some(span) = known.filter(|span| span.newest <= now) {
        return Ok(Some(span.newest));
    }
    let (mut newest, mut has_later) = (None, false);
    let mut lines = Forwards::from(&open, 0);
    while let Some((_, line)) = lines.next()? {
        match time_of(line) {
            Some(time) if time > now => has_later = true,
            time => newest = newest.max(time),
        }
    }
    Ok(newest.or_else(|| has_later.then_some(now)))
}

/// When an event happened, without reading the rest of it.
fn time_of(line: &[u8]) -> Option<Timestamp> {
    const TIME: &[u8] = b"\"time\":\"";
    let start = line.iter().take(32).position(|byte| *byte == b',')? + 1;
    let text = line[start..].strip_prefix(TIME)?;
    let end = memchr::memchr(b'"', text)?;
    str::from_utf8(&text[..end]).ok()?.parse().ok()
}
