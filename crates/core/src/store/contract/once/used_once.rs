//! Names that count once.

use crate::store::SharedStore;
use crate::store::contract::fixture::{instant, race};

pub async fn a_name_counts_once(store: SharedStore) {
    assert!(store.use_once("a", instant(1000), instant(0)).await.unwrap());
    assert!(!store.use_once("a", instant(1000), instant(0)).await.unwrap());
    assert!(!store.use_once("a", instant(9000), instant(999)).await.unwrap());
}

pub async fn names_count_apart_if_a_byte_differs(store: SharedStore) {
    for name in ["a", "A", "a ", "á", ""] {
        assert!(store.use_once(name, instant(1000), instant(0)).await.unwrap(), "{name:?}");
    }
}

pub async fn a_name_is_forgotten_at_its_end_and_not_before(store: SharedStore) {
    assert!(store.use_once("a", instant(1000), instant(0)).await.unwrap());
    assert!(store.use_once("a", instant(2000), instant(1000)).await.unwrap());
    assert!(!store.use_once("a", instant(3000), instant(1999)).await.unwrap());
}

pub async fn who_comes_second_does_not_make_a_name_last_longer(store: SharedStore) {
    assert!(store.use_once("a", instant(1000), instant(0)).await.unwrap());
    assert!(!store.use_once("a", instant(9000), instant(999)).await.unwrap());
    assert!(store.use_once("a", instant(2000), instant(1000)).await.unwrap());
}

pub async fn names_that_ended_take_no_living_ones_along(store: SharedStore) {
    assert!(store.use_once("long", instant(1_000_000), instant(0)).await.unwrap());
    for name in 0..50 {
        assert!(store.use_once(&format!("short {name}"), instant(1), instant(0)).await.unwrap());
    }
    assert!(store.use_once("later", instant(2000), instant(1000)).await.unwrap());
    assert!(!store.use_once("long", instant(1_000_000), instant(1000)).await.unwrap());
}

pub async fn of_many_who_race_for_one_name_one_is_first(store: SharedStore) {
    for round in 0..10 {
        let askers = (0..16).map(|_| {
            let (store, name) = (store.clone(), format!("round {round}"));
            async move { store.use_once(&name, instant(1000), instant(0)).await.unwrap() }
        });
        assert_eq!(race(askers).await.into_iter().filter(|first| *first).count(), 1);
    }
}
