//! What an engine promises: guards, effects, all or nothing, order.

use std::sync::Arc;

use daypass_core::ground::clock::{Clock, SystemClock, Timestamp};
use daypass_core::ground::random::{Random, SeededRandom};
use daypass_core::store::items::engine::{
    Change, Committed, Effect, Engine, EngineError, Guard, Item, Key, MAX_CHANGES, Stamp,
};
use daypass_core::store::items::memory::MemoryEngine;
use daypass_store::{Open, PostgresEngine};
use futures::future::{join_all, try_join_all};

use crate::LEVELS;
use crate::cluster::Schema;

pub fn key(partition: &str, sort: impl Into<Vec<u8>>) -> Key {
    Key { partition: partition.into(), sort: sort.into() }
}

pub fn change(key: &Key, guard: Guard, effect: Effect) -> Change {
    Change { key: key.clone(), guard, effect }
}

pub fn put(key: &Key, guard: Guard, content: &[u8]) -> Change {
    change(key, guard, Effect::Put { content: content.to_vec(), forgotten_at: None })
}

fn put_until(key: &Key, guard: Guard, second: i64) -> Change {
    change(key, guard, Effect::Put { content: Vec::new(), forgotten_at: Some(at(second)) })
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn engine(schema: &Schema, level: &str) -> Arc<PostgresEngine> {
    let url = schema.url(&format!("-cdefault_transaction_isolation%3D{level}"), "");
    Arc::new(PostgresEngine::open(&url, Open::OrMake).await.unwrap())
}

/// Asks again as long as somebody else is at it.
async fn commit(engine: &PostgresEngine, stamp: u64, changes: &[Change]) -> Committed {
    loop {
        match engine.commit(Stamp(stamp), changes).await {
            Err(EngineError::Busy(_)) => {}
            committed => return committed.unwrap(),
        }
    }
}

async fn rows(schema: &Schema) -> i64 {
    let counted = schema.client().await.query_one("SELECT count(*) FROM daypass_item", &[]).await;
    counted.unwrap().get(0)
}

/// Draws what happens to some of six items, each at most once.
fn draw_changes(random: &dyn Random, known: &[Option<Item>], keys: &[Key]) -> Vec<Change> {
    let mut changes = Vec::new();
    for (key, known) in keys.iter().zip(known) {
        let [is_in, guard, effect, day] = random.bytes::<4>();
        let forgotten_at = (day % 2 == 0).then(|| at(i64::from(day)));
        let guard = match (guard % 8, known) {
            (0, _) => Guard::Any,
            (1, _) => Guard::Absent,
            (2, _) => Guard::Is(Stamp(7)),
            (_, Some(item)) => Guard::Is(item.stamp),
            (_, None) => Guard::Absent,
        };
        let effect = match effect % 4 {
            0 | 1 => Effect::Put { content: random.bytes::<5>().to_vec(), forgotten_at },
            2 => Effect::Delete,
            _ => Effect::Nothing,
        };
        if is_in % 2 == 0 {
            changes.push(change(key, guard, effect));
        }
    }
    changes
}

/// The engine in memory is the model. What is drawn has every guard with every effect on an item that is there, on one that is not,
/// and on a hollow row.
pub async fn is_as_in_memory(engine: &PostgresEngine) {
    let model = MemoryEngine::default();
    let random: &dyn Random = &SeededRandom::new(1);
    let keys: Vec<Key> = ["a", "b"].iter().flat_map(|it| [key(it, []), key(it, "x"), key(it, "y")]).collect();
    let (mut kept, mut broken) = (0, 0);
    for round in 0..400 {
        let known = model.read(&keys).await.unwrap();
        let changes = draw_changes(random, &known, &keys);
        let stamp = Stamp(u64::from_be_bytes(random.bytes()));
        let committed = engine.commit(stamp, &changes).await.unwrap();
        assert_eq!(committed, model.commit(stamp, &changes).await.unwrap(), "round {round}: {changes:?}");
        if committed == Committed::Kept {
            kept += 1;
        } else {
            broken += 1;
        }
        if round % 16 == 0 {
            let now = at(i64::from(random.bytes::<1>()[0]));
            engine.forget(now).await.unwrap();
            model.forget(now).await.unwrap();
        }
        let items = model.read(&keys).await.unwrap();
        assert_eq!(engine.read(&keys).await.unwrap(), items, "round {round}: {changes:?}");
        assert_eq!(engine.read(&keys[..1]).await.unwrap(), items[..1]);
        for after in [None, Some(&b""[..]), Some(b"x")] {
            let page = engine.page(b"b", after, 2).await.unwrap();
            assert_eq!(page, model.page(b"b", after, 2).await.unwrap(), "round {round}");
        }
    }
    assert!(kept > 50 && broken > 50, "{kept} kept, {broken} broken");
}

#[tokio::test]
async fn every_guard_and_effect_is_as_in_memory() {
    is_as_in_memory(&Schema::new().await.engine().await).await;
}

#[tokio::test]
async fn every_guard_and_effect_is_as_in_memory_without_prepared_statements() {
    let url = Schema::new().await.url("", "statements=unnamed");
    is_as_in_memory(&PostgresEngine::open(&url, Open::OrMake).await.unwrap()).await;
}

#[tokio::test]
async fn a_hundred_changes_are_made_or_none() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let keys: Vec<Key> = (0..MAX_CHANGES).map(|number| key("p", format!("{number:02}"))).collect();
    let puts: Vec<Change> = keys.iter().map(|key| put(key, Guard::Absent, b"new")).collect();
    let mut with_a_wrong_one = puts.clone();
    with_a_wrong_one[50].guard = Guard::Is(Stamp(1));
    assert_eq!(commit(&engine, 1, &with_a_wrong_one).await, Committed::Broken);
    assert_eq!(rows(&schema).await, 0);
    assert_eq!(commit(&engine, 1, &puts).await, Committed::Kept);
    assert!(engine.read(&keys).await.unwrap().iter().all(Option::is_some));
    let deletes = |stamp| keys.iter().map(move |key| change(key, Guard::Is(stamp), Effect::Delete));
    assert_eq!(commit(&engine, 2, &deletes(Stamp(2)).collect::<Vec<_>>()).await, Committed::Broken);
    assert_eq!(rows(&schema).await, 100);
    assert_eq!(commit(&engine, 2, &deletes(Stamp(1)).collect::<Vec<_>>()).await, Committed::Kept);
    assert_eq!(rows(&schema).await, 0);
}

#[tokio::test]
async fn a_commit_that_names_an_item_twice_is_refused() {
    let (engine, a) = (Schema::new().await.engine().await, key("a", []));
    let refused = engine.commit(Stamp(1), &[put(&a, Guard::Any, b"1"), put(&a, Guard::Any, b"2")]).await;
    assert!(matches!(refused, Err(EngineError::Unavailable(_))), "{refused:?}");
    assert_eq!(engine.read(&[a]).await.unwrap(), [None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_items_in_another_order_waits_for_nobody_who_waits_for_him() {
    let engine = Arc::new(Schema::new().await.engine().await);
    let keys: Vec<Key> = (0..20).map(|number| key("p", [number])).collect();
    let writers = (0..8).map(|writer| {
        let (engine, mut keys) = (engine.clone(), keys.clone());
        keys.rotate_left(writer * 2);
        if writer % 2 == 0 {
            keys.reverse();
        }
        tokio::spawn(async move {
            for round in 0..20 {
                let puts: Vec<Change> = keys.iter().map(|key| put(key, Guard::Any, &[1; 50])).collect();
                // A deadlock would be `Busy`.
                let committed = engine.commit(Stamp((writer * 100 + round) as u64), &puts).await.unwrap();
                assert_eq!(committed, Committed::Kept);
            }
        })
    });
    try_join_all(writers).await.unwrap();
    let items = engine.read(&keys).await.unwrap();
    let stamp = items[0].as_ref().unwrap().stamp;
    assert!(items.iter().flatten().all(|item| item.stamp == stamp), "a commit was made in parts");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_first_logins_one_makes_its_identity() {
    for level in LEVELS {
        let schema = Schema::new().await;
        let engine = engine(&schema, level).await;
        for round in 0..10 {
            let login = key("login", [round]);
            let logins = (0..16).map(|who| {
                let (engine, login) = (engine.clone(), login.clone());
                let identity = key(&format!("i{who}"), [round]);
                let changes = [put(&identity, Guard::Absent, b"i"), put(&login, Guard::Absent, b"l")];
                tokio::spawn(async move { commit(&engine, who, &changes).await })
            });
            let committed = try_join_all(logins).await.unwrap();
            let kept = committed.iter().filter(|committed| **committed == Committed::Kept);
            assert_eq!(kept.count(), 1, "{level}");
        }
        assert_eq!(rows(&schema).await, 20, "{level}: there are identities without a login");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_rest_on_each_others_absence_are_not_both_made() {
    for level in LEVELS {
        let schema = Schema::new().await;
        makes_one_at_most_of_two_that_rest_on_each_others_absence(&engine(&schema, level).await).await;
    }
}

pub async fn makes_one_at_most_of_two_that_rest_on_each_others_absence(engine: &Arc<PostgresEngine>) {
    for round in 0..40 {
        let (a, b) = (key("a", [round]), key("b", [round]));
        let one = [put(&a, Guard::Absent, b""), change(&b, Guard::Absent, Effect::Nothing)];
        let other = [put(&b, Guard::Absent, b""), change(&a, Guard::Absent, Effect::Nothing)];
        let both = [one, other].map(|changes| {
            let engine = engine.clone();
            tokio::spawn(async move { commit(&engine, 1, &changes).await })
        });
        join_all(both).await;
        let there = engine.read(&[a, b]).await.unwrap().into_iter().flatten().count();
        assert!(there <= 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_changes_of_one_version_one_is_made() {
    for level in LEVELS {
        makes_one_of_racing_changes(&engine(&Schema::new().await, level).await).await;
    }
}

pub async fn makes_one_of_racing_changes(engine: &Arc<PostgresEngine>) {
    let keys = [key("a", []), key("b", [])];
    let puts = |guard, content: &[u8]| keys.clone().map(|key| put(&key, guard, content));
    assert_eq!(commit(engine, 0, &puts(Guard::Absent, b"0")).await, Committed::Kept);
    for version in 0..20 {
        let writers = (1..9).map(|who| {
            let (engine, changes) = (engine.clone(), puts(Guard::Is(Stamp(version * 10)), &[who]));
            let stamp = if who == 1 { (version + 1) * 10 } else { (version + 1) * 10 + u64::from(who) };
            tokio::spawn(async move { (stamp, commit(&engine, stamp, &changes).await) })
        });
        let committed = try_join_all(writers).await.unwrap();
        let kept: Vec<_> = committed.iter().filter(|(_, it)| *it == Committed::Kept).collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
        let found = engine.read(&keys).await.unwrap();
        assert!(found.iter().flatten().all(|item| item.stamp == Stamp(kept[0].0)));
        let next = Guard::Is(Stamp(kept[0].0));
        assert_eq!(commit(engine, (version + 1) * 10, &puts(next, b"next")).await, Committed::Kept);
    }
}

#[tokio::test]
async fn any_bytes_are_kept_and_pages_are_in_their_order() {
    keeps_any_bytes_in_their_order(&Schema::new().await.engine().await).await;
}

pub async fn keeps_any_bytes_in_their_order(engine: &PostgresEngine) {
    let model = MemoryEngine::default();
    let random: &dyn Random = &SeededRandom::new(2);
    let mut changes = vec![put(&key("p", []), Guard::Absent, &random.bytes::<4096>())];
    for length in 1..60 {
        let sort = random.bytes::<60>()[..length].to_vec();
        changes.push(put(&key("p", sort), Guard::Absent, &[0, 1, 255, 0]));
    }
    for sort in [&[0][..], &[0, 0], &[0, 255], &[255], &[255, 0], &[255, 255], b"a", b"A", b"\xc3\xa4", b"z"]
    {
        changes.push(put(&key("p", sort), Guard::Absent, b""));
        changes.push(put(&key("p\0", sort), Guard::Absent, b"other"));
    }
    let stamp = Stamp(u64::MAX);
    for engine in [engine as &dyn Engine, &model] {
        assert_eq!(engine.commit(stamp, &changes).await.unwrap(), Committed::Kept);
    }
    let all = model.page(b"p", None, usize::MAX).await.unwrap();
    assert_eq!(all.len(), 70);
    assert_eq!(engine.page(b"p", None, usize::MAX).await.unwrap(), all);
    for item in &all {
        let after = Some(item.key.sort.as_slice());
        let page = engine.page(b"p", after, 3).await.unwrap();
        assert_eq!(page, model.page(b"p", after, 3).await.unwrap());
    }
    assert_eq!(engine.page(b"p", None, 0).await.unwrap(), []);
    assert_eq!(engine.read(&[]).await.unwrap(), []);
    let (there, not_there) = (key("p", [255]), key("p", "nobody's"));
    let twice = [there.clone(), not_there, there].map(|key| key);
    let found: Vec<bool> = engine.read(&twice).await.unwrap().iter().map(Option::is_some).collect();
    assert_eq!(found, [true, false, true]);
}

#[tokio::test]
async fn what_is_forgotten_goes_in_bites_and_is_there_until_then() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    for second in [10, 20] {
        let keys = (0..75).map(|number| key("p", [second, number]));
        let puts: Vec<Change> = keys.map(|key| put_until(&key, Guard::Absent, second.into())).collect();
        assert_eq!(commit(&engine, 1, &puts).await, Committed::Kept);
    }
    let first = key("p", [10, 0]);
    // Its instant is long past.
    assert_eq!(commit(&engine, 2, &[put(&first, Guard::Absent, b"")]).await, Committed::Broken);
    for (now, left) in [(9, 150), (10, 75), (10, 75), (19, 75), (20, 0)] {
        engine.forget(at(now)).await.unwrap();
        assert_eq!(rows(&schema).await, left, "at {now}");
    }
    let many: Vec<Vec<Change>> =
        (0..3).map(|p| (0..70).map(|n| put_until(&key("q", [p, n]), Guard::Absent, 10)).collect()).collect();
    for puts in &many {
        assert_eq!(commit(&engine, 1, puts).await, Committed::Kept);
    }
    for (left, more) in [(110, true), (10, true), (0, false)] {
        assert_eq!((engine.forget(at(10)).await.unwrap().more, rows(&schema).await), (more, left));
    }
    // No earlier than it says, and what is before 1970 is past at once.
    let (late, early) = (key("late", []), key("early", []));
    let until = |instant: Timestamp| Effect::Put { content: Vec::new(), forgotten_at: Some(instant) };
    let changes = [
        change(&late, Guard::Absent, until(Timestamp::new(10, 1).unwrap())),
        change(&early, Guard::Absent, until(Timestamp::MIN)),
    ];
    assert_eq!(commit(&engine, 1, &changes).await, Committed::Kept);
    assert_eq!(engine.read(&[late.clone(), early.clone()]).await.unwrap().iter().flatten().count(), 2);
    engine.forget(at(10)).await.unwrap();
    let left = engine.read(&[late, early]).await.unwrap();
    assert!(left[0].is_some() && left[1].is_none(), "{left:?}");
}

/// By the clock of a server that is far ahead it would be over, and what is deleted is gone for all.
#[tokio::test]
async fn nothing_is_forgotten_that_is_not_over_by_the_clock_of_the_database() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let (over, not_yet) = (key("p", [1]), key("p", [2]));
    let an_hour_from_now = SystemClock.now().as_second() + 3_600;
    let puts = [put_until(&over, Guard::Absent, 10), put_until(&not_yet, Guard::Absent, an_hour_from_now)];
    assert_eq!(commit(&engine, 1, &puts).await, Committed::Kept);
    engine.forget(at(an_hour_from_now + 1)).await.unwrap();
    let left = engine.read(&[over, not_yet]).await.unwrap();
    assert!(left[0].is_none() && left[1].is_some(), "{left:?}");
}

#[tokio::test]
async fn a_hollow_row_is_no_item_and_is_swept_away() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let (a, b) = (key("a", []), key("b", []));
    let look = change(&a, Guard::Absent, Effect::Nothing);
    assert_eq!(commit(&engine, 1, &[look.clone(), put(&b, Guard::Any, b"")]).await, Committed::Kept);
    assert_eq!(rows(&schema).await, 2);
    assert_eq!(engine.read(std::slice::from_ref(&a)).await.unwrap(), [None]);
    assert_eq!(engine.page(b"a", None, 9).await.unwrap(), []);
    assert_eq!(
        commit(&engine, 2, &[change(&a, Guard::Is(Stamp(1)), Effect::Nothing)]).await,
        Committed::Broken
    );
    let put_on_a_stamp = [put(&a, Guard::Is(Stamp(1)), b""), put(&b, Guard::Any, b"")];
    assert_eq!(commit(&engine, 2, &put_on_a_stamp).await, Committed::Broken);
    engine.forget(at(0)).await.unwrap();
    assert_eq!(rows(&schema).await, 1);
    // Looks alone leave nothing.
    assert_eq!(commit(&engine, 3, &[look]).await, Committed::Kept);
    assert_eq!(rows(&schema).await, 1);
}
