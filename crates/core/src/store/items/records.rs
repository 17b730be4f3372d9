//! What items say, as JSON. Members that are not there have a meaning: what is written by a newer version may have more.

mod identities;
mod keys;

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) use self::identities::{IdentityRecord, LoginRecord};
pub(super) use self::keys::{
    AccessKeyPart, AccessKeyRecord, DeveloperRecord, MasterKeysRecord, SigningKeyPart, SigningKeysRecord,
};
use super::Record;
use super::incarnation::Incarnation;
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::{IdentityId, IdentityPoolId, SignInSessionId};
use crate::ground::seal::Sealed;
use crate::records::identity::{IdentityPool, PoolRoles, PoolSettings, PrincipalTagMap};
use crate::records::scope::Scope;
use crate::records::sign_in_session::{EndReason, SessionEnd, SignInSession, Upstream};
use crate::store::{StoredLoginGrant, packed};

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
    pub(super) incarnation: Incarnation,
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
    pub(super) by: Incarnation,
    pub(super) until: Millis,
}

impl PoolRecord {
    pub(super) fn new(incarnation: Incarnation, pool: &IdentityPool) -> Self {
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

    pub(super) fn closed_for(&self, incarnation: Incarnation) -> bool {
        self.closed.as_ref().is_some_and(|closed| closed.by == incarnation)
    }
}

/// Where a name of a configuration leads, as long as the pool has that incarnation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ConfiguredRecord {
    pub(super) pool: IdentityPoolId,
    pub(super) incarnation: Incarnation,
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
    pub(super) by: Incarnation,
    pub(super) until: Millis,
}

impl Record for ImportRecord {
    fn forgotten_at(&self) -> Option<Timestamp> {
        Some(self.until.0)
    }
}

/// That something is in a listing. Of identities it says nothing, which takes no room.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ListedRecord {
    /// When the thing is forgotten by itself.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
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

/// A session. Its identity may have been merged into another one since. The names of members are letters, as those of identities.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SessionRecord {
    #[serde(rename = "a")]
    pub(super) app: String,
    #[serde(rename = "p", with = "packed")]
    pub(super) pool: IdentityPoolId,
    #[serde(rename = "i", with = "packed")]
    pub(super) identity: IdentityId,
    #[serde(rename = "v")]
    pub(super) provider: String,
    #[serde(rename = "u")]
    pub(super) upstream: Upstream,
    #[serde(rename = "l")]
    pub(super) login: Bytes,
    #[serde(rename = "s")]
    pub(super) scope: Scope,
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(super) signed_in_at: Option<Millis>,
    #[serde(rename = "k")]
    pub(super) checked_at: Millis,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(super) key_thumbprint: Option<String>,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<String>,
    #[serde(rename = "g")]
    pub(super) generation: u32,
    #[serde(rename = "c")]
    pub(super) created_at: Millis,
    #[serde(rename = "r")]
    pub(super) rotated_at: Millis,
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    pub(super) late_at: Option<Millis>,
    #[serde(rename = "q")]
    pub(super) idle_until: Millis,
    #[serde(rename = "z")]
    pub(super) ends_at: Millis,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
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
