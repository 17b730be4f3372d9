//! What is too old or too much goes, and the trail says so: in a database as in files.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use daypass_core::ground::clock::SignedDuration;
use daypass_core::records::trail_head::TrailDropped;
use daypass_core::store::HeadSigner;

use super::*;

const DAY: i64 = 24 * 60 * 60;

fn keeping(days: i64) -> Retention {
    Retention { age: Some(SignedDuration::from_hours(24 * days)), bytes: None }
}

fn dropping(keep: Retention, day: i64) -> AuditCare {
    AuditCare { keep, ..care(&keys(7), day * DAY) }
}

/// A trail with some events of each day, whose last is signed.
async fn of_days(engine: &Arc<MemoryEngine>, days: i64) {
    let store = process(engine);
    for day in 0..days {
        for (second, number) in [(0, 1), (20, 2)] {
            store.attend(care(&keys(7), day * DAY + second));
            let identity_id = IdentityId::parse(format!("us-east-1:{day:02}{number}")).ok();
            store.add_audit_event(&AuditEvent { identity_id, ..event(day * DAY) }).await.unwrap();
            store.keep_up().await.unwrap();
        }
    }
}

async fn all_items(engine: &MemoryEngine) -> Vec<Item> {
    engine.scan(None, usize::MAX).await.unwrap()
}

/// Whatever is left of lines before the first one, and leads there.
async fn leftovers(engine: &MemoryEngine, store: &ItemStore) -> usize {
    let first = store.audit_trail_extent().await.unwrap().first.0;
    let begins_before = |item: &Item| {
        let number = || Some(u64::from_be_bytes(item.key.sort.as_slice().try_into().ok()?));
        match item.key.partition.as_slice() {
            partition if partition == BLOCKS || partition.starts_with(b"about:") => {
                number().is_some_and(|number| !number < first)
            }
            b"trail-section" => number().is_some_and(|number| number <= first),
            _ => false,
        }
    };
    all_items(engine).await.iter().filter(|item| begins_before(item)).count()
}

#[tokio::test]
async fn what_is_too_old_goes_and_the_trail_says_so() {
    let engine = Arc::<MemoryEngine>::default();
    of_days(&engine, 6).await;
    let store = process(&engine);
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let hearing = told.clone();
    let tell = Arc::new(move |what: &str| hearing.lock().unwrap().push(what.to_owned()));
    store.attend(AuditCare { tell, ..dropping(keeping(2), 6) });
    for _ in 0..20 {
        store.keep_up().await.unwrap();
    }
    let found = verified(&store, public(7)).await;
    assert_eq!(found.faults, []);
    let (last, until) = found.dropped.unwrap();
    assert_eq!((last + 1, until.unwrap().as_second()), (found.first, 3 * DAY));
    assert_eq!((found.events, all(&store).await.len()), (4, 4), "those of two days are left");
    assert_eq!(leftovers(&engine, &store).await, 0);
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains("dropped lines 1 to ") && !told.contains("nothing is dropped"), "{told}");
    // Another one that had signed a line that is dropped by now misses nothing.
    store.attend(dropping(keeping(2), 30));
    for day in 30..32 {
        store.add_audit_event(&event(day * DAY)).await.unwrap();
        store.attend(dropping(keeping(2), day));
        for _ in 0..10 {
            store.keep_up().await.unwrap();
        }
    }
    assert_eq!(verified(&store, public(7)).await.faults, []);
    assert_eq!(all(&store).await.len(), 2);
}

#[tokio::test]
async fn what_is_too_much_goes_but_for_what_is_written() {
    let engine = Arc::<MemoryEngine>::default();
    of_days(&engine, 6).await;
    let store = process(&engine);
    let size = async || blocks(&engine).await.iter().map(|(.., text)| text.len() as u64).sum::<u64>();
    let half = size().await / 2;
    store.drop_surplus(&dropping(Retention { age: None, bytes: Some(half) }, 0)).await.unwrap();
    // A section more goes than would have to, at most.
    assert!((half / 2..=half + 1_000).contains(&size().await), "{} of {half}", size().await);
    assert_eq!(verified(&store, public(7)).await.faults, []);
    store.drop_surplus(&dropping(Retention { age: None, bytes: Some(0) }, 0)).await.unwrap();
    let left: Vec<i64> = all(&store).await.iter().map(|it| it.event.time.as_second() / DAY).collect();
    assert_eq!(left, [5, 5], "what was written since the last section began");
    assert_eq!(verified(&store, public(7)).await.faults, []);
}

/// Clocks are set, forward and back.
#[tokio::test]
async fn a_clock_that_was_wrong_keeps_nothing_for_good_and_drops_nothing_that_is_new() {
    let engine = Arc::<MemoryEngine>::default();
    let store = process(&engine);
    for (day, of) in [(0, 0), (1, 90_000), (2, 2), (3, 0), (4, 4), (5, 5)] {
        store.attend(care(&keys(7), day * DAY));
        store.add_audit_event(&event(of * DAY)).await.unwrap();
        store.keep_up().await.unwrap();
    }
    store.drop_surplus(&dropping(keeping(2), 5)).await.unwrap();
    let left: Vec<i64> = all(&store).await.iter().map(|it| it.event.time.as_second() / DAY).collect();
    assert_eq!(left, [4, 5]);
}

/// Has the database fail as soon as something is deleted of the trail.
#[derive(Default)]
struct Failing(AtomicBool);

#[async_trait]
impl Coming for Failing {
    async fn come(&self, _: &Arc<MemoryEngine>, asked: Asked<'_>) -> Result<(), EngineError> {
        let Asked::Commit(_, changes) = asked else { return Ok(()) };
        let deletes =
            |change: &Change| change.key.partition == BLOCKS && matches!(change.effect, Effect::Delete);
        if changes.iter().any(deletes) {
            self.0.store(true, Ordering::SeqCst);
        }
        let is_failing = self.0.load(Ordering::SeqCst);
        if is_failing { Err(EngineError::Unavailable("it was killed".into())) } else { Ok(()) }
    }
}

#[tokio::test]
async fn whoever_is_killed_between_the_note_and_the_deletion_leaves_nothing_that_anybody_sees() {
    let engine = Arc::<MemoryEngine>::default();
    of_days(&engine, 6).await;
    let killed = Arc::new(Between { engine: engine.clone(), coming: Failing::default() });
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let killed = ItemStore::new(killed, clock, random, Arc::new(Yielding));
    killed.drop_surplus(&dropping(keeping(1), 6)).await.unwrap_err();

    let store = process(&engine);
    let first = store.audit_trail_extent().await.unwrap().first;
    assert!(first.0 > 1 && leftovers(&engine, &store).await > 0);
    assert!(all(&store).await.iter().all(|it| it.damaged == 0 && it.position >= first));
    let of_day_one = IdentityId::parse("us-east-1:001").unwrap();
    assert_eq!(store.list_audit_events(&AuditSubject::Identity(of_day_one), 10).await.unwrap(), []);
    let found = verified(&store, public(7)).await;
    assert_eq!((&found.faults[..], found.first), (&[][..], first.0));
    // Whoever comes next goes on.
    store.attend(dropping(keeping(1), 6));
    for _ in 0..20 {
        store.keep_up().await.unwrap();
    }
    assert_eq!(leftovers(&engine, &store).await, 0);
    assert_eq!(verified(&store, public(7)).await.faults, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_drop_and_write_at_once_leave_one_trail() {
    let engine = Arc::<MemoryEngine>::default();
    of_days(&engine, 12).await;
    let droppers = (0..4).map(|number| {
        let store = process(&engine);
        tokio::spawn(async move {
            store.attend(dropping(keeping(3), 12));
            for second in 0..20 {
                store.add_audit_event(&event(12 * DAY + number * 100 + second)).await.unwrap();
                store.keep_up().await.unwrap();
                let read = all(&store).await;
                assert!(read.iter().all(|it| it.damaged == 0), "{read:?}");
            }
            store.drop_surplus(&dropping(keeping(3), 12)).await.unwrap();
        })
    });
    for dropper in join_all(droppers).await {
        dropper.unwrap();
    }
    let store = process(&engine);
    assert_eq!(verified(&store, public(7)).await.faults, []);
    assert_eq!(all(&store).await.len(), 3 * 2 + 4 * 20);
    assert_eq!(leftovers(&engine, &store).await, 0);
}

/// The block that says last that something was dropped.
async fn note(engine: &MemoryEngine) -> (Key, Stamp, Vec<u8>) {
    let says = |text: &[u8]| text.windows(9).any(|part| part == b"\"dropped\"");
    blocks(engine).await.into_iter().find(|(.., text)| says(text)).unwrap()
}

#[tokio::test]
async fn a_note_that_somebody_wrote_or_took_away_is_found() {
    for attack in ["none", "a line further"] {
        let engine = Arc::<MemoryEngine>::default();
        of_days(&engine, 6).await;
        let store = process(&engine);
        store.drop_surplus(&dropping(keeping(2), 6)).await.unwrap();
        match attack {
            "none" => replace(&engine, &note(&engine).await, None).await,
            // More is taken away than is said.
            "a line further" => replace(&engine, blocks(&engine).await.last().unwrap(), None).await,
            _ => {}
        }
        let told: Vec<String> =
            verified(&store, public(7)).await.faults.iter().map(ToString::to_string).collect();
        assert!(!told.is_empty(), "{attack}");
    }
}

/// A configuration with the store of one installation and the master key of another.
#[tokio::test]
async fn whoever_has_another_installations_key_drops_nothing() {
    let engine = Arc::<MemoryEngine>::default();
    of_days(&engine, 6).await;
    let (store, before) = (process(&engine), all_items(&engine).await);
    let by = AuditCare { keep: keeping(2), ..care(&keys(8), 6 * DAY) };
    let refused = store.drop_surplus(&by).await.unwrap_err();
    assert!(format!("{refused:?}").contains("Signed"), "{refused:?}");
    assert_eq!(all_items(&engine).await, before);
}

#[tokio::test]
async fn nothing_is_dropped_of_what_is_not_as_it_was_written() {
    type Attack = fn(&mut Vec<u8>);
    let attacks: [(Attack, usize); 3] = [
        (|text| *text = String::from_utf8_lossy(text).replace("token", "tokex").into_bytes(), 1),
        (|text| text.clear(), 1),
        // The beginning says another link.
        (|text| *text = String::from_utf8_lossy(text).replace("\"trail\"", "\"trial\"").into_bytes(), 0),
    ];
    for (attack, from_the_end) in attacks {
        let engine = Arc::<MemoryEngine>::default();
        of_days(&engine, 6).await;
        let kept = blocks(&engine).await;
        let oldest = &kept[kept.len() - 1 - from_the_end];
        let mut text = oldest.2.clone();
        attack(&mut text);
        replace(&engine, oldest, Some(&text)).await;
        let store = process(&engine);
        let refused = store.drop_surplus(&dropping(keeping(2), 6)).await.unwrap_err();
        assert!(std::error::Error::source(&refused).unwrap().to_string().contains("nothing is dropped"));
        assert_eq!(store.audit_trail_extent().await.unwrap().first, EventPosition(1));
        // A server tells it once, and serves.
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let hearing = told.clone();
        let tell = Arc::new(move |what: &str| hearing.lock().unwrap().push(what.to_owned()));
        store.attend(AuditCare { tell, ..dropping(keeping(2), 6) });
        for _ in 0..5 {
            store.keep_up().await.unwrap();
        }
        assert_eq!(told.lock().unwrap().len(), 1);
        assert_eq!(blocks(&engine).await.iter().filter(|(key, ..)| key == &oldest.0).count(), 1);
    }
}

/// Whoever read it would find that it is not as it was written.
#[tokio::test]
async fn a_section_that_is_not_due_is_not_read() {
    let engine = Arc::<MemoryEngine>::default();
    of_days(&engine, 6).await;
    let (store, oldest) = (process(&engine), blocks(&engine).await.pop().unwrap());
    replace(&engine, &oldest, Some(b"of somebody else\n")).await;
    store.drop_surplus(&dropping(keeping(7), 6)).await.unwrap();
    store.drop_surplus(&dropping(keeping(2), 6)).await.unwrap_err();
}

/// Somebody writes where the trail begins, and would have the next server delete what is before it: nobody has signed that.
#[tokio::test]
async fn a_beginning_that_somebody_moved_is_found() {
    let engine = Arc::<MemoryEngine>::default();
    of_days(&engine, 6).await;
    let sections = engine.page(b"trail-section", None, 3).await.unwrap();
    let second = u64::from_be_bytes(sections[1].key.sort.as_slice().try_into().unwrap());
    begin_at(&engine, second).await;
    let store = process(&engine);
    let before = blocks(&engine).await;
    store.drop_surplus(&dropping(keeping(2), 6)).await.unwrap_err();
    assert_eq!(blocks(&engine).await, before);
    let told = verified(&store, public(7)).await.faults[0].to_string();
    assert!(told.contains("no key has signed that it was dropped"), "{told}");
}

/// Whoever found an old key has it signed. Neither retention believes it, nor does the key that comes next say it again.
#[tokio::test]
async fn a_beginning_that_a_key_of_before_has_signed_since_is_found() {
    let engine = Arc::<MemoryEngine>::default();
    of_days(&engine, 6).await;
    let store = process(&engine);
    let turn = async |current: u8, before: &[u8], day: i64| {
        let key = |byte: u8| MasterKey::new([byte; 32]);
        let keys = MasterKeys::new(key(current), before.iter().copied().map(key).collect());
        store.attend(care(&keys, day * DAY));
        store.add_audit_event(&event(day * DAY)).await.unwrap();
        store.keep_up().await.unwrap();
        keys
    };
    let of_now = turn(8, &[7], 6).await;
    assert_eq!(verified(&store, public(8)).await.faults, []);
    let sections = engine.page(b"trail-section", None, 3).await.unwrap();
    let second = u64::from_be_bytes(sections[1].key.sort.as_slice().try_into().unwrap());
    let begins = |text: &[u8]| {
        let line: Value = serde_json::from_slice(text.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
        (line["n"] == second).then(|| line["trail"].clone())
    };
    let beginning = blocks(&engine).await.iter().find_map(|(.., text)| begins(text)).unwrap();
    let text = |member: &str| beginning[member].as_str().unwrap().to_owned();
    let dropped =
        TrailDropped { trail: text("id"), first: 1, last: second - 1, chain: text("previous"), until: None };
    begin_at(&engine, second).await;
    let said = HeadKeys::of(&keys(7)).sign_dropped(&dropped);
    write_member(&engine, "dropped", json!(said)).await;
    let by = AuditCare { keep: keeping(2), ..care(&of_now, 6 * DAY) };
    store.drop_surplus(&by).await.unwrap_err();
    turn(9, &[8, 7], 7).await;
    let told = verified(&store, public(9)).await.faults[0].to_string();
    assert!(told.contains("no key has signed that it was dropped"), "{told}");
}

/// What a key has signed to be dropped is believed when that is gone, and the next one too.
#[tokio::test]
async fn keys_are_rotated_and_taken_away_and_what_is_too_old_goes() {
    let engine = Arc::<MemoryEngine>::default();
    of_days(&engine, 4).await;
    let store = process(&engine);
    store.drop_surplus(&dropping(keeping(2), 4)).await.unwrap();
    let first = async || store.audit_trail_extent().await.unwrap().first;
    let mut begins = first().await;
    for (day, current, before) in [(5, 8, Some(7)), (6, 8, None), (7, 9, Some(8)), (8, 9, None)] {
        let key = |byte: u8| MasterKey::new([byte; 32]);
        let keys = MasterKeys::new(key(current), before.map(key).into_iter().collect());
        let keeps = Retention::default();
        for keep in [keeps, keeping(if before.is_some() { 10 } else { 2 })] {
            store.attend(AuditCare { keep, ..care(&keys, day * DAY) });
            store.add_audit_event(&event(day * DAY)).await.unwrap();
            store.keep_up().await.unwrap();
        }
        if before.is_none() {
            store.drop_surplus(&AuditCare { keep: keeping(2), ..care(&keys, day * DAY) }).await.unwrap();
            assert!(first().await > begins, "on day {day}");
            begins = first().await;
        }
        assert_eq!(verified(&store, public(current)).await.faults, [], "on day {day}");
    }
}
