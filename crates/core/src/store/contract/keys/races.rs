//! Keys when many ask at once.

use crate::store::contract::fixture::{access_key, race, signing_key};
use crate::store::{AccessKeyOutcome, SharedStore};

pub async fn racing_starts_agree_on_the_signing_key(store: SharedStore) {
    let answers = race((0..32).map(|number| {
        let store = store.clone();
        async move { store.add_signing_key(&signing_key(number), &[]).await.unwrap() }
    }))
    .await;
    assert_eq!(answers[0].len(), 1);
    assert!(answers.iter().all(|keys| *keys == answers[0]));
    assert_eq!(store.list_signing_keys().await.unwrap(), answers[0]);
}

pub async fn racing_rotations_make_one_signing_key(store: SharedStore) {
    store.add_signing_key(&signing_key(0), &[]).await.unwrap();
    let answers = race((1..33).map(|number| {
        let store = store.clone();
        async move { store.add_signing_key(&signing_key(number), &["key-0".into()]).await.unwrap() }
    }))
    .await;
    assert_eq!(answers[0].len(), 2);
    assert!(answers.iter().all(|keys| *keys == answers[0]));
}

pub async fn racing_starts_agree_on_the_access_key(store: SharedStore) {
    let keys = race((0..32).map(|number| {
        let store = store.clone();
        async move { store.find_or_add_access_key(&access_key(number, "up")).await.unwrap() }
    }))
    .await;
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert_eq!(store.lookup_access_key(&keys[0].id).await.unwrap().as_ref(), Some(&keys[0]));
}

pub async fn racing_rotations_leave_two_enabled_access_keys(store: SharedStore) {
    store.add_first_access_key(&access_key(0, "up")).await.unwrap();
    let outcomes = race((1..33).map(|number| {
        let store = store.clone();
        async move { store.add_further_access_key(&access_key(number, "up")).await.unwrap() }
    }))
    .await;
    let added = |outcome: &&AccessKeyOutcome| matches!(outcome, AccessKeyOutcome::Done(_));
    assert_eq!(outcomes.iter().filter(added).count(), 1);
    assert_eq!(store.list_access_keys().await.unwrap().len(), 2);
}

pub async fn a_rotation_racing_with_an_enabling_leaves_two_enabled_access_keys(store: SharedStore) {
    for round in 0..10 {
        let (name, number) = (format!("up{round}"), round * 4);
        let [old, current, next] = [0, 1, 2].map(|step| access_key(number + step, &name));
        store.add_first_access_key(&old).await.unwrap();
        store.set_access_key_enabled(&old.id, false).await.unwrap();
        store.add_further_access_key(&current).await.unwrap();
        let questions = [true, false].map(|rotate| {
            let (store, old, next) = (store.clone(), old.clone(), next.clone());
            async move {
                let asked = if rotate {
                    store.add_further_access_key(&next).await
                } else {
                    store.set_access_key_enabled(&old.id, true).await
                };
                asked.unwrap()
            }
        });
        let outcomes = race(questions).await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == AccessKeyOutcome::TooMany).count(), 1);
        let keys = store.list_access_keys().await.unwrap();
        let enabled = keys.iter().filter(|key| key.name == old.name && key.enabled);
        assert_eq!(enabled.count(), 2);
    }
}

pub async fn of_racing_first_access_keys_of_one_name_one_is_kept(store: SharedStore) {
    let outcomes = race((0..32).map(|number| {
        let store = store.clone();
        async move { store.add_first_access_key(&access_key(number, "up")).await.unwrap() }
    }))
    .await;
    let kept = store.list_access_keys().await.unwrap();
    assert_eq!(kept.len(), 1);
    let winners = outcomes.iter().filter(|outcome| **outcome == AccessKeyOutcome::Done(kept[0].clone()));
    assert_eq!(winners.count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == AccessKeyOutcome::NameTaken).count(), 31);
}
