//! Whose turn it is where there is more to do than the processor gets done. A request begins its work when it has a turn,
//! and gives it back once it waits for something itself and everybody else who is ready was looked at. So the line stands
//! here, where each who waits knows since when, and not in sockets that nobody has read yet. A short line is no overload;
//! one that stands is, because whoever joins it only makes everybody late (RFC 8289, "Controlled Delay").

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::yield_now;

/// So many may begin on a thread before it looks who else is there: some milliseconds of work. With fewer, more is spent on
/// looking, and fewer answers become durable together.
const AT_ONCE: usize = 10;
/// Who waits longer is late.
const LATE: Duration = Duration::from_millis(50);
/// A line stands in which there was somebody at every moment for so long.
const GRACE: Duration = Duration::from_millis(500);

/// The turns of a runtime: some for each of its threads.
pub(super) struct Turns {
    free: Arc<Free>,
    waiting: AtomicUsize,
    line: Mutex<Line>,
}

struct Free {
    turns: Semaphore,
    /// So many more are free in a moment.
    soon: AtomicUsize,
}

/// A turn, until it is dropped.
struct Turn<'a>(&'a Arc<Free>);

impl Turns {
    /// Those of the runtime that this is called in.
    pub(super) fn of_this_runtime() -> Self {
        Self::new(AT_ONCE * Handle::current().metrics().num_workers())
    }

    fn new(at_once: usize) -> Self {
        Self {
            free: Arc::new(Free { turns: Semaphore::new(at_once), soon: AtomicUsize::new(0) }),
            waiting: AtomicUsize::new(0),
            line: Mutex::new(Line { empty: Instant::now(), is_late: false }),
        }
    }

    /// Whether nobody else should join the line. Where nobody waits there is none, whatever the last of it said.
    pub(super) fn is_too_much(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0 && self.line().is_late
    }

    /// Does work that begins with a turn, and ends it by having to wait for something or by being done.
    pub(super) async fn begin<F: Future>(&self, work: F) -> F::Output {
        let mut turn = Some(self.turn().await);
        let mut work = pin!(work);
        poll_fn(|context| {
            let done = work.as_mut().poll(context);
            drop(turn.take());
            done
        })
        .await
    }

    async fn turn(&self) -> Turn<'_> {
        if let Ok(free) = self.free.turns.try_acquire() {
            free.forget();
            self.line().was_empty(Instant::now());
            return Turn(&self.free);
        }
        let (waits, came) = (Waits::among(&self.waiting), Instant::now());
        self.free.turns.acquire().await.expect("nobody closes it").forget();
        drop(waits);
        let now = Instant::now();
        self.line().has_gone_on(now - came, now);
        Turn(&self.free)
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next begins when everybody who is ready now was looked at. On one thread, whoever begins would find the turn free
/// otherwise, and whoever has not been read yet would wait where nobody sees it.
impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.0.soon.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let free = self.0.clone();
        // Without a runtime everything is ending.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                yield_now().await;
                free.turns.add_permits(free.soon.swap(0, Ordering::AcqRel));
            });
        }
    }
}

/// One who waits, until it is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn among(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is known of the line.
struct Line {
    /// When nobody stood in it for the last time.
    empty: Instant,
    is_late: bool,
}

impl Line {
    fn was_empty(&mut self, now: Instant) {
        *self = Self { empty: now, is_late: false };
    }

    /// Somebody had waited for so long when their turn came.
    fn has_gone_on(&mut self, waited: Duration, now: Instant) {
        let was_late = self.is_late;
        self.is_late = waited > LATE && now >= self.empty + GRACE;
        if self.is_late && !was_late {
            let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(waited_ms, "requests are refused: the processor does not keep up");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tokio::task::JoinHandle;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_burst_is_let_in_and_a_line_that_stands_is_not_joined() {
        let start = Instant::now();
        let mut line = Line { empty: start, is_late: false };
        let mut late = |waited: u32, at: u32| {
            line.has_gone_on(waited * MS, start + at * MS);
            line.is_late
        };
        assert!(!late(400, 400), "a burst");
        assert!(!late(499, 499));
        assert!(late(51, 500), "somebody waited all the time for half a second");
        assert!(!late(50, 501), "the line is short again, and may be joined");
        assert!(late(51, 502));
        line.was_empty(start + 503 * MS);
        assert!(!line.is_late);
        line.has_gone_on(400 * MS, start + 1_002 * MS);
        assert!(!line.is_late, "after it was empty, a burst is a burst");
    }

    /// Work of somebody who has a turn until `end` is set and it is looked at again.
    fn holding(turns: &Arc<Turns>, end: &Arc<AtomicBool>) -> JoinHandle<()> {
        let (turns, end) = (turns.clone(), end.clone());
        tokio::spawn(async move {
            let turn = turns.turn().await;
            while !end.load(Ordering::Relaxed) {
                yield_now().await;
            }
            drop(turn);
        })
    }

    #[tokio::test]
    async fn whoever_waits_for_a_provider_keeps_nobody_from_beginning() {
        let turns = Arc::new(Turns::new(1));
        let waits_for_ever = turns.begin(std::future::pending::<()>());
        tokio::select! {
            biased;
            () = waits_for_ever => unreachable!("it never ends"),
            () = turns.begin(async {}) => {}
        }
    }

    #[tokio::test]
    async fn everybody_who_is_ready_is_looked_at_before_the_next_begins() {
        let turns = Arc::new(Turns::new(1));
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &'static str| {
            let order = order.clone();
            move || order.lock().unwrap().push(what)
        };
        let worker = |name| {
            let (turns, note) = (turns.clone(), note(name));
            tokio::spawn(async move { turns.begin(async { note() }).await })
        };
        let (first, second) = (worker("first"), worker("second"));
        let note = note("looked at");
        let looked_at = tokio::spawn(async move { note() });
        for task in [first, looked_at, second] {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["first", "looked at", "second"]);
    }

    #[tokio::test]
    async fn a_line_is_too_much_as_long_as_somebody_stands_in_it() {
        let (turns, end) = (Arc::new(Turns::new(1)), Arc::new(AtomicBool::new(false)));
        let holder = holding(&turns, &end);
        yield_now().await;
        turns.line().is_late = true;
        assert!(!turns.is_too_much(), "nobody waits");
        let waiter = holding(&turns, &end);
        yield_now().await;
        assert!(turns.is_too_much());
        end.store(true, Ordering::Relaxed);
        holder.await.unwrap();
        waiter.await.unwrap();
        assert!(!turns.is_too_much(), "whoever waited has had a turn");
        assert_eq!(turns.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn whoever_hangs_up_leaves_the_line() {
        let (turns, end) = (Arc::new(Turns::new(1)), Arc::new(AtomicBool::new(false)));
        let holder = holding(&turns, &end);
        yield_now().await;
        let gone = holding(&turns, &end);
        yield_now().await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        assert_eq!(turns.waiting.load(Ordering::Relaxed), 0);
        end.store(true, Ordering::Relaxed);
        holder.await.unwrap();
        turns.begin(async {}).await;
    }
}
