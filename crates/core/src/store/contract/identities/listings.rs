//! Listings of identities and their logins, page by page.

use std::slice;

use crate::ground::ids::IdentityId;
use crate::records::identity::Login;
use crate::store::contract::fixture::{Fixture, instant, public};
use crate::store::{Page, SharedStore};

pub async fn pages_of_identities_neither_repeat_nor_skip(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let mut ids = add_guests(&fixture, 7).await;
    ids.sort();

    let mut after = None;
    for expected in ids.chunks(3) {
        let page = list(&fixture, false, Page { after, limit: 3 }).await;
        assert_eq!(page, expected);
        after = page.last().cloned();
    }
    assert_eq!(list(&fixture, false, Page { after, limit: 3 }).await, []);
}

/// AWS's pattern admits GUIDs that are written otherwise, and a pool may come from elsewhere. In which order, each store says by itself.
pub async fn ids_of_every_form_are_listed_each_once(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let guid = "5d5d0a7c-19f4-4b5a-8b1e-3f2a9c0d7e61";
    let mut guids = vec![guid.to_owned(), guid.replace('-', ""), format!("{guid}-"), format!("{guid}0")];
    guids.extend([&guid[..35], "-", "0", "5d5d", "ffffffff-ffff-ffff-ffff-ffffffffffff"].map(str::to_owned));
    let regions = ["us-east-1", "us-east-11", "us-east-", "eu-west-1", "Here", "_"];
    let ids = regions.iter().flat_map(|region| guids.iter().map(move |guid| format!("{region}:{guid}")));
    let mut ids: Vec<IdentityId> = ids.map(|id| IdentityId::parse(id).unwrap()).collect();
    for id in &ids {
        assert!(fixture.store.add_guest(&fixture.pool_id, id, instant(0)).await.unwrap());
    }
    ids.sort();
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = list(&fixture, false, Page { after, limit: 7 }).await;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        listed.extend(page);
    }
    listed.sort();
    assert_eq!(listed, ids);
    let snapshot = fixture.store.snapshot_pool(&fixture.pool_id).await.unwrap().unwrap();
    let read = { snapshot.pages }.next(100).await.unwrap();
    assert_eq!(read.into_iter().map(|it| it.identity.id).collect::<Vec<_>>(), ids);
    for id in &ids {
        assert_eq!(fixture.identity(id).await.id, *id);
    }
}

pub async fn identities_are_listed_by_pool(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    add_guests(&fixture, 3).await;
    let page = Page { after: None, limit: usize::MAX };
    assert_eq!(list(&fixture, false, page.clone()).await.len(), 3);
    assert_eq!(fixture.store.list_identities(&fixture.other_pool_id, false, page).await.unwrap(), []);
}

pub async fn enabled_identities_are_listed_either_way(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    add_guests(&fixture, 3).await;
    let page = Page { after: None, limit: 60 };
    let all = list(&fixture, false, page.clone()).await;
    assert_eq!(all.len(), 3);
    assert_eq!(list(&fixture, true, page).await, all);
}

pub async fn disabled_identities_can_be_hidden(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    fixture.merge("ada", "bob").await;
    let mut both = vec![ada, bob.clone()];
    both.sort();
    let page = Page { after: None, limit: 60 };
    assert_eq!(list(&fixture, false, page.clone()).await, both);
    assert_eq!(list(&fixture, true, page).await, slice::from_ref(&bob));
    assert_eq!(list(&fixture, true, Page { after: None, limit: 1 }).await, [bob]);
}

pub async fn logins_are_listed_by_identity_in_order(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ordered = [
        Login::developer("ada"),
        Login::developer("b"),
        public("B", "z"),
        public("a", "1"),
        public("a.", "0"),
        public("é", "0"),
    ];
    let [guest, ada] = [fixture.add_guest().await, fixture.add_person(&ordered[..1]).await];
    fixture.add_user("bob").await;
    fixture.add_user("b").await;
    fixture.merge("b", "ada").await;
    let added: Vec<Login> = [5, 3, 2, 4, 0].map(|index| ordered[index].clone()).into();
    fixture.link(&fixture.logins_to(&added, &ada)).await;
    assert_eq!(fixture.logins_of(&ada).await, ordered);
    assert_eq!(fixture.logins_of(&guest).await, []);
    assert_eq!(fixture.logins_of(&fixture.draw_identity_id()).await, []);
}

pub async fn a_page_after_an_item_that_is_gone_goes_on_behind_it(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let mut ids = add_guests(&fixture, 6).await;
    let gone = fixture.draw_identity_id();
    ids.retain(|id| *id > gone);
    ids.sort();
    assert_eq!(list(&fixture, false, Page { after: Some(gone), limit: 60 }).await, ids);
}

async fn add_guests(fixture: &Fixture, count: usize) -> Vec<IdentityId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(fixture.add_guest().await);
    }
    ids
}

async fn list(fixture: &Fixture, hide_disabled: bool, page: Page<IdentityId>) -> Vec<IdentityId> {
    let listed = fixture.store.list_identities(&fixture.pool_id, hide_disabled, page).await.unwrap();
    listed.into_iter().map(|it| it.identity.id).collect()
}
