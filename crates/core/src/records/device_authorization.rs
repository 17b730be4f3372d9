//! A device authorization (RFC 8628): an app on a device without a browser waits until somebody has signed in elsewhere and
//! let it. What becomes of it when the device asks, and when the person decides.
//!
//! Neither code is kept. The user code leads to the ID, by a key that the store does not have: it is short, and its hash
//! alone would soon be guessed. Of the device code there is the hash.

use std::net::IpAddr;

use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::secret::Secret;
use crate::records::scope::Scope;

/// How long somebody may take to find a browser, type the code and sign in (RFC 8628 section 5.1: short, because the user code
/// is).
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// So long after its end it is still known, so that a device hears that its time is over.
pub const REMEMBERED_FOR: SignedDuration = SignedDuration::from_mins(10);
/// Seconds that a device waits between two questions.
pub const INTERVAL: u32 = 5;
/// So many seconds it waits longer each time that it asks too soon (RFC 8628 section 3.5).
const SLOWER_BY: u32 = 5;
/// A question may come so much too soon: networks do not keep a distance, and clocks of virtual machines run fast.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// A device authorization as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAuthorization {
    /// What the user code leads to, in base64url.
    pub id: String,
    /// The SHA-256 of the device code, in base64url.
    pub device_code_hash: String,
    /// The app, by its ID in the configuration.
    pub app: String,
    /// What it wants beside the token of the pool.
    pub scope: Scope,
    /// What the device is called, if the app says so.
    pub device: Option<String>,
    /// Where it was begun from, as far as it is certain and callers are kept.
    pub source_ip: Option<IpAddr>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// From then on nobody can decide, and nothing comes of it.
    pub ends_at: Timestamp,
    /// Seconds that the device has to wait between two questions.
    pub interval: u32,
    /// When the device asked last.
    pub polled_at: Option<Timestamp>,
    /// What the person decided, once they have.
    pub decision: Option<Decision>,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The app may sign them in. The one-time code stands for their login, and is good for nothing without the device code.
    Allowed(Secret),
    /// It may not.
    Denied,
}

/// What becomes of it when the device asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Nobody has decided yet. It becomes this.
    Pending(DeviceAuthorization),
    /// The same, and the device asked too soon. It becomes this.
    TooSoon(DeviceAuthorization),
    /// The person let it: the one-time code of their login.
    Allowed(Secret),
    /// The person did not.
    Denied,
    /// Its time is over.
    Expired,
}

impl DeviceAuthorization {
    /// Whether somebody can still decide.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.decision.is_none() && now < self.ends_at
    }

    /// When it may be forgotten.
    #[must_use]
    pub fn forgotten_at(&self) -> Timestamp {
        self.ends_at + REMEMBERED_FOR
    }

    /// What becomes of it if the device asks now.
    #[must_use]
    pub fn polled(&self, now: Timestamp) -> Polled {
        if now >= self.ends_at {
            return Polled::Expired;
        }
        match &self.decision {
            Some(Decision::Allowed(login_code)) => Polled::Allowed(login_code.clone()),
            Some(Decision::Denied) => Polled::Denied,
            None if self.is_too_soon(now) => Polled::TooSoon(Self {
                interval: self.interval.saturating_add(SLOWER_BY),
                polled_at: Some(now),
                ..self.clone()
            }),
            None => Polled::Pending(Self { polled_at: Some(now), ..self.clone() }),
        }
    }

    fn is_too_soon(&self, now: Timestamp) -> bool {
        let wait = SignedDuration::from_secs(self.interval.into()) - TOLERANCE;
        self.polled_at.is_some_and(|before| now.duration_since(before) < wait)
    }

    /// What it becomes by a decision; nothing, if it is too late for one.
    #[must_use]
    pub fn decided(&self, decision: Decision, now: Timestamp) -> Option<Self> {
        self.is_open(now).then(|| Self { decision: Some(decision), ..self.clone() })
    }

    /// Whether nothing of it has changed since `seen` was read. A store asks that before it writes.
    #[must_use]
    pub fn is_still(&self, seen: &Self) -> bool {
        self.interval == seen.interval && self.polled_at == seen.polled_at && self.decision == seen.decision
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    fn begun() -> DeviceAuthorization {
        DeviceAuthorization {
            id: "id".into(),
            device_code_hash: "hash".into(),
            app: "tv".into(),
            scope: Scope::default(),
            device: None,
            source_ip: None,
            created_at: at(0),
            ends_at: at(0) + LIFETIME,
            interval: INTERVAL,
            polled_at: None,
            decision: None,
        }
    }

    fn pending(authorization: &DeviceAuthorization, millisecond: i64) -> DeviceAuthorization {
        match authorization.polled(at(millisecond)) {
            Polled::Pending(next) => next,
            other => panic!("{other:?}"),
        }
    }

    fn too_soon(authorization: &DeviceAuthorization, millisecond: i64) -> DeviceAuthorization {
        match authorization.polled(at(millisecond)) {
            Polled::TooSoon(next) => next,
            other => panic!("{other:?}"),
        }
    }

    fn allowed(authorization: &DeviceAuthorization, millisecond: i64) -> DeviceAuthorization {
        authorization.decided(Decision::Allowed(Secret::new("code")), at(millisecond)).unwrap()
    }

    #[test]
    fn a_device_that_keeps_to_its_interval_waits_as_long_as_it_likes() {
        let mut authorization = begun();
        for millisecond in [0, 5_000, 9_000, 599_999] {
            authorization = pending(&authorization, millisecond);
        }
        assert_eq!(authorization.interval, INTERVAL);
        assert_eq!(authorization.polled(at(600_000)), Polled::Expired);
    }

    #[test]
    fn each_question_that_comes_too_soon_makes_the_interval_longer() {
        let first = pending(&begun(), 0);
        let second = too_soon(&first, 3_999);
        let third = too_soon(&second, 3_999 + 8_999);
        assert_eq!((second.interval, third.interval), (10, 15));
        assert_eq!(pending(&third, 3_999 + 8_999 + 14_000).interval, 15);
    }

    #[test]
    fn an_interval_has_an_end() {
        let patient = DeviceAuthorization { interval: u32::MAX, polled_at: Some(at(0)), ..begun() };
        assert_eq!(too_soon(&patient, 1).interval, u32::MAX);
    }

    #[test]
    fn a_clock_that_goes_backwards_asks_too_soon() {
        assert_eq!(too_soon(&pending(&begun(), 10_000), 1).interval, 10);
    }

    #[test]
    fn what_was_decided_is_told_at_once_and_stays() {
        let polled = pending(&begun(), 1_000);
        let code = Secret::new("code");
        assert_eq!(allowed(&polled, 1_001).polled(at(1_001)), Polled::Allowed(code));
        let denied = polled.decided(Decision::Denied, at(1_001)).unwrap();
        assert_eq!(denied.polled(at(1_001)), Polled::Denied);
        for decided in [allowed(&polled, 1_001), denied] {
            assert_eq!(decided.decided(Decision::Denied, at(1_002)), None);
            assert_eq!(decided.decided(Decision::Allowed(Secret::new("other")), at(1_002)), None);
            assert!(!decided.is_open(at(1_002)));
        }
    }

    #[test]
    fn nothing_is_decided_and_nothing_comes_of_it_after_its_end() {
        let allowed = allowed(&begun(), 599_999);
        assert_eq!(allowed.polled(at(600_000)), Polled::Expired);
        assert_eq!(begun().decided(Decision::Denied, at(600_000)), None);
    }

    #[test]
    fn whatever_changes_is_noticed() {
        let begun = begun();
        let polled = pending(&begun, 0);
        let impatient = too_soon(&polled, 0);
        assert!(begun.is_still(&begun));
        for (one, other) in [(&begun, &polled), (&polled, &impatient), (&polled, &allowed(&polled, 1))] {
            assert!(!one.is_still(other) && !other.is_still(one));
        }
    }
}
