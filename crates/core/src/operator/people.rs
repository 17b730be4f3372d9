//! Who is behind an identity, an access key, a developer user or a request, and what they did: what audit events say, and
//! what is linked now.

use std::collections::BTreeSet;

use crate::audit::{AuditEvent, AuditSubject};
use crate::ground::ids::IdentityId;
use crate::records::identity::{Login, LoginProvider};
use crate::store::{AuditEvents, Identities, StoreError, UnprovedRefusals};

/// So many of the newest events are read: somebody who is active in one Region may have been in another one long ago.
const READ: usize = 1_000;

/// A person, as a login names them. A developer user identifier can be any text, so it stands for nobody's public login.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Person {
    /// By their developer user identifier.
    DeveloperUser(String),
    /// As it stands in `amr`, or as it is linked: the provider, which holds no space, and its user.
    PublicLogin(String),
}

impl From<Login> for Person {
    fn from(login: Login) -> Self {
        match login.provider {
            LoginProvider::Developer => Self::DeveloperUser(login.user),
            LoginProvider::Public(provider) => Self::PublicLogin(format!("{provider} {}", login.user)),
        }
    }
}

/// What is known about a subject.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Everybody whose login is linked to the identities now, and whom the events name.
    pub people: BTreeSet<Person>,
    /// The identities that the events name, or that was asked about.
    pub identities: BTreeSet<IdentityId>,
    /// The newest events.
    pub events: Vec<AuditEvent>,
    /// The newest refusals of whoever proved nothing, of those in the sample. The identity that they name is not that of
    /// whoever asked, as far as anybody knows.
    pub unproved: Vec<AuditEvent>,
}

impl Findings {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.events.is_empty() && self.unproved.is_empty()
    }
}

/// Finds the people behind a subject, with `limit` of the newest events and as many refusals at most. More events come
/// from [`events`](super::events).
///
/// # Errors
/// The store's.
pub async fn find(
    store: &(impl AuditEvents + UnprovedRefusals + Identities + ?Sized),
    about: &AuditSubject,
    limit: usize,
) -> Result<Findings, StoreError> {
    let mut events = store.list_audit_events(about, READ.max(limit)).await?;
    let unproved = store.list_unproved_refusals(about, limit).await?;
    let identities = identities(about, &events);
    let mut people: BTreeSet<Person> = events.iter().flat_map(named).collect();
    for id in &identities {
        let record = store.lookup_identity_with_logins(id).await?;
        people.extend(record.into_iter().flat_map(|record| record.logins).map(Person::from));
    }
    events.truncate(limit);
    Ok(Findings { people, identities, events, unproved })
}

fn identities(about: &AuditSubject, events: &[AuditEvent]) -> BTreeSet<IdentityId> {
    let asked = if let AuditSubject::Identity(id) = about { Some(id) } else { None };
    events.iter().filter_map(|event| event.identity_id.as_ref()).chain(asked).cloned().collect()
}

fn named(event: &AuditEvent) -> impl Iterator<Item = Person> + use<> {
    let user = event.developer_user_identifier.clone().map(Person::DeveloperUser);
    user.into_iter().chain(event.login.clone().map(Person::PublicLogin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AuditAction, AuditOutcome};
    use crate::ground::clock::Timestamp;
    use crate::ground::ids::{IdentityPoolId, RequestId};
    use crate::ground::random::SeededRandom;
    use crate::records::identity::{IdentityPool, PoolRoles, PoolSettings};
    use crate::records::linking::LinkRequest;
    use crate::store::memory::MemoryStore;
    use crate::store::{AuditSink, Pools};

    const ADA: &str = "us-east-1:ad";
    const ADA_ELSEWHERE: &str = "eu-west-1:ad";

    fn id(text: &str) -> IdentityId {
        IdentityId::parse(text).unwrap()
    }

    fn event(second: i64, identity_id: &str) -> AuditEvent {
        let time = Timestamp::from_second(second).unwrap();
        AuditEvent {
            developer_user_identifier: Some("ada".into()),
            identity_id: Some(id(identity_id)),
            ..AuditEvent::plain(
                time,
                RequestId::generate(time, &SeededRandom::new(1)),
                AuditAction::Token,
                AuditOutcome::Allowed,
            )
        }
    }

    async fn store_with_ada() -> MemoryStore {
        let store = MemoryStore::new();
        let pool_id = IdentityPoolId::parse("us-east-1:aa").unwrap();
        let pool = IdentityPool::new(pool_id.clone(), PoolSettings::default(), PoolRoles::default());
        store.add_pool(&pool).await.unwrap();
        let google =
            Login { provider: LoginProvider::Public("accounts.google.com".into()), user: "7".into() };
        let request = LinkRequest {
            pool_id,
            new_identity_id: id(ADA),
            now: Timestamp::UNIX_EPOCH,
            identity_id: None,
            logins: vec![google],
        };
        store.link_logins(&request).await.unwrap();
        store
    }

    #[tokio::test]
    async fn an_identity_has_the_people_of_its_events_and_of_its_logins() {
        let store = store_with_ada().await;
        store.add_audit_event(&event(1, ADA)).await.unwrap();
        let found = find(&store, &AuditSubject::Identity(id(ADA)), 10).await.unwrap();
        let people =
            [Person::DeveloperUser("ada".into()), Person::PublicLogin("accounts.google.com 7".into())];
        assert_eq!(found.people, people.into());
        assert_eq!((found.events, found.unproved), (vec![event(1, ADA)], vec![]));
    }

    /// Whoever is busy in one Region must not hide their identity in another.
    #[tokio::test]
    async fn an_identity_of_long_ago_is_found_behind_more_events_than_are_shown() {
        let store = MemoryStore::new();
        store.add_audit_event(&event(0, ADA_ELSEWHERE)).await.unwrap();
        let read = i64::try_from(READ).unwrap();
        for second in 1..read {
            store.add_audit_event(&event(second, ADA)).await.unwrap();
        }
        let found = find(&store, &AuditSubject::DeveloperUser("ada".into()), 2).await.unwrap();
        assert_eq!(found.identities, [id(ADA), id(ADA_ELSEWHERE)].into());
        assert_eq!(found.events, [event(read - 1, ADA), event(read - 2, ADA)]);
    }

    #[tokio::test]
    async fn a_refusal_of_nobody_names_no_person() {
        let store = MemoryStore::new();
        let refused = AuditEvent { developer_user_identifier: None, ..event(1, ADA) };
        store.add_unproved_refusals(std::slice::from_ref(&refused)).await.unwrap();
        let found = find(&store, &AuditSubject::Request(refused.request_id.clone()), 10).await.unwrap();
        assert_eq!(found, Findings { unproved: vec![refused], ..Findings::default() });
    }

    #[tokio::test]
    async fn of_what_never_was_nothing_is_known() {
        let found = find(&MemoryStore::new(), &AuditSubject::Identity(id(ADA)), 10).await.unwrap();
        assert!(found.is_empty());
        assert_eq!(found.identities, [id(ADA)].into());
    }
}
