//! Identities and their logins.

use serde::{Deserialize, Serialize};

use super::super::incarnation::Incarnation;
use super::{Millis, PoolRecord, Record};
use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, Login, LoginProvider};
use crate::records::identity_record::IdentityRecord as Whom;
use crate::store::packed;

/// An identity with its logins. There may be many millions, so the names of members are letters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::store::items) struct IdentityRecord {
    #[serde(rename = "p", with = "packed")]
    pub(in crate::store::items) pool: IdentityPoolId,
    #[serde(rename = "n")]
    pub(in crate::store::items) incarnation: Incarnation,
    #[serde(rename = "a", default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::store::items) authenticated: bool,
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::store::items) disabled: bool,
    /// Whether it was deleted, and only what hangs on it is not gone yet.
    #[serde(rename = "e", default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::store::items) erased: bool,
    #[serde(rename = "c")]
    pub(in crate::store::items) created_at: Millis,
    /// Not there as long as it is as it was made.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store::items) modified_at: Option<Millis>,
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store::items) logins: Vec<LoginPart>,
    /// Whom it was merged into.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store::items) merged_into: Option<IdentityId>,
    /// Who was merged into it, and into those, and may have sessions.
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store::items) absorbed: Vec<IdentityId>,
    /// Whether nothing is left of it, and until when its place stays taken: a commit that made it, and comes late, must not make it
    /// again.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store::items) gone_until: Option<Millis>,
}

/// A login: the developer's user, or a provider and its user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::store::items) enum LoginPart {
    Developer(String),
    Public(String, String),
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
        let was_modified = identity.modified_at.as_millisecond() != identity.created_at.as_millisecond();
        Self {
            pool: identity.pool_id.clone(),
            incarnation,
            authenticated: identity.authenticated,
            disabled: identity.disabled,
            erased: false,
            created_at: Millis(identity.created_at),
            modified_at: was_modified.then_some(Millis(identity.modified_at)),
            logins: logins.iter().map(LoginPart::from).collect(),
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

    pub(in crate::store::items) fn modified_at(&self) -> Timestamp {
        self.modified_at.unwrap_or(self.created_at).0
    }

    pub(in crate::store::items) fn identity(&self, id: &IdentityId) -> Identity {
        Identity {
            id: id.clone(),
            pool_id: self.pool.clone(),
            authenticated: self.authenticated,
            disabled: self.disabled,
            created_at: self.created_at.0,
            modified_at: self.modified_at(),
        }
    }

    pub(in crate::store::items) fn with_logins(&self, id: &IdentityId) -> Whom {
        Whom { identity: self.identity(id), logins: self.logins() }
    }

    /// In order.
    pub(in crate::store::items) fn logins(&self) -> Vec<Login> {
        let mut logins: Vec<Login> = self.logins.iter().map(Login::from).collect();
        logins.sort_unstable();
        logins
    }

    pub(in crate::store::items) fn set_logins(&mut self, logins: impl IntoIterator<Item = Login>) {
        self.logins = logins.into_iter().map(|login| LoginPart::from(&login)).collect();
        self.logins.sort_unstable();
    }

    pub(in crate::store::items) fn has(&self, login: &Login) -> bool {
        self.logins.contains(&login.into())
    }
}

impl From<&Login> for LoginPart {
    fn from(Login { provider, user }: &Login) -> Self {
        match provider {
            LoginProvider::Developer => Self::Developer(user.clone()),
            LoginProvider::Public(name) => Self::Public(name.clone(), user.clone()),
        }
    }
}

impl From<&LoginPart> for Login {
    fn from(part: &LoginPart) -> Self {
        match part {
            LoginPart::Developer(user) => Self::developer(user.as_str()),
            LoginPart::Public(name, user) => {
                Self { provider: LoginProvider::Public(name.clone()), user: user.clone() }
            }
        }
    }
}

/// Whose a login is, if that identity says so too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::store::items) struct LoginRecord {
    #[serde(rename = "i", with = "packed")]
    pub(in crate::store::items) identity: IdentityId,
}

impl Record for LoginRecord {}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(modified: i64, logins: &[Login]) -> IdentityRecord {
        let guid = "00112233-4455-6677-8899-aabbccddeeff";
        let identity = Identity {
            id: IdentityId::parse(format!("eu-west-1:{guid}")).unwrap(),
            pool_id: IdentityPoolId::parse(format!("eu-west-1:{guid}")).unwrap(),
            authenticated: !logins.is_empty(),
            disabled: false,
            created_at: Timestamp::from_millisecond(7).unwrap(),
            modified_at: Timestamp::from_millisecond(modified).unwrap(),
        };
        IdentityRecord::new(Incarnation::NONE, &identity, logins)
    }

    #[test]
    fn an_identity_says_no_more_than_there_is_to_say() {
        let public = Login { provider: LoginProvider::Public("p".into()), user: "u".into() };
        let begin = r#"{"p":"GAARIjNEVWZ3iJmqu8zd7v8","n":"AAAAAAAAAAAA""#;
        for (record, rest) in [
            (record(7, &[]), r#","c":7}"#),
            (record(8, &[]), r#","c":7,"m":8}"#),
            (record(7, &[Login::developer("ada"), public]), r#","a":true,"c":7,"l":["ada",["p","u"]]}"#),
        ] {
            let text = format!("{begin}{rest}");
            assert_eq!(serde_json::to_string(&record).unwrap(), text);
            let read: IdentityRecord = serde_json::from_str(&text).unwrap();
            assert_eq!((read.modified_at(), read.logins()), (record.modified_at(), record.logins()));
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
    }
}
