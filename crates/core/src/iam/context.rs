//! What is known about a request when a policy is asked about it. Whoever asks fills it in from what
//! was verified, never from what the caller says about himself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::key::Key;
use crate::ground::clock::Timestamp;

/// The values of the condition keys of one request.
#[derive(Debug, Clone)]
pub struct Context {
    values: BTreeMap<Key, Vec<String>>,
    /// Keys that the request has a value for which nobody here knows.
    unknown: BTreeSet<Key>,
}

/// Where a request came from, and how. Whoever took the connection knows it, or a proxy that is trusted; a caller's
/// own word is none. By default nothing is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin {
    /// The caller's address.
    pub source_ip: Option<IpAddr>,
    /// Whether the caller spoke TLS.
    pub secure_transport: Option<bool>,
}

/// How and when a request arrived, which every policy may ask about.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The instant of the request, the same one that everything else about it is judged by.
    pub time: Timestamp,
    /// Where it came from.
    pub origin: Origin,
}

impl Context {
    /// The context of a request that arrived like this.
    #[must_use]
    pub fn new(arrival: &Arrival) -> Self {
        let Origin { source_ip, secure_transport } = arrival.origin;
        Self { values: BTreeMap::new(), unknown: BTreeSet::new() }
            .with(Key::CurrentTime, format!("{:.0}", arrival.time))
            .with(Key::EpochTime, arrival.time.as_second().to_string())
            .with_or_unknown(Key::SecureTransport, secure_transport.map(|secure| secure.to_string()))
            .with_or_unknown(Key::SourceIp, source_ip.map(|address| address.to_canonical().to_string()))
    }

    /// Every request has a value for the key, but this one's may be unknown, which is not as if it had none: a Deny that
    /// asks for it takes hold, an Allow does not, whatever the operator.
    fn with_or_unknown(mut self, key: Key, value: Option<String>) -> Self {
        let Some(value) = value else {
            self.unknown.insert(key);
            return self;
        };
        self.with(key, value)
    }

    /// Adds the claims of an OpenID token of an identity pool: the identity, its pool, its logins.
    #[must_use]
    pub fn with_cognito<S: Into<String>>(
        self,
        sub: &str,
        aud: &str,
        amr: impl IntoIterator<Item = S>,
    ) -> Self {
        self.with(Key::CognitoSub, sub).with(Key::CognitoAud, aud).with_all(Key::CognitoAmr, amr)
    }

    /// Adds a value. Values of the same key gather: a key that should have one value and got two, such
    /// as two tags whose names differ in case only, then decides nothing in the caller's favour.
    #[must_use]
    pub fn with(self, key: Key, value: impl Into<String>) -> Self {
        self.with_all(key, [value])
    }

    /// Adds several values. A key without any value is absent.
    #[must_use]
    pub fn with_all<S: Into<String>>(mut self, key: Key, values: impl IntoIterator<Item = S>) -> Self {
        self.values.entry(key).or_default().extend(values.into_iter().map(Into::into));
        self
    }

    /// All values of a key; none if it is absent.
    pub(super) fn values(&self, key: &Key) -> &[String] {
        self.values.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether the request has, or may have, a value for a key that is not known here.
    pub(super) fn is_unknown(&self, key: &Key) -> bool {
        key.unfilled_name().is_some() || self.unknown.contains(key)
    }

    /// The context of a request that nothing is known about.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn empty() -> Self {
        Self { values: BTreeMap::new(), unknown: BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrival_fills_in_what_every_policy_may_ask_about() {
        let arrival = Arrival {
            time: "2026-11-23T08:30:00.75Z".parse().unwrap(),
            origin: Origin {
                source_ip: Some("::ffff:203.0.113.9".parse().unwrap()),
                secure_transport: Some(true),
            },
        };
        let context = Context::new(&arrival);
        assert_eq!(context.values(&Key::CurrentTime), ["2026-11-23T08:30:00Z"]);
        assert_eq!(context.values(&Key::EpochTime), ["1795422600"]);
        assert_eq!(context.values(&Key::SourceIp), ["203.0.113.9"]);
        assert_eq!(context.values(&Key::SecureTransport), ["true"]);
        let nowhere = Context::new(&Arrival { origin: Origin::default(), ..arrival });
        for key in [Key::SourceIp, Key::SecureTransport] {
            assert!(nowhere.values(&key).is_empty() && nowhere.is_unknown(&key) && !context.is_unknown(&key));
        }
    }

    #[test]
    fn a_key_without_any_value_is_absent() {
        let context = Context::empty().with_cognito("sub", "aud", Vec::<String>::new());
        assert!(context.values(&Key::CognitoAmr).is_empty());
        assert_eq!(context.values(&Key::CognitoSub), ["sub"]);
    }
}
