//! An identity with its logins.

use std::collections::BTreeSet;

use crate::ground::clock::Timestamp;
use crate::records::identity::{Identity, Login, LoginProvider};
use crate::records::limits::{MAX_DEVELOPER_USER, MAX_LOGINS};

/// An identity and all its logins, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRecord {
    /// The identity.
    pub identity: Identity,
    /// Every login that is linked to it, in order.
    pub logins: Vec<Login>,
}

impl IdentityRecord {
    /// Says what is wrong with an identity that no linking and merging can have made.
    ///
    /// # Errors
    /// The reason, in words that go on after "it".
    pub fn check(&self) -> Result<(), &'static str> {
        let Self { identity, logins } = self;
        let mut public = BTreeSet::new();
        let twice = logins.iter().any(|login| match &login.provider {
            LoginProvider::Developer => false,
            LoginProvider::Public(name) => !public.insert(name),
        });
        let refused = [
            (logins.len() > MAX_LOGINS, "has more logins than an identity may have"),
            (twice, "has two users of one public provider"),
            (!logins.is_sorted_by(|a, b| a < b), "has logins out of order, or one of them twice"),
            (identity.disabled && !logins.is_empty(), "is disabled and has logins"),
            (!identity.authenticated && !logins.is_empty(), "is a guest and has logins"),
            (!logins.iter().all(has_form), "has a login without a user, or with one that is too long"),
        ];
        refused.into_iter().find(|(is_so, _)| *is_so).map_or(Ok(()), |(_, why)| Err(why))
    }

    /// Whether this is what a store keeps of `other`, which keeps instants to the millisecond at least.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let instants = |record: &Self| {
            [record.identity.created_at, record.identity.modified_at].map(Timestamp::as_millisecond)
        };
        let Identity { id, pool_id, authenticated, disabled, .. } = &self.identity;
        let theirs = &other.identity;
        (id, pool_id, authenticated, disabled)
            == (&theirs.id, &theirs.pool_id, &theirs.authenticated, &theirs.disabled)
            && instants(self) == instants(other)
            && self.logins == other.logins
    }
}

fn has_form(login: &Login) -> bool {
    let named = !login.user.is_empty() && login.provider != LoginProvider::Public(String::new());
    named && login.developer_user_identifier().is_none_or(|user| user.chars().count() <= MAX_DEVELOPER_USER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::ids::{IdentityId, IdentityPoolId};

    fn record(authenticated: bool, disabled: bool, logins: &[Login]) -> IdentityRecord {
        let identity = Identity {
            id: IdentityId::parse("us-east-1:01").unwrap(),
            pool_id: IdentityPoolId::parse("us-east-1:aa").unwrap(),
            authenticated,
            disabled,
            created_at: Timestamp::UNIX_EPOCH,
            modified_at: Timestamp::UNIX_EPOCH,
        };
        IdentityRecord { identity, logins: logins.to_vec() }
    }

    fn public(provider: &str, user: &str) -> Login {
        Login { provider: LoginProvider::Public(provider.into()), user: user.into() }
    }

    #[test]
    fn whatever_linking_makes_passes() {
        let logins = [Login::developer("a"), Login::developer("b"), public("x", "1"), public("y", "1")];
        for record in [
            record(false, false, &[]),
            record(true, false, &[]),
            record(true, true, &[]),
            record(false, true, &[]),
            record(true, false, &logins),
            record(true, false, &[Login::developer("é".repeat(1024))]),
        ] {
            assert_eq!(record.check(), Ok(()), "{record:?}");
        }
    }

    #[test]
    fn what_linking_never_makes_is_refused() {
        let many: Vec<_> = (0..=MAX_LOGINS).map(|user| Login::developer(format!("{user:02}"))).collect();
        for (record, why) in [
            (record(true, false, &many), "more logins"),
            (record(true, false, &[public("x", "1"), public("x", "2")]), "two users"),
            (record(true, false, &[Login::developer("b"), Login::developer("a")]), "out of order"),
            (record(true, false, &[Login::developer("a"), Login::developer("a")]), "twice"),
            (record(true, true, &[Login::developer("a")]), "disabled"),
            (record(false, false, &[Login::developer("a")]), "guest"),
            (record(true, false, &[Login::developer("")]), "without a user"),
            (record(true, false, &[public("", "a")]), "without a user"),
            (record(true, false, &[Login::developer("é".repeat(1025))]), "too long"),
        ] {
            let refused = record.check().expect_err("a refusal");
            assert!(refused.contains(why), "{refused}: {record:?}");
        }
    }

    #[test]
    fn instants_are_the_same_if_their_milliseconds_are() {
        let mut one = record(true, false, &[]);
        let other = one.clone();
        one.identity.created_at = Timestamp::new(0, 999_999).unwrap();
        assert!(one.is_same_as(&other));
        one.identity.created_at = Timestamp::new(0, 1_000_000).unwrap();
        assert!(!one.is_same_as(&other));
    }
}
