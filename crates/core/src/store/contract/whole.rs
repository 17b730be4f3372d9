//! A store with everything in it, and all that one can ask of it: what a copy into another one must leave as it is.

use std::fmt::Debug;
use std::sync::Arc;

use super::fixture::{
    Fixture, ODD_TEXT, access_key, full_roles, full_tag_maps, instant, plain_pool, public, session,
    session_id, signing_key,
};
use crate::ground::clock::{ManualClock, SignedDuration, Timestamp};
use crate::ground::ids::{IdentityId, RoleName, SignInSessionId};
use crate::ground::random::SeededRandom;
use crate::ground::seal::{MasterKeyId, Sealed};
use crate::ground::secret::Secret;
use crate::records::audit_event::{AuditAction, AuditEvent, AuditOutcome, AuditSubject};
use crate::records::audit_question::AuditQuestion;
use crate::records::device_authorization::{Decision, DeviceAuthorization, INTERVAL};
use crate::records::identity::{IdentityPool, Login, PoolSettings};
use crate::records::scope::Scope;
use crate::records::sign_in_session::{EndReason, SessionEnd, SignInSession};
use crate::records::signing_algorithm::Algorithm;
use crate::store::{
    EventPosition, ExportPosition, Page, RevocationTarget, SharedStore, StoredLoginGrant, StoredSigningKey,
};

/// As much as is ever asked for at once here.
const ALL: usize = 10_000;

/// What was put into a store.
pub struct Filled {
    identities: Vec<IdentityId>,
    logins: Vec<Login>,
    requests: Vec<AuditSubject>,
    /// Of somebody whose pool was deleted.
    orphan: SignInSessionId,
}

/// When a store is copied that [`fill`] has filled: some of it is over by then.
#[must_use]
pub fn at_copying() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(instant(10_000)))
}

/// Puts everything into an empty store that there is.
pub async fn fill(store: &SharedStore) -> Filled {
    let fixture = Fixture::new(store.clone()).await;
    pools(&fixture).await;
    let (mut identities, logins) = people(&fixture).await;
    let orphan = orphan(&fixture, &mut identities).await;
    keys(store).await;
    revocations(store, &identities).await;
    what_ends(store).await;
    for (name, line) in [(ODD_TEXT, 7), ("siem", 1)] {
        assert!(store.move_export_position(name, None, &position(line)).await.unwrap());
    }
    let requests = events(&fixture, &identities[0]).await;
    Filled { identities, logins, requests, orphan }
}

async fn pools(fixture: &Fixture) {
    let store = &fixture.store;
    let pool = store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
    let settings = PoolSettings {
        name: ODD_TEXT.to_owned(),
        allow_unauthenticated_identities: true,
        allow_classic_flow: Some(false),
        developer_provider_name: Some("login.example".to_owned()),
        ..PoolSettings::default()
    };
    let full = IdentityPool { settings, roles: full_roles(), tag_maps: full_tag_maps(), ..pool };
    store.replace_pool(&full).await.unwrap();
    let random = SeededRandom::new(7);
    for name in ["default", ODD_TEXT] {
        store.find_or_add_configured_pool(name, &plain_pool(&random)).await.unwrap();
    }
}

async fn people(fixture: &Fixture) -> (Vec<IdentityId>, Vec<Login>) {
    let [ada, bob, zoe] = [Login::developer("ada"), public("idp", "ada"), public("idp", ODD_TEXT)];
    let first = fixture.add_person(&[ada.clone(), bob.clone()]).await;
    let guest = fixture.add_guest().await;
    let (winner, loser) = (fixture.add_user("winner").await, fixture.add_user("loser").await);
    let sessions = [(1, &first), (2, &loser), (3, &winner), (4, &fixture.draw_identity_id())];
    for (number, identity) in sessions {
        let session = whole_session(fixture, number, identity);
        fixture.store.add_sign_in_session(&session, instant(0)).await.unwrap();
    }
    let end = SessionEnd { at: instant(5), reason: EndReason::SignedOut };
    assert!(fixture.store.end_sign_in_session(&session_id(3), end).await.unwrap());
    fixture.merge("loser", "winner").await;
    let gone = fixture.add_user("gone").await;
    fixture.store.delete_identities(std::slice::from_ref(&gone)).await.unwrap();
    let odd = fixture.add_person(std::slice::from_ref(&zoe)).await;
    let logins =
        [ada, bob, zoe, Login::developer("winner"), Login::developer("loser"), Login::developer("gone")];
    (vec![first, guest, winner, loser, gone, odd], logins.into())
}

fn whole_session(fixture: &Fixture, number: u8, identity: &IdentityId) -> SignInSession {
    SignInSession {
        key_thumbprint: Some(ODD_TEXT.to_owned()),
        device: Some(ODD_TEXT.to_owned()),
        scope: Scope { openid: true, profile: true },
        signed_in_at: Some(instant(-5)),
        generation: u32::from(number),
        late_at: Some(instant(3)),
        ..session(fixture, number, identity)
    }
}

/// A session of somebody whose pool was deleted, and is not purged.
async fn orphan(fixture: &Fixture, identities: &mut Vec<IdentityId>) -> SignInSessionId {
    let (store, id) = (&fixture.store, fixture.draw_identity_id());
    assert!(store.add_guest(&fixture.other_pool_id, &id, instant(0)).await.unwrap());
    let session = session(fixture, 9, &id);
    store.add_sign_in_session(&session, instant(0)).await.unwrap();
    assert!(store.delete_pool(&fixture.other_pool_id).await.unwrap());
    identities.push(id);
    session.id
}

async fn keys(store: &SharedStore) {
    let [first, second, third] = [access_key(1, "ada"), access_key(2, "ada"), access_key(3, "bob")];
    for key in [&first, &third] {
        store.add_first_access_key(key).await.unwrap();
    }
    store.add_further_access_key(&second).await.unwrap();
    store.set_access_key_enabled(&first.id, false).await.unwrap();
    let other = StoredSigningKey { algorithm: Algorithm::Es256, ..signing_key(2) };
    for key in [signing_key(1), other] {
        store.add_signing_key(&key, &[]).await.unwrap();
    }
    for (id, at) in [("00000001", 1), ("00000002", 2), ("00000001", 3)] {
        store.announce_master_key(MasterKeyId::parse(id).unwrap(), instant(at)).await.unwrap();
    }
}

async fn revocations(store: &SharedStore, identities: &[IdentityId]) {
    let role = RoleName::parse("reader").unwrap();
    let targets = [
        RevocationTarget::Identity(identities[0].clone()),
        RevocationTarget::Role(role),
        RevocationTarget::Everybody,
    ];
    for (milliseconds, target) in (0..).zip(targets) {
        let between = instant(milliseconds) + SignedDuration::from_micros(1);
        store.revoke_sessions(&target, Arc::new(ManualClock::at(between))).await.unwrap();
    }
}

/// What is over before the copy, and what is not.
async fn what_ends(store: &SharedStore) {
    for (name, until) in [("over", 5_000), ("used", 20_000), (ODD_TEXT, 30_000)] {
        assert!(store.use_once(name, instant(until), instant(0)).await.unwrap());
        let sealed = Sealed((0..=255).collect());
        let grant = StoredLoginGrant { code_hash: name.to_owned(), sealed, expires_at: instant(until) };
        store.add_login_grant(&grant, instant(0)).await.unwrap();
    }
    for (id, decision) in [
        ("waits", None),
        ("denied", Some(Decision::Denied)),
        (ODD_TEXT, Some(Decision::Allowed(Secret::new("code")))),
    ] {
        let authorization = DeviceAuthorization {
            id: id.to_owned(),
            device_code_hash: ODD_TEXT.to_owned(),
            app: "tv".to_owned(),
            scope: Scope::default(),
            device: Some(ODD_TEXT.to_owned()),
            source_ip: "2001:db8::1".parse().ok(),
            created_at: instant(0),
            ends_at: instant(600_000),
            interval: INTERVAL,
            polled_at: Some(instant(2)),
            decision,
        };
        store.add_device_authorization(&authorization, instant(0)).await.unwrap();
    }
}

fn position(line: u64) -> ExportPosition {
    let (trail, line) = (ODD_TEXT.to_owned(), EventPosition(line));
    ExportPosition { trail, line, moved_at: instant(7), refused: 1, dropped: 2 }
}

async fn events(fixture: &Fixture, identity: &IdentityId) -> Vec<AuditSubject> {
    let mut subjects = vec![AuditSubject::Identity(identity.clone())];
    for number in 0..40 {
        let time = instant(number) + SignedDuration::from_micros(number);
        let request = fixture.draw_request_id();
        let event = AuditEvent {
            identity_id: Some(identity.clone()),
            detail: Some(ODD_TEXT.to_owned()),
            ..AuditEvent::plain(time, request.clone(), AuditAction::Token, AuditOutcome::Allowed)
        };
        fixture.store.add_audit_event(&event).await.unwrap();
        let refused = fixture.draw_request_id();
        let refusal = AuditEvent { request_id: refused.clone(), time: instant(number), ..event };
        fixture.store.add_unproved_refusals(&[refusal]).await.unwrap();
        subjects.extend([AuditSubject::Request(request), AuditSubject::Request(refused)]);
    }
    subjects
}

/// All there is, in one page.
fn all<T>() -> Page<T> {
    Page { after: None, limit: ALL }
}

/// Everything that can be asked of a store about what was put into one.
pub async fn look(store: &SharedStore, filled: &Filled) -> Vec<String> {
    let mut seen = Seen(Vec::new());
    look_at_people(store, filled, &mut seen).await;
    seen.note("access keys", &store.list_access_keys().await.unwrap());
    for key in store.list_access_keys().await.unwrap() {
        seen.note("access key", &store.lookup_access_key(&key.id).await.unwrap());
    }
    seen.note("signing keys", &store.list_signing_keys().await.unwrap());
    seen.note("master keys", &store.list_master_keys().await.unwrap());
    let sealed = store.list_sealed(all()).await.unwrap();
    seen.note(
        "sealed",
        &sealed.iter().filter(|value| !is_of(&value.item, &filled.orphan)).collect::<Vec<_>>(),
    );
    for id in ["waits", "denied", ODD_TEXT] {
        let device = store.find_device_authorization(id).await.unwrap().unwrap();
        if let Some(Decision::Allowed(code)) = &device.decision {
            seen.note("code", &code.expose());
        }
        seen.note("device", &device);
    }
    for name in [ODD_TEXT, "siem", "other"] {
        seen.note("exporter", &store.find_export_position(name).await.unwrap());
    }
    seen.note("events", &store.page_audit_events(&AuditQuestion::default(), all()).await.unwrap());
    seen.note("events after", &store.audit_events_after(all()).await.unwrap());
    seen.note("extent", &store.audit_trail_extent().await.unwrap());
    for about in &filled.requests {
        let question = AuditQuestion::about(about.clone());
        seen.note("events about", &store.page_audit_events(&question, all()).await.unwrap());
        seen.note("refusals", &store.list_unproved_refusals(about, ALL).await.unwrap());
    }
    seen.0
}

async fn look_at_people(store: &SharedStore, filled: &Filled, seen: &mut Seen) {
    let pools = store.list_pools(all()).await.unwrap();
    seen.note("pools", &pools);
    seen.note("names", &store.configured_pools().await.unwrap());
    for pool in &pools {
        seen.note("identities", &store.list_identities(&pool.id, false, all()).await.unwrap());
        for login in &filled.logins {
            seen.note(
                "owner",
                &store.find_identity_by_login(&pool.id, login).await.unwrap().map(|it| it.identity.id),
            );
        }
    }
    let role = RoleName::parse("reader").unwrap();
    for id in &filled.identities {
        seen.note("identity", &store.lookup_identity_with_logins(id).await.unwrap());
        for number in 1..=4 {
            let standing = store.standing(id, Some(&role), Some(&session_id(number))).await.unwrap();
            seen.note("standing", &standing);
        }
        if !is_last(id, filled) {
            seen.note("sessions", &store.list_sign_in_sessions(id, instant(10)).await.unwrap());
        }
    }
    for number in 1..=4 {
        seen.note("session", &store.find_sign_in_session(&session_id(number)).await.unwrap());
    }
}

fn is_last(id: &IdentityId, filled: &Filled) -> bool {
    filled.identities.last() == Some(id)
}

fn is_of(item: &crate::store::SealedItem, session: &SignInSessionId) -> bool {
    *item == crate::store::SealedItem::SignInSession(session.clone())
}

/// Uses up what counts once, in a store that everything was copied into: each thing counts once there as well.
pub async fn use_up(store: &SharedStore, filled: &Filled) {
    assert_eq!(store.find_sign_in_session(&filled.orphan).await.unwrap(), None);
    let now: Timestamp = instant(10_000);
    for name in ["used", ODD_TEXT] {
        assert!(!store.use_once(name, instant(40_000), now).await.unwrap(), "{name:?} was used");
        let grant = store.redeem_login_grant(name, now).await.unwrap().unwrap();
        assert_eq!(grant.sealed, Sealed((0..=255).collect()));
        assert_eq!(store.redeem_login_grant(name, now).await.unwrap(), None);
    }
    assert!(store.use_once("over", instant(40_000), now).await.unwrap());
    assert_eq!(store.redeem_login_grant("over", now).await.unwrap(), None);
    let waits = store.find_device_authorization("waits").await.unwrap().unwrap();
    let denied = DeviceAuthorization { decision: Some(Decision::Denied), ..waits.clone() };
    assert!(store.replace_device_authorization(&waits, &denied).await.unwrap());
    let next = position(8);
    assert!(store.move_export_position("siem", Some(&position(1)), &next).await.unwrap());
    // It lives on: who is known stays who they are, and pools can be deleted and come back.
    let pool = store.configured_pools().await.unwrap().remove("default").unwrap();
    assert!(store.delete_pool(&pool.id).await.unwrap());
    store.add_pool(&pool).await.unwrap();
    let ours = filled.identities[0].clone();
    store.delete_identities(std::slice::from_ref(&ours)).await.unwrap();
    assert_eq!(store.find_sign_in_session(&session_id(1)).await.unwrap(), None);
}

struct Seen(Vec<String>);

impl Seen {
    fn note(&mut self, what: &str, answer: &impl Debug) {
        self.0.push(format!("{what}: {answer:?}"));
    }
}
