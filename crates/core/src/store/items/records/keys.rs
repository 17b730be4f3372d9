//! Access keys, signing keys and master keys.

use serde::{Deserialize, Serialize};

use super::{Bytes, Millis, Record};
use crate::ground::ids::{AccessKeyId, UserName};
use crate::records::signing_algorithm::Algorithm;
use crate::store::{StoredAccessKey, StoredSigningKey};

/// A developer with all access keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::store::items) struct DeveloperRecord {
    pub(in crate::store::items) policy: String,
    pub(in crate::store::items) keys: Vec<AccessKeyPart>,
}

impl Record for DeveloperRecord {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::store::items) struct AccessKeyPart {
    pub(in crate::store::items) id: AccessKeyId,
    pub(in crate::store::items) sealed_secret: Bytes,
    pub(in crate::store::items) created_at: Millis,
    pub(in crate::store::items) enabled: bool,
}

impl From<&StoredAccessKey> for AccessKeyPart {
    fn from(key: &StoredAccessKey) -> Self {
        Self {
            id: key.id.clone(),
            sealed_secret: Bytes::from(&key.sealed_secret),
            created_at: Millis(key.created_at),
            enabled: key.enabled,
        }
    }
}

impl DeveloperRecord {
    /// From the oldest to the newest.
    pub(in crate::store::items) fn keys(&self, name: &UserName) -> Vec<StoredAccessKey> {
        let mut keys: Vec<StoredAccessKey> = self
            .keys
            .iter()
            .map(|key| StoredAccessKey {
                id: key.id.clone(),
                name: name.clone(),
                policy: self.policy.clone(),
                sealed_secret: key.sealed_secret.clone().into(),
                created_at: key.created_at.0,
                enabled: key.enabled,
            })
            .collect();
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        keys
    }

    pub(in crate::store::items) fn add(&mut self, key: &StoredAccessKey) {
        self.keys.push(AccessKeyPart::from(key));
    }
}

/// Whose an access key is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::store::items) struct AccessKeyRecord {
    pub(in crate::store::items) name: UserName,
}

impl Record for AccessKeyRecord {}

/// All signing keys.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::store::items) struct SigningKeysRecord {
    pub(in crate::store::items) keys: Vec<SigningKeyPart>,
}

impl Record for SigningKeysRecord {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::store::items) struct SigningKeyPart {
    pub(in crate::store::items) key_id: String,
    pub(in crate::store::items) algorithm: Algorithm,
    pub(in crate::store::items) sealed_private_key: Bytes,
    pub(in crate::store::items) created_at: Millis,
    pub(in crate::store::items) signs_from: Millis,
}

impl From<&StoredSigningKey> for SigningKeyPart {
    fn from(key: &StoredSigningKey) -> Self {
        Self {
            key_id: key.key_id.clone(),
            algorithm: key.algorithm,
            sealed_private_key: Bytes::from(&key.sealed_private_key),
            created_at: Millis(key.created_at),
            signs_from: Millis(key.signs_from),
        }
    }
}

impl SigningKeysRecord {
    /// By when they sign.
    pub(in crate::store::items) fn keys(&self) -> Vec<StoredSigningKey> {
        let mut keys: Vec<StoredSigningKey> = self
            .keys
            .iter()
            .map(|key| StoredSigningKey {
                key_id: key.key_id.clone(),
                algorithm: key.algorithm,
                sealed_private_key: key.sealed_private_key.clone().into(),
                created_at: key.created_at.0,
                signs_from: key.signs_from.0,
            })
            .collect();
        keys.sort_by(|a, b| (a.signs_from, &a.key_id).cmp(&(b.signs_from, &b.key_id)));
        keys
    }
}

/// The master keys that were announced, the last one first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::store::items) struct MasterKeysRecord {
    pub(in crate::store::items) keys: Vec<(String, Millis)>,
}

impl Record for MasterKeysRecord {}
