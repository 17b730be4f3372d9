//! The identities of a pool with their logins, for operators: users by name, where the AWS API names providers only.

use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity_record::IdentityRecord;
use crate::store::page::{Listed, Listing, ListingError};
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
/// least 1.
///
/// # Errors
/// [`IdentitiesError`].
pub async fn list(
    store: &(impl Pools + Identities + ?Sized),
    pool_id: &IdentityPoolId,
    limit: usize,
    next_token: Option<&str>,
) -> Result<Listed<IdentityRecord>, IdentitiesError> {
    let listing = Listing::of("identities", &[pool_id.as_str()]);
    let page = listing.question(next_token, limit, |text| IdentityId::parse(text).ok())?;
    if store.lookup_pool(pool_id).await?.is_none() {
        return Err(IdentitiesError::UnknownPool(pool_id.clone()));
    }
    let records = store.list_identities(pool_id, false, page).await?;
    Ok(listing.page(records, limit, |record| record.identity.id.to_string()))
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
    }

    #[tokio::test]
    async fn what_is_not_there_is_told() {
        let store = MemoryStore::new();
        let refused = list(&store, &pool_id(), 2, None).await.unwrap_err();
        assert!(matches!(refused, IdentitiesError::UnknownPool(unknown) if unknown == pool_id()));
        let refused = list(&store, &pool_id(), 2, Some("x")).await.unwrap_err();
        assert!(matches!(refused, IdentitiesError::Listing(ListingError::Token)));
    }
}
