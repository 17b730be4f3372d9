//! What is deleted is gone, with everything that hung on it, and nothing else is.

use std::slice;

use super::fixture::{Fixture, instant, plain_pool, public};
use crate::ground::random::SeededRandom;
use crate::records::identity::Login;
use crate::records::linking::{LinkRefusal, LinkRequest};
use crate::store::{LinkOutcome, Page, ReplaceOutcome, SharedStore};

pub async fn a_deleted_identity_is_gone_with_its_logins(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let logins = [Login::developer("ada"), public("accounts.google.com", "1")];
    let ada = fixture.add_person(&logins).await;
    let [bob, guest] = [fixture.add_user("bob").await, fixture.add_guest().await];
    let others = fixture.state_of(&[&bob]).await;

    fixture.store.delete_identities(&[guest.clone(), ada.clone()]).await.unwrap();
    assert_eq!(fixture.state_of(&[&ada, &guest]).await, [(None, vec![]), (None, vec![])]);
    for login in &logins {
        assert_eq!(fixture.owner(login).await, None);
    }
    assert_eq!(fixture.state_of(&[&bob]).await, others);
    let page = Page { after: None, limit: 60 };
    let listed = fixture.store.list_identities(&fixture.pool_id, false, page).await.unwrap();
    assert_eq!(listed, [fixture.identity(&bob).await]);
    assert_ne!(fixture.add_person(&logins).await, ada);
}

pub async fn a_deleted_identity_is_unknown_to_a_login_that_names_it(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    fixture.store.delete_identities(slice::from_ref(&ada)).await.unwrap();
    let refused = LinkOutcome::Refused(LinkRefusal::UnknownIdentity(ada.clone()));
    assert_eq!(fixture.link(&fixture.login_to("ada", &ada)).await, refused);
}

pub async fn identities_that_do_not_exist_are_passed_over(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    let gone = [fixture.draw_identity_id(), ada.clone(), ada.clone(), fixture.draw_identity_id()];
    fixture.store.delete_identities(&gone).await.unwrap();
    fixture.store.delete_identities(&gone).await.unwrap();
    fixture.store.delete_identities(&[]).await.unwrap();
    assert_eq!(fixture.state_of(&[&ada]).await, [(None, vec![])]);
    assert_eq!(fixture.find("bob").await, Some(bob));
}

pub async fn the_loser_of_a_merge_is_deleted_without_the_survivors_logins(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    fixture.merge("ada", "bob").await;
    fixture.store.delete_identities(slice::from_ref(&ada)).await.unwrap();
    assert_eq!(fixture.logins_of(&bob).await, [Login::developer("ada"), Login::developer("bob")]);
}

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
