//! Signing keys and developer access keys.

use super::fixture::{ODD_TEXT, access_key, signing_key};
use crate::store::{SharedStore, StoredAccessKey};

pub async fn the_first_signing_key_is_everybodys(store: SharedStore) {
    assert_eq!(store.list_or_add_signing_keys(&signing_key(1)).await.unwrap(), [signing_key(1)]);
    assert_eq!(store.list_or_add_signing_keys(&signing_key(2)).await.unwrap(), [signing_key(1)]);
    assert_eq!(store.list_signing_keys().await.unwrap(), [signing_key(1)]);
}

pub async fn a_store_without_signing_keys_lists_none(store: SharedStore) {
    assert_eq!(store.list_signing_keys().await.unwrap(), []);
}

pub async fn an_access_key_comes_back_as_it_was_added(store: SharedStore) {
    let key = access_key(1, ODD_TEXT);
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
