//! A pool that is deleted is gone with everybody in it, and nothing else is.

use crate::ground::random::SeededRandom;
use crate::records::linking::LinkRequest;
use crate::store::contract::fixture::{Fixture, instant, plain_pool};
use crate::store::{Page, ReplaceOutcome, SharedStore};

pub async fn a_deleted_pool_is_gone_with_its_identities_and_logins(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, guest] = [fixture.add_user("ada").await, fixture.add_guest().await];
    let there = LinkRequest { pool_id: fixture.other_pool_id.clone(), ..fixture.login("ada") };
    fixture.link(&there).await;
    let pool = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
    let elsewhere = fixture.state_of(&[&there.new_identity_id]).await;

    assert!(fixture.store.delete_pool(&pool.id).await.unwrap());
    assert_eq!(fixture.store.lookup_pool(&pool.id).await.unwrap(), None);
    assert_eq!(fixture.state_of(&[&ada, &guest]).await, [(None, vec![]), (None, vec![])]);
    assert_eq!(fixture.find("ada").await, None);
    let page = Page { after: None, limit: 60 };
    assert_eq!(fixture.store.list_identities(&pool.id, false, page).await.unwrap(), []);
    assert_eq!(fixture.store.replace_pool(&pool).await.unwrap(), ReplaceOutcome::Unknown);
    assert!(!fixture.store.add_guest(&pool.id, &guest, instant(0)).await.unwrap());

    assert_eq!(fixture.state_of(&[&there.new_identity_id]).await, elsewhere);
    let pools = fixture.store.list_pools(Page { after: None, limit: 60 }).await.unwrap();
    assert_eq!(pools.into_iter().map(|pool| pool.id).collect::<Vec<_>>(), [fixture.other_pool_id]);
}

pub async fn an_unknown_pool_is_not_deleted(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let nowhere = plain_pool(&SeededRandom::new(2)).id;
    assert!(!fixture.store.delete_pool(&nowhere).await.unwrap());
    assert!(fixture.store.delete_pool(&fixture.pool_id).await.unwrap());
    assert!(!fixture.store.delete_pool(&fixture.pool_id).await.unwrap());
}

pub async fn a_configured_pool_can_be_made_again_after_its_deletion(store: SharedStore) {
    let random = SeededRandom::new(1);
    let [first, second, other] = [plain_pool(&random), plain_pool(&random), plain_pool(&random)];
    store.find_or_add_configured_pool("app", &first).await.unwrap();
    store.find_or_add_configured_pool("other", &other).await.unwrap();
    assert!(store.delete_pool(&first.id).await.unwrap());
    assert_eq!(store.find_or_add_configured_pool("app", &second).await.unwrap(), second);
    assert_eq!(store.find_or_add_configured_pool("app", &first).await.unwrap(), second);
    assert_eq!(store.find_or_add_configured_pool("other", &first).await.unwrap(), other);
}
