use daypass_core::store::Page;
use daypass_core::store::memory::MemoryStore;

use super::super::testing::{counted, keep};
use super::*;
use crate::metrics::Metrics;

/// So many events a store in memory keeps.
const KEPT: u64 = 10_000;

struct Fixture {
    store: SharedStore,
    metrics: Metrics,
}

impl Fixture {
    fn new() -> Self {
        Self { store: Arc::new(MemoryStore::new()), metrics: Metrics::default() }
    }

    fn bookmark(&self, from: Beginning) -> Bookmark {
        Bookmark {
            exporter: "siem".into(),
            from,
            store: self.store.clone(),
            clock: Arc::new(daypass_core::ground::clock::ManualClock::at_second(7)),
            metrics: self.metrics.of_exporter("siem"),
        }
    }

    async fn found(&self, from: Beginning) -> ExportPosition {
        self.bookmark(from).find().await.unwrap().0
    }

    async fn put(&self, position: &ExportPosition) {
        let kept = self.store.find_export_position("siem").await.unwrap();
        assert!(self.store.move_export_position("siem", kept.as_ref(), position).await.unwrap());
    }
}

#[tokio::test]
async fn a_new_exporter_begins_with_what_comes_or_with_what_is_left() {
    for (from, line) in [(Beginning::Newest, KEPT + 3), (Beginning::Beginning, 3)] {
        let fixture = Fixture::new();
        keep(&fixture.store, 1..=KEPT + 3).await;
        let found = fixture.found(from).await;
        assert_eq!((found.line.0, found.dropped, found.moved_at.as_second()), (line, 0, 7));
        keep(&fixture.store, [KEPT + 4]).await;
        assert_eq!(fixture.found(Beginning::Newest).await, found, "it has begun");
    }
}

#[tokio::test]
async fn what_the_trail_dropped_before_it_was_read_is_told_with_how_much_it_was() {
    let fixture = Fixture::new();
    keep(&fixture.store, 1..=2).await;
    let begun = fixture.found(Beginning::Newest).await;
    keep(&fixture.store, 3..=KEPT + 5).await;
    let bookmark = fixture.bookmark(Beginning::Newest);
    let page = Page { after: Some(begun.line), limit: 10 };
    let found = fixture.store.audit_events_after(page).await.unwrap();
    let position = bookmark.pass_dropped(begun, &found).await.unwrap();
    assert_eq!((position.line.0, position.dropped), (5, 3), "3, 4 and 5");
    assert_eq!(counted(&fixture.metrics, "dropped_total"), 3);
    assert_eq!(fixture.found(Beginning::Newest).await, position);
    assert_eq!(bookmark.pass_dropped(position.clone(), &found).await.unwrap(), position);
}

#[tokio::test]
async fn what_was_read_in_time_was_not_dropped() {
    let fixture = Fixture::new();
    let begun = fixture.found(Beginning::Newest).await;
    keep(&fixture.store, 1..=2).await;
    let page = Page { after: Some(begun.line), limit: 10 };
    let found = fixture.store.audit_events_after(page).await.unwrap();
    keep(&fixture.store, 3..=KEPT + 5).await;
    let position = fixture.bookmark(Beginning::Newest).pass_dropped(begun.clone(), &found).await.unwrap();
    assert_eq!(position, begun);
}

#[tokio::test]
async fn another_trail_is_exported_whole() {
    let fixture = Fixture::new();
    keep(&fixture.store, 1..=3).await;
    let begun = fixture.found(Beginning::Newest).await;
    fixture.put(&ExportPosition { trail: "of before".into(), refused: 7, ..begun.clone() }).await;
    let found = fixture.found(Beginning::Newest).await;
    assert_eq!((found.line.0, found.refused), (0, 7));
    assert_eq!(found.trail, begun.trail);
}

/// Else new events would take the numbers of those that it is done with, and never leave.
#[tokio::test]
async fn of_a_trail_that_lost_its_end_nothing_new_is_skipped() {
    let fixture = Fixture::new();
    keep(&fixture.store, 1..=3).await;
    let begun = fixture.found(Beginning::Newest).await;
    fixture.put(&ExportPosition { line: EventPosition(9), ..begun }).await;
    assert_eq!(fixture.found(Beginning::Newest).await.line, EventPosition(3));
    let extent = fixture.store.audit_trail_extent().await.unwrap();
    assert_eq!(fixture.store.find_export_position("siem").await.unwrap().unwrap().line, extent.last);
}
