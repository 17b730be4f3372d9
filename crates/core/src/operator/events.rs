//! The audit events about an identity, an access key, a developer user or a request, page by page.

use crate::audit::{AuditEvent, AuditSubject};
use crate::records::audit_question::AuditQuestion;
use crate::store::page::{Listed, Listing, ListingError};
use crate::store::{AuditEvents, EventPosition};

/// The events about something, the newest first: `limit` of them at most, which is at least 1.
///
/// # Errors
/// [`ListingError`]: the token is of no listing, or the store's.
pub async fn list(
    store: &(impl AuditEvents + ?Sized),
    about: &AuditSubject,
    limit: usize,
    next_token: Option<&str>,
) -> Result<Listed<AuditEvent>, ListingError> {
    let listing = listing_of(about);
    let page = listing.question(next_token, limit, position)?;
    let kept = store.page_audit_events(&AuditQuestion::about(about.clone()), page).await?;
    Ok(listing.page(kept, limit, |kept| text(kept.position)).map(|kept| kept.event))
}

fn listing_of(about: &AuditSubject) -> Listing {
    match about {
        AuditSubject::Identity(id) => Listing::of("events of an identity", &[id.as_str()]),
        AuditSubject::AccessKey(id) => Listing::of("events of an access key", &[id.as_str()]),
        AuditSubject::DeveloperUser(user) => Listing::of("events of a developer user", &[user]),
        AuditSubject::Request(id) => Listing::of("events of a request", &[id.as_str()]),
    }
}

fn text(position: EventPosition) -> String {
    position.0.to_string()
}

fn position(text: &str) -> Option<EventPosition> {
    text.parse().ok().map(EventPosition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AuditAction, AuditOutcome};
    use crate::ground::clock::Timestamp;
    use crate::ground::ids::{IdentityId, RequestId};
    use crate::ground::random::SeededRandom;
    use crate::store::AuditSink;
    use crate::store::memory::MemoryStore;

    const EVENTS: i64 = 7;

    fn ada() -> IdentityId {
        IdentityId::parse("us-east-1:aa").unwrap()
    }

    /// Events of one identity, of which some have one instant.
    async fn add_events(store: &MemoryStore) -> Vec<AuditEvent> {
        let random = SeededRandom::new(1);
        let times = (0..EVENTS).map(|number| Timestamp::from_microsecond(number / 3).unwrap());
        let event = |time| AuditEvent {
            identity_id: Some(ada()),
            ..AuditEvent::plain(
                time,
                RequestId::generate(time, &random),
                AuditAction::Token,
                AuditOutcome::Allowed,
            )
        };
        let events: Vec<AuditEvent> = times.map(event).collect();
        store.add_audit_events(&events).await.unwrap();
        events
    }

    #[tokio::test]
    async fn pages_have_every_event_once_from_the_newest_to_the_oldest() {
        let store = MemoryStore::new();
        let mut events = add_events(&store).await;
        events.reverse();
        let about = AuditSubject::Identity(ada());
        for limit in [1, 2, 3, 7, 8] {
            let (mut found, mut token) = (Vec::new(), None);
            loop {
                let page = list(&store, &about, limit, token.as_deref()).await.unwrap();
                assert!((1..=limit).contains(&page.items.len()), "{limit}");
                found.extend(page.items);
                token = page.next_token;
                if token.is_none() {
                    break;
                }
            }
            assert_eq!(found, events, "{limit}");
        }
    }

    #[tokio::test]
    async fn a_token_of_no_listing_is_refused() {
        let store = MemoryStore::new();
        add_events(&store).await;
        let (ada, others) = (AuditSubject::Identity(ada()), AuditSubject::DeveloperUser(ada().to_string()));
        let token_of_ada = list(&store, &ada, 1, None).await.unwrap().next_token.unwrap();
        for token in ["", "x", "LTE", "MSAx", &token_of_ada] {
            let listed = list(&store, &others, 1, Some(token)).await;
            assert!(matches!(listed, Err(ListingError::Token)), "{token}");
        }
    }
}
