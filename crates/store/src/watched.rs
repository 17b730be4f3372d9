//! An engine of which somebody hears what it does, and how long it takes.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use async_trait::async_trait;
use daypass_core::ground::clock::Timestamp;
use daypass_core::store::items::engine::{Change, Committed, Engine, EngineError, Item, Key, Stamp};
use daypass_core::store::{Cleared, SharedWatch, StoreConnections, StoreError, StoreOutcome, StoreWork};

/// Who hears of what a store does, once somebody wants to.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<OnceLock<SharedWatch>>);

impl Watch {
    /// Who was there first stays.
    pub(crate) fn begin(&self, by: SharedWatch) {
        let _ = self.0.set(by);
    }

    /// Tells of some work, when it is done.
    pub(crate) async fn over<T, E>(
        &self,
        work: StoreWork,
        doing: impl Future<Output = Result<T, E>>,
        came_to: impl FnOnce(&Result<T, E>) -> StoreOutcome,
    ) -> Result<T, E> {
        let Some(by) = self.0.get() else { return doing.await };
        let began = Instant::now();
        let done = doing.await;
        by.did(work, came_to(&done), began.elapsed());
        done
    }

    /// The same of work that nobody waits for meanwhile.
    pub(crate) fn over_now<T>(
        &self,
        work: StoreWork,
        doing: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(by) = self.0.get() else { return doing() };
        let began = Instant::now();
        let done = doing();
        by.did(work, answered(&done), began.elapsed());
        done
    }
}

/// Whether a store gave an answer.
pub(crate) fn answered<T>(answer: &Result<T, StoreError>) -> StoreOutcome {
    if answer.is_ok() { StoreOutcome::Ok } else { StoreOutcome::Failed }
}

/// An engine that is watched.
pub(crate) struct Watched {
    engine: Arc<dyn Engine>,
    watch: Watch,
}

impl Watched {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine, watch: Watch::default() }
    }
}

fn came_to<T>(answer: &Result<T, EngineError>) -> StoreOutcome {
    match answer {
        Ok(_) => StoreOutcome::Ok,
        Err(EngineError::Busy(_)) => StoreOutcome::Busy,
        Err(EngineError::Lost(_)) => StoreOutcome::Lost,
        Err(EngineError::Unavailable(_)) => StoreOutcome::Failed,
    }
}

#[async_trait]
impl Engine for Watched {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
        self.watch.over(StoreWork::Read, self.engine.read(keys), came_to).await
    }

    async fn page(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Item>, EngineError> {
        self.watch.over(StoreWork::Page, self.engine.page(partition, after, limit), came_to).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, EngineError> {
        self.watch.over(StoreWork::Page, self.engine.scan(after, limit), came_to).await
    }

    async fn commit(&self, stamp: Stamp, changes: &[Change]) -> Result<Committed, EngineError> {
        let came_to = |answer: &Result<Committed, EngineError>| match answer {
            Ok(Committed::Broken) => StoreOutcome::Overtaken,
            answer => came_to(answer),
        };
        self.watch.over(StoreWork::Commit, self.engine.commit(stamp, changes), came_to).await
    }

    async fn commit_each(&self, stamp: Stamp, changes: &[Change]) -> Result<(), EngineError> {
        self.watch.over(StoreWork::Commit, self.engine.commit_each(stamp, changes), came_to).await
    }

    async fn forget(&self, now: Timestamp) -> Result<Cleared, EngineError> {
        self.watch.over(StoreWork::Forget, self.engine.forget(now), came_to).await
    }

    fn shards(&self) -> u8 {
        self.engine.shards()
    }

    fn watch(&self, by: SharedWatch) {
        self.watch.begin(by);
    }

    fn connections(&self) -> Option<StoreConnections> {
        self.engine.connections()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use daypass_core::ground::ids::IdentityPoolId;
    use daypass_core::records::identity::{IdentityPool, PoolRoles, PoolSettings};
    use daypass_core::store::{Pools, Store, StoreWatch};

    use super::*;
    use crate::SqliteStore;

    /// Whoever writes down what they hear.
    #[derive(Default)]
    pub(crate) struct Notes(Mutex<Vec<(StoreWork, StoreOutcome)>>);

    impl StoreWatch for Notes {
        fn did(&self, work: StoreWork, came_to: StoreOutcome, _: Duration) {
            self.0.lock().unwrap().push((work, came_to));
        }
    }

    impl Notes {
        pub(crate) fn take(&self) -> Vec<(StoreWork, StoreOutcome)> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    /// An engine that answers as a test has it.
    struct Scripted(Mutex<Vec<Result<Committed, EngineError>>>);

    impl Scripted {
        fn next(&self) -> Result<Committed, EngineError> {
            self.0.lock().unwrap().pop().unwrap()
        }
    }

    #[async_trait]
    impl Engine for Scripted {
        async fn read(&self, _: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
            self.next().map(|_| Vec::new())
        }

        async fn page(&self, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Vec<Item>, EngineError> {
            self.next().map(|_| Vec::new())
        }

        async fn scan(&self, _: Option<&Key>, _: usize) -> Result<Vec<Item>, EngineError> {
            self.next().map(|_| Vec::new())
        }

        async fn commit(&self, _: Stamp, _: &[Change]) -> Result<Committed, EngineError> {
            self.next()
        }

        async fn forget(&self, _: Timestamp) -> Result<Cleared, EngineError> {
            self.next().map(|_| Cleared::default())
        }

        fn shards(&self) -> u8 {
            1
        }
    }

    #[tokio::test]
    async fn whoever_watches_hears_what_was_done_and_what_it_came_to() {
        let trouble = || "a test has it so".into();
        let script = vec![
            Err(EngineError::Unavailable(trouble())),
            Err(EngineError::Busy(trouble())),
            Err(EngineError::Lost(trouble())),
            Ok(Committed::Broken),
            Ok(Committed::Kept),
            Ok(Committed::Kept),
        ];
        let engine = Watched::new(Arc::new(Scripted(Mutex::new(script))));
        let (heard, late) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
        engine.read(&[]).await.unwrap();
        engine.watch(heard.clone());
        engine.watch(late.clone());
        engine.commit(Stamp(1), &[]).await.unwrap();
        engine.commit(Stamp(2), &[]).await.unwrap();
        engine.commit(Stamp(3), &[]).await.unwrap_err();
        engine.page(b"a", None, 1).await.unwrap_err();
        engine.forget(Timestamp::UNIX_EPOCH).await.unwrap_err();
        let expected = [
            (StoreWork::Commit, StoreOutcome::Ok),
            (StoreWork::Commit, StoreOutcome::Overtaken),
            (StoreWork::Commit, StoreOutcome::Lost),
            (StoreWork::Page, StoreOutcome::Busy),
            (StoreWork::Forget, StoreOutcome::Failed),
        ];
        assert_eq!((heard.take(), late.take()), (expected.to_vec(), vec![]));
    }

    #[tokio::test]
    async fn a_store_in_a_file_tells_of_what_it_reads_and_writes() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("daypass.db")).unwrap();
        let (heard, pool_id) = (Arc::new(Notes::default()), IdentityPoolId::parse("us-east-1:01").unwrap());
        let pool = IdentityPool::new(pool_id.clone(), PoolSettings::default(), PoolRoles::default());
        store.watch(heard.clone());
        store.add_pool(&pool).await.unwrap();
        assert_eq!(heard.take(), [(StoreWork::Commit, StoreOutcome::Ok)]);
        store.add_pool(&pool).await.unwrap_err();
        assert_eq!(heard.take(), [(StoreWork::Commit, StoreOutcome::Failed)]);
        store.lookup_pool(&pool_id).await.unwrap();
        assert_eq!(heard.take(), [(StoreWork::Read, StoreOutcome::Ok)]);
    }
}
