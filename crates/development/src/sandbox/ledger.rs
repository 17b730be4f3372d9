//! The codes and tokens that are out in the world, as a table of bounded size. It keeps digests: what
//! it holds opens nothing, and a look-up takes as long for a near miss as for nonsense.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use daypass_core::ground::clock::{SignedDuration, Timestamp};

use super::people::Person;
use super::scope::Scopes;

/// A login leaves three entries behind (its code and two tokens), so this remembers the last ten
/// thousand of them.
const CAPACITY: usize = 30_000;

type Digest = [u8; 32];

/// One person's consent to one app.
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) person: &'static Person,
    pub(super) scopes: Scopes,
}

/// What one code or token is good for.
pub(super) struct Entry {
    pub(super) grant: Arc<Grant>,
    pub(super) kind: Kind,
    pub(super) expires_at: Timestamp,
    /// A code or refresh token that was used stays in the table, so that its second use is noticed.
    pub(super) is_spent: bool,
}

/// The kinds of secrets that are issued.
pub(super) enum Kind {
    Code(CodeBinding),
    AccessToken,
    RefreshToken,
}

/// What else must come back with a code.
pub(super) struct CodeBinding {
    pub(super) redirect_uri: String,
    /// The PKCE challenge, if the app sent one.
    pub(super) challenge: Option<String>,
}

impl Kind {
    pub(super) fn lifetime(&self) -> SignedDuration {
        match self {
            Self::Code(_) => SignedDuration::from_mins(10),
            Self::AccessToken => SignedDuration::from_hours(1),
            Self::RefreshToken => SignedDuration::from_hours(30 * 24),
        }
    }
}

/// Forgets the oldest entry when it is full.
#[derive(Default)]
pub(super) struct Ledger {
    entries: HashMap<Digest, Entry>,
    /// Every digest in the order of issue; it may outlive its entry, but not by more than the capacity.
    order: VecDeque<Digest>,
}

impl Ledger {
    pub(super) fn insert(&mut self, secret: &str, entry: Entry) {
        if self.order.len() == CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        let key = key(secret);
        self.order.push_back(key);
        self.entries.insert(key, entry);
    }

    pub(super) fn get(&self, secret: &str) -> Option<&Entry> {
        self.entries.get(&key(secret))
    }

    pub(super) fn get_mut(&mut self, secret: &str) -> Option<&mut Entry> {
        self.entries.get_mut(&key(secret))
    }

    pub(super) fn remove(&mut self, secret: &str) {
        self.entries.remove(&key(secret));
    }

    /// Forgets everything that came from this login.
    pub(super) fn remove_grant(&mut self, grant: &Arc<Grant>) {
        self.entries.retain(|_, entry| !Arc::ptr_eq(&entry.grant, grant));
    }
}

fn key(secret: &str) -> Digest {
    let mut key = Digest::default();
    key.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
    key
}

#[cfg(test)]
mod tests {
    use super::super::people::PEOPLE;
    use super::super::scope::Scopes;
    use super::*;

    fn grant() -> Arc<Grant> {
        let scopes = Scopes::from_urls([]).unwrap();
        Arc::new(Grant { client_id: String::new(), person: &PEOPLE[0], scopes })
    }

    fn entry(grant: &Arc<Grant>) -> Entry {
        let expires_at = Timestamp::UNIX_EPOCH;
        Entry { grant: Arc::clone(grant), kind: Kind::AccessToken, expires_at, is_spent: false }
    }

    #[test]
    fn a_full_ledger_forgets_the_oldest_entry_first() {
        let (mut ledger, grant) = (Ledger::default(), grant());
        for number in 0..=CAPACITY {
            ledger.insert(&number.to_string(), entry(&grant));
        }
        assert_eq!((ledger.entries.len(), ledger.order.len()), (CAPACITY, CAPACITY));
        assert!(ledger.get("0").is_none());
        assert!(ledger.get("1").is_some());
        assert!(ledger.get(&CAPACITY.to_string()).is_some());
    }

    #[test]
    fn removing_a_grant_leaves_the_others_alone() {
        let (mut ledger, mine, other) = (Ledger::default(), grant(), grant());
        for (name, grant) in [("a", &mine), ("b", &other), ("c", &mine)] {
            ledger.insert(name, entry(grant));
        }
        ledger.remove_grant(&mine);
        assert!(ledger.get("a").is_none() && ledger.get("c").is_none());
        assert!(ledger.get("b").is_some());
    }
}
