//! Whether the store does its work: the outcome of real work and not a guess. What was committed within the last second
//! says it; if nothing was, a small change is committed to find out. A row is read through a connection of its own,
//! which has nothing in its cache.
//!
//! Anybody may ask as often as they like: there is one probe at a time and one a second at most, whose outcome all
//! share. Nobody waits for it longer than [`PATIENCE`], as it would be if the file is locked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daypass_core::store::StoreError;
use rusqlite::Connection;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::file::DatabaseFile;
use super::open;
use super::trouble::Failure;
use super::writer::{Answered, Concluded, Writer};

/// How long an outcome counts.
const FRESH: Duration = Duration::from_secs(1);

/// How long a probe may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Touches a page of each kind of record that a login needs.
const READ_A_ROW_OF_EACH: &str = "SELECT (SELECT settings FROM identity_pool LIMIT 1), \
     (SELECT modified_at FROM identity LIMIT 1), (SELECT user FROM login LIMIT 1), \
     (SELECT key_id FROM signing_key LIMIT 1)";

#[derive(Debug, thiserror::Error)]
#[error(
    "{} does not answer: another program has it locked, or its disk hangs; `fuser` names the program", .0.path().display()
)]
struct NoAnswer(Arc<DatabaseFile>);

/// The last probe, which may be under way.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<Probe>>);

#[derive(Clone)]
struct Probe {
    started: Instant,
    outcome: watch::Receiver<Option<Concluded>>,
}

impl Readiness {
    /// Answers if the store does its work.
    pub(super) async fn ask(&self, file: &Arc<DatabaseFile>, writer: &Writer) -> Result<(), StoreError> {
        if let Some(last) = fresh(writer.last_commit()) {
            last.outcome?;
        }
        let Probe { started, mut outcome } = self.join(file, writer);
        let concluded = timeout_at(started + PATIENCE, outcome.wait_for(Option::is_some)).await;
        let concluded = concluded.ok().and_then(Result::ok).and_then(|concluded| concluded.clone());
        let no_answer = || Failure::unavailable(NoAnswer(file.clone()));
        Ok(concluded.ok_or_else(no_answer)?.outcome?)
    }

    /// The probe that is fresh or under way, or a new one.
    fn join(&self, file: &Arc<DatabaseFile>, writer: &Writer) -> Probe {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(probe) if probe.counts() => probe.clone(),
            _ => last.insert(Probe::start(file.clone(), writer)).clone(),
        }
    }
}

impl Probe {
    /// Takes its place among the changes at once: the task that waits for it must not keep the writer alive.
    fn start(file: Arc<DatabaseFile>, writer: &Writer) -> Self {
        let written_anyway = fresh(writer.last_commit()).is_some();
        let written = (!written_anyway).then(|| writer.try_write(touch));
        let (conclude, outcome) = watch::channel(None);
        tokio::spawn(async move {
            let outcome = match read(file).await {
                Ok(()) => wait_for(written).await,
                failed => failed,
            };
            conclude.send_replace(Some(Concluded::now(outcome)));
        });
        Self { started: Instant::now(), outcome }
    }

    /// Whether its outcome is fresh, or still to come.
    fn counts(&self) -> bool {
        match &*self.outcome.borrow() {
            Some(concluded) => concluded.at.elapsed() < FRESH,
            None => self.outcome.has_changed().is_ok(),
        }
    }
}

fn fresh(concluded: Option<Concluded>) -> Option<Concluded> {
    concluded.filter(|concluded| concluded.at.elapsed() < FRESH)
}

async fn read(file: Arc<DatabaseFile>) -> Result<(), Failure> {
    let read = move || {
        let row = open::reader(file.path())
            .and_then(|connection| connection.query_one(READ_A_ROW_OF_EACH, [], |_| Ok(())));
        row.map_err(|error| file.failure(error))
    };
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|panicked| Err(Failure::unavailable(panicked)))
}

async fn wait_for(written: Option<Result<Answered<()>, Failure>>) -> Result<(), Failure> {
    match written {
        None => Ok(()),
        Some(written) => written?.hear().await,
    }
}

/// Writes the first page as it is.
fn touch(connection: &Connection) -> rusqlite::Result<()> {
    let version: i64 = connection.query_one("PRAGMA user_version", [], |row| row.get(0))?;
    connection.pragma_update(None, "user_version", version)
}
