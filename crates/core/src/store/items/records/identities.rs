//! Identities and their logins.

use serde::{Deserialize, Serialize};

use super::super::incarnation::Incarnation;
use super::{Millis, PoolRecord, Record};
use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, Login, LoginProvider};
use crate::records::identity_record::IdentityRecord as Whom;

/// An identity with its logins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::store::items) struct IdentityRecord {
    pub(in crate::store::items) pool: IdentityPoolId,
    pub(in crate::store::items) incarnation: Incarnation,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::store::items) authenticated: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::store::items) disabled: bool,
    /// Whether it was deleted, and only what hangs on it is not gone yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::store::items) erased: bool,
    pub(in crate::store::items) created_at: Millis,
    pub(in crate::store::items) modified_at: Millis,
    /// Provider and user; the provider is empty for the developer's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store::items) logins: Vec<(String, String)>,
    /// Whom it was merged into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store::items) merged_into: Option<IdentityId>,
    /// Who was merged into it, and into those, and may have sessions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store::items) absorbed: Vec<IdentityId>,
    /// Whether nothing is left of it, and until when its place stays taken: a commit that made it, and comes late, must not make it
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store::items) gone_until: Option<Millis>,
}

impl Record for IdentityRecord {
    fn forgotten_at(&self) -> Option<Timestamp> {
        self.gone_until.map(|Millis(until)| until)
    }
}

impl IdentityRecord {
    pub(in crate::store::items) fn new(
        incarnation: Incarnation,
        identity: &Identity,
        logins: &[Login],
    ) -> Self {
        Self {
            pool: identity.pool_id.clone(),
            incarnation,
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

    /// Whether it was made as this identity of the pool.
    pub(in crate::store::items) fn began_as(&self, pool: &PoolRecord, identity: &Identity) -> bool {
        self.incarnation == pool.incarnation && self.created_at == Millis(identity.created_at)
    }

    /// What stays in the place of one that was deleted.
    pub(in crate::store::items) fn gone(&self, until: Timestamp) -> Self {
        Self {
            erased: true,
            logins: Vec::new(),
            merged_into: None,
            absorbed: Vec::new(),
            gone_until: Some(Millis(until)),
            ..self.clone()
        }
    }

    pub(in crate::store::items) fn identity(&self, id: &IdentityId) -> Identity {
        Identity {
            id: id.clone(),
            pool_id: self.pool.clone(),
            authenticated: self.authenticated,
            disabled: self.disabled,
            created_at: self.created_at.0,
            modified_at: self.modified_at.0,
        }
    }

    pub(in crate::store::items) fn with_logins(&self, id: &IdentityId) -> Whom {
        Whom { identity: self.identity(id), logins: self.logins() }
    }

    /// In order.
    pub(in crate::store::items) fn logins(&self) -> Vec<Login> {
        let mut logins: Vec<Login> = self.logins.iter().map(login).collect();
        logins.sort_unstable();
        logins
    }

    pub(in crate::store::items) fn set_logins(&mut self, logins: impl IntoIterator<Item = Login>) {
        self.logins = logins.into_iter().map(|login| login_columns(&login)).collect();
        self.logins.sort_unstable();
    }

    pub(in crate::store::items) fn has(&self, login: &Login) -> bool {
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
pub(in crate::store::items) struct LoginRecord {
    #[serde(rename = "i")]
    pub(in crate::store::items) identity: IdentityId,
}

impl Record for LoginRecord {}
