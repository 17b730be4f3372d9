//! An identity that is deleted is gone with its logins, and nothing else is.

use crate::records::identity::Login;
use crate::records::linking::LinkRefusal;
use crate::store::contract::fixture::{Fixture, public};
use crate::store::{LinkOutcome, Page, SharedStore};

pub async fn a_deleted_identity_is_gone_with_its_logins(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let logins = [Login::developer("ada"), public("accounts.google.com", "1")];
    let ada = fixture.add_person(&logins).await;
    let [bob, guest] = [fixture.add_user("bob").await, fixture.add_guest().await];
    let others = fixture.state_of(&[&bob]).await;

    for id in [&guest, &ada] {
        fixture.store.delete_identity(id).await.unwrap();
    }
    assert_eq!(fixture.state_of(&[&ada, &guest]).await, [(None, vec![]), (None, vec![])]);
    for login in &logins {
        assert_eq!(fixture.owner(login).await, None);
    }
    assert_eq!(fixture.state_of(&[&bob]).await, others);
    let page = Page { after: None, limit: 60 };
    let listed = fixture.store.list_identities(&fixture.pool_id, false, page).await.unwrap();
    assert_eq!(listed.iter().map(|it| &it.identity.id).collect::<Vec<_>>(), [&bob]);
    assert_ne!(fixture.add_person(&logins).await, ada);
}

pub async fn a_deleted_identity_is_unknown_to_a_login_that_names_it(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    fixture.store.delete_identity(&ada).await.unwrap();
    let refused = LinkOutcome::Refused(LinkRefusal::UnknownIdentity(ada.clone()));
    assert_eq!(fixture.link(&fixture.login_to("ada", &ada)).await, refused);
}

pub async fn identities_that_do_not_exist_are_passed_over(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    for gone in [fixture.draw_identity_id(), ada.clone(), ada.clone()] {
        fixture.store.delete_identity(&gone).await.unwrap();
    }
    assert_eq!(fixture.state_of(&[&ada]).await, [(None, vec![])]);
    assert_eq!(fixture.find("bob").await, Some(bob));
}

pub async fn the_loser_of_a_merge_is_deleted_without_the_survivors_logins(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    fixture.merge("ada", "bob").await;
    fixture.store.delete_identity(&ada).await.unwrap();
    assert_eq!(fixture.logins_of(&bob).await, [Login::developer("ada"), Login::developer("bob")]);
}
