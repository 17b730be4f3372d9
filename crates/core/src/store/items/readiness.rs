//! Whether the store does its work: it can be read, and takes what is written. A full disk, and a right that was taken away, leave the
//! one without the other. What was committed a moment ago says it; if nothing was, a small change is committed to find out.
//!
//! Anybody may ask as often as they like: there is one such change at a time, and one in [`FRESH`](super::last_commit::FRESH) at most.

use super::attempts::Decided;
use super::engine::{Change, Effect, Guard};
use super::{ItemStore, keys};
use crate::store::StoreError;

impl ItemStore {
    /// Answers if the store does its work.
    pub(super) async fn ask_readiness(&self) -> Result<(), StoreError> {
        self.read_items(&[keys::touched()]).await?;
        let _one_at_a_time = self.last_commit.probing.lock().await;
        let now = self.clock.now();
        if let Some(outcome) = self.last_commit.fresh(now) {
            return outcome;
        }
        let effect = Effect::Put { content: vec![0], forgotten_at: Some(now) };
        let touch = Change { key: keys::touched(), guard: Guard::Any, effect };
        self.ask(|| async { Ok(Decided::change(vec![touch.clone()], ())) }).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use async_trait::async_trait;
    use futures::future::join_all;

    use super::super::between::{Asked, Between, Coming, Never};
    use super::super::engine::EngineError;
    use super::super::last_commit::FRESH;
    use super::super::memory::MemoryEngine;
    use super::*;
    use crate::ground::clock::ManualClock;
    use crate::ground::random::SeededRandom;
    use crate::store::{Keys, Store};

    /// Lets everybody read, and nobody write.
    #[derive(Default)]
    struct Disk {
        is_full: AtomicBool,
        commits: AtomicUsize,
    }

    #[async_trait]
    impl Coming for Disk {
        async fn come(&self, _: &Arc<MemoryEngine>, asked: Asked<'_>) -> Result<(), EngineError> {
            if !matches!(asked, Asked::Commit(..)) {
                return Ok(());
            }
            self.commits.fetch_add(1, Ordering::Relaxed);
            if self.is_full.load(Ordering::Relaxed) {
                return Err(EngineError::Unavailable("its disk is full".into()));
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_can_be_read_and_takes_nothing_is_not_ready() {
        let (engine, clock) = (Arc::new(Between::<Disk>::default()), Arc::new(ManualClock::at_second(1)));
        let random = Arc::new(SeededRandom::new(1));
        let store = ItemStore::new(engine.clone(), clock.clone(), random, Arc::new(Never));
        let (disk, commits) = (&engine.coming, || engine.coming.commits.load(Ordering::Relaxed));
        assert!(join_all([(); 16].map(|()| store.ping())).await.iter().all(Result::is_ok));
        assert_eq!(commits(), 1, "whoever asks as often as they like");
        disk.is_full.store(true, Ordering::Relaxed);
        clock.advance(FRESH);
        let refused = store.ping().await.unwrap_err();
        let StoreError::Unavailable(why) = refused else { panic!("{refused}") };
        let why = why.source().unwrap().to_string();
        assert!(why.contains("its disk is full") && commits() == 2, "{why}");
        disk.is_full.store(false, Ordering::Relaxed);
        assert!(store.ping().await.is_err() && commits() == 2);
        // What is really written tells at once.
        store.rehearse_signing_key().await.unwrap();
        store.ping().await.unwrap();
        disk.is_full.store(true, Ordering::Relaxed);
        assert!(store.rehearse_signing_key().await.is_err());
        let asked = commits();
        assert!(store.ping().await.is_err() && commits() == asked);
        clock.advance(FRESH);
        disk.is_full.store(false, Ordering::Relaxed);
        store.ping().await.unwrap();
    }
}
