//! Whether there is more to do than the processor gets done. A thread of its own hands the runtime a trifle and looks
//! how long it lies there: that long lies everything else that is ready to go on. A short burst is no overload; a queue that
//! stands is, because whoever joins it only makes everybody late (RFC 8289, "Controlled Delay").

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(25);
/// What lies longer is late.
const LATE: Duration = Duration::from_millis(100);
/// A queue stands once everything has been late for so long.
const GRACE: Duration = Duration::from_millis(500);
/// For so long after an overload, lateness means that it is not over.
const MEMORY: Duration = Duration::from_secs(5);

/// The verdict.
#[derive(Debug, Default)]
pub(super) struct Load(AtomicBool);

impl Load {
    /// Watches the runtime that this is called in, until the verdict is dropped. Without a thread to watch with, nothing
    /// is ever too much.
    pub(super) fn watch() -> Arc<Self> {
        let load = Arc::new(Self::default());
        let (handle, watched) = (Handle::current(), Arc::downgrade(&load));
        let watching =
            thread::Builder::new().name("daypass-load".into()).spawn(move || watch(&handle, &watched));
        if let Err(error) = watching {
            tracing::error!(%error, "the load is not watched: no thread can be started");
        }
        load
    }

    /// Whether new work has to be refused.
    pub(super) fn is_too_much(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn note(&self, is_too_much: bool, lateness: Duration) {
        if self.0.swap(is_too_much, Ordering::Relaxed) != is_too_much && is_too_much {
            let late_ms = u64::try_from(lateness.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(late_ms, "requests are refused: the processor does not keep up");
        }
    }
}

fn watch(runtime: &Handle, load: &Weak<Load>) {
    let mut queue = Queue::default();
    loop {
        thread::park_timeout(EVERY);
        let Some(load) = load.upgrade() else { return };
        let (asked, (answer, answered)) = (Instant::now(), mpsc::channel());
        runtime.spawn(async move {
            // Nobody waits any more if the process is ending.
            let _ = answer.send(());
        });
        loop {
            let is_over = answered.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout);
            let lateness = asked.elapsed();
            if let Some(stands) = queue.hear(lateness, is_over, asked + lateness) {
                load.note(stands, lateness);
            }
            if is_over {
                break;
            }
        }
    }
}

/// What is known of the queue.
#[derive(Default)]
struct Queue {
    late_since: Option<Instant>,
    stood: Option<Instant>,
}

impl Queue {
    /// The verdict when a trifle went on, or when it has lain for so long. One that lies there and is not late yet says
    /// nothing: all of them begin so, those of a queue that stands too.
    fn hear(&mut self, lateness: Duration, is_over: bool, now: Instant) -> Option<bool> {
        (is_over || lateness >= LATE).then(|| self.stands(lateness, now))
    }

    fn stands(&mut self, lateness: Duration, now: Instant) -> bool {
        if lateness < LATE {
            self.late_since = None;
            return false;
        }
        let since = *self.late_since.get_or_insert(now);
        let goes_on = self.stood.is_some_and(|stood| now < stood + MEMORY);
        let stands = goes_on || now >= since + GRACE;
        if stands {
            self.stood = Some(now);
        }
        stands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_burst_is_let_in_and_a_queue_that_stands_is_not() {
        let (mut queue, start) = (Queue::default(), Instant::now());
        assert!(!queue.stands(99 * MS, start));
        assert!(!queue.stands(400 * MS, start + 100 * MS), "a burst");
        assert!(!queue.stands(100 * MS, start + 599 * MS));
        assert!(queue.stands(100 * MS, start + 600 * MS), "late for half a second");
        assert!(!queue.stands(99 * MS, start + 700 * MS), "it is worked off");
        assert!(queue.stands(100 * MS, start + 800 * MS), "and back at once");
        assert!(!queue.stands(99 * MS, start + 900 * MS));
        assert!(!queue.stands(100 * MS, start + 5_801 * MS), "long after, a burst is a burst");
    }

    #[test]
    fn a_queue_in_which_everything_lies_for_long_stands_however_often_one_looks() {
        let (mut queue, start) = (Queue::default(), Instant::now());
        let look = |ms: u32| {
            // One trifle after the other lies for 300 ms, and somebody looks every 25.
            let lies = (ms % 300 + 25) * MS;
            queue.hear(lies, lies == 300 * MS, start + ms * MS + 25 * MS)
        };
        let verdicts: Vec<_> = (0..1_200).step_by(25).map(look).collect();
        let heard: Vec<bool> = verdicts.iter().copied().flatten().collect();
        let refused_from = heard.iter().position(|stands| *stands).unwrap();
        assert!(heard[refused_from..].iter().all(|stands| *stands), "{verdicts:?}");
        assert!(verdicts[..20].iter().all(|verdict| *verdict != Some(true)), "not in the first half second");
    }

    #[test]
    fn a_runtime_that_is_held_up_is_noticed() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let load = runtime.block_on(async { Load::watch() });
        // Nobody drives the runtime now, so nothing that is ready goes on.
        let given_up = Instant::now() + Duration::from_secs(30);
        while !load.is_too_much() && Instant::now() < given_up {
            thread::yield_now();
        }
        assert!(load.is_too_much());
    }
}
