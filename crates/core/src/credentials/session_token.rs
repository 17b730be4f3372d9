//! Temporary credentials. The session token is sealed and carries everything about the session, the
//! secret access key included, so that any node can check a request without looking anything up. It
//! opens only together with the access key ID that it was issued with.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};

use crate::ground::clock::Timestamp;
use crate::ground::ids::{
    AccessKeyId, IdentityId, IdentityPoolId, RoleName, RoleSessionName, SignInSessionId,
};
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::Random;
use crate::ground::seal::{Sealed, Sealer};
use crate::ground::secret::Secret;
use crate::token::standing::Ground;

/// A session token longer than this, before it is encoded, is not issued: it has to travel in a header.
pub const MAX_SESSION_BYTES: usize = 6 * 1024;

/// Temporary credentials on their way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `ASIA…`, or in the form of whoever made it.
    pub access_key_id: AccessKeyId,
    /// The secret that signs requests.
    pub secret_access_key: Secret,
    /// The sealed session, ours or another STS's.
    pub session_token: Secret,
    /// The end of their life.
    pub expiration: Timestamp,
    /// How much of our space for a session they take, in percent, rounded up, if we made them.
    pub packed_percent: Option<usize>,
}

/// A session that takes so many percent of the space for one, which is more than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session consumes {0}% of the allotted space")]
pub struct SessionTooLarge(pub usize);

/// What credentials stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The role taken on.
    pub role: RoleName,
    /// The name it was taken on under.
    pub role_session_name: RoleSessionName,
    /// Who took it on.
    pub identity_id: IdentityId,
    /// The pool they belong to.
    pub pool_id: IdentityPoolId,
    /// How they were authenticated.
    pub amr: Vec<String>,
    /// Session tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// An IAM policy that narrows the role for this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_policy: Option<String>,
    /// Whether the services that guests may reach narrow it as well
    /// (docs/reference/cognito-identity.md, 6.3).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guest_scope_down: bool,
    /// When the token was issued that it was made from: a revocation since then ends it, however late it was
    /// sealed. The sealed form calls it as it always did.
    #[serde(rename = "issued_at")]
    pub token_issued_at: Timestamp,
    /// The session of somebody who signed in that the token was issued in.
    #[serde(rename = "sid", default, skip_serializing_if = "Option::is_none")]
    pub sign_in_session: Option<SignInSessionId>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Session {
    /// What the session rests on.
    #[must_use]
    pub fn ground(&self) -> Ground<'_> {
        Ground {
            pool_id: &self.pool_id,
            amr: &self.amr,
            issued_at: self.token_issued_at,
            session: self.sign_in_session.as_ref(),
        }
    }
}

/// An opened session token: a session, and the secret that its requests must be signed with.
#[derive(Debug)]
pub struct OpenedSession {
    /// The key that it was issued with.
    pub access_key_id: AccessKeyId,
    /// The secret that signs requests.
    pub secret_access_key: Secret,
    /// What the credentials stand for.
    pub session: Session,
}

/// Why a session token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not ours, changed, or not that of the access key ID.
    #[error("the session token does not open")]
    Invalid,
    /// The session is over.
    #[error("the session has expired")]
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Contents<S> {
    secret: S,
    session: Session,
}

/// Issues and opens session tokens.
#[derive(Debug)]
pub struct SessionSealer(Sealer);

impl SessionSealer {
    /// The sealer of all nodes with these master keys.
    #[must_use]
    pub fn new(master_keys: &MasterKeys) -> Self {
        Self(master_keys.sealer("session token"))
    }

    /// Draws a key and seals the session.
    ///
    /// # Errors
    /// [`SessionTooLarge`] if it could not travel.
    pub fn issue(&self, session: Session, random: &dyn Random) -> Result<Credentials, SessionTooLarge> {
        let access_key_id = AccessKeyId::generate_temporary(random);
        let secret_access_key = Secret::generate_access_key(random);
        let expiration = session.expires_at;
        let contents = Contents { secret: secret_access_key.expose(), session };
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&contents).expect("a session is plain data"));
        let packed_percent = (plain.len() * 100).div_ceil(MAX_SESSION_BYTES);
        if packed_percent > 100 {
            return Err(SessionTooLarge(packed_percent));
        }
        let sealed = self.0.seal(access_key_id.as_str().as_bytes(), &plain, random);
        let session_token = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(sealed.0));
        let packed_percent = Some(packed_percent);
        Ok(Credentials { access_key_id, secret_access_key, session_token, expiration, packed_percent })
    }

    /// Opens the session token that came with an access key ID.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn open(
        &self,
        access_key_id: &AccessKeyId,
        token: &str,
        now: Timestamp,
    ) -> Result<OpenedSession, SessionError> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(token).map(Sealed).map_err(|_| SessionError::Invalid)?;
        let plain =
            self.0.open(access_key_id.as_str().as_bytes(), &sealed).map_err(|_| SessionError::Invalid)?;
        let contents: Contents<String> = serde_json::from_slice(&plain).map_err(|_| SessionError::Invalid)?;
        if now >= contents.session.expires_at {
            return Err(SessionError::Expired);
        }
        Ok(OpenedSession {
            access_key_id: access_key_id.clone(),
            secret_access_key: Secret::new(contents.secret),
            session: contents.session,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::clock::SignedDuration;
    use crate::ground::master_keys::MasterKey;
    use crate::ground::random::SeededRandom;

    const BEGIN: Timestamp = Timestamp::constant(1_700_000_000, 5_000_000);

    fn session() -> Session {
        Session {
            role: RoleName::parse("authenticated").unwrap(),
            role_session_name: RoleSessionName::parse("CognitoIdentityCredentials").unwrap(),
            identity_id: IdentityId::parse("us-east-1:aa").unwrap(),
            pool_id: IdentityPoolId::parse("us-east-1:bb").unwrap(),
            amr: vec!["authenticated".into()],
            tags: [("team".to_owned(), "röd *".to_owned())].into(),
            session_policy: None,
            guest_scope_down: false,
            token_issued_at: BEGIN,
            sign_in_session: None,
            expires_at: BEGIN + SignedDuration::from_hours(1),
        }
    }

    fn sealer(random: &dyn Random) -> SessionSealer {
        SessionSealer::new(&MasterKeys::generate(random))
    }

    #[test]
    fn a_session_token_opens_to_what_was_sealed_until_it_expires() {
        let random = SeededRandom::new(1);
        let sealer = sealer(&random);
        let issued = sealer.issue(session(), &random).unwrap();
        let token = issued.session_token.expose();

        let opened = sealer.open(&issued.access_key_id, token, BEGIN).unwrap();
        assert_eq!(opened.session, session());
        assert_eq!(opened.secret_access_key, issued.secret_access_key);

        let end = session().expires_at;
        assert!(sealer.open(&issued.access_key_id, token, end - SignedDuration::from_millis(1)).is_ok());
        assert_eq!(sealer.open(&issued.access_key_id, token, end).unwrap_err(), SessionError::Expired);
    }

    #[test]
    fn a_session_token_opens_with_no_other_access_key_and_not_when_changed() {
        let random = SeededRandom::new(2);
        let sealer = sealer(&random);
        let (mine, other) =
            (sealer.issue(session(), &random).unwrap(), sealer.issue(session(), &random).unwrap());
        let token = mine.session_token.expose();
        assert_eq!(sealer.open(&other.access_key_id, token, BEGIN).unwrap_err(), SessionError::Invalid);

        for at in (0..token.len()).step_by(7) {
            let mut changed = token.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(sealer.open(&mine.access_key_id, &changed, BEGIN).is_err(), "character {at}");
        }
        for token in ["", "=", "AQ", "not base64!", &format!("{token}A")] {
            assert_eq!(sealer.open(&mine.access_key_id, token, BEGIN).unwrap_err(), SessionError::Invalid);
        }
    }

    #[test]
    fn a_session_that_cannot_travel_is_not_issued() {
        let random = SeededRandom::new(3);
        let mut large = session();
        large.session_policy = Some("x".repeat(MAX_SESSION_BYTES));
        let SessionTooLarge(percent) = sealer(&random).issue(large, &random).unwrap_err();
        assert!((101..120).contains(&percent), "{percent}");
        let percent = sealer(&random).issue(session(), &random).unwrap().packed_percent.unwrap();
        assert!((5..20).contains(&percent), "{percent}");
    }

    #[test]
    fn debug_shows_neither_secret_nor_token() {
        let random = SeededRandom::new(4);
        let sealer = sealer(&random);
        let issued = sealer.issue(session(), &random).unwrap();
        let opened = sealer.open(&issued.access_key_id, issued.session_token.expose(), BEGIN).unwrap();
        let shown = format!("{issued:?} {opened:?}");
        assert!(
            !shown.contains(issued.secret_access_key.expose())
                && !shown.contains(issued.session_token.expose())
        );
    }

    #[test]
    fn a_session_opens_under_the_master_key_of_its_time() {
        let (random, key) = (SeededRandom::new(7), |byte: u8| MasterKey::new([byte; 32]));
        let before = SessionSealer::new(&key(1).into());
        let issued = before.issue(session(), &random).unwrap();
        let token = issued.session_token.expose();
        let after = SessionSealer::new(&MasterKeys::new(key(2), vec![key(1)]));
        assert!(after.open(&issued.access_key_id, token, BEGIN).is_ok());
        let later = SessionSealer::new(&key(2).into());
        assert_eq!(later.open(&issued.access_key_id, token, BEGIN).unwrap_err(), SessionError::Invalid);
    }
}
