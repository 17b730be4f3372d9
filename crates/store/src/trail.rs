//! The audit trail: files of lines that are only ever appended to, each line chained to the one before by a hash, and heads
//! of the chain signed now and then. `docs/audit-trail.md` says the form, for whoever reads or verifies it with something
//! else.
//!
//! Several processes may have one trail: they append by turns (`appender.rs`), each by one thread (`writer.rs`). Whoever asks
//! reads the files (`search.rs`), with an index beside each that has ended (`index.rs`).

mod appender;
mod copy;
mod extent;
mod findings;
mod folder;
mod index;
mod lock;
mod reading;
mod retention;
mod search;
mod tail;
#[cfg(test)]
mod tests;
mod times;
mod trouble;
mod verify;
pub(crate) mod whole;
mod writer;

use std::path::Path;
use std::time::Duration;

use daypass_core::records::audit_event::AuditEvent;
use daypass_core::records::audit_question::AuditQuestion;
use daypass_core::records::trail_head::TrailHead;
use daypass_core::store::{AuditCare, EventPosition, KeptEvent, Page, StoreError, TrailExtent};
use serde::Serialize;

pub(crate) use self::appender::Appender;
use self::appender::Limits;
pub use self::copy::{TrailCopy, TrailCopyError};
pub use self::findings::{Fault, Verified};
use self::folder::Folder;
use self::search::LastTakenOver;
pub use self::trouble::TrailTrouble;
pub use self::verify::{Keys, verify};
use self::writer::Writer;
pub(crate) use self::writer::{Anchor, MAX_GROUP};
use daypass_core::records::trail_line::members;

/// How long an outcome counts for whoever asks whether the trail does its work.
const FRESH: Duration = Duration::from_secs(1);

/// A trail that is open.
#[derive(Debug)]
pub(crate) struct Trail {
    writer: Writer,
    folder: Folder,
}

/// The line of an event that was kept in another form before, where it had a number.
pub(crate) fn taken_over(event: &AuditEvent, from: i64) -> Vec<u8> {
    members(&TakenOver { event, from })
}

/// How far events were taken over.
pub(crate) fn taken_over_last(appender: &Appender) -> Result<LastTakenOver, TrailTrouble> {
    let folder = appender.folder();
    search::taken_over_last(folder).map_err(TrailTrouble::file(folder.path()))
}

#[derive(Serialize)]
struct TakenOver<'a> {
    #[serde(flatten)]
    event: &'a AuditEvent,
    /// Its number before.
    from: i64,
}

impl Trail {
    /// Whoever appends to the trail in a folder beside a database, which is begun if it is not there. `signed` is the newest head that is
    /// known of it.
    pub(crate) fn appender(
        path: &Path,
        database: &Path,
        signed: Option<&TrailHead>,
    ) -> Result<Appender, TrailTrouble> {
        Appender::open(path, database, signed, Limits::default())
    }

    /// Starts to append. `anchor` hears of each head that is signed.
    pub(crate) fn start(appender: Appender, anchor: Box<dyn Anchor>) -> Result<Self, TrailTrouble> {
        let folder = appender.folder().clone();
        let writer = Writer::start(appender, anchor).map_err(TrailTrouble::file(folder.path()))?;
        Ok(Self { writer, folder })
    }

    /// Keeps events in their order, all of them or none.
    pub(crate) async fn add(&self, events: &[AuditEvent]) -> Result<(), TrailTrouble> {
        self.writer.append(events.iter().map(members).collect()).await
    }

    /// Whether events can be kept: what the last that was kept said, if it was lately.
    pub(crate) async fn ping(&self) -> Result<(), TrailTrouble> {
        match self.writer.outcome_within(FRESH) {
            Some(outcome) => outcome,
            None => self.writer.append(Vec::new()).await,
        }
    }

    /// Drops what need not be kept.
    pub(crate) async fn drop_surplus(&self, care: &AuditCare) -> Result<(), TrailTrouble> {
        self.writer.drop_surplus(care.clone()).await
    }

    pub(crate) fn attend(&self, care: AuditCare) {
        self.writer.attend(care);
    }

    /// The events that answer a question, the one kept last first.
    pub(crate) async fn page(
        &self,
        question: &AuditQuestion,
        page: Page<EventPosition>,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        let question = question.clone();
        self.read(move |folder| search::page(folder, &question, &page)).await
    }

    /// The events behind one, the one kept first first.
    pub(crate) async fn after(&self, page: Page<EventPosition>) -> Result<Vec<KeptEvent>, StoreError> {
        self.read(move |folder| search::after(folder, &page)).await
    }

    /// From where to where it goes now.
    pub(crate) async fn extent(&self) -> Result<TrailExtent, StoreError> {
        self.read(extent::find).await
    }

    /// Reads files, which can take a while.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Folder) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || {
            read(&folder).map_err(|error| StoreError::from(TrailTrouble::file(folder.path())(error)))
        });
        read.await.unwrap_or_else(|_| Err(TrailTrouble::Ended.into()))
    }
}
