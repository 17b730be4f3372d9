use std::sync::Arc;

use daypass_core::store::SharedStore;
use daypass_core::store::memory::MemoryStore;
use daypass_store::{SqliteStore, trail_folder};

use super::super::testing::{Scripted, TAKEN, counted, exporter, keep, position};
use super::*;
use crate::metrics::Metrics;

fn store() -> SharedStore {
    Arc::new(MemoryStore::new())
}

fn away() -> Answer {
    Answer::Away("timed out".into())
}

/// Goes on until everything is exported, or something hinders it.
async fn all(exporter: &mut Exporter) -> Result<(), Hindrance> {
    while exporter.go_on().await? == Progress::GoneOn {}
    Ok(())
}

#[tokio::test]
async fn everything_is_delivered_once_and_in_its_order() {
    let (store, metrics) = (store(), Metrics::default());
    let receiver = Scripted::answering([]);
    let mut exporter = exporter(&store, &receiver, &metrics);
    keep(&store, 1..=600).await;
    all(&mut exporter).await.unwrap();
    let brought = receiver.brought();
    assert!(brought.iter().all(|batch| batch.len() <= MAX_EVENTS));
    assert!(brought.concat().into_iter().eq(1..=600));
    keep(&store, [601]).await;
    all(&mut exporter).await.unwrap();
    assert_eq!(receiver.brought(), [[601]]);
    assert_eq!(exporter.go_on().await.unwrap(), Progress::UpToDate);
}

#[tokio::test]
async fn a_batch_has_only_so_many_bytes() {
    let store = store();
    let receiver = Scripted::answering([]);
    let long = AuditEvent { user_agent: Some("x".repeat(MAX_BYTES / 5)), ..super::super::testing::event(1) };
    store.add_audit_events(&vec![long; 6]).await.unwrap();
    all(&mut exporter(&store, &receiver, &Metrics::default())).await.unwrap();
    // Each has its user agent twice: for whoever knows OCSF, and as it is kept.
    assert_eq!(receiver.brought().iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2]);
}

#[tokio::test]
async fn nothing_is_lost_while_the_receiver_is_away() {
    let (store, metrics) = (store(), Metrics::default());
    let receiver = Scripted::answering([TAKEN, away(), away()]);
    let mut exporter = exporter(&store, &receiver, &metrics);
    keep(&store, 1..=2).await;
    all(&mut exporter).await.unwrap();
    keep(&store, 3..=4).await;
    assert_eq!(all(&mut exporter).await.unwrap_err().to_string(), "timed out");
    assert_eq!((counted(&metrics, "lag_lines"), counted(&metrics, "lag_seconds")), (2, 97));
    keep(&store, 5..=5).await;
    assert!(all(&mut exporter).await.is_err());
    all(&mut exporter).await.unwrap();
    assert_eq!(receiver.brought(), [vec![1, 2], vec![3, 4], vec![3, 4, 5], vec![3, 4, 5]]);
    assert_eq!((counted(&metrics, "lag_lines"), counted(&metrics, "lag_seconds")), (0, 0));
    let position = position(&store).await;
    assert_eq!((position.line.0, position.refused, position.dropped), (5, 0, 0));
}

#[tokio::test]
async fn what_was_taken_and_not_noted_is_delivered_again_by_whoever_comes_after() {
    let (store, metrics) = (store(), Metrics::default());
    keep(&store, 1..=3).await;
    let receiver = Scripted::answering([]);
    // The process ends while the receiver has it, and nothing is noted.
    let killed = exporter(&store, &receiver, &metrics);
    let (begun, _) = killed.bookmark.find().await.unwrap();
    let batch = Batch::of(&begun.trail, killed.read(begun.line, 2).await.unwrap(), MAX_BYTES).unwrap();
    assert_eq!(killed.receiver.deliver(&batch).await, TAKEN);
    drop(killed);
    all(&mut exporter(&store, &receiver, &metrics)).await.unwrap();
    assert_eq!(receiver.brought(), [vec![1, 2], vec![1, 2, 3]]);
}

#[tokio::test]
async fn two_servers_that_export_the_same_take_nothing_back_from_each_other() {
    let (store, metrics) = (store(), Metrics::default());
    let receiver = Scripted::answering([]);
    let [slow, mut quick] = [(); 2].map(|()| exporter(&store, &receiver, &metrics));
    keep(&store, 1..=2).await;
    let (found, _) = slow.bookmark.find().await.unwrap();
    all(&mut quick).await.unwrap();
    slow.bookmark.go_to(&found, EventPosition(1), 0).await.unwrap();
    assert_eq!(position(&store).await.line, EventPosition(2));
}

/// Else what somebody took out of the files would be missed by nobody.
#[tokio::test]
async fn lines_that_are_missing_from_the_files_are_counted_once() {
    let (directory, metrics) = (tempfile::tempdir().unwrap(), Metrics::default());
    let path = directory.path().join("daypass.db");
    let store: SharedStore = Arc::new(SqliteStore::open(&path).unwrap());
    let receiver = Scripted::answering([away()]);
    exporter(&store, &receiver, &metrics).bookmark.find().await.unwrap();
    keep(&store, 1..=9).await;
    let file = trail_folder(&path).join("000000000001.jsonl");
    let whole = std::fs::read_to_string(&file).unwrap();
    let left = whole.split_inclusive('\n').enumerate().filter(|(number, _)| ![3, 4].contains(number));
    std::fs::write(&file, left.map(|(_, line)| line).collect::<String>()).unwrap();
    let mut exporter = exporter(&store, &receiver, &metrics);
    assert!(all(&mut exporter).await.is_err());
    all(&mut exporter).await.unwrap();
    assert_eq!(receiver.brought().last(), Some(&vec![1, 2, 5, 6, 7, 8, 9]));
    assert_eq!(counted(&metrics, "damaged_total"), 2);
}

#[tokio::test]
async fn an_event_that_is_refused_for_good_holds_up_no_other_and_is_counted() {
    let (store, metrics) = (store(), Metrics::default());
    let receiver = Scripted::refusing(&[5]);
    keep(&store, 1..=100).await;
    all(&mut exporter(&store, &receiver, &metrics)).await.unwrap();
    let mut taken: Vec<_> = receiver.brought().into_iter().filter(|it| !it.contains(&5)).flatten().collect();
    taken.dedup();
    assert!(taken.into_iter().eq((1..=100).filter(|number| *number != 5)));
    assert_eq!(position(&store).await.refused, 1);
    assert_eq!(counted(&metrics, "refused_total"), 1);
}

#[tokio::test]
async fn the_newest_event_waits_for_a_later_one_if_it_is_refused() {
    let (store, metrics) = (store(), Metrics::default());
    let receiver = Scripted::refusing(&[2]);
    let mut exporter = exporter(&store, &receiver, &metrics);
    keep(&store, 1..=2).await;
    let hindrance = all(&mut exporter).await.unwrap_err().to_string();
    assert_eq!(hindrance, "it refuses every event: it answered 400");
    assert_eq!(position(&store).await.line, EventPosition(1));
    keep(&store, 3..=3).await;
    all(&mut exporter).await.unwrap();
    let position = position(&store).await;
    assert_eq!((position.line.0, position.refused), (3, 1));
}

#[tokio::test]
async fn a_receiver_that_refuses_everything_loses_nothing() {
    let (store, metrics) = (store(), Metrics::default());
    let wrong_secret = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_wrong = wrong_secret.clone();
    let receiver = Scripted::deciding(move |_| {
        if is_wrong.load(std::sync::atomic::Ordering::SeqCst) {
            Answer::Refused("it answered 400".into())
        } else {
            TAKEN
        }
    });
    let mut exporter = exporter(&store, &receiver, &metrics);
    keep(&store, 1..=300).await;
    for _ in 0..3 {
        assert!(all(&mut exporter).await.is_err());
    }
    let asked = receiver.brought().len();
    assert!(asked <= 8 + 3 * (MAX_REFUSED + 1), "{asked}");
    assert_eq!(position(&store).await.line, EventPosition(0));
    wrong_secret.store(false, std::sync::atomic::Ordering::SeqCst);
    all(&mut exporter).await.unwrap();
    assert!(receiver.brought().concat().into_iter().eq(1..=300));
    assert_eq!(position(&store).await.refused, 0);
}

#[tokio::test]
async fn many_refused_events_in_a_row_are_passed_over_once_the_newest_is_taken() {
    let (store, metrics) = (store(), Metrics::default());
    let receiver = Scripted::deciding(|batch| {
        let is_bad = batch.iter().any(|number| (10..60).contains(number));
        if is_bad { Answer::Refused("it answered 413".into()) } else { TAKEN }
    });
    keep(&store, 1..=70).await;
    all(&mut exporter(&store, &receiver, &metrics)).await.unwrap();
    let position = position(&store).await;
    assert_eq!((position.line.0, position.refused), (70, 50));
}

#[tokio::test]
async fn a_receiver_that_goes_away_while_it_refuses_has_refused_nothing_for_good() {
    let (store, metrics) = (store(), Metrics::default());
    let refused = || Answer::Refused("it answered 400".into());
    let receiver = Scripted::answering([refused(), refused(), away()]);
    let mut exporter = exporter(&store, &receiver, &metrics);
    keep(&store, 1..=2).await;
    assert!(all(&mut exporter).await.is_err());
    all(&mut exporter).await.unwrap();
    assert_eq!(receiver.brought(), [vec![1, 2], vec![1], vec![2], vec![1], vec![2]]);
    assert_eq!(position(&store).await.refused, 0);
}

#[tokio::test]
async fn records_that_a_collector_takes_out_are_counted_and_not_sent_again() {
    let (store, metrics) = (store(), Metrics::default());
    let receiver = Scripted::answering([Answer::Taken { refused: 2 }]);
    keep(&store, 1..=5).await;
    all(&mut exporter(&store, &receiver, &metrics)).await.unwrap();
    assert_eq!(receiver.brought().len(), 1);
    assert_eq!(position(&store).await.refused, 2);
    assert_eq!(counted(&metrics, "refused_total"), 2);
}
