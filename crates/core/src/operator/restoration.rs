//! What has to happen to a store that comes back from a backup before anybody uses it. It is of another time: it has
//! forgotten which sessions were revoked since, and which keys were disabled.

use std::sync::Arc;

use crate::credentials::access_key;
use crate::ground::clock::{Clock, Timestamp};
use crate::ground::ids::AccessKeyId;
use crate::ground::master_keys::MasterKeys;
use crate::ground::seal::WrongMasterKey;
use crate::store::{RevocationTarget, Store, StoreError, StoredAccessKey};
use crate::token::key_set::KeySet;
use crate::token::signer::KeyHolder;
use crate::token::signing_key::SigningKeyError;

/// Why a store is not taken back.
#[derive(Debug, thiserror::Error)]
pub enum RestorationError {
    /// A signing key is sealed under a master key that is not there, or damaged.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// An access key is sealed under a master key that is not there.
    #[error("access key {0} does not open: {1}")]
    AccessKey(AccessKeyId, WrongMasterKey),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A store that was taken back.
#[derive(Debug)]
pub struct Restored {
    /// Sessions and tokens that began until then are over.
    pub over_until: Timestamp,
    /// The developer access keys that work again, or do not, as at the time of the backup.
    pub access_keys: Vec<StoredAccessKey>,
}

/// Sees that the store is of the installation with these master keys, and ends all sessions: any of them may have been
/// revoked since, or rest on what was taken away.
///
/// # Errors
/// [`RestorationError`]; above all, if one of them is missing.
pub async fn take_back(
    store: &dyn Store,
    master_keys: &MasterKeys,
    holder: &dyn KeyHolder,
    clock: Arc<dyn Clock>,
) -> Result<Restored, RestorationError> {
    KeySet::open(&store.list_signing_keys().await?, master_keys, holder)?;
    let access_keys = store.list_access_keys().await?;
    let sealer = access_key::sealer(master_keys);
    if let Some(key) = access_keys.iter().find(|key| access_key::open(&sealer, key).is_err()) {
        return Err(RestorationError::AccessKey(key.id.clone(), WrongMasterKey::from(&key.sealed_secret)));
    }
    let over_until = store.revoke_sessions(&RevocationTarget::Everybody, clock).await?;
    Ok(Restored { over_until, access_keys })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::access_key::ALLOW_ALL;
    use crate::ground::clock::ManualClock;
    use crate::ground::ids::{IdentityId, UserName};
    use crate::ground::random::SeededRandom;
    use crate::records::signing_algorithm::Algorithm;
    use crate::store::Keys;
    use crate::store::memory::MemoryStore;
    use crate::token::local_keys::LocalKeys;
    use crate::token::signing_key::{self, SigningKey};

    const SECOND: i64 = 1_700_000_000;

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::at_second(SECOND))
    }

    fn master_keys(seed: u64) -> MasterKeys {
        MasterKeys::generate(&SeededRandom::new(seed))
    }

    async fn add_access_key(store: &dyn Store, master_keys: &MasterKeys) -> AccessKeyId {
        let random = SeededRandom::new(7);
        let id = AccessKeyId::generate_developer(&random);
        let key = StoredAccessKey {
            id: id.clone(),
            name: UserName::parse("ci").unwrap(),
            policy: ALLOW_ALL.into(),
            sealed_secret: access_key::sealer(master_keys).seal(id.as_str().as_bytes(), b"secret", &random),
            created_at: Timestamp::UNIX_EPOCH,
            enabled: true,
        };
        store.add_first_access_key(&key).await.unwrap();
        id
    }

    async fn revoked_until(store: &dyn Store) -> Option<Timestamp> {
        let id = IdentityId::parse("us-east-1:aa").unwrap();
        store.standing(&id, None, None).await.unwrap().revoked_until
    }

    #[tokio::test]
    async fn with_its_own_master_key_all_sessions_end_and_the_keys_are_told() {
        let store = MemoryStore::new();
        let (now, random) = (clock().now(), SeededRandom::new(2));
        let sealer = signing_key::sealer(&master_keys(1));
        let key = SigningKey::generate("us-east-11".into(), Algorithm::Rs512, [now, now], &sealer, &random);
        store.add_signing_key(&key, &[]).await.unwrap();
        let id = add_access_key(&store, &master_keys(1)).await;

        let restored = take_back(&store, &master_keys(1), &LocalKeys, clock()).await.unwrap();
        assert_eq!(restored.over_until, clock().now());
        assert_eq!(restored.access_keys[0].id, id);
        assert_eq!(revoked_until(&store).await, Some(clock().now()));

        let refused = take_back(&store, &master_keys(3), &LocalKeys, clock()).await.unwrap_err();
        assert!(matches!(refused, RestorationError::SigningKey(SigningKeyError::WrongMasterKey(..))));
    }

    #[tokio::test]
    async fn a_store_of_another_master_key_stays_as_it_is() {
        let store = MemoryStore::new();
        let id = add_access_key(&store, &master_keys(1)).await;
        let refused = take_back(&store, &master_keys(3), &LocalKeys, clock()).await.unwrap_err();
        assert!(refused.to_string().contains(id.as_str()), "{refused}");
        assert_eq!(revoked_until(&store).await, None);
    }
}
