//! The end of sessions before their time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::audit_events::plain_event;
use super::fixture::{Fixture, instant, last_millisecond, race};
use crate::audit::AuditEvent;
use crate::ground::clock::{Clock, ManualClock, SignedDuration, Timestamp};
use crate::ground::ids::{IdentityId, RoleName};
use crate::records::identity::Login;
use crate::store::{RevocationTarget, SharedStore, Standing};

pub async fn nothing_is_revoked_at_first(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    assert_eq!(revoked_until(&fixture, &fixture.draw_identity_id(), "reader").await, None);
}

pub async fn an_identity_and_a_role_are_revoked_apart(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.draw_identity_id(), fixture.draw_identity_id()];
    revoke(&fixture, RevocationTarget::Identity(ada.clone()), instant(1)).await;
    revoke(&fixture, role_target("writer"), instant(2)).await;

    assert_eq!(revoked_until(&fixture, &ada, "reader").await, Some(instant(1)));
    assert_eq!(revoked_until(&fixture, &bob, "writer").await, Some(instant(2)));
    assert_eq!(revoked_until(&fixture, &bob, "Writer").await, None);
    assert_eq!(revoked_until(&fixture, &bob, "reader").await, None);
}

pub async fn the_later_of_two_revocations_counts(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.draw_identity_id();
    revoke(&fixture, RevocationTarget::Identity(ada.clone()), instant(5)).await;
    revoke(&fixture, role_target("earlier"), instant(4)).await;
    revoke(&fixture, role_target("later"), instant(6)).await;
    assert_eq!(revoked_until(&fixture, &ada, "earlier").await, Some(instant(5)));
    assert_eq!(revoked_until(&fixture, &ada, "later").await, Some(instant(6)));
}

pub async fn everybody_is_revoked_at_once(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.draw_identity_id(), fixture.draw_identity_id()];
    revoke(&fixture, RevocationTarget::Identity(ada.clone()), instant(5)).await;
    revoke(&fixture, RevocationTarget::Everybody, instant(3)).await;
    assert_eq!(revoked_until(&fixture, &ada, "reader").await, Some(instant(5)));
    assert_eq!(revoked_until(&fixture, &bob, "reader").await, Some(instant(3)));

    revoke(&fixture, role_target("writer"), instant(4)).await;
    revoke(&fixture, RevocationTarget::Everybody, instant(2)).await;
    assert_eq!(revoked_until(&fixture, &bob, "reader").await, Some(instant(3)));
    assert_eq!(revoked_until(&fixture, &bob, "writer").await, Some(instant(4)));
}

pub async fn a_later_revocation_stays(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.draw_identity_id();
    for target in [RevocationTarget::Identity(ada.clone()), role_target("reader")] {
        for milliseconds in [1, 9, 3] {
            revoke(&fixture, target.clone(), instant(milliseconds)).await;
        }
    }
    assert_eq!(revoked_until(&fixture, &ada, "other").await, Some(instant(9)));
    assert_eq!(revoked_until(&fixture, &fixture.draw_identity_id(), "reader").await, Some(instant(9)));
}

pub async fn a_revocation_is_not_cut_short(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let finer_than_a_millisecond = instant(0) + SignedDuration::from_nanos(1);
    for not_before in [finer_than_a_millisecond, Timestamp::MAX] {
        let id = fixture.draw_identity_id();
        revoke(&fixture, RevocationTarget::Identity(id.clone()), not_before).await;
        let kept = revoked_until(&fixture, &id, "reader").await.unwrap();
        assert!(kept >= not_before.min(last_millisecond()), "{kept} is before {not_before}");
        assert!(kept.duration_since(not_before) < SignedDuration::from_millis(1));
    }
}

pub async fn a_standing_is_the_identity_with_its_logins_and_revocations(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let reader = role("reader");
    let nobody = fixture.draw_identity_id();
    let nothing = Standing { identity: None, logins: Vec::new(), revoked_until: None, session: None };
    assert_eq!(fixture.store.standing(&nobody, Some(&reader), None).await.unwrap(), nothing);

    let guest = fixture.add_guest().await;
    fixture.store.link_logins(&fixture.login_to("ada", &guest)).await.unwrap();
    revoke(&fixture, role_target("reader"), instant(7)).await;
    let standing = fixture.store.standing(&guest, Some(&reader), None).await.unwrap();
    assert_eq!(standing.identity, fixture.store.lookup_identity(&guest).await.unwrap());
    assert_eq!(standing.logins, [Login::developer("ada")]);
    assert_eq!(standing.revoked_until, Some(instant(7)));

    fixture.store.delete_identity(&guest).await.unwrap();
    let revoked = Standing { revoked_until: Some(instant(7)), ..nothing };
    assert_eq!(fixture.store.standing(&guest, Some(&reader), None).await.unwrap(), revoked);
}

pub async fn a_standing_without_a_role_knows_nothing_of_roles(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.draw_identity_id();
    revoke(&fixture, role_target("reader"), instant(7)).await;
    assert_eq!(fixture.store.standing(&ada, None, None).await.unwrap().revoked_until, None);
    revoke(&fixture, RevocationTarget::Identity(ada.clone()), instant(3)).await;
    assert_eq!(fixture.store.standing(&ada, None, None).await.unwrap().revoked_until, Some(instant(3)));
}

pub async fn an_identity_that_is_not_there_can_be_revoked(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let deleted = fixture.draw_identity_id();
    revoke(&fixture, RevocationTarget::Identity(deleted.clone()), instant(3)).await;
    assert_eq!(revoked_until(&fixture, &deleted, "reader").await, Some(instant(3)));
}

pub async fn racing_revocations_leave_the_latest(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.draw_identity_id();
    race((0..32).map(|number| {
        let (store, target) = (fixture.store.clone(), RevocationTarget::Identity(ada.clone()));
        // 7 and 32 share no divisor: every instant once, in no order.
        let clock = Arc::new(ManualClock::at(instant(number * 7 % 32)));
        async move { store.revoke_sessions(&target, clock).await.unwrap() }
    }))
    .await;
    let role = RoleName::parse("reader").unwrap();
    let standing = fixture.store.standing(&ada, Some(&role), None).await.unwrap();
    assert_eq!(standing.revoked_until, Some(instant(31)));
}

/// A clock that is a millisecond further each time somebody looks.
struct TickingClock(AtomicI64);

impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        instant(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Revoke and issue, side by side. Whoever issues draws an instant, keeps the event, and only then hands out what
/// was made; whoever revokes is told up to when. Of the two, one is first: what was kept before the revocation
/// ended with it, so that nobody outruns it by being quick.
pub async fn a_revocation_is_later_than_whatever_was_kept_before(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.draw_identity_id();
    let clock = Arc::new(TickingClock(AtomicI64::new(0)));
    let kept_until = Arc::new(AtomicI64::new(-1));
    let target = RevocationTarget::Identity(ada.clone());
    race((0..64).map(|number| {
        let (store, clock, kept_until) = (fixture.store.clone(), clock.clone(), kept_until.clone());
        let (target, event) = (target.clone(), plain_event(&fixture, 0));
        async move {
            if number % 8 == 7 {
                let before = kept_until.load(Ordering::SeqCst);
                let until = store.revoke_sessions(&target, clock).await.unwrap();
                assert!(until.as_millisecond() > before, "{until} is not after the event of {before}");
                return;
            }
            let issued_at = clock.now();
            store.add_audit_event(&AuditEvent { time: issued_at, ..event }).await.unwrap();
            kept_until.fetch_max(issued_at.as_millisecond(), Ordering::SeqCst);
        }
    }))
    .await;
}

fn role_target(name: &str) -> RevocationTarget {
    RevocationTarget::Role(role(name))
}

fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

async fn revoke(fixture: &Fixture, target: RevocationTarget, not_before: Timestamp) {
    let clock = Arc::new(ManualClock::at(not_before));
    assert_eq!(fixture.store.revoke_sessions(&target, clock).await.unwrap(), not_before);
}

async fn revoked_until(fixture: &Fixture, identity_id: &IdentityId, role_name: &str) -> Option<Timestamp> {
    fixture.store.standing(identity_id, Some(&role(role_name)), None).await.unwrap().revoked_until
}
