//! The contract, and what an engine promises, on an emulator of Amazon DynamoDB.

#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

mod counting;
mod cutting;
mod emulator;
mod regions;
mod units;
mod wire;

use std::collections::BTreeSet;

use daypass_core::store::SharedStore;
use daypass_core::store::items::engine::{Change, Committed, Effect, Engine, EngineError, Guard, Key, Stamp};
use daypass_store::{
    DynamoEngine, DynamoUrl, Open, StoreUrl, TableState, migrate, open, open_to_fill, open_whole, steps_due,
};

use crate::cutting::Cutter;

/// A table of its own.
async fn table() -> DynamoUrl {
    let url = emulator::url();
    assert_eq!(DynamoEngine::create(&url).await.unwrap(), TableState::Made);
    url
}

async fn store() -> SharedStore {
    open(&StoreUrl::Dynamo(table().await), Open::OrMake, &mut |_, _| {}).await.unwrap()
}

daypass_core::contract_tests!(dynamodb, (store().await, ()));

fn key(partition: &str, sort: &[u8]) -> Key {
    Key { partition: partition.into(), sort: sort.to_vec() }
}

fn put(key: Key, guard: Guard, content: &[u8]) -> Change {
    Change { key, guard, effect: Effect::Put { content: content.to_vec(), forgotten_at: None } }
}

#[tokio::test]
async fn a_table_is_made_once_and_one_that_is_not_there_is_told() {
    let url = emulator::url();
    let refused = DynamoEngine::open(&url, Open::OrMake).await.err().unwrap().to_string();
    assert!(refused.contains("`daypass store create` makes it"), "{refused}");
    assert_eq!(DynamoEngine::create(&url).await.unwrap(), TableState::Made);
    assert_eq!(DynamoEngine::create(&url).await.unwrap(), TableState::WasThere);
    let empty = DynamoEngine::open(&url, Open::Existing).await.err().unwrap().to_string();
    assert!(empty.contains("has no store of Daypass in it"), "{empty}");
    DynamoEngine::open(&url, Open::OrMake).await.unwrap();
    DynamoEngine::open(&url, Open::Existing).await.unwrap();
}

#[tokio::test]
async fn a_table_is_a_store_when_whoever_may_says_so() {
    let url = emulator::url();
    let store = StoreUrl::Dynamo(url.clone());
    let missing = steps_due(&store).await.err().unwrap().to_string();
    assert!(missing.contains("`daypass store create` makes it"), "{missing}");
    DynamoEngine::create(&url).await.unwrap();
    let refused = DynamoEngine::open(&url, Open::AsItIs).await.err().unwrap().to_string();
    assert!(refused.contains("`daypass migrate -c FILE`"), "{refused}");
    let due = steps_due(&store).await.unwrap();
    let mut told = Vec::new();
    for expected in [1, 0] {
        let made = migrate(&store, &mut |step| told.push(step.to_owned()), &mut |_, _| {}).await;
        assert_eq!(made.unwrap(), expected);
    }
    assert_eq!((due.len(), told), (1, due));
    DynamoEngine::open(&url, Open::AsItIs).await.unwrap();
    assert!(steps_due(&store).await.unwrap().is_empty());
}

#[tokio::test]
async fn guards_hold_for_one_change_and_for_many() {
    let engine = DynamoEngine::open(&table().await, Open::OrMake).await.unwrap();
    let other = || put(key("beside", b""), Guard::Any, b"x");
    for with_another in [false, true] {
        let place = key(if with_another { "many" } else { "one" }, b"\0\xff");
        let commit = async |stamp: u64, guard, effect: Effect| {
            let mut changes = vec![Change { key: place.clone(), guard, effect }];
            changes.extend(with_another.then(other));
            engine.commit(Stamp(stamp), &changes).await.unwrap()
        };
        let says = |content: &[u8]| Effect::Put { content: content.to_vec(), forgotten_at: None };
        assert_eq!(commit(1, Guard::Is(Stamp(0)), says(b"a")).await, Committed::Broken);
        assert_eq!(commit(1, Guard::Absent, says(b"a")).await, Committed::Kept);
        assert_eq!(commit(2, Guard::Absent, says(b"b")).await, Committed::Broken);
        assert_eq!(commit(u64::MAX, Guard::Is(Stamp(1)), says(b"")).await, Committed::Kept);
        assert_eq!(commit(3, Guard::Is(Stamp(1)), Effect::Nothing).await, Committed::Broken);
        assert_eq!(commit(3, Guard::Is(Stamp(u64::MAX)), Effect::Nothing).await, Committed::Kept);
        let found = engine.read(&[place.clone(), place.clone()]).await.unwrap();
        assert_eq!(found[0], found[1]);
        let found = found[0].as_ref().unwrap();
        assert_eq!((found.stamp, found.content.as_slice()), (Stamp(u64::MAX), &[][..]));
        assert_eq!(commit(4, Guard::Is(Stamp(3)), Effect::Delete).await, Committed::Broken);
        assert_eq!(commit(4, Guard::Is(Stamp(u64::MAX)), Effect::Delete).await, Committed::Kept);
        assert_eq!(commit(5, Guard::Absent, Effect::Nothing).await, Committed::Kept);
    }
}

#[tokio::test]
async fn a_hundred_changes_are_made_or_none() {
    let engine = DynamoEngine::open(&table().await, Open::OrMake).await.unwrap();
    let mut changes: Vec<Change> =
        (0..100_u8).map(|number| put(key("all", &[number]), Guard::Absent, &[number])).collect();
    assert_eq!(engine.commit(Stamp(1), &changes[..1]).await.unwrap(), Committed::Kept);
    assert_eq!(engine.commit(Stamp(2), &changes).await.unwrap(), Committed::Broken);
    assert_eq!(engine.page(b"all", None, usize::MAX).await.unwrap().len(), 1);
    changes[0].guard = Guard::Is(Stamp(1));
    assert_eq!(engine.commit(Stamp(3), &changes).await.unwrap(), Committed::Kept);
    let page = engine.page(b"all", Some(&[9]), 3).await.unwrap();
    assert_eq!(page.iter().map(|item| item.key.sort[0]).collect::<Vec<_>>(), [10, 11, 12]);
    let keys: Vec<Key> = (0..150_u8).map(|number| key("all", &[number])).collect();
    let found = engine.read(&keys).await.unwrap();
    assert_eq!((found.len(), found.iter().flatten().count()), (150, 100));
}

#[tokio::test]
async fn pages_go_on_where_an_answer_is_full() {
    let engine = DynamoEngine::open(&table().await, Open::OrMake).await.unwrap();
    // An answer has a megabyte at most.
    let content = vec![7; 200_000];
    for number in 0..12_u8 {
        let change = put(key("long", &[number]), Guard::Absent, &content);
        engine.commit(Stamp(1), &[change]).await.unwrap();
    }
    let page = engine.page(b"long", None, 11).await.unwrap();
    assert_eq!(page.iter().map(|item| item.key.sort[0]).collect::<Vec<_>>(), (0..11).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_scan_finds_every_item_once_and_what_says_that_the_table_is_a_store_is_none() {
    let engine = DynamoEngine::open(&table().await, Open::OrMake).await.unwrap();
    let keys: BTreeSet<Key> = (0..150_u8).map(|number| key(&format!("p{}", number % 7), &[number])).collect();
    for key in &keys {
        engine.commit(Stamp(1), &[put(key.clone(), Guard::Absent, b"x")]).await.unwrap();
    }
    let (mut found, mut after): (Vec<Key>, Option<Key>) = (Vec::new(), None);
    loop {
        let page = engine.scan(after.as_ref(), 11).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 11);
        after = Some(last.key.clone());
        found.extend(page.into_iter().map(|item| item.key));
    }
    assert_eq!(found.len(), keys.len());
    assert_eq!(found.into_iter().collect::<BTreeSet<Key>>(), keys);
}

#[tokio::test]
async fn everything_moves_from_a_file_to_dynamodb_and_back() {
    use daypass_core::operator::copying::copy;
    use daypass_core::store::contract::whole::{at_copying, fill, look, use_up};
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| StoreUrl::Sqlite(directory.path().join(name));
    let stores = [file("before.db"), StoreUrl::Dynamo(table().await), file("back.db")];
    let store = open(&stores[0], Open::OrMake, &mut |_, _| {}).await.unwrap();
    let filled = fill(&store).await;
    let seen = look(&store, &filled).await;
    drop(store);
    for pair in stores.windows(2) {
        let target = open_to_fill(&pair[1]).await.unwrap();
        target.begin(&pair[0].to_string()).await.unwrap();
        let refused = open(&pair[1], Open::Existing, &mut |_, _| {}).await.err().unwrap();
        assert!(matches!(pair[1], StoreUrl::Sqlite(_)) || refused.to_string().contains("is not complete"));
        let source = open_whole(&pair[0], &mut |_, _| {}).await.unwrap();
        copy(&*source, &*target, &*at_copying(), &mut |_, _| {}).await.unwrap();
        drop(target);
        let copied = open(&pair[1], Open::Existing, &mut |_, _| {}).await.unwrap();
        assert_eq!(look(&copied, &filled).await, seen);
    }
    use_up(&open(&stores[1], Open::Existing, &mut |_, _| {}).await.unwrap(), &filled).await;
}

#[tokio::test]
async fn what_a_table_has_no_room_for_is_sent_again_as_long_as_it_takes_some() {
    let cutter = Cutter::in_front_of(emulator::endpoint()).await;
    let url = emulator::reached_by(&table().await, &cutter.endpoint);
    let engine = DynamoEngine::open(&url, Open::OrMake).await.unwrap();
    let changes: Vec<Change> = (0..30_u8).map(|at| put(key("p", &[at]), Guard::Any, b"")).collect();
    cutter.takes(10);
    engine.commit_each(Stamp(1), &changes).await.unwrap();
    assert_eq!(engine.page(b"p", None, 99).await.unwrap().len(), 30);
    let deletions: Vec<Change> =
        changes.iter().map(|put| Change { effect: Effect::Delete, ..put.clone() }).collect();
    cutter.takes(0);
    assert!(matches!(engine.commit_each(Stamp(2), &deletions).await, Err(EngineError::Busy(_))));
    assert_eq!(engine.page(b"p", None, 99).await.unwrap().len(), 30);
    cutter.takes(25);
    engine.commit_each(Stamp(2), &deletions).await.unwrap();
    assert_eq!(engine.page(b"p", None, 99).await.unwrap(), []);
    let guarded = [put(key("p", b""), Guard::Absent, b"")];
    assert!(engine.commit_each(Stamp(3), &guarded).await.is_err(), "a condition would not be kept");
}

#[tokio::test]
async fn whoever_is_not_there_is_away_and_a_commit_to_them_is_lost() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let url = emulator::url_at(&format!("http://{address}"));
    drop(listener);
    let refused = DynamoEngine::open(&url, Open::OrMake).await.err().unwrap().to_string();
    assert!(refused.contains("it does not answer"), "{refused}");
    let engine = DynamoEngine::open(&table().await, Open::OrMake).await.unwrap();
    assert!(
        matches!(
            engine.commit(Stamp(1), &[put(key("", b""), Guard::Any, b"")]).await,
            Err(EngineError::Unavailable(_))
        ),
        "a key is never empty"
    );
}
