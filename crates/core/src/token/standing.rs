//! Whether a token, or credentials made of one, still count. Both rest on the same ground: an identity that is
//! still there, logins that are still linked to it, and no revocation since. One rule holds for both, so that
//! nothing outlives its reason. AWS does not look; here it is one question to the store.

use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityPoolId, SignInSessionId};
use crate::login::public::amr;
use crate::records::identity::{Login, LoginProvider};
use crate::store::Standing;

/// The `amr` entry of whoever logged in.
pub const AUTHENTICATED: &str = "authenticated";

/// What a token or a session rests on.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The pool that it was issued in.
    pub pool_id: &'a IdentityPoolId,
    /// How its identity was authenticated, as `amr` of the token says.
    pub amr: &'a [String],
    /// When the token was issued. Credentials have the instant of the token that they were made of, not their
    /// own: a token that was revoked would otherwise live on in whatever was made of it in the same moment.
    pub issued_at: Timestamp,
    /// The session of somebody who signed in that it was issued in, if it was.
    pub session: Option<&'a SignInSessionId>,
}

/// Why something does not count any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lapse {
    /// The identity was deleted or disabled, or has logged in where it was a guest.
    #[error("the identity is not what it was any more")]
    Identity,
    /// A login that it rests on was unlinked.
    #[error("a login that it rests on was unlinked")]
    Login,
    /// An operator ended the sessions of the identity, of the role or of everybody.
    #[error("the sessions of the identity, of the role or of everybody were revoked")]
    Revoked,
    /// Its session ended: the person signed out on that device, or somebody had a copy of a refresh token.
    #[error("the session that it was issued in has ended")]
    SignedOut,
}

impl Lapse {
    /// What the audit trail calls it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Identity => "identity_forbidden",
            Self::Login => "login_unlinked",
            Self::Revoked => "revoked",
            Self::SignedOut => "signed_out",
        }
    }
}

impl Standing {
    /// Whether what rests on `ground` still counts.
    ///
    /// # Errors
    /// [`Lapse`], the first that applies.
    pub fn bears(&self, ground: &Ground<'_>) -> Result<(), Lapse> {
        let identity = self.identity.as_ref().ok_or(Lapse::Identity)?;
        let same = !identity.disabled
            && identity.pool_id == *ground.pool_id
            && identity.authenticated == ground.is_authenticated();
        if !same {
            return Err(Lapse::Identity);
        }
        if ground.is_authenticated() && !ground.logins_are_among(&self.logins) {
            return Err(Lapse::Login);
        }
        if self.revoked_until.is_some_and(|until| ground.issued_at <= until) {
            return Err(Lapse::Revoked);
        }
        if ground.session.is_some() && self.session.as_ref() != ground.session {
            return Err(Lapse::SignedOut);
        }
        Ok(())
    }
}

impl Ground<'_> {
    fn is_authenticated(&self) -> bool {
        self.amr.first().is_some_and(|first| first == AUTHENTICATED)
    }

    /// Whether every login that `amr` names is among these.
    fn logins_are_among(&self, logins: &[Login]) -> bool {
        let named = self.amr.get(1..).unwrap_or_default().chunks(2);
        let mut named = named.map(|pair| match pair {
            [provider, entry] => logins.iter().any(|login| self.names(login, provider, entry)),
            _ => false,
        });
        named.all(|linked| linked)
    }

    /// Whether a login is what two entries of `amr` say: its provider, and where it is from with its user.
    fn names(&self, login: &Login, provider: &str, entry: &str) -> bool {
        match &login.provider {
            LoginProvider::Developer => entry == format!("{provider}:{}:{}", self.pool_id, login.user),
            LoginProvider::Public(name) => {
                name == provider && amr::user(provider, entry) == Some(&*login.user)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::ids::IdentityId;
    use crate::records::identity::Identity;

    const USER_POOL: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_a";

    fn pool_id() -> IdentityPoolId {
        IdentityPoolId::parse("us-east-1:bb").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn public(provider: &str, user: &str) -> Login {
        Login { provider: LoginProvider::Public(provider.into()), user: user.into() }
    }

    /// How an identity stands that has these logins.
    fn standing(logins: &[Login]) -> Standing {
        let identity = Identity {
            id: IdentityId::parse("us-east-1:aa").unwrap(),
            pool_id: pool_id(),
            authenticated: !logins.is_empty(),
            disabled: false,
            created_at: at(0),
            modified_at: at(0),
        };
        Standing { identity: Some(identity), logins: logins.to_vec(), revoked_until: None, session: None }
    }

    fn bears(standing: &Standing, amr: &[&str]) -> Result<(), Lapse> {
        let amr: Vec<String> = amr.iter().map(|&entry| entry.to_owned()).collect();
        standing.bears(&Ground { pool_id: &pool_id(), amr: &amr, issued_at: at(100), session: None })
    }

    #[test]
    fn every_login_that_is_named_has_to_be_linked_still() {
        let amr = [
            AUTHENTICATED,
            "login.app",
            "login.app:us-east-1:bb:snapchat:4:2",
            "login.example.com",
            "arn:aws:iam::000000000000:oidc-provider/login.example.com:OIDC:auth0|42",
        ];
        let (developer, oidc) = (Login::developer("snapchat:4:2"), public("login.example.com", "auth0|42"));
        let more = public("accounts.google.com", "7");
        assert_eq!(bears(&standing(&[developer.clone(), more, oidc.clone()]), &amr), Ok(()));
        for fewer in [
            vec![developer.clone()],
            vec![Login::developer("4:2"), oidc.clone()],
            vec![Login::developer("2"), oidc],
            vec![developer.clone(), public("login.example.com", "2")],
            vec![developer.clone(), public("login.example.com", "OIDC:auth0|42")],
            vec![developer.clone(), public("other.example.com", "auth0|42")],
        ] {
            assert_eq!(bears(&standing(&fewer), &amr), Err(Lapse::Login), "{fewer:?}");
        }
        assert_eq!(
            bears(&standing(&[developer]), &amr[..4]),
            Err(Lapse::Login),
            "a provider without its user"
        );
    }

    #[test]
    fn a_user_whose_name_ends_anothers_does_not_bear_what_the_other_left() {
        let token = |provider: &str, entry: &str| [AUTHENTICATED.to_owned(), provider.into(), entry.into()];
        for (provider, before) in [
            ("login.example.com", "arn:aws:iam::000000000000:oidc-provider/login.example.com:OIDC:"),
            (USER_POOL, "cognito-idp.us-east-1.amazonaws.com/us-east-1_a:CognitoSignIn:"),
            ("accounts.google.com", "accounts.google.com:123-abc:"),
        ] {
            for (gone, linked) in [("team:7", "7"), ("7:7", "7"), (&*format!("{before}7"), "7")] {
                let amr = token(provider, &format!("{before}{gone}"));
                let amr: Vec<&str> = amr.iter().map(String::as_str).collect();
                assert_eq!(bears(&standing(&[public(provider, gone)]), &amr), Ok(()), "{gone}");
                assert_eq!(bears(&standing(&[public(provider, linked)]), &amr), Err(Lapse::Login), "{gone}");
            }
        }
    }

    #[test]
    fn the_identity_has_to_be_what_it_was() {
        let known = standing(&[Login::developer("ada")]);
        let changed = |change: fn(&mut Identity)| {
            let mut standing = known.clone();
            standing.identity.iter_mut().for_each(change);
            standing
        };
        assert_eq!(bears(&known, &[AUTHENTICATED]), Ok(()));
        assert_eq!(bears(&known, &["unauthenticated"]), Err(Lapse::Identity));
        for gone in [
            Standing { identity: None, ..known.clone() },
            changed(|identity| identity.disabled = true),
            changed(|identity| identity.authenticated = false),
            changed(|identity| identity.pool_id = IdentityPoolId::parse("us-east-1:b0").unwrap()),
        ] {
            assert_eq!(bears(&gone, &[AUTHENTICATED]), Err(Lapse::Identity), "{gone:?}");
        }
        assert_eq!(bears(&standing(&[]), &["unauthenticated"]), Ok(()));
    }

    #[test]
    fn a_revocation_ends_what_was_issued_until_then() {
        for (until, expected) in [(99, Ok(())), (100, Err(Lapse::Revoked)), (101, Err(Lapse::Revoked))] {
            let revoked = Standing { revoked_until: Some(at(until)), ..standing(&[Login::developer("ada")]) };
            assert_eq!(bears(&revoked, &[AUTHENTICATED]), expected, "{until}");
        }
    }

    #[test]
    fn what_was_issued_in_a_session_ends_with_it() {
        let [mine, other] = [1, 2].map(|byte| SignInSessionId::of_bytes([byte; 16]));
        let (amr, pool_id) = ([AUTHENTICATED.to_owned()], pool_id());
        let ground = Ground { pool_id: &pool_id, amr: &amr, issued_at: at(100), session: Some(&mine) };
        for (running, expected) in
            [(Some(&mine), Ok(())), (Some(&other), Err(Lapse::SignedOut)), (None, Err(Lapse::SignedOut))]
        {
            let standing = Standing { session: running.cloned(), ..standing(&[Login::developer("ada")]) };
            assert_eq!(standing.bears(&ground), expected, "{running:?}");
        }
    }
}
