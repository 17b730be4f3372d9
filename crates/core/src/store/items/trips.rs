//! How many questions of an engine the commonest questions of a store take: each is a trip to the database. What an operation takes
//! in all, with its event, is measured (docs/scale.md).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::ItemStore;
use super::between::{Asked, Between, Coming, Never};
use super::engine::EngineError;
use super::memory::MemoryEngine;
use crate::ground::clock::{ManualClock, Timestamp};
use crate::ground::ids::{IdentityId, IdentityPoolId, RoleName, SignInSessionId};
use crate::ground::random::SeededRandom;
use crate::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
use crate::records::linking::{LinkRequest, MergeRequest, UnlinkRequest, Unlinked};
use crate::store::{Identities, Pools, Revocations};

#[derive(Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl Coming for Counting {
    async fn come(&self, _: &Arc<MemoryEngine>, _: Asked<'_>) -> Result<(), EngineError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

struct Counted {
    engine: Arc<Between<Counting>>,
    store: ItemStore,
}

impl Counted {
    /// With the pool, which is remembered.
    async fn with_pool() -> Self {
        let engine = Arc::new(Between::<Counting>::default());
        let (clock, random) = (Arc::new(ManualClock::at_second(1)), Arc::new(SeededRandom::new(1)));
        let store = ItemStore::new(engine.clone(), clock, random, Arc::new(Never));
        let pool = IdentityPool::new(pool_id(), PoolSettings::default(), PoolRoles::default());
        store.add_pool(&pool).await.unwrap();
        store.lookup_pool(&pool.id).await.unwrap();
        Self { engine, store }
    }

    async fn trips<T, E: std::fmt::Debug>(&self, question: impl Future<Output = Result<T, E>>) -> usize {
        let before = self.engine.coming.0.load(Ordering::Relaxed);
        question.await.unwrap();
        self.engine.coming.0.load(Ordering::Relaxed) - before
    }
}

fn pool_id() -> IdentityPoolId {
    IdentityPoolId::parse("us-east-1:aa").unwrap()
}

fn id(number: usize) -> IdentityId {
    IdentityId::parse(format!("us-east-1:{number:02}")).unwrap()
}

fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn login(user: &str, number: usize) -> LinkRequest {
    LinkRequest {
        pool_id: pool_id(),
        logins: vec![Login::developer(user)],
        identity_id: None,
        new_identity_id: id(number),
        now: instant(1),
    }
}

#[tokio::test]
async fn logins_and_credentials_take_few_trips() {
    let counted = Counted::with_pool().await;
    let store = &counted.store;
    assert_eq!(counted.trips(store.link_logins(&login("ada", 1))).await, 2, "a new login");
    assert_eq!(counted.trips(store.link_logins(&login("ada", 2))).await, 2, "a known login");
    assert_eq!(counted.trips(store.add_guest(&pool_id(), &id(3), instant(1))).await, 1, "a guest");
    let role = RoleName::parse("reader").unwrap();
    assert_eq!(counted.trips(store.standing(&id(1), Some(&role), None)).await, 1, "a standing");
    let session = SignInSessionId::of_bytes([7; 16]);
    let ada_id = id(1);
    let standing = store.standing(&ada_id, Some(&role), Some(&session));
    assert_eq!(counted.trips(standing).await, 1, "a standing in a session");
    let ada = Login::developer("ada");
    assert_eq!(counted.trips(store.find_identity_by_login(&pool_id(), &ada)).await, 2, "by a login");
    assert_eq!(counted.trips(store.lookup_identity_with_logins(&id(1))).await, 1, "by an ID");
}

#[tokio::test]
async fn changes_take_few_trips() {
    let counted = Counted::with_pool().await;
    let store = &counted.store;
    for (number, user) in ["ada", "bob"].into_iter().enumerate() {
        store.link_logins(&login(user, number)).await.unwrap();
    }
    let merge =
        MergeRequest { pool_id: pool_id(), source: "ada".into(), destination: "bob".into(), now: instant(2) };
    assert_eq!(counted.trips(store.merge_developer_users(&merge)).await, 3, "a merge");
    let logins = Unlinked::DeveloperUser { pool_id: pool_id(), user: "ada".into() };
    let unlink = UnlinkRequest { identity_id: id(1), logins, now: instant(3) };
    assert_eq!(counted.trips(store.unlink(&unlink)).await, 3, "unlinking");
    store.link_logins(&login("cyd", 4)).await.unwrap();
    assert_eq!(counted.trips(store.delete_identities(&[id(4)])).await, 6, "a deletion");
}
