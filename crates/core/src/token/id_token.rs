//! The ID token: what an app learns of who signed in (OpenID Connect Core 1.0, section 2). It is for clients that know no
//! developer identities: an identity pool, ours or Amazon's, may trust us as an OpenID Connect provider, and takes it like
//! any other provider's. It is no OpenID token of the pool: its audience is the app.

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};

use crate::ground::ids::{IdentityId, SignInSessionId};

/// The longest `sub`, in ASCII characters (OpenID Connect Core 1.0, section 2).
const MAX_SUBJECT: usize = 255;

/// What an ID token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdTokenClaims {
    /// Who says so: our public URL.
    pub iss: String,
    /// Who signed in.
    pub sub: String,
    /// The app that it is for.
    pub aud: String,
    /// The end of its life, in seconds since the epoch.
    pub exp: i64,
    /// The moment it was issued.
    pub iat: i64,
    /// When the person came back from their provider, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// What the app wanted to find in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The session that it was issued in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SignInSessionId>,
    /// The provider that vouched, by its ID in the configuration.
    pub idp: String,
    /// How the person wants to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// Whom `sub` names. It must not change while anybody keeps data by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdTokenSubject {
    /// The identity, whichever of its logins it was.
    #[default]
    Identity,
    /// The login, by its developer user identifier.
    Login,
}

impl IdTokenSubject {
    /// The `sub` of somebody. A developer user identifier that can be none is there by its hash.
    #[must_use]
    pub fn of(self, identity_id: &IdentityId, developer_user_identifier: &str) -> String {
        match self {
            Self::Identity => identity_id.to_string(),
            Self::Login if is_subject(developer_user_identifier) => developer_user_identifier.to_owned(),
            Self::Login => {
                let hash = digest(&SHA256, developer_user_identifier.as_bytes());
                format!("sha256:{}", BASE64_URL_SAFE_NO_PAD.encode(hash))
            }
        }
    }
}

/// What begins like a hash could be taken for one.
fn is_subject(text: &str) -> bool {
    (1..=MAX_SUBJECT).contains(&text.len())
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && !text.starts_with("sha256:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_ascii_and_short_and_nobody_elses() {
        let identity_id = IdentityId::parse("us-east-1:aa").unwrap();
        let of = |user: &str| IdTokenSubject::Login.of(&identity_id, user);
        assert_eq!(of("snapchat:6Wb4xAG6hQ+/="), "snapchat:6Wb4xAG6hQ+/=");
        assert_eq!(of(&"u".repeat(255)), "u".repeat(255));
        let odd = ["zoë", "a\tb", &"u".repeat(256), "sha256:aaa", &of("zoë")].map(of);
        for subject in &odd {
            assert!(subject.starts_with("sha256:") && subject.len() == 50, "{subject}");
        }
        assert_eq!(odd.iter().collect::<std::collections::BTreeSet<_>>().len(), odd.len());
        assert_eq!(IdTokenSubject::Identity.of(&identity_id, "zoë"), "us-east-1:aa");
    }
}
