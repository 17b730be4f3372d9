//! The trace of one request, while it is answered, and the parts of the work in it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::random::Random;

use super::context::Context;

/// A request that does more has its first parts told, and not the others.
const MOST_SPANS: usize = 128;

tokio::task_local! {
    /// The trace of the request that is being answered here, if there is one.
    static CURRENT: Arc<Trace>;
}

/// A trace.
pub(crate) struct Trace {
    pub(super) id: [u8; 16],
    /// The span of the caller.
    pub(super) parent: Option<[u8; 8]>,
    /// The ID of the request's span; the parts have the numbers behind it.
    pub(super) first: u64,
    /// When it began: by the clock, and by what measures.
    at: Timestamp,
    began: Instant,
    spans: Mutex<Vec<Span>>,
}

/// A part of the work, or the whole.
pub(super) struct Span {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// In nanoseconds since 1970.
    pub(super) from: i128,
    pub(super) until: i128,
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) has_failed: bool,
}

/// What a span is to its trace (OTLP, `SpanKind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

/// A part of the work that is done.
pub(crate) struct Part<'a> {
    pub(crate) name: &'static str,
    /// Whether somebody else did it.
    pub(crate) is_asked: bool,
    pub(crate) labels: &'a [(&'static str, &'a str)],
    pub(crate) has_failed: bool,
}

/// Notes a part that is done now, and took so long. Where there is no trace, that is nothing.
pub(crate) fn part(part: &Part<'_>, took: Duration) {
    // Outside of any request there is none either.
    let _ = CURRENT.try_with(|trace| trace.add(part, took));
}

/// Answers a request of which there is a trace.
pub(crate) async fn within<T>(trace: Arc<Trace>, answering: impl Future<Output = T>) -> T {
    CURRENT.scope(trace, answering).await
}

impl Trace {
    /// Begins one, or goes on with that of the caller.
    pub(super) fn begin(caller: Option<Context>, now: Timestamp, random: &dyn Random) -> Self {
        let (id, parent) = match caller {
            Some(caller) => (caller.trace, Some(caller.parent)),
            None => (random.bytes(), None),
        };
        // No ID is zero, nor any of the numbers behind this one.
        let first = (u64::from_be_bytes(random.bytes()) >> 1).max(1);
        Self { id, parent, first, at: now, began: Instant::now(), spans: Mutex::default() }
    }

    fn add(&self, part: &Part<'_>, took: Duration) {
        let mut spans = self.spans();
        if spans.len() < MOST_SPANS {
            let labels = owned(part.labels.iter().copied());
            let kind = if part.is_asked { Kind::Client } else { Kind::Internal };
            let (from, until) = self.lately(took);
            let (name, has_failed) = (part.name.to_owned(), part.has_failed);
            spans.push(Span { name, kind, from, until, labels, has_failed });
        }
    }

    /// Ends it: this is the request. A label without a value is none.
    pub(crate) fn conclude(&self, name: &str, labels: &[(&'static str, &str)], has_failed: bool) {
        let (from, until) = self.lately(self.began.elapsed());
        let labels = labels.iter().filter(|(_, value)| !value.is_empty()).copied();
        let (name, labels) = (name.to_owned(), owned(labels));
        self.spans().insert(0, Span { name, kind: Kind::Server, from, until, labels, has_failed });
    }

    pub(super) fn len(&self) -> usize {
        self.spans().len()
    }

    pub(super) fn spans(&self) -> MutexGuard<'_, Vec<Span>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instants of what is done now and took so long. The clock may be set meanwhile; what measures is not.
    fn lately(&self, took: Duration) -> (i128, i128) {
        let until = self.at.as_nanosecond() + nanoseconds(self.began.elapsed());
        (until - nanoseconds(took), until)
    }
}

fn owned<'a>(labels: impl Iterator<Item = (&'static str, &'a str)>) -> Vec<(&'static str, String)> {
    labels.map(|(name, value)| (name, value.to_owned())).collect()
}

fn nanoseconds(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}
