//! A pool that is deleted is gone with everybody in it, and nothing else is.

use crate::ground::random::SeededRandom;
use crate::records::identity::Login;
use crate::records::linking::{LinkRefusal, LinkRequest};
use crate::store::contract::fixture::{Fixture, instant, plain_pool, public, purge};
use crate::store::{LinkOutcome, Page, ReplaceOutcome, SharedStore, UnlinkOutcome};

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

/// A purge may be half done when the process is killed, and goes on in another: at no point is a part of it seen.
pub async fn nothing_of_a_deleted_pool_is_seen_while_it_is_purged(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let logins = [Login::developer("ada"), public("accounts.google.com", "1")];
    let ada = fixture.add_person(&logins).await;
    let [bob, carl] = [fixture.add_user("bob").await, fixture.add_user("carl").await];
    fixture.merge("bob", "carl").await;
    let guest = fixture.add_guest().await;
    let there = LinkRequest { pool_id: fixture.other_pool_id.clone(), ..fixture.login("ada") };
    fixture.link(&there).await;
    let elsewhere = fixture.state_of(&[&there.new_identity_id]).await;
    assert!(!fixture.store.purge_deleted_pools(100).await.unwrap().more);
    assert_eq!(fixture.logins_of(&ada).await, logins);

    assert!(fixture.store.delete_pool(&fixture.pool_id).await.unwrap());
    let gone = [&ada, &bob, &carl, &guest];
    let look = async || {
        assert_eq!(fixture.state_of(&gone).await, vec![(None, vec![]); 4]);
        for login in logins.iter().chain(&[Login::developer("bob"), Login::developer("carl")]) {
            assert_eq!(fixture.owner(login).await, None);
        }
        let page = Page { after: None, limit: 60 };
        assert_eq!(fixture.store.list_identities(&fixture.pool_id, false, page).await.unwrap(), []);
        assert!(fixture.store.snapshot_pool(&fixture.pool_id).await.unwrap().is_none());
        let standing = fixture.store.standing(&ada, None, None).await.unwrap();
        assert_eq!((standing.identity, standing.logins), (None, vec![]));
        let eve = LinkRequest { identity_id: Some(ada.clone()), ..there.clone() };
        let refused = LinkOutcome::Refused(LinkRefusal::UnknownIdentity(ada.clone()));
        assert_eq!(fixture.link(&eve).await, refused);
        let unlinked = fixture.unlink(&ada, fixture.developer_user("ada")).await;
        assert!(matches!(unlinked, UnlinkOutcome::Refused(_)), "{unlinked:?}");
        assert_eq!(fixture.state_of(&[&there.new_identity_id]).await, elsewhere);
    };
    look().await;
    purge(&fixture.store, 1, look).await;
}

pub async fn the_ids_of_a_deleted_pool_are_free(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, guest] = [fixture.add_user("ada").await, fixture.add_guest().await];
    assert!(fixture.store.delete_pool(&fixture.pool_id).await.unwrap());
    let other = fixture.other_pool_id.clone();
    assert!(fixture.store.add_guest(&other, &guest, instant(7)).await.unwrap());
    let bob = LinkRequest { pool_id: other.clone(), new_identity_id: ada.clone(), ..fixture.login("bob") };
    assert!(matches!(fixture.link(&bob).await, LinkOutcome::Created(_)));
    let look = async || {
        assert_eq!(fixture.logins_of(&ada).await, [Login::developer("bob")]);
        assert_eq!(fixture.identity(&ada).await.pool_id, other);
        assert_eq!(
            (fixture.identity(&guest).await.pool_id, fixture.logins_of(&guest).await),
            (other.clone(), vec![])
        );
    };
    look().await;
    purge(&fixture.store, 1, look).await;
}

pub async fn a_pool_that_is_made_again_has_nobody_in_it(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let pool = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
    let ada = fixture.add_user("ada").await;
    assert!(fixture.store.delete_pool(&pool.id).await.unwrap());
    fixture.store.add_pool(&pool).await.unwrap();
    assert_eq!((fixture.find("ada").await, fixture.state_of(&[&ada]).await), (None, vec![(None, vec![])]));
    let again = fixture.add_user("ada").await;
    let expected = fixture.state_of(&[&again]).await;
    let look = async || {
        assert_eq!(fixture.find("ada").await.as_ref(), Some(&again));
        assert_eq!(fixture.state_of(&[&again, &ada]).await, [&expected[..], &[(None, vec![])]].concat());
    };
    look().await;
    purge(&fixture.store, 1, look).await;
}
