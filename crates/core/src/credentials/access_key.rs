//! Developer access keys: the long-lived keys of those who may do more than people with a login, above all
//! vouch for them. An operator makes them, one developer (IAM calls it a user) for each use, with a policy,
//! and replaces them: two keys of a developer work side by side while the new one takes over.

use std::sync::Arc;

use crate::audit::{AuditAction, AuditDraft, AuditTrail};
use crate::credentials::role::unique_id;
use crate::ground::clock::Clock;
use crate::ground::ids::{AccessKeyId, AccountId, RequestId, UserName};
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::Random;
use crate::ground::seal::{Sealer, WrongMasterKey};
use crate::ground::secret::Secret;
use crate::iam::{Policy, PolicyError};
use crate::store::{AccessKeyOutcome, Keys, StoreError, StoredAccessKey};

/// The policy of who may do everything.
pub const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// How the unique IDs of users begin (IAM User Guide, "Understanding unique ID prefixes").
pub(crate) const DEVELOPER_ID_PREFIX: &str = "AIDA";

/// The unique ID of a developer, `AIDA…`: what `aws:userid` says.
#[must_use]
pub fn developer_id(name: &UserName, account_id: &AccountId) -> String {
    unique_id(DEVELOPER_ID_PREFIX, &name.arn(account_id))
}

/// Why a key was not made or changed. Nothing happened then.
#[derive(Debug, thiserror::Error)]
pub enum AccessKeyError {
    /// The policy has a mistake.
    #[error("the policy is refused: {0}")]
    Policy(#[from] PolicyError),
    /// The developer has a key, enabled or not.
    #[error("the name has an access key already")]
    NameTaken,
    /// There is no key with this ID, or none of this name.
    #[error("there is no such access key")]
    Unknown,
    /// The developer has as many enabled keys as they may have.
    #[error("two access keys of the name are enabled, and no more may be")]
    TooMany,
    /// The key could still be in use.
    #[error("the access key is enabled")]
    StillEnabled,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes and changes access keys. Every change by an operator leaves an audit event, and the secret of a key
/// leaves this type once, when the event is kept.
pub struct AccessKeys {
    store: Arc<dyn Keys>,
    trail: Arc<AuditTrail>,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl AccessKeys {
    /// The keys in `store`, their secrets sealed under the current master key.
    #[must_use]
    pub fn new(
        store: Arc<dyn Keys>,
        master_keys: &MasterKeys,
        trail: Arc<AuditTrail>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { store, trail, sealer: sealer(master_keys), clock, random }
    }

    /// The oldest enabled key of this name and its secret, made with a policy that allows everything if there
    /// is none. `None` if it was sealed under a master key that is not there.
    ///
    /// # Errors
    /// The store's.
    pub async fn find_or_create(
        &self,
        name: &UserName,
    ) -> Result<Option<(StoredAccessKey, Secret)>, StoreError> {
        let (candidate, _) = self.draw(name, ALLOW_ALL);
        let key = self.store.find_or_add_access_key(&candidate).await?;
        Ok(open(&self.sealer, &key).ok().map(|secret| (key, secret)))
    }

    /// Makes the first key of a developer.
    ///
    /// # Errors
    /// [`AccessKeyError::Policy`], [`AccessKeyError::NameTaken`], or the store's.
    pub async fn create(
        &self,
        name: &UserName,
        policy: &str,
    ) -> Result<(StoredAccessKey, Secret), AccessKeyError> {
        Policy::parse(policy)?;
        let (key, secret) = self.draw(name, policy);
        let outcome = self.store.add_first_access_key(&key).await?;
        let key = self.conclude(AuditAction::CreateKey, outcome).await?;
        Ok((key, secret))
    }

    /// Adds a key for a developer who has one, with the same policy.
    ///
    /// # Errors
    /// [`AccessKeyError::Unknown`], [`AccessKeyError::TooMany`], or the store's.
    pub async fn rotate(&self, name: &UserName) -> Result<(StoredAccessKey, Secret), AccessKeyError> {
        // The store puts the developer's policy in the place of none.
        let (candidate, secret) = self.draw(name, "");
        let outcome = self.store.add_further_access_key(&candidate).await?;
        let key = self.conclude(AuditAction::RotateKey, outcome).await?;
        Ok((key, secret))
    }

    /// Has a key accepted again, or no longer: no request that arrives from now on is let in with it.
    ///
    /// # Errors
    /// [`AccessKeyError::Unknown`], [`AccessKeyError::TooMany`], or the store's.
    pub async fn set_enabled(
        &self,
        id: &AccessKeyId,
        enabled: bool,
    ) -> Result<StoredAccessKey, AccessKeyError> {
        let action = if enabled { AuditAction::EnableKey } else { AuditAction::DisableKey };
        let outcome = self.store.set_access_key_enabled(id, enabled).await?;
        self.conclude(action, outcome).await
    }

    /// Deletes a disabled key. With the last key of a developer the developer goes.
    ///
    /// # Errors
    /// [`AccessKeyError::Unknown`], [`AccessKeyError::StillEnabled`], or the store's.
    pub async fn delete(&self, id: &AccessKeyId) -> Result<StoredAccessKey, AccessKeyError> {
        let outcome = self.store.delete_access_key(id).await?;
        self.conclude(AuditAction::DeleteKey, outcome).await
    }

    /// All keys, by name, then from the oldest to the newest.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self) -> Result<Vec<StoredAccessKey>, StoreError> {
        self.store.list_access_keys().await
    }

    /// A new key that nobody has yet.
    fn draw(&self, name: &UserName, policy: &str) -> (StoredAccessKey, Secret) {
        let id = AccessKeyId::generate_developer(&*self.random);
        let secret = Secret::generate_access_key(&*self.random);
        let key = StoredAccessKey {
            sealed_secret: self.sealer.seal(
                id.as_str().as_bytes(),
                secret.expose().as_bytes(),
                &*self.random,
            ),
            name: name.clone(),
            policy: policy.to_owned(),
            created_at: self.clock.now(),
            enabled: true,
            id,
        };
        (key, secret)
    }

    /// Records what has happened. Taking a key away must not wait for the trail; giving one away does, because
    /// its secret is handed out afterwards.
    async fn conclude(
        &self,
        action: AuditAction,
        outcome: AccessKeyOutcome,
    ) -> Result<StoredAccessKey, AccessKeyError> {
        let key = match outcome {
            AccessKeyOutcome::Done(key) => key,
            AccessKeyOutcome::NameTaken => return Err(AccessKeyError::NameTaken),
            AccessKeyOutcome::Unknown => return Err(AccessKeyError::Unknown),
            AccessKeyOutcome::TooMany => return Err(AccessKeyError::TooMany),
            AccessKeyOutcome::StillEnabled => return Err(AccessKeyError::StillEnabled),
        };
        let request_id = RequestId::generate(self.clock.now(), &*self.random);
        let mut draft = AuditDraft::new(action, &request_id);
        draft.access_key_id = Some(key.id.clone());
        draft.resource = Some(format!("user {}", key.name));
        self.trail.allowed(draft).await?;
        Ok(key)
    }
}

/// Seals the secrets of access keys.
#[must_use]
pub fn sealer(master_keys: &MasterKeys) -> Sealer {
    master_keys.sealer("developer access key")
}

/// Opens the secret of an access key.
///
/// # Errors
/// [`WrongMasterKey`], if it was sealed under a master key that is not there.
pub fn open(sealer: &Sealer, key: &StoredAccessKey) -> Result<Secret, WrongMasterKey> {
    let plain = sealer.open(key.id.as_str().as_bytes(), &key.sealed_secret).ok();
    let secret = plain.and_then(|plain| String::from_utf8(plain.to_vec()).ok());
    secret.map(Secret::new).ok_or_else(|| WrongMasterKey::from(&key.sealed_secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AuditSubject, testing};
    use crate::ground::clock::ManualClock;
    use crate::ground::master_keys::MasterKey;
    use crate::ground::random::SeededRandom;
    use crate::store::memory::MemoryStore;
    use crate::store::{AuditEvents, Keys};

    fn keys() -> (AccessKeys, Arc<MemoryStore>) {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::at_second(1_700_000_000)));
        let trail = testing::trail(&store, clock.clone());
        let (random, master_keys) =
            (Arc::new(SeededRandom::new(1)), MasterKeys::from(MasterKey::new([7; 32])));
        (AccessKeys::new(store.clone(), &master_keys, Arc::new(trail), clock, random), store)
    }

    fn name() -> UserName {
        UserName::parse("reports").unwrap()
    }

    #[tokio::test]
    async fn a_new_key_is_enabled_and_opens_to_the_secret_that_was_handed_out() {
        let (keys, store) = keys();
        let (key, secret) = keys.create(&name(), ALLOW_ALL).await.unwrap();
        let kept = store.lookup_access_key(&key.id).await.unwrap().unwrap();
        assert!(kept.enabled);
        assert_eq!(open(&keys.sealer, &kept), Ok(secret));
        assert!(open(&sealer(&MasterKeys::from(MasterKey::new([8; 32]))), &kept).is_err());
    }

    #[tokio::test]
    async fn a_policy_with_a_mistake_makes_no_key_and_is_told_where() {
        let (keys, store) = keys();
        let policy = ALLOW_ALL.replace("Allow", "allow");
        let error = keys.create(&name(), &policy).await.unwrap_err().to_string();
        assert!(error.starts_with("the policy is refused: statement 1: Effect is neither"), "{error}");
        assert_eq!(store.list_access_keys().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_rotated_key_has_the_same_policy_and_another_secret() {
        let (keys, _) = keys();
        let policy = ALLOW_ALL.replacen('*', "cognito-identity:*", 1);
        let (first, first_secret) = keys.create(&name(), &policy).await.unwrap();
        let (second, second_secret) = keys.rotate(&name()).await.unwrap();
        assert_eq!((&second.name, &second.policy), (&first.name, &policy));
        assert_ne!(second.id, first.id);
        assert_ne!(second_secret, first_secret);
    }

    #[tokio::test]
    async fn what_cannot_be_done_is_told_and_changes_nothing() {
        let (keys, _) = keys();
        assert!(matches!(keys.rotate(&name()).await, Err(AccessKeyError::Unknown)));
        let (key, _) = keys.create(&name(), ALLOW_ALL).await.unwrap();
        assert!(matches!(keys.create(&name(), ALLOW_ALL).await, Err(AccessKeyError::NameTaken)));
        assert!(matches!(keys.delete(&key.id).await, Err(AccessKeyError::StillEnabled)));
        keys.rotate(&name()).await.unwrap();
        assert!(matches!(keys.rotate(&name()).await, Err(AccessKeyError::TooMany)));
        assert_eq!(keys.list().await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn every_change_is_in_the_audit_trail_without_the_secret() {
        let (keys, store) = keys();
        let (key, secret) = keys.create(&name(), ALLOW_ALL).await.unwrap();
        keys.set_enabled(&key.id, false).await.unwrap();
        keys.set_enabled(&key.id, true).await.unwrap();
        keys.set_enabled(&key.id, false).await.unwrap();
        let (other, _) = keys.rotate(&name()).await.unwrap();
        keys.delete(&key.id).await.unwrap();
        let events = store.list_audit_events(&AuditSubject::AccessKey(key.id), 10).await.unwrap();
        let actions: Vec<_> = events.iter().rev().map(|event| event.action).collect();
        let changed = [AuditAction::DisableKey, AuditAction::EnableKey, AuditAction::DisableKey];
        assert_eq!(actions[0], AuditAction::CreateKey);
        assert_eq!(actions[1..4], changed);
        assert_eq!(actions[4..], [AuditAction::DeleteKey]);
        assert!(events.iter().all(|event| event.resource.as_deref() == Some("user reports")));
        assert!(!format!("{events:?}").contains(secret.expose()));
        let rotated = store.list_audit_events(&AuditSubject::AccessKey(other.id), 10).await.unwrap();
        assert_eq!(rotated[0].action, AuditAction::RotateKey);
    }

    #[tokio::test]
    async fn up_finds_its_key_again_and_makes_another_one_when_it_was_disabled() {
        let (keys, _) = keys();
        let (first, secret) = keys.find_or_create(&name()).await.unwrap().unwrap();
        assert_eq!(keys.find_or_create(&name()).await.unwrap(), Some((first.clone(), secret)));
        keys.set_enabled(&first.id, false).await.unwrap();
        let (second, _) = keys.find_or_create(&name()).await.unwrap().unwrap();
        assert_ne!(second.id, first.id);
    }
}
