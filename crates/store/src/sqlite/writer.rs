//! The one writer of a process. SQLite lets one connection write at a time and waits for the disk at
//! each commit, so all changes go to one thread, which commits together whatever is queued: the wait
//! is shared by all who ask at once. Nobody gets an answer before the commit that makes it true.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use daypass_core::store::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::store_error;

/// As many changes as one commit takes along; bounds how long the first of them waits for the last.
const CHANGES_PER_COMMIT: usize = 256;

/// As many changes as wait for the thread; whoever comes next waits to get into the queue.
const QUEUE_LENGTH: usize = 1024;

/// Makes one change within the open transaction, and hands back how to answer whoever asked for it.
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;

/// Answers, once it is known how the commit went.
type Answer = Box<dyn FnOnce(Result<(), Arc<rusqlite::Error>>)>;

/// The way to the thread that writes.
pub(super) struct Writer {
    /// `None` only while the writer is being dropped.
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the thread that writes has ended")]
struct WriterHasEnded;

impl Writer {
    /// Starts the thread; it ends, and closes the connection, when the writer is dropped.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE_LENGTH);
        let thread = Builder::new().name("daypass-writer".into()).spawn(move || serve(&connection, jobs))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Makes a change as a whole or not at all, and answers when it is on the disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let outcome = in_savepoint(connection, change).map_err(store_error);
            Box::new(move |committed| {
                // Whoever asked may have gone away; the change stands all the same.
                let _ = answer.send(committed.map_err(not_committed).and(outcome));
            })
        });
        let queue = self.queue.as_ref().ok_or_else(has_ended)?;
        queue.send(job).await.map_err(|_| has_ended())?;
        answered.await.map_err(|_| has_ended())?
    }

    /// Answers if the thread is still there to write.
    pub(super) fn ping(&self) -> Result<(), StoreError> {
        match &self.queue {
            Some(queue) if !queue.is_closed() => Ok(()),
            _ => Err(has_ended()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has dropped its connection; there is nothing left to end.
            let _ = thread.join();
        }
    }
}

fn has_ended() -> StoreError {
    StoreError::Unavailable(Box::new(WriterHasEnded))
}

fn not_committed(error: Arc<rusqlite::Error>) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

fn serve(connection: &Connection, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        commit_together(connection, first, &mut jobs);
    }
}

fn commit_together(connection: &Connection, first: Job, jobs: &mut mpsc::Receiver<Job>) {
    let begun = execute(connection, "BEGIN IMMEDIATE");
    let mut answers = vec![first(connection)];
    while answers.len() < CHANGES_PER_COMMIT
        && let Ok(job) = jobs.try_recv()
    {
        answers.push(job(connection));
    }
    let committed = begun.and_then(|()| execute(connection, "COMMIT")).map_err(Arc::new);
    if !connection.is_autocommit() {
        // Should this fail too, then so does the next BEGIN, and whoever asks hears of it.
        let _ = execute(connection, "ROLLBACK");
    }
    for answer in answers {
        answer(committed.clone());
    }
}

/// A change that fails is undone alone; its neighbours in the same commit stay.
fn in_savepoint<T>(
    connection: &Connection,
    change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    refuse_outside_of_a_transaction(connection)?;
    execute(connection, "SAVEPOINT change")?;
    let outcome = change(connection);
    if outcome.is_err() {
        execute(connection, "ROLLBACK TO change")?;
    }
    execute(connection, "RELEASE change")?;
    outcome
}

/// A transaction that could not begin, or that SQLite rolled back by itself (a full disk does that to a
/// neighbour), leaves a connection on which every savepoint would commit on its own, unnoticed.
fn refuse_outside_of_a_transaction(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() { Err(rusqlite::Error::InvalidQuery) } else { Ok(()) }
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
