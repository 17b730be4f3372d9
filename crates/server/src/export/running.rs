//! Exporters at work, each in a task of its own, until the server ends.

use std::sync::Arc;
use std::time::Duration;

use daypass_core::ground::random::Random;
use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::exporter::{Exporter, Hindrance, Progress};
use crate::repetition;

/// How often it is looked for new events.
const EVERY: Duration = Duration::from_secs(1);

/// The longest pause after one failure, which doubles with each, and the longest of all.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How long everything may take when the server ends. What is left is delivered after the next start.
const LAST_TRY: Duration = Duration::from_secs(5);

/// Exporters at work. Without this value they end by themselves.
#[must_use]
pub struct Running {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts. Whatever is decided from now on is behind a new exporter's beginning.
    pub(super) async fn start(exporters: Vec<Exporter>, random: &Arc<dyn Random>) -> Self {
        // One whose position cannot be read now is told of by its task.
        drop(join_all(exporters.iter().map(|exporter| exporter.bookmark.find())).await);
        let (stop, stopped) = watch::channel(false);
        let run = |exporter| tokio::spawn(run(exporter, random.clone(), stopped.clone()));
        Self { tasks: exporters.into_iter().map(run).collect(), stop }
    }

    /// Has each deliver what there is, if its receiver takes it now, and ends.
    pub async fn end(mut self) {
        // Without a receiver every task has ended already.
        let _ = self.stop.send(true);
        if timeout(LAST_TRY, join_all(&mut self.tasks)).await.is_err() {
            self.tasks.iter().for_each(JoinHandle::abort);
        }
    }
}

async fn run(mut exporter: Exporter, random: Arc<dyn Random>, mut stop: watch::Receiver<bool>) {
    let mut trouble = Trouble::default();
    loop {
        let is_last = *stop.borrow() || stop.has_changed().is_err();
        let longest = match exporter.go_on().await {
            Ok(Progress::GoneOn) => continue,
            Ok(Progress::UpToDate) => {
                trouble.is_over(&exporter);
                EVERY
            }
            Err(hindrance) => trouble.grows(&exporter, &hindrance),
        };
        if is_last {
            return;
        }
        tokio::select! {
            () = pause(repetition::pause(longest, &*random)) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Failures in a row.
#[derive(Default)]
struct Trouble {
    failures: u32,
    told: Option<String>,
}

impl Trouble {
    /// How long to leave it alone at most. The operator hears of a trouble once, until it is another.
    fn grows(&mut self, exporter: &Exporter, hindrance: &Hindrance) -> Duration {
        exporter.bookmark.metrics.failed();
        let why = hindrance.to_string();
        if self.told.as_ref() != Some(&why) {
            let exporter = &exporter.bookmark.exporter;
            tracing::warn!(exporter, "the audit trail is not exported for now, and nothing is lost: {why}");
            self.told = Some(why);
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        pause
    }

    fn is_over(&mut self, exporter: &Exporter) {
        if self.told.is_some() {
            tracing::info!(exporter = exporter.bookmark.exporter, "the audit trail is exported again");
        }
        *self = Self::default();
    }
}

#[expect(clippy::disallowed_methods, reason = "the pause is for the far end, which has a clock of its own")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use daypass_core::ground::random::SeededRandom;
    use daypass_core::store::SharedStore;
    use daypass_core::store::memory::MemoryStore;
    use tokio::time::Instant;

    use super::super::batch::Batch;
    use super::super::receiver::{Answer, Receiver};
    use super::super::testing::{Scripted, TAKEN, counted, exporter, keep, position};
    use super::*;
    use crate::metrics::Metrics;

    fn store() -> SharedStore {
        Arc::new(MemoryStore::new())
    }

    async fn start(exporter: Exporter) -> Running {
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
        Running::start(vec![exporter], &random).await
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_away_is_asked_less_and_less_often_and_not_in_step() {
        let (store, metrics) = (store(), Metrics::default());
        let (asked, mut answers) = (Arc::new(Mutex::new(Vec::new())), 12);
        let instants = asked.clone();
        let receiver = Scripted::deciding(move |_| {
            instants.lock().unwrap().push(Instant::now());
            answers -= 1;
            if answers > 0 { Answer::Away("timed out".into()) } else { TAKEN }
        });
        keep(&store, 1..=3).await;
        let running = start(exporter(&store, &receiver, &metrics)).await;
        while receiver_is_waited_for(&store).await {
            pause(Duration::from_millis(100)).await;
        }
        running.end().await;
        let asked = asked.lock().unwrap();
        let pauses: Vec<_> = asked.windows(2).map(|two| (two[1] - two[0]).as_secs_f64()).collect();
        assert_eq!(pauses.len(), 11);
        for (pause, longest) in pauses.iter().zip([1., 2., 4., 8., 16., 32., 60., 60., 60., 60., 60.]) {
            assert!((longest / 2. - 0.01..=longest + 0.01).contains(pause), "{pauses:?}");
        }
        assert!(pauses[6..].windows(2).any(|two| (two[0] - two[1]).abs() > 1.), "{pauses:?}");
        assert_eq!(counted(&metrics, "failures_total"), 11);
    }

    async fn receiver_is_waited_for(store: &SharedStore) -> bool {
        position(store).await.line.0 < 3
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_last_is_delivered_before_the_end() {
        let (store, metrics) = (store(), Metrics::default());
        let receiver = Scripted::answering([]);
        let running = start(exporter(&store, &receiver, &metrics)).await;
        pause(Duration::from_millis(10)).await;
        keep(&store, 1..=600).await;
        running.end().await;
        assert!(receiver.brought().concat().into_iter().eq(1..=600));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_away_at_the_end_is_asked_once_more() {
        let (store, metrics) = (store(), Metrics::default());
        let receiver = Scripted::deciding(|_| Answer::Away("timed out".into()));
        let running = start(exporter(&store, &receiver, &metrics)).await;
        keep(&store, 1..=1).await;
        pause(Duration::from_mins(10)).await;
        receiver.brought();
        let before = Instant::now();
        running.end().await;
        assert_eq!((receiver.brought().len(), before.elapsed()), (1, Duration::ZERO));
    }

    struct Hanging;

    #[async_trait]
    impl Receiver for Hanging {
        async fn deliver(&self, _: &Batch) -> Answer {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_keeps_a_server_from_its_end() {
        let (store, metrics) = (store(), Metrics::default());
        let bookmark = exporter(&store, &Scripted::answering([]), &metrics).bookmark;
        keep(&store, 1..=1).await;
        let running = start(Exporter::new(bookmark, Arc::new(Hanging))).await;
        pause(Duration::from_mins(1)).await;
        let before = Instant::now();
        running.end().await;
        assert_eq!(before.elapsed(), LAST_TRY);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_forgets_to_end_exporters_leaves_none_behind() {
        let (store, metrics) = (store(), Metrics::default());
        let running = start(exporter(&store, &Scripted::answering([]), &metrics)).await;
        drop(running);
        pause(Duration::from_secs(5)).await;
        assert_eq!(Arc::strong_count(&store), 1);
    }
}
