//! A session, and what is decided about it: whether its credentials are still good, and whether it is time for others.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use serde::{Deserialize, Serialize};

use crate::clock::instant;
use crate::keyring::Key;
use crate::secret::Secret;

/// botocore asks its source again with each use of credentials that have less left than this
/// (`botocore.credentials`, `_advisory_refresh_timeout`), so what is handed out has more.
pub const MARGIN: u64 = 15 * 60;
/// The longest pause after failures.
const LONGEST_PAUSE: u64 = 60;
/// The longest that a broker can have us wait.
const LONGEST_WISH: u64 = 300;
/// Who has nothing to go on with waits so long at most before the broker is asked again.
const PAUSE_WITHOUT: u64 = 2;
/// How the credentials are called in the logs of the SDK.
const PROVIDER_NAME: &str = "Daypass";

/// One device's signed-in state at one app, with the credentials that it gave last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Brings the next credentials, and is another one afterwards.
    pub(crate) refresh_token: Secret,
    pub(crate) refresh_until: u64,
    /// The session's ID, which is in the list of one's devices.
    pub id: String,
    /// Who is signed in: the identity, and the name of their folder.
    pub identity_id: String,
    /// The pool that the identity is in.
    pub identity_pool_id: String,
    /// The Region of the pool.
    pub region: String,
    /// The provider that they signed in at.
    pub provider: String,
    /// What the provider calls them, if it says so.
    pub name: Option<String>,
    pub(crate) credentials: Kept,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    /// The key that it is kept under: whatever becomes of the session is sealed by it, too.
    #[serde(skip)]
    pub(crate) sealed_by: Option<Key>,
}

/// Temporary credentials, with times of this machine's own clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub session_token: Secret,
    pub asked_at: u64,
    pub expires_at: u64,
}

/// That the last refresh failed, for all processes to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub at: u64,
    pub until: u64,
    pub times: u32,
    pub why: String,
}

impl Session {
    /// When its credentials expire.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        instant(self.credentials.expires_at)
    }

    /// When the session ends, unless it is used before.
    #[must_use]
    pub fn ends_at(&self) -> SystemTime {
        instant(self.refresh_until)
    }

    /// Its credentials, for the SDK.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        let Kept { access_key_id, secret_access_key, session_token, .. } = &self.credentials;
        Credentials::new(
            access_key_id,
            secret_access_key.expose(),
            Some(session_token.expose().to_owned()),
            Some(self.expires_at()),
            PROVIDER_NAME,
        )
    }

    /// The ID of its access key, which is no secret.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.credentials.access_key_id
    }

    /// Whether its credentials are good, as far as this machine knows.
    pub(crate) fn is_valid(&self, now: u64) -> bool {
        now < self.credentials.expires_at
    }

    /// Whether it is time for other credentials. Those of a short life are refreshed in the middle of it. A clock that was
    /// set back says nothing of how long they live.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        let Kept { asked_at, expires_at, .. } = self.credentials;
        let margin = MARGIN.min(expires_at.saturating_sub(asked_at) / 2);
        now < asked_at || now + margin >= expires_at
    }

    /// The failure for whose sake the broker is left alone now.
    pub(crate) fn pause(&self, now: u64) -> Option<&Failure> {
        let until = |failure: &Failure| {
            if self.is_valid(now) { failure.until } else { failure.until.min(failure.at + PAUSE_WITHOUT) }
        };
        self.failure.as_ref().filter(|failure| failure.at <= now && now < until(failure))
    }

    /// The same session after one more failure.
    pub(crate) fn failed(&self, now: u64, why: &str, wish: Option<u64>) -> Self {
        let times = self.failure.as_ref().map_or(0, |failure| failure.times).saturating_add(1);
        let pause = 1u64.checked_shl(times - 1).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
        let pause = pause.max(wish.unwrap_or_default().min(LONGEST_WISH));
        let failure = Failure { at: now, until: now + pause, times, why: why.to_owned() };
        Self { failure: Some(failure), ..self.clone() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn session(asked_at: u64, lifetime: u64) -> Session {
        Session {
            refresh_token: Secret::new("dpr_1"),
            refresh_until: asked_at + 30 * 86_400,
            id: "a-session".into(),
            identity_id: "us-east-1:1".into(),
            identity_pool_id: "us-east-1:2".into(),
            region: "us-east-1".into(),
            provider: "sandbox".into(),
            name: None,
            credentials: Kept {
                access_key_id: "ASIA1".into(),
                secret_access_key: Secret::new("secret-key"),
                session_token: Secret::new("session-token"),
                asked_at,
                expires_at: asked_at + lifetime,
            },
            failure: None,
            sealed_by: None,
        }
    }

    #[test]
    fn credentials_are_refreshed_while_botocore_is_content_with_them() {
        for (lifetime, left, due) in
            [(3600, 3600, false), (3600, 901, false), (3600, 900, true), (900, 451, false), (900, 450, true)]
        {
            let session = session(10_000, lifetime);
            assert_eq!(session.is_due(10_000 + lifetime - left), due, "{left} of {lifetime}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_has_them_refreshed() {
        let session = session(10_000, 3600);
        assert!(session.is_due(9_999) && session.is_valid(9_999));
        assert!(!session.is_due(10_000));
    }

    #[test]
    fn pauses_grow_and_end() {
        let mut session = session(0, 3600);
        let mut pauses = Vec::new();
        for _ in 0..70 {
            session = session.failed(100, "no answer", None);
            pauses.push(session.failure.as_ref().unwrap().until - 100);
        }
        assert_eq!(pauses[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pauses[69], 60);
        assert!(session.pause(159).is_some() && session.pause(160).is_none());
        assert!(session.pause(99).is_none(), "a clock that was set back");
    }

    #[test]
    fn a_broker_is_waited_for_as_it_wishes_within_reason() {
        let until = |wish| session(0, 3600).failed(100, "429", Some(wish)).failure.unwrap().until;
        assert_eq!((until(30), until(0), until(86_400)), (130, 101, 400));
        let over = session(0, 50).failed(100, "429", Some(30));
        assert!(over.pause(101).is_some() && over.pause(102).is_none(), "nothing to go on with");
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", session(0, 3600));
        for secret in ["dpr_1", "secret-key", "session-token"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
