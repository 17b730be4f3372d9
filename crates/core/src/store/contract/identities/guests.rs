//! Guests: identities without a login.

use crate::ground::random::SeededRandom;
use crate::records::identity::Identity;
use crate::store::SharedStore;
use crate::store::contract::fixture::{Fixture, instant, plain_pool};

pub async fn a_guest_comes_back_as_it_was_added(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let id = fixture.add_guest().await;
    let guest = Identity {
        id: id.clone(),
        pool_id: fixture.pool_id,
        authenticated: false,
        disabled: false,
        created_at: instant(0),
        modified_at: instant(0),
    };
    assert_eq!(fixture.store.lookup_identity(&id).await.unwrap(), Some(guest));
}

pub async fn an_unknown_identity_is_none(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let id = fixture.draw_identity_id();
    assert_eq!(fixture.store.lookup_identity(&id).await.unwrap(), None);
}

pub async fn no_guest_without_a_pool(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let nowhere = plain_pool(&SeededRandom::new(2));
    let id = fixture.draw_identity_id();
    assert!(!fixture.store.add_guest(&nowhere.id, &id, instant(0)).await.unwrap());
    assert_eq!(fixture.store.lookup_identity(&id).await.unwrap(), None);
}

pub async fn a_taken_identity_id_is_refused_and_the_identity_stays(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let id = fixture.add_guest().await;
    let before = fixture.store.lookup_identity(&id).await.unwrap();
    fixture.store.add_guest(&fixture.other_pool_id, &id, instant(5)).await.unwrap_err();
    assert_eq!(fixture.store.lookup_identity(&id).await.unwrap(), before);
}
