//! Authenticating what everybody may read, so that nobody makes it but us (HMAC-SHA-256, RFC 2104).

use aws_lc_rs::hmac;

/// Authenticates values of one purpose. [`MasterKeys`](crate::ground::master_keys::MasterKeys) makes it.
pub struct Authenticator {
    current: hmac::Key,
    others: Vec<hmac::Key>,
}

impl Authenticator {
    pub(super) fn new(current: hmac::Key, others: Vec<hmac::Key>) -> Self {
        Self { current, others }
    }

    /// What says that a message is ours.
    #[must_use]
    pub fn tag(&self, message: &[u8]) -> hmac::Tag {
        hmac::sign(&self.current, message)
    }

    /// What says so, by each of the keys, the current one first: what was named by its tag has that of the key of its
    /// time.
    pub fn tags(&self, message: &[u8]) -> impl Iterator<Item = hmac::Tag> {
        self.all().map(move |key| hmac::sign(key, message))
    }

    /// Whether a message is ours, by whichever of the keys.
    #[must_use]
    pub fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        self.all().any(|key| hmac::verify(key, message, tag).is_ok())
    }

    fn all(&self) -> impl Iterator<Item = &hmac::Key> {
        std::iter::once(&self.current).chain(&self.others)
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator(…)")
    }
}

#[cfg(test)]
mod tests {
    use crate::ground::master_keys::{MasterKey, MasterKeys};

    #[test]
    fn a_message_is_ours_by_any_key_and_for_one_purpose() {
        let key = |byte: u8| MasterKey::new([byte; 32]);
        let old = MasterKeys::from(key(1)).authenticator("a");
        let both = MasterKeys::new(key(2), vec![key(1)]).authenticator("a");
        let (of_old, of_new) = (old.tag(b"message"), both.tag(b"message"));
        assert!(both.verifies(b"message", of_old.as_ref()) && both.verifies(b"message", of_new.as_ref()));
        assert!(old.verifies(b"message", of_old.as_ref()) && !old.verifies(b"message", of_new.as_ref()));
        assert!(!both.verifies(b"another", of_old.as_ref()));
        let tags: Vec<_> = both.tags(b"message").map(|tag| tag.as_ref().to_vec()).collect();
        assert_eq!(tags, [of_new.as_ref(), of_old.as_ref()]);
        let other = MasterKeys::from(key(1)).authenticator("b");
        assert!(!other.verifies(b"message", of_old.as_ref()));
        assert_eq!(format!("{both:?}"), "Authenticator(…)");
    }
}
