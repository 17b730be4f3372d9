//! What items say, as JSON. Members that are not there have a meaning: what is written by a newer version may have more.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Record;
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId, SignInSessionId, UserName};
use crate::ground::seal::Sealed;
use crate::records::identity::{
    Identity, IdentityPool, Login, LoginProvider, PoolRoles, PoolSettings, PrincipalTagMap,
};
use crate::records::identity_record::IdentityRecord as Whom;
use crate::records::scope::Scope;
use crate::records::sign_in_session::{EndReason, SessionEnd, SignInSession, Upstream};
use crate::records::signing_algorithm::Algorithm;
use crate::store::{StoredAccessKey, StoredLoginGrant, StoredSigningKey};

/// An instant, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Millis(pub(super) Timestamp);

impl Millis {
    /// An instant, or the next whole millisecond if it lies between two.
    pub(super) fn not_before(instant: Timestamp) -> Self {
        Self(instant.saturating_add(SignedDuration::from_nanos(999_999)).unwrap_or(instant))
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_millisecond().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Millis {
    /// By seconds and the rest, because jiff takes no count of milliseconds for the calendar's last second.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let milliseconds = i64::deserialize(deserializer)?;
        let nanoseconds =
            i32::try_from(milliseconds.rem_euclid(1000) * 1_000_000).map_err(serde::de::Error::custom)?;
        Timestamp::new(milliseconds.div_euclid(1000), nanoseconds).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Bytes, in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BASE64_STANDARD_NO_PAD.encode(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD_NO_PAD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl From<&Sealed> for Bytes {
    fn from(sealed: &Sealed) -> Self {
        Self(sealed.0.clone())
    }
}

impl From<Bytes> for Sealed {
    fn from(Bytes(bytes): Bytes) -> Self {
        Self(bytes)
    }
}

/// A pool. Its identities belong to its incarnation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PoolRecord {
    pub(super) incarnation: String,
    pub(super) version: u32,
    pub(super) settings: PoolSettings,
    pub(super) roles: PoolRoles,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tag_maps: BTreeMap<String, PrincipalTagMap>,
    /// Whether nobody new comes in, because the pool is being imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) closed: Option<ClosedPart>,
}

impl Record for PoolRecord {}

/// For whose sake a pool is closed: that of an incarnation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ClosedPart {
    pub(super) by: String,
    pub(super) until: Millis,
}

impl PoolRecord {
    pub(super) fn new(incarnation: String, pool: &IdentityPool) -> Self {
        let IdentityPool { version, settings, roles, tag_maps, .. } = pool.clone();
        Self { incarnation, version, settings, roles, tag_maps, closed: None }
    }

    pub(super) fn pool(self, id: IdentityPoolId) -> IdentityPool {
        let Self { version, settings, roles, tag_maps, .. } = self;
        IdentityPool { id, version, settings, roles, tag_maps }
    }

    pub(super) fn is_closed_at(&self, now: Timestamp) -> bool {
        self.closed.as_ref().is_some_and(|closed| now < closed.until.0)
    }

    pub(super) fn closed_for(&self, incarnation: &str) -> bool {
        self.closed.as_ref().is_some_and(|closed| closed.by == incarnation)
    }
}

/// Where a name of a configuration leads, as long as the pool has that incarnation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ConfiguredRecord {
    pub(super) pool: IdentityPoolId,
    pub(super) incarnation: String,
}

impl Record for ConfiguredRecord {}

/// An incarnation that is no pool's, though identities of it are there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DeadRecord {
    /// Before that somebody may be importing them.
    pub(super) left_from: Millis,
}

impl Record for DeadRecord {}

/// Whose turn it is to import a pool: whoever writes under that incarnation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ImportRecord {
    pub(super) by: String,
    pub(super) until: Millis,
}

impl Record for ImportRecord {
    fn forgotten_at(&self) -> Option<Timestamp> {
        Some(self.until.0)
    }
}

/// An identity with its logins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IdentityRecord {
    pub(super) pool: IdentityPoolId,
    pub(super) incarnation: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) authenticated: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) disabled: bool,
    /// Whether it was deleted, and only what hangs on it is not gone yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) erased: bool,
    pub(super) created_at: Millis,
    pub(super) modified_at: Millis,
    /// Provider and user; the provider is empty for the developer's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) logins: Vec<(String, String)>,
    /// Whom it was merged into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) merged_into: Option<IdentityId>,
    /// Who was merged into it, and into those, and may have sessions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) absorbed: Vec<IdentityId>,
    /// Whether nothing is left of it, and until when its place stays taken: a commit that made it, and comes late, must not make it
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) gone_until: Option<Millis>,
}

impl Record for IdentityRecord {
    fn forgotten_at(&self) -> Option<Timestamp> {
        self.gone_until.map(|Millis(until)| until)
    }
}

impl IdentityRecord {
    pub(super) fn new(incarnation: &str, identity: &Identity, logins: &[Login]) -> Self {
        Self {
            pool: identity.pool_id.clone(),
            incarnation: incarnation.to_owned(),
            authenticated: identity.authenticated,
            disabled: identity.disabled,
            erased: false,
            created_at: Millis(identity.created_at),
            modified_at: Millis(identity.modified_at),
            logins: logins.iter().map(login_columns).collect(),
            merged_into: None,
            absorbed: Vec::new(),
            gone_until: None,
        }
    }

    /// What stays in the place of one that was deleted.
    pub(super) fn gone(&self, until: Timestamp) -> Self {
        Self {
            erased: true,
            logins: Vec::new(),
            merged_into: None,
            absorbed: Vec::new(),
            gone_until: Some(Millis(until)),
            ..self.clone()
        }
    }

    pub(super) fn identity(&self, id: &IdentityId) -> Identity {
        Identity {
            id: id.clone(),
            pool_id: self.pool.clone(),
            authenticated: self.authenticated,
            disabled: self.disabled,
            created_at: self.created_at.0,
            modified_at: self.modified_at.0,
        }
    }

    pub(super) fn with_logins(&self, id: &IdentityId) -> Whom {
        Whom { identity: self.identity(id), logins: self.logins() }
    }

    /// In order.
    pub(super) fn logins(&self) -> Vec<Login> {
        let mut logins: Vec<Login> = self.logins.iter().map(login).collect();
        logins.sort_unstable();
        logins
    }

    pub(super) fn set_logins(&mut self, logins: impl IntoIterator<Item = Login>) {
        self.logins = logins.into_iter().map(|login| login_columns(&login)).collect();
        self.logins.sort_unstable();
    }

    pub(super) fn has(&self, login: &Login) -> bool {
        self.logins.contains(&login_columns(login))
    }
}

fn login_columns(login: &Login) -> (String, String) {
    let provider = match &login.provider {
        LoginProvider::Developer => String::new(),
        LoginProvider::Public(name) => name.clone(),
    };
    (provider, login.user.clone())
}

fn login((provider, user): &(String, String)) -> Login {
    let provider =
        if provider.is_empty() { LoginProvider::Developer } else { LoginProvider::Public(provider.clone()) };
    Login { provider, user: user.clone() }
}

/// Whose a login is, if that identity says so too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LoginRecord {
    #[serde(rename = "i")]
    pub(super) identity: IdentityId,
}

impl Record for LoginRecord {}

/// That something is in a listing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ListedRecord {
    /// When the thing is forgotten by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Millis>,
}

impl Record for ListedRecord {
    fn forgotten_at(&self) -> Option<Timestamp> {
        self.until.map(|Millis(until)| until)
    }
}

impl ListedRecord {
    pub(super) const FOR_GOOD: Self = Self { until: None };
}

/// A developer with all access keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DeveloperRecord {
    pub(super) policy: String,
    pub(super) keys: Vec<AccessKeyPart>,
}

impl Record for DeveloperRecord {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AccessKeyPart {
    pub(super) id: AccessKeyId,
    pub(super) sealed_secret: Bytes,
    pub(super) created_at: Millis,
    pub(super) enabled: bool,
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
    pub(super) fn keys(&self, name: &UserName) -> Vec<StoredAccessKey> {
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

    pub(super) fn add(&mut self, key: &StoredAccessKey) {
        self.keys.push(AccessKeyPart::from(key));
    }
}

/// Whose an access key is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AccessKeyRecord {
    pub(super) name: UserName,
}

impl Record for AccessKeyRecord {}

/// All signing keys.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct SigningKeysRecord {
    pub(super) keys: Vec<SigningKeyPart>,
}

impl Record for SigningKeysRecord {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SigningKeyPart {
    pub(super) key_id: String,
    pub(super) algorithm: Algorithm,
    pub(super) sealed_private_key: Bytes,
    pub(super) created_at: Millis,
    pub(super) signs_from: Millis,
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
    pub(super) fn keys(&self) -> Vec<StoredSigningKey> {
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
pub(super) struct MasterKeysRecord {
    pub(super) keys: Vec<(String, Millis)>,
}

impl Record for MasterKeysRecord {}

/// A name that counts once. Its key is a hash: only a copy into another store asks what the name is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UsedRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) until: Millis,
}

impl Record for UsedRecord {
    fn forgotten_at(&self) -> Option<Timestamp> {
        Some(self.until.0)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct GrantRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code_hash: Option<String>,
    pub(super) sealed: Bytes,
    pub(super) expires_at: Millis,
}

impl From<&StoredLoginGrant> for GrantRecord {
    fn from(grant: &StoredLoginGrant) -> Self {
        Self {
            code_hash: Some(grant.code_hash.clone()),
            sealed: Bytes::from(&grant.sealed),
            expires_at: Millis(grant.expires_at),
        }
    }
}

impl Record for GrantRecord {
    fn forgotten_at(&self) -> Option<Timestamp> {
        Some(self.expires_at.0)
    }
}

/// Up to which instant sessions are void.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RevocationRecord {
    pub(super) not_before: Millis,
}

impl Record for RevocationRecord {}

/// A session. Its identity may have been merged into another one since.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SessionRecord {
    pub(super) app: String,
    pub(super) pool: IdentityPoolId,
    pub(super) identity: IdentityId,
    pub(super) provider: String,
    pub(super) upstream: Upstream,
    pub(super) login: Bytes,
    pub(super) scope: Scope,
    pub(super) signed_in_at: Option<Millis>,
    pub(super) checked_at: Millis,
    pub(super) key_thumbprint: Option<String>,
    pub(super) device: Option<String>,
    pub(super) generation: u32,
    pub(super) created_at: Millis,
    pub(super) rotated_at: Millis,
    pub(super) late_at: Option<Millis>,
    pub(super) idle_until: Millis,
    pub(super) ends_at: Millis,
    pub(super) ended: Option<(Millis, EndReason)>,
}

impl Record for SessionRecord {
    fn forgotten_at(&self) -> Option<Timestamp> {
        Some(self.session(&SignInSessionId::of_bytes([0; 16])).forgotten_at())
    }
}

impl From<&SignInSession> for SessionRecord {
    fn from(session: &SignInSession) -> Self {
        Self {
            app: session.app.clone(),
            pool: session.pool_id.clone(),
            identity: session.identity_id.clone(),
            provider: session.provider.clone(),
            upstream: session.upstream.clone(),
            login: Bytes::from(&session.login),
            scope: session.scope,
            signed_in_at: session.signed_in_at.map(Millis),
            checked_at: Millis(session.checked_at),
            key_thumbprint: session.key_thumbprint.clone(),
            device: session.device.clone(),
            generation: session.generation,
            created_at: Millis(session.created_at),
            rotated_at: Millis(session.rotated_at),
            late_at: session.late_at.map(Millis),
            idle_until: Millis(session.idle_until),
            ends_at: Millis(session.ends_at),
            ended: session.ended.map(|end| (Millis(end.at), end.reason)),
        }
    }
}

impl SessionRecord {
    pub(super) fn session(&self, id: &SignInSessionId) -> SignInSession {
        let instant = |Millis(instant): Millis| instant;
        SignInSession {
            id: id.clone(),
            app: self.app.clone(),
            pool_id: self.pool.clone(),
            identity_id: self.identity.clone(),
            provider: self.provider.clone(),
            upstream: self.upstream.clone(),
            login: self.login.clone().into(),
            scope: self.scope,
            signed_in_at: self.signed_in_at.map(instant),
            checked_at: self.checked_at.0,
            key_thumbprint: self.key_thumbprint.clone(),
            device: self.device.clone(),
            generation: self.generation,
            created_at: self.created_at.0,
            rotated_at: self.rotated_at.0,
            late_at: self.late_at.map(instant),
            idle_until: self.idle_until.0,
            ends_at: self.ends_at.0,
            ended: self.ended.map(|(at, reason)| SessionEnd { at: at.0, reason }),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DeviceRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    pub(super) device_code_hash: String,
    pub(super) app: String,
    pub(super) scope: Scope,
    pub(super) device: Option<String>,
    pub(super) source_ip: Option<IpAddr>,
    pub(super) created_at: Millis,
    pub(super) ends_at: Millis,
    pub(super) interval: u32,
    pub(super) polled_at: Option<Millis>,
    pub(super) decision: Option<DecisionPart>,
    pub(super) forgotten_at: Millis,
}

/// What the person decided: the one-time code, if they allowed it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DecisionPart {
    Allowed(String),
    Denied,
}

impl Record for DeviceRecord {
    fn forgotten_at(&self) -> Option<Timestamp> {
        Some(self.forgotten_at.0)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ExportRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) exporter: Option<String>,
    pub(super) trail: String,
    pub(super) line: u64,
    pub(super) moved_at: Millis,
    pub(super) refused: u64,
    pub(super) dropped: u64,
}

impl Record for ExportRecord {}
