use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;

use super::*;
use crate::ground::clock::{ManualClock, SignedDuration, SystemClock};
use crate::ground::random::{SeededRandom, SystemRandom};
use crate::store::contract::whole::{Filled, at_copying, fill, look, use_up};
use crate::store::items::between::{Asked, Between, Coming};
use crate::store::items::engine::{Change, Effect, Engine, EngineError, Guard, Key, Stamp};
use crate::store::items::faults::Faults;
use crate::store::items::filling::ItemFilling;
use crate::store::items::memory::MemoryEngine;
use crate::store::items::{ItemStore, Pace};
use crate::store::{Once, SharedStore};

const FROM: &str = "the store of before";

struct Yielding;

#[async_trait]
impl Pace for Yielding {
    async fn pause(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

fn store(engine: &Arc<impl Engine + 'static>) -> Arc<ItemStore> {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    Arc::new(ItemStore::new(engine.clone(), clock, random, Arc::new(Yielding)))
}

/// An engine with a store of everything in it, and what that is.
async fn filled() -> (Arc<MemoryEngine>, Filled, Vec<String>) {
    let engine = Arc::<MemoryEngine>::default();
    let store: SharedStore = store(&engine);
    let filled = fill(&store).await;
    let seen = look(&store, &filled).await;
    (engine, filled, seen)
}

async fn copy_into(source: &dyn Whole, engine: &Arc<impl Engine + 'static>) -> Result<Contents, CopyError> {
    let target = ItemFilling::of(store(engine));
    target.begin(FROM).await?;
    copy(source, &target, &*at_copying(), &mut |_, _| {}).await
}

#[tokio::test]
async fn everything_is_there_and_counts_as_it_did() {
    let (source, filled, seen) = filled().await;
    let target = Arc::<MemoryEngine>::default();
    let contents = copy_into(&*store(&source), &target).await.unwrap();
    assert!(Kind::ALL.iter().all(|kind| contents.of(*kind).count > 0), "{contents:?}");
    let copied: SharedStore = store(&target);
    assert_eq!(look(&copied, &filled).await, seen);
    use_up(&copied, &filled).await;
    copied.keep_up().await.unwrap();
}

#[tokio::test]
async fn engines_in_trouble_lose_nothing() {
    let (_, filled, seen) = filled().await;
    for seed in 0..4 {
        let in_trouble =
            |seed| Arc::new(Faults::new(MemoryEngine::default(), Box::new(SeededRandom::new(seed))));
        let (source, target) = (in_trouble(seed), in_trouble(seed + 100));
        let from = store(&source);
        let shared: SharedStore = from.clone();
        let again = fill(&shared).await;
        copy_into(&*from, &target).await.unwrap();
        let copied: SharedStore = store(&target);
        assert_eq!(look(&copied, &again).await.len(), seen.len());
        assert_eq!(look(&copied, &again).await, look(&shared, &again).await);
    }
    drop(filled);
}

/// Has the engine be gone after so many commits, until it is [told](Mortal::live_for) otherwise.
#[derive(Default)]
struct Mortal(AtomicU64);

impl Mortal {
    fn live_for(&self, commits: u64) {
        self.0.store(commits, Ordering::SeqCst);
    }
}

#[async_trait]
impl Coming for Mortal {
    async fn come(&self, _: &Arc<MemoryEngine>, asked: Asked<'_>) -> Result<(), EngineError> {
        let Asked::Commit(..) = asked else { return Ok(()) };
        let lives = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        lives.map(drop).map_err(|_| EngineError::Unavailable("a test has it so".into()))
    }
}

#[tokio::test]
async fn wherever_it_is_cut_off_it_is_made_again_and_until_then_nobody_opens_it() {
    let (source, filled, seen) = filled().await;
    let source = store(&source);
    let target = Arc::<Between<Mortal>>::default();
    let mut commits = 0;
    loop {
        target.coming.live_for(commits);
        let copied = copy_into(&*source, &target).await;
        target.coming.live_for(u64::MAX);
        let unfinished = store(&target).unfinished_copy().await.unwrap();
        if copied.is_ok() {
            assert_eq!(unfinished, None);
            break;
        }
        // Nothing was there before the first commit, which says what it is.
        assert_eq!(unfinished.as_deref(), (commits > 0).then_some(FROM), "after {commits} commits");
        commits += 7;
    }
    assert!(commits > 50, "{commits}");
    let copied: SharedStore = store(&target);
    assert_eq!(look(&copied, &filled).await, seen);
}

#[tokio::test]
async fn what_went_from_the_source_since_the_last_attempt_is_not_in_the_copy() {
    let (source, filled, _) = filled().await;
    let target = Arc::<Between<Mortal>>::default();
    target.coming.live_for(40);
    copy_into(&*store(&source), &target).await.unwrap_err();
    let shared: SharedStore = store(&source);
    let pool = shared.configured_pools().await.unwrap().remove("default").unwrap();
    shared.delete_pool(&pool.id).await.unwrap();
    target.coming.live_for(u64::MAX);
    copy_into(&*store(&source), &target).await.unwrap();
    assert_eq!(look(&(store(&target) as SharedStore), &filled).await, look(&shared, &filled).await);
}

#[tokio::test]
async fn a_store_with_anything_in_it_stays_as_it_is() {
    let (source, filled, seen) = filled().await;
    let (other, empty) = (Arc::<MemoryEngine>::default(), Arc::<MemoryEngine>::default());
    store(&other).use_once("name", Timestamp::MAX, Timestamp::UNIX_EPOCH).await.unwrap();
    for target in [&source, &other] {
        let refused = copy_into(&*store(&empty), target).await.unwrap_err();
        assert!(matches!(refused, CopyError::Taken(_)), "{refused}");
        assert_eq!(store(target).unfinished_copy().await.unwrap(), None);
    }
    assert_eq!(look(&(store(&source) as SharedStore), &filled).await, seen);
}

#[tokio::test]
async fn the_half_of_another_copy_stays_as_it_is_and_of_two_at_once_one_goes_on() {
    let (source, ..) = filled().await;
    let target = Arc::<MemoryEngine>::default();
    let first = ItemFilling::of(store(&target));
    first.begin(FROM).await.unwrap();
    let refused = ItemFilling::of(store(&target)).begin("another store").await.unwrap_err();
    assert!(matches!(&refused, CopyError::OfAnother(from) if from == FROM), "{refused}");
    let second = ItemFilling::of(store(&target));
    second.begin(FROM).await.unwrap();
    let displaced = copy(&*store(&source), &first, &*at_copying(), &mut |_, _| {}).await.unwrap_err();
    assert!(matches!(displaced, CopyError::Displaced), "{displaced}");
    copy(&*store(&source), &second, &*at_copying(), &mut |_, _| {}).await.unwrap();
}

#[tokio::test]
async fn who_writes_meanwhile_is_noticed() {
    let (source, ..) = filled().await;
    let target = Arc::<MemoryEngine>::default();
    let (from, to) = (store(&source), ItemFilling::of(store(&target)));
    to.begin(FROM).await.unwrap();
    let clock = Writing { store: from.clone(), clock: at_copying() };
    let refused = copy(&*from, &to, &clock, &mut |_, _| {}).await.unwrap_err().to_string();
    assert!(refused.contains("revocations changed while"), "{refused}");
    assert_eq!(store(&target).unfinished_copy().await.unwrap().as_deref(), Some(FROM));
}

/// A clock; whoever looks at it has somebody's sessions end.
struct Writing {
    store: Arc<ItemStore>,
    clock: Arc<ManualClock>,
}

impl Clock for Writing {
    fn now(&self) -> Timestamp {
        use crate::store::{RevocationTarget, Revocations};
        self.clock.advance(SignedDuration::from_millis(1));
        let revoked = self.store.revoke_sessions(&RevocationTarget::Everybody, self.clock.clone());
        revoked.now_or_never().expect("nothing waits in memory").unwrap();
        self.clock.now()
    }
}

#[tokio::test]
async fn a_trail_that_was_changed_is_not_copied() {
    let (source, ..) = filled().await;
    let block = source.page(b"trail", None, 1).await.unwrap().remove(0);
    let content = String::from_utf8(block.content).unwrap().replacen("allowed", "refused", 1);
    let effect = Effect::Put { content: content.into_bytes(), forgotten_at: None };
    source.commit(Stamp(1), &[Change { key: block.key, guard: Guard::Any, effect }]).await.unwrap();
    let refused = copy_into(&*store(&source), &Arc::<MemoryEngine>::default()).await.unwrap_err();
    assert!(matches!(refused, CopyError::Trail(_)), "{refused}");
}

#[tokio::test]
async fn what_is_of_a_kind_that_nobody_knows_is_not_left_behind() {
    for (partition, content) in [(&b"invented:x"[..], &b"{}"[..]), (b"once:x", b"{\"until\":9999999999999}")]
    {
        let source = Arc::<MemoryEngine>::default();
        let key = Key { partition: partition.to_vec(), sort: Vec::new() };
        let effect = Effect::Put { content: content.to_vec(), forgotten_at: None };
        source.commit(Stamp(1), &[Change { key, guard: Guard::Any, effect }]).await.unwrap();
        let target = Arc::<MemoryEngine>::default();
        let refused = copy_into(&*store(&source), &target).await.unwrap_err();
        assert!(matches!(refused, CopyError::Store(_) | CopyError::Unnamed(_)), "{refused}");
        assert!(store(&target).unfinished_copy().await.unwrap().is_some());
    }
}

#[tokio::test]
async fn an_empty_store_is_copied_as_that() {
    let target = Arc::<MemoryEngine>::default();
    let contents = copy_into(&*store(&Arc::<MemoryEngine>::default()), &target).await.unwrap();
    assert_eq!(contents, Contents::default());
    assert_eq!(store(&target).unfinished_copy().await.unwrap(), None);
}
