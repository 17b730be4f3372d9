//! The trail of a store over an engine: that it is chained, signed and numbered as the one in files is, whoever keeps events and
//! whoever reads.

#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

mod retention;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use daypass_core::audit::head_key::{HeadKey, HeadKeys, HeadPublicKey};
use daypass_core::ground::clock::{ManualClock, SystemClock, Timestamp};
use daypass_core::ground::ids::{IdentityId, RequestId};
use daypass_core::ground::master_keys::{MasterKey, MasterKeys};
use daypass_core::ground::random::SystemRandom;
use daypass_core::records::audit_event::{AuditAction, AuditEvent, AuditOutcome, AuditSubject};
use daypass_core::records::trail_line::{Chain, write};
use daypass_core::store::items::between::{Asked, Between, Coming};
use daypass_core::store::items::engine::{
    Change, Committed, Effect, Engine, EngineError, Guard, Item, Key, Stamp,
};
use daypass_core::store::items::memory::MemoryEngine;
use daypass_core::store::items::{ItemStore, Pace};
use daypass_core::store::{
    AuditCare, AuditEvents, AuditSink, EventPosition, KeptEvent, Page, Retention, Store,
};
use daypass_store::{Keys, TrailCopy, Verified};
use futures::future::join_all;
use serde_json::{Value, json};

const BLOCKS: &[u8] = b"trail";

struct Yielding;

#[async_trait]
impl Pace for Yielding {
    async fn pause(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

/// A process with the store of an engine.
fn process(engine: &Arc<MemoryEngine>) -> Arc<ItemStore> {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    Arc::new(ItemStore::new(engine.clone(), clock, random, Arc::new(Yielding)))
}

fn care(master_keys: &MasterKeys, second: i64) -> AuditCare {
    AuditCare {
        signer: Arc::new(HeadKeys::of(master_keys)),
        keep: Retention::default(),
        clock: Arc::new(ManualClock::at_second(second)),
        tell: Arc::new(|_| {}),
    }
}

fn keys(byte: u8) -> MasterKeys {
    MasterKey::new([byte; 32]).into()
}

fn public(byte: u8) -> HeadPublicKey {
    HeadKey::of(&keys(byte)).public().clone()
}

fn event(second: i64) -> AuditEvent {
    let time = Timestamp::from_second(second).unwrap();
    let request = RequestId::generate(time, &SystemRandom);
    AuditEvent::plain(time, request, AuditAction::Token, AuditOutcome::Allowed)
}

async fn all(store: &ItemStore) -> Vec<KeptEvent> {
    store.audit_events_after(Page { after: None, limit: usize::MAX }).await.unwrap()
}

async fn verified(store: &ItemStore, by: HeadPublicKey) -> Verified {
    let copy = TrailCopy::of(store, &mut |_, _| {}).await.unwrap();
    copy.verify(&Keys::from(vec![by]), &mut |_, _| {}).unwrap()
}

/// The blocks that an engine has, the last first.
async fn blocks(engine: &MemoryEngine) -> Vec<(Key, Stamp, Vec<u8>)> {
    let items = engine.page(BLOCKS, None, usize::MAX).await.unwrap();
    items.into_iter().map(|item| (item.key, item.stamp, item.content)).collect()
}

#[tokio::test]
async fn a_trail_is_verified_as_one_in_files_is() {
    let engine = Arc::<MemoryEngine>::default();
    let store = process(&engine);
    store.attend(care(&keys(7), 1_000));
    for second in 0..5 {
        store.add_audit_event(&event(second)).await.unwrap();
        store.keep_up().await.unwrap();
    }
    let found = verified(&store, public(7)).await;
    // One head: ten seconds have not passed since.
    assert_eq!((&found.faults[..], found.events, found.heads, found.unsigned), (&[][..], 5, 1, 4));
    store.attend(care(&keys(7), 1_010));
    store.keep_up().await.unwrap();
    let found = verified(&store, public(7)).await;
    assert_eq!((&found.faults[..], found.heads, found.unsigned), (&[][..], 2, 0));
    assert_eq!(verified(&store, public(8)).await.heads, 0, "another key has signed nothing");
    // Another server's clock may be far ahead.
    store.add_audit_event(&event(5)).await.unwrap();
    store.attend(care(&keys(7), 900));
    store.keep_up().await.unwrap();
    assert_eq!(verified(&store, public(7)).await.heads, 3);
}

#[tokio::test]
async fn the_key_of_now_vouches_for_the_one_before() {
    let engine = Arc::<MemoryEngine>::default();
    let store = process(&engine);
    store.add_audit_event(&event(1)).await.unwrap();
    store.attend(care(&keys(7), 1_000));
    store.keep_up().await.unwrap();
    let rotated = MasterKeys::new(MasterKey::new([8; 32]), vec![MasterKey::new([7; 32])]);
    store.add_audit_event(&event(2)).await.unwrap();
    store.attend(care(&rotated, 2_000));
    store.keep_up().await.unwrap();
    let found = verified(&store, public(8)).await;
    assert_eq!((&found.faults[..], found.heads, found.unsigned), (&[][..], 2, 0));
}

/// In the middle of an exchange some servers sign by one key, and some by the other; then the other is taken away.
#[tokio::test]
async fn who_changes_over_to_a_key_vouches_for_the_other_at_once_and_who_has_both_believes_both() {
    let engine = Arc::<MemoryEngine>::default();
    let both = |current: u8, other: u8| {
        MasterKeys::new(MasterKey::new([current; 32]), vec![MasterKey::new([other; 32])])
    };
    let configured = Keys { current: vec![public(8)], before: vec![public(7)] };
    let [old, new] = [(); 2].map(|()| process(&engine));
    for (second, server, keys) in
        [(1_000, &old, both(7, 8)), (2_000, &new, both(8, 7)), (3_000, &old, both(7, 8))]
    {
        server.attend(care(&keys, second));
        server.add_audit_event(&event(second)).await.unwrap();
        server.keep_up().await.unwrap();
        let copy = TrailCopy::of(&**server, &mut |_, _| {}).await.unwrap();
        assert_eq!(copy.verify(&configured, &mut |_, _| {}).unwrap().faults, [], "{second}");
    }
    assert!(!verified(&new, public(8)).await.faults.is_empty(), "the last head is of the other key");
    new.keep_up().await.unwrap();
    assert!(
        !verified(&new, public(8)).await.faults.is_empty(),
        "two with nothing to do would go on for ever"
    );
    new.attend(care(&both(8, 7), 3_001));
    for _ in 0..2 {
        new.keep_up().await.unwrap();
        let found = verified(&new, public(8)).await;
        assert_eq!((&found.faults[..], found.heads), (&[][..], 4));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_processes_keep_while_others_read_is_there_once_and_in_the_order_of_each() {
    const PROCESSES: usize = 4;
    const EVENTS: i64 = 60;
    let engine = Arc::<MemoryEngine>::default();
    let writers = (0..PROCESSES).map(|number| {
        let store = process(&engine);
        tokio::spawn(async move {
            let mut kept = Vec::new();
            for second in 0..EVENTS {
                let event = event(second);
                store.add_audit_event(&event).await.unwrap();
                if second % 7 == i64::try_from(number).unwrap() {
                    store.keep_up().await.unwrap();
                }
                kept.push(event);
            }
            kept
        })
    });
    let kept: Vec<Vec<AuditEvent>> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    let store = process(&engine);
    let found = all(&store).await;
    assert!(found.iter().all(|kept| kept.damaged == 0));
    assert!(found.is_sorted_by(|a, b| a.position < b.position));
    let requests: BTreeSet<&RequestId> = found.iter().map(|kept| &kept.event.request_id).collect();
    assert_eq!((found.len(), requests.len()), (kept.concat().len(), kept.concat().len()));
    for of_one in &kept {
        let theirs = found.iter().map(|kept| &kept.event).filter(|event| of_one.contains(event));
        assert!(theirs.eq(of_one));
    }
    assert_eq!(verified(&store, public(7)).await.faults, []);
}

#[tokio::test]
async fn an_event_is_found_by_whom_it_is_about_though_nobody_has_looked_at_its_block() {
    let engine = Arc::<MemoryEngine>::default();
    let store = process(&engine);
    let id = IdentityId::parse("us-east-1:aa").unwrap();
    for second in 0..300 {
        let identity_id = (second % 100 == 0).then(|| id.clone());
        store.add_audit_event(&AuditEvent { identity_id, ..event(second) }).await.unwrap();
        if second == 150 {
            store.keep_up().await.unwrap();
        }
    }
    let found = store.list_audit_events(&AuditSubject::Identity(id), 10).await.unwrap();
    let seconds: Vec<i64> = found.iter().map(|event| event.time.as_second()).collect();
    assert_eq!(seconds, [200, 100, 0]);
}

#[tokio::test]
async fn what_somebody_changes_or_takes_away_is_told() {
    let engine = Arc::<MemoryEngine>::default();
    let store = process(&engine);
    for second in 0..6 {
        store.add_audit_event(&event(second)).await.unwrap();
        store.keep_up().await.unwrap();
    }
    let kept = blocks(&engine).await;
    assert_eq!(kept.len(), 6);
    let (changed, stamp, text) = kept[1].clone();
    let forged = String::from_utf8(text).unwrap().replace("\"token\"", "\"assume\"");
    let effect = Effect::Put { content: forged.into_bytes(), forgotten_at: None };
    let forge = Change { key: changed, guard: Guard::Is(stamp), effect };
    let (taken, stamp, _) = kept[3].clone();
    let take = Change { key: taken, guard: Guard::Is(stamp), effect: Effect::Delete };
    engine.commit(Stamp(1), &[forge, take]).await.unwrap();

    let found = all(&store).await;
    let damaged: Vec<u64> = found.iter().map(|kept| kept.damaged).collect();
    assert_eq!(damaged, [0, 0, 1, 1, 0], "the one after the missing line, and the forged one");
    let after = EventPosition(found[2].position.0 - 1);
    let from_the_gap = store.audit_events_after(Page { after: Some(after), limit: 1 }).await.unwrap();
    assert_eq!(from_the_gap[0].event, found[2].event);
    let faults = verified(&store, public(7)).await.faults;
    assert_eq!(faults.len(), 2, "{faults:?}");
}

/// Keeps an event in the middle of whatever gives others their place.
#[derive(Default)]
struct KeepingOn(AtomicU64);

#[async_trait]
impl Coming for KeepingOn {
    async fn come(&self, engine: &Arc<MemoryEngine>, asked: Asked<'_>) -> Result<(), EngineError> {
        let Asked::Commit(stamp, changes) = asked else { return Ok(()) };
        if changes.iter().any(|change| change.key.partition == BLOCKS) {
            let number = self.0.fetch_add(1, Ordering::SeqCst);
            assert!(number < 100, "whoever reads waits for those who keep on");
            let partition = [&b"journal:"[..], &[0; 8]].concat();
            let key = Key { partition, sort: [[255; 8], number.to_be_bytes()].concat() };
            let effect = Effect::Put { content: b"\"torn\":1\n".to_vec(), forgotten_at: None };
            engine.commit(stamp, &[Change { key, guard: Guard::Absent, effect }]).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn whoever_reads_does_not_wait_for_those_who_keep_on() {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let store = ItemStore::new(Arc::<Between<KeepingOn>>::default(), clock, random, Arc::new(Yielding));
    let event = event(1);
    store.add_audit_event(&event).await.unwrap();
    assert_eq!(all(&store).await[0].event, event);
}

/// Has another process go on with the trail whenever somebody asks for its blocks.
#[derive(Default)]
struct GoingOn(AtomicU64);

#[async_trait]
impl Coming for GoingOn {
    async fn come(&self, engine: &Arc<MemoryEngine>, asked: Asked<'_>) -> Result<(), EngineError> {
        if matches!(asked, Asked::Page(BLOCKS)) {
            let (other, number) = (process(engine), self.0.fetch_add(2, Ordering::SeqCst));
            for second in number..(number + 2).min(40) {
                other.add_audit_event(&event(second.try_into().unwrap())).await.unwrap();
                other.audit_trail_extent().await.unwrap();
            }
        }
        Ok(())
    }
}

/// Whoever looks for the end of the trail finds that it goes on, by more than a block.
#[tokio::test]
async fn whoever_reads_while_others_write_leaves_nothing_out() {
    let engine = Arc::<Between<GoingOn>>::default();
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let store = ItemStore::new(engine.clone(), clock, random, Arc::new(Yielding));
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = store.audit_events_after(Page { after, limit: 7 }).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.position);
        read.extend(page);
    }
    assert!(read.iter().all(|kept| kept.damaged == 0), "{read:?}");
    let seconds: Vec<i64> = read.iter().map(|kept| kept.event.time.as_second()).collect();
    assert!(seconds.into_iter().eq(0..40));
    // A copy of it that is made meanwhile neither.
    engine.coming.0.store(0, Ordering::SeqCst);
    assert_eq!(verified(&store, public(7)).await.faults, []);
}

/// Puts something in the place of what blocks say, or takes them away.
async fn replace(engine: &MemoryEngine, block: &(Key, Stamp, Vec<u8>), content: Option<&[u8]>) {
    let put = |content: &[u8]| Effect::Put { content: content.to_vec(), forgotten_at: None };
    let effect = content.map_or(Effect::Delete, put);
    let change = Change { key: block.0.clone(), guard: Guard::Is(block.1), effect };
    assert_eq!(engine.commit(Stamp(1), &[change]).await.unwrap(), Committed::Kept);
}

#[tokio::test]
async fn what_stands_behind_a_block_that_nobody_can_read_is_verified_as_well() {
    let engine = Arc::<MemoryEngine>::default();
    let store = process(&engine);
    for second in 0..6 {
        store.add_audit_event(&event(second)).await.unwrap();
        store.keep_up().await.unwrap();
    }
    let kept = blocks(&engine).await;
    let forged = String::from_utf8(kept[1].2.clone()).unwrap().replace("\"token\"", "\"assume\"");
    replace(&engine, &kept[3], Some(b"nothing\n")).await;
    replace(&engine, &kept[1], Some(forged.as_bytes())).await;
    let found = verified(&store, public(7)).await;
    assert_eq!((found.last, found.events), (7, 5), "{found:?}");
    let told: Vec<String> = found.faults.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|fault| fault.contains("line 6:")), "{told:?}");
}

#[tokio::test]
async fn an_end_that_somebody_took_away_is_told() {
    let engine = Arc::<MemoryEngine>::default();
    let store = process(&engine);
    for second in 0..3 {
        store.add_audit_event(&event(second)).await.unwrap();
        store.keep_up().await.unwrap();
    }
    replace(&engine, &blocks(&engine).await[0], None).await;
    let told = verified(&store, public(7)).await.faults[0].to_string();
    assert!(told.contains("line 3: the trail ends here") && told.contains("line 4"), "{told}");
}

/// Writes the trail anew, without heads and with another event, and has everything fit.
async fn forge(engine: &MemoryEngine) {
    let mut old = blocks(engine).await;
    old.reverse();
    let (mut text, mut chain, mut number) = (Vec::new(), Chain::START, 0);
    for line in old.iter().flat_map(|(_, _, text)| str::from_utf8(text).unwrap().lines()) {
        let (members, _) = line.split_once(',').unwrap().1.rsplit_once(",\"chain\"").unwrap();
        if !members.starts_with("\"head\"") {
            number += 1;
            let members = members.replace("\"token\"", "\"assume\"");
            chain = write(&mut text, number, members.as_bytes(), chain);
        }
    }
    let head = Key { partition: b"trail-head:".to_vec(), sort: Vec::new() };
    let item = engine.read(std::slice::from_ref(&head)).await.unwrap().remove(0).unwrap();
    let mut record: Value = serde_json::from_slice(&item.content).unwrap();
    for (member, value) in
        [("last", json!(number)), ("chain", json!(chain.text())), ("signed", json!(0)), ("head", Value::Null)]
    {
        record[member] = value;
    }
    for block in &old[1..] {
        replace(engine, block, None).await;
    }
    replace(engine, &old[0], Some(&text)).await;
    replace(engine, &(head, item.stamp, Vec::new()), Some(record.to_string().as_bytes())).await;
}

/// Writes where the trail begins.
async fn begin_at(engine: &MemoryEngine, first: u64) {
    write_member(engine, "first", json!(first)).await;
}

/// Writes into the record of the trail.
async fn write_member(engine: &MemoryEngine, member: &str, value: Value) {
    let head = Key { partition: b"trail-head:".to_vec(), sort: Vec::new() };
    let item = engine.read(std::slice::from_ref(&head)).await.unwrap().remove(0).unwrap();
    let mut record: Value = serde_json::from_slice(&item.content).unwrap();
    record[member] = value;
    replace(engine, &(head, item.stamp, Vec::new()), Some(record.to_string().as_bytes())).await;
}

async fn keep_and_sign(store: &ItemStore, seconds: std::ops::Range<i64>) {
    for second in seconds {
        store.attend(care(&keys(7), 1_000 + 20 * second));
        store.add_audit_event(&event(second)).await.unwrap();
        store.keep_up().await.unwrap();
    }
}

/// Also where somebody has the trail begin behind what is missing, for as long as it takes: nobody has signed that it was dropped.
#[tokio::test]
async fn a_server_signs_no_trail_in_silence_that_somebody_wrote_anew() {
    for moved_to in [None, Some(1_000)] {
        let engine = Arc::<MemoryEngine>::default();
        let store = process(&engine);
        keep_and_sign(&store, 0..3).await;
        let newest = verified(&store, public(7)).await.newest_head.unwrap();
        forge(&engine).await;
        if let Some(first) = moved_to {
            begin_at(&engine, first).await;
        }
        keep_and_sign(&store, 3..5).await;
        begin_at(&engine, 1).await;
        let found = verified(&store, public(7)).await;
        let told: Vec<String> = found.faults.iter().map(ToString::to_string).collect();
        assert_eq!((told.len(), found.heads), (1, 2), "{told:?}");
        assert!(
            told[0].contains(&format!("did not find what was signed up to line {}", newest.n)),
            "{told:?}"
        );
    }
}
