//! The session of somebody who signed in at an app, on one device: what its refresh token stands for, and what becomes
//! of it when a refresh token is shown.
//!
//! Nothing of a refresh token is kept. It names the session and a generation, and counts by its seal
//! ([`RefreshTokens`](crate::token::refresh_token::RefreshTokens)), so the successor of a token can be made again: who lost
//! the answer, and two tabs that asked at once, get the same one.

use serde::{Deserialize, Serialize};

use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::{IdentityId, IdentityPoolId, SignInSessionId};
use crate::ground::seal::Sealed;
use crate::records::scope::Scope;

/// So long after a refresh, its answer can be had again: it may have been lost (RFC 9700 section 4.14.2 leaves the time
/// to the server).
pub const REPEATABLE_FOR: SignedDuration = SignedDuration::from_secs(30);
/// A device that slept through the answer may come later, but not more often than this: who walks in step with somebody
/// else's tokens would have to.
pub const LATE_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// So long after its last possible use a session is still known: it says why it ended, and what was issued in it still
/// lives (a token for a day, credentials made of it for half of one).
pub const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How long sessions of an app go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLifetime {
    /// As long as this, if nobody uses it.
    pub idle: SignedDuration,
    /// As long as this, however it is used.
    pub absolute: SignedDuration,
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInSession {
    /// Its `sid`.
    pub id: SignInSessionId,
    /// The app, by its ID in the configuration.
    pub app: String,
    /// The pool that the identity is in.
    pub pool_id: IdentityPoolId,
    /// Who signed in.
    pub identity_id: IdentityId,
    /// The provider that vouched, by its ID in the configuration.
    pub provider: String,
    /// Who it is there.
    pub upstream: Upstream,
    /// The verified login, sealed.
    pub login: Sealed,
    /// What the app has beside the token of the pool.
    pub scope: Scope,
    /// When the person came back from their provider, if that is known.
    pub signed_in_at: Option<Timestamp>,
    /// When the provider was last asked whether the login stands.
    pub checked_at: Timestamp,
    /// The thumbprint of the key that its refresh tokens are bound to, if they are.
    pub key_thumbprint: Option<String>,
    /// What the person calls the device, if the app says so.
    pub device: Option<String>,
    /// The generation of the refresh token that counts.
    pub generation: u32,
    /// When it began.
    pub created_at: Timestamp,
    /// When its refresh token was made that counts.
    pub rotated_at: Timestamp,
    /// When a predecessor was last taken that was shown too late.
    pub late_at: Option<Timestamp>,
    /// When it ends if it is not used.
    pub idle_until: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Whether it ended before, when, and why.
    pub ended: Option<SessionEnd>,
}

/// Somebody at their provider, by the names that a message about their logout uses (OpenID Connect Back-Channel Logout 1.0,
/// section 2.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// The issuer of the ID token, if there was one.
    pub issuer: Option<String>,
    /// The external ID.
    pub subject: String,
    /// The session there, if the ID token names it.
    pub session: Option<String>,
}

/// The end of a session before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionEnd {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its time is over.
    Expired,
    /// The person signed out.
    SignedOut,
    /// A refresh token was shown that had been replaced, or once more the code that it began with: somebody has a copy.
    Reused,
    /// An operator ended it, or the person signed out everywhere.
    Revoked,
    /// Its login does not lead to its identity any more.
    LoginUnlinked,
    /// Its identity was deleted or disabled.
    IdentityGone,
    /// The person, or the provider, took back at the provider what the login rests on.
    Upstream,
}

impl EndReason {
    /// Its name on the wire and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::SignedOut => "signed_out",
            Self::Reused => "reused",
            Self::Revoked => "revoked",
            Self::LoginUnlinked => "login_unlinked",
            Self::IdentityGone => "identity_gone",
            Self::Upstream => "upstream",
        }
    }
}

/// What becomes of a session whose refresh token is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// It goes on as this, with a new refresh token.
    Rotated(SignInSession),
    /// It stays: the predecessor's successor is wanted again.
    Repeated,
    /// The same, and it becomes this: the answer was lost long ago.
    RepeatedLate(SignInSession),
    /// A token was shown that nobody should have any more.
    Reused,
    /// It is over.
    Over(EndReason),
}

impl SignInSession {
    /// Why it is over, if it is.
    #[must_use]
    pub fn over_at(&self, now: Timestamp) -> Option<EndReason> {
        let expired = now >= self.expires_at();
        self.ended.map(|end| end.reason).or_else(|| expired.then_some(EndReason::Expired))
    }

    /// When it ends if it is not used.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.idle_until.min(self.ends_at)
    }

    /// When it may be forgotten.
    #[must_use]
    pub fn forgotten_at(&self) -> Timestamp {
        self.expires_at() + REMEMBERED_FOR
    }

    /// What becomes of it if the refresh token of a generation is shown now, by whoever holds the key that it is bound to,
    /// if it is.
    #[must_use]
    pub fn shown(&self, generation: u32, lifetime: SessionLifetime, now: Timestamp) -> Shown {
        if let Some(reason) = self.over_at(now) {
            return Shown::Over(reason);
        }
        if self.key_thumbprint.is_some() && generation <= self.generation {
            // Who holds the key may repeat what they like, and nobody else can: there is nothing to replace.
            return Shown::Rotated(Self { generation: self.generation, ..self.rotated(lifetime, now) });
        }
        if generation == self.generation {
            // There is no generation after the last.
            let last = self.generation.checked_add(1).is_none();
            return if last {
                Shown::Over(EndReason::Expired)
            } else {
                Shown::Rotated(self.rotated(lifetime, now))
            };
        }
        if generation.checked_add(1) != Some(self.generation) {
            return Shown::Reused;
        }
        if now.duration_since(self.rotated_at) <= REPEATABLE_FOR {
            return Shown::Repeated;
        }
        match self.late_at {
            // That answer can be lost as well, and all tabs of a device wake up with the same token.
            Some(late_at) if now.duration_since(late_at) <= REPEATABLE_FOR => Shown::Repeated,
            Some(late_at) if now.duration_since(late_at) < LATE_AGAIN_AFTER => Shown::Reused,
            _ => Shown::RepeatedLate(Self { late_at: Some(now), ..self.clone() }),
        }
    }

    fn rotated(&self, lifetime: SessionLifetime, now: Timestamp) -> Self {
        let idle_until = now + lifetime.idle;
        // The operator may have shortened its life since it began; nothing makes it longer.
        let ends_at = self.ends_at.min(self.created_at + lifetime.absolute);
        Self {
            generation: self.generation.saturating_add(1),
            rotated_at: now,
            idle_until,
            ends_at,
            ..self.clone()
        }
    }

    /// Whether nothing of it has changed since `seen` was read that a refresh decides by. A store asks that before it
    /// writes.
    #[must_use]
    pub fn is_still(&self, seen: &Self) -> bool {
        self.generation == seen.generation
            && self.late_at == seen.late_at
            && self.checked_at == seen.checked_at
            && self.ended.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: SessionLifetime =
        SessionLifetime { idle: SignedDuration::from_hours(1), absolute: SignedDuration::from_hours(3) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn session() -> SignInSession {
        SignInSession {
            id: SignInSessionId::of_bytes([7; 16]),
            app: "web".into(),
            pool_id: IdentityPoolId::parse("us-east-1:bb").unwrap(),
            identity_id: IdentityId::parse("us-east-1:aa").unwrap(),
            provider: "snapchat".into(),
            upstream: Upstream::default(),
            login: Sealed(Vec::new()),
            scope: Scope::default(),
            signed_in_at: None,
            checked_at: at(0),
            key_thumbprint: None,
            device: None,
            generation: 0,
            created_at: at(0),
            rotated_at: at(0),
            late_at: None,
            idle_until: at(0) + LIFETIME.idle,
            ends_at: at(0) + LIFETIME.absolute,
            ended: None,
        }
    }

    fn rotated(session: &SignInSession, second: i64) -> SignInSession {
        match session.shown(session.generation, LIFETIME, at(second)) {
            Shown::Rotated(session) => session,
            other => panic!("{other:?}"),
        }
    }

    fn late(session: &SignInSession, second: i64) -> SignInSession {
        match session.shown(session.generation - 1, LIFETIME, at(second)) {
            Shown::RepeatedLate(session) => session,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_session_goes_on_while_it_is_used_and_not_past_its_first_end() {
        let mut session = session();
        for second in [3_599, 7_198, 10_797] {
            session = rotated(&session, second);
            assert_eq!(session.expires_at(), at(10_800).min(at(second + 3_600)));
        }
        assert_eq!(session.generation, 3);
        assert_eq!(session.shown(3, LIFETIME, at(10_800)), Shown::Over(EndReason::Expired));
    }

    #[test]
    fn who_does_not_use_it_loses_it() {
        assert_eq!(session().shown(0, LIFETIME, at(3_600)), Shown::Over(EndReason::Expired));
        assert_eq!(rotated(&session(), 3_599).generation, 1);
    }

    #[test]
    fn an_operator_shortens_a_life_and_lengthens_none() {
        let shorter = SessionLifetime { absolute: SignedDuration::from_mins(10), ..LIFETIME };
        let longer = SessionLifetime { absolute: SignedDuration::from_hours(30), ..LIFETIME };
        for (lifetime, end) in [(shorter, 600), (longer, 10_800)] {
            let Shown::Rotated(session) = session().shown(0, lifetime, at(1)) else { panic!() };
            assert_eq!(session.ends_at, at(end));
        }
    }

    #[test]
    fn a_lost_answer_can_be_had_again_for_a_while_and_then_once_a_day() {
        let session = SignInSession { idle_until: at(1_000_000), ends_at: at(1_000_000), ..session() };
        let session = SignInSession { generation: 1, rotated_at: at(100), ..session };
        assert_eq!(session.shown(0, LIFETIME, at(130)), Shown::Repeated);
        let once = late(&session, 131);
        for second in [130, 132, 161] {
            assert_eq!(once.shown(0, LIFETIME, at(second)), Shown::Repeated, "that answer, too");
        }
        assert_eq!(once.shown(0, LIFETIME, at(162)), Shown::Reused);
        let tomorrow = 131 + 24 * 3_600;
        assert_eq!(once.shown(0, LIFETIME, at(tomorrow - 1)), Shown::Reused);
        assert_eq!(late(&once, tomorrow).late_at, Some(at(tomorrow)));
    }

    #[test]
    fn a_clock_that_goes_backwards_repeats_and_ends_nothing() {
        let session = SignInSession { generation: 1, rotated_at: at(100), ..session() };
        assert_eq!(session.shown(0, LIFETIME, at(99)), Shown::Repeated);
    }

    #[test]
    fn what_was_replaced_before_or_was_never_made_is_reused() {
        let session = SignInSession { generation: 2, ..session() };
        for generation in [0, 3, u32::MAX] {
            assert_eq!(session.shown(generation, LIFETIME, at(1)), Shown::Reused, "{generation}");
        }
        let last = SignInSession { generation: u32::MAX, ..session };
        assert_eq!(last.shown(u32::MAX, LIFETIME, at(1)), Shown::Over(EndReason::Expired));
    }

    /// A thief who takes turns with the owner, each with what the other left behind, is found out at the second.
    #[test]
    fn who_walks_in_step_is_found_out() {
        let session = SignInSession { idle_until: at(1_000_000), ends_at: at(1_000_000), ..session() };
        let thief = rotated(&session, 100);
        let owner = late(&thief, 1_000);
        let thief = rotated(&owner, 2_000);
        assert_eq!(thief.shown(1, LIFETIME, at(3_000)), Shown::Reused);
    }

    #[test]
    fn a_token_that_is_bound_to_a_key_is_not_replaced() {
        let bound = SignInSession { key_thumbprint: Some("key".into()), generation: 2, ..session() };
        for generation in [0, 1, 2] {
            let Shown::Rotated(next) = bound.shown(generation, LIFETIME, at(2_000)) else { panic!() };
            assert_eq!((next.generation, next.idle_until, next.rotated_at), (2, at(5_600), at(2_000)));
        }
        assert_eq!(bound.shown(3, LIFETIME, at(1)), Shown::Reused);
        assert_eq!(bound.shown(2, LIFETIME, at(3_600)), Shown::Over(EndReason::Expired));
    }

    #[test]
    fn an_end_stays_one() {
        let ended = Some(SessionEnd { at: at(1), reason: EndReason::SignedOut });
        let session = SignInSession { ended, ..session() };
        for generation in [0, 1] {
            assert_eq!(session.shown(generation, LIFETIME, at(9_999_999)), Shown::Over(EndReason::SignedOut));
        }
    }

    #[test]
    fn every_reason_has_the_name_that_it_is_kept_with() {
        for reason in [
            EndReason::Expired,
            EndReason::SignedOut,
            EndReason::Reused,
            EndReason::Revoked,
            EndReason::LoginUnlinked,
            EndReason::IdentityGone,
            EndReason::Upstream,
        ] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
    }
}
