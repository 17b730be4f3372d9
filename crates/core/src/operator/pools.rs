//! The pools of an installation, and how many identities each has.

use crate::ground::ids::IdentityPoolId;
use crate::records::identity::IdentityPool;
use crate::store::page::{Listed, ListingError, page_after};
use crate::store::transfer::PoolSnapshot;
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
    let page = page_after(next_token, limit, |text| IdentityPoolId::parse(text).ok())?;
    let pools = Listed::new(store.list_pools(page).await?, limit, |pool| pool.id.to_string());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::clock::Timestamp;
    use crate::ground::ids::IdentityId;
    use crate::records::identity::{PoolRoles, PoolSettings};
    use crate::store::Identities;
    use crate::store::memory::MemoryStore;

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

    #[tokio::test]
    async fn a_token_of_no_listing_is_refused() {
        let listed = list(&MemoryStore::new(), 2, Some("x")).await;
        assert!(matches!(listed, Err(ListingError::Token)));
    }
}
