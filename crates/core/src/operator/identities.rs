//! The identities of a pool with their logins, for operators: users by name, where the AWS API names providers only.

use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::store::page::{Listed, ListingError, page_after};
use crate::store::transfer::IdentityRecord;
use crate::store::{Identities, Pools, StoreError};

/// Why identities are not listed.
#[derive(Debug, thiserror::Error)]
pub enum IdentitiesError {
    /// There is no such pool.
    #[error("there is no pool {0}")]
    UnknownPool(IdentityPoolId),
    /// The token is of no listing, or the store did not answer.
    #[error(transparent)]
    Listing(#[from] ListingError),
}

impl From<StoreError> for IdentitiesError {
    fn from(error: StoreError) -> Self {
        Self::Listing(error.into())
    }
}

/// The identities of a pool in order of their IDs, those that lost a merge too: `limit` of them at most, which is at
/// least 1. The logins are read after the identities, so that one that ends meanwhile may be shown without any.
///
/// # Errors
/// [`IdentitiesError`].
pub async fn list(
    store: &(impl Pools + Identities + ?Sized),
    pool_id: &IdentityPoolId,
    limit: usize,
    next_token: Option<&str>,
) -> Result<Listed<IdentityRecord>, IdentitiesError> {
    let page = page_after(next_token, limit, |text| IdentityId::parse(text).ok())?;
    if store.lookup_pool(pool_id).await?.is_none() {
        return Err(IdentitiesError::UnknownPool(pool_id.clone()));
    }
    let identities = store.list_identities(pool_id, false, page).await?;
    let listed = Listed::new(identities, limit, |identity| identity.id.to_string());
    let ids: Vec<IdentityId> = listed.items.iter().map(|identity| identity.id.clone()).collect();
    let mut logins = store.list_logins_of_each(&ids).await?.into_iter();
    Ok(listed.map(|identity| IdentityRecord { identity, logins: logins.next().unwrap_or_default() }))
}

/// An identity with its logins, whichever pool it is in.
///
/// # Errors
/// The store's.
pub async fn show(
    store: &(impl Identities + ?Sized),
    id: &IdentityId,
) -> Result<Option<IdentityRecord>, StoreError> {
    let logins = store.list_logins(id).await?;
    Ok(store.lookup_identity(id).await?.map(|identity| IdentityRecord { identity, logins }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::clock::Timestamp;
    use crate::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
    use crate::records::linking::LinkRequest;
    use crate::store::memory::MemoryStore;

    fn pool_id() -> IdentityPoolId {
        IdentityPoolId::parse("us-east-1:aa").unwrap()
    }

    fn id(number: usize) -> IdentityId {
        IdentityId::parse(format!("us-east-1:{number:02}")).unwrap()
    }

    async fn store_with_people(people: usize) -> MemoryStore {
        let store = MemoryStore::new();
        let pool = IdentityPool::new(pool_id(), PoolSettings::default(), PoolRoles::default());
        store.add_pool(&pool).await.unwrap();
        for number in 0..people {
            let request = LinkRequest {
                pool_id: pool_id(),
                new_identity_id: id(number),
                now: Timestamp::UNIX_EPOCH,
                identity_id: None,
                logins: vec![Login::developer(number.to_string())],
            };
            store.link_logins(&request).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn identities_come_page_by_page_with_their_logins() {
        let store = store_with_people(3).await;
        let first = list(&store, &pool_id(), 2, None).await.unwrap();
        let last = list(&store, &pool_id(), 2, first.next_token.as_deref()).await.unwrap();
        assert_eq!(last.next_token, None);
        let found: Vec<_> = first.items.into_iter().chain(last.items).collect();
        let expected = (0..3).map(|number| (id(number), vec![Login::developer(number.to_string())]));
        assert!(found.iter().map(|it| (it.identity.id.clone(), it.logins.clone())).eq(expected));
        assert_eq!(show(&store, &id(1)).await.unwrap().as_ref(), Some(&found[1]));
    }

    #[tokio::test]
    async fn what_is_not_there_is_told() {
        let store = MemoryStore::new();
        let refused = list(&store, &pool_id(), 2, None).await.unwrap_err();
        assert!(matches!(refused, IdentitiesError::UnknownPool(unknown) if unknown == pool_id()));
        let refused = list(&store, &pool_id(), 2, Some("x")).await.unwrap_err();
        assert!(matches!(refused, IdentitiesError::Listing(ListingError::Token)));
        assert_eq!(show(&store, &id(1)).await.unwrap(), None);
    }
}
