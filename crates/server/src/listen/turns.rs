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
/// A line stands in which there was somebody at every moment for so long. Whoever comes before joins it, however long it is.
const GRACE: Duration = Duration::from_millis(150);
/// Who would wait longer does not join a line that stands.
const LATE: Duration = Duration::from_millis(50);
/// The same in a storm, when more are turned away than let in. Then everybody waits for as long as they are let to, and a shorter
/// line serves as many.
const LATE_IN_A_STORM: Duration = Duration::from_millis(5);
/// After so long, what was turned away and let in counts for half.
const MEMORY: Duration = Duration::from_millis(500);

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
            line: Mutex::new(Line::new(Instant::now())),
        }
    }

    /// Whether somebody who comes now should not join the line. Where nobody waits there is none.
    pub(super) fn is_too_much(&self) -> bool {
        let ahead = self.waiting.load(Ordering::Relaxed);
        self.line().turns_away(ahead, Instant::now())
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
        let place = waits.place;
        self.free.turns.acquire().await.expect("nobody closes it").forget();
        drop(waits);
        self.line().has_gone_on(came.elapsed(), place);
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
struct Waits<'a> {
    waiting: &'a AtomicUsize,
    /// In the line, the first one being 1.
    place: usize,
}

impl<'a> Waits<'a> {
    fn among(waiting: &'a AtomicUsize) -> Self {
        Self { waiting, place: waiting.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is known of the line.
struct Line {
    /// When nobody stood in it for the last time.
    empty: Instant,
    /// How long it takes until one place is left, as whoever had the last turn saw it.
    each: Duration,
    turned_away: u32,
    let_in: u32,
    /// When those two were halved.
    halved: Instant,
}

impl Line {
    fn new(now: Instant) -> Self {
        Self { empty: now, each: Duration::ZERO, turned_away: 0, let_in: 0, halved: now }
    }

    fn was_empty(&mut self, now: Instant) {
        self.empty = now;
    }

    /// Somebody at a place had waited for so long when their turn came.
    fn has_gone_on(&mut self, waited: Duration, place: usize) {
        self.each = waited / u32::try_from(place).unwrap_or(u32::MAX);
    }

    /// Whether somebody who comes now, and has so many ahead, is turned away.
    fn turns_away(&mut self, ahead: usize, now: Instant) -> bool {
        self.forget(now);
        if ahead == 0 {
            self.was_empty(now);
        }
        let away = ahead > 0 && self.would_be_late(ahead, now);
        let count = if away { &mut self.turned_away } else { &mut self.let_in };
        *count = count.saturating_add(1);
        away
    }

    fn would_be_late(&self, ahead: usize, now: Instant) -> bool {
        let is_storm = self.turned_away > self.let_in;
        let late = if is_storm { LATE_IN_A_STORM } else { LATE };
        let stands = is_storm || now >= self.empty + GRACE;
        stands && self.each.saturating_mul(u32::try_from(ahead).unwrap_or(u32::MAX)) > late
    }

    fn forget(&mut self, now: Instant) {
        while now >= self.halved + MEMORY {
            if (self.turned_away, self.let_in) == (0, 0) {
                self.halved = now;
            } else {
                (self.turned_away, self.let_in) = (self.turned_away / 2, self.let_in / 2);
                self.halved += MEMORY;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tokio::task::JoinHandle;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A line in which a place is left after each millisecond, and what becomes of whoever comes at an instant and has so many
    /// ahead.
    fn of_a_millisecond(start: Instant) -> impl FnMut(u32, usize) -> bool {
        let mut line = Line::new(start);
        line.has_gone_on(10 * MS, 10);
        move |at, ahead| line.turns_away(ahead, start + at * MS)
    }

    #[test]
    fn a_burst_is_let_in_and_a_line_that_stands_is_not_joined() {
        let mut is_turned_away = of_a_millisecond(Instant::now());
        assert!(!is_turned_away(149, 400), "a burst");
        assert!(is_turned_away(150, 51), "somebody waited all the time");
        assert!(!is_turned_away(150, 50), "the line is short, and may be joined");
        assert!(!is_turned_away(151, 0), "nobody waits");
        assert!(!is_turned_away(300, 400), "after it was empty, a burst is a burst");
    }

    #[test]
    fn in_a_storm_the_line_is_short_until_fewer_are_turned_away_than_let_in() {
        let mut is_turned_away = of_a_millisecond(Instant::now());
        assert!(!is_turned_away(0, 6));
        assert_eq!([0; 9].map(|_| is_turned_away(200, 100)), [true; 9]);
        assert!(is_turned_away(201, 6), "more were turned away than let in");
        assert!(!is_turned_away(201, 5));
        assert!(!is_turned_away(202, 0), "nobody waits, and yet it is a storm");
        assert!(is_turned_away(203, 6), "so a burst is none");
        assert!(!is_turned_away(4_000, 50), "later it is forgotten");
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
        turns.line().has_gone_on(GRACE, 1);
        turns.line().turned_away = 9;
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
