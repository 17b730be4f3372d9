//! Whole stores that move: out of a file into items, and back, with everything that one can have in it.

#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use daypass_core::audit::head_key::{HeadKey, HeadKeys};
use daypass_core::ground::clock::{ManualClock, SignedDuration, Timestamp};
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::master_keys::{MasterKey, MasterKeys};
use daypass_core::ground::random::SystemRandom;
use daypass_core::operator::copying::{Contents, Kind, copy};
use daypass_core::records::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use daypass_core::store::contract::whole::{Filled, at_copying, fill, look, use_up};
use daypass_core::store::items::filling::ItemFilling;
use daypass_core::store::items::memory::MemoryEngine;
use daypass_core::store::items::{ItemStore, Pace};
use daypass_core::store::whole::{CopyError, Filling, Whole};
use daypass_core::store::{AuditCare, Retention, SharedStore};
use daypass_store::{
    Keys, Open, SqliteStore, StoreUrl, TrailCopy, Verified, ensure_unused, newest_head, open, open_to_fill,
    open_whole, trail_folder, verify,
};
use tempfile::TempDir;

const FROM: &str = "the store of before";

struct Yielding;

#[async_trait]
impl Pace for Yielding {
    async fn pause(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

fn items(engine: &Arc<MemoryEngine>) -> Arc<ItemStore> {
    // By the system's clock some of what is in it would be over.
    Arc::new(ItemStore::new(engine.clone(), at_copying(), Arc::new(SystemRandom), Arc::new(Yielding)))
}

fn master_keys() -> MasterKeys {
    MasterKey::new([7; 32]).into()
}

fn care() -> AuditCare {
    AuditCare {
        signer: Arc::new(HeadKeys::of(&master_keys())),
        keep: Retention::default(),
        clock: Arc::new(ManualClock::at_second(1_000)),
        tell: Arc::new(|_| {}),
    }
}

fn verifying() -> Keys {
    vec![HeadKey::of(&master_keys()).public().clone()].into()
}

fn event() -> AuditEvent {
    let request = RequestId::generate(Timestamp::UNIX_EPOCH, &SystemRandom);
    AuditEvent::plain(Timestamp::UNIX_EPOCH, request, AuditAction::Token, AuditOutcome::Allowed)
}

/// A store in a file with everything in it, which nobody has open.
struct Sqlite {
    directory: TempDir,
    filled: Filled,
    seen: Vec<String>,
}

impl Sqlite {
    async fn filled() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("daypass.db");
        let store: SharedStore = Arc::new(SqliteStore::open(&path).unwrap());
        store.attend(care());
        let filled = fill(&store).await;
        // The last that a server does is to sign the trail.
        drop(store);
        let store: SharedStore = Arc::new(SqliteStore::open(&path).unwrap());
        let seen = look(&store, &filled).await;
        Self { directory, filled, seen }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("daypass.db")
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    async fn whole(&self) -> Arc<dyn Whole> {
        whole(&self.path()).await
    }
}

async fn whole(path: &Path) -> Arc<dyn Whole> {
    open_whole(&StoreUrl::Sqlite(path.to_owned()), &mut |_, _| {}).await.unwrap()
}

async fn filling(path: &Path) -> Arc<dyn Filling> {
    open_to_fill(&StoreUrl::Sqlite(path.to_owned())).await.unwrap()
}

async fn copied(source: &dyn Whole, target: &dyn Filling) -> Result<Contents, CopyError> {
    target.begin(FROM).await?;
    copy(source, target, &*at_copying(), &mut |_, _| {}).await
}

fn files_verified(database: &Path) -> Verified {
    let head = newest_head(database).unwrap();
    assert!(head.is_some(), "the newest head is kept beside the trail");
    verify(&trail_folder(database), &verifying(), head.as_ref(), &mut |_, _| {}).unwrap()
}

fn bytes_of_trail(database: &Path) -> Vec<u8> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(trail_folder(database)).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "jsonl"));
    files.sort();
    files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect()
}

#[tokio::test]
async fn everything_moves_out_of_a_file_and_back() {
    let before = Sqlite::filled().await;
    let engine = Arc::<MemoryEngine>::default();
    let contents = copied(&*before.whole().await, &ItemFilling::of(items(&engine))).await.unwrap();
    assert!(Kind::ALL.iter().all(|kind| contents.of(*kind).count > 0), "{contents:?}");
    let between: SharedStore = items(&engine);
    assert_eq!(look(&between, &before.filled).await, before.seen);
    let found =
        TrailCopy::of(&*between, &mut |_, _| {}).await.unwrap().verify(&verifying(), &mut |_, _| {}).unwrap();
    assert_eq!((&found.faults[..], found.heads, found.unsigned), (&[][..], 1, 0));

    // The trail goes on there, and is signed.
    between.attend(care());
    between.add_audit_event(&event()).await.unwrap();
    between.keep_up().await.unwrap();
    let seen = look(&between, &before.filled).await;
    let back = before.beside("back.db");
    copied(&*items(&engine), &*filling(&back).await).await.unwrap();
    assert!(bytes_of_trail(&back).starts_with(&bytes_of_trail(&before.path())), "the very same lines");
    let found = files_verified(&back);
    assert_eq!((&found.faults[..], found.heads), (&[][..], 2));
    let store: SharedStore = Arc::new(SqliteStore::open(&back).unwrap());
    assert_eq!(look(&store, &before.filled).await, seen);
    use_up(&store, &before.filled).await;
    store.attend(care());
    store.add_audit_event(&event()).await.unwrap();
    drop(store);
    assert_eq!((&files_verified(&back).faults[..], files_verified(&back).heads), (&[][..], 3));
}

/// A server's care on some day, with what is kept.
fn care_on(day: i64, days_kept: Option<i64>) -> AuditCare {
    let age = days_kept.map(|days| SignedDuration::from_hours(24 * days));
    let clock = Arc::new(ManualClock::at_second(day * DAY));
    AuditCare { clock, keep: Retention { age, bytes: None }, ..care() }
}

const DAY: i64 = 24 * 60 * 60;

#[tokio::test]
async fn what_is_left_of_a_trail_moves_into_files_and_back_and_goes_on_to_be_dropped() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("daypass.db");
    let engine = Arc::<MemoryEngine>::default();
    let store: SharedStore = items(&engine);
    for day in 0..6 {
        store.attend(care_on(day, None));
        let time = Timestamp::from_second(day * DAY).unwrap();
        store.add_audit_event(&AuditEvent { time, ..event() }).await.unwrap();
        store.keep_up().await.unwrap();
    }
    store.drop_surplus(&care_on(6, Some(3))).await.unwrap();
    let before = store.audit_trail_extent().await.unwrap();
    assert!(before.first.0 > 1);

    copied(&*items(&engine), &*filling(&path).await).await.unwrap();
    let found = files_verified(&path);
    assert_eq!((&found.faults[..], found.first, found.files), (&[][..], before.first.0, 3));
    assert!(found.dropped.is_some());

    let engine = Arc::<MemoryEngine>::default();
    copied(&*whole(&path).await, &ItemFilling::of(items(&engine))).await.unwrap();
    let store: SharedStore = items(&engine);
    assert_eq!(store.audit_trail_extent().await.unwrap(), before);
    store.drop_surplus(&care_on(6, Some(1))).await.unwrap();
    assert!(store.audit_trail_extent().await.unwrap().first > before.first);
    let copy = TrailCopy::of(&*store, &mut |_, _| {}).await.unwrap();
    assert_eq!(copy.verify(&verifying(), &mut |_, _| {}).unwrap().faults, []);
}

#[tokio::test]
async fn a_file_is_copied_into_another_file() {
    let before = Sqlite::filled().await;
    let path = before.beside("other.db");
    copied(&*before.whole().await, &*filling(&path).await).await.unwrap();
    assert_eq!(bytes_of_trail(&path), bytes_of_trail(&before.path()));
    let store: SharedStore = Arc::new(SqliteStore::open(&path).unwrap());
    assert_eq!(look(&store, &before.filled).await, before.seen);
    use_up(&store, &before.filled).await;
    drop(store);
    assert_eq!(files_verified(&path).faults, []);
    // Of what is used up in the copy the store of before knows nothing.
    let store: SharedStore = Arc::new(SqliteStore::open(&before.path()).unwrap());
    assert_eq!(look(&store, &before.filled).await, before.seen);
}

#[tokio::test]
async fn nobody_opens_a_file_that_is_not_complete_and_the_copy_is_begun_again() {
    let before = Sqlite::filled().await;
    let path = before.beside("other.db");
    {
        let (source, target) = (before.whole().await, filling(&path).await);
        target.begin(FROM).await.unwrap();
        let page = source.kept(at_copying_now()).await.unwrap().next().await.unwrap();
        target.take(page).await.unwrap();
        target.take_lines(source.lines_after(0).await.unwrap()).await.unwrap();
    }
    for refused in [
        SqliteStore::open(&path).err().unwrap().to_string(),
        open(&StoreUrl::Sqlite(path.clone()), Open::OrMake, &mut |_, _| {}).await.err().unwrap().to_string(),
        open_whole(&StoreUrl::Sqlite(path.clone()), &mut |_, _| {}).await.err().unwrap().to_string(),
    ] {
        let says = |words: &str| assert!(refused.contains(words), "{refused}");
        says(FROM);
        says("is not complete: ask `daypass store copy` again");
    }
    let refused = filling(&path).await.begin("another store").await.unwrap_err();
    assert!(matches!(refused, CopyError::OfAnother(_)), "{refused}");
    copied(&*before.whole().await, &*filling(&path).await).await.unwrap();
    let store: SharedStore = Arc::new(SqliteStore::open(&path).unwrap());
    assert_eq!(look(&store, &before.filled).await, before.seen);
}

fn at_copying_now() -> Timestamp {
    use daypass_core::ground::clock::Clock;
    at_copying().now()
}

#[tokio::test]
async fn a_file_with_anything_in_it_or_a_trail_beside_it_stays_as_it_is() {
    let before = Sqlite::filled().await;
    let (source, trail) = (before.beside("source.db"), before.beside("alone.db"));
    drop(SqliteStore::open(&source).unwrap());
    std::fs::create_dir(trail_folder(&trail)).unwrap();
    let refused = copied(&*whole(&source).await, &*filling(&before.path()).await).await.unwrap_err();
    assert!(matches!(refused, CopyError::Taken(_)), "{refused}");
    let refused = open_to_fill(&StoreUrl::Sqlite(trail.clone())).await.err().unwrap().to_string();
    assert!(refused.contains("is there already, and stays as it is") && !trail.exists(), "{refused}");
    let store: SharedStore = Arc::new(SqliteStore::open(&before.path()).unwrap());
    assert_eq!(look(&store, &before.filled).await, before.seen);
}

#[tokio::test]
async fn who_has_a_file_open_keeps_a_copy_from_it_and_the_other_way_round() {
    let before = Sqlite::filled().await;
    let url = StoreUrl::Sqlite(before.path());
    let running = SqliteStore::open(&before.path()).unwrap();
    for refused in [
        ensure_unused(&url).err().unwrap().to_string(),
        open_whole(&url, &mut |_, _| {}).await.err().unwrap().to_string(),
        open_to_fill(&url).await.err().unwrap().to_string(),
    ] {
        assert!(refused.contains("is open in a running Daypass"), "{refused}");
    }
    drop(running);
    ensure_unused(&url).unwrap();
    let copying = before.whole().await;
    assert!(SqliteStore::open(&before.path()).is_err(), "nobody writes meanwhile");
    drop(copying);
    SqliteStore::open(&before.path()).unwrap();
}

#[tokio::test]
async fn what_is_not_there_is_not_copied_and_not_made() {
    let directory = TempDir::new().unwrap();
    let url = StoreUrl::Sqlite(directory.path().join("daypass.db"));
    assert!(
        open_whole(&url, &mut |_, _| {}).await.err().unwrap().to_string().contains("there is no database")
    );
    assert!(ensure_unused(&url).is_err());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert!(open_to_fill(&StoreUrl::Memory).await.is_err());
}
