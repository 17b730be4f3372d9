//! Sealed values, and the master keys that they are sealed under.

use super::fixture::{Fixture, access_key, instant, race, session, session_id, signing_key};
use crate::ground::seal::{MasterKeyId, Sealed};
use crate::records::sign_in_session::SignInSession;
use crate::store::{
    AnnouncedMasterKey, Page, Resealing, SealedItem, SealedValue, SharedStore, StoredAccessKey,
    StoredSigningKey,
};

const OLD: MasterKeyId = MasterKeyId([1; 4]);
const NEW: MasterKeyId = MasterKeyId([0xfe; 4]);

pub async fn a_store_without_sealed_values_lists_none(store: SharedStore) {
    assert_eq!(list(&store, None, 10).await, []);
    assert_eq!(store.reseal(&[]).await.unwrap(), 0);
}

pub async fn pages_of_sealed_values_neither_repeat_nor_skip(store: SharedStore) {
    let values = fill(&Fixture::new(store.clone()).await).await;
    for limit in 1..=values.len() + 1 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = list(&store, after, limit).await;
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(last.item.clone());
            seen.extend(page);
        }
        assert_eq!(seen, values, "{limit} at a time");
    }
}

pub async fn a_value_is_sealed_anew_and_nothing_else_changes(store: SharedStore) {
    let fixture = Fixture::new(store.clone()).await;
    let values = fill(&fixture).await;
    let signing_keys = store.list_signing_keys().await.unwrap();
    let access_keys = store.list_access_keys().await.unwrap();
    let before = store.find_sign_in_session(&session_id(1)).await.unwrap().unwrap();
    let changes: Vec<_> = values.iter().map(anew).collect();
    assert_eq!(store.reseal(&changes).await.unwrap(), values.len());
    let to = changes[0].to.clone();
    assert!(list(&store, None, 100).await.iter().all(|value| value.sealed == to));
    let signing_keys: Vec<_> = signing_keys
        .into_iter()
        .map(|key| StoredSigningKey { sealed_private_key: to.clone(), ..key })
        .collect();
    assert_eq!(store.list_signing_keys().await.unwrap(), signing_keys);
    let access_keys: Vec<_> =
        access_keys.into_iter().map(|key| StoredAccessKey { sealed_secret: to.clone(), ..key }).collect();
    assert_eq!(store.list_access_keys().await.unwrap(), access_keys);
    let after = SignInSession { login: to, ..before };
    assert_eq!(store.find_sign_in_session(&session_id(1)).await.unwrap(), Some(after));
}

pub async fn a_value_that_is_another_one_or_gone_stays(store: SharedStore) {
    let fixture = Fixture::new(store.clone()).await;
    let values = fill(&fixture).await;
    let changes: Vec<_> = values.iter().map(anew).collect();
    let unread = |change: &Resealing| {
        let from = SealedValue { sealed: Sealed(vec![3]), ..change.from.clone() };
        Resealing { from, ..change.clone() }
    };
    let unread: Vec<_> = changes.iter().map(unread).collect();
    assert_eq!(store.reseal(&unread).await.unwrap(), 0);
    assert_eq!(list(&store, None, 100).await, values);
    let gone = SealedItem::SigningKey("gone".to_owned());
    let gone = anew(&SealedValue { item: gone, ..values[0].clone() });
    // The others are none the worse for it.
    assert_eq!(store.reseal(&[gone, changes[1].clone()]).await.unwrap(), 1);
    assert_eq!(store.reseal(&changes).await.unwrap(), values.len() - 1);
}

/// Whoever read a session before has its old seal in hands, and changes something else.
pub async fn a_refresh_under_way_brings_no_old_seal_back(store: SharedStore) {
    let fixture = Fixture::new(store.clone()).await;
    let values = fill(&fixture).await;
    let read = store.find_sign_in_session(&session_id(1)).await.unwrap().unwrap();
    let changes: Vec<_> = values.iter().map(anew).collect();
    store.reseal(&changes).await.unwrap();
    let next = SignInSession { generation: 1, rotated_at: instant(9), ..read.clone() };
    assert!(store.replace_sign_in_session(&read, &next).await.unwrap());
    let kept = store.find_sign_in_session(&session_id(1)).await.unwrap().unwrap();
    assert_eq!(kept, SignInSession { login: changes[0].to.clone(), ..next.clone() });

    let other = SignInSession { generation: 2, login: Sealed(vec![7]), ..next.clone() };
    assert!(store.replace_sign_in_session(&next, &other).await.unwrap());
    assert_eq!(store.find_sign_in_session(&session_id(1)).await.unwrap(), Some(other));
}

pub async fn racing_resealings_do_each_value_once(store: SharedStore) {
    let fixture = Fixture::new(store.clone()).await;
    let values = fill(&fixture).await;
    let done = race((0..16).map(|racer| {
        let (store, values) = (store.clone(), values.clone());
        async move {
            let to = Sealed(vec![racer]);
            let changes = values.into_iter().map(|from| Resealing { from, to: to.clone() });
            store.reseal(&changes.collect::<Vec<_>>()).await.unwrap()
        }
    }))
    .await;
    assert_eq!(done.iter().sum::<usize>(), values.len());
}

pub async fn the_master_key_that_was_announced_last_counts_from_then_on(store: SharedStore) {
    assert_eq!(store.list_master_keys().await.unwrap(), []);
    store.announce_master_key(OLD, instant(5)).await.unwrap();
    store.announce_master_key(OLD, instant(6)).await.unwrap();
    let old = AnnouncedMasterKey { id: OLD, since: instant(5) };
    assert_eq!(store.list_master_keys().await.unwrap(), [old]);
    store.announce_master_key(NEW, instant(9)).await.unwrap();
    let new = AnnouncedMasterKey { id: NEW, since: instant(9) };
    assert_eq!(store.list_master_keys().await.unwrap(), [new, old]);
    // Back again, by a clock that is behind.
    store.announce_master_key(OLD, instant(1)).await.unwrap();
    let old = AnnouncedMasterKey { id: OLD, since: instant(10) };
    assert_eq!(store.list_master_keys().await.unwrap(), [old, new]);
}

/// Two of each kind, in order.
async fn fill(fixture: &Fixture) -> Vec<SealedValue> {
    let store = &fixture.store;
    let [first, second] = [signing_key(1), signing_key(2)];
    store.add_signing_key(&first, &[]).await.unwrap();
    store.add_signing_key(&second, &["key-1".into()]).await.unwrap();
    let signing_keys =
        [first, second].map(|key| (SealedItem::SigningKey(key.key_id), key.sealed_private_key));
    let access_keys = [access_key(1, "b"), access_key(2, "a")];
    for key in &access_keys {
        store.add_first_access_key(key).await.unwrap();
    }
    let access_keys = access_keys.map(|key| (SealedItem::AccessKey(key.id), key.sealed_secret));
    let sessions = [1, 2].map(|number| session(fixture, number, &fixture.draw_identity_id()));
    for session in &sessions {
        store.add_sign_in_session(session, instant(0)).await.unwrap();
    }
    let sessions = sessions.map(|session| (SealedItem::SignInSession(session.id), session.login));
    let values = signing_keys.into_iter().chain(access_keys).chain(sessions);
    let mut values: Vec<_> = values.map(|(item, sealed)| SealedValue { item, sealed }).collect();
    values.sort_by(|a, b| a.item.cmp(&b.item));
    values
}

fn anew(value: &SealedValue) -> Resealing {
    Resealing { from: value.clone(), to: Sealed(vec![9; 300]) }
}

async fn list(store: &SharedStore, after: Option<SealedItem>, limit: usize) -> Vec<SealedValue> {
    store.list_sealed(Page { after, limit }).await.unwrap()
}
