//! Signing keys and developer access keys.

mod races;

use std::slice;

pub use self::races::*;
use super::fixture::{access_key, instant, signing_key};
use crate::records::signing_algorithm::Algorithm;
use crate::store::{AccessKeyOutcome as Outcome, SharedStore, StoredAccessKey, StoredSigningKey};

pub async fn the_first_signing_key_of_an_algorithm_is_everybodys(store: SharedStore) {
    let [first, second] = [signing_key(1), signing_key(2)];
    assert_eq!(store.add_signing_key(&first, &[]).await.unwrap(), slice::from_ref(&first));
    assert_eq!(store.add_signing_key(&second, &[]).await.unwrap(), slice::from_ref(&first));
    let other = StoredSigningKey { algorithm: Algorithm::Es256, ..second };
    assert_eq!(store.add_signing_key(&other, &[]).await.unwrap(), [first.clone(), other.clone()]);
    assert_eq!(store.list_signing_keys().await.unwrap(), [first, other]);
}

pub async fn a_signing_key_follows_those_that_were_seen(store: SharedStore) {
    let [first, second, third] = [signing_key(1), signing_key(2), signing_key(3)];
    store.add_signing_key(&first, &[]).await.unwrap();
    for seen in [vec![], vec!["key-2".into()], vec![String::new()]] {
        let listed = store.add_signing_key(&second, &seen).await.unwrap();
        assert_eq!(listed, slice::from_ref(&first), "{seen:?}");
    }
    let both = [first.clone(), second.clone()];
    assert_eq!(store.add_signing_key(&second, &["key-1".into()]).await.unwrap(), both);
    assert_eq!(store.add_signing_key(&third, &["key-1".into()]).await.unwrap(), both);
    let same_id = StoredSigningKey { key_id: "key-1".into(), ..third };
    let seen = ["key-1".into(), "key-2".into()];
    assert_eq!(store.add_signing_key(&same_id, &seen).await.unwrap(), both);
    assert_eq!(store.add_signing_key(&signing_key(3), &seen).await.unwrap().len(), 3);
}

/// Another one may sign before what a clock that was ahead has made, and one alone.
pub async fn a_signing_key_may_sign_before_one_that_was_seen(store: SharedStore) {
    let [first, second, third] = [signing_key(1), signing_key(2), signing_key(3)];
    store.add_signing_key(&third, &[]).await.unwrap();
    let both = [first.clone(), third.clone()];
    assert_eq!(store.add_signing_key(&first, &["key-3".into()]).await.unwrap(), both);
    assert_eq!(store.add_signing_key(&second, &["key-3".into()]).await.unwrap(), both);
    let seen = ["key-3".into(), "key-1".into(), "key-that-is-gone".into()];
    assert_eq!(store.add_signing_key(&second, &seen).await.unwrap(), [first, second, third]);
}

/// Which signs last, decides when they sign, and not when they were made.
pub async fn signing_keys_are_listed_by_when_they_sign(store: SharedStore) {
    let early = signing_key(9);
    let late = StoredSigningKey { created_at: instant(0), signs_from: instant(5_000), ..signing_key(1) };
    store.add_signing_key(&early, &[]).await.unwrap();
    let listed = store.add_signing_key(&late, &["key-9".into()]).await.unwrap();
    assert_eq!(listed, [early, late]);
    assert_eq!(store.list_signing_keys().await.unwrap(), listed);
}

pub async fn signing_keys_that_are_over_are_forgotten(store: SharedStore) {
    let [first, second] = [signing_key(1), signing_key(2)];
    store.add_signing_key(&first, &[]).await.unwrap();
    store.add_signing_key(&second, &["key-1".into()]).await.unwrap();
    store.delete_signing_keys(&["key-1".into(), "key-7".into()]).await.unwrap();
    assert_eq!(store.list_signing_keys().await.unwrap(), [second]);
    store.delete_signing_keys(&[]).await.unwrap();
}

pub async fn a_rehearsal_leaves_the_signing_keys_as_they_are(store: SharedStore) {
    store.rehearse_signing_key().await.unwrap();
    assert_eq!(store.list_signing_keys().await.unwrap(), []);
    let listed = store.add_signing_key(&signing_key(1), &[]).await.unwrap();
    store.rehearse_signing_key().await.unwrap();
    assert_eq!(store.list_signing_keys().await.unwrap(), listed);
}

pub async fn a_store_without_signing_keys_lists_none(store: SharedStore) {
    assert_eq!(store.list_signing_keys().await.unwrap(), []);
}

pub async fn an_access_key_comes_back_as_it_was_added(store: SharedStore) {
    let key = access_key(1, "+=,.@-_Az09");
    assert_eq!(store.find_or_add_access_key(&key).await.unwrap(), key);
    assert_eq!(store.lookup_access_key(&key.id).await.unwrap(), Some(key));
}

pub async fn the_first_access_key_of_a_name_is_everybodys(store: SharedStore) {
    let [first, second] = [access_key(1, "up"), access_key(2, "up")];
    store.find_or_add_access_key(&first).await.unwrap();
    assert_eq!(store.find_or_add_access_key(&second).await.unwrap(), first);
    assert_eq!(store.lookup_access_key(&second.id).await.unwrap(), None);
}

pub async fn access_keys_of_two_names_are_two(store: SharedStore) {
    let [first, second] = [access_key(1, "up"), access_key(2, "Up")];
    assert_eq!(store.find_or_add_access_key(&first).await.unwrap(), first);
    assert_eq!(store.find_or_add_access_key(&second).await.unwrap(), second);
}

pub async fn an_unknown_access_key_is_none(store: SharedStore) {
    assert_eq!(store.lookup_access_key(&access_key(1, "up").id).await.unwrap(), None);
}

pub async fn a_taken_access_key_id_is_refused_and_the_key_stays(store: SharedStore) {
    let key = access_key(1, "up");
    store.find_or_add_access_key(&key).await.unwrap();
    let thief = StoredAccessKey { id: key.id.clone(), ..access_key(2, "thief") };
    store.find_or_add_access_key(&thief).await.unwrap_err();
    assert_eq!(store.lookup_access_key(&key.id).await.unwrap(), Some(key));
}

pub async fn a_start_takes_the_oldest_enabled_access_key_of_its_name(store: SharedStore) {
    let [first, second, third] = [1, 2, 3].map(|number| access_key(number, "up"));
    store.add_first_access_key(&second).await.unwrap();
    let Outcome::Done(older) = store.add_further_access_key(&first).await.unwrap() else {
        panic!("one key leaves room for another")
    };
    assert_eq!(store.find_or_add_access_key(&third).await.unwrap(), older);
    store.set_access_key_enabled(&first.id, false).await.unwrap();
    assert_eq!(store.find_or_add_access_key(&third).await.unwrap(), second);
    store.set_access_key_enabled(&second.id, false).await.unwrap();
    let added = StoredAccessKey { policy: second.policy, ..third.clone() };
    assert_eq!(store.find_or_add_access_key(&third).await.unwrap(), added);
    assert_eq!(store.lookup_access_key(&third.id).await.unwrap(), Some(added));
}

pub async fn a_name_has_one_first_access_key(store: SharedStore) {
    let [first, second] = [access_key(1, "up"), access_key(2, "up")];
    assert_eq!(store.add_first_access_key(&first).await.unwrap(), Outcome::Done(first.clone()));
    assert_eq!(store.add_first_access_key(&second).await.unwrap(), Outcome::NameTaken);
    store.set_access_key_enabled(&first.id, false).await.unwrap();
    assert_eq!(store.add_first_access_key(&second).await.unwrap(), Outcome::NameTaken);
    assert_eq!(store.list_access_keys().await.unwrap(), [StoredAccessKey { enabled: false, ..first }]);
}

pub async fn a_further_access_key_has_the_policy_of_its_name(store: SharedStore) {
    let [first, second] = [access_key(1, "up"), access_key(2, "up")];
    store.add_first_access_key(&first).await.unwrap();
    let further = StoredAccessKey { policy: first.policy.clone(), ..second.clone() };
    assert_eq!(store.add_further_access_key(&second).await.unwrap(), Outcome::Done(further.clone()));
    assert_eq!(store.lookup_access_key(&second.id).await.unwrap(), Some(further));
}

pub async fn no_further_access_key_without_a_first(store: SharedStore) {
    store.add_first_access_key(&access_key(1, "Up")).await.unwrap();
    assert_eq!(store.add_further_access_key(&access_key(2, "up")).await.unwrap(), Outcome::Unknown);
    assert_eq!(store.list_access_keys().await.unwrap(), [access_key(1, "Up")]);
}

pub async fn a_third_access_key_waits_until_one_is_disabled(store: SharedStore) {
    let [first, second, third] = [1, 2, 3].map(|number| access_key(number, "up"));
    store.add_first_access_key(&first).await.unwrap();
    store.add_further_access_key(&second).await.unwrap();
    assert_eq!(store.add_further_access_key(&third).await.unwrap(), Outcome::TooMany);
    assert_eq!(store.lookup_access_key(&third.id).await.unwrap(), None);
    store.set_access_key_enabled(&first.id, false).await.unwrap();
    assert!(matches!(store.add_further_access_key(&third).await.unwrap(), Outcome::Done(_)));
    assert_eq!(store.set_access_key_enabled(&first.id, true).await.unwrap(), Outcome::TooMany);
    assert!(!store.lookup_access_key(&first.id).await.unwrap().unwrap().enabled);
}

pub async fn a_taken_access_key_id_is_refused_to_a_further_key_too(store: SharedStore) {
    let [key, other] = [access_key(1, "up"), access_key(2, "other")];
    store.add_first_access_key(&key).await.unwrap();
    store.add_first_access_key(&other).await.unwrap();
    let thief = StoredAccessKey { id: key.id.clone(), ..access_key(3, "other") };
    store.add_further_access_key(&thief).await.unwrap_err();
    let newcomer = StoredAccessKey { id: key.id.clone(), ..access_key(3, "newcomer") };
    store.add_first_access_key(&newcomer).await.unwrap_err();
    assert_eq!(store.list_access_keys().await.unwrap(), [other, key]);
    // Nothing is left of the newcomer: the name is free.
    let newcomer = access_key(3, "newcomer");
    assert_eq!(store.add_first_access_key(&newcomer).await.unwrap(), Outcome::Done(newcomer));
}

pub async fn an_access_key_is_disabled_and_enabled_again(store: SharedStore) {
    let (key, other) = (access_key(1, "up"), access_key(2, "other"));
    store.add_first_access_key(&key).await.unwrap();
    store.add_first_access_key(&other).await.unwrap();
    let disabled = StoredAccessKey { enabled: false, ..key.clone() };
    for _ in 0..2 {
        let outcome = store.set_access_key_enabled(&key.id, false).await.unwrap();
        assert_eq!(outcome, Outcome::Done(disabled.clone()));
        assert_eq!(store.lookup_access_key(&key.id).await.unwrap(), Some(disabled.clone()));
    }
    for _ in 0..2 {
        assert_eq!(store.set_access_key_enabled(&key.id, true).await.unwrap(), Outcome::Done(key.clone()));
        assert_eq!(store.lookup_access_key(&key.id).await.unwrap(), Some(key.clone()));
    }
    assert_eq!(store.lookup_access_key(&other.id).await.unwrap(), Some(other));
}

pub async fn both_enabled_access_keys_may_be_enabled_again(store: SharedStore) {
    let [first, second] = [access_key(1, "up"), access_key(2, "up")];
    store.add_first_access_key(&first).await.unwrap();
    store.add_further_access_key(&second).await.unwrap();
    let outcome = store.set_access_key_enabled(&first.id, true).await.unwrap();
    assert_eq!(outcome, Outcome::Done(first));
}

pub async fn an_unknown_access_key_is_neither_enabled_nor_deleted(store: SharedStore) {
    let id = access_key(1, "up").id;
    assert_eq!(store.set_access_key_enabled(&id, true).await.unwrap(), Outcome::Unknown);
    assert_eq!(store.set_access_key_enabled(&id, false).await.unwrap(), Outcome::Unknown);
    assert_eq!(store.delete_access_key(&id).await.unwrap(), Outcome::Unknown);
}

pub async fn an_access_key_is_deleted_once_it_is_disabled(store: SharedStore) {
    let [first, second] = [access_key(1, "up"), access_key(2, "up")];
    store.add_first_access_key(&first).await.unwrap();
    store.add_further_access_key(&second).await.unwrap();
    assert_eq!(store.delete_access_key(&first.id).await.unwrap(), Outcome::StillEnabled);
    store.set_access_key_enabled(&first.id, false).await.unwrap();
    let gone = StoredAccessKey { enabled: false, ..first.clone() };
    assert_eq!(store.delete_access_key(&first.id).await.unwrap(), Outcome::Done(gone));
    assert_eq!(store.lookup_access_key(&first.id).await.unwrap(), None);
    let left = StoredAccessKey { policy: first.policy, ..second };
    assert_eq!(store.list_access_keys().await.unwrap(), [left]);
}

pub async fn a_name_is_free_again_after_its_last_access_key(store: SharedStore) {
    let [first, second] = [access_key(1, "up"), access_key(2, "up")];
    store.add_first_access_key(&first).await.unwrap();
    store.set_access_key_enabled(&first.id, false).await.unwrap();
    store.delete_access_key(&first.id).await.unwrap();
    assert_eq!(store.add_further_access_key(&second).await.unwrap(), Outcome::Unknown);
    assert_eq!(store.add_first_access_key(&second).await.unwrap(), Outcome::Done(second));
}

pub async fn access_keys_are_listed_by_name_and_age(store: SharedStore) {
    let keys = [access_key(4, "Up"), access_key(1, "a"), access_key(3, "a"), access_key(2, "up")];
    assert_eq!(store.list_access_keys().await.unwrap(), []);
    for first in [3, 0, 2] {
        store.add_first_access_key(&keys[first]).await.unwrap();
    }
    store.add_further_access_key(&keys[1]).await.unwrap();
    let listed = store.list_access_keys().await.unwrap();
    let ids = |keys: &[StoredAccessKey]| keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&listed), ids(&keys));
}
