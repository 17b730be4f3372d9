//! What is SQLite's own: the file, its version, its permissions, and other processes that use it too.

mod versions;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};

use daypass_core::ground::clock::{Clock, ManualClock, SignedDuration, Timestamp};
use daypass_core::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId, UserName};
use daypass_core::ground::seal::Sealed;
use daypass_core::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
use daypass_core::records::linking::{LinkRefusal, LinkRequest};
use daypass_core::store::{
    Identities, Keys, LinkOutcome, Page, Pools, RevocationTarget, Revocations, Store, StoreError,
    StoredAccessKey,
};
use daypass_store::{SqliteOpenError, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

struct Database {
    path: PathBuf,
    _directory: TempDir,
}

impl Database {
    fn new() -> Self {
        let directory = TempDir::new().expect("a directory for a test");
        Self { path: directory.path().join("daypass.db"), _directory: directory }
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path).expect("a database that opens")
    }

    fn refusal(&self) -> SqliteOpenError {
        SqliteStore::open(&self.path).err().expect("a database that is refused")
    }

    /// Does by hand what no operation of the store does.
    fn tamper(&self, sql: &str) {
        let connection = Connection::open(&self.path).expect("a database");
        connection.execute_batch(sql).expect("valid SQL");
    }

    /// How many rows there are of pools, identities and logins, be they seen or not.
    fn counts(&self) -> (i64, i64, i64) {
        const COUNTS: &str = "SELECT (SELECT count(*) FROM identity_pool), (SELECT count(*) FROM identity),
            (SELECT count(*) FROM login)";
        let connection = Connection::open(&self.path).expect("a database");
        let counts = connection.query_one(COUNTS, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        counts.expect("three numbers")
    }

    /// The database file or one of its companions.
    fn file(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}{suffix}", self.path.display()))
    }
}

fn pool() -> IdentityPool {
    let id = IdentityPoolId::parse("us-east-1:01").expect("a pool ID");
    IdentityPool::new(id, PoolSettings::default(), PoolRoles::default())
}

fn identity_id(number: u32) -> IdentityId {
    IdentityId::parse(format!("us-east-1:{number:02}")).expect("an identity ID")
}

/// A login of `user`, who becomes identity `number` if new.
fn login(user: &str, number: u32) -> LinkRequest {
    LinkRequest {
        pool_id: pool().id,
        logins: vec![Login::developer(user)],
        identity_id: None,
        new_identity_id: identity_id(number),
        now: Timestamp::UNIX_EPOCH,
    }
}

/// A store with a pool, and the user `ada` in it as identity 1.
async fn with_ada(database: &Database) -> SqliteStore {
    let store = database.open();
    store.add_pool(&pool()).await.expect("a new pool");
    store.link_logins(&login("ada", 1)).await.expect("a new login");
    store
}

async fn logins_of(store: &SqliteStore, number: u32) -> Vec<Login> {
    let found = store.lookup_identity_with_logins(&identity_id(number)).await.expect("an answer");
    found.expect("an identity").logins
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let database = Database::new();
    drop(with_ada(&database).await);

    let store = database.open();
    assert_eq!(store.lookup_pool(&pool().id).await.unwrap(), Some(pool()));
    let outcome = store.link_logins(&login("ada", 2)).await.unwrap();
    assert!(matches!(outcome, LinkOutcome::Known(ada) if ada.id == identity_id(1)));
}

#[tokio::test]
async fn a_second_process_sees_what_was_acknowledged_and_may_write_too() {
    let database = Database::new();
    let first = with_ada(&database).await;
    let second = database.open();
    let ada = second
        .find_identity_by_login(&pool().id, &Login::developer("ada"))
        .await
        .unwrap()
        .map(|it| it.identity.id);
    assert_eq!(ada, Some(identity_id(1)));

    second.link_logins(&login("bob", 2)).await.unwrap();
    let bob = first
        .find_identity_by_login(&pool().id, &Login::developer("bob"))
        .await
        .unwrap()
        .map(|it| it.identity.id);
    assert_eq!(bob, Some(identity_id(2)));
}

#[tokio::test]
async fn processes_that_start_together_make_one_database() {
    let database = Database::new();
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                database.open()
            });
        }
    });
    with_ada(&database).await.ping().await.unwrap();
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let database = Database::new();
    let _store = with_ada(&database).await;
    for suffix in ["", "-wal", "-shm"] {
        let file = database.file(suffix);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_store_that_is_dropped_leaves_one_complete_file() {
    let database = Database::new();
    let store = with_ada(&database).await;
    store.lookup_identity(&identity_id(1)).await.unwrap();
    drop(store);
    assert!(!database.file("-wal").exists());
    assert!(!database.file("-shm").exists());
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_corrupt() {
    let database = Database::new();
    let store = with_ada(&database).await;
    for tampering in [
        "UPDATE identity_pool SET settings = '{'",
        "UPDATE identity_pool SET settings = '{}', roles = '7'",
        "UPDATE identity_pool SET roles = '{}', tag_maps = '7'",
        "UPDATE identity_pool SET tag_maps = '{}', version = -1",
        "PRAGMA foreign_keys = off; UPDATE identity_pool SET id = 'nonsense'",
    ] {
        database.tamper(tampering);
        let error = store.list_pools(Page { after: None, limit: 1 }).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{tampering}: {error:?}");
    }
}

/// Whoever logs in meanwhile does not wait until thousands of rows are deleted.
#[tokio::test]
async fn a_deleted_pool_takes_its_rows_along_a_few_at_a_time() {
    let database = Database::new();
    let store = database.open();
    store.add_pool(&pool()).await.unwrap();
    for number in 10..60 {
        store.link_logins(&login(&number.to_string(), number)).await.unwrap();
    }
    assert!(store.delete_pool(&pool().id).await.unwrap());
    assert_eq!(database.counts(), (1, 50, 50));
    for expected in [(1, 50, 20), (1, 40, 0), (1, 10, 0), (0, 0, 0)] {
        assert!(store.purge_deleted_pools(30).await.unwrap().more);
        assert_eq!(database.counts(), expected);
    }
    assert!(!store.purge_deleted_pools(30).await.unwrap().more);
}

#[tokio::test]
async fn a_corrupt_identity_lets_nobody_in() {
    let database = Database::new();
    let store = with_ada(&database).await;
    database.tamper("UPDATE identity SET created_at = 9e18");
    let error = store.link_logins(&login("ada", 2)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
}

#[tokio::test]
async fn a_disabled_identity_is_refused_and_can_be_hidden() {
    let database = Database::new();
    let store = with_ada(&database).await;
    database.tamper("UPDATE identity SET disabled = 1");

    let named = LinkRequest { identity_id: Some(identity_id(1)), ..login("eve", 2) };
    for login in [login("ada", 2), named] {
        let outcome = store.link_logins(&login).await.unwrap();
        assert_eq!(outcome, LinkOutcome::Refused(LinkRefusal::Disabled(identity_id(1))));
    }
    let page = Page { after: None, limit: 60 };
    assert_eq!(store.list_identities(&pool().id, false, page.clone()).await.unwrap().len(), 1);
    assert_eq!(store.list_identities(&pool().id, true, page).await.unwrap(), []);
}

/// As root's `daypass migrate` makes one for a server of another user. Whoever is not root cannot give files away.
#[test]
fn a_new_database_belongs_to_whoever_has_its_folder() {
    const SERVER: u32 = 4_321;
    let database = Database::new();
    let folder = database.path.parent().unwrap();
    if chown(folder, Some(SERVER), Some(SERVER)).is_err() {
        return;
    }
    let _store = database.open();
    for entry in fs::read_dir(folder).unwrap() {
        let (path, found) = entry.map(|entry| (entry.path(), entry.metadata().unwrap())).unwrap();
        assert_eq!((found.uid(), found.gid()), (SERVER, SERVER), "{}", path.display());
    }
}

#[test]
fn a_database_of_another_application_is_refused_and_left_alone() {
    for sql in ["CREATE TABLE theirs (x)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"] {
        let database = Database::new();
        database.tamper(sql);
        let before = fs::read(&database.path).unwrap();
        assert!(matches!(database.refusal(), SqliteOpenError::NotOurs { .. }), "{sql}");
        assert_eq!(fs::read(&database.path).unwrap(), before, "{sql}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let database = Database::new();
    let text = "a shopping list ".repeat(100);
    fs::write(&database.path, &text).unwrap();
    assert!(matches!(database.refusal(), SqliteOpenError::NotOurs { .. }));
    assert_eq!(fs::read_to_string(&database.path).unwrap(), text);
}

#[test]
fn a_missing_directory_is_named_together_with_the_cure() {
    let path = Path::new("/nonexistent/daypass.db");
    let refusal = SqliteStore::open(path).err().expect("a refusal").to_string();
    assert!(refusal.contains("/nonexistent/daypass.db"), "{refusal}");
    assert!(refusal.contains("directory must exist"), "{refusal}");
}

#[tokio::test]
async fn the_instant_of_a_revocation_is_drawn_when_the_store_is_its_own() {
    let database = Database::new();
    let store = with_ada(&database).await;
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    let other_process = Connection::open(&database.path).unwrap();
    other_process.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ada = RevocationTarget::Identity(identity_id(1));
    // Polled first, the revocation waits for the other process while the clock moves.
    let (until, ()) = tokio::join!(store.revoke_sessions(&ada, clock.clone()), async {
        clock.advance(SignedDuration::from_secs(1));
        other_process.execute_batch("COMMIT").unwrap();
    });
    assert_eq!(until.unwrap(), clock.now());
}

/// What one process remembers of keys and pools, another may have changed a moment ago.
#[tokio::test]
async fn what_is_remembered_is_what_others_committed() {
    let database = Database::new();
    let (server, command) = (database.open(), database.open());
    let key = StoredAccessKey {
        id: AccessKeyId::parse("AKIAHDLRFNWOPJBKY6Z3").unwrap(),
        name: UserName::parse("ci").unwrap(),
        policy: "{}".into(),
        sealed_secret: Sealed(b"sealed".into()),
        created_at: Timestamp::UNIX_EPOCH,
        enabled: true,
    };
    command.add_first_access_key(&key).await.unwrap();
    server.add_pool(&pool()).await.unwrap();
    for enabled in [false, true, false] {
        command.set_access_key_enabled(&key.id, enabled).await.unwrap();
        for _ in 0..2 {
            assert_eq!(server.lookup_access_key(&key.id).await.unwrap().unwrap().enabled, enabled);
        }
        let settings = PoolSettings { name: enabled.to_string(), ..PoolSettings::default() };
        let pool = command.lookup_pool(&pool().id).await.unwrap().unwrap();
        let renamed = IdentityPool { settings, ..pool };
        server.replace_pool(&renamed).await.unwrap();
        for store in [&server, &command] {
            let found = store.lookup_pool(&renamed.id).await.unwrap().unwrap();
            assert_eq!(found.settings.name, enabled.to_string());
        }
    }
    command.set_access_key_enabled(&key.id, false).await.unwrap();
    command.delete_access_key(&key.id).await.unwrap();
    assert_eq!(server.lookup_access_key(&key.id).await.unwrap(), None);
    command.delete_pool(&pool().id).await.unwrap();
    assert_eq!(server.lookup_pool(&pool().id).await.unwrap(), None);
}

/// A full disk, as far as a key is concerned.
#[tokio::test]
async fn a_store_that_takes_no_signing_key_says_so_before_one_is_made() {
    let database = Database::new();
    let store = database.open();
    store.rehearse_signing_key().await.unwrap();
    database.tamper(
        "CREATE TRIGGER full BEFORE INSERT ON signing_key BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END;",
    );
    assert!(matches!(store.rehearse_signing_key().await, Err(StoreError::Unavailable(_))));
    database.tamper("DROP TRIGGER full");
    store.rehearse_signing_key().await.unwrap();
    assert_eq!(store.list_signing_keys().await.unwrap(), []);
}
