//! Backups of a SQLite store, and how they take the store's place.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
use daypass_core::records::linking::LinkRequest;
use daypass_core::store::{DeviceAuthorizations, Identities, Once, Pools};
use daypass_store::{Contents, CopyError, Restoration, SqliteOpenError, SqliteStore, back_up};
use rusqlite::Connection;
use tempfile::TempDir;

struct Place {
    directory: TempDir,
}

impl Place {
    /// A store with a pool and these people in it, closed.
    async fn with(people: &[&str]) -> Self {
        let place = Self { directory: tempfile::tempdir().expect("a directory for a test") };
        let store = place.open();
        store.add_pool(&pool()).await.expect("a new pool");
        for person in people {
            log_in(&store, person).await;
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.path("daypass.db")
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.database()).expect("a store that opens")
    }

    fn back_up(&self, name: &str) -> Result<Contents, CopyError> {
        back_up(&self.database(), &self.path(name), &mut |_, _| {})
    }

    fn begin(&self, name: &str) -> Result<Restoration, CopyError> {
        Restoration::begin(&self.path(name), &self.database(), &mut |_, _| {})
    }

    fn restore(&self, name: &str) -> Result<bool, CopyError> {
        self.begin(name)?.finish(&self.path("aside.db"))
    }

    /// The names of all files beside the audit trail, which is not the store's.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| !name.ends_with("-audit")).collect();
        names.sort();
        names
    }

    /// Does by hand what no operation of a store does.
    fn tamper(&self, name: &str, sql: &str) {
        let connection = Connection::open(self.path(name)).expect("a database");
        connection.execute_batch(sql).expect("valid SQL");
    }
}

fn pool() -> IdentityPool {
    let id = IdentityPoolId::parse("us-east-1:01").expect("a pool ID");
    IdentityPool::new(id, PoolSettings::default(), PoolRoles::default())
}

async fn log_in(store: &SqliteStore, person: &str) {
    let id = IdentityId::parse(format!("us-east-1:{:08x}", person.len())).expect("an identity ID");
    let request = LinkRequest {
        pool_id: pool().id,
        logins: vec![Login::developer(person)],
        identity_id: None,
        new_identity_id: id,
        now: Timestamp::UNIX_EPOCH,
    };
    store.link_logins(&request).await.expect("a new login");
}

async fn knows(database: &Path, person: &str) -> bool {
    let store = SqliteStore::open(database).expect("a store that opens");
    store.find_identity_by_login(&pool().id, &Login::developer(person)).await.expect("an answer").is_some()
}

/// Events enough for many steps of the copy.
const MANY_EVENTS: &str = "INSERT INTO unproved_refusal (time, request_id, action, outcome, resource)
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 6000)
    SELECT n, n, 'pool', 'allowed', hex(randomblob(1000)) FROM number";

/// The server writes between any two steps, does not wait, and never has the copy begin again. What it wrote before is
/// there, what it writes meanwhile is not.
#[tokio::test]
async fn whoever_writes_beside_it_neither_waits_nor_holds_it_up() {
    let place = Place::with(&["a"]).await;
    place.tamper("daypass.db", MANY_EVENTS);
    let store = place.open();
    log_in(&store, "bb").await;
    let server = Connection::open(place.database()).unwrap();
    server.busy_timeout(Duration::ZERO).unwrap();
    let mut steps = Vec::new();
    let contents = back_up(&place.database(), &place.path("backup.db"), &mut |done, total| {
        server.execute("UPDATE unproved_refusal SET reason = 'meanwhile' WHERE id < 9", []).unwrap();
        steps.push((done, total));
    });
    assert!(steps.len() > 2, "{steps:?}");
    assert!(steps.is_sorted(), "it began again: {steps:?}");
    assert_eq!(steps.last().map(|(done, total)| done == total), Some(true));
    assert_eq!((contents.as_ref().unwrap().identities, contents.as_ref().unwrap().logins), (2, 2));

    let copy = Connection::open(place.path("backup.db")).unwrap();
    let meanwhile = "SELECT count(*) FROM unproved_refusal WHERE reason = 'meanwhile'";
    assert_eq!(copy.query_one(meanwhile, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    drop((copy, server, store));
    assert!(knows(&place.path("backup.db"), "bb").await);
}

#[tokio::test]
async fn a_backup_is_one_private_file_and_the_store_is_as_it_was() {
    let place = Place::with(&["a"]).await;
    let before = fs::read(place.database()).unwrap();
    let contents = place.back_up("backup.db").unwrap();
    assert!(contents.is_current());
    assert_eq!(place.files(), ["backup.db", "daypass.db"]);
    assert_eq!(fs::read(place.database()).unwrap(), before);
    let mode = fs::metadata(place.path("backup.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Versions 1 of reading and writing: no WAL (sqlite.org/fileformat2.html, "File format version numbers").
    assert_eq!(fs::read(place.path("backup.db")).unwrap()[18..20], [1, 1]);
}

#[tokio::test]
async fn nothing_is_overwritten_and_a_wrong_path_makes_nothing() {
    let place = Place::with(&[]).await;
    fs::write(place.path("there"), "somebody's").unwrap();
    assert!(matches!(place.back_up("there"), Err(CopyError::Taken(_))));
    fs::write(place.path("other.new"), "somebody's").unwrap();
    assert!(matches!(place.back_up("other"), Err(CopyError::UnderWay(_))));
    std::os::unix::fs::symlink(place.path("nowhere"), place.path("link")).unwrap();
    assert!(matches!(place.back_up("link"), Err(CopyError::Taken(_))));
    fs::write(place.path("left.db-wal"), "somebody's").unwrap();
    assert!(
        matches!(place.back_up("left.db"), Err(CopyError::Taken(path)) if path == place.path("left.db-wal"))
    );
    let files = place.files();
    let missing = back_up(&place.path("wrong.db"), &place.path("backup.db"), &mut |_, _| {});
    assert!(matches!(missing, Err(CopyError::Missing(_))));
    assert!(matches!(place.begin("wrong.db"), Err(CopyError::Missing(_))));
    assert_eq!(place.files(), files);
    assert_eq!(fs::read(place.path("other.new")).unwrap(), b"somebody's");
}

#[tokio::test]
async fn a_damaged_store_gives_no_backup() {
    let place = Place::with(&["a"]).await;
    place.tamper("daypass.db", MANY_EVENTS);
    let mut bytes = fs::read(place.database()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xA5);
    fs::write(place.database(), bytes).unwrap();
    let refusal = place.back_up("backup.db").unwrap_err();
    assert!(matches!(refusal, CopyError::DamagedStore { .. }), "{refusal}");
    assert!(refusal.to_string().contains("daypass restore"), "{refusal}");
    assert_eq!(place.files(), ["daypass.db"]);
}

#[tokio::test]
async fn what_is_put_back_is_the_store_and_what_was_there_is_kept() {
    let place = Place::with(&["a"]).await;
    let contents = place.back_up("backup.db").unwrap();
    log_in(&place.open(), "bb").await;

    let restoration = place.begin("backup.db").unwrap();
    assert_eq!(restoration.contents, contents);
    assert!(!restoration.copied_by_hand);
    assert_eq!(restoration.keys_before, Some(Vec::new()));
    assert!(restoration.finish(&place.path("aside.db")).unwrap());
    assert_eq!(place.files(), ["aside.db", "backup.db", "daypass.db"]);
    assert!(knows(&place.database(), "a").await && !knows(&place.database(), "bb").await);
    assert!(knows(&place.path("aside.db"), "bb").await);
}

#[tokio::test]
async fn where_the_store_is_lost_the_backup_is_put_there() {
    let place = Place::with(&["a"]).await;
    place.back_up("backup.db").unwrap();
    fs::remove_file(place.database()).unwrap();
    assert!(!place.restore("backup.db").unwrap());
    assert_eq!(place.files(), ["backup.db", "daypass.db"]);
    assert!(knows(&place.database(), "a").await);
}

/// What is dropped before its end, as by a refusal, changes nothing.
#[tokio::test]
async fn what_is_not_finished_leaves_everything_as_it_was() {
    let place = Place::with(&["a"]).await;
    place.back_up("backup.db").unwrap();
    let before = fs::read(place.database()).unwrap();
    let restoration = place.begin("backup.db").unwrap();
    log_in(&restoration.store().unwrap(), "bb").await;
    drop(restoration);
    assert_eq!(fs::read(place.database()).unwrap(), before);
    assert_eq!(place.files(), ["backup.db", "daypass.db"]);
}

/// A copy that is still open may have its newest changes in its companion.
#[tokio::test]
async fn what_is_open_yet_does_not_become_the_store() {
    let place = Place::with(&["a"]).await;
    place.back_up("backup.db").unwrap();
    let restoration = place.begin("backup.db").unwrap();
    let store = restoration.store().unwrap();
    assert!(restoration.finish(&place.path("aside.db")).is_err());
    drop(store);
    assert!(!place.path("aside.db").exists());
}

/// A server that was killed leaves its newest commits in `-wal`: they stay with the store that they belong to, and get
/// nowhere near the backup.
#[tokio::test]
async fn what_a_killed_server_left_is_kept_with_its_store() {
    let place = Place::with(&["a"]).await;
    place.back_up("backup.db").unwrap();
    let running = place.open();
    log_in(&running, "bb").await;
    let killed = Place { directory: tempfile::tempdir().unwrap() };
    for name in ["daypass.db", "daypass.db-wal", "backup.db"] {
        fs::copy(place.path(name), killed.path(name)).unwrap();
    }
    assert!(killed.restore("backup.db").unwrap());
    assert_eq!(killed.files(), ["aside.db", "backup.db", "daypass.db"]);
    assert!(!knows(&killed.database(), "bb").await);
    assert!(knows(&killed.path("aside.db"), "bb").await);
}

/// A command that was killed leaves a copy with companions. Whoever deletes the copy alone, as the next command says,
/// must not have them played back into the next.
#[tokio::test]
async fn what_a_killed_command_left_gets_into_nothing() {
    let place = Place::with(&["a"]).await;
    place.back_up("backup.db").unwrap();
    let running = place.open();
    log_in(&running, "bb").await;
    fs::copy(place.path("daypass.db-wal"), place.path("daypass.db.new-wal")).unwrap();
    fs::copy(place.path("daypass.db-wal"), place.path("other.db.new-wal")).unwrap();
    fs::write(place.path("other.db.new-journal"), "left").unwrap();
    drop(running);
    fs::write(place.path("daypass.db.new"), "left").unwrap();
    assert!(matches!(place.begin("backup.db"), Err(CopyError::UnderWay(_))));
    fs::remove_file(place.path("daypass.db.new")).unwrap();
    place.restore("backup.db").unwrap();
    assert!(knows(&place.database(), "a").await && !knows(&place.database(), "bb").await);
    assert_eq!(place.back_up("other.db").unwrap().logins, 1);
    assert_eq!(place.files(), ["aside.db", "backup.db", "daypass.db", "other.db"]);
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_replaced_and_kept_with_its_companions() {
    let place = Place::with(&["a"]).await;
    place.back_up("backup.db").unwrap();
    for (name, text) in [("daypass.db", "no database"), ("daypass.db-wal", "w"), ("daypass.db-journal", "j")]
    {
        fs::write(place.path(name), text).unwrap();
    }
    let restoration = place.begin("backup.db").unwrap();
    assert_eq!(restoration.keys_before, None);
    restoration.finish(&place.path("aside.db")).unwrap();
    assert_eq!(fs::read(place.path("aside.db")).unwrap(), b"no database");
    assert_eq!(fs::read(place.path("aside.db-wal")).unwrap(), b"w");
    assert!(!place.path("daypass.db-wal").exists() && !place.path("daypass.db-journal").exists());
    assert!(knows(&place.database(), "a").await);
}

#[tokio::test]
async fn what_is_no_whole_store_is_refused_and_the_store_stays_as_it_was() {
    let place = Place::with(&["a"]).await;
    place.tamper("daypass.db", MANY_EVENTS);
    place.back_up("backup.db").unwrap();
    let whole = fs::read(place.path("backup.db")).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2..][..8192].fill(0xA5);
    fs::write(place.path("damaged.db"), damaged).unwrap();
    fs::write(place.path("cut.db"), &whole[..whole.len() / 2]).unwrap();
    fs::write(place.path("cut-within-a-page.db"), &whole[..whole.len() / 2 + 100]).unwrap();
    fs::write(place.path("cut-short.db"), &whole[..50]).unwrap();
    fs::write(place.path("empty.db"), "").unwrap();
    fs::write(place.path("text.db"), "no database ".repeat(1_000)).unwrap();
    place.tamper("theirs.db", "CREATE TABLE theirs (x)");
    fs::write(place.path("newer.db"), &whole).unwrap();
    place.tamper("newer.db", "PRAGMA user_version = 99");
    // An index that misses a row: found by no page being out of order.
    fs::write(place.path("index.db"), &whole).unwrap();
    place.tamper(
        "index.db",
        "CREATE INDEX by_action ON unproved_refusal (action);
         PRAGMA writable_schema = on;
         UPDATE sqlite_schema SET sql = replace(sql, '(action)', '(resource)') WHERE name = 'by_action'",
    );
    let (store, files) = (fs::read(place.database()).unwrap(), place.files());

    let refusal = |name| place.begin(name).expect_err(name);
    for name in ["damaged.db", "cut.db", "cut-within-a-page.db", "cut-short.db", "index.db"] {
        let refusal = refusal(name);
        assert!(matches!(refusal, CopyError::DamagedBackup { .. }), "{name}: {refusal:?}");
        assert!(refusal.to_string().contains("use another backup"), "{refusal}");
    }
    for name in ["empty.db", "text.db", "theirs.db"] {
        let refusal = refusal(name);
        assert!(
            matches!(refusal, CopyError::Unusable(SqliteOpenError::NotOurs { .. })),
            "{name}: {refusal:?}"
        );
        assert!(refusal.to_string().contains(name), "{refusal}");
    }
    assert!(matches!(refusal("newer.db"), CopyError::Unusable(SqliteOpenError::Newer { found: 99, .. })));
    assert!(matches!(refusal("daypass.db"), CopyError::Same(_)));
    assert_eq!(fs::read(place.database()).unwrap(), store);
    assert_eq!(place.files(), files);
}

#[tokio::test]
async fn a_backup_of_an_older_version_is_taken_as_it_is_and_brought_up_when_it_is_put_back() {
    let place = Place { directory: tempfile::tempdir().unwrap() };
    place.tamper("daypass.db", include_str!("../migrations/sqlite/0001_first.sql"));
    place.tamper(
        "daypass.db",
        "INSERT INTO identity_pool VALUES ('us-east-1:01', '{\"name\": \"app\"}', '{}');
         INSERT INTO identity VALUES ('us-east-1:01', 'us-east-1:01', 1, 0, 0, 0);
         INSERT INTO developer_login VALUES ('us-east-1:01', 'a', 'us-east-1:01');
         PRAGMA application_id = 0x64706173; PRAGMA user_version = 1",
    );
    let contents = place.back_up("backup.db").unwrap();
    assert_eq!((contents.version, contents.logins, contents.is_current()), (1, 1, false));
    assert_eq!(place.begin("backup.db").unwrap().contents, contents);
    place.restore("backup.db").unwrap();
    assert!(knows(&place.database(), "a").await);
}

/// Nobody sees what it left behind, and so nobody counts it, in a copy too.
#[tokio::test]
async fn a_deleted_pool_that_is_not_purged_counts_for_nothing_and_does_not_come_back() {
    let place = Place::with(&["a", "bb"]).await;
    let store = place.open();
    assert!(store.delete_pool(&pool().id).await.unwrap());
    assert!(store.purge_deleted_pools(1).await.unwrap().more);
    drop(store);
    let contents = place.back_up("backup.db").unwrap();
    assert_eq!((contents.identities, contents.logins), (0, 0));
    place.restore("backup.db").unwrap();
    assert!(!knows(&place.database(), "a").await && !knows(&place.database(), "bb").await);
    let store = place.open();
    while store.purge_deleted_pools(1).await.unwrap().more {}
    let rows = "SELECT (SELECT count(*) FROM identity_pool) + (SELECT count(*) FROM identity)";
    let left: i64 =
        Connection::open(place.database()).unwrap().query_one(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_backup_of_the_version_before_incarnations_counts_and_knows_everybody() {
    let place = Place { directory: tempfile::tempdir().unwrap() };
    for migration in [
        include_str!("../migrations/sqlite/0001_first.sql"),
        include_str!("../migrations/sqlite/0002_logins.sql"),
        include_str!("../migrations/sqlite/0003_access_keys.sql"),
        include_str!("../migrations/sqlite/0004_used_once.sql"),
        include_str!("../migrations/sqlite/0005_login_grants.sql"),
        include_str!("../migrations/sqlite/0006_audit_by_user.sql"),
        include_str!("../migrations/sqlite/0007_unproved_refusals.sql"),
        include_str!("../migrations/sqlite/0008_revoke_everybody.sql"),
    ] {
        place.tamper("daypass.db", migration);
    }
    place.tamper(
        "daypass.db",
        "INSERT INTO identity_pool (id, settings, roles) VALUES ('us-east-1:01', '{}', '{}');
         INSERT INTO identity VALUES ('us-east-1:01', 'us-east-1:01', 1, 0, 0, 0);
         INSERT INTO login VALUES ('us-east-1:01', '', 'a', 'us-east-1:01');
         PRAGMA application_id = 0x64706173; PRAGMA user_version = 8",
    );
    let contents = place.back_up("backup.db").unwrap();
    assert_eq!((contents.version, contents.identities, contents.logins), (8, 1, 1));
    place.restore("backup.db").unwrap();
    assert!(knows(&place.database(), "a").await);
}

/// What is in `-wal` beside it comes along; what is not is told of.
#[tokio::test]
async fn a_copy_by_hand_is_taken_and_named() {
    let place = Place::with(&["a"]).await;
    let running = place.open();
    log_in(&running, "bb").await;
    for (from, to) in
        [("daypass.db", "alone.db"), ("daypass.db", "both.db"), ("daypass.db-wal", "both.db-wal")]
    {
        fs::copy(place.path(from), place.path(to)).unwrap();
    }
    drop(running);
    for (name, logins) in [("alone.db", 1), ("both.db", 2)] {
        let restoration = place.begin(name).unwrap();
        assert!(restoration.copied_by_hand, "{name}");
        assert_eq!(restoration.contents.logins, logins, "{name}");
    }
}

#[tokio::test]
async fn codes_that_waited_for_their_apps_do_not_come_back() {
    let place = Place::with(&[]).await;
    place.tamper("daypass.db", "INSERT INTO login_grant VALUES ('hash', x'00', 9000000000000)");
    place.back_up("backup.db").unwrap();
    place.restore("backup.db").unwrap();
    let grant = place.open().redeem_login_grant("hash", Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(grant, None);
}

#[tokio::test]
async fn devices_that_waited_for_somebody_do_not_come_back() {
    let place = Place::with(&[]).await;
    place.tamper(
        "daypass.db",
        "INSERT INTO device_authorization (id, device_code_hash, app, scope, created_at, ends_at, interval, forgotten_at)
         VALUES ('id', 'hash', 'tv', '', 0, 9000000000000, 5, 9000000000000)",
    );
    assert!(place.open().find_device_authorization("id").await.unwrap().is_some());
    place.back_up("backup.db").unwrap();
    place.restore("backup.db").unwrap();
    assert_eq!(place.open().find_device_authorization("id").await.unwrap(), None);
}

#[tokio::test]
async fn a_link_goes_on_leading_to_the_store() {
    let place = Place::with(&["a"]).await;
    place.back_up("backup.db").unwrap();
    std::os::unix::fs::symlink(place.database(), place.path("link.db")).unwrap();
    let restoration =
        Restoration::begin(&place.path("backup.db"), &place.path("link.db"), &mut |_, _| {}).unwrap();
    restoration.finish(&place.path("aside.db")).unwrap();
    assert!(place.path("link.db").is_symlink());
    assert!(knows(&place.path("link.db"), "a").await);
}

/// Root restores what a server of another user has to open. Whoever is not root cannot give files away.
#[tokio::test]
async fn the_store_goes_on_belonging_to_its_owner() {
    const SERVER: u32 = 4_321;
    let place = Place::with(&["a"]).await;
    place.back_up("backup.db").unwrap();
    if chown(place.database(), Some(SERVER), Some(SERVER)).is_err() {
        return;
    }
    place.restore("backup.db").unwrap();
    let restored = fs::metadata(place.database()).unwrap();
    assert_eq!((restored.uid(), restored.gid()), (SERVER, SERVER));
    assert_eq!(restored.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_not_complete_is_backed_up_by_nobody() {
    let place = Place::with(&["ada"]).await;
    let unfinished = Connection::open(place.database()).unwrap();
    unfinished.execute("INSERT INTO unfinished_copy (id, source) VALUES (1, 'elsewhere')", []).unwrap();
    let refused = place.back_up("backup.db").unwrap_err();
    let CopyError::Unusable(SqliteOpenError::Unfinished { path, from, .. }) = refused else {
        panic!("{refused}")
    };
    assert_eq!((path, &*from), (place.database(), "elsewhere"));
    assert!(!place.path("backup.db").exists());
    unfinished.execute("DELETE FROM unfinished_copy", []).unwrap();
    place.back_up("backup.db").unwrap();
}
