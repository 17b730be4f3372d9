//! What was acknowledged to be in the audit trail is in it after the process was killed without warning, and the events of
//! older databases are taken over, each once, however often that is broken off.
//!
//! The tests start themselves as children, and kill them in the middle of their work.

mod child;

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::sync::Arc;

use daypass_core::audit::head_key::HeadKeys;
use daypass_core::audit::{AuditAction, AuditEvent, AuditOutcome};
use daypass_core::ground::clock::{ManualClock, Timestamp};
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::master_keys::MasterKey;
use daypass_core::store::{AuditCare, AuditEvents, AuditSink, Page, Retention};
use daypass_store::{Keys, SqliteStore, newest_head, trail_folder, verify};
use rusqlite::Connection;

/// A trail that answered before its lines are on the disk would lose something in most kills.
const KILLS: usize = 6;

/// Rows of an older trail: so many that it is broken off in the middle.
const OLD_EVENTS: u64 = 30_000;

/// The version before events were in files.
const OLD_VERSION: usize = 15;

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_events_survive_a_kill() {
    if let Some(path) = child::database() {
        return add_events_until_killed(Path::new(&path)).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daypass.db");
    let mut acknowledged = HashSet::new();
    for kill in 1..=KILLS {
        let child = child::start("acknowledged_events_survive_a_kill", &path);
        acknowledged.extend(child::read_and_kill(child, 300));
        assert!(acknowledged.len() >= kill * 300, "the child ended after {}", acknowledged.len());
        let store = SqliteStore::open(&path).expect("a database that survived");
        let kept = store.audit_events_after(Page { after: None, limit: usize::MAX }).await.unwrap();
        let kept: HashSet<String> = kept.into_iter().filter_map(|kept| kept.event.resource).collect();
        let lost = acknowledged.iter().find(|event| !kept.contains(*event));
        assert!(lost.is_none(), "{lost:?} was acknowledged and is lost");
    }
    assert_whole(&path);
}

/// Sixteen tasks, so that the kill meets writes that carry several events.
async fn add_events_until_killed(path: &Path) {
    let store = Arc::new(SqliteStore::open(path).expect("a database"));
    let tasks = (0..16).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..100_000 {
                let name = format!("{}-{task}-{number}", std::process::id());
                store.add_audit_event(&event(&name)).await.expect("an answer");
                child::acknowledge(name);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a task that runs until the end");
    }
}

fn event(resource: &str) -> AuditEvent {
    AuditEvent {
        resource: Some(resource.to_owned()),
        ..AuditEvent::plain(
            Timestamp::UNIX_EPOCH,
            RequestId::parse("00000000-0000-7000-8000-000000000000").expect("an ID"),
            AuditAction::Pool,
            AuditOutcome::Allowed,
        )
    }
}

fn assert_whole(path: &Path) {
    let signed = newest_head(path).expect("a trail");
    let found =
        verify(&trail_folder(path), &Keys::default(), signed.as_ref(), &mut |_, _| {}).expect("a trail");
    assert_eq!(found.faults, []);
}

/// The store knows what was signed, until a head is kept behind the line that says that it is missing.
#[tokio::test]
async fn a_trail_that_was_taken_away_is_missed_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daypass.db");
    drop(SqliteStore::open(&path).unwrap());
    let head = "INSERT INTO trail_head (id, trail, n, chain, time) VALUES (1, 'taken', 7, 'x', 0)";
    Connection::open(&path).unwrap().execute_batch(head).unwrap();
    let faults = || {
        let signed = newest_head(&path).unwrap();
        let found = verify(&trail_folder(&path), &Keys::default(), signed.as_ref(), &mut |_, _| {}).unwrap();
        found.faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        SqliteStore::open(&path).unwrap().add_audit_event(&event("new")).await.unwrap();
        let told = faults();
        assert!(told.len() == 2 && told[1].ends_with("the file is of another trail"), "{told:?}");
    }
    let server = SqliteStore::open(&path).unwrap();
    server.attend(care());
    drop(server);
    let told = faults();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("did not find what was signed up to line 7 of the trail taken"), "{told:?}");
}

fn care() -> AuditCare {
    AuditCare {
        signer: Arc::new(HeadKeys::of(&MasterKey::new([7; 32]).into())),
        keep: Retention::default(),
        clock: Arc::new(ManualClock::at_second(0)),
        tell: Arc::new(|_| {}),
    }
}

/// It is what tells that the trail was cut off, or written anew.
#[tokio::test]
async fn a_head_makes_way_for_none_that_comes_of_other_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daypass.db");
    let server = SqliteStore::open(&path).unwrap();
    let head = "INSERT INTO trail_head (id, trail, n, chain, time) VALUES (1, 'other', 7, 'x', 0)";
    Connection::open(&path).unwrap().execute_batch(head).unwrap();
    server.add_audit_event(&event("new")).await.unwrap();
    server.attend(care());
    drop(server);
    assert_eq!(newest_head(&path).unwrap().unwrap().trail, "other");
}

/// Root's command makes files that the server has to open.
#[test]
fn a_trail_belongs_to_whoever_has_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daypass.db");
    drop(SqliteStore::open(&path).unwrap());
    fs::remove_dir_all(trail_folder(&path)).unwrap();
    // Root alone can give a file away: whoever is not has nothing to try.
    let owner = match chown(&path, Some(1234), Some(1234)) {
        Ok(()) => 1234,
        Err(_) => fs::metadata(&path).unwrap().uid(),
    };
    drop(SqliteStore::open(&path).unwrap());
    let folder = trail_folder(&path);
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let owners: Vec<u32> =
        files.chain([folder.clone()]).map(|path| fs::metadata(path).unwrap().uid()).collect();
    assert_eq!(owners, [owner; 3], "the lock, the first file and the folder");
}

/// A database as the version before left it.
fn old_database(path: &Path) -> Connection {
    let database = Connection::open(path).expect("a database of before");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let mut migrations: Vec<_> = fs::read_dir(folder)
        .expect("a database of before")
        .map(|entry| entry.expect("a database of before").path())
        .collect();
    migrations.sort();
    for migration in &migrations[..OLD_VERSION] {
        database
            .execute_batch(&fs::read_to_string(migration).expect("a database of before"))
            .expect("a database of before");
    }
    let events = format!(
        "PRAGMA application_id = 0x64706173; PRAGMA user_version = {OLD_VERSION};
         INSERT INTO audit_event (time, request_id, action, outcome, resource)
         WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {OLD_EVENTS})
         SELECT n, '00000000-0000-7000-8000-000000000000', 'pool', 'allowed', 'old-' || n FROM number"
    );
    database.execute_batch(&events).expect("a database of before");
    database
}

/// Every event of before, once, in its order, and then those that came since.
async fn assert_taken_over(store: &SqliteStore, since: &[&str]) {
    let kept = store.audit_events_after(Page { after: None, limit: usize::MAX }).await.expect("events");
    let kept = kept.into_iter().filter_map(|kept| kept.event.resource);
    let expected = (1..=OLD_EVENTS).map(|number| format!("old-{number}"));
    assert!(kept.eq(expected.chain(since.iter().map(|&name| name.to_owned()))));
}

#[tokio::test]
async fn the_events_of_an_older_database_are_taken_over_once_however_often_that_is_broken_off() {
    if let Some(path) = child::database() {
        let told = SqliteStore::open_telling(Path::new(&path), &mut |done, _| {
            child::acknowledge(done);
        });
        return drop(told);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daypass.db");
    drop(old_database(&path));
    let mut broken_off = 0;
    for enough in [1, 5, 9] {
        let test = "the_events_of_an_older_database_are_taken_over_once_however_often_that_is_broken_off";
        let told = child::read_and_kill(child::start(test, &path), enough);
        broken_off += usize::from(told.last().is_none_or(|done| *done != OLD_EVENTS.to_string()));
    }
    assert!(broken_off > 0, "every child came to the end");
    let store = SqliteStore::open(&path).unwrap();
    assert_taken_over(&store, &[]).await;
    store.add_audit_event(&event("new")).await.unwrap();
    drop(store);
    assert_taken_over(&SqliteStore::open(&path).unwrap(), &["new"]).await;
    assert_whole(&path);
    let left = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'audit_event%'";
    let left: i64 = Connection::open(&path).unwrap().query_one(left, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

/// As it is when somebody puts an old backup in the place of the store: its events are in the trail already.
#[tokio::test]
async fn an_older_database_beside_a_trail_that_has_gone_on_brings_nothing_twice() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daypass.db");
    drop(old_database(&path));
    let old = fs::read(&path).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    store.add_audit_event(&event("new")).await.unwrap();
    drop(store);
    fs::write(&path, old).unwrap();
    assert_taken_over(&SqliteStore::open(&path).unwrap(), &["new"]).await;
}

/// An older Daypass went on with an old backup, say: none of what it recorded goes before it is in a trail.
#[tokio::test]
async fn an_older_database_with_events_that_the_trail_beside_it_has_not_got_is_refused_until_that_is_moved_away()
 {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("daypass.db");
    for change in [
        "DELETE FROM audit_event WHERE id > 20000",
        "UPDATE audit_event SET request_id = '00000000-0000-7000-8000-000000000001' WHERE id = 20000;
         DELETE FROM audit_event WHERE id > 20000",
    ] {
        let old = old_database(&path);
        let whole = fs::read(&path).unwrap();
        old.execute_batch(change).unwrap();
        drop(old);
        let store = SqliteStore::open(&path).unwrap();
        store.add_audit_event(&event("new")).await.unwrap();
        drop(store);
        fs::write(&path, &whole).unwrap();
        for _ in 0..2 {
            let refused = SqliteStore::open(&path).err().unwrap().to_string();
            assert!(refused.contains("move that folder elsewhere"), "{refused}");
        }
        fs::rename(trail_folder(&path), directory.path().join("kept")).unwrap();
        assert_taken_over(&SqliteStore::open(&path).unwrap(), &[]).await;
        fs::remove_dir_all(trail_folder(&path)).unwrap();
        fs::remove_dir_all(directory.path().join("kept")).unwrap();
        fs::remove_file(&path).unwrap();
    }
}
