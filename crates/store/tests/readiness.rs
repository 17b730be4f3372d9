//! A store that cannot keep what it is told says so, to whoever brings something and to whoever asks if it is ready.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
use daypass_core::records::linking::LinkRequest;
use daypass_core::store::{Identities, LinkOutcome, Pools, Store, StoreError};
use daypass_store::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;

/// Set for a child that may write little: the database to write to.
const CHILD: &str = "DAYPASS_TEST_LIMITED_DATABASE";

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: TempDir::new().expect("a directory for a test") }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.file("daypass.db")
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.database()).expect("a database that opens")
    }

    fn connect(&self) -> Connection {
        Connection::open(self.database()).expect("a database")
    }

    /// With a pool, and somebody in it.
    async fn with_ada(&self) -> SqliteStore {
        let store = self.open();
        add_pool(&store).await;
        store.link_logins(&login("ada")).await.expect("a first login");
        store
    }
}

async fn add_pool(store: &SqliteStore) {
    let pool = IdentityPool::new(pool_id(), PoolSettings::default(), PoolRoles::default());
    store.add_pool(&pool).await.expect("a new pool");
}

fn pool_id() -> IdentityPoolId {
    IdentityPoolId::parse("us-east-1:01").expect("a pool ID")
}

/// A login of a user, whose identity is named after them if they are new.
fn login(user: &str) -> LinkRequest {
    let id: String = user
        .bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect();
    LinkRequest {
        pool_id: pool_id(),
        logins: vec![Login::developer(user)],
        identity_id: None,
        new_identity_id: IdentityId::parse(format!("us-east-1:{id}")).expect("an ID"),
        now: Timestamp::UNIX_EPOCH,
    }
}

/// An error with everything that it was caused by.
fn words(error: &StoreError) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

/// Nothing is granted, nothing is told as if it were so, and nothing passes for ready.
#[track_caller]
fn assert_says<T: std::fmt::Debug>(answer: Result<T, StoreError>, path: &Path, cure: &str) {
    let said = words(&answer.expect_err("no answer"));
    assert!(said.contains(&*path.to_string_lossy()) && said.contains(cure), "{said}");
}

async fn assert_stopped(store: &SqliteStore, path: &Path, cure: &str) {
    assert_says(store.link_logins(&login("eve")).await, path, cure);
    assert_says(store.ping().await, path, cure);
}

#[tokio::test]
async fn a_store_at_work_is_ready_and_so_is_one_at_rest() {
    let place = Place::new();
    let at_work = place.with_ada().await;
    at_work.ping().await.unwrap();
    drop(at_work);
    place.open().ping().await.unwrap();
}

#[tokio::test]
async fn readiness_is_a_commit_that_all_who_ask_share() {
    const PAGE_IN_THE_WAL: u64 = 24 + 4096;
    let place = Place::new();
    drop(place.with_ada().await);
    let store = place.open();
    let size = || fs::metadata(place.file("daypass.db-wal")).unwrap().len();
    assert_eq!(size(), 0);
    let mut asked = Vec::new();
    let store = std::sync::Arc::new(store);
    for _ in 0..200 {
        let store = store.clone();
        asked.push(tokio::spawn(async move { store.ping().await }));
    }
    for answer in asked {
        answer.await.unwrap().unwrap();
    }
    let pages = size() / PAGE_IN_THE_WAL;
    assert!((1..=2).contains(&pages), "{pages} pages were written");
}

#[tokio::test]
async fn a_file_that_was_deleted_takes_nothing_any_more() {
    let place = Place::new();
    let store = place.with_ada().await;
    store.ping().await.unwrap();
    fs::remove_file(place.database()).unwrap();
    assert_stopped(&store, &place.database(), "put back the very file").await;
    assert_says(store.link_logins(&login("ada")).await, &place.database(), "moved or deleted");
    assert_says(store.lookup_pool(&pool_id()).await, &place.database(), "moved or deleted");
}

#[tokio::test]
async fn a_file_that_was_replaced_takes_nothing_until_it_is_back() {
    let place = Place::new();
    let store = place.with_ada().await;
    store.ping().await.unwrap();
    let other = SqliteStore::open(&place.file("other.db")).unwrap();
    add_pool(&other).await;
    drop(other);
    fs::rename(place.database(), place.file("aside.db")).unwrap();
    fs::rename(place.file("other.db"), place.database()).unwrap();
    assert_stopped(&store, &place.database(), "start Daypass again").await;
    assert_says(store.lookup_pool(&pool_id()).await, &place.database(), "is another file");

    fs::rename(place.file("aside.db"), place.database()).unwrap();
    assert!(matches!(store.link_logins(&login("bob")).await, Ok(LinkOutcome::Created(_))));
    store.ping().await.unwrap();
}

#[tokio::test]
async fn without_the_file_of_the_newest_commits_nothing_is_kept() {
    for companion in ["daypass.db-wal", "daypass.db-shm"] {
        let place = Place::new();
        let store = place.with_ada().await;
        fs::remove_file(place.file(companion)).unwrap();
        assert_stopped(&store, &place.file(companion), "moved or deleted").await;
    }
}

#[tokio::test]
async fn a_locked_file_is_not_ready_and_nobody_waits_for_long() {
    let place = Place::new();
    drop(place.with_ada().await);
    let store = place.open();
    let other_program = place.connect();
    other_program.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_says(store.ping().await, &place.database(), "another program");
    assert_says(store.ping().await, &place.database(), "another program");

    other_program.execute_batch("COMMIT").unwrap();
    store.link_logins(&login("bob")).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_file_that_something_wrote_over_is_not_ready() {
    let place = Place::new();
    drop(place.with_ada().await);
    let store = place.open();
    let size = fs::metadata(place.database()).unwrap().len();
    let file = OpenOptions::new().write(true).open(place.database()).unwrap();
    file.write_all_at(&vec![0xA5; usize::try_from(size).unwrap() - 100], 100).unwrap();
    assert_says(store.ping().await, &place.database(), "put a backup in its place");
}

/// The limit on the size of files stands for a full disk, which is not at hand everywhere.
#[tokio::test]
async fn where_there_is_no_space_nothing_is_acknowledged_and_nothing_is_ready() {
    const TEST: &str = "where_there_is_no_space_nothing_is_acknowledged_and_nothing_is_ready";
    if let Some(database) = std::env::var_os(CHILD) {
        return fill(Path::new(&database)).await;
    }
    let place = Place::new();
    let limited = "trap '' XFSZ; ulimit -f 2000; exec \"$0\" --exact \"$1\"";
    let child = Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .arg(TEST)
        .env(CHILD, place.database())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}

async fn fill(database: &Path) {
    let store = SqliteStore::open(database).expect("a database that opens");
    add_pool(&store).await;
    let mut kept = 0;
    let refused = loop {
        match store.link_logins(&login(&format!("user {kept}"))).await {
            Ok(_) => kept += 1,
            refused => break refused,
        }
        assert!(kept < 100_000, "there is no limit");
    };
    assert!(kept > 0);
    assert_says(refused, database, "make space");
    assert_says(store.ping().await, database, "make space");
    let last = login(&format!("user {}", kept - 1));
    assert!(matches!(store.link_logins(&last).await, Ok(LinkOutcome::Known(_))));
}
