//! The one writer of a process. SQLite lets one connection write at a time and waits for the disk at
//! each commit, so all changes go to one thread, which commits together whatever is queued: the wait
//! is shared by all who ask at once. Nobody gets an answer before the commit that makes it true, nor when the
//! file that took it is not the one at its path any more.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use daypass_core::store::{StoreError, StoreWork};
use rusqlite::Connection;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::file::DatabaseFile;
use super::trouble::{Failure, concerns_everybody};
use crate::watched::{Watch, answered};

/// As many changes as one commit takes along; bounds how long the first of them waits for the last.
const CHANGES_PER_COMMIT: usize = 256;

/// As many changes as wait for the thread; whoever comes next waits to get into the queue.
const QUEUE_LENGTH: usize = 1024;

/// Makes one change within the open transaction.
type Job = Box<dyn FnOnce(&Connection) -> Made + Send>;

/// A change that was made, or was not.
struct Made {
    /// Why not, if it says something of the store.
    failed: Option<Failure>,
    /// Answers whoever asked for it, once it is known how the commit went.
    answer: Box<dyn FnOnce(Result<(), Failure>)>,
}

/// How the last commit went, and when.
#[derive(Debug, Clone)]
pub(super) struct Concluded {
    pub(super) at: Instant,
    pub(super) outcome: Result<(), Failure>,
}

impl Concluded {
    pub(super) fn now(outcome: Result<(), Failure>) -> Self {
        Self { at: Instant::now(), outcome }
    }
}

/// The way to the thread that writes.
pub(super) struct Writer {
    /// `None` only while the writer is being dropped.
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    file: Arc<DatabaseFile>,
    last_commit: watch::Receiver<Option<Concluded>>,
    watch: Watch,
}

#[derive(Debug, thiserror::Error)]
#[error("the thread that writes has ended: start Daypass again, and report what the log says of a panic")]
struct WriterHasEnded;

#[derive(Debug, thiserror::Error)]
#[error("{QUEUE_LENGTH} changes wait to be written already")]
struct WriterIsBehind;

impl Writer {
    /// Starts the thread; it ends, and closes the connection, when the writer is dropped.
    pub(super) fn start(
        connection: Connection,
        file: Arc<DatabaseFile>,
        watch: Watch,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE_LENGTH);
        let (told, last_commit) = watch::channel(None);
        let committer = Committer { connection, file: file.clone(), told };
        let thread = Builder::new().name("daypass-writer".into()).spawn(move || committer.serve(jobs))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), file, last_commit, watch })
    }

    /// Makes a change as a whole or not at all, and answers when it is on the disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let writing = async {
            let (job, answered) = self.job(change);
            let queue = self.queue.as_ref().ok_or_else(has_ended)?;
            queue.send(job).await.map_err(|_| has_ended())?;
            Ok::<_, StoreError>(answered.hear().await?)
        };
        self.watch.over(StoreWork::Commit, writing, answered).await
    }

    /// The same for a change that takes its place in the queue now, or not at all.
    pub(super) fn try_write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Answered<T>, Failure> {
        let (job, answered) = self.job(change);
        let queue = self.queue.as_ref().ok_or_else(has_ended)?;
        queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => Failure::unavailable(WriterIsBehind),
            TrySendError::Closed(_) => has_ended(),
        })?;
        Ok(answered)
    }

    /// How the last commit went, if there was one.
    pub(super) fn last_commit(&self) -> Option<Concluded> {
        self.last_commit.borrow().clone()
    }

    fn job<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> (Job, Answered<T>) {
        let (answer, answered) = oneshot::channel();
        let file = self.file.clone();
        let job: Job = Box::new(move |connection| {
            let outcome = in_savepoint(connection, change);
            let concerns_everybody = outcome.as_ref().is_err_and(concerns_everybody);
            let outcome = outcome.map_err(|error| file.failure(error));
            Made {
                failed: outcome.as_ref().err().filter(|_| concerns_everybody).cloned(),
                // Whoever asked may have gone away; the change stands all the same.
                answer: Box::new(move |committed| {
                    drop(answer.send(committed.and(outcome)));
                }),
            }
        });
        (job, Answered(answered))
    }
}

/// The answer to a change that is under way.
pub(super) struct Answered<T>(oneshot::Receiver<Result<T, Failure>>);

impl<T> Answered<T> {
    pub(super) async fn hear(self) -> Result<T, Failure> {
        self.0.await.map_err(|_| has_ended())?
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

fn has_ended() -> Failure {
    Failure::unavailable(WriterHasEnded)
}

/// What the thread works with.
struct Committer {
    connection: Connection,
    file: Arc<DatabaseFile>,
    told: watch::Sender<Option<Concluded>>,
}

impl Committer {
    fn serve(self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            self.commit_together(first, &mut jobs);
        }
    }

    fn commit_together(&self, first: Job, jobs: &mut mpsc::Receiver<Job>) {
        let connection = &self.connection;
        let begun = execute(connection, "BEGIN IMMEDIATE");
        let mut changes = vec![first(connection)];
        while changes.len() < CHANGES_PER_COMMIT
            && let Ok(job) = jobs.try_recv()
        {
            changes.push(job(connection));
        }
        let committed = begun.and_then(|()| execute(connection, "COMMIT"));
        if !connection.is_autocommit() {
            // Should this fail too, then so does the next BEGIN, and whoever asks hears of it.
            let _ = execute(connection, "ROLLBACK");
        }
        let kept = committed.map_err(|error| self.file.failure(error)).and_then(|()| self.file.check_all());
        let failed = changes.iter().find_map(|change| change.failed.clone());
        self.told.send_replace(Some(Concluded::now(kept.clone().and(failed.map_or(Ok(()), Err)))));
        for change in changes {
            (change.answer)(kept.clone());
        }
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

    use super::super::file::Seen;
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

    fn start(connection: Connection) -> Writer {
        let seen = Seen::at(Path::new(connection.path().unwrap())).unwrap();
        let file = DatabaseFile::opened(seen, &connection).unwrap().unwrap();
        Writer::start(connection, Arc::new(file), Watch::default()).unwrap()
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
        let writer = start(connect(file.path()));
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
        let writer = start(connect(file.path()));
        writer.write(keep("a")).await.unwrap();
        assert_eq!(kept(file.path()), ["a"]);
    }

    #[tokio::test]
    async fn a_locked_database_is_unavailable_until_it_is_free() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = start(connect(file.path()));
        let other_process = connect(file.path());
        other_process.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_unavailable(writer.write(keep("a")).await);
        other_process.execute_batch("COMMIT").unwrap();
        writer.write(keep("b")).await.unwrap();
        assert_eq!(kept(file.path()), ["b"]);
    }

    #[tokio::test]
    async fn what_a_file_took_that_went_away_meanwhile_was_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("daypass.db");
        let writer = start(connect(&path));
        let (open_gate, gate) = mpsc::channel();
        let change = writer.write(move |connection| {
            gate.recv().unwrap();
            keep("a")(connection)
        });
        let (answer, ()) = tokio::join!(change, async {
            std::fs::remove_file(&path).unwrap();
            open_gate.send(()).unwrap();
        });
        assert_unavailable(answer);
        assert!(writer.last_commit().unwrap().outcome.is_err());
    }

    #[tokio::test]
    async fn the_last_commit_tells_of_a_store_in_trouble_and_not_of_a_question_that_was_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = start(connect(file.path()));
        writer.write(keep("a")).await.unwrap();
        assert_unavailable(writer.write(keep("a")).await);
        writer.last_commit().unwrap().outcome.unwrap();
        let damaged = |_: &Connection| -> rusqlite::Result<()> {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            Err(rusqlite::Error::SqliteFailure(code, None))
        };
        assert!(matches!(writer.write(damaged).await, Err(StoreError::Corrupt(_))));
        assert!(writer.last_commit().unwrap().outcome.is_err());
    }

    #[tokio::test]
    async fn a_full_disk_is_unavailable_and_what_was_answered_stays() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let connection = connect(file.path());
        connection.execute_batch("PRAGMA max_page_count = 16").unwrap();
        let writer = start(connection);
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
        let writer = start(connect(file.path()));
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
        let writer = start(connect(file.path()));
        assert_unavailable(
            writer.write(|_| -> rusqlite::Result<()> { panic!("a test kills the writer") }).await,
        );
        assert_unavailable(writer.write(keep("a")).await);
        assert!(writer.try_write(keep("b")).is_err());
    }

    #[tokio::test]
    async fn changes_whose_askers_went_away_are_made_before_the_writer_ends() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = start(connect(file.path()));
        tokio::select! {
            biased;
            _ = writer.write(keep("a")) => {}
            () = std::future::ready(()) => {}
        }
        drop(writer);
        assert_eq!(kept(file.path()), ["a"]);
    }
}
