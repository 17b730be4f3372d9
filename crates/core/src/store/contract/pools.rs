//! Pools, their roles, and the guests in them.

mod deletions;
mod races;
mod transfer;

use std::collections::BTreeMap;

pub use self::deletions::*;
pub use self::races::*;
pub use self::transfer::*;

use super::fixture::{Fixture, ODD_TEXT, full_roles, full_tag_maps, plain_pool};
use crate::ground::random::SeededRandom;
use crate::records::identity::{CognitoIdentityProvider, IdentityPool, PoolSettings};
use crate::store::{Page, ReplaceOutcome, SharedStore};

pub async fn a_fresh_store_answers(store: SharedStore) {
    store.ping().await.unwrap();
}

pub async fn a_pool_comes_back_as_it_was_added(store: SharedStore) {
    let odd_map = BTreeMap::from([(ODD_TEXT.to_owned(), ODD_TEXT.to_owned())]);
    let settings = PoolSettings {
        name: ODD_TEXT.to_owned(),
        allow_unauthenticated_identities: true,
        allow_classic_flow: Some(false),
        developer_provider_name: Some("login.example.com".to_owned()),
        supported_login_providers: odd_map.clone(),
        open_id_connect_provider_arns: vec!["b".to_owned(), "a".to_owned()],
        cognito_identity_providers: vec![CognitoIdentityProvider {
            provider_name: Some("cognito-idp.us-east-1.amazonaws.com/us-east-1_a".to_owned()),
            client_id: None,
            server_side_token_check: Some(true),
        }],
        saml_provider_arns: vec![ODD_TEXT.to_owned()],
        tags: odd_map,
    };
    let pool = IdentityPool {
        version: 7,
        settings,
        roles: full_roles(),
        tag_maps: full_tag_maps(),
        ..plain_pool(&SeededRandom::new(1))
    };
    store.add_pool(&pool).await.unwrap();
    assert_eq!(store.lookup_pool(&pool.id).await.unwrap(), Some(pool));
}

pub async fn an_unknown_pool_is_none(store: SharedStore) {
    let pool = plain_pool(&SeededRandom::new(1));
    assert_eq!(store.lookup_pool(&pool.id).await.unwrap(), None);
}

pub async fn a_taken_pool_id_is_refused_and_the_pool_stays(store: SharedStore) {
    let pool = plain_pool(&SeededRandom::new(1));
    store.add_pool(&pool).await.unwrap();
    let other = IdentityPool { roles: full_roles(), ..pool.clone() };
    store.add_pool(&other).await.unwrap_err();
    store.find_or_add_configured_pool("app", &other).await.unwrap_err();
    assert_eq!(store.lookup_pool(&pool.id).await.unwrap(), Some(pool));
}

pub async fn the_configured_pool_is_created_from_the_first_candidate(store: SharedStore) {
    let random = SeededRandom::new(1);
    let [first, second] = [plain_pool(&random), plain_pool(&random)];
    assert_eq!(store.find_or_add_configured_pool(ODD_TEXT, &first).await.unwrap(), first);
    assert_eq!(store.find_or_add_configured_pool(ODD_TEXT, &second).await.unwrap(), first);
    assert_eq!(store.lookup_pool(&first.id).await.unwrap(), Some(first));
    assert_eq!(store.lookup_pool(&second.id).await.unwrap(), None);
}

pub async fn pools_configured_under_two_names_are_two(store: SharedStore) {
    let random = SeededRandom::new(1);
    let [first, second] = [plain_pool(&random), plain_pool(&random)];
    assert_eq!(store.find_or_add_configured_pool("app", &first).await.unwrap(), first);
    assert_eq!(store.find_or_add_configured_pool("App", &second).await.unwrap(), second);
}

pub async fn configured_pools_are_listed_by_their_names(store: SharedStore) {
    assert_eq!(store.configured_pools().await.unwrap(), BTreeMap::new());
    assert_eq!(store.list_pools(Page { after: None, limit: 2 }).await.unwrap(), []);
    let random = SeededRandom::new(1);
    let [named, other, of_an_api] = [(); 3].map(|()| plain_pool(&random));
    store.add_pool(&of_an_api).await.unwrap();
    store.find_or_add_configured_pool("App", &other).await.unwrap();
    store.find_or_add_configured_pool(ODD_TEXT, &named).await.unwrap();
    let mut expected = BTreeMap::from([("App".to_owned(), other.clone()), (ODD_TEXT.to_owned(), named)]);
    assert_eq!(store.configured_pools().await.unwrap(), expected);
    assert!(store.delete_pool(&other.id).await.unwrap());
    expected.remove("App");
    assert_eq!(store.configured_pools().await.unwrap(), expected);
}

pub async fn the_configured_pool_shows_what_was_changed_since(store: SharedStore) {
    let pool = plain_pool(&SeededRandom::new(1));
    store.find_or_add_configured_pool("app", &pool).await.unwrap();
    let changed = IdentityPool { roles: full_roles(), ..pool.clone() };
    assert_eq!(store.replace_pool(&changed).await.unwrap(), ReplaceOutcome::Replaced);
    let found = store.find_or_add_configured_pool("app", &pool).await.unwrap();
    assert_eq!(found, IdentityPool { version: 2, ..changed });
}

pub async fn a_pool_is_replaced_as_a_whole(store: SharedStore) {
    let plain = plain_pool(&SeededRandom::new(1));
    store.add_pool(&plain).await.unwrap();
    let settings = PoolSettings { name: ODD_TEXT.to_owned(), ..PoolSettings::default() };
    let full = IdentityPool { settings, roles: full_roles(), tag_maps: full_tag_maps(), ..plain.clone() };

    assert_eq!(store.replace_pool(&full).await.unwrap(), ReplaceOutcome::Replaced);
    let full = IdentityPool { version: 2, ..full };
    assert_eq!(store.lookup_pool(&plain.id).await.unwrap(), Some(full));
    let plain_again = IdentityPool { version: 2, ..plain.clone() };
    assert_eq!(store.replace_pool(&plain_again).await.unwrap(), ReplaceOutcome::Replaced);
    let plain_again = IdentityPool { version: 3, ..plain };
    assert_eq!(store.lookup_pool(&plain_again.id).await.unwrap(), Some(plain_again));
}

pub async fn a_change_to_one_pool_leaves_the_other_alone(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let lookup = async |id| fixture.store.lookup_pool(id).await.unwrap().unwrap();
    let other = lookup(&fixture.other_pool_id).await;
    let changed = IdentityPool { roles: full_roles(), ..lookup(&fixture.pool_id).await };
    assert_eq!(fixture.store.replace_pool(&changed).await.unwrap(), ReplaceOutcome::Replaced);
    assert_eq!(lookup(&fixture.other_pool_id).await, other);
}

pub async fn a_change_on_top_of_a_stale_reading_is_noticed(store: SharedStore) {
    let pool = plain_pool(&SeededRandom::new(1));
    store.add_pool(&pool).await.unwrap();
    store.replace_pool(&pool).await.unwrap();
    let before = store.lookup_pool(&pool.id).await.unwrap();
    for version in [0, 1, 3] {
        let change = IdentityPool { version, roles: full_roles(), ..pool.clone() };
        assert_eq!(store.replace_pool(&change).await.unwrap(), ReplaceOutcome::Stale, "{version}");
        assert_eq!(store.lookup_pool(&pool.id).await.unwrap(), before);
    }
}

pub async fn an_unknown_pool_is_not_replaced(store: SharedStore) {
    let pool = plain_pool(&SeededRandom::new(1));
    assert_eq!(store.replace_pool(&pool).await.unwrap(), ReplaceOutcome::Unknown);
    assert_eq!(store.lookup_pool(&pool.id).await.unwrap(), None);
}

pub async fn pages_of_pools_neither_repeat_nor_skip(store: SharedStore) {
    let random = SeededRandom::new(1);
    let mut pools: Vec<_> = (0..7).map(|_| plain_pool(&random)).collect();
    for pool in &pools {
        store.add_pool(pool).await.unwrap();
    }
    pools.sort_by(|a, b| a.id.cmp(&b.id));

    let mut after = None;
    for expected in pools.chunks(3) {
        let page = store.list_pools(Page { after, limit: 3 }).await.unwrap();
        assert_eq!(page, expected);
        after = page.last().map(|pool| pool.id.clone());
    }
    assert_eq!(store.list_pools(Page { after, limit: 3 }).await.unwrap(), []);
}
