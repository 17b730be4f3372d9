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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// A connection that does not wait for a lock.
    fn connect(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(Duration::ZERO).unwrap();
        connection
            .execute_batch("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, body BLOB)")
            .unwrap();
        connection
    }

    fn keep(name: &'static str) -> impl FnOnce(&Connection) -> rusqlite::Result<()> + Send {
        move |connection| connection.execute("INSERT INTO kept (name) VALUES (?1)", [name]).map(drop)
    }

    fn kept(path: &Path) -> Vec<String> {
        let connection = Connection::open(path).unwrap();
        let mut names = connection.prepare("SELECT name FROM kept ORDER BY name").unwrap();
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn assert_unavailable(answer: Result<(), StoreError>) {
        let error = answer.expect_err("no success");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }

    #[tokio::test]
    async fn a_change_that_fails_is_undone_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = Writer::start(connect(file.path())).unwrap();
        let (open_gate, gate) = mpsc::channel();
        // The first change holds the transaction open until the other two wait behind it.
        let first = writer.write(move |connection| {
            gate.recv().unwrap();
            keep("first")(connection)
        });
        let failing = writer.write(|connection| {
            keep("half made")(connection)?;
            keep("first")(connection)
        });
        let third = writer.write(keep("third"));
        let (first, failing, third, ()) =
            tokio::join!(first, failing, third, async { open_gate.send(()).unwrap() });
        first.unwrap();
        third.unwrap();
        assert_unavailable(failing);
        assert_eq!(kept(file.path()), ["first", "third"]);
    }

    #[tokio::test]
    async fn nobody_hears_of_success_before_others_can_see_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = Writer::start(connect(file.path())).unwrap();
        writer.write(keep("a")).await.unwrap();
        assert_eq!(kept(file.path()), ["a"]);
    }

    #[tokio::test]
    async fn a_locked_database_is_unavailable_until_it_is_free() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = Writer::start(connect(file.path())).unwrap();
        let other_process = connect(file.path());
        other_process.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_unavailable(writer.write(keep("a")).await);
        other_process.execute_batch("COMMIT").unwrap();
        writer.write(keep("b")).await.unwrap();
        assert_eq!(kept(file.path()), ["b"]);
    }

    #[tokio::test]
    async fn a_full_disk_is_unavailable_and_what_was_answered_stays() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let connection = connect(file.path());
        connection.execute_batch("PRAGMA max_page_count = 16").unwrap();
        let writer = Writer::start(connection).unwrap();
        writer.write(keep("before")).await.unwrap();
        let too_long = writer.write(|connection| {
            connection.execute("INSERT INTO kept VALUES ('large', zeroblob(1000000))", []).map(drop)
        });
        assert_unavailable(too_long.await);
        writer.write(keep("after")).await.unwrap();
        assert_eq!(kept(file.path()), ["after", "before"]);
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_takes_the_whole_commit_with_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = Writer::start(connect(file.path())).unwrap();
        let (open_gate, gate) = mpsc::channel();
        let first = writer.write(move |connection| {
            gate.recv().unwrap();
            keep("first")(connection)
        });
        let ending = writer.write(|connection| connection.execute_batch("ROLLBACK"));
        let third = writer.write(keep("third"));
        let (first, ending, third, ()) =
            tokio::join!(first, ending, third, async { open_gate.send(()).unwrap() });
        assert_unavailable(first);
        assert_unavailable(ending);
        assert_unavailable(third);
        assert_eq!(kept(file.path()), [""; 0]);
        writer.write(keep("next")).await.unwrap();
    }

    #[tokio::test]
    async fn a_writer_that_died_is_unavailable_and_nobody_waits() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = Writer::start(connect(file.path())).unwrap();
        writer.ping().unwrap();
        assert_unavailable(
            writer.write(|_| -> rusqlite::Result<()> { panic!("a test kills the writer") }).await,
        );
        assert_unavailable(writer.write(keep("a")).await);
        assert_unavailable(writer.ping());
    }

    #[tokio::test]
    async fn changes_whose_askers_went_away_are_made_before_the_writer_ends() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = Writer::start(connect(file.path())).unwrap();
        tokio::select! {
            biased;
            _ = writer.write(keep("a")) => {}
            () = std::future::ready(()) => {}
        }
        drop(writer);
        assert_eq!(kept(file.path()), ["a"]);
    }
}
