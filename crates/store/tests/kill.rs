//! An identity that was acknowledged is still there after the process was killed without warning, and one that was deleted
//! is not, however much of it was left. A rotation of the master key that was killed leaves nothing that does not open.
//!
//! The test starts itself as a child, which creates identities and prints each one that the store has
//! acknowledged, and kills it in the middle of that.

mod child;

use std::path::Path;
use std::sync::Arc;

use daypass_core::audit::{AuditEvent, AuditTrail, Requester, Strangers};
use daypass_core::ground::clock::{ManualClock, Timestamp};
use daypass_core::ground::ids::{IdentityId, IdentityPoolId, RequestId, SignInSessionId};
use daypass_core::ground::master_keys::{MasterKey, MasterKeys};
use daypass_core::ground::random::SystemRandom;
use daypass_core::ground::seal::Sealed;
use daypass_core::iam::Origin;
use daypass_core::operator::master_keys::{Rotation, count};
use daypass_core::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
use daypass_core::records::linking::LinkRequest;
use daypass_core::records::scope::Scope;
use daypass_core::records::sign_in_session::{SignInSession, Upstream};
use daypass_core::store::{Identities, LinkOutcome, Page, Pools, SealedItem, Seals, SignInSessions};
use daypass_store::SqliteStore;

const TEST: &str = "acknowledged_identities_survive_a_kill";
const PURGE: &str = "a_purge_goes_on_after_a_kill";

/// A store that answers just before its commits loses something in three of five kills.
const KILLS: u32 = 6;

/// So many people are in the pool whose purge is killed, and so many rows are purged at most: half of all.
const PURGES: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_identities_survive_a_kill() {
    if let Some(path) = child::database() {
        return create_identities_until_killed(Path::new(&path)).await;
    }
    for _ in 0..KILLS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("daypass.db");
        let acknowledged = child::read_and_kill(child::start(TEST, &path), 500);
        assert!(acknowledged.len() >= 500, "the child ended after {} identities", acknowledged.len());
        assert_all_there(&path, &acknowledged).await;
    }
}

async fn assert_all_there(path: &Path, users: &[String]) {
    let store = SqliteStore::open(path).expect("a database that survived");
    for user in users {
        let login = Login::developer(user);
        let id = store
            .find_identity_by_login(&pool_id(), &login)
            .await
            .expect("an answer")
            .map(|it| it.identity.id);
        let id = id.unwrap_or_else(|| panic!("{user} was acknowledged and is lost"));
        assert!(store.lookup_identity(&id).await.expect("an answer").is_some());
    }
}

/// However far the purge of a deleted pool came, nobody sees what is left, and another process goes on with it.
#[tokio::test]
async fn a_purge_goes_on_after_a_kill() {
    if let Some(path) = child::database() {
        return purge_until_killed(Path::new(&path)).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daypass.db");
    let purged = child::read_and_kill(child::start(PURGE, &path), PURGES / 2);
    assert!(purged.len() < PURGES, "the child ended");
    let store = SqliteStore::open(&path).expect("a database that survived");
    for number in 0..PURGES {
        let login = Login::developer(number.to_string());
        assert_eq!(
            store
                .find_identity_by_login(&pool_id(), &login)
                .await
                .expect("an answer")
                .map(|it| it.identity.id),
            None
        );
        assert_eq!(store.lookup_identity(&purged_id(number)).await.expect("an answer"), None);
    }
    assert!(store.purge_deleted_pools(1).await.expect("an answer").more, "something was left");
    while store.purge_deleted_pools(100).await.expect("an answer").more {}
    let rows = "SELECT (SELECT count(*) FROM identity_pool) + (SELECT count(*) FROM identity)
         + (SELECT count(*) FROM login)";
    let connection = rusqlite::Connection::open(&path).expect("a database");
    let left: i64 = connection.query_one(rows, [], |row| row.get(0)).expect("a number");
    assert_eq!(left, 0);
}

/// Deletes a pool of people, and says each row that it purged.
async fn purge_until_killed(path: &Path) {
    let store = SqliteStore::open(path).expect("a new database");
    let pool = IdentityPool::new(pool_id(), PoolSettings::default(), PoolRoles::default());
    store.add_pool(&pool).await.expect("a new pool");
    for number in 0..PURGES {
        let outcome = store.link_logins(&login(&number.to_string(), purged_id(number))).await;
        assert!(matches!(outcome, Ok(LinkOutcome::Created(_))));
    }
    assert!(store.delete_pool(&pool_id()).await.expect("an answer"));
    for number in 0..PURGES {
        assert!(store.purge_deleted_pools(1).await.expect("an answer").more);
        child::acknowledge(number);
    }
}

fn purged_id(number: usize) -> IdentityId {
    IdentityId::parse(format!("us-east-1:{number:08}")).expect("an ID")
}

/// Wherever a rotation of the master key is killed, every value opens under the key before or the one after, and another one
/// goes on with it.
#[tokio::test]
async fn a_rotation_of_the_master_key_goes_on_after_a_kill() {
    if let Some(path) = child::database() {
        return rotate_until_killed(Path::new(&path)).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daypass.db");
    let store = SqliteStore::open(&path).expect("a new database");
    add_sessions(&store).await;
    drop(store);
    let mut under_the_new_key = 0;
    for _ in 0..KILLS {
        // Each of them looks at what the ones before have done, and does some more.
        let enough = usize::try_from(under_the_new_key).unwrap() / BITE + 2;
        let looked = child::read_and_kill(child::start(ROTATION, &path), enough);
        assert!(looked.len() < SESSIONS / BITE, "the child ended");
        let store = SqliteStore::open(&path).expect("a database that survived");
        let kept = count(&store).await.expect("an answer");
        assert_eq!(kept.values().sum::<u64>(), SESSIONS as u64);
        let done = kept.get(&Some(new_keys().current())).copied().unwrap_or_default();
        assert!(done > under_the_new_key, "it goes on where it was killed");
        under_the_new_key = done;
        assert!(all_open(&store, &new_keys()).await);
    }
    let store = Arc::new(SqliteStore::open(&path).expect("a database that survived"));
    let rotated = rotation(store.clone()).await.run(&nobody(), |_| ()).await.expect("an answer");
    assert_eq!((rotated.left, rotated.resealed), (0, SESSIONS as u64 - under_the_new_key));
    assert!(all_open(&store, &MasterKeys::from(MasterKey::new(AFTER))).await);
}

const ROTATION: &str = "a_rotation_of_the_master_key_goes_on_after_a_kill";
const SESSIONS: usize = 4_000;
/// As many are sealed anew at once.
const BITE: usize = 100;
const BEFORE: [u8; 32] = [1; 32];
const AFTER: [u8; 32] = [2; 32];

fn new_keys() -> MasterKeys {
    MasterKeys::new(MasterKey::new(AFTER), vec![MasterKey::new(BEFORE)])
}

/// Each bite that was looked at is a line, of which every process writes its own.
async fn rotate_until_killed(path: &Path) {
    let store = Arc::new(SqliteStore::open(path).expect("a database"));
    let mut bites = 0;
    let told = |_| {
        bites += 1;
        child::acknowledge(bites);
    };
    rotation(store).await.run(&nobody(), told).await.expect("an answer");
}

async fn rotation(store: Arc<SqliteStore>) -> Rotation {
    let clock = Arc::new(ManualClock::at_second(1_700_000_000));
    let trail = Arc::new(AuditTrail::new(store.clone(), store.clone(), Arc::new(Nobody), clock.clone()));
    let random = Arc::new(SystemRandom);
    Rotation::to(&new_keys(), store, trail, clock, random).await.expect("servers that seal under the new key")
}

struct Nobody;

impl Strangers for Nobody {
    fn refused(&self, _: &AuditEvent, _: bool) {}
}

fn nobody() -> Requester {
    let request_id = RequestId::generate(Timestamp::UNIX_EPOCH, &SystemRandom);
    Requester::anonymous(&request_id, Origin::default())
}

/// As many sessions as the rotation has to do with, their logins sealed under the key before.
async fn add_sessions(store: &SqliteStore) {
    let sealer = MasterKeys::from(MasterKey::new(BEFORE)).sealer(LOGINS);
    let pool = IdentityPool::new(pool_id(), PoolSettings::default(), PoolRoles::default());
    store.add_pool(&pool).await.expect("a new pool");
    let add = |number: usize| {
        let id = session_id(number);
        let login = sealer.seal(&context(&id), b"login", &SystemRandom);
        async move { store.add_sign_in_session(&session(id, login), Timestamp::UNIX_EPOCH).await }
    };
    // At once, so that a commit takes many.
    futures::future::try_join_all((0..SESSIONS).map(add)).await.expect("new sessions");
    store.announce_master_key(new_keys().current(), Timestamp::UNIX_EPOCH).await.expect("an answer");
}

fn session(id: SignInSessionId, login: Sealed) -> SignInSession {
    SignInSession {
        id,
        app: "web".into(),
        pool_id: pool_id(),
        identity_id: purged_id(1),
        provider: "snapchat".into(),
        upstream: Upstream::default(),
        login,
        scope: Scope::default(),
        signed_in_at: None,
        checked_at: Timestamp::UNIX_EPOCH,
        key_thumbprint: None,
        device: None,
        generation: 0,
        created_at: Timestamp::UNIX_EPOCH,
        rotated_at: Timestamp::UNIX_EPOCH,
        late_at: None,
        idle_until: Timestamp::MAX,
        ends_at: Timestamp::UNIX_EPOCH,
        ended: None,
    }
}

fn session_id(number: usize) -> SignInSessionId {
    let mut bytes = [0; SignInSessionId::LENGTH];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    SignInSessionId::of_bytes(bytes)
}

/// The purpose and the context of the seal of a session's login.
const LOGINS: &str = "verified login";

fn context(id: &SignInSessionId) -> Vec<u8> {
    format!("session {id}").into_bytes()
}

async fn all_open(store: &SqliteStore, master_keys: &MasterKeys) -> bool {
    let sealer = master_keys.sealer(LOGINS);
    let values = store.list_sealed(Page { after: None, limit: SESSIONS + 1 }).await.expect("an answer");
    values.iter().all(|value| match &value.item {
        SealedItem::SignInSession(id) => sealer.open(&context(id), &value.sealed).is_ok(),
        other => panic!("{other:?}"),
    })
}

/// Sixteen tasks, so that the kill meets commits that carry several identities.
async fn create_identities_until_killed(path: &Path) {
    let store = Arc::new(SqliteStore::open(path).expect("a new database"));
    let pool = IdentityPool::new(pool_id(), PoolSettings::default(), PoolRoles::default());
    store.add_pool(&pool).await.expect("a new pool");
    let mut tasks = Vec::new();
    for task in 0..16 {
        tasks.push(tokio::spawn(create_identities(Arc::clone(&store), task)));
    }
    for task in tasks {
        task.await.expect("a task that runs until the end");
    }
}

/// The bound ends a child whose parent is gone.
async fn create_identities(store: Arc<SqliteStore>, task: u32) {
    for number in 0..100_000 {
        let user = format!("user-{task}-{number}");
        let id = IdentityId::parse(format!("us-east-1:{task:04}-{number:08}")).expect("an ID");
        let outcome = store.link_logins(&login(&user, id)).await.expect("an answer");
        assert!(matches!(outcome, LinkOutcome::Created(_)));
        child::acknowledge(user);
    }
}

/// A first login.
fn login(user: &str, new_identity_id: IdentityId) -> LinkRequest {
    let logins = vec![Login::developer(user)];
    LinkRequest { pool_id: pool_id(), logins, identity_id: None, new_identity_id, now: Timestamp::UNIX_EPOCH }
}

fn pool_id() -> IdentityPoolId {
    IdentityPoolId::parse("us-east-1:01").expect("a pool ID")
}
