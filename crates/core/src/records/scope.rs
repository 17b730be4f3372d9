//! What an app asks for beside the token of the pool (RFC 6749 section 3.3, OpenID Connect Core 1.0 sections 5.4 and 11).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The scopes that there are. `offline_access`, a session that goes on, everybody has.
pub const SCOPES: [&str; 3] = ["openid", "profile", "offline_access"];

/// What of it is granted. Scopes that nobody knows are passed over: the answer says what was granted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Scope {
    /// An ID token for the app.
    pub openid: bool,
    /// In it, how the person wants to be seen.
    pub profile: bool,
}

impl Scope {
    /// Reads what is asked for.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let has = |scope| text.split(' ').any(|asked| asked == scope);
        Self { openid: has("openid"), profile: has("profile") }
    }

    /// Whether all of it is in another one.
    #[must_use]
    pub fn is_within(self, other: Self) -> bool {
        (!self.openid || other.openid) && (!self.profile || other.profile)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (granted, scope) in [(self.openid, "openid "), (self.profile, "profile ")] {
            f.write_str(if granted { scope } else { "" })?;
        }
        f.write_str("offline_access")
    }
}

impl From<String> for Scope {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_what_is_known_of_what_was_asked_for() {
        for (asked, granted) in [
            ("", "offline_access"),
            ("openid", "openid offline_access"),
            ("profile email openid", "openid profile offline_access"),
            ("OpenID openid2 ", "offline_access"),
        ] {
            let scope = Scope::parse(asked);
            assert_eq!(scope.to_string(), granted);
            assert_eq!(Scope::parse(granted), scope);
        }
    }

    #[test]
    fn less_is_within_more() {
        let [nothing, openid, both] = ["", "openid", "openid profile"].map(Scope::parse);
        assert!(nothing.is_within(openid) && openid.is_within(both) && both.is_within(both));
        assert!(!openid.is_within(nothing) && !both.is_within(openid));
    }
}
