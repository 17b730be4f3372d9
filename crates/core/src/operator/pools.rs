//! The pools of an installation: how many identities each has, and one that comes from another installation.

use crate::audit::{AuditAction, AuditDraft, AuditTrail, Grounds, Requester};
use crate::ground::counting::counted;
use crate::ground::ids::IdentityPoolId;
use crate::records::identity::IdentityPool;
use crate::store::page::{Listed, Listing, ListingError};
use crate::store::transfer::{ImportError, Imported, PoolImport, PoolSnapshot};
use crate::store::{Pools, StoreError};

/// A pool as it stands at one moment.
#[derive(Debug, PartialEq, Eq)]
pub struct PoolOverview {
    /// The pool.
    pub pool: IdentityPool,
    /// The name by which the configuration finds it, if it does.
    pub configured_as: Option<String>,
    /// How many identities it has, those that lost a merge too.
    pub identities: u64,
}

/// The pools in order of their IDs: `limit` of them at most, which is at least 1. One that is deleted while it is
/// counted is left out.
///
/// # Errors
/// [`ListingError`].
pub async fn list(
    store: &(impl Pools + ?Sized),
    limit: usize,
    next_token: Option<&str>,
) -> Result<Listed<PoolOverview>, ListingError> {
    let listing = Listing::of("pools", &[]);
    let page = listing.question(next_token, limit, |text| IdentityPoolId::parse(text).ok())?;
    let pools = listing.page(store.list_pools(page).await?, limit, |pool| pool.id.to_string());
    let mut items = Vec::new();
    for pool in pools.items {
        items.extend(show(store, &pool.id).await?);
    }
    Ok(Listed { items, next_token: pools.next_token })
}

/// A pool, if there is one of this ID.
///
/// # Errors
/// The store's.
pub async fn show(
    store: &(impl Pools + ?Sized),
    id: &IdentityPoolId,
) -> Result<Option<PoolOverview>, StoreError> {
    Ok(store.snapshot_pool(id).await?.map(|snapshot| {
        let PoolSnapshot { pool, configured_as, identities, .. } = snapshot;
        PoolOverview { pool, configured_as, identities }
    }))
}

/// Records that an operator had the pool made that a configuration names. `arn` is what policies call it.
///
/// # Errors
/// The store's; the pool is made all the same.
pub async fn record_made(trail: &AuditTrail, arn: String, by: &Requester) -> Result<(), StoreError> {
    let mut draft = AuditDraft::by(AuditAction::Pool, by);
    draft.resource = Some(arn);
    trail.noted(draft, Grounds::new("created", "made under the name in the configuration")).await
}

/// Why a pool was not imported, or what went wrong when it was.
#[derive(Debug, thiserror::Error)]
pub enum PoolImportError {
    /// Nothing was changed.
    #[error(transparent)]
    Refused(#[from] ImportError),
    /// The pool is there with everybody in it.
    #[error("the pool is imported, but the audit trail could not keep that you imported it")]
    NotRecorded(#[source] StoreError),
}

/// Brings a pool into a store with everybody in it, and records it by one event: who they are, the import says. One that
/// was there already leaves none. `arn` is what policies call the pool.
///
/// # Errors
/// [`PoolImportError`].
pub async fn import(
    store: &(impl Pools + ?Sized),
    trail: &AuditTrail,
    import: PoolImport,
    arn: String,
    by: &Requester,
) -> Result<Imported, PoolImportError> {
    let imported = store.import_pool(import).await?;
    if imported.changed {
        let mut draft = AuditDraft::by(AuditAction::Pool, by);
        draft.resource = Some(arn);
        let what = Grounds::new(
            "imported",
            format!("imported with {}", counted(imported.identities, "identity", "identities")),
        );
        trail.noted(draft, what).await.map_err(PoolImportError::NotRecorded)?;
    }
    Ok(imported)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::audit::AuditSubject;
    use crate::audit::testing::Disk;
    use crate::ground::clock::{ManualClock, Timestamp};
    use crate::ground::ids::{IdentityId, RequestId};
    use crate::ground::random::SeededRandom;
    use crate::iam::Origin;
    use crate::records::identity::{PoolRoles, PoolSettings};
    use crate::store::memory::MemoryStore;
    use crate::store::{AuditEvents, Identities};

    fn id(number: usize) -> IdentityPoolId {
        IdentityPoolId::parse(format!("us-east-1:{number:02}")).unwrap()
    }

    #[tokio::test]
    async fn pools_come_page_by_page_with_their_number_of_identities() {
        let store = MemoryStore::new();
        for number in 0..3 {
            let settings = PoolSettings { name: number.to_string(), ..PoolSettings::default() };
            let pool = IdentityPool::new(id(number), settings, PoolRoles::default());
            store.find_or_add_configured_pool(&format!("app {number}"), &pool).await.unwrap();
            for guest in 0..number {
                let guest = IdentityId::parse(format!("us-east-1:{number}{guest}")).unwrap();
                assert!(store.add_guest(&id(number), &guest, Timestamp::UNIX_EPOCH).await.unwrap());
            }
        }
        let first = list(&store, 2, None).await.unwrap();
        let last = list(&store, 2, first.next_token.as_deref()).await.unwrap();
        assert_eq!((first.items.len(), last.next_token), (2, None));
        let found: Vec<_> = first.items.into_iter().chain(last.items).collect();
        for (number, found) in found.iter().enumerate() {
            assert_eq!((&found.pool.id, found.identities), (&id(number), number as u64));
            assert_eq!(found.configured_as, Some(format!("app {number}")));
        }
        assert_eq!(show(&store, &id(2)).await.unwrap().as_ref(), found.last());
        assert_eq!(show(&store, &id(3)).await.unwrap(), None);
    }

    /// Imports a pool without anybody in it.
    async fn import_pool(store: &Arc<MemoryStore>, full: bool) -> Result<Imported, PoolImportError> {
        let pool = IdentityPool::new(id(1), PoolSettings::default(), PoolRoles::default());
        let clock = Arc::new(ManualClock::at_second(0));
        let trail = Disk::new(store, full).trail(clock);
        let by = Requester::anonymous(&request_id(), Origin::default());
        let pool = PoolImport::new(pool, None, Box::new(std::iter::empty()));
        import(&**store, &trail, pool, "arn:pool".into(), &by).await
    }

    fn request_id() -> RequestId {
        RequestId::generate(Timestamp::UNIX_EPOCH, &SeededRandom::new(1))
    }

    #[tokio::test]
    async fn an_import_leaves_one_event_about_the_pool() {
        let store = Arc::new(MemoryStore::new());
        assert!(import_pool(&store, false).await.unwrap().changed);
        let events = store.list_audit_events(&AuditSubject::Request(request_id()), 10).await.unwrap();
        let [event] = &events[..] else { panic!("one event: {events:?}") };
        assert_eq!((event.action, event.resource.as_deref()), (AuditAction::Pool, Some("arn:pool")));
        assert!(show(&*store, &id(1)).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_pool_is_imported_though_the_event_cannot_be_kept_and_that_is_told() {
        let store = Arc::new(MemoryStore::new());
        let told = import_pool(&store, true).await.unwrap_err();
        assert!(matches!(told, PoolImportError::NotRecorded(_)), "{told}");
        assert!(show(&*store, &id(1)).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_token_of_no_listing_is_refused() {
        let listed = list(&MemoryStore::new(), 2, Some("x")).await;
        assert!(matches!(listed, Err(ListingError::Token)));
    }
}
