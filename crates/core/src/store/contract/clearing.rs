//! What need not be kept any more, and goes.

use std::sync::Arc;

use super::audit_events::plain_event;
use super::fixture::{Fixture, instant, race};
use crate::audit::head_key::HeadKeys;
use crate::audit::{AuditEvent, AuditSubject};
use crate::ground::clock::{ManualClock, SignedDuration};
use crate::ground::master_keys::MasterKey;
use crate::ground::seal::Sealed;
use crate::records::audit_question::AuditQuestion;
use crate::records::trail_head::TrailDropped;
use crate::records::trail_line::{Content, Line, Note};
use crate::store::{
    AuditCare, EventPosition, HeadSigner, KeptEvent, Page, Retention, SharedStore, StoredLoginGrant,
};

const DAY: i64 = 24 * 60 * 60 * 1_000;
const DAYS: i64 = 6;

fn signer() -> HeadKeys {
    HeadKeys::of(&MasterKey::new([7; 32]).into())
}

/// How a server takes care on some day.
fn care(day: i64, days_kept: Option<i64>) -> AuditCare {
    AuditCare {
        signer: Arc::new(signer()),
        keep: Retention { age: days_kept.map(|days| SignedDuration::from_hours(24 * days)), bytes: None },
        clock: Arc::new(ManualClock::at(instant(day * DAY))),
        tell: Arc::new(|_| {}),
    }
}

/// A server that has an event each day.
async fn serve_for_days(fixture: &Fixture) {
    for day in 0..DAYS {
        fixture.store.attend(care(day, None));
        let identity_id = Some(fixture.draw_identity_id());
        let event = AuditEvent { identity_id, ..plain_event(fixture, day * DAY) };
        fixture.store.add_audit_event(&event).await.unwrap();
        fixture.store.keep_up().await.unwrap();
    }
}

async fn all(store: &SharedStore) -> Vec<KeptEvent> {
    store.audit_events_after(Page { after: None, limit: usize::MAX }).await.unwrap()
}

/// A store drops parts that have ended, and one that has ended nothing drops nothing.
pub async fn what_is_dropped_of_a_trail_is_its_old_end(store: SharedStore) {
    let fixture = Fixture::new(store.clone()).await;
    serve_for_days(&fixture).await;
    let before = all(&store).await;
    store.attend(care(DAYS, Some(2)));
    for _ in 0..20 {
        store.keep_up().await.unwrap();
    }
    let (extent, left) = (store.audit_trail_extent().await.unwrap(), all(&store).await);
    let (dropped, kept): (Vec<_>, Vec<_>) =
        before.into_iter().partition(|event| event.position < extent.first);
    assert_eq!(left, kept, "in their order, and undamaged");
    assert!(!left.is_empty() && dropped.len() < usize::try_from(DAYS).unwrap());
    assert!(dropped.iter().all(|it| it.event.time < instant((DAYS - 2) * DAY)));
    for day in left.iter().chain(&dropped) {
        let subject = AuditSubject::Identity(day.event.identity_id.clone().unwrap());
        let found = store.list_audit_events(&subject, 10).await.unwrap();
        assert_eq!(found.contains(&day.event), day.position >= extent.first);
    }
    let newest_first = Page { after: None, limit: 100 };
    let listed = store.page_audit_events(&AuditQuestion::default(), newest_first).await.unwrap();
    assert!(listed.iter().map(|it| &it.event).eq(left.iter().rev().map(|it| &it.event)));
    // An exporter that lags behind goes on with what is left.
    let behind_the_first = Page { after: Some(EventPosition(1)), limit: 100 };
    let found = store.audit_events_after(behind_the_first).await.unwrap();
    assert!(found.iter().all(|it| it.damaged == 0 && it.position >= extent.first));
    assert_eq!(found.last(), left.last());
    // The trail goes on.
    store.add_audit_event(&plain_event(&fixture, DAYS * DAY)).await.unwrap();
    assert_eq!(all(&store).await.len(), left.len() + 1);
    assert_eq!(store.audit_trail_extent().await.unwrap().first, extent.first);
}

pub async fn of_those_who_drop_at_once_each_line_is_dropped_by_one(store: SharedStore) {
    const DROPPERS: usize = 8;
    let fixture = Fixture::new(store.clone()).await;
    serve_for_days(&fixture).await;
    let newest = all(&store).await.pop().unwrap();
    let droppers = (0..DROPPERS).map(|_| {
        let store = store.clone();
        async move { store.drop_surplus(&care(DAYS, Some(1))).await.unwrap() }
    });
    race(droppers).await;
    let extent = store.audit_trail_extent().await.unwrap();
    assert_eq!(all(&store).await.last(), Some(&newest));
    let mut next = 1;
    for TrailDropped { trail, first, last, .. } in dropped(&store).await {
        assert_eq!((trail, first), (extent.trail.clone(), next));
        next = last + 1;
    }
    // What is kept in files says it of each file.
    assert!(store.audit_lines_after(extent.first).await.unwrap().is_none() || extent.first.0 == next);
}

/// What a trail says that was dropped.
async fn dropped(store: &SharedStore) -> Vec<TrailDropped> {
    let (mut dropped, mut last) = (Vec::new(), EventPosition(0));
    loop {
        let lines = store.audit_lines_after(last).await.unwrap().unwrap_or_default();
        let lines: Vec<Line<'_>> = lines.split(|byte| *byte == b'\n').filter_map(Line::parse).collect();
        let Some(newest) = lines.last() else { return dropped };
        last = EventPosition(newest.number);
        dropped.extend(lines.iter().filter_map(|line| match line.content() {
            Some(Content::Note(Note::Dropped(jws))) => signer().read_dropped(&jws, None),
            _ => None,
        }));
    }
}

pub async fn a_clearing_takes_what_is_over_and_spares_the_living(store: SharedStore) {
    let grant = |name: &str, second: i64| StoredLoginGrant {
        code_hash: name.to_owned(),
        sealed: Sealed(vec![7]),
        expires_at: instant(second * 1_000),
    };
    for number in 0..40 {
        store.add_login_grant(&grant(&format!("over {number}"), 10), instant(0)).await.unwrap();
    }
    store.add_login_grant(&grant("living", 60), instant(0)).await.unwrap();
    let now = instant(20_000);
    for _ in 0..100 {
        if !store.clear_expired(now, 7).await.unwrap().more {
            break;
        }
    }
    assert!(!store.clear_expired(now, 7).await.unwrap().more);
    assert_eq!(store.redeem_login_grant("over 0", now).await.unwrap(), None);
    assert!(store.redeem_login_grant("living", now).await.unwrap().is_some());
}
