//! What stands for a public login in `amr` of a token, written and read again.

use super::registered::is_user_pool_name;
use super::{Kind, PublicLogin, social};

/// What stands between a user pool and its user.
const OF_USER_POOL: &str = "CognitoSignIn";
/// What stands between the ARN of an OIDC provider and its user.
const OF_OIDC: &str = "OIDC";

impl PublicLogin {
    /// What stands in `amr` after [`provider`](Self::provider). No token of a pool with Google, Apple,
    /// Facebook or Amazon was at hand: theirs is made up after the pattern of the others.
    #[must_use]
    pub fn amr_entry(&self) -> String {
        match &self.kind {
            Kind::Oidc { arn } => format!("{arn}:{OF_OIDC}:{}", self.user),
            Kind::UserPool => format!("{}:{OF_USER_POOL}:{}", self.provider, self.user),
            Kind::Social => format!("{}:{}:{}", self.provider, self.client, self.user),
        }
    }
}

/// The user that an entry after `provider` names. It is read from the front: a user can be any text, and hold
/// whatever stands before another one.
#[must_use]
pub fn user<'a>(provider: &str, entry: &'a str) -> Option<&'a str> {
    if entry.starts_with("arn:") {
        let (_, rest) = entry.split_once(&format!(":oidc-provider/{provider}"))?;
        // An ARN may end with a slash where the provider's name does not.
        return rest.strip_prefix('/').unwrap_or(rest).strip_prefix(&format!(":{OF_OIDC}:"));
    }
    let rest = entry.strip_prefix(provider)?.strip_prefix(':')?;
    // No client's ID holds a colon.
    let (origin, user) = rest.split_once(':')?;
    let is_social = social::of_catalogue().contains_key(provider);
    (is_social || is_user_pool_name(provider) && origin == OF_USER_POOL).then_some(user)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Map;

    use super::super::testing::{FACEBOOK, GOOGLE};
    use super::*;

    const OIDC: &str = "login.example.com/realm";
    const OIDC_ARN: &str = "arn:aws:iam::000000000000:oidc-provider/login.example.com/realm";
    const USER_POOL: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_Abc123";

    fn logins(user: &str) -> Vec<PublicLogin> {
        let login = |provider: &str, kind| PublicLogin {
            provider: provider.to_owned(),
            user: user.to_owned(),
            client: "123-abc".to_owned(),
            kind,
            claims: Map::new(),
        };
        vec![
            login(OIDC, Kind::Oidc { arn: OIDC_ARN.to_owned() }),
            login(OIDC, Kind::Oidc { arn: format!("{OIDC_ARN}/") }),
            login(GOOGLE, Kind::Oidc { arn: format!("arn:aws:iam::000000000000:oidc-provider/{GOOGLE}") }),
            login(USER_POOL, Kind::UserPool),
            login(GOOGLE, Kind::Social),
            login(FACEBOOK, Kind::Social),
        ]
    }

    #[test]
    fn an_entry_of_another_kind_names_nobody() {
        for (provider, entry) in [
            // A developer provider may have the name of an OIDC provider.
            ("login.example.com", "login.example.com:us-east-1:b0b0:ada"),
            (USER_POOL, &format!("{USER_POOL}:OIDC:ada")),
            (GOOGLE, "accounts.google.com:ada"),
            (OIDC, &format!("{OIDC_ARN}s:OIDC:ada")),
            (OIDC, &format!("{OIDC_ARN}:SAML:ada")),
            ("login.example.com", &format!("{OIDC_ARN}:OIDC:ada")),
        ] {
            assert_eq!(user(provider, entry), None, "{entry}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_two_users_never_have_one_entry(
            one in "(:|a|/|OIDC|CognitoSignIn|accounts[.]google[.]com|:oidc-provider/login.example.com/realm){1,5}",
            other in "(:|a|/|OIDC|CognitoSignIn|accounts[.]google[.]com|:oidc-provider/login.example.com/realm){1,5}",
        ) {
            for (login, of_other) in logins(&one).iter().zip(logins(&other)) {
                let entry = login.amr_entry();
                prop_assert_eq!(user(login.provider(), &entry), Some(&*one));
                prop_assert_eq!(entry == of_other.amr_entry(), one == other);
            }
        }
    }
}
