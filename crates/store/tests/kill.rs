//! An identity that was acknowledged is still there after the process was killed without warning, and one that was deleted
//! is not, however much of it was left.
//!
//! The test starts itself as a child, which creates identities and prints each one that the store has
//! acknowledged, and kills it in the middle of that.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
use daypass_core::records::linking::LinkRequest;
use daypass_core::store::{Identities, LinkOutcome, Pools};
use daypass_store::SqliteStore;

/// Set for the child: the database to write to.
const CHILD: &str = "DAYPASS_TEST_KILLED_DATABASE";
const TEST: &str = "acknowledged_identities_survive_a_kill";
const PURGE: &str = "a_purge_goes_on_after_a_kill";
const PREFIX: &str = "acknowledged ";

/// A store that answers just before its commits loses something in three of five kills.
const KILLS: u32 = 6;

/// So many people are in the pool whose purge is killed, and so many rows are purged at most: half of all.
const PURGES: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_identities_survive_a_kill() {
    if let Some(path) = std::env::var_os(CHILD) {
        return create_identities_until_killed(Path::new(&path)).await;
    }
    for _ in 0..KILLS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("daypass.db");
        let acknowledged = read_acknowledged_and_kill(start_child(&path, TEST), 500);
        assert!(acknowledged.len() >= 500, "the child ended after {} identities", acknowledged.len());
        assert_all_there(&path, &acknowledged).await;
    }
}

async fn assert_all_there(path: &Path, users: &HashSet<String>) {
    let store = SqliteStore::open(path).expect("a database that survived");
    for user in users {
        let login = Login::developer(user);
        let id = store.find_identity_by_login(&pool_id(), &login).await.expect("an answer");
        let id = id.unwrap_or_else(|| panic!("{user} was acknowledged and is lost"));
        assert!(store.lookup_identity(&id).await.expect("an answer").is_some());
    }
}

/// However far the purge of a deleted pool came, nobody sees what is left, and another process goes on with it.
#[tokio::test]
async fn a_purge_goes_on_after_a_kill() {
    if let Some(path) = std::env::var_os(CHILD) {
        return purge_until_killed(Path::new(&path)).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daypass.db");
    let purged = read_acknowledged_and_kill(start_child(&path, PURGE), PURGES / 2);
    assert!(purged.len() < PURGES, "the child ended");
    let store = SqliteStore::open(&path).expect("a database that survived");
    for number in 0..PURGES {
        let login = Login::developer(number.to_string());
        assert_eq!(store.find_identity_by_login(&pool_id(), &login).await.expect("an answer"), None);
        assert_eq!(store.lookup_identity(&purged_id(number)).await.expect("an answer"), None);
    }
    assert!(store.purge_deleted_pools(1).await.expect("an answer"), "something was left");
    while store.purge_deleted_pools(100).await.expect("an answer") {}
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
        assert!(store.purge_deleted_pools(1).await.expect("an answer"));
        writeln!(std::io::stdout(), "{PREFIX}{number}").expect("a parent that listens");
    }
}

fn purged_id(number: usize) -> IdentityId {
    IdentityId::parse(format!("us-east-1:{number:08}")).expect("an ID")
}

fn start_child(path: &Path, test: &str) -> Child {
    Command::new(std::env::current_exe().expect("a test knows its own program"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child")
}

/// What the child printed, whole lines only: it is killed after so many, and may print on until it dies.
fn read_acknowledged_and_kill(mut child: Child, enough: usize) -> HashSet<String> {
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut acknowledged = HashSet::new();
    let mut line = String::new();
    while output.read_line(&mut line).expect("text") > 0 {
        if let Some(user) = line.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix('\n')) {
            acknowledged.insert(user.to_owned());
        }
        if acknowledged.len() == enough {
            child.kill().expect("a child that runs");
        }
        line.clear();
    }
    child.wait().expect("a child that ended");
    acknowledged
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
        writeln!(std::io::stdout(), "{PREFIX}{user}").expect("a parent that listens");
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
