//! Commits whose answers are lost: what comes of the question, and of a commit that is made late.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;

use super::between::{Asked, Between, Coming};
use super::engine::{Change, Committed, Engine, EngineError, Item, Key, Stamp};
use super::memory::MemoryEngine;
use super::{ItemStore, Pace, keys};
use crate::ground::clock::{ManualClock, SignedDuration, Timestamp};
use crate::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId, UserName};
use crate::ground::random::SeededRandom;
use crate::ground::seal::Sealed;
use crate::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
use crate::records::linking::LinkRequest;
use crate::store::transfer::PoolImport;
use crate::store::{
    AccessKeyOutcome, Cleared, Identities, Keys, LinkOutcome, Once, Pools, Store, StoreError,
    StoredAccessKey, StoredLoginGrant,
};

/// What becomes of a commit.
#[derive(Clone, Copy)]
enum Fate {
    Made,
    /// Nobody hears of it, and it is made when [`Fated::arrive`] is called.
    Late,
    /// The engine does not answer.
    Down,
}

#[derive(Default)]
struct Fated {
    engine: MemoryEngine,
    /// Of the next commits. Those after them are made.
    fates: Mutex<VecDeque<Fate>>,
    late: Mutex<Vec<(Stamp, Vec<Change>)>>,
    /// How many bites of what is forgotten are left.
    bites: AtomicUsize,
}

impl Fated {
    fn next(&self, fates: &[Fate]) {
        self.fates.lock().unwrap().extend(fates);
    }

    async fn arrive(&self) {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        assert!(!late.is_empty());
        for (stamp, changes) in late {
            self.engine.commit(stamp, &changes).await.unwrap();
        }
    }
}

#[async_trait]
impl Engine for Fated {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, EngineError> {
        self.engine.read(keys).await
    }

    async fn page(
        &self,
        partition: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Item>, EngineError> {
        self.engine.page(partition, after, limit).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, EngineError> {
        self.engine.scan(after, limit).await
    }

    async fn commit(&self, stamp: Stamp, changes: &[Change]) -> Result<Committed, EngineError> {
        let fate = self.fates.lock().unwrap().pop_front();
        match fate.unwrap_or(Fate::Made) {
            Fate::Made => self.engine.commit(stamp, changes).await,
            Fate::Down => Err(EngineError::Unavailable("a test has it so".into())),
            Fate::Late => {
                self.late.lock().unwrap().push((stamp, changes.to_vec()));
                Err(EngineError::Lost("a test has it so".into()))
            }
        }
    }

    async fn forget(&self, now: Timestamp) -> Result<Cleared, EngineError> {
        let cleared = self.engine.forget(now).await?;
        let left = self.bites.load(Ordering::Relaxed).saturating_sub(1);
        self.bites.store(left, Ordering::Relaxed);
        Ok(Cleared { more: left > 0, ..cleared })
    }

    fn shards(&self) -> u8 {
        self.engine.shards()
    }
}

/// Others come in between.
struct Yielding;

#[async_trait]
impl Pace for Yielding {
    async fn pause(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

fn store() -> (Arc<Fated>, ItemStore) {
    let engine = Arc::new(Fated::default());
    (engine.clone(), store_over(engine, 1))
}

fn store_over(engine: Arc<dyn Engine>, seed: u64) -> ItemStore {
    let (clock, random) = (Arc::new(ManualClock::at_second(0)), Arc::new(SeededRandom::new(seed)));
    ItemStore::new(engine, clock, random, Arc::new(Yielding))
}

fn identity(name: &str) -> IdentityId {
    IdentityId::parse(format!("us-east-1:{name}")).unwrap()
}

fn access_key() -> StoredAccessKey {
    StoredAccessKey {
        id: AccessKeyId::generate_developer(&SeededRandom::new(7)),
        name: UserName::parse("up").unwrap(),
        policy: String::new(),
        sealed_secret: Sealed(Vec::new()),
        created_at: Timestamp::UNIX_EPOCH,
        enabled: true,
    }
}

fn pool() -> IdentityPool {
    let id = IdentityPoolId::parse("us-east-1:aa").unwrap();
    IdentityPool::new(id, PoolSettings::default(), PoolRoles::default())
}

#[tokio::test]
async fn a_key_that_is_disabled_by_a_late_commit_is_remembered_no_more() {
    let (engine, store) = store();
    let key = access_key();
    store.add_first_access_key(&key).await.unwrap();
    engine.next(&[Fate::Late]);
    {
        let mut disabling = pin!(store.set_access_key_enabled(&key.id, false));
        let mut context = Context::from_waker(Waker::noop());
        assert!(disabling.as_mut().poll(&mut context).is_pending());
        assert!(store.lookup_access_key(&key.id).await.unwrap().unwrap().enabled);
        engine.arrive().await;
        assert!(matches!(disabling.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
    }
    assert!(!store.lookup_access_key(&key.id).await.unwrap().unwrap().enabled);
}

#[tokio::test]
async fn a_code_that_is_kept_late_is_not_redeemed_twice() {
    let (engine, store) = store();
    let (code_hash, sealed) = ("code".to_owned(), Sealed(Vec::new()));
    let grant = StoredLoginGrant { code_hash, sealed, expires_at: Timestamp::MAX };
    engine.next(&[Fate::Late]);
    store.add_login_grant(&grant, Timestamp::UNIX_EPOCH).await.unwrap();
    let redeem = async || store.redeem_login_grant("code", Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(redeem().await.is_some());
    engine.arrive().await;
    assert_eq!(redeem().await, None);
}

#[tokio::test]
async fn a_key_that_is_kept_late_stays_deleted() {
    let (engine, store) = store();
    let key = access_key();
    engine.next(&[Fate::Late]);
    store.find_or_add_access_key(&key).await.unwrap();
    store.set_access_key_enabled(&key.id, false).await.unwrap();
    store.delete_access_key(&key.id).await.unwrap();
    engine.arrive().await;
    assert_eq!(store.list_access_keys().await.unwrap(), []);
}

/// Whoever disabled it hears of that, though it is gone by now.
#[tokio::test]
async fn a_key_that_is_disabled_and_then_deleted_by_somebody_was_known() {
    let (engine, store) = store();
    let key = access_key();
    store.add_first_access_key(&key).await.unwrap();
    engine.next(&[Fate::Late]);
    let mut disabling = pin!(store.set_access_key_enabled(&key.id, false));
    let mut context = Context::from_waker(Waker::noop());
    assert!(disabling.as_mut().poll(&mut context).is_pending());
    engine.arrive().await;
    store.delete_access_key(&key.id).await.unwrap();
    let disabled = AccessKeyOutcome::Done(StoredAccessKey { enabled: false, ..key.clone() });
    assert!(matches!(disabling.as_mut().poll(&mut context), Poll::Ready(Ok(told)) if told == disabled));
}

#[tokio::test]
async fn a_pool_that_is_kept_late_stays_deleted() {
    let (engine, store) = store();
    let pool = pool();
    engine.next(&[Fate::Late]);
    store.add_pool(&pool).await.unwrap();
    assert!(store.delete_pool(&pool.id).await.unwrap());
    engine.arrive().await;
    assert_eq!(store.lookup_pool(&pool.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_late_beginning_of_an_import_gives_nobody_a_turn() {
    let (engine, store) = store();
    engine.next(&[Fate::Late]);
    let import = || PoolImport::new(pool(), None, Box::new(std::iter::empty()));
    assert!(store.import_pool(import()).await.unwrap().changed);
    engine.arrive().await;
    assert!(store.delete_pool(&pool().id).await.unwrap());
}

/// Whoever was told that it failed asks again.
#[tokio::test]
async fn a_deletion_that_broke_off_is_finished_by_the_next() {
    let (engine, store) = store();
    let pool = pool();
    store.add_pool(&pool).await.unwrap();
    let id = IdentityId::parse("us-east-1:01").unwrap();
    let login = Login::developer("ada");
    let request = LinkRequest {
        pool_id: pool.id.clone(),
        logins: vec![login.clone()],
        identity_id: None,
        new_identity_id: id.clone(),
        now: Timestamp::UNIX_EPOCH,
    };
    store.link_logins(&request).await.unwrap();
    engine.next(&[Fate::Made, Fate::Down]);
    let broken_off: Result<(), StoreError> = store.delete_identity(&id).await;
    assert!(broken_off.is_err());
    store.delete_identity(&id).await.unwrap();
    let incarnation = store.recall_pool(&pool.id).await.unwrap().unwrap().incarnation;
    let left = [
        keys::identity(&id),
        keys::login(incarnation, &login),
        keys::listed(incarnation, engine.shards(), &id),
    ];
    let left = engine.read(&left).await.unwrap();
    assert_eq!(left[1..], [None, None]);
    // Its place stays taken for a while, and says nothing of whose it was.
    let place = left[0].as_ref().unwrap();
    assert!(place.forgotten_at.is_some() && !String::from_utf8_lossy(&place.content).contains("ada"));
}

#[tokio::test]
async fn whatever_is_over_goes_as_fast_as_it_comes() {
    let (engine, store) = store();
    let bites = |bites| engine.bites.store(bites, Ordering::Relaxed);
    bites(50);
    store.keep_up().await.unwrap();
    assert_eq!(engine.bites.load(Ordering::Relaxed), 0);
    bites(3);
    let clock = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(60);
    for name in ["a", "b", "c"] {
        store.use_once(name, Timestamp::MAX, clock).await.unwrap();
    }
    assert_eq!(engine.bites.load(Ordering::Relaxed), 3, "it was looked at just now");
}

/// A name that was used stays so, whatever a clock showed for a moment.
#[tokio::test]
async fn a_clock_that_was_ahead_for_a_moment_makes_nothing_count_again() {
    let (_, store) = store();
    let at = |second| Timestamp::from_second(second).unwrap();
    assert!(store.use_once("name", at(1_000), at(1)).await.unwrap());
    store.use_once("other", at(9_999), at(5_000)).await.unwrap();
    assert!(!store.use_once("name", at(1_000), at(2)).await.unwrap());
}

/// The first commit is made, somebody deletes whom it made, and its answer is lost.
#[derive(Default)]
struct DeletedAtOnce(AtomicBool);

#[async_trait]
impl Coming for DeletedAtOnce {
    async fn come(&self, engine: &Arc<MemoryEngine>, asked: Asked<'_>) -> Result<(), EngineError> {
        let Asked::Commit(stamp, changes) = asked else { return Ok(()) };
        if self.0.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        engine.commit(stamp, changes).await?;
        store_over(engine.clone(), 2).delete_identities(&[identity("01")]).await.unwrap();
        Err(EngineError::Lost("the network".into()))
    }
}

#[tokio::test]
async fn somebody_who_was_deleted_is_not_made_again_by_whoever_asks_once_more() {
    let engine = Arc::new(Between::<DeletedAtOnce>::default());
    let pool = pool();
    store_over(engine.engine.clone(), 1).add_pool(&pool).await.unwrap();
    let store = store_over(engine.clone(), 3);
    let request = LinkRequest {
        pool_id: pool.id.clone(),
        logins: vec![Login::developer("ada")],
        identity_id: None,
        new_identity_id: identity("01"),
        now: Timestamp::UNIX_EPOCH,
    };
    let LinkOutcome::Created(made) = store.link_logins(&request).await.unwrap() else {
        panic!("she was made")
    };
    assert_eq!(made.id, identity("01"));
    assert_eq!(store.lookup_identity(&identity("01")).await.unwrap(), None);
    let again = LinkRequest { new_identity_id: identity("02"), ..request };
    assert!(matches!(store.link_logins(&again).await.unwrap(), LinkOutcome::Created(_)));
}

/// The first commit is made late, when whoever asks once more looks at the place, and somebody deletes whom it made before they look
/// at what became of it.
#[derive(Default)]
struct MadeLateAndDeleted(Mutex<Made>);

#[derive(Default)]
enum Made {
    #[default]
    NotYet,
    Late(Stamp, Vec<Change>),
    Now,
    AndDeleted,
}

#[async_trait]
impl Coming for MadeLateAndDeleted {
    async fn come(&self, engine: &Arc<MemoryEngine>, asked: Asked<'_>) -> Result<(), EngineError> {
        let made = std::mem::take(&mut *self.0.lock().unwrap());
        let (next, answer) = match (made, asked) {
            (Made::NotYet, Asked::Commit(stamp, changes)) => {
                (Made::Late(stamp, changes.to_vec()), Err(EngineError::Lost("the network".into())))
            }
            (Made::Late(stamp, changes), Asked::Read([key])) if *key == keys::identity(&identity("01")) => {
                engine.commit(stamp, &changes).await?;
                (Made::Now, Ok(()))
            }
            (Made::Now, _) => {
                store_over(engine.clone(), 2).delete_identities(&[identity("01")]).await.unwrap();
                (Made::AndDeleted, Ok(()))
            }
            (made, _) => (made, Ok(())),
        };
        *self.0.lock().unwrap() = next;
        answer
    }
}

#[tokio::test]
async fn somebody_whom_a_late_commit_made_is_not_in_their_own_way() {
    let engine = Arc::new(Between::<MadeLateAndDeleted>::default());
    let pool = pool();
    store_over(engine.engine.clone(), 1).add_pool(&pool).await.unwrap();
    let store = store_over(engine.clone(), 3);
    assert!(store.add_guest(&pool.id, &identity("01"), Timestamp::UNIX_EPOCH).await.unwrap());
    assert!(matches!(*engine.coming.0.lock().unwrap(), Made::AndDeleted));
    assert_eq!(store.lookup_identity(&identity("01")).await.unwrap(), None);
}

#[tokio::test]
async fn somebody_who_was_deleted_is_not_made_again_by_a_late_commit() {
    let (engine, store) = store();
    let pool = pool();
    store.add_pool(&pool).await.unwrap();
    let [ada, guest, again] = ["01", "02", "03"].map(identity);
    let request = LinkRequest {
        pool_id: pool.id.clone(),
        logins: vec![Login::developer("ada")],
        identity_id: None,
        new_identity_id: ada.clone(),
        now: Timestamp::UNIX_EPOCH,
    };
    engine.next(&[Fate::Late]);
    store.link_logins(&request).await.unwrap();
    engine.next(&[Fate::Late]);
    assert!(store.add_guest(&pool.id, &guest, Timestamp::UNIX_EPOCH).await.unwrap());
    store.delete_identities(&[ada.clone(), guest.clone()]).await.unwrap();
    engine.arrive().await;
    for id in [&ada, &guest] {
        assert_eq!(store.lookup_identity(id).await.unwrap(), None);
    }
    assert_eq!(store.find_identity_by_login(&pool.id, &request.logins[0]).await.unwrap(), None);
    let request = LinkRequest { new_identity_id: again.clone(), ..request };
    let LinkOutcome::Created(ada) = store.link_logins(&request).await.unwrap() else {
        panic!("she was deleted")
    };
    assert_eq!(ada.id, again);
}
