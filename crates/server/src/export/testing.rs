//! A trail in memory, and a receiver that does what a test says.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use daypass_core::audit::{AuditAction, AuditEvent, AuditOutcome};
use daypass_core::ground::clock::{ManualClock, SignedDuration, Timestamp};
use daypass_core::ground::ids::RequestId;
use daypass_core::store::{ExportPosition, SharedStore};
use tracing::subscriber::DefaultGuard;

use super::batch::Batch;
use super::bookmark::Bookmark;
use super::exporter::Exporter;
use super::receiver::{Answer, Receiver};
use crate::config::Beginning;
use crate::metrics::Metrics;

/// What this thread logs.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Listens until what comes with it is dropped.
    pub(super) fn begin() -> (Self, DefaultGuard) {
        let log = Self::default();
        let lines = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || lines.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// What it said since this was asked last.
    pub(super) fn said(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An event that has a number for its resource, decided as many seconds after the beginning.
pub(super) fn event(number: u64) -> AuditEvent {
    let second = i64::try_from(number).unwrap();
    AuditEvent {
        resource: Some(number.to_string()),
        ..AuditEvent::plain(
            Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second),
            RequestId::parse(format!("01234567-89ab-4def-8123-{number:012}")).unwrap(),
            AuditAction::Exchange,
            AuditOutcome::Allowed,
        )
    }
}

/// Keeps events with these numbers.
pub(super) async fn keep(store: &SharedStore, numbers: impl IntoIterator<Item = u64>) {
    let events: Vec<_> = numbers.into_iter().map(event).collect();
    store.add_audit_events(&events).await.unwrap();
}

/// The numbers of a batch's events.
pub(super) fn numbers(batch: &Batch) -> Vec<u64> {
    batch.events.iter().map(|it| it.event.resource.as_ref().unwrap().parse().unwrap()).collect()
}

type Deciding = Box<dyn FnMut(&[u64]) -> Answer + Send>;

/// A receiver that a test decides for, and what it was brought.
#[derive(Clone)]
pub(super) struct Scripted {
    decide: Arc<Mutex<Deciding>>,
    brought: Arc<Mutex<Vec<Vec<u64>>>>,
}

pub(super) const TAKEN: Answer = Answer::Taken { refused: 0 };

impl Scripted {
    pub(super) fn deciding(decide: impl FnMut(&[u64]) -> Answer + Send + 'static) -> Self {
        Self { decide: Arc::new(Mutex::new(Box::new(decide))), brought: Arc::default() }
    }

    /// These answers, and then everything is taken.
    pub(super) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        Self::deciding(move |_| answers.pop_front().unwrap_or(TAKEN))
    }

    /// Takes everything, but batches in which one of these is.
    pub(super) fn refusing(bad: &'static [u64]) -> Self {
        Self::deciding(move |batch| {
            if batch.iter().any(|number| bad.contains(number)) {
                Answer::Refused("it answered 400".into())
            } else {
                TAKEN
            }
        })
    }

    /// What it was brought since this was asked last.
    pub(super) fn brought(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut self.brought.lock().unwrap())
    }
}

#[async_trait]
impl Receiver for Scripted {
    async fn deliver(&self, batch: &Batch) -> Answer {
        let numbers = numbers(batch);
        let answer = (self.decide.lock().unwrap())(&numbers);
        self.brought.lock().unwrap().push(numbers);
        answer
    }
}

/// An exporter that begins with the oldest event, at second 100.
pub(super) fn exporter(store: &SharedStore, receiver: &Scripted, metrics: &Metrics) -> Exporter {
    let bookmark = Bookmark {
        exporter: "siem".into(),
        from: Beginning::Beginning,
        store: store.clone(),
        clock: Arc::new(ManualClock::at_second(100)),
        metrics: metrics.of_exporter("siem"),
    };
    Exporter::new(bookmark, Arc::new(receiver.clone()))
}

/// Where it is.
pub(super) async fn position(store: &SharedStore) -> ExportPosition {
    store.find_export_position("siem").await.unwrap().unwrap()
}

/// What is counted of it.
pub(super) fn counted(metrics: &Metrics, what: &str) -> u64 {
    let line = format!("daypass_audit_export_{what}{{exporter=\"siem\"}} ");
    let text = metrics.text();
    let value = text.lines().find_map(|it| it.strip_prefix(&line));
    value.unwrap_or_else(|| panic!("{line} is not in\n{text}")).parse().unwrap()
}
