//! Pools that move from one store to another. The other store is the same one: what was read is brought back
//! after its pool was deleted, or under the ID of another pool.

use std::sync::Arc;

use futures::future::join_all;

use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::ground::random::SeededRandom;
use crate::records::identity::{Identity, IdentityPool, Login};
use crate::records::identity_record::IdentityRecord;
use crate::store::contract::fixture::{
    Fixture, ODD_TEXT, instant, last_millisecond, plain_pool, public, purge,
};
use crate::store::transfer::{ImportError, Imported, PoolImport, PoolSnapshot, SourceError};
use crate::store::{SharedStore, StoreError};

const CONFIGURED: &str = "app";

pub async fn a_pool_is_read_with_everybody_in_it(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let expected = identity_records(&fixture.pool_id);
    import(&fixture.store, &pool(&fixture.pool_id), None, &expected).await.unwrap();
    let snapshot = snapshot(&fixture.store, &fixture.pool_id).await;
    assert_eq!((snapshot.pool.id.clone(), snapshot.identities), (fixture.pool_id.clone(), 5));
    assert_eq!(snapshot.configured_as, None);
    assert_eq!(read(snapshot, 2).await, expected);
}

pub async fn an_unknown_pool_is_not_read(store: SharedStore) {
    let id = plain_pool(&SeededRandom::new(9)).id;
    assert!(store.snapshot_pool(&id).await.unwrap().is_none());
}

pub async fn a_reading_shows_no_later_change(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let guest = fixture.add_guest().await;
    let snapshot = snapshot(&fixture.store, &fixture.pool_id).await;
    fixture.add_guest().await;
    fixture.store.delete_identity(&guest).await.unwrap();
    let read = read(snapshot, 10).await;
    assert_eq!(read.iter().map(|record| &record.identity.id).collect::<Vec<_>>(), [&guest]);
}

pub async fn an_imported_pool_is_as_it_was_brought(store: SharedStore) {
    let brought = plain_pool(&SeededRandom::new(9));
    let records = identity_records(&brought.id);
    let imported = import(&store, &brought, Some(CONFIGURED), &records).await.unwrap();
    assert_eq!(imported, Imported { identities: 5, logins: 6, changed: true, configured: true });
    assert_eq!(store.lookup_pool(&brought.id).await.unwrap(), Some(brought.clone()));
    let found = store.find_or_add_configured_pool(CONFIGURED, &plain_pool(&SeededRandom::new(8))).await;
    assert_eq!(found.unwrap().id, brought.id);
    let snapshot = snapshot(&store, &brought.id).await;
    assert_eq!(snapshot.configured_as.as_deref(), Some(CONFIGURED));
    assert_eq!(read(snapshot, 3).await, records);
    for IdentityRecord { identity, logins } in records {
        for login in &logins {
            let owner =
                store.find_identity_by_login(&brought.id, login).await.unwrap().map(|it| it.identity.id);
            assert_eq!(owner.as_ref(), Some(&identity.id));
        }
        assert_eq!(store.lookup_identity(&identity.id).await.unwrap(), Some(identity));
    }
}

pub async fn a_name_that_leads_to_a_pool_goes_on_leading_there(store: SharedStore) {
    let [first, second] = [9, 8].map(|seed| plain_pool(&SeededRandom::new(seed)));
    store.find_or_add_configured_pool(CONFIGURED, &first).await.unwrap();
    let imported = import(&store, &second, Some(CONFIGURED), &identity_records(&second.id)).await.unwrap();
    assert!(!imported.configured);
    assert_eq!(store.find_or_add_configured_pool(CONFIGURED, &second).await.unwrap().id, first.id);
}

pub async fn an_empty_pool_takes_on_what_is_imported(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let brought = pool(&fixture.pool_id);
    let imported = import(&fixture.store, &brought, None, &identity_records(&fixture.pool_id)).await.unwrap();
    assert!(imported.changed);
    let stored = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
    assert_eq!(stored, IdentityPool { version: 2, ..brought });
}

pub async fn the_same_import_again_changes_nothing(store: SharedStore) {
    let brought = plain_pool(&SeededRandom::new(9));
    let records = identity_records(&brought.id);
    import(&store, &brought, None, &records).await.unwrap();
    let again = import(&store, &brought, None, &records).await.unwrap();
    assert_eq!(again, Imported { identities: 5, logins: 6, changed: false, configured: false });
    assert_eq!(store.lookup_pool(&brought.id).await.unwrap(), Some(brought));
}

pub async fn a_pool_with_others_in_it_takes_no_import(store: SharedStore) {
    let brought = plain_pool(&SeededRandom::new(9));
    let records = identity_records(&brought.id);
    import(&store, &brought, None, &records[..3]).await.unwrap();
    let refused = import(&store, &brought, None, &records).await.unwrap_err();
    assert!(matches!(&refused, ImportError::Differs(id) if *id == records[3].identity.id), "{refused:?}");
    let refused = import(&store, &brought, None, &records[..2]).await.unwrap_err();
    assert!(matches!(refused, ImportError::HasMore(1)), "{refused:?}");
    let mut changed = records[..3].to_vec();
    changed[1].identity.modified_at = instant(1);
    let refused = import(&store, &brought, None, &changed).await.unwrap_err();
    assert!(matches!(&refused, ImportError::Differs(id) if *id == changed[1].identity.id), "{refused:?}");
    assert_eq!(read(snapshot(&store, &brought.id).await, 10).await, records[..3]);
}

pub async fn an_identity_of_another_pool_is_not_imported(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let guest = fixture.add_guest().await;
    let mut records = identity_records(&fixture.other_pool_id);
    records[2].identity.id = guest.clone();
    records.sort_by(|a, b| a.identity.id.cmp(&b.identity.id));
    let brought = pool(&fixture.other_pool_id);
    let refused = import(&fixture.store, &brought, Some(CONFIGURED), &records).await.unwrap_err();
    let ImportError::IdentityTaken { id, pool_id } = refused else { panic!("{refused:?}") };
    assert_eq!((id, pool_id), (guest, fixture.pool_id.clone()));
    assert_nothing_was_imported(&fixture).await;
}

pub async fn a_login_is_not_imported_for_two_identities(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let mut records = identity_records(&fixture.other_pool_id);
    records[4].logins = vec![records[0].logins[0].clone()];
    let brought = pool(&fixture.other_pool_id);
    let refused = import(&fixture.store, &brought, Some(CONFIGURED), &records).await.unwrap_err();
    let ImportError::LoginTaken { id, owner } = refused else { panic!("{refused:?}") };
    assert_eq!((&id, &owner), (&records[4].identity.id, &records[0].identity.id));
    assert_nothing_was_imported(&fixture).await;
}

pub async fn an_import_that_ends_badly_leaves_nothing(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let brought = pool(&fixture.other_pool_id);
    let records = identity_records(&brought.id).into_iter().map(Ok);
    let records = records.chain([Err::<_, SourceError>("torn off".into())]);
    let import = PoolImport::new(brought, Some(CONFIGURED.into()), Box::new(records));
    let refused = fixture.store.import_pool(import).await.unwrap_err();
    assert_eq!(refused.to_string(), "torn off");
    assert_nothing_was_imported(&fixture).await;
}

pub async fn what_comes_out_of_order_is_not_imported(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let records = identity_records(&fixture.other_pool_id);
    let mut swapped = records.clone();
    swapped.swap(1, 3);
    let mut of_another_pool = records.clone();
    of_another_pool[3].identity.pool_id = fixture.pool_id.clone();
    let mut impossible = records.clone();
    impossible[0].identity.disabled = true;
    let twice = [&records[..], &records[4..]].concat();
    for records in [swapped, of_another_pool, impossible, twice] {
        let refused = import(&fixture.store, &pool(&fixture.other_pool_id), None, &records).await;
        assert!(matches!(refused, Err(ImportError::Source(_))), "{refused:?}");
        assert_nothing_was_imported(&fixture).await;
    }
}

/// However far what it left behind is purged by then: the same IDs are other people's now, and the logins too.
pub async fn a_deleted_pool_comes_back_as_it_is_brought(store: SharedStore) {
    let brought = plain_pool(&SeededRandom::new(9));
    let before = identity_records(&brought.id);
    let mut records = before.clone();
    (records[0].logins, records[4].logins) = (before[4].logins.clone(), before[0].logins.clone());
    records[3].logins.pop();
    for purged in 0..=before.len() + 7 {
        import(&store, &brought, Some(CONFIGURED), &before).await.unwrap();
        assert!(store.delete_pool(&brought.id).await.unwrap());
        for _ in 0..purged {
            store.purge_deleted_pools(1).await.unwrap();
        }
        let imported = import(&store, &brought, Some(CONFIGURED), &records).await.unwrap();
        assert_eq!(imported, Imported { identities: 5, logins: 5, changed: true, configured: true });
        let look = async || {
            assert_eq!(read(snapshot(&store, &brought.id).await, 10).await, records, "{purged}");
            for login in before.iter().flat_map(|record| &record.logins) {
                let owner = records.iter().find(|record| record.logins.contains(login));
                let found =
                    store.find_identity_by_login(&brought.id, login).await.unwrap().map(|it| it.identity.id);
                assert_eq!(found.as_ref(), owner.map(|record| &record.identity.id), "{purged}");
            }
        };
        look().await;
        purge(&store, 1, look).await;
        assert!(store.delete_pool(&brought.id).await.unwrap());
        purge(&store, 3, async || ()).await;
    }
}

pub async fn of_racing_imports_of_one_pool_one_brings_it(store: SharedStore) {
    let brought = plain_pool(&SeededRandom::new(9));
    let records = identity_records(&brought.id);
    let imports = (0..8).map(|_| {
        let (store, brought, records) = (Arc::clone(&store), brought.clone(), records.clone());
        tokio::spawn(async move { import(&store, &brought, None, &records).await.unwrap().changed })
    });
    let changed = join_all(imports).await.into_iter().map(Result::unwrap);
    assert_eq!(changed.filter(|changed| *changed).count(), 1);
    assert_eq!(read(snapshot(&store, &brought.id).await, 10).await, records);
}

/// A guest, people with one login and with several, one who lost a merge, and one whose last login is gone.
fn identity_records(pool_id: &IdentityPoolId) -> Vec<IdentityRecord> {
    let several =
        vec![Login::developer(ODD_TEXT), Login::developer("eve"), public("a", "1"), public("b", "1")];
    [
        (true, false, vec![Login::developer("ada")]),
        (false, false, vec![]),
        (true, true, vec![]),
        (true, false, several),
        (true, false, vec![public("a", "2")]),
    ]
    .into_iter()
    .zip(1..)
    .map(|((authenticated, disabled, mut logins), number)| {
        logins.sort();
        let identity = Identity {
            id: IdentityId::parse(format!("us-east-1:{number:02}")).unwrap(),
            pool_id: pool_id.clone(),
            authenticated,
            disabled,
            created_at: instant(-1000 * number),
            modified_at: if number == 3 { last_millisecond() } else { Timestamp::UNIX_EPOCH },
        };
        IdentityRecord { identity, logins }
    })
    .collect()
}

/// A pool of this ID, with settings that the fixture's have not.
fn pool(id: &IdentityPoolId) -> IdentityPool {
    IdentityPool { id: id.clone(), ..plain_pool(&SeededRandom::new(9)) }
}

async fn import(
    store: &SharedStore,
    pool: &IdentityPool,
    configured_as: Option<&str>,
    records: &[IdentityRecord],
) -> Result<Imported, ImportError> {
    let records: Vec<_> = records.iter().cloned().map(Ok).collect();
    let configured_as = configured_as.map(str::to_owned);
    store.import_pool(PoolImport::new(pool.clone(), configured_as, Box::new(records.into_iter()))).await
}

async fn snapshot(store: &SharedStore, id: &IdentityPoolId) -> PoolSnapshot {
    store.snapshot_pool(id).await.unwrap().expect("a pool")
}

async fn read(snapshot: PoolSnapshot, limit: usize) -> Vec<IdentityRecord> {
    let mut pages = snapshot.pages;
    let mut read = Vec::new();
    loop {
        let page: Result<_, StoreError> = pages.next(limit).await;
        let page = page.unwrap();
        assert!(page.len() <= limit);
        if page.is_empty() {
            return read;
        }
        read.extend(page);
    }
}

async fn assert_nothing_was_imported(fixture: &Fixture) {
    let snapshot = snapshot(&fixture.store, &fixture.other_pool_id).await;
    assert_eq!((snapshot.pool.version, snapshot.configured_as.as_deref()), (1, None));
    assert_eq!(read(snapshot, 10).await, []);
    let login = Login::developer("ada");
    let owner = fixture
        .store
        .find_identity_by_login(&fixture.other_pool_id, &login)
        .await
        .unwrap()
        .map(|it| it.identity.id);
    assert_eq!(owner, None);
}
