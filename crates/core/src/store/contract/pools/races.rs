//! Pools when many ask at once.

use futures::FutureExt;

use crate::ground::random::SeededRandom;
use crate::records::identity::IdentityPool;
use crate::records::linking::LinkRequest;
use crate::store::contract::fixture::{Fixture, plain_pool, purge, race};
use crate::store::{Page, ReplaceOutcome, SharedStore};

/// Some come before the deletion and some after it; none of them leaves anything, and neither does the purge take anything
/// that comes after it.
pub async fn first_logins_racing_with_the_deletion_of_their_pool_leave_nothing(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let pool = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
    for round in 0..10 {
        let requests: Vec<_> = (0..20).map(|user| fixture.login(&format!("{round} {user}"))).collect();
        let logins = requests.clone().into_iter().map(|request| {
            let store = fixture.store.clone();
            // Whoever comes too late hears an error, and no answer.
            let login = async move { store.link_logins(&request).await.is_ok() };
            login.boxed()
        });
        let others = (0..6).map(|number| {
            let (store, id) = (fixture.store.clone(), pool.id.clone());
            let change = async move {
                if number == 0 {
                    store.delete_pool(&id).await.unwrap()
                } else {
                    store.purge_deleted_pools(3).await.unwrap().more
                }
            };
            change.boxed()
        });
        race(logins.chain(others)).await;
        fixture.store.add_pool(&pool).await.unwrap();
        let guest = fixture.add_guest().await;
        purge(&fixture.store, 7, async || ()).await;
        for LinkRequest { logins, new_identity_id, .. } in &requests {
            assert_eq!(fixture.owner(&logins[0]).await, None);
            assert_eq!(fixture.state_of(&[new_identity_id]).await, [(None, vec![])]);
        }
        assert_eq!(fixture.identities().await, [guest]);
        fixture.store.delete_pool(&pool.id).await.unwrap();
        fixture.store.add_pool(&pool).await.unwrap();
    }
}

pub async fn racing_purges_take_nothing_that_is_there(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let pool = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
    for user in 0..20 {
        fixture.add_user(&user.to_string()).await;
    }
    fixture.store.delete_pool(&pool.id).await.unwrap();
    fixture.store.add_pool(&pool).await.unwrap();
    let requests: Vec<_> = (0..20).map(|user| fixture.login(&user.to_string())).collect();
    let purges = (0..6).map(|_| {
        let store = fixture.store.clone();
        async move { purge(&store, 2, async || ()).await }.boxed()
    });
    let logins = requests.clone().into_iter().map(|request| {
        let store = fixture.store.clone();
        async move { drop(store.link_logins(&request).await.unwrap()) }.boxed()
    });
    race(purges.chain(logins)).await;
    for LinkRequest { logins, new_identity_id, .. } in &requests {
        assert_eq!(fixture.owner(&logins[0]).await.as_ref(), Some(new_identity_id));
        assert_eq!(fixture.logins_of(new_identity_id).await, *logins);
    }
    assert_eq!(fixture.identities().await.len(), 20);
}

pub async fn of_racing_changes_to_a_pool_one_wins_each_version(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for version in 1..=10 {
        let pool = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
        assert_eq!(pool.version, version);
        let changes: Vec<IdentityPool> = (0..8).map(|number| renamed(&pool, number)).collect();
        let outcomes = race(changes.clone().into_iter().map(|change| {
            let store = fixture.store.clone();
            async move { store.replace_pool(&change).await.unwrap() }
        }))
        .await;
        let won = outcomes.iter().position(|outcome| *outcome == ReplaceOutcome::Replaced).unwrap();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == ReplaceOutcome::Stale).count(), 7);
        let now = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap();
        assert_eq!(now, Some(IdentityPool { version: version + 1, ..changes[won].clone() }));
    }
}

fn renamed(pool: &IdentityPool, number: usize) -> IdentityPool {
    let mut pool = pool.clone();
    pool.settings.name = format!("pool {number}");
    pool
}

pub async fn racing_starts_agree_on_the_configured_pool(store: SharedStore) {
    let random = SeededRandom::new(1);
    let pools = race((0..32).map(|_| plain_pool(&random)).map(|candidate| {
        let store = store.clone();
        async move { store.find_or_add_configured_pool("app", &candidate).await.unwrap() }
    }))
    .await;
    assert!(pools.iter().all(|pool| *pool == pools[0]));
    let listed = store.list_pools(Page { after: None, limit: 60 }).await.unwrap();
    assert_eq!(listed, [pools[0].clone()]);
}
