//! Verified logins on their way through a store: sealed, so that nobody but us can have made one.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::verified::{DisplayUser, VerifiedLogin};
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::Random;
use crate::ground::seal::{CannotOpen, Sealed, Sealer};
use crate::ground::secret::Secret;
use crate::records::sign_in_session::Upstream;

/// Seals verified logins, and opens them again in the same context only.
#[derive(Debug)]
pub struct LoginSealer(Sealer);

#[derive(Serialize, Deserialize)]
struct Contents<T> {
    provider: String,
    developer_user_identifier: String,
    name: Option<String>,
    avatar: Option<String>,
    #[serde(default)]
    upstream: Upstream,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// What whoever sealed it keeps with it.
    along: T,
}

impl LoginSealer {
    /// The sealer of all nodes with these master keys.
    #[must_use]
    pub fn new(master_keys: &MasterKeys) -> Self {
        Self(master_keys.sealer("verified login"))
    }

    /// Seals a login, with what goes along. What must not be shown twice was the proof's affair, and stays behind.
    #[must_use]
    pub fn seal<T: Serialize>(
        &self,
        context: &[u8],
        login: &VerifiedLogin,
        along: T,
        random: &dyn Random,
    ) -> Sealed {
        let contents = Contents {
            provider: login.provider.clone(),
            developer_user_identifier: login.developer_user_identifier.clone(),
            name: login.user.name.clone(),
            avatar: login.user.avatar.clone(),
            upstream: login.upstream.clone(),
            refresh_token: login.refresh_token.as_ref().map(|token| token.expose().to_owned()),
            along,
        };
        let plain = Zeroizing::new(serde_json::to_vec(&contents).expect("a login is plain data"));
        self.0.seal(context, &plain, random)
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// [`CannotOpen`], whatever the reason.
    pub fn open<T: DeserializeOwned>(
        &self,
        context: &[u8],
        sealed: &Sealed,
    ) -> Result<(VerifiedLogin, T), CannotOpen> {
        let plain = self.0.open(context, sealed)?;
        let contents: Contents<T> = serde_json::from_slice(&plain).map_err(|_| CannotOpen)?;
        let login = VerifiedLogin {
            provider: contents.provider,
            developer_user_identifier: contents.developer_user_identifier,
            user: DisplayUser { name: contents.name, avatar: contents.avatar },
            upstream: contents.upstream,
            refresh_token: contents.refresh_token.map(Secret::new),
            use_once: None,
        };
        Ok((login, contents.along))
    }

    /// The same login under the master key that seals now; nothing, if it is already.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn reseal(
        &self,
        context: &[u8],
        sealed: &Sealed,
        random: &dyn Random,
    ) -> Result<Option<Sealed>, CannotOpen> {
        self.0.reseal(context, sealed, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::random::SeededRandom;

    #[test]
    fn a_login_comes_back_as_it_was_sealed_and_in_its_context_alone() {
        let random = SeededRandom::new(1);
        let sealer = LoginSealer::new(&MasterKeys::generate(&random));
        let login = VerifiedLogin {
            provider: "snapchat".into(),
            developer_user_identifier: "a bare one".into(),
            user: DisplayUser { name: Some("Ada".into()), avatar: None },
            upstream: Upstream { issuer: None, subject: "a bare one".into(), session: Some("7".into()) },
            refresh_token: Some(Secret::new("hunter2")),
            use_once: None,
        };
        let sealed = sealer.seal(b"here", &login, "along", &random);
        let (opened, along) = sealer.open::<String>(b"here", &sealed).unwrap();
        assert_eq!(along, "along");
        assert_eq!((opened.provider(), opened.developer_user_identifier()), ("snapchat", "a bare one"));
        assert_eq!((opened.user(), opened.upstream()), (login.user(), login.upstream()));
        assert_eq!(opened.refresh_token(), login.refresh_token());
        assert!(!format!("{opened:?}").contains("hunter2"));
        assert!(sealer.open::<String>(b"there", &sealed).is_err());
    }
}
