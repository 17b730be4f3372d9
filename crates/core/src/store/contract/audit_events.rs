//! The audit trail.

use super::fixture::{Fixture, ODD_TEXT, instant, race};
use crate::audit::{AuditAction, AuditEvent, AuditOutcome, AuditSubject};
use crate::ground::ids::ActorId;
use crate::records::audit_question::AuditQuestion;
use crate::store::{MAX_UNPROVED_REFUSALS, Page, SharedStore};

pub async fn an_audit_event_comes_back_as_it_was_added(store: SharedStore) {
    use AuditAction::{
        ApiRequest, Assume, Credentials, Delete, Exchange, Link, Logins, Pool, Revoke, S3Request, SignIn,
        Token,
    };
    let fixture = Fixture::new(store).await;
    let actions = [
        SignIn,
        Exchange,
        Link,
        Token,
        Credentials,
        Assume,
        Logins,
        Delete,
        Pool,
        ApiRequest,
        S3Request,
        Revoke,
    ];
    for action in actions {
        for outcome in [AuditOutcome::Allowed, AuditOutcome::Refused] {
            let event = AuditEvent { action, outcome, ..full_event(&fixture) };
            let subject = AuditSubject::Request(event.request_id.clone());
            fixture.store.add_audit_event(&event).await.unwrap();
            assert_eq!(list(&fixture, subject).await, [event]);
        }
    }
}

pub async fn an_audit_event_may_be_almost_empty(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let event = plain_event(&fixture, 0);
    fixture.store.add_audit_event(&event).await.unwrap();
    assert_eq!(list(&fixture, AuditSubject::Request(event.request_id.clone())).await, [event]);
}

pub async fn audit_events_are_found_by_each_subject(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let event = full_event(&fixture);
    let of_another = AuditEvent { developer_user_identifier: Some("another".into()), ..full_event(&fixture) };
    for other in [&event, &of_another, &plain_event(&fixture, 0)] {
        fixture.store.add_audit_event(other).await.unwrap();
    }
    let other_case = AuditEvent {
        developer_user_identifier: event.developer_user_identifier.as_ref().map(|user| user.to_uppercase()),
        ..plain_event(&fixture, 0)
    };
    fixture.store.add_audit_event(&other_case).await.unwrap();
    let user = AuditSubject::DeveloperUser(event.developer_user_identifier.clone().unwrap());
    assert_eq!(list(&fixture, user).await, std::slice::from_ref(&event));
    let expected = [event.clone()];
    assert_eq!(list(&fixture, AuditSubject::Request(event.request_id)).await, expected);
    assert_eq!(list(&fixture, AuditSubject::Identity(event.identity_id.unwrap())).await, expected);
    assert_eq!(list(&fixture, AuditSubject::AccessKey(event.access_key_id.unwrap())).await, expected);
    assert_eq!(list(&fixture, AuditSubject::Request(fixture.draw_request_id())).await, []);
}

/// Whatever the clock said meanwhile.
pub async fn audit_events_come_last_kept_first(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [a, b, c, d] = add_events_at(&fixture, [7, 7, 8, 6]).await;
    assert_eq!(list(&fixture, subject_of(&a)).await, [d, c, b, a]);
}

pub async fn audit_events_are_found_by_all_that_a_question_says(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let about = AuditSubject::Identity(fixture.draw_identity_id());
    let AuditSubject::Identity(id) = &about else { unreachable!("it is one") };
    let plain = AuditEvent { identity_id: Some(id.clone()), ..plain_event(&fixture, 1_000) };
    let other = AuditEvent {
        action: AuditAction::Token,
        outcome: AuditOutcome::Allowed,
        provider: Some("snapchat".into()),
        source_ip: "203.0.113.9".parse().ok(),
        time: instant(2_000),
        ..plain.clone()
    };
    fixture.store.add_audit_events(&[plain.clone(), other.clone()]).await.unwrap();
    let found = async |question: AuditQuestion| {
        let question = AuditQuestion { about: Some(about.clone()), ..question };
        fixture.store.find_audit_events(&question, 100).await.unwrap()
    };
    assert_eq!(found(AuditQuestion::default()).await, [other.clone(), plain.clone()]);
    for (question, expected) in [
        (AuditQuestion { action: Some(AuditAction::Token), ..AuditQuestion::default() }, &other),
        (AuditQuestion { action: Some(AuditAction::Exchange), ..AuditQuestion::default() }, &plain),
        (AuditQuestion { outcome: Some(AuditOutcome::Allowed), ..AuditQuestion::default() }, &other),
        (AuditQuestion { outcome: Some(AuditOutcome::Refused), ..AuditQuestion::default() }, &plain),
        (AuditQuestion { provider: Some("snapchat".into()), ..AuditQuestion::default() }, &other),
        (AuditQuestion { address: "::ffff:203.0.113.9".parse().ok(), ..AuditQuestion::default() }, &other),
        (AuditQuestion { since: Some(instant(2_000)), ..AuditQuestion::default() }, &other),
        (AuditQuestion { until: Some(instant(2_000)), ..AuditQuestion::default() }, &plain),
    ] {
        assert_eq!(found(question.clone()).await, std::slice::from_ref(expected), "{question:?}");
    }
    let both = AuditQuestion {
        action: Some(AuditAction::Token),
        outcome: Some(AuditOutcome::Refused),
        ..AuditQuestion::default()
    };
    assert_eq!(found(both).await, []);
}

pub async fn audit_events_are_read_on_from_any_of_them_in_their_order(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let events = add_events_at(&fixture, [5, 7, 6, 7]).await;
    let question = AuditQuestion::about(subject_of(&events[0]));
    let kept = fixture.store.page_audit_events(&question, Page { after: None, limit: 100 }).await.unwrap();
    let mut after = kept.last().map(|first| first.position);
    for expected in events[1..].chunks(2) {
        let page = fixture.store.audit_events_after(Page { after, limit: 2 }).await.unwrap();
        after = page.last().map(|last| last.position);
        assert!(page.into_iter().map(|kept| kept.event).eq(expected.iter().cloned()));
    }
    assert_eq!(fixture.store.audit_events_after(Page { after, limit: 2 }).await.unwrap(), []);
    let all = fixture.store.audit_events_after(Page { after: None, limit: usize::MAX }).await.unwrap();
    assert!(
        all.iter().map(|kept| &kept.event).rev().zip(events.iter().rev()).all(|(one, other)| one == other)
    );
}

pub async fn the_newest_audit_events_fill_the_limit(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [_, second, third] = add_events_at(&fixture, [1, 2, 3]).await;
    let newest = fixture.store.list_audit_events(&subject_of(&third), 2).await.unwrap();
    assert_eq!(newest, [third, second]);
}

pub async fn pages_of_audit_events_neither_repeat_nor_skip(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let events = add_events_at(&fixture, [5, 7, 7, 6, 7, 5]).await;
    let about = subject_of(&events[0]);
    let expected = list(&fixture, about.clone()).await;
    for limit in 1..=events.len() {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let question = AuditQuestion::about(about.clone());
            let page = fixture.store.page_audit_events(&question, Page { after, limit }).await.unwrap();
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(last.position);
            // What happens meanwhile is newer than what is still to come.
            let event = AuditEvent { identity_id: events[0].identity_id.clone(), ..plain_event(&fixture, 8) };
            fixture.store.add_audit_event(&event).await.unwrap();
            found.extend(page.into_iter().map(|kept| kept.event));
        }
        let of_before: Vec<_> = found.into_iter().filter(|event| expected.contains(event)).collect();
        assert_eq!(of_before, expected, "{limit}");
    }
}

pub async fn the_newest_events_of_all_are_those_kept_last(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let about_nobody = AuditEvent { action: AuditAction::Pool, ..plain_event(&fixture, 9) };
    let events = [full_event(&fixture), about_nobody, plain_event(&fixture, 3)];
    for event in &events {
        fixture.store.add_audit_event(event).await.unwrap();
    }
    fixture.store.add_unproved_refusals(&[plain_event(&fixture, 10)]).await.unwrap();
    let [first, second, third] = events;
    let everything = AuditQuestion::default();
    let newest = fixture.store.find_audit_events(&everything, 2).await.unwrap();
    assert_eq!(newest, [third.clone(), second.clone()]);
    let all = fixture.store.find_audit_events(&everything, 100).await.unwrap();
    assert_eq!(all[..3], [third, second, first]);
}

pub async fn audit_events_kept_together_stay_in_their_order(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let identity_id = Some(fixture.draw_identity_id());
    let event = || AuditEvent { identity_id: identity_id.clone(), ..plain_event(&fixture, 7) };
    let [first, second] = [event(), event()];
    fixture.store.add_audit_events(&[first.clone(), second.clone()]).await.unwrap();
    fixture.store.add_audit_events(&[]).await.unwrap();
    assert_eq!(list(&fixture, subject_of(&first)).await, [second, first]);
}

pub async fn an_unproved_refusal_comes_back_as_it_was_added_and_is_no_audit_event(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for event in [full_event(&fixture), plain_event(&fixture, 7)] {
        let subject = AuditSubject::Request(event.request_id.clone());
        fixture.store.add_unproved_refusals(std::slice::from_ref(&event)).await.unwrap();
        assert_eq!(list(&fixture, subject.clone()).await, []);
        assert_eq!(list_unproved(&fixture, &subject).await, [event]);
    }
    let event = full_event(&fixture);
    fixture.store.add_audit_event(&event).await.unwrap();
    for subject in [
        AuditSubject::Request(event.request_id),
        AuditSubject::Identity(event.identity_id.unwrap()),
        AuditSubject::AccessKey(event.access_key_id.unwrap()),
    ] {
        assert_eq!(list_unproved(&fixture, &subject).await, []);
    }
}

pub async fn unproved_refusals_come_last_kept_first_and_fill_the_limit(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let key = fixture.draw_access_key_id();
    let events =
        [3, 1, 2].map(|at| AuditEvent { access_key_id: Some(key.clone()), ..plain_event(&fixture, at) });
    fixture.store.add_unproved_refusals(&events).await.unwrap();
    fixture.store.add_unproved_refusals(&[]).await.unwrap();
    let [first, second, third] = events;
    let subject = AuditSubject::AccessKey(key);
    assert_eq!(list_unproved(&fixture, &subject).await, [third.clone(), second.clone(), first]);
    let newest = fixture.store.list_unproved_refusals(&subject, 2).await.unwrap();
    assert_eq!(newest, [third, second]);
}

pub async fn the_newest_unproved_refusals_take_the_places_of_the_oldest(store: SharedStore) {
    const MORE: usize = 3;
    let fixture = Fixture::new(store).await;
    let identity_id = fixture.draw_identity_id();
    let events: Vec<_> = (0..MAX_UNPROVED_REFUSALS + MORE)
        .map(|_| AuditEvent { identity_id: Some(identity_id.clone()), ..plain_event(&fixture, 0) })
        .collect();
    let (one_by_one, at_once) = events.split_at(MORE);
    for event in one_by_one {
        fixture.store.add_unproved_refusals(std::slice::from_ref(event)).await.unwrap();
    }
    fixture.store.add_unproved_refusals(at_once).await.unwrap();
    let subject = AuditSubject::Identity(identity_id);
    let kept = fixture.store.list_unproved_refusals(&subject, usize::MAX).await.unwrap();
    assert_eq!(kept.len(), MAX_UNPROVED_REFUSALS);
    assert!(kept.iter().eq(at_once.iter().rev()));
    fixture.store.add_unproved_refusals(&one_by_one[..1]).await.unwrap();
    let kept = fixture.store.list_unproved_refusals(&subject, usize::MAX).await.unwrap();
    assert_eq!((kept.len(), &kept[0]), (MAX_UNPROVED_REFUSALS, &one_by_one[0]));
}

pub async fn racing_audit_events_are_all_kept(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let identity_id = fixture.draw_identity_id();
    let events =
        (0..200).map(|at| AuditEvent { identity_id: Some(identity_id.clone()), ..plain_event(&fixture, at) });
    let events: Vec<_> = events.collect();
    race(events.clone().into_iter().map(|event| {
        let store = fixture.store.clone();
        async move { store.add_audit_event(&event).await.unwrap() }
    }))
    .await;
    let mut kept = fixture.store.list_audit_events(&AuditSubject::Identity(identity_id), 1000).await.unwrap();
    kept.sort_by_key(|event| event.time);
    assert!(kept.iter().eq(&events));
}

pub async fn a_trail_goes_from_its_oldest_event_to_its_newest(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let before = fixture.store.audit_trail_extent().await.unwrap();
    add_events_at(&fixture, [5, 7, 6]).await;
    let all = fixture.store.audit_events_after(Page { after: None, limit: usize::MAX }).await.unwrap();
    let extent = fixture.store.audit_trail_extent().await.unwrap();
    assert_eq!((&extent.trail, extent.first), (&before.trail, before.first));
    assert!(extent.first <= all[0].position && before.last < extent.last);
    assert_eq!(extent.last, all.last().unwrap().position);
}

async fn list_unproved(fixture: &Fixture, about: &AuditSubject) -> Vec<AuditEvent> {
    fixture.store.list_unproved_refusals(about, 100).await.unwrap()
}

/// Keeps events of one identity, one at each instant, distinguishable by their requests.
async fn add_events_at<const N: usize>(fixture: &Fixture, milliseconds: [i64; N]) -> [AuditEvent; N] {
    let identity_id = Some(fixture.draw_identity_id());
    let events =
        milliseconds.map(|at| AuditEvent { identity_id: identity_id.clone(), ..plain_event(fixture, at) });
    for event in &events {
        fixture.store.add_audit_event(event).await.unwrap();
    }
    events
}

fn subject_of(event: &AuditEvent) -> AuditSubject {
    AuditSubject::Identity(event.identity_id.clone().unwrap())
}

async fn list(fixture: &Fixture, about: AuditSubject) -> Vec<AuditEvent> {
    fixture.store.list_audit_events(&about, 100).await.unwrap()
}

/// An event that says nothing that it need not.
pub(super) fn plain_event(fixture: &Fixture, milliseconds: i64) -> AuditEvent {
    AuditEvent::plain(
        instant(milliseconds),
        fixture.draw_request_id(),
        AuditAction::Exchange,
        AuditOutcome::Refused,
    )
}

fn full_event(fixture: &Fixture) -> AuditEvent {
    AuditEvent {
        reason: Some(ODD_TEXT.to_owned()),
        detail: Some(ODD_TEXT.to_owned()),
        provider: Some("snapchat".to_owned()),
        developer_user_identifier: Some(ODD_TEXT.to_owned()),
        actor: ActorId::parse("mailer").ok(),
        login: Some(ODD_TEXT.to_owned()),
        identity_id: Some(fixture.draw_identity_id()),
        access_key_id: Some(fixture.draw_access_key_id()),
        resource: Some(ODD_TEXT.to_owned()),
        source_ip: "2001:db8::9".parse().ok(),
        user_agent: Some(ODD_TEXT.to_owned()),
        ..plain_event(fixture, 0)
    }
}
