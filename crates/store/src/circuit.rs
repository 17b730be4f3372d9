//! A circuit that an engine is behind: while a database is silent, nobody waits for it but whoever finds out that it is back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use daypass_core::ground::clock::Timestamp;
use daypass_core::store::items::engine::{Change, Committed, Engine, EngineError, Item, Key, Stamp};
use daypass_core::store::{Cleared, SharedWatch, StoreConnections};
use tokio::time::Instant;

/// What fails sooner tells nothing of the database: whoever waits for a connection that others use is told after a second, and an
/// engine's other deadlines are three seconds and five.
const SLOW: Duration = Duration::from_secs(2);

/// So many that fail slowly, and no answer in between, are a silence.
const SILENCE: u32 = 5;

/// How often somebody finds out.
const BETWEEN_PROBES: Duration = Duration::from_secs(1);

/// An engine behind a circuit.
pub(crate) struct Circuit {
    engine: Arc<dyn Engine>,
    seen: Mutex<Seen>,
}

struct Seen {
    /// In a row.
    slow_failures: u32,
    /// When somebody last began to ask, or had no answer.
    asked_at: Instant,
}

/// Nothing was asked.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database left the last {SILENCE} questions without an answer, so this one was not asked; one in a second is, and \
     everything goes on when that is answered"
)]
struct Silent;

impl Circuit {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine, seen: Mutex::new(Seen { slow_failures: 0, asked_at: Instant::now() }) }
    }

    async fn ask<T>(&self, question: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
        let began = Instant::now();
        if !self.may_ask(began) {
            return Err(EngineError::Unavailable(Silent.into()));
        }
        let answer = question.await;
        let ended = Instant::now();
        if answer.is_ok() || ended.duration_since(began) >= SLOW {
            self.learn(answer.is_ok(), ended);
        }
        answer
    }

    fn may_ask(&self, now: Instant) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let may_ask = seen.slow_failures < SILENCE || now.duration_since(seen.asked_at) >= BETWEEN_PROBES;
        if may_ask {
            seen.asked_at = now;
        }
        may_ask
    }

    fn learn(&self, is_answered: bool, now: Instant) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.slow_failures = if is_answered { 0 } else { seen.slow_failures.saturating_add(1) };
        seen.asked_at = now;
    }
}

#[async_trait]
impl Engine for Circuit {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
        self.ask(self.engine.read(keys)).await
    }

    async fn page(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Item>, EngineError> {
        self.ask(self.engine.page(partition, after, limit)).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, EngineError> {
        self.ask(self.engine.scan(after, limit)).await
    }

    async fn commit(&self, stamp: Stamp, changes: &[Change]) -> Result<Committed, EngineError> {
        self.ask(self.engine.commit(stamp, changes)).await
    }

    async fn commit_each(&self, stamp: Stamp, changes: &[Change]) -> Result<(), EngineError> {
        self.ask(self.engine.commit_each(stamp, changes)).await
    }

    async fn forget(&self, now: Timestamp) -> Result<Cleared, EngineError> {
        self.ask(self.engine.forget(now)).await
    }

    fn shards(&self) -> u8 {
        self.engine.shards()
    }

    fn watch(&self, by: SharedWatch) {
        self.engine.watch(by);
    }

    fn connections(&self) -> Option<StoreConnections> {
        self.engine.connections()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Answers after a time.
    struct Slow {
        after: Mutex<Duration>,
        is_well: Mutex<bool>,
        asked: AtomicU32,
    }

    impl Slow {
        fn fails_after(&self, after: Duration) {
            (*self.after.lock().unwrap(), *self.is_well.lock().unwrap()) = (after, false);
        }

        fn answers_after(&self, after: Duration) {
            (*self.after.lock().unwrap(), *self.is_well.lock().unwrap()) = (after, true);
        }

        #[expect(clippy::disallowed_methods, reason = "the clock is the test's")]
        async fn answer(&self) -> Result<(), EngineError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let (after, is_well) = (*self.after.lock().unwrap(), *self.is_well.lock().unwrap());
            tokio::time::sleep(after).await;
            if is_well { Ok(()) } else { Err(EngineError::Busy("no answer".into())) }
        }
    }

    #[async_trait]
    impl Engine for Slow {
        async fn read(&self, _: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
            self.answer().await.map(|()| Vec::new())
        }

        async fn page(&self, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Vec<Item>, EngineError> {
            self.answer().await.map(|()| Vec::new())
        }

        async fn scan(&self, _: Option<&Key>, _: usize) -> Result<Vec<Item>, EngineError> {
            self.answer().await.map(|()| Vec::new())
        }

        async fn commit(&self, _: Stamp, _: &[Change]) -> Result<Committed, EngineError> {
            self.answer().await.map(|()| Committed::Kept)
        }

        async fn forget(&self, _: Timestamp) -> Result<Cleared, EngineError> {
            self.answer().await.map(|()| Cleared::default())
        }

        fn shards(&self) -> u8 {
            1
        }
    }

    fn behind_a_circuit() -> (Arc<Slow>, Circuit) {
        let engine =
            Arc::new(Slow { after: Mutex::default(), is_well: Mutex::new(true), asked: AtomicU32::new(0) });
        (engine.clone(), Circuit::new(engine))
    }

    /// Whether somebody was kept waiting, and whether there was an answer.
    async fn ask(circuit: &Circuit) -> (bool, bool) {
        let began = Instant::now();
        let is_well = circuit.commit(Stamp(1), &[]).await.is_ok();
        (began.elapsed() >= SLOW, is_well)
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_silent_database_but_one_in_a_second() {
        let (engine, circuit) = behind_a_circuit();
        engine.fails_after(SLOW);
        for _ in 0..SILENCE {
            assert_eq!(ask(&circuit).await, (true, false));
        }
        assert_eq!(ask(&circuit).await, (false, false));
        let mut waited = 0;
        for _ in 0..1_000 {
            tokio::time::advance(Duration::from_millis(1)).await;
            waited += u32::from(ask(&circuit).await.0);
        }
        assert!((1..=2).contains(&waited), "{waited}");
        let before = engine.asked.load(Ordering::Relaxed);
        let mut refused = Vec::new();
        for _ in 0..1_000 {
            refused.push(circuit.read(&[]).await.unwrap_err());
        }
        assert!(engine.asked.load(Ordering::Relaxed) - before <= 1);
        assert!(matches!(refused[999], EngineError::Unavailable(_)), "it was not asked, so nothing is lost");
    }

    #[tokio::test(start_paused = true)]
    async fn everything_goes_on_with_the_first_answer() {
        let (engine, circuit) = behind_a_circuit();
        engine.fails_after(SLOW);
        for _ in 0..=SILENCE {
            ask(&circuit).await;
        }
        engine.answers_after(Duration::ZERO);
        tokio::time::advance(BETWEEN_PROBES).await;
        for _ in 0..10 {
            assert_eq!(ask(&circuit).await, (false, true));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_at_once_or_is_slow_and_answered_is_no_silence() {
        let (engine, circuit) = behind_a_circuit();
        for _ in 0..10 {
            engine.fails_after(Duration::ZERO);
            assert_eq!(ask(&circuit).await, (false, false));
            engine.answers_after(SLOW * 2);
            assert_eq!(ask(&circuit).await, (true, true));
            engine.fails_after(SLOW * 2);
            for _ in 1..SILENCE {
                assert_eq!(ask(&circuit).await, (true, false));
            }
        }
        assert_eq!(engine.asked.load(Ordering::Relaxed), 10 * (2 + SILENCE - 1), "everything was asked");
    }
}
