//! Whole stores out of a file into PostgreSQL, and back.

use std::sync::Arc;

use daypass_core::operator::copying::copy;
use daypass_core::store::SharedStore;
use daypass_core::store::contract::whole::{at_copying, fill, look, use_up};
use daypass_core::store::items::engine::{Change, Effect, Engine, Guard, Key, Stamp};
use daypass_core::store::items::memory::MemoryEngine;
use daypass_core::store::whole::{CopyError, Filling, Whole};
use daypass_store::{Open, SqliteStore, StoreUrl, open, open_to_fill, open_whole};

use crate::cluster::Schema;
use crate::engine::{change, key, put};

async fn copied(from: &StoreUrl, to: &StoreUrl) -> Result<(), CopyError> {
    let (source, target): (Arc<dyn Whole>, Arc<dyn Filling>) =
        (open_whole(from, &mut |_, _| {}).await.unwrap(), open_to_fill(to).await.unwrap());
    target.begin(&from.to_string()).await?;
    copy(&*source, &*target, &*at_copying(), &mut |_, _| {}).await.map(drop)
}

async fn opened(url: &StoreUrl) -> SharedStore {
    open(url, Open::Existing, &mut |_, _| {}).await.unwrap()
}

#[tokio::test]
async fn everything_moves_from_a_file_to_postgresql_and_back() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| StoreUrl::Sqlite(directory.path().join(name));
    let (before, back) = (file("before.db"), file("back.db"));
    let between = StoreUrl::Postgres(Box::new(Schema::new().await.url("", "")));
    let store: SharedStore = Arc::new(SqliteStore::open(&directory.path().join("before.db")).unwrap());
    let filled = fill(&store).await;
    let seen = look(&store, &filled).await;
    drop(store);

    copied(&before, &between).await.unwrap();
    assert_eq!(look(&opened(&between).await, &filled).await, seen);
    let refused = copied(&before, &between).await.unwrap_err();
    assert!(matches!(refused, CopyError::Taken(_)), "{refused}");

    copied(&between, &back).await.unwrap();
    let store = opened(&back).await;
    assert_eq!(look(&store, &filled).await, seen);
    use_up(&store, &filled).await;
    let store = opened(&between).await;
    use_up(&store, &filled).await;
}

#[tokio::test]
async fn nobody_opens_a_database_that_is_not_complete() {
    let directory = tempfile::tempdir().unwrap();
    let before = StoreUrl::Sqlite(directory.path().join("before.db"));
    let store: SharedStore = Arc::new(SqliteStore::open(&directory.path().join("before.db")).unwrap());
    let filled = fill(&store).await;
    let seen = look(&store, &filled).await;
    drop(store);
    let url = StoreUrl::Postgres(Box::new(Schema::new().await.url("", "")));
    let target = open_to_fill(&url).await.unwrap();
    target.begin(&before.to_string()).await.unwrap();
    for how in [Open::OrMake, Open::Existing] {
        let refused = open(&url, how, &mut |_, _| {}).await.err().unwrap().to_string();
        let says = |words: &str| assert!(refused.contains(words), "{refused}");
        says("is to be a copy of sqlite:");
        says("ask `daypass store copy` again");
    }
    copied(&before, &url).await.unwrap();
    assert_eq!(look(&opened(&url).await, &filled).await, seen);
}

#[tokio::test]
async fn a_scan_finds_every_item_once_as_in_memory() {
    let (engine, model) = (Schema::new().await.engine().await, MemoryEngine::default());
    let keys: Vec<Key> = (0..30_u8)
        .map(|number| key(&format!("p{}", number % 4), if number < 4 { vec![] } else { vec![number] }))
        .collect();
    for some in keys.chunks(7) {
        let changes: Vec<Change> = some.iter().map(|key| put(key, Guard::Absent, b"x")).collect();
        engine.commit(Stamp(1), &changes).await.unwrap();
        model.commit(Stamp(1), &changes).await.unwrap();
    }
    // A row that holds the place of what is not there is no item.
    let look = change(&key("p9", []), Guard::Absent, Effect::Nothing);
    engine.commit(Stamp(2), &[look, put(&key("q", []), Guard::Absent, b"")]).await.unwrap();
    model.commit(Stamp(2), &[put(&key("q", []), Guard::Absent, b"")]).await.unwrap();
    let mut after: Option<Key> = None;
    loop {
        let found = engine.scan(after.as_ref(), 4).await.unwrap();
        assert_eq!(found, model.scan(after.as_ref(), 4).await.unwrap());
        let Some(last) = found.last() else { break };
        after = Some(last.key.clone());
    }
    assert_eq!(after, Some(key("q", [])));
}
