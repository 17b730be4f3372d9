//! Positions of exporters.

use super::fixture::{ODD_TEXT, instant, race};
use crate::store::{EventPosition, ExportPosition, SharedStore};

pub async fn an_exporter_that_never_began_is_nowhere(store: SharedStore) {
    assert_eq!(store.find_export_position("siem").await.unwrap(), None);
}

pub async fn an_export_position_comes_back_as_it_was_kept(store: SharedStore) {
    let full = ExportPosition {
        trail: ODD_TEXT.into(),
        line: EventPosition(u64::from(u32::MAX) * 1_000),
        moved_at: instant(1_234),
        refused: 7,
        dropped: 11,
    };
    assert!(store.move_export_position(ODD_TEXT, None, &full).await.unwrap());
    assert_eq!(store.find_export_position(ODD_TEXT).await.unwrap(), Some(full));
}

pub async fn an_exporter_goes_on_from_where_it_is_alone(store: SharedStore) {
    let [first, second, third] = [at("a", 1), at("a", 2), at("b", 1)];
    let moved = async |from: Option<&ExportPosition>, to: &ExportPosition| {
        store.move_export_position("siem", from, to).await.unwrap()
    };
    assert!(!moved(Some(&first), &second).await, "it never began");
    assert!(moved(None, &first).await);
    assert!(!moved(None, &second).await, "it began already");
    assert!(moved(Some(&first), &second).await);
    assert!(!moved(Some(&first), &third).await, "it has gone on");
    assert!(!moved(Some(&at("b", 2)), &third).await, "the same line of another trail");
    assert_eq!(store.find_export_position("siem").await.unwrap(), Some(second.clone()));
    assert!(moved(Some(&second), &third).await, "another trail, and a line before");
    assert_eq!(store.find_export_position("siem").await.unwrap(), Some(third));
}

pub async fn each_exporter_has_a_position_of_its_own(store: SharedStore) {
    for (name, line) in [("siem", 1), ("SIEM", 2), ("siem ", 3)] {
        assert!(store.move_export_position(name, None, &at("a", line)).await.unwrap());
    }
    for (name, line) in [("siem", 1), ("SIEM", 2), ("siem ", 3)] {
        assert_eq!(store.find_export_position(name).await.unwrap(), Some(at("a", line)));
    }
}

pub async fn of_racing_moves_of_one_exporter_one_counts(store: SharedStore) {
    let begun = at("a", 1);
    assert!(store.move_export_position("siem", None, &begun).await.unwrap());
    let moves = (2..18).map(|line| {
        let (store, from) = (store.clone(), begun.clone());
        async move { store.move_export_position("siem", Some(&from), &at("a", line)).await.unwrap() }
    });
    assert_eq!(race(moves).await.into_iter().filter(|moved| *moved).count(), 1);
}

fn at(trail: &str, line: u64) -> ExportPosition {
    ExportPosition {
        trail: trail.into(),
        line: EventPosition(line),
        moved_at: instant(0),
        refused: 0,
        dropped: 0,
    }
}
